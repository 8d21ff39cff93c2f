"""Lips on a GPU: LatentSync's U-Net, the VAE and Whisper's ear at full size, with random weights made on the device.

What is told first matters most: a part that has no room or no time left is left out with a word. A second of video
costs what the film's windows cost (16 frames at 25 a second, of which neighbours share four), its sound, and the VAE.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..table import Figure
from . import beside, measured, models
from .beside import Place

ROOM = 140.0  # Seconds: a case begins only before they are over.
RATE, FRAMES, HEARD = 25, 16, 60  # Frames a second and in a window; seconds of sound.
EAR = {"n_mels": 80, "n_audio_ctx": 1500, "n_audio_state": 384, "n_audio_head": 6, "n_audio_layer": 4}
BASE: dict[tuple[int, str], float] = {}  # Seconds per second of video, one window at once, not compiled.


class Case(NamedTuple):
    """How a window is made: pixels of a face's side, the models' numbers, how many at once, compiled or not."""

    resolution: int
    dtype: str
    at_once: int = 1
    compiled: bool = False
    steps: int = 20

    @property
    def title(self) -> str:
        """Its name in the table."""
        plural = "window" if self.at_once == 1 else "windows at once"
        return f"lips, {self.resolution}, {self.dtype}, {self.at_once} {plural}{', compiled' if self.compiled else ''}"


FULL = (
    *(Case(512, "float16"), Case(256, "float16"), Case(512, "float16", 2), Case(256, "float16", 4)),
    *(Case(512, "bfloat16"), Case(256, "bfloat16"), Case(512, "bfloat16", 2), Case(256, "bfloat16", 4)),
    *(Case(256, "float16", compiled=True), Case(512, "float16", compiled=True)),
)
TINY = (Case(64, "float32", steps=3), Case(64, "float32", 2, steps=3))


def figures(place: Place) -> Iterator[Figure]:
    """Each case in turn, the whole step after the first of them."""
    begun, held = time.perf_counter(), _Held(place)
    for number, case in enumerate(FULL if place.full else TINY):
        if time.perf_counter() - begun > ROOM:
            print(f"{case.title}: left out, {ROOM:.0f} s are over", file=sys.stderr, flush=True)
            continue
        yield from _tried(case.title, lambda case=case: _case(place, held, case))
        if number == 0:
            yield from _tried("lips, a whole step", lambda case=case: _step(place, held.models(case), case))
    held.drop()


class _Held:
    """The models of the last case, made anew where the next one needs others."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._key: object = None
        self._models: Any = None
        self.ear = 0.0  # Seconds of the ear, for a second of video.

    def models(self, case: Case) -> Any:
        """Those of a case: the same network serves both resolutions."""
        key = (case.dtype, case.resolution if case.compiled else 0)
        if key != self._key:
            self.drop()
            self._models = _full(case) if self._place.full else _tiny(self._place.room / "lips")
            self._key = key
        return self._models._replace(resolution=case.resolution)

    def drop(self) -> None:
        """Give them back."""
        self._key = self._models = None
        beside.reset()


def _tried(title: str, work: Callable[[], Iterator[Figure]]) -> Iterator[Figure]:
    """The figures of some work; where it fails, a word of why, and the next may go on."""
    try:
        yield from work()
    except Exception as problem:  # Out of memory, a compiler's, a package that lacks: go on with the next.
        said = str(problem).strip().partition("\n")[0][:200]
        print(f"{title}: left out, {type(problem).__name__}: {said}", file=sys.stderr, flush=True)
        beside.reset()


def _case(place: Place, held: _Held, case: Case) -> Iterator[Figure]:
    found = held.models(case)
    if not held.ear:
        held.ear = _heard(found)
        yield Figure("lips: Whisper's ear, for a second of sound", held.ear, "s")
    count, first = _first(found, case)
    steps = measured.Steps()
    measured.forget()
    whole = measured.timed(_windows(found, case, case.steps, steps.after))
    step = steps.seconds(case.steps, False)
    each = whole / (case.at_once * (FRAMES - _params(case).overlap) / RATE) + held.ear
    base = BASE.setdefault((case.resolution, case.dtype), each)
    peer: dict[str, Any] = {} if base == each else {"peer": "one window", "peer_value": base}
    yield Figure(f"{case.title}: seconds per second of video, {case.steps} steps", each, "s", **peer)
    yield Figure(f"{case.title}: a denoising step", step, "s")
    yield Figure(f"{case.title}: arithmetic of a step", count / 1e12, "Tflop")
    yield Figure(f"{case.title}: share of the device's matrix rate", count / step / place.rate * 100, "%")
    yield Figure(f"{case.title}: VAE, there and back", whole - case.steps * step, "s")
    yield Figure(f"{case.title}: peak memory", measured.peak(), "GB")
    if case.compiled:
        yield Figure(f"{case.title}: the first step", first, "s")


def _first(found: Any, case: Case) -> tuple[int, float]:
    """Operations of a step, and the seconds of the first one after that, which compiles."""
    count = measured.operations(found.unet, _windows(found, case, 1))
    if case.compiled:
        found.unet.compile()
    return count, measured.timed(_windows(found, case, 1))


def _windows(found: Any, case: Case, steps: int, tell: Callable[..., Any] = lambda *_: None) -> Callable[[], Any]:
    """What makes windows of noise, as the backend makes them of faces."""
    import torch

    from engine.models.latentsync.sync import Sync

    side, wide = case.resolution, found.unet.config.cross_attention_dim
    source = torch.Generator("cpu").manual_seed(2)
    faces = torch.rand(case.at_once, FRAMES, 3, side, side, generator=source) * 255
    audio = torch.randn(case.at_once, FRAMES, 10 * (EAR["n_audio_layer"] + 1), wide, generator=source)
    sync = Sync(found.unet, found.vae, side)
    return lambda: sync.windows(faces, audio, steps, _params(case).guidance, tell=tell)


def _heard(found: Any) -> float:
    """Seconds that the ear takes for a second of sound."""
    import torch

    from engine.models.latentsync import whisper
    from engine.models.latentsync.mel import RATE as SAMPLES

    sound = torch.randn(HEARD * SAMPLES, generator=torch.Generator("cpu").manual_seed(4)) * 0.1
    overlap = _params(TINY[0]).hearing

    def work() -> None:
        whisper.features(found.ear, sound, overlap)

    work()
    return measured.timed(work) / HEARD


def _step(place: Place, found: Any, case: Case) -> Iterator[Figure]:
    """A whole step of the backend: decoding, faces, windows, pasting, encoding without loss."""
    import wave

    import numpy as np
    import tiny_lips

    from engine.backends.latentsync import LatentSync
    from engine.kinds import Inputs, numbered

    seconds, size = (2, (1280, 720)) if place.full else (1, (320, 180))
    frames, room = seconds * RATE, place.room / "lips-step"
    (room / "out").mkdir(parents=True)
    drawn = tiny_lips.moving(10, size, head=size[1] * 0.5)
    turn = itertools.cycle([*drawn, *drawn[-2:0:-1]])
    clip = tiny_lips.clip(room / "clip.mp4", [next(turn) for _ in range(frames)], str(RATE))
    timing = tiny_lips.timing(room / "timing.json", [], seconds)
    with wave.open(str(room / "audio.wav"), "wb") as file:
        file.setparams((1, 2, 48000, 0, "NONE", ""))
        file.writeframes((8000 * np.sin(np.arange(seconds * 48000) * 0.02)).astype("<i2").tobytes())
    said = _params(case, frames=frames, fps=str(RATE), width=size[0], height=size[1], faces="haar")
    made = LatentSync()
    made._models = found
    inputs = Inputs({numbered("clip", 1): clip, "audio": room / "audio.wav", "timing": timing})
    measured.forget()
    whole = measured.timed(lambda: made.run(said, inputs, room / "out", measured.Steps()))
    title = f"{case.title}, {size[0]} x {size[1]}, {seconds} s"
    yield Figure(f"{title}: a whole step for a second of video", whole / seconds, "s")
    yield Figure(f"{title}: a whole step, peak memory", measured.peak(), "GB")


def _params(case: Case, **said: Any) -> Any:
    """The backend's own settings, at a case's."""
    from engine.backends.sync_knobs import LatentSyncParams

    size = {"frames": FRAMES, "fps": str(RATE), "width": 64, "height": 64, **said}
    return LatentSyncParams(**size, resolution=case.resolution, dtype=case.dtype, batch=case.at_once, steps=case.steps)


def _full(case: Case) -> Any:
    """The public models' sizes, random weights."""
    import diffusers
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    from engine.backends.sync_models import Models
    from engine.models.latentsync import whisper
    from engine.models.latentsync.unet import UNet3D

    blocks = {"down_block_types": ["DownEncoderBlock2D"] * 4, "up_block_types": ["UpDecoderBlock2D"] * 4}
    sizes = {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "latent_channels": 4}
    unet = models.made(UNet3D, "cuda", case.dtype)
    vae = models.made(lambda: diffusers.AutoencoderKL(**blocks, **sizes), "cuda", case.dtype)
    ear = models.made(lambda: WhisperEncoder(whisper._config(EAR)), "cuda", "float32")
    return Models(*(part.eval().requires_grad_(False) for part in (unet, vae, ear)), case.resolution)


def _tiny(folder: Path) -> Any:
    """The tests' models."""
    import tiny_lips

    from engine.backends import sync_knobs, sync_models

    folder.mkdir()
    os.environ["MIKEBOT_MODELS"] = str(tiny_lips.build(folder))
    size = {"frames": FRAMES, "fps": str(RATE), "width": 64, "height": 64}
    return sync_models.load(sync_knobs.spec(sync_knobs.LatentSyncParams(**size, **tiny_lips.KNOBS)))
