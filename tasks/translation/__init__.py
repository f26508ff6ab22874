"""Translation, sequence-to-sequence with attention: a sentence in, a sentence out."""
