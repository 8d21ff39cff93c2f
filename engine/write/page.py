"""A storyboard's text with the places of what it says: where a value, a line and a scene begin and end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ..document import Document, parse
from ..errors import MikebotError

Path = tuple[str | int, ...]
BREAK = re.compile(r"\r\n|\n|\r")


class Page(NamedTuple):
    """A text that was read, the first character of each line, and how its lines end."""

    document: Document
    starts: Sequence[int]
    end: str

    @property
    def text(self) -> str:
        """The whole of it."""
        return self.document.text

    def span(self, path: Path, key: bool = False) -> tuple[int, int]:
        """Where a value (or its key) begins and ends, in characters."""
        place = self.document.key_place(path) if key else self.document.place(path)
        begin = self.starts[place.line - 1] + place.column - 1
        return begin, self.starts[place.end_line - 1] + place.end_column - 1

    def line_end(self, at: int) -> int:
        """Where the line of a character ends, before its break."""
        found = BREAK.search(self.text, at)
        return found.start() if found else len(self.text)

    def flowing(self, path: Path) -> bool:
        """Whether a value stands within braces or brackets."""
        return any(self.document.flowing(path[:depth]) for depth in range(len(path)))

    def next_line(self, at: int) -> int:
        """The first character of the line below a character's."""
        found = BREAK.search(self.text, at)
        return found.end() if found else len(self.text)

    def scene_begin(self, index: int) -> int:
        """The first character of the line in which a scene begins, with its dash."""
        start = self.span(("scenes", index))[0]
        since = self.next_line(self.span(("scenes", index - 1))[1] if index else self.span(("scenes",), key=True)[1])
        lines = [at for at in self.starts if since <= at <= start]
        dashed = [at for at in lines if self.text[at : self.line_end(at)].lstrip()[:1] == "-"]
        return dashed[0] if dashed else start

    def scene_end(self, index: int) -> int:
        """Where the last line of a scene ends, before its break."""
        return self.line_end(self.span(("scenes", index))[1])

    def spaced(self) -> bool:
        """Whether blank lines stand between the scenes; in a storyboard of one, they would."""
        if len(self.document.data["scenes"]) < 2:
            return True
        return not self.text[self.next_line(self.scene_end(0)) :].split(self.end, 1)[0].strip(" \t")


def page_of(raw: bytes, name: str) -> Page:
    """A storyboard as it is written. Raises MikebotError where it has mistakes."""
    document = parse(raw, name)
    if document.mistakes or not isinstance(document.data, dict):
        raise MikebotError("the storyboard has mistakes", "mend them first")
    starts = [0, *(match.end() for match in BREAK.finditer(document.text))]
    first = BREAK.search(document.text)
    return Page(document, starts, first.group() if first else "\n")
