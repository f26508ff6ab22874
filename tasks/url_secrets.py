"""Secrets in URLs: passwords, tokens and signatures, which are neither printed nor stored."""

import re

# A path such as s3:/bucket is a URL with a slip. The name of a drive, as in C:/, is one letter.
URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):/+(?P<rest>((?!,[A-Za-z0-9+.-]+:/)[^\s'\"])+)")
# A file of this machine, where any character may be part of a name.
FILE = re.compile(r"file:(/|/{3,}|//localhost/)(?!/)", re.IGNORECASE)
# What stands before the host, USER or USER:PASSWORD. The keys of AWS contain slashes; a port does not.
BEFORE_HOST = re.compile(r"(?P<user>[^/]*)@|(?P<key>[^/@:[]+:(?!\d+/).*)@")
# The names that a container of Azure, and the word for a public bucket of Google, have before the host.
NAMED_BEFORE_HOST = ("abfs", "abfss", "gs", "gcs")
PARAMETER = re.compile(
    r"(?P<name>[?&;][^=&;]*(sig|signature|token|secret|passw(or)?d|pwd|credential|key|key_?id)=)[^&;]*[^&;:,.]",
    re.IGNORECASE,
)


def hidden(text: str) -> str:
    """Return a text with dots in place of the secrets in its URLs.

    Example:
        >>> hidden("'https://user:secret@host/x.csv': no such file")
        "'https://...@host/x.csv': no such file"
        >>> hidden("abfss://container@account.dfs.core.windows.net/x.csv?sv=1&sig=abc")
        'abfss://container@account.dfs.core.windows.net/x.csv?sv=1&sig=...'
    """
    return URL.sub(_hidden, text) if ":/" in text else text


def has_secret(text: str) -> bool:
    """Return whether a text is a URL with a secret."""
    return "://" in text and hidden(text) != text


def _hidden(url: re.Match) -> str:
    if FILE.match(url[0]):
        return url[0]
    rest = hidden(url["rest"])  # a parameter may be a URL
    before = BEFORE_HOST.match(rest)
    if before and not (url["scheme"].lower() in NAMED_BEFORE_HOST and ":" not in before[0]):
        rest = f"...@{rest[before.end() :]}"
    return url[0].removesuffix(url["rest"]) + PARAMETER.sub(lambda parameter: f"{parameter['name']}...", rest)
