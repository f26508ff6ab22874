"""Character generation, one-to-many: a prompt in, text out."""
