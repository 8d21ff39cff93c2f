"""What a schema cannot hold: mistakes that lie between the parts of a storyboard.

These look at a document whatever else is wrong with it, so that an author hears of everything at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from .document import Document
from .errors import Mistake
from .explain import did_you_mean
from .storyboard import Storyboard

_LENGTHS = frozenset(("narration", "audio", "video", "duration"))  # Any of these gives a scene its length.
MOST_SECONDS = 86_400  # A day: MP4 counts a track's samples in 32 bits, and 48,000 of them make a second.


def mistakes(document: Document) -> list[Mistake]:
    """Ids that occur twice, a poster that is no scene, scenes and films without length."""
    data = document.data
    if not isinstance(data, dict) or not isinstance(data.get("scenes"), list):
        return []
    scenes = [(index, scene) for index, scene in enumerate(data["scenes"]) if isinstance(scene, dict)]
    return [
        *_twice(document, scenes),
        *_poster(document, data.get("poster"), scenes),
        *_lengths(document, scenes),
        *_shows(document, scenes),
        *_held(document, data["scenes"]),
    ]


def warnings(document: Document, board: Storyboard) -> list[Mistake]:
    """What a storyboard says in vain."""
    found = []
    for index, scene in enumerate(board.scenes):
        place = document.place(("scenes", index, "on_screen"))
        if scene.on_screen and scene.video is not None:
            message, hint = "nobody is put into your own footage", "write on_screen: false"
            found.append(document.mistake(place, message, hint, "warning"))
        elif scene.on_screen and board.persona is None:
            message, hint = "on_screen is true, but the storyboard names no persona", "add persona: to the storyboard"
            found.append(document.mistake(place, message, hint, "warning"))
    return found


def _shows(document: Document, scenes: _Scenes) -> Iterator[Mistake]:
    """Scenes that show nothing, several things at once, or something without a text."""
    for index, scene in scenes:
        show, path = scene.get("show"), ("scenes", index, "show")
        if not isinstance(show, dict):
            continue
        kinds = [kind for kind in _SHOWN if kind in show]
        if len(kinds) != 1 and not set(show) - set(_SHOWN):
            message = "show names nothing" if not kinds else f"a scene shows one thing, not {' and '.join(kinds)}"
            yield document.mistake(document.key_place(path), message, "write one of code:, slide: or diagram:")
        for also in ("image", "video"):
            if also in scene:
                message = f"a scene with show: needs no {also}:"
                yield document.mistake(document.key_place(("scenes", index, also)), message, "keep one of the two")
        for kind in kinds:
            yield from _one_text(document, (*path, kind), show[kind], _SHOWN[kind])


def _one_text(document: Document, path: tuple[str | int, ...], part: Any, field: str) -> Iterator[Mistake]:
    if not field or not isinstance(part, dict) or (field in part) != ("file" in part):
        return
    message = f"{path[-1]} has {field}: and file:" if field in part else f"{path[-1]} has neither {field}: nor file:"
    yield document.mistake(document.key_place(path), message, "write one of the two")


_SHOWN = {"code": "text", "slide": "", "diagram": "dot"}  # What is shown, and the field that holds its text.
_Scenes = list[tuple[int, dict[str, Any]]]


def _twice(document: Document, scenes: _Scenes) -> Iterator[Mistake]:
    first: dict[str, int] = {}
    for index, scene in scenes:
        name = scene.get("id")
        if not isinstance(name, str):
            continue
        if name in first:
            line = document.place(("scenes", first[name], "id")).line
            place = document.place(("scenes", index, "id"))
            hint = f"the first is in line {line}; call this one something else"
            yield document.mistake(place, f"duplicate id '{name}'", hint)
        first.setdefault(name, index)


def _poster(document: Document, poster: Any, scenes: _Scenes) -> Iterator[Mistake]:
    if not isinstance(poster, str):
        return
    place = document.place(("poster",))
    names = [str(scene["id"]) for _, scene in scenes if "id" in scene]
    if poster not in names:
        hint = f"scenes here: {', '.join(names[:20])}{', ...' if len(names) > 20 else ''}"
        yield document.mistake(place, f"poster: there is no scene '{poster}'{did_you_mean(poster, names)}", hint)
    elif all(scene.get("hold") is True for _, scene in scenes if scene.get("id") == poster):
        yield document.mistake(place, f"poster: the scene '{poster}' is held", "name a scene that is in the film")


def _lengths(document: Document, scenes: _Scenes) -> Iterator[Mistake]:
    total = Fraction(0)
    for index, scene in scenes:
        path = ("scenes", index)
        spoken = scene.get("narration")
        if not scene.keys() & _LENGTHS and not any(did_you_mean(key, _LENGTHS) for key in scene):
            hint = "add narration:, or duration: in seconds"
            yield document.mistake(document.start(path), "this scene has no length", hint)
        elif isinstance(spoken, str) and spoken and not spoken.strip() and spoken.strip(" \t\r\n"):
            yield document.mistake(document.place((*path, "narration")), "narration is empty", "write a text")
        total += _duration(scene.get("duration"))
        if total > MOST_SECONDS:
            message = "up to here the scenes last longer than a day"
            yield document.mistake(document.place((*path, "duration")), message, "split the film in two")
            return


def _duration(value: Any) -> Fraction:
    return Fraction(value) if type(value) in {int, float} and 0 < value <= 600 else Fraction(0)


def _held(document: Document, scenes: list[Any]) -> Iterator[Mistake]:
    if scenes and all(isinstance(scene, dict) and scene.get("hold") is True for scene in scenes):
        hint = "remove hold: true from one"
        yield document.mistake(document.key_place(("scenes",)), "every scene is held: nothing is left to show", hint)
