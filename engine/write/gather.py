"""One JSON object out of what a model writes, as soon as it is whole.

A model that is held to a grammar writes the object and nothing else. Others put prose before it, fences around it and
thoughts ahead of it; all that is passed over. What comes after the object is not waited for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

MOST_DEPTH = 32
_THOUGHT, _THOUGHT_ENDS = "<think>", "</think>"


class Gathering:
    """Takes pieces of text in; `value` is the first whole object that they hold."""

    def __init__(self) -> None:
        self.text = ""
        self.value: dict[str, Any] | None = None
        self._at = 0  # Up to here the text was looked at.
        self._begin = -1  # Where the object that is open begins.
        self._depth = 0
        self._quoted = self._escaped = False
        self._thinking: bool | None = None  # Not known yet.

    def add(self, piece: str) -> bool:
        """Take a piece in; returns whether the object is whole."""
        self.text += piece
        if self._thinking is not False and not self._thought():
            return False
        while self.value is None and self._at < len(self.text):
            self._look(self.text[self._at])
            self._at += 1
        return self.value is not None

    def why(self) -> str:
        """Why there is no object, as a model is told."""
        if not self.text.strip():
            return "the answer is empty"
        return "the answer ends before its JSON does" if self._begin >= 0 else "there is no JSON object in the answer"

    def _thought(self) -> bool:
        """Whether what a model thinks before it answers is over."""
        start = self.text.lstrip()
        if self._thinking is None:
            if len(start) < len(_THOUGHT) and _THOUGHT.startswith(start):
                return False
            self._thinking = start.startswith(_THOUGHT)
        end = self.text.find(_THOUGHT_ENDS) if self._thinking else -len(_THOUGHT_ENDS)
        if end == -1:
            return False
        self._at, self._thinking = end + len(_THOUGHT_ENDS), False
        return True

    def _look(self, char: str) -> None:
        if self._begin < 0:
            if char == "{":
                self._begin, self._depth = self._at, 1
            return
        if self._quoted:
            self._quoted = self._escaped or char != '"'
            self._escaped = char == "\\" and not self._escaped
        elif char == '"':
            self._quoted = True
        elif char in "{[":
            self._depth += 1
        elif char in "}]":
            self._depth -= 1
        if self._depth == 0:
            self._close()
        elif self._depth > MOST_DEPTH:
            self._again()

    def _close(self) -> None:
        """An object has its last brace: it is the one, or was prose in braces."""
        try:
            self.value = json.loads(self.text[self._begin : self._at + 1], parse_constant=_refuse)
        except (ValueError, RecursionError):
            self._again()

    def _again(self) -> None:
        """Go on behind the brace that opened what is no object."""
        self._at, self._begin, self._depth, self._quoted, self._escaped = self._begin, -1, 0, False, False


def objects(pieces: Iterator[str]) -> Iterator[Gathering]:
    """What is gathered after each piece, until the object is whole."""
    gathering = Gathering()
    for piece in pieces:
        whole = gathering.add(piece)
        yield gathering
        if whole:
            return


def _refuse(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are not JSON.
