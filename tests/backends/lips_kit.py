"""talk.latentsync on tiny models: videos of a drawn head, what is said over them, and what comes out."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import tiny_lips
import tiny_places
from contract_kit import Heard
from media_kit import wav
from picture_kit import decoded

from engine.backends.latentsync import LatentSync, LatentSyncParams
from engine.errors import Cancelled
from engine.kinds import Inputs, numbered

SIZE = (128, 96)


def models() -> Path:
    """The folder of the tiny models: built once a process, and named by MIKEBOT_MODELS from then on."""
    return tiny_places.name(_built())


@cache
def _built() -> Path:
    import torch

    torch.set_num_threads(1)
    folder = Path(tempfile.mkdtemp(prefix="tiny-lips-"))
    atexit.register(shutil.rmtree, folder, True)
    tiny_lips.build(folder)
    return folder


def backend() -> LatentSync:
    """One with its models in memory, as a worker has it."""
    models()
    return _loaded()


@cache
def _loaded() -> LatentSync:
    made = LatentSync()
    made.load(made.model(params(1)))
    return made


def params(frames: int, **knobs: Any) -> LatentSyncParams:
    said = {"frames": frames, "fps": "25", "width": SIZE[0], "height": SIZE[1], **tiny_lips.KNOBS}
    return LatentSyncParams(**{**said, **knobs})


class Stops(Heard):
    """Has enough after so many words."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def progress(self, done: int, total: int) -> None:
        super().progress(done, total)
        if len(self.told) == self.after:
            raise Cancelled


class Spoken:
    """A folder with a video of some pictures, a sound, and words said between some seconds (throughout, if none)."""

    def __init__(
        self, folder: Path, pictures: Sequence[Any], words: Sequence[tuple[float, float]] = (), fps: str = "25"
    ):
        models()
        self.folder, self.pictures = folder, pictures
        seconds = len(pictures) / 25
        self.clip = tiny_lips.clip(folder / "clip.mp4", pictures, fps)
        self.audio = wav(folder / "audio.wav", max(seconds, 0.7), 48000)
        self.timing = tiny_lips.timing(folder / "timing.json", words, seconds)

    def run(self, frames: int = 0, tell: Any = None, made: LatentSync | None = None, **knobs: Any) -> Path:
        """The video of one step."""
        out = self.folder / "out"
        shutil.rmtree(out, True)
        out.mkdir()
        inputs = Inputs({numbered("clip", 1): self.clip, "audio": self.audio, "timing": self.timing})
        said = params(frames or len(self.pictures), **knobs)
        backend = made or globals()["backend"]()
        assert backend.check(said) == []
        backend.run(said, inputs, out, tell or Heard())
        return out / "video"

    def changed(self, frames: int = 0, **knobs: Any) -> list[int]:
        """How many pixels of each frame are not those of the picture that it shows."""
        shown = decoded(self.run(frames, **knobs))
        return [differing(one, other) for one, other in zip(shown, self.pictures, strict=False)]


def differing(one: Any, other: Any) -> int:
    return int((np.asarray(one) != np.asarray(other)).any(-1).sum())
