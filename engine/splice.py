"""Changes one value in an author's YAML, and not one character beside it.

A file is never written out anew: comments, order, quoting and line ends are the author's. The new value is spliced
in at the place of the old one, or on a line of its own below the scene's id; then the text is read again, and refused
unless it says just what it said before, with that one change.
"""

from __future__ import annotations

import copy
import json
import os
import re
from pathlib import Path

from .document import Document, Span, parse
from .errors import MikebotError
from .inplace import AGAIN, current, digest, replace
from .schema import mistakes

_BREAK = re.compile(r"\r\n|\n|\r")


def write(file: Path, scene: str, field: str, value: int | bool, base: str) -> str:
    """Set a field of a scene in a storyboard; returns the digest of the new text.

    Raises MikebotError, and writes nothing, unless the file still holds the text whose SHA-256 is `base`, no editor
    holds unsaved changes of it, and the value can be written without touching anything else.
    """
    target = Path(os.path.realpath(file))
    raw = current(target, base)
    made = splice(raw, file.name, scene, field, value)
    if made != raw:
        replace(target, made, raw)
    return digest(made)


def splice(raw: bytes, name: str, scene: str, field: str, value: int | bool) -> bytes:
    """The bytes of a storyboard with one field of a scene set. Raises MikebotError where that cannot be done."""
    document = parse(raw, name)
    if document.mistakes:
        raise MikebotError("the storyboard has mistakes", "mend them first")
    index = _index(document, scene)
    wanted = copy.deepcopy(document.data)
    wanted["scenes"][index][field] = value
    if document.data == wanted and field in document.data["scenes"][index]:
        return raw
    start, end, text = _change(document, index, field, json.dumps(value))
    lead = len(raw.decode("utf-8")) - len(document.text)  # A byte order mark.
    whole = raw.decode("utf-8")
    made = (whole[: lead + start] + text + whole[lead + end :]).encode("utf-8")
    again = parse(made, name)
    if again.mistakes or again.data != wanted:
        raise MikebotError(
            f"{field} of scene '{scene}' cannot be written without changing more than that", "write it by hand"
        )
    wrong = mistakes(again, "storyboard")
    if wrong:
        raise MikebotError(wrong[0].message, wrong[0].hint)
    return made


def _index(document: Document, scene: str) -> int:
    scenes = document.data.get("scenes") if isinstance(document.data, dict) else None
    for index, data in enumerate(scenes if isinstance(scenes, list) else []):
        if isinstance(data, dict) and data.get("id") == scene:
            return index
    raise MikebotError(f"the storyboard has no scene '{scene}'", AGAIN)


def _change(document: Document, index: int, field: str, text: str) -> tuple[int, int, str]:
    """Which characters to replace by what."""
    starts = [0, *(match.end() for match in _BREAK.finditer(document.text))]

    def offset(line: int, column: int) -> int:
        return starts[line - 1] + column - 1

    if field in document.data["scenes"][index]:
        old = document.place(("scenes", index, field))
        return offset(old.line, old.column), offset(old.end_line, old.end_column), text
    name, key = document.place(("scenes", index, "id")), document.key_place(("scenes", index, "id"))
    quote = '"' if document.text[offset(key.line, key.column)] == '"' else ""
    entry = f"{quote}{field}{quote}: {text}"
    if document.flowing(("scenes", index)):
        end = offset(name.end_line, name.end_column)
        return end, end, f", {entry}"
    return _line(document, starts, name, key, entry)


def _line(document: Document, starts: list[int], name: Span, key: Span, entry: str) -> tuple[int, int, str]:
    """A line of its own, below that of the scene's id and as far from the margin."""
    indent = " " * (key.column - 1)
    found = _BREAK.search(document.text, starts[name.end_line - 1])
    if found is None:  # The file ends here, without a line break.
        first = _BREAK.search(document.text)
        return len(document.text), len(document.text), f"{first.group() if first else chr(10)}{indent}{entry}"
    return found.end(), found.end(), f"{indent}{entry}{found.group()}"
