"""Type on a card: the largest that fits a room, in even lines."""

from __future__ import annotations

from collections.abc import Iterator

from . import breaks, fonts
from .espeak_text import tokens

LONGEST_TOKEN = 16  # A longer word may be broken.
LINES = 5
LEADING = 1.16


def excerpt(text: str, most: int) -> str:
    """The beginning of a text, cut at the end of a clause or of a word."""
    text = " ".join(text.split())
    head = text
    if len(text) > most:
        head = text[: most - 1]
        cut = max(head.rfind(", "), head.rfind("; "), head.rfind(". "))
        head = (head[:cut] if cut > most // 3 else head.rsplit(" ", 1)[0]).rstrip(",;:.") + "…"
    return head[:1].upper() + head[1:]


def fitted(text: str, width: int, height: int, largest: int) -> tuple[int, list[str]]:
    """The largest size at which the text fits, and its lines; at the smallest size what does not fit is left out."""
    parts = [(part, fonts.length(part, 64, bold=True) / 64) for part in _breakable(text)]
    lines: list[str] = []
    for size in range(max(5, largest), 4, -1):
        lines = _wrapped(parts, width / size)
        widest = max(width_ for _, width_ in parts)
        if widest * size <= width and len(lines) <= LINES and len(lines) * size * LEADING <= height:
            return size, _balanced(parts, width / size, len(lines))
    return 5, lines[: max(0, height // 6)]


def _breakable(text: str) -> Iterator[str]:
    for token in tokens(text):
        for part in [token] if token.isascii() else breaks.words(token):
            letters = breaks.clusters(part)
            yield from ("".join(letters[at : at + LONGEST_TOKEN]) for at in range(0, len(letters), LONGEST_TOKEN))


def _wrapped(parts: list[tuple[str, float]], width: float) -> list[str]:
    """Break into lines; widths are in sizes of the font."""
    lines, used = [""], 0.0
    for part, wide in parts:
        if lines[-1] and used + wide > width:
            lines.append("")
            used = 0.0
        lines[-1] += part
        used += wide
    return [line.rstrip() for line in lines]


def _balanced(parts: list[tuple[str, float]], width: float, count: int) -> list[str]:
    """As many lines, of lengths as even as they can be."""
    narrow, wide = width / 2, width
    for _ in range(8):
        middle = (narrow + wide) / 2
        if len(_wrapped(parts, middle)) > count:
            narrow = middle
        else:
            wide = middle
    return _wrapped(parts, wide)
