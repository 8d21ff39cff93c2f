"""The texts that a storyboard has drawn: which of the author's fonts they need, and letters that no font has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .digests import Digests
from .document import Document
from .errors import Mistake
from .glyphs import covering, missing, named
from .storyboard import Source

Place = tuple[str | int, ...]
HINT = "put a font that has it into fonts/ at the workspace's root"


class Lettering(NamedTuple):
    """The author's fonts that are needed, and a warning for each text with letters that none has."""

    fonts: tuple[Source, ...]
    warnings: list[Mistake]


def lettering(document: Document, root: Path, digests: Digests) -> Lettering:
    """Look through every text that is drawn."""
    lacking = {path: letters for path, text in _drawn(document.data) if (letters := missing(text))}
    if not lacking:
        return Lettering((), [])
    wanted = "".join(dict.fromkeys("".join(lacking.values())))
    fonts, warnings = [], []
    left = wanted
    for file in sorted(path for path in (root / "fonts").glob("*") if path.suffix.lower() in {".ttf", ".otf"}):
        try:
            needed, left = covering(left, [file])
        except OSError:
            place = document.start(())
            warnings.append(document.mistake(place, f"fonts/{file.name} is no font", "replace or remove it", "warning"))
            continue
        fonts += [Source(file, *digests.of(font)) for font in needed]
    for path, letters in lacking.items():
        for letter in letters:
            if letter in left:
                message = f"no font has {named(letter)}: a box is drawn in its place"
                warnings.append(document.mistake(document.place(path), message, HINT, "warning"))
    return Lettering(tuple(fonts), warnings)


def _drawn(data: dict[str, Any]) -> Iterator[tuple[Place, str]]:
    """Each text that may be drawn into a picture, and where it stands."""
    for index, scene in enumerate(data["scenes"]):
        path = ("scenes", index)
        fields = ["image_prompt"] if "show" not in scene else []
        for field in [*fields, *(["narration"] if data.get("captions") == "burned" else [])]:
            if field in scene:
                yield (*path, field), scene[field]
        yield from _texts((*path, "show"), scene.get("show"))


def _texts(path: Place, value: Any) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str) and path[-1] not in {"file", "language", "at"}:
        yield path, value
    elif isinstance(value, dict):
        for key, below in value.items():
            yield from _texts((*path, key), below)
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from _texts((*path, number), below)
