"""Sentiment, many-to-one: a text in, a label and its probability out."""
