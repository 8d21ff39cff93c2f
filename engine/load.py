"""An author's files into a Storyboard: every mistake of storyboard and persona at its place, all at once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from .digests import Digests
from .document import Document, read
from .errors import AuthorError, Mistake, UsageError
from .explain import did_you_mean
from .given_files import Given
from .meaning import mistakes as meanings
from .meaning import warnings
from .schema import mistakes as shape
from .storyboard import Format, Persona, Portrait, Scene, Source, Storyboard


class Loaded(NamedTuple):
    """A storyboard, the author's files by digest, and every file whose bytes decided it."""

    board: Storyboard
    sources: Mapping[str, Path]
    files: tuple[Source, ...]
    warnings: list[Mistake]


def load(path: Path, root: Path, digests: Digests) -> Loaded:
    """Read a storyboard and all that it names. Raises AuthorError with every mistake found."""
    document, raw = read(path)
    given = Given(root, digests)
    persona = _PersonaFile()
    persona.find(document, root)
    wrong = [*document.mistakes, *persona.mistakes]
    wrong += [*shape(document, "storyboard"), *meanings(document), *persona.wrong()]
    scenes = _files(document, path.parent, given)
    portrait, look = persona.files(given)
    wrong += given.mistakes
    if not wrong:
        wrong += _silent_footage(document, scenes)
    if wrong:
        raise AuthorError(list(dict.fromkeys(wrong)))
    board = _board(document, scenes, persona.made(portrait, look))
    sources = {source.digest: source.path for source in given.taken.values()}
    own = [_own(path, raw), *persona.source]
    return Loaded(board, sources, (*own, *given.taken.values()), warnings(document, board))


def persona_mistakes(path: Path, root: Path, digests: Digests) -> list[Mistake]:
    """Every mistake in a persona.yaml, whether a storyboard names it or not."""
    given = Given(root, digests)
    persona = _PersonaFile()
    persona.path = path
    persona.document, _ = read(path)
    persona.files(given)
    return [*persona.document.mistakes, *persona.wrong(), *given.mistakes]


class _PersonaFile:
    """The persona that a storyboard names, and what is wrong with its file."""

    def __init__(self) -> None:
        self.document: Document | None = None
        self.mistakes: list[Mistake] = []
        self.source: list[Source] = []
        self.id: object = None

    def find(self, board: Document, root: Path) -> None:
        """Read the file of the persona that a storyboard names, if it names one that can be."""
        self.id = board.data.get("persona") if isinstance(board.data, dict) else None
        if not isinstance(self.id, str) or not re.fullmatch("[a-z0-9][a-z0-9-]{0,63}", self.id):
            return
        self.path = root / "personas" / self.id / "persona.yaml"
        place = board.place(("persona",))
        if not self.path.exists():
            there = sorted(entry.parent.name for entry in root.glob("personas/*/persona.yaml"))
            message = f"unknown persona '{self.id}'{did_you_mean(self.id, there)}"
            hint = f"personas here: {', '.join(there) or 'none'}"
            self.mistakes.append(board.mistake(place, message, hint))
        elif not Path(os.path.realpath(self.path)).is_relative_to(os.path.realpath(root)):
            message = f"the persona '{self.id}' lies outside the workspace"
            self.mistakes.append(board.mistake(place, message, "copy it into personas/"))
        else:
            self._read(board)

    def _read(self, board: Document) -> None:
        try:
            self.document, raw = read(self.path)
        except UsageError as problem:
            self.mistakes.append(board.mistake(board.place(("persona",)), problem.message, problem.hint))
            return
        self.mistakes += self.document.mistakes
        self.source = [_own(self.path, raw)]

    def wrong(self) -> list[Mistake]:
        """What the schema and the speech backends refuse."""
        from .knobs import voice_mistakes

        if self.document is None:
            return []
        return [*shape(self.document, "persona"), *voice_mistakes(self.document)]

    def files(self, given: Given) -> tuple[Source | None, Source | None]:
        """The portrait's picture and the look's weights."""
        data = self.document.data if self.document is not None else None
        found: list[Source | None] = []
        for field, name, media in (("portrait", "image", "image"), ("look", "lora", "weights")):
            part = data.get(field) if isinstance(data, dict) else None
            if self.document is not None and isinstance(part, dict) and _named(part.get(name)):
                found.append(given.take(self.document, (field, name), self.path.parent, media))
            else:
                found.append(None)
        return found[0], found[1]

    def made(self, portrait: Source | None, look: Source | None) -> Persona | None:
        """The persona, once nothing is wrong."""
        if self.document is None:
            return None
        data = self.document.data
        eyes = tuple(_region(eye) for eye in data.get("portrait", {}).get("eyes", ()))
        mouth = _region(data.get("portrait", {}).get("mouth", {}))
        return Persona(
            name=data["name"],
            id=str(self.id),
            **{field: data.get(field, "") for field in ("trigger", "appearance", "wardrobe")},
            portrait=Portrait(portrait, mouth, eyes) if portrait is not None else None,
            look=look,
            look_weight=float(data.get("look", {}).get("weight", 1)),
            voice=data.get("voice", {}),
        )


def _files(document: Document, folder: Path, given: Given) -> list[dict[str, Source]]:
    """The files that each scene names and that can be used."""
    scenes = document.data.get("scenes") if isinstance(document.data, dict) else None
    found: list[dict[str, Source]] = []
    for index, scene in enumerate(scenes if isinstance(scenes, list) else []):
        own: dict[str, Source] = {}
        for media in ("image", "video", "audio"):
            if isinstance(scene, dict) and _named(scene.get(media)):
                source = given.take(document, ("scenes", index, media), folder, media)
                own |= {media: source} if source is not None else {}
        found.append(own)
    return found


def _board(document: Document, files: list[dict[str, Source]], persona: Persona | None) -> Storyboard:
    data = document.data
    scenes = tuple(_scene(document, index, scene, files[index]) for index, scene in enumerate(data["scenes"]))
    shown_scenes = [scene.id for scene in scenes if not scene.hold]  # The plan counts these alone.
    form = data.get("format", {})
    return Storyboard(
        title=data["title"].strip(),
        scenes=scenes,
        persona=persona,
        seed=int(data.get("seed", 0)),
        style=data.get("style", "").strip(),
        format=Format(int(form.get("width", 1280)), int(form.get("height", 720)), _rate(form.get("fps", 25))),
        language=data.get("language", "en"),
        captions=data.get("captions", "soft"),
        loudness=float(data.get("loudness", -16)),
        poster=shown_scenes.index(data["poster"]) if "poster" in data else 0,
        pronunciation=data.get("pronunciation", {}),
    )


def _scene(document: Document, index: int, data: dict[str, Any], files: dict[str, Source]) -> Scene:
    duration = data.get("duration")
    if isinstance(duration, float):  # As it is written, not as a float rounds it.
        duration = document.written(("scenes", index, "duration"))
    return Scene(
        id=data["id"],
        on_screen=data["on_screen"],
        **{name: data.get(name, "").strip() for name in ("image_prompt", "video_prompt", "narration", "chapter")},
        seed=int(data["seed"]) if "seed" in data else None,
        take=int(data.get("take", 1)),
        hold=data.get("hold", False),
        duration=None if duration is None else Fraction(duration),
        image=files.get("image"),
        video=files.get("video"),
        audio=files.get("audio"),
    )


def _silent_footage(document: Document, files: list[dict[str, Source]]) -> list[Mistake]:
    """Footage whose length nobody could tell, in a scene that has no other."""
    return [
        document.mistake(document.place(("scenes", index, "video")), "this footage has no length", "add a duration")
        for index, (scene, own) in enumerate(zip(document.data["scenes"], files, strict=True))
        if "video" in own and own["video"].seconds is None and not scene.keys() & {"narration", "audio", "duration"}
    ]


def _own(path: Path, raw: bytes) -> Source:
    import hashlib

    return Source(path, hashlib.sha256(raw).hexdigest(), len(raw))


def _rate(value: Any) -> str:
    return value if isinstance(value, str) else str(int(value))


def _region(data: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(share) for name, share in data.items()}


def _named(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()
