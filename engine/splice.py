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
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .document import Document, Span, parse
from .errors import MikebotError
from .inplace import AGAIN, current, digest, replace
from .schema import mistakes

_BREAK = re.compile(r"\r\n|\n|\r")
_PLAIN = re.compile(r"[a-z][a-z0-9]*([/.-][a-z0-9]+)+")  # What no YAML takes for anything but a text.


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
    made = _spliced(raw, document, _change(document, ("scenes", index), "id", field, json.dumps(value)))
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


def write_voice(file: Path, backend: str, said: Mapping[str, str], base: str) -> str:
    """Set what a persona's voice is for a speech backend; returns the digest of the new text. Raises like `write`."""
    target = Path(os.path.realpath(file))
    raw = current(target, base, "persona")
    made = splice_voice(raw, file.name, backend, said)
    if made != raw:
        replace(target, made, raw, "persona")
    return digest(made)


def splice_voice(raw: bytes, name: str, backend: str, said: Mapping[str, str]) -> bytes:
    """The bytes of a persona.yaml with some settings of a voice set. Raises MikebotError where that cannot be done."""
    document = parse(raw, name)
    if document.mistakes or not isinstance(document.data, dict):
        raise MikebotError("the persona has mistakes", "mend them first")
    wanted = copy.deepcopy(document.data)
    voices = wanted["voice"] = wanted.get("voice") or {}
    voices[backend] = {**(voices.get(backend) or {}), **said}
    strict = document.text.lstrip().startswith("{")  # JSON stays JSON.
    for path, text in _settings(document.data, backend, said, strict):
        made = _spliced(raw, document, _change(document, path[:-1], _first(document, path[:-1]), path[-1], text))
        raw, document = made, parse(made, name)
    if document.mistakes or document.data != wanted:
        hint = f"write it by hand: voice: {{{backend}: {_flow(said)}}}"
        raise MikebotError("the voice cannot be written without changing more than that", hint)
    return raw


def _settings(
    data: Mapping[str, Any], backend: str, said: Mapping[str, str], strict: bool
) -> list[tuple[tuple[str, ...], str]]:
    """Where to write what: the settings one by one where the voice is there, else all in braces."""
    flow, voices = json.dumps(dict(said)) if strict else _flow(said), data.get("voice")
    if not voices:
        return [(("voice",), json.dumps({backend: dict(said)}) if strict else f"{{{backend}: {flow}}}")]
    if not voices.get(backend):
        return [(("voice", backend), flow)]
    return [(("voice", backend, key), json.dumps(value) if strict else _scalar(value)) for key, value in said.items()]


def _flow(said: Mapping[str, str]) -> str:
    return f"{{{', '.join(f'{key}: {_scalar(value)}' for key, value in said.items())}}}"


def _first(document: Document, path: Sequence[str | int]) -> str:
    """The first key of a mapping: what is new comes after it."""
    data = document.data
    for part in path:
        data = data[part]
    return str(next(iter(data)))


def _scalar(value: str) -> str:
    """A text as YAML: as it is where that is read as the same text, else in quotes."""
    return value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)


def _spliced(raw: bytes, document: Document, change: tuple[int, int, str]) -> bytes:
    """The bytes with some characters replaced."""
    start, end, text = change
    whole = raw.decode("utf-8")
    lead = len(whole) - len(document.text)  # A byte order mark.
    return (whole[: lead + start] + text + whole[lead + end :]).encode("utf-8")


def _change(document: Document, path: Sequence[str | int], after: str, field: str, text: str) -> tuple[int, int, str]:
    """Which characters to replace by what, to set a field of the mapping at a path; a new one comes after another."""
    starts = [0, *(match.end() for match in _BREAK.finditer(document.text))]

    def offset(line: int, column: int) -> int:
        return starts[line - 1] + column - 1

    data = document.data
    for part in path:
        data = data[part]
    if field in data:
        old = document.place((*path, field))
        return offset(old.line, old.column), offset(old.end_line, old.end_column), text
    name, key = document.place((*path, after)), document.key_place((*path, after))
    quote = '"' if document.text[offset(key.line, key.column)] == '"' else ""
    entry = f"{quote}{field}{quote}: {text}"
    if document.flowing(path):
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
