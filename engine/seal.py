"""A few characters before a text that show whether it still is what was written."""

from __future__ import annotations

import zlib


def seal(text: str, name: str = "") -> str:
    """The text with its checksum before it; sealed under a name, it does not pass for another's."""
    return f"{_mark(text, name)} {text}"


def unseal(sealed: str, name: str = "") -> str:
    """The text behind a seal. Raises ValueError if it is not what was sealed under this name."""
    mark, _, text = sealed.partition(" ")
    if mark != _mark(text, name):
        raise ValueError("the checksum does not fit")
    return text


def _mark(text: str, name: str) -> str:
    return f"{zlib.crc32(text.encode('utf-8', 'surrogatepass'), zlib.crc32(name.encode())):08x}"
