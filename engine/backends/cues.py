"""When what is shown goes on: words of the narration, found in its timing or, ahead of that, in its text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_SPACELESS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"  # Kana and Han: each character counts as a word.
_WORD = re.compile(rf"[{_SPACELESS}]|(?:(?![{_SPACELESS}])[^\W_])+(?:['’][^\W_]+)*")


def folded(text: str) -> list[str]:
    """The words of a text as they are compared: without case and punctuation."""
    return [word.replace("’", "'").casefold() for word in _WORD.findall(text)]


def found(cues: Sequence[str], words: Sequence[str]) -> list[int | None]:
    """For each cue the word it begins at, looked for behind the one before; None where it is not said.

    A cue may be several words in a row. A cue that says the same as the one before, and is not said again,
    comes together with it.
    """
    said = [(number, part) for number, word in enumerate(words) for part in folded(word)]
    parts = [part for _, part in said]
    places: list[int | None] = []
    at, before = -1, [""]
    for cue in cues:
        wanted = folded(cue)
        following = _place(wanted, parts, at + 1)
        if following is not None:
            at = following
        places.append(said[at][0] if following is not None or wanted == before else None)
        before = wanted if places[-1] is not None else before
    return places


def _place(wanted: list[str], parts: list[str], start: int) -> int | None:
    ends = range(start, len(parts) - len(wanted) + 1) if wanted else ()
    return next((place for place in ends if parts[place : place + len(wanted)] == wanted), None)


def samples(cues: Sequence[str], timing: dict[str, Any]) -> list[tuple[int, int] | None]:
    """When each cue sounds: its sample and the timing's rate; None where it is not said."""
    places = found(cues, [text for _, _, text in timing["words"]])
    return [None if at is None else (timing["words"][at][0], timing["rate"]) for at in places]
