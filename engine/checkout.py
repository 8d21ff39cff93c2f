"""Which artifacts of a build go where people want them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .build import Built
from .document import shown
from .errors import Damaged, UsageError
from .graph import Artifact, Step
from .project import Project
from .store import Store

SUFFIXES = {"film": ".mp4", "vtt": ".vtt", "srt": ".srt", "poster": ".jpg", "audio": ".wav", "image": ".png"}
SUFFIXES |= {
    "packets": ".packets.bin",
    "youtube": ".youtube.txt",
    "narration": ".narration.wav",
    "music": ".music.wav",
    "picture": ".picture.mp4",
}
WHOLE = frozenset({"film", "stems"})  # What makes a film, not a part of one.
REPAIRS = 5  # How often a checkout may find damage before that is given up.


class Item(NamedTuple):
    """An artifact, and where it belongs."""

    output: str
    artifact: Artifact
    to: Path


class Delivered(NamedTuple):
    """A build whose artifacts are where people want them; `marks` are of the copies."""

    built: Built
    items: list[Item]
    marks: list[tuple[Path, list[int]]]
    loudness: Mapping[str, float]  # Of the film, if it is one; LUFS and dBTP.


@dataclass(frozen=True)
class Checkout:
    """Where what a build made belongs: `out` is the film's place, if the author named one."""

    project: Project
    store: Store
    until: str = "film"
    scenes: Sequence[str] = ()
    out: str = ""

    def refuse_place(self) -> None:
        """Say no to a place that would cost the author a file, or that leads out of the workspace."""
        if not self.out:
            root, build = os.path.realpath(self.project.root), os.path.realpath(self.project.build)
            if not Path(build).is_relative_to(root):
                message = f"{shown(self.project.build)} leads out of the workspace"
                raise UsageError(message, "remove the link, or name another place with --out")
            return
        film = Path(self.out).absolute()
        if film.suffix in {"", ".vtt", ".srt", ".jpg", ".txt", ".wav"} or film.is_dir():
            raise UsageError(f"--out {self.out} does not name a film", "name a file such as film.mp4")
        own = {SUFFIXES[part] for part in ("vtt", "srt", "poster", "youtube")}
        targets = {os.path.realpath(film.with_suffix(suffix)) for suffix in (film.suffix, *own)}
        for source in self.project.loaded.files:
            if os.path.realpath(source.path) in targets:
                message = f"--out {self.out} would overwrite {shown(source.path)}, which the film is made of"
                raise UsageError(message, "name another file")

    def deliver(self, make: Callable[[], Built]) -> Delivered:
        """Build and check out; what turns out to be damaged on the way out is made again. Raises what `make` does,
        or Refused where a person's consent ended meanwhile."""
        repairs = 0
        while True:
            built = make()
            try:
                if self.project.gate is not None:
                    self.project.gate()
                items = list(self.items(built))
                marks = [(item.to, self.store.checkout(item.artifact, item.to)) for item in items]
                return Delivered(built, items, marks, self._loudness(built, items))
            except Damaged as damage:
                repairs += 1
                if repairs > REPAIRS:
                    raise
                self.store.discard(damage.digest)

    def _loudness(self, built: Built, items: list[Item]) -> Mapping[str, float]:
        if sum(item.output == "film" for item in items) != 1:
            return {}
        film = next(name for name, step in built.steps.items() if step.kind == "film")
        measured: dict[str, float] = json.loads(self.store.read(built.results[film].outputs["loudness"]))
        return measured

    def items(self, built: Built) -> Iterator[Item]:
        """Which artifacts go where."""
        if self.until not in WHOLE:
            for name in self.project.planner(self.until, self.scenes).goals(built.steps):
                yield from self._loose(built.steps[name], built)
            return
        for name, step in built.steps.items():
            if step.kind == "film":
                film = self._film_path(step)
                outputs = built.results[name].outputs
                yield Item("film", outputs["film"], film)
                for part in ("vtt", "srt", "poster", "youtube"):
                    yield Item(part, outputs[part], film.with_suffix(SUFFIXES[part]))
                yield from self._stems(built, film)

    def _stems(self, built: Built, film: Path) -> Iterator[Item]:
        """What was asked for apart; no music where nothing sounds below the voice."""
        step = built.steps.get("stems")
        if step is None:
            return
        below = any(said.get(name) for said in step.params["sounds"] for name in ("music", "own", "room"))
        for part in ("narration", "music", "picture"):
            if part != "music" or below:
                yield Item(part, built.results["stems"].outputs[part], film.with_suffix(SUFFIXES[part]))

    def _film_path(self, step: Step) -> Path:
        if self.out:
            return Path(self.out).absolute()
        name = f"{self.project.name}.{step.scene}.mp4" if step.scene else f"{self.project.name}.mp4"
        return self.project.build / name

    def _loose(self, step: Step, built: Built) -> Iterator[Item]:
        """The files of a step before the film: build/KIND/SCENE.2.wav, and so on (no scene's id has a full stop)."""
        folder = self.project.build / step.kind
        name = ".".join([step.scene, *step.name.split("/")[2:]])
        for output, artifact in built.results[step.name].outputs.items():
            yield Item(output, artifact, folder / (name + self._suffix(output, artifact)))

    def _suffix(self, output: str, artifact: Artifact) -> str:
        if output in SUFFIXES:
            return SUFFIXES[output]
        start = self.store.read(artifact)[:8]
        known = {b"{": ".json", b"\x89": ".png"}
        suffix = ".mp4" if start[4:8] == b"ftyp" else known.get(start[:1], ".bin")
        return suffix if output in {"video", "timing", "levels"} else f".{output}{suffix}"
