"""Networks, and what runs inside their graphs: tokenizers, sampling, search, and views of their inside."""
