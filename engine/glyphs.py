"""Which characters of a text no font has: those of the shipped fonts are known from a table, made with the fonts."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent / "fonts" / "coverage.txt"
UNSEEN = frozenset(("Cc", "Cf", "Cs", "Zs", "Zl", "Zp"))  # Categories of what nothing is drawn for.


def missing(text: str) -> str:
    """The characters of a text that no shipped font has, each once, in order."""
    if text.isascii():
        return ""
    starts, ends = _ranges()
    lacking = dict.fromkeys(
        letter
        for letter in text
        if not letter.isascii()
        and ord(letter) > ends[bisect_right(starts, ord(letter)) - 1]
        and unicodedata.category(letter) not in UNSEEN
        and not "\ufe00" <= letter <= "\ufe0f"
    )
    return "".join(lacking)


def covering(letters: str, fonts: Iterable[Path]) -> tuple[list[Path], str]:
    """Those of an author's fonts that are needed to draw some characters, and the characters that remain.

    Raises OSError for a file that is no font.
    """
    from .backends.fonts import covers

    needed: list[Path] = []
    for font in fonts:
        has = {letter for letter in letters if covers(font, letter)}
        if has:
            needed.append(font)
            letters = "".join(letter for letter in letters if letter not in has)
    return needed, letters


def named(letter: str) -> str:
    """A character as a message names it."""
    return f"U+{ord(letter):04X} {unicodedata.name(letter, 'without a name')}"


@cache
def _ranges() -> tuple[list[int], list[int]]:
    rows = [line.split() for line in TABLE.read_text("ascii").splitlines()]
    return [int(first, 16) for first, _ in rows], [int(last, 16) for _, last in rows]
