"""Two storyboards, and what of their meaning differs. Pure: knows no git, no store, no file but by its digest.

Compared is what a storyboard says once it is read, not how it is written: comments, the order of keys and a
default that is spelled out are no difference. Fields are named as an author writes them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, NamedTuple

from .storyboard import Music, Persona, Profile, Scene, Show, Source, Storyboard, Transition

Namer = Callable[[Path], str]  # A file's name inside its workspace.
Fields = dict[str, Any]

_NAMES = {"footage": "video", "fit": "image.fit", "look": "look.lora", "look_weight": "look.weight"}
_APART = frozenset(("id", "scenes", "persona", "poster"))  # Compared in a way of their own.
_BLANK = Scene("", "", "", False)


class File(NamedTuple):
    """A file that an author names, by its content."""

    name: str
    digest: str


class Change(NamedTuple):
    """One field that says something else; None where it says nothing. Lists are tuples of lines."""

    field: str
    old: Any
    new: Any


class SceneChange(NamedTuple):
    """What became of one scene; `was` is its former id. Places count from 1; 0 is none."""

    id: str
    was: str
    state: Literal["added", "removed", "kept"]
    old_place: int
    new_place: int
    moved: bool
    changes: list[Change]

    @property
    def differs(self) -> bool:
        """Whether anything at all became of it."""
        return self.state != "kept" or self.moved or self.id != self.was or bool(self.changes)


class Comparison(NamedTuple):
    """Everything that differs between two storyboards; scenes in their new order, unchanged ones among them."""

    film: list[Change]
    persona: list[Change]  # Of one that was renamed, too: the film's own field `persona` says that.
    scenes: list[SceneChange]

    @property
    def differs(self) -> bool:
        """Whether anything does."""
        return bool(self.film or self.persona) or any(scene.differs for scene in self.scenes)


def compare(old: Storyboard | None, new: Storyboard, names: tuple[Namer, Namer]) -> Comparison:
    """What differs; without an old storyboard, everything is new. `names` name the files of each."""
    if old is None:
        blank = Storyboard("", ())
        return Comparison(_film(blank, new, names, {}), [], _scenes((), new.scenes, names, {}))
    former = _matched([(s, _flat(s, names[0])) for s in old.scenes], [(s, _flat(s, names[1])) for s in new.scenes])
    persona = _persona(old.persona, new.persona, names)
    return Comparison(_film(old, new, names, former), persona, _scenes(old.scenes, new.scenes, names, former))


def compare_profiles(old: Profile, new: Profile) -> list[Change]:
    """What two profiles of one name choose differently."""
    flat = [dict(_walk("", {"kinds": p.kinds, "given": p.given, "show": p.show}, str)) for p in (old, new)]
    return [change for change in _changes(flat[0], flat[1]) if change.field.split(".")[2] != "version"]


def _persona(old: Persona | None, new: Persona | None, names: tuple[Namer, Namer]) -> list[Change]:
    """What two personas say differently; one that was renamed took the files of its folder along."""
    if old is None or new is None:
        return []
    former, now = f"personas/{old.id}/", f"personas/{new.id}/"

    def renamed(path: Path) -> str:
        name = names[0](path)
        return now + name.removeprefix(former) if name.startswith(former) else name

    return _changes(_flat(old, renamed), _flat(new, names[1]))


def _film(old: Storyboard, new: Storyboard, names: tuple[Namer, Namer], former: Mapping[str, str]) -> list[Change]:
    flat = [_flat(board, name) for board, name in zip((old, new), names, strict=True)]
    posters = [_poster(old), _poster(new)]
    if former.get(posters[1]) == posters[0]:
        posters[0] = posters[1]  # The same scene under another id.
    for board, its, poster in zip((old, new), flat, posters, strict=True):
        its |= {"persona": _persona_id(board.persona), "poster": poster if old.scenes else None}
    return _changes(flat[0], flat[1])


def _poster(board: Storyboard) -> str:
    shown = [scene.id for scene in board.scenes if not scene.hold]
    return shown[board.poster] if board.poster < len(shown) else ""


def _persona_id(persona: Persona | None) -> str | None:
    return persona.id if persona is not None else None


def _matched(old: Sequence[tuple[Scene, Fields]], new: Sequence[tuple[Scene, Fields]]) -> dict[str, str]:
    """The former id of each scene that was there: the same, or that of a scene gone whose content it has."""
    there = {scene.id for scene, _ in old}
    former = {scene.id: scene.id for scene, _ in new if scene.id in there}
    gone: dict[str, list[str]] = {}
    for scene, its in old:
        if scene.id not in former:
            gone.setdefault(repr(sorted(its.items())), []).append(scene.id)
    for scene, its in new:
        alike = gone.get(repr(sorted(its.items())), [])
        if scene.id not in former and alike:
            former[scene.id] = alike.pop(0)
    return former


def _scenes(
    old: Sequence[Scene], new: Sequence[Scene], names: tuple[Namer, Namer], former: Mapping[str, str]
) -> list[SceneChange]:
    """Scenes in their new order; those removed stand behind the scene that they followed."""
    places = {scene.id: place for place, scene in enumerate(old, 1)}
    stayed = _longest_rise([places[former[scene.id]] for scene in new if scene.id in former])
    gone = _gone(old, set(former.values()), names[0])
    found = list(gone.get("", ()))
    for place, scene in enumerate(new, 1):
        its, was = _flat(scene, names[1]), former.get(scene.id)
        if was is None:
            changes = _changes(_flat(_BLANK, names[1]), its, whole=True)
            found.append(SceneChange(scene.id, "", "added", 0, place, False, changes))
            continue
        changes, moved = _changes(_flat(old[places[was] - 1], names[0]), its), places[was] not in stayed
        found.append(SceneChange(scene.id, was, "kept", places[was], place, moved, changes))
        found += gone.get(was, ())
    return found


def _gone(old: Sequence[Scene], kept: set[str], name: Namer) -> dict[str, list[SceneChange]]:
    """Scenes that were removed, by the last scene before them that was not."""
    found: dict[str, list[SceneChange]] = {}
    behind = ""
    for place, scene in enumerate(old, 1):
        if scene.id in kept:
            behind = scene.id
            continue
        changes = _changes(_flat(scene, name), _flat(_BLANK, name), whole=True)
        found.setdefault(behind, []).append(SceneChange(scene.id, scene.id, "removed", place, 0, False, changes))
    return found


def _longest_rise(places: Sequence[int]) -> set[int]:
    """The most places that rise from first to last: those scenes stayed, the others moved around them."""
    ends: list[int] = []  # The smallest last place of a rise of each length.
    before: dict[int, int | None] = {}
    for place in places:
        length = bisect_left(ends, place)
        before[place] = ends[length - 1] if length else None
        ends[length : length + 1] = [place]
    found: set[int] = set()
    last = ends[-1] if ends else None
    while last is not None:
        found.add(last)
        last = before[last]
    return found


def _changes(old: Fields, new: Fields, whole: bool = False) -> list[Change]:
    """Fields that differ; what belongs to a value that came or went goes without saying, but in a `whole` scene."""
    found = []
    for field in dict.fromkeys((*new, *old)):
        was, now = old.get(field), new.get(field)
        head = field.split(".", 1)[0]
        below = (field in old) != (field in new) and head != field and old.get(head) != new.get(head)
        if was != now and (whole or not below):
            found.append(Change(field, was, now))
    return found


def _flat(part: Any, name: Namer) -> Fields:
    """A scene, storyboard or persona as fields with plain values."""
    own = [field.name for field in fields(part) if field.name not in _APART]
    return dict(pair for field in own for pair in _walk(_NAMES.get(field, field), getattr(part, field), name))


def _walk(path: str, value: Any, name: Namer) -> Iterator[tuple[str, Any]]:
    match value:
        case Source():
            yield path, File(name(value.path), value.digest)
        case Transition():
            yield path, f"{value.style}, {plain(value.seconds)} s"
        case Show():
            said = {**value.said, "file": value.source} if value.source else value.said
            yield from ((path, value.kind), *_walk(f"{path}.{value.kind}", said, name))
        case Music():
            yield path, File(name(value.file.path), value.file.digest)
            yield from _walk(path, {field: getattr(value, field) for field in ("gain", "duck", "fade", "loop")}, name)
        case Mapping():
            for key, below in value.items():
                yield from _walk(f"{path}.{key}" if path else key, below, name)
        case tuple() | list() if value and all(isinstance(item, Source) for item in value):
            for item in value:
                yield f"{path}.{item.path.name}", File(name(item.path), item.digest)
        case tuple() | list():
            yield path, tuple(map(_line, value))
        case _ if is_dataclass(value):
            yield from _walk(path, {field.name: getattr(value, field.name) for field in fields(value)}, name)
        case _:
            yield path, "cut" if path == "transition" else value


def _line(item: Any) -> str:
    if isinstance(item, Mapping):
        return ", ".join(f"{key}: {_line(item[key])}" for key in sorted(item))
    return ", ".join(map(_line, item)) if isinstance(item, list | tuple) else plain(item)


def plain(value: Any) -> str:
    """A value as an author writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Fraction | float):
        return f"{float(value):.10g}"
    return "nothing" if value is None else str(value)
