"""What a grammar cannot see of a scene that a model wrote: whether it is a scene of this film, and of this length."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..document import parse
from ..errors import MikebotError
from ..meaning import mistakes as meanings
from ..schema import compiled
from ..schema import mistakes as shape_mistakes
from ..show_mistakes import mistakes as show_mistakes
from .languages import plausible, unit
from .pace import count
from .settle import settled

Shape = Mapping[str, Any]


class Flaws(NamedTuple):
    """What is wrong with a scene: what keeps it from the film, and what is less than was asked for."""

    hard: Sequence[str] = ()
    soft: Sequence[str] = ()


def pruned(value: Any, shape: Shape, root: Shape | None = None) -> Any:
    """A model's answer without what its shape does not name, whatever talked the model into it; texts made clean."""
    root = root or shape
    shape = _meant(value, shape, root)
    if isinstance(value, dict):
        known = shape.get("properties", {})
        return {key: pruned(value[key], known[key], root) for key in known if key in value}
    if isinstance(value, list):
        return [pruned(item, shape.get("items", {}), root) for item in value]
    return value.encode("utf-8", "replace").decode().strip() if isinstance(value, str) else value


def strays(value: Any, shape: Shape, root: Shape | None = None) -> Iterator[str]:
    """The keys that `pruned` leaves out."""
    root = root or shape
    shape = _meant(value, shape, root)
    if isinstance(value, dict):
        known = shape.get("properties", {})
        for key, below in value.items():
            yield from strays(below, known[key], root) if key in known else (str(key)[:40],)
    elif isinstance(value, list):
        for item in value:
            yield from strays(item, shape.get("items", {}), root)


def put_right(scene: Mapping[str, Any], shape: Shape, head: Mapping[str, Any]) -> tuple[dict[str, Any], Flaws]:
    """A scene without what it shows in vain, and what is wrong with it then; what was cut is a soft flaw."""
    made, before = dict(scene), list(checked(scene, head))
    if compiled(dict(shape))(made):
        with contextlib.suppress(MikebotError):
            made = settled(made, ())
    after = list(checked(made, head)) if made != scene else before
    return made, Flaws(after, [reason for reason in before if reason not in after])


def of_words(scene: Mapping[str, Any], language: str, least: int, most: int) -> Flaws:
    """What is wrong with the narration: its language, and how many words it has."""
    spoken = scene.get("narration")
    if not isinstance(spoken, str) or not spoken:
        return Flaws(["it has no narration"])
    if not plausible(spoken, language):
        return Flaws([f"its narration is not in the language {language}"])
    words = count(spoken, language)
    if least <= words <= most:
        return Flaws()
    return Flaws(soft=[f"its narration has {words} {unit(language)}: write {least} to {most}"])


def checked(scene: Mapping[str, Any], head: Mapping[str, Any]) -> Iterator[str]:
    """The mistakes of a film that has this scene alone."""
    from .hand import board_text

    document = parse(board_text({"title": "T", **head}, [scene]).encode("utf-8", "replace"), "scene")
    found = [*document.mistakes]
    if not found:
        found = [*shape_mistakes(document, "storyboard"), *meanings(document)]
    if not found and not brings_files(scene):
        found = show_mistakes(document, 0, scene, None)
    yield from (mistake.message for mistake in found[:5])


def brings_files(scene: Mapping[str, Any]) -> bool:
    """Whether what a scene shows is in a file of the author's."""
    show = scene.get("show")
    return isinstance(show, dict) and any("file" in part for part in show.values() if isinstance(part, dict))


def _meant(value: Any, shape: Shape, root: Shape) -> Shape:
    """The schema that a value is to follow: a reference resolved, of several the one that fits best."""
    while "$ref" in shape:
        found: Any = root
        for part in str(shape["$ref"]).removeprefix("#/").split("/"):
            found = found[part]
        shape = {**found, **{key: rule for key, rule in shape.items() if key != "$ref"}}
    choices = [_meant(value, choice, root) for name in ("anyOf", "oneOf") for choice in shape.get(name, ())]
    if not choices:
        return shape
    best = max(choices, key=lambda choice: _likeness(value, choice))
    return {**shape, **best}


def _likeness(value: Any, shape: Shape) -> int:
    """How far a value looks as if it was meant for a schema."""
    if isinstance(value, dict):
        known = shape.get("properties", {})
        return sum(1 + _likeness(below, known[key]) for key, below in value.items() if key in known)
    names = {str: "string", list: "array", bool: "boolean"}
    return int(shape.get("type") == names.get(type(value)))
