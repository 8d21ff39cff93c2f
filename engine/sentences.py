"""Narration into sentences, so that a changed sentence is spoken again and its neighbours are not."""

from __future__ import annotations

import re

# A full stop, then a space; in Chinese and Japanese no space follows.
_END = re.compile(r"(?<=[.!?…؟۔।])[\"'”’»)\]]*\s+|(?<=[。！？])[”’」』）]*\s*|\n\s*\n\s*")
_ABBREVIATED = re.compile(
    r"(?:^|[\s(\"'“‘])(?:[A-Z]|e\.g|i\.e|etc|vs|cf|Mr|Mrs|Ms|Dr|Prof|St|No|Fig|approx|z\.B|d\.h|usw|bzw|Nr)\.$"
)


def sentences(text: str) -> list[str]:
    """Split a narration; white space within a sentence is folded, so that layout is no change.

    An abbreviation ("e.g.", "Dr.", an initial) ends no sentence, nor does a stop before a small letter.
    """
    found: list[str] = []
    start = 0
    for end in _END.finditer(text):
        piece = text[start : end.end()].strip()
        following = text[end.end() : end.end() + 1]
        if "\n\n" not in end.group() and _goes_on(piece, following):
            continue
        found.append(piece)
        start = end.end()
    found.append(text[start:].strip())
    return [" ".join(piece.split()) for piece in found if piece]


def _goes_on(piece: str, following: str) -> bool:
    return piece.endswith(".") and (following.islower() or _ABBREVIATED.search(piece) is not None)
