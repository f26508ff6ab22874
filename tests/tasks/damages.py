"""What a disk or another program makes of the content of a file."""

import json
from collections.abc import Callable

DEEP = b"[" * 100_000
LONG_INTEGER = b'{"a": ' + b"9" * 5000 + b"}"


def flip(content: bytes) -> bytes:
    """Flips bits at seven places: one alone may meet a part of a header that no reader needs."""
    flipped = bytearray(content)
    for place in range(1, 8):
        start = place * len(content) // 8
        flipped[start : start + 8] = bytes(byte ^ 0xFF for byte in flipped[start : start + 8])
    return bytes(flipped)


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "truncated": lambda content: content[: len(content) // 2],
    "flipped": flip,
}

JSON_DAMAGES = {
    "deep": DEEP,
    "long integer": LONG_INTEGER,
    **{name: json.dumps(value).encode() for name, value in {"number": 1, "null": None, "object": {"a": 1}}.items()},
    "lists": b'[["a"], ["b"]]',
    "surrogates": b'["a", "\\ud800"]',
    "one class": b'["negative"]',
    "three classes": b'["a", "b", "c"]',
    "one class twice": b'["a", "a"]',
    "not UTF-8": b'["a", "\xff"]',
}
