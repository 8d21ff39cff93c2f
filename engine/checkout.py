"""Which artifacts of a build go where people want them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .build import Built
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


class Item(NamedTuple):
    """An artifact, and where it belongs."""

    output: str
    artifact: Artifact
    to: Path


@dataclass(frozen=True)
class Checkout:
    """Where what a build made belongs: `out` is the film's place, if the author named one."""

    project: Project
    store: Store
    until: str = "film"
    scenes: Sequence[str] = ()
    out: str = ""

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
