"""Answers inputs of several files, the shards: each in a file of the same name, written completely or not at all."""
