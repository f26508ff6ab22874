"""Word vectors: word2vec and fastText, trained with gensim on text without labels."""
