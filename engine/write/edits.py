"""Changes fields and scenes in an author's YAML, and not a character beside them.

Each function takes a text and gives a new one: values go to the place of the old ones, fields on lines of their own,
scenes below or above another. What is read again must say just what it said before, with that one change; else
MikebotError is raised, and nothing is lost.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..document import parse
from ..errors import MikebotError
from .hand import HEAD, SCENE, scene_text
from .page import BREAK, Page, Path, page_of
from .scalars import WIDTH, scalar

_HEADER = re.compile(r"[|>][0-9+-]*[ \t]+(#[^\r\n]*)")  # A comment behind the sign of a block of text.


def put(raw: bytes, name: str, path: Path, value: Any) -> bytes:
    """Set a value: in the place of the old one, or as a new field of the film or of a scene."""

    def change(page: Page) -> str:
        there = _at(page.document.data, path)
        if there == value and type(there) is type(value):
            return page.text
        return _swapped(page, path, value) if there is not None else _added(page, path, value)

    return _checked(raw, name, lambda data: _set(data, path, value), change)


def rework(raw: bytes, name: str, path: Path, change_text: Callable[[str], str]) -> bytes:
    """Change a text where it stands, letter by letter, in whatever way it is written."""

    def change(page: Page) -> str:
        begin, end = page.span(path)
        return page.text[:begin] + change_text(page.text[begin:end]) + page.text[end:]

    return _checked(raw, name, lambda data: _set(data, path, change_text(_at(data, path))), change)


def drop(raw: bytes, name: str, path: Path) -> bytes:
    """Remove a field of the film or of a scene, its lines and all."""

    def change(page: Page) -> str:
        keys = list(_at(page.document.data, path[:-1]))
        begin, end = page.span(path, key=True)[0], page.span(path)[1]
        place, text = keys.index(path[-1]), page.text
        if page.document.flowing(path[:-1]) and place:
            return text[: page.span((*path[:-1], keys[place - 1]))[1]] + text[end:]
        if page.document.flowing(path[:-1]) or (place == 0 and len(keys) > 1):
            return text[:begin] + text[page.span((*path[:-1], keys[1]), key=True)[0] :]
        start = max((at for at in page.starts if at <= begin), default=0)
        return text[:start] + text[page.next_line(end) :]

    return _checked(raw, name, lambda data: _at(data, path[:-1]).pop(path[-1]), change)


def insert(raw: bytes, name: str, after: str, scene: Mapping[str, Any]) -> bytes:
    """Add a scene behind another; before the first where `after` is empty."""
    place = _index(page_of(raw, name).document.data, after) + 1 if after else 0

    def change(page: Page) -> str:
        if page.document.flowing(("scenes",)):
            return _strung(page, place, json.dumps(scene, ensure_ascii=False))
        return _laid(page, place, _block(page, scene))

    return _checked(raw, name, lambda data: data["scenes"].insert(place, scene), change)


def remove(raw: bytes, name: str, scene: str) -> bytes:
    """Take a scene out; comments between scenes stay."""
    index = _index(page_of(raw, name).document.data, scene)

    def change(page: Page) -> str:
        count = len(page.document.data["scenes"])
        if page.document.flowing(("scenes",)):
            begin = page.span(("scenes", index - 1))[1] if index else page.span(("scenes", 0))[0]
            end = page.span(("scenes", index))[1] if index or count == 1 else page.span(("scenes", 1))[0]
            return page.text[:begin] + page.text[end:]
        begin, end = page.scene_begin(index), page.next_line(page.scene_end(index))
        before, behind = page.text[:begin], page.text[end:]
        if re.search(r"(^|[\r\n])[ \t]*(\r\n|\n|\r)\Z", before) and re.match(r"[ \t]*(\r\n|\n|\r|\Z)", behind):
            behind = re.sub(r"\A[ \t]*(\r\n|\n|\r)", "", behind)
            before = re.sub(r"(\r\n|\n|\r)[ \t]*\1\Z", r"\1", before) if not behind else before
        return before + behind

    return _checked(raw, name, lambda data: data["scenes"].pop(index), change)


def move(raw: bytes, name: str, scene: str, after: str) -> bytes:
    """Put a scene, as it is written, behind another; before the first where `after` is empty."""
    before = page_of(raw, name).document.data
    index = _index(before, scene)
    page = page_of(raw, name)
    if page.document.flowing(("scenes",)):
        own = page.text[slice(*page.span(("scenes", index)))]
    else:
        own = page.text[page.scene_begin(index) : page.scene_end(index)]
    left = remove(raw, name, scene)
    place = _index(page_of(left, name).document.data, after) + 1 if after else 0
    data = before["scenes"][index]

    def change(page: Page) -> str:
        return _strung(page, place, own) if page.document.flowing(("scenes",)) else _laid(page, place, own)

    return _checked(left, name, lambda known: known["scenes"].insert(place, data), change)


def entry(key: str, value: Any) -> list[str]:
    """The lines of one field as a person writes it, from the margin."""
    _, *lines = scene_text({"id": "x", key: value}).splitlines()
    return [line[4:] for line in lines]


def _checked(raw: bytes, name: str, wanted: Callable[[dict[str, Any]], object], change: Callable[[Page], str]) -> bytes:
    """The text after a change, once it has been read again and says what is wanted."""
    page = page_of(raw, name)
    expected = copy.deepcopy(page.document.data)
    wanted(expected)
    lead = raw[: len(raw) - len(page.text.encode("utf-8"))]  # A byte order mark.
    made = lead + change(page).encode("utf-8")
    again = parse(made, name)
    if again.mistakes or again.data != expected:
        raise MikebotError("the change cannot be written without changing more than that", "write it by hand")
    return made


def _index(data: Any, scene: str) -> int:
    for index, known in enumerate(data["scenes"]):
        if known["id"] == scene:
            return index
    raise MikebotError(f"the storyboard has no scene '{scene}'", "look at what it says now, and try again")


def _at(data: Any, path: Path) -> Any:
    """The value at a path; None where there is none."""
    for part in path:
        there = part in data if isinstance(data, dict) else isinstance(data, list) and int(part) < len(data)
        if not there:
            return None
        data = data[part]
    return data


def _set(data: Any, path: Path, value: Any) -> None:
    _at(data, path[:-1])[path[-1]] = value


def _swapped(page: Page, path: Path, value: Any) -> str:
    """Another value in the place of the old one."""
    begin, end = page.span(path)
    if page.flowing(path):
        plain = isinstance(value, str) and page.text[begin] != '"'
        text = scalar(value, flow=True) if plain else json.dumps(value, ensure_ascii=False)
        return page.text[:begin] + text + page.text[end:]
    if isinstance(path[-1], int):
        lines = entry("chapter", value)
        text = lines[0].split(": ", 1)[1] if len(lines) == 1 else json.dumps(value, ensure_ascii=False)
        return page.text[:begin] + text + page.text[end:]
    if isinstance(value, str) and _fits_line(page, begin, end, value):
        return page.text[:begin] + scalar(value) + page.text[end:]
    start, key_end = page.span(path, key=True)
    lines = entry(str(path[-1]), value)
    lines[0] = page.text[start:key_end] + lines[0][lines[0].index(":") :]  # The key stays as it is written.
    comment = _HEADER.match(page.text, begin)
    if comment and "\n" in page.text[begin:end]:
        lines[0] += f" {comment[1]}"
    elif len(lines) > 1 and (behind := page.text[end : page.line_end(end)].strip()):
        lines[0], end = f"{lines[0]} {behind}", page.line_end(end)
    return page.text[:start] + _indented(page, start, lines) + page.text[end:]


def _fits_line(page: Page, begin: int, end: int, value: str) -> bool:
    """Whether a text goes where another stands on one line, as that one does."""
    column = begin - max(at for at in page.starts if at <= begin)
    return not BREAK.search(page.text, begin, end) and "\n" not in value and column + len(scalar(value)) <= WIDTH


def _indented(page: Page, start: int, lines: Sequence[str]) -> str:
    """Lines below each other, as far from the margin as a character of the page."""
    pad = " " * (start - max(at for at in page.starts if at <= start))
    return page.end.join([lines[0], *(pad + line if line else "" for line in lines[1:])])


def _added(page: Page, path: Path, value: Any) -> str:
    """A new field behind those that stand before it by custom."""
    parent, key = path[:-1], str(path[-1])
    there = list(_at(page.document.data, parent))
    order = SCENE if parent else HEAD
    rank = {name: place for place, name in enumerate(order)}
    before = [name for name in there if rank.get(name, len(order)) < rank.get(key, len(order))] or there[:1]
    anchor = max(before, key=lambda name: rank.get(name, -1))
    begin, end = page.span((*parent, anchor), key=True)[0], page.span((*parent, anchor))[1]
    if page.flowing(path):
        quote = '"' if page.text[begin] == '"' else ""
        return f"{page.text[:end]}, {quote}{key}{quote}: {json.dumps(value, ensure_ascii=False)}{page.text[end:]}"
    end = page.line_end(end)
    pad = " " * (begin - max(at for at in page.starts if at <= begin))
    return page.text[:end] + page.end + pad + _indented(page, begin, entry(key, value)) + page.text[end:]


def _block(page: Page, scene: Mapping[str, Any]) -> str:
    """A scene with the dash and the margin that the others have."""
    lines = scene_text(scene).splitlines()
    begin = page.scene_begin(0)
    dash = page.text.index("-", begin) - begin
    gap = page.span(("scenes", 0))[0] - begin - dash
    wide = gap if "\n" not in page.text[begin : begin + dash + gap] and 0 < gap < 9 else 2
    pad = " " * (dash + wide)
    first = " " * dash + "-" + " " * (wide - 1) + lines[0][4:]
    return page.end.join([first, *(pad + line[4:] if line else "" for line in lines[1:])])


def _laid(page: Page, place: int, block: str) -> str:
    """A scene on lines of its own, apart from its neighbours as they are from each other."""
    apart = page.end * (2 if page.spaced() else 1)
    if place == 0:
        begin = page.scene_begin(0)
        return page.text[:begin] + block + apart + page.text[begin:]
    end = page.scene_end(place - 1)
    return page.text[:end] + apart + block + (page.text[end:] or page.end)


def _strung(page: Page, place: int, text: str) -> str:
    """A scene in a list in brackets."""
    count = len(page.document.data["scenes"])
    second = page.text[page.span(("scenes", 0))[1] : page.span(("scenes", 1))[0]] if count > 1 else ", "
    apart = second if re.fullmatch(r"\s*,\s*", second) else ", "
    if place == 0:
        begin = page.span(("scenes", 0))[0]
        return page.text[:begin] + text + apart + page.text[begin:]
    end = page.span(("scenes", place - 1))[1]
    return page.text[:end] + apart + text + page.text[end:]
