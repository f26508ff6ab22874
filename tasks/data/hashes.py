"""Hashes of texts, the same on every machine: texts are drawn, sampled and compared by them."""

import hashlib
from collections.abc import Sequence

from tasks.data.records import normalize_for_comparison


def hash_of(text: str, bits: int = 64) -> int:
    """Return a hash that is the same on every machine; one of 64 bits is a signed integer."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=bits // 8).digest()
    return int.from_bytes(digest, signed=bits == 64)


# The hash of a text of which nothing is left to compare.
EMPTY = hash_of("")


def comparison_hashes(texts: Sequence[str]) -> tuple[int, ...]:
    """Return the hash of each text as it is compared with others and, if there are several, that of all together."""
    normalized = [*map(normalize_for_comparison, texts)]
    together = [hash_of("\0".join(normalized))] if len(texts) > 1 else []
    return (*map(hash_of, normalized), *together)
