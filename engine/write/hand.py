"""A storyboard as YAML that a person might have written: read again, it says exactly the same.

The keys have an order, scenes a blank line between them, narrations are folded and code stands as it is. Nothing is
wider than 100 columns unless one word is, or a line of code. There are no anchors, and quotes only where they are
needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .scalars import LONGEST, block, comment, literal, plain, scalar

MODELINE = "# yaml-language-server: $schema=../../schemas/storyboard.schema.json"
HEAD = (
    *("title", "persona", "language", "seed", "style", "theme", "format", "captions", "loudness", "poster"),
    *("music", "room_tone", "pronunciation"),
)
SCENE = (
    *("id", "chapter", "on_screen", "pose", "narration", "transition", "image_prompt", "video_prompt", "show"),
    *("image", "video", "audio", "seed", "take", "hold", "duration"),
)
_BELOW = ("language", "title", "file", "start", "text", "dot", "lines", "at", "show", "highlight", "bullets", "steps")
_OPEN = frozenset(("show", "code", "slide", "diagram", "pronunciation"))  # Never in braces.
_FOLDED = frozenset(("narration",))
_PROSE = frozenset(("image_prompt", "video_prompt", "style"))
_CODE = frozenset((("code", "text"), ("diagram", "dot")))


def head_text(head: Mapping[str, Any], comment_lines: Sequence[str] = ()) -> str:
    """What stands above the scenes: the modeline, comments, the fields of the film, and `scenes:`."""
    lines = [MODELINE, *(line for text in comment_lines for line in comment(text))]
    fields = {key: value for key, value in head.items() if key != "scenes"}
    lines += _mapping(fields, 0, "", HEAD)
    return "".join(f"{line}\n" for line in [*lines, "scenes:"])


def scene_text(scene: Mapping[str, Any]) -> str:
    """One scene, two spaces in; ends with one line break."""
    lines = list(_mapping(scene, 4, "", SCENE)) or ["    {}"]
    return "".join(f"{line}\n" for line in ["  - " + lines[0][4:], *lines[1:]])


def board_text(head: Mapping[str, Any], scenes: Sequence[Mapping[str, Any]], comment_lines: Sequence[str] = ()) -> str:
    """A whole storyboard."""
    top = head_text(head, comment_lines)
    if not scenes:
        return top.removesuffix(":\n") + ": []\n"
    return top + "\n".join(scene_text(scene) for scene in scenes)


def _mapping(data: Mapping[str, Any], indent: int, name: str, order: Sequence[str] = _BELOW) -> Iterator[str]:
    """The lines of a mapping; keys that are not known come last, as they are given."""
    known = {key: place for place, key in enumerate(order)} if name != "pronunciation" else {}
    for key in sorted(data, key=lambda key: known.get(key, len(known))):
        yield from _field(key, data[key], indent, name)


def _field(key: str, value: Any, indent: int, parent: str) -> Iterator[str]:
    begin = f"{' ' * indent}{scalar(key)}:"
    if isinstance(value, Mapping | list | tuple):
        flow = _flow(value)
        if not value or (_closed(key, value) and len(begin) + 1 + len(flow) <= LONGEST):
            yield f"{begin} {flow}"
        else:
            yield begin
            yield from _items(value, indent + 2) if not isinstance(value, Mapping) else _mapping(value, indent + 2, key)
    else:
        yield from f"{begin} {_value(key, value, indent, parent, len(begin) + 1)}".split("\n")


def _value(key: str, value: Any, indent: int, parent: str, used: int) -> str:
    """A scalar behind its key, which has taken `used` columns."""
    if not isinstance(value, str):
        return _bare(value)
    if (parent, key) in _CODE:
        return literal(value, indent, used)
    prose = key in _FOLDED or (key in _PROSE and not plain(value))
    return block(value, indent, used, prose=prose)


def _items(values: Sequence[Any], indent: int) -> Iterator[str]:
    """A list below its key: mappings in braces where all of them are short, else a line a field."""
    pad = " " * indent
    flow = all(_short(value, indent) for value in values)
    for value in values:
        if isinstance(value, Mapping) and value and not flow:
            first, *rest = _mapping(value, indent + 2, "")
            yield from (f"{pad}- {first[indent + 2 :]}", *rest)
        else:
            text = block(value, indent, indent + 2) if isinstance(value, str) else _flow(value)
            yield from f"{pad}- {text}".split("\n")


def _short(value: Any, indent: int) -> bool:
    """Whether an item needs one line only, and no quotes around its text."""
    text = value.get("text") if isinstance(value, Mapping) else None
    quoted = isinstance(text, str) and not plain(text, flow=True)
    return isinstance(value, str) or (not quoted and indent + 2 + len(_flow(value)) <= LONGEST)


def _closed(key: str, value: Any) -> bool:
    """Whether a list or mapping may stand in brackets: lists of mappings have a line an item."""
    below = value.values() if isinstance(value, Mapping) else value
    return key not in _OPEN and key != "bullets" and not any(isinstance(item, Mapping | list) for item in below)


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        known = {key: place for place, key in enumerate(_BELOW)}
        fields = sorted(value.items(), key=lambda field: known.get(field[0], len(known)))
        return f"{{{', '.join(f'{scalar(key, flow=True)}: {_flow(item)}' for key, item in fields)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    return scalar(value, flow=True) if isinstance(value, str) else _bare(value)


def _bare(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value)
