"""What two sequences have in common, word for word or line for line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Stretch(NamedTuple):
    """A stretch of two sequences: the same in both, or what the one has in place of the other's."""

    same: bool
    was: Sequence[str]
    now: Sequence[str]


def stretches(was: Sequence[str], now: Sequence[str]) -> Iterator[Stretch]:
    """Two sequences side by side, in order."""
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        yield Stretch(tag == "equal", was[i1:i2], now[j1:j2])
