"""Text data: sources, records, vocabularies, and sequences of ids on disk in batches of similar length."""
