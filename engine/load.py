"""An author's files into a Storyboard: every mistake of storyboard and persona at its place, all at once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from . import authored
from .digests import Digests
from .document import Document, read
from .errors import AuthorError, Mistake, UsageError
from .explain import did_you_mean
from .given_files import Given
from .lettering import lettering
from .meaning import mistakes as meanings
from .meaning import warnings
from .schema import mistakes as shape
from .storyboard import Persona, Source, Storyboard
from .trust.consent import consent_mistakes
from .trust.gate import Person, person_of


class Loaded(NamedTuple):
    """A storyboard, the author's files by digest, and every file whose bytes decided it."""

    board: Storyboard
    sources: Mapping[str, Path]
    files: tuple[Source, ...]
    warnings: list[Mistake]
    lacking: bool = False  # Letters that no font has: a font that is added later changes the answer.
    lines: tuple[int, ...] = ()  # Where each scene begins.
    person: Person | None = None  # Whom it names, if they are real; what consent lacks is no mistake of the file.


def load(path: Path, root: Path, digests: Digests, form: str = "") -> Loaded:
    """Read a storyboard and all that it names. Raises AuthorError with every mistake found.

    What scenes show must fit the shape that is rendered: `form`, a name of engine.formats, or the storyboard's own.
    """
    document, raw = read(path)
    return board_of(document, raw, path, root, digests, _project(path, root), form)


def board_of(
    document: Document, raw: bytes, path: Path, root: Path, digests: Digests, project: str | None, form: str = ""
) -> Loaded:
    """The storyboard in a document, which lies at a path or was made for the moment. Raises AuthorError.

    `project` is what a consent must cover; None: any.
    """
    given = Given(root, digests)
    persona = _PersonaFile()
    persona.find(document, root)
    wrong = [*document.mistakes, *persona.mistakes]
    wrong += [*shape(document, "storyboard"), *meanings(document), *persona.wrong()]
    scenes = _files(document, path.parent, given)
    seen = persona.files(given)
    music = _music(document, path.parent, given)
    wrong += given.mistakes
    if not wrong:
        wrong += [*_lengths(document, scenes), *_poses(document, seen), *_shows(document, scenes, form)]
    if wrong:
        raise AuthorError(list(dict.fromkeys(wrong)), [path, *persona.sought, *given.sought])
    board = authored.board(document, scenes, persona.made(seen), music)
    letters = lettering(document, root, digests)
    taken = (*given.taken.values(), *letters.fonts)
    sources = {source.digest: source.path for source in taken}
    own = [_own(path, raw), *persona.source]
    board = replace(board, fonts=letters.fonts)
    lines = tuple(document.place(("scenes", index)).line for index in range(len(board.scenes)))
    said = [*warnings(document, board), *letters.warnings]
    person = persona.person(document, project)
    if person is not None and person.evidence is not None:
        own.append(_evidence(person.evidence, digests))
    return Loaded(board, sources, (*own, *taken), said, bool(letters.warnings), lines, person)


def persona_mistakes(path: Path, root: Path, digests: Digests) -> list[Mistake]:
    """Every mistake in a persona.yaml, whether a storyboard names it or not."""
    given = Given(root, digests)
    persona = _PersonaFile()
    persona.path = path
    persona.document, _ = read(path)
    persona.files(given)
    wrong = [*persona.document.mistakes, *persona.wrong(), *given.mistakes]
    person = persona.person(persona.document, None) if not wrong else None
    return [*wrong, *(lack._replace(severity="warning") for lack in (person.lacks if person is not None else ()))]


class _PersonaFile:
    """The persona that a storyboard names, and what is wrong with its file."""

    def __init__(self) -> None:
        self.document: Document | None = None
        self.mistakes: list[Mistake] = []
        self.source: list[Source] = []
        self.sought: list[Path] = []
        self.id: object = None

    def find(self, board: Document, root: Path) -> None:
        """Read the file of the persona that a storyboard names, if it names one that can be."""
        self.id = board.data.get("persona") if isinstance(board.data, dict) else None
        if not isinstance(self.id, str) or not re.fullmatch("[a-z0-9][a-z0-9-]{0,63}", self.id):
            return
        self.path = root / "personas" / self.id / "persona.yaml"
        self.sought = [self.path]
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
        return [*shape(self.document, "persona"), *voice_mistakes(self.document), *consent_mistakes(self.document)]

    def files(self, given: Given) -> dict[str, Source]:
        """The portrait's picture, the look's weights, the picture of each pose, and what voices bring."""
        data = self.document.data if self.document is not None else None
        if self.document is None or not isinstance(data, dict):
            return {}
        wanted: list[tuple[str, tuple[str, ...], str]] = []
        for field, name, media in (("portrait", "image", "image"), ("look", "lora", "weights")):
            if isinstance(data.get(field), dict) and _named(data[field].get(name)):
                wanted.append((field, (field, name), media))
        poses = data["portrait"].get("poses") if isinstance(data.get("portrait"), dict) else None
        for name, file in poses.items() if isinstance(poses, dict) else ():
            if _named(file):
                wanted.append((f"pose:{name}", ("portrait", "poses", name), "image"))
        wanted += _voices(data.get("voice"))
        found = {what: given.take(self.document, path, self.path.parent, media) for what, path, media in wanted}
        return {what: source for what, source in found.items() if source is not None}

    def person(self, board: Document, project: str | None) -> Person | None:
        """Whom the persona shows, if that is somebody real; once nothing is wrong."""
        return person_of(self.document, self.path, board, project) if self.document is not None else None

    def made(self, files: dict[str, Source]) -> Persona | None:
        """The persona, once nothing is wrong."""
        return authored.persona(self.document.data, str(self.id), files) if self.document is not None else None


def _files(document: Document, folder: Path, given: Given) -> list[dict[str, Source]]:
    """The files that each scene names and that can be used."""
    scenes = document.data.get("scenes") if isinstance(document.data, dict) else None
    found: list[dict[str, Source]] = []
    for index, scene in enumerate(scenes if isinstance(scenes, list) else []):
        own: dict[str, Source] = {}
        for media, below in _naming(scene) if isinstance(scene, dict) else ():
            sort = "text" if media == "show" else media
            source = given.take(document, ("scenes", index, *below), folder, sort)
            own |= {media: source} if source is not None else {}
        found.append(own)
    return found


def _naming(scene: dict[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a scene names files for, and where it does."""
    for media in ("image", "video", "audio"):
        value = scene.get(media)
        if _named(value):
            yield media, (media,)
        elif isinstance(value, dict) and _named(value.get("file")):
            yield media, (media, "file")
    show = scene.get("show")
    for kind, part in show.items() if isinstance(show, dict) else ():
        if isinstance(part, dict) and _named(part.get("file")):
            yield "show", ("show", kind, "file")


def _music(document: Document, folder: Path, given: Given) -> Source | None:
    said = document.data.get("music") if isinstance(document.data, dict) else None
    if _named(said):
        return given.take(document, ("music",), folder, "audio")
    if isinstance(said, dict) and _named(said.get("file")):
        return given.take(document, ("music", "file"), folder, "audio")
    return None


def _lengths(document: Document, files: list[dict[str, Source]]) -> Iterator[Mistake]:
    """Footage whose length nobody could tell, in a scene that has no other; parts of it that are not there."""
    for index, (scene, own) in enumerate(zip(document.data["scenes"], files, strict=True)):
        if "video" not in own:
            continue
        seconds, said, path = own["video"].seconds, scene["video"], ("scenes", index, "video")
        part = said if isinstance(said, dict) else {}
        if seconds is None and "end" not in part and not scene.keys() & {"narration", "audio", "duration"}:
            yield document.mistake(document.place(path), "this footage has no length", "add a duration")
        long = f"the footage lasts {float(seconds):.2f} seconds" if seconds is not None else ""
        for name in ("start", "end"):
            if name in part and seconds is not None and part[name] >= seconds + (name == "end"):
                message = f"{name} lies after the footage's end"
                yield document.mistake(document.place((*path, name)), message, long)
        yield from _unheard(document, (*path, "sound"), part, own["video"])
        if part.get("start", 0) >= part.get("end", float("inf")):
            yield document.mistake(document.place((*path, "end")), "end lies before start", long)


def _unheard(document: Document, path: tuple[str | int, ...], part: dict[str, Any], video: Source) -> Iterator[Mistake]:
    """Footage without sound whose sound is asked for."""
    if part.get("sound", False) is False:
        return
    from . import probe

    if not probe.heard(video.path):
        message = f"sound: there is no sound in '{video.path.name}'"
        yield document.mistake(document.place(path), message, "remove sound:, or bring a video that has some")


def _shows(document: Document, files: list[dict[str, Source]], form: str) -> Iterator[Mistake]:
    """What is wrong with what scenes show; looked at only where a scene shows something."""
    for index, (scene, own) in enumerate(zip(document.data["scenes"], files, strict=True)):
        if "show" not in scene:
            continue
        from .show_mistakes import mistakes

        try:
            text = own["show"].path.read_text("utf-8") if "show" in own else None
        except UnicodeDecodeError:
            kind = next(iter(scene["show"]))
            place = document.place(("scenes", index, "show", kind, "file"))
            yield document.mistake(place, f"'{own['show'].path.name}' is not text", "save it again as UTF-8")
            continue
        yield from mistakes(document, index, scene, text, form)


def _poses(document: Document, files: dict[str, Source]) -> Iterator[Mistake]:
    """Poses that the persona does not have."""
    there = sorted(name.removeprefix("pose:") for name in files if name.startswith("pose:"))
    for index, scene in enumerate(document.data["scenes"]):
        pose = scene.get("pose")
        if pose is not None and pose not in there:
            message = f"the persona has no pose '{pose}'{did_you_mean(pose, there)}"
            yield document.mistake(
                document.place(("scenes", index, "pose")), message, f"its poses: {', '.join(there) or 'none'}"
            )


def _voices(said: Any) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """The files that a persona's voices bring, as their backends ask for them."""
    from .knobs import brought, installed

    for backend, settings in said.items() if isinstance(said, dict) else ():
        if not isinstance(settings, dict) or backend not in installed("speech"):
            continue
        for name, media in brought(backend).items():
            if _named(settings.get(name)):
                yield f"voice:{backend}:{name}", ("voice", backend, name), media


def _project(path: Path, root: Path) -> str:
    """What a consent calls a project: its folder below projects/."""
    return Path(os.path.relpath(path.parent, root)).as_posix().removeprefix("projects/")


def _evidence(path: Path, digests: Digests) -> Source:
    """What is to prove a consent, if it is there: it decides like any other file."""
    try:
        return Source(path, *digests.of(path)) if path.is_file() else Source(path, "", 0)
    except OSError:
        return Source(path, "", 0)


def _own(path: Path, raw: bytes) -> Source:
    import hashlib

    return Source(path, hashlib.sha256(raw).hexdigest(), len(raw))


def _named(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()
