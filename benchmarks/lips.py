"""Lips in three minutes of video at 720p: memory over time, and speed beside what holds every frame in memory.

The model is a tiny one with random weights and one denoising step, on the processor: its speed says nothing of the real
one's. Frames are real: a drawn head that sways is followed from where its eyes are said to be, cut out, made, pasted
back, encoded without loss. The plain way is the same work by the same parts, in upstream's order: all frames decoded,
then all faces, then all windows, then all frames pasted, then written. It is run on a few seconds; its memory at three
minutes is reckoned from two such lengths. Faces have 64 pixels here; with the real one's it would hold still more.

Each way runs in a process of its own; its own memory (not files) is sampled.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .place import HERE, Options
from .table import Figure

sys.path.insert(0, str(HERE / "tests"))

SIZE, RATE = (1280, 720), 15  # Frames a second: what is held is counted in frames, and 25 would take five minutes.
SECONDS, SHORT, LONGER = 180, 6, 18  # Of the video, and of those that the plain way is measured on.
SETTLED = 40.0  # Percent of the run: faces are found in the first quarter, mouths are made from then on.
LIMIT, GROWTH = 1.2, 10.0  # GB, and percent.
EYES = [{"x": 0.447, "y": 0.447}, {"x": 0.553, "y": 0.447}]  # Of the first frame; cascades take longer than all else.
EVERY = 0.1  # Seconds between two samples.
TOLD = (10, 20, 30, 40, 60, 80, 100)  # Percent of the run at which memory is told.


class Took(NamedTuple):
    """What one process took: seconds, and samples of (seconds since it began, GB)."""

    seconds: float
    samples: list[tuple[float, float]]

    @property
    def peak(self) -> float:
        """The most memory."""
        return max(memory for _, memory in self.samples)

    def at(self, percent: float) -> float:
        """The most memory up to a share of the run."""
        end = self.seconds * percent / 100
        return max(memory for moment, memory in self.samples if moment <= end or moment == self.samples[0][0])


def figures(options: Options) -> Iterator[Figure]:
    """Memory of the stream over time, and of the plain way as it would be; seconds of both."""
    import tiny_lips

    folder = options.room / "lips"
    (folder / "models").mkdir(parents=True)
    tiny_lips.build(folder / "models")
    first, second = (_run(folder, "plain", seconds) for seconds in (SHORT, LONGER))
    took = _run(folder, "stream", SECONDS)
    each = (second.peak - first.peak) / (LONGER - SHORT)
    reckoned = first.peak + each * (SECONDS - SHORT)
    title = f"lips: {SECONDS} s at 720p, {RATE} a second (tiny random model)"
    plain = f"every frame held, reckoned from {SHORT} and {LONGER} s"
    yield Figure(f"{title}: peak memory", took.peak, "GB", LIMIT, peer=plain, peer_value=reckoned)
    for percent in TOLD:
        yield Figure(f"{title}: most memory until {percent} % of it", took.at(percent), "GB")
    growth = (took.peak / took.at(SETTLED) - 1) * 100
    yield Figure(f"{title}: growth after {SETTLED:.0f} % of it", growth, "%", GROWTH)
    speed, theirs = took.seconds / SECONDS, second.seconds / LONGER
    yield Figure(f"{title}: seconds a second", speed, "s", peer=f"every frame held, {LONGER} s", peer_value=theirs)


def _run(folder: Path, way: str, seconds: int) -> Took:
    """A way in a process of its own."""
    command = [sys.executable, "-m", __spec__.name, way, str(folder), str(seconds)]
    done = subprocess.run(command, cwd=HERE, stdout=subprocess.PIPE, check=True)
    return Took(*json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """One way: prints the seconds that it took, and samples of its memory, as JSON."""
    way, folder, seconds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    import torch

    torch.set_num_threads(1)  # As in a worker.
    os.environ["MIKEBOT_MODELS"] = str(folder / "models")
    given = _given(folder / f"{way}-{seconds}", seconds)
    begun, samples = time.perf_counter(), list[tuple[float, float]]()
    threading.Thread(target=_watch, args=(begun, samples), daemon=True).start()
    {"stream": _stream, "plain": _plain}[way](given)
    print(json.dumps([time.perf_counter() - begun, samples]))


class _Given(NamedTuple):
    """What is asked of a way, and what with."""

    params: Any
    models: Any
    clips: list[Path]
    audio: Path
    timing: Path
    out: Path


def _given(folder: Path, seconds: int) -> _Given:
    """A video of clips that are all the same few seconds, and a sound that is as long."""
    import numpy as np
    import tiny_lips

    from engine.backends import sync_knobs, sync_models

    (folder / "out").mkdir(parents=True)
    turn = itertools.cycle(_swaying())
    clip = tiny_lips.clip(folder / "clip.mp4", itertools.islice(turn, SHORT * RATE), str(RATE))
    with wave.open(str(folder / "audio.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes((8000 * np.sin(np.arange(seconds * 16000) * 0.05)).astype("<i2").tobytes())
    timing = tiny_lips.timing(folder / "timing.json", [], seconds)
    size = {"frames": seconds * RATE, "fps": str(RATE), "width": SIZE[0], "height": SIZE[1]}
    params = sync_knobs.LatentSyncParams(**{**size, **tiny_lips.KNOBS, "eyes": EYES, "own_rate": False})
    models = sync_models.load(sync_knobs.spec(params))
    return _Given(params, models, [clip] * (seconds // SHORT), folder / "audio.wav", timing, folder / "out")


def _swaying() -> list[Any]:
    """A head that goes to and fro, so that the last picture is followed by the first."""
    import tiny_lips

    there = tiny_lips.moving(6, SIZE, head=360, sway=40)
    return [*there, *there[-2:0:-1]]


def _stream(given: _Given) -> None:
    """Our step."""
    from engine.backends.latentsync import LatentSync
    from engine.kinds import Inputs, numbered

    backend = LatentSync()
    backend._models = given.models
    clips = {numbered("clip", number): clip for number, clip in enumerate(given.clips, 1)}
    inputs = Inputs({**clips, "audio": given.audio, "timing": given.timing})
    backend.run(given.params, inputs, given.out, _Deaf())


class _Deaf:
    def progress(self, *_: int) -> None:
        """Hears nothing."""


class _All(NamedTuple):
    """Every frame at once, where a stream is asked for."""

    held: list[Any]

    def frames(self) -> Iterator[Any]:
        return iter(self.held)


def _plain(given: _Given) -> None:
    """The same parts in upstream's order, each done for all frames before the next begins."""
    from fractions import Fraction

    import numpy as np
    import torch

    from engine.backends import faces_finder, lossless, sync_film, sync_sound
    from engine.models.latentsync import crossfade, mouth, warp
    from engine.models.latentsync.sync import Sync

    params, models, side = given.params, given.models, given.models.resolution
    frames = list(sync_film.Shown(given.clips, params.frames, Fraction(RATE)).frames())
    finder, every = faces_finder.finder(faces_finder.HAAR, params.eyes), [True] * len(frames)
    plan = sync_film.looked(_All(frames), finder, params, every, side, lambda _: None)
    matrices: list[Any] = list(plan.matrices)
    crops = [warp.crop(frame, matrix, side, True) for frame, matrix in zip(frames, matrices, strict=True)]
    faces = torch.from_numpy(np.stack([warp.face(crop, side) for crop in crops]).transpose(0, 3, 1, 2).copy())
    hearing = sync_sound.Hearing(models.ear, sync_sound.read(given.audio), params.hearing, RATE)
    heard = torch.stack([hearing.at(frame) for frame in range(len(frames))])
    sync = Sync(models.unet, models.vae, side, params.seed)
    spans = crossfade.windows(len(frames), overlap=params.overlap)
    made = [(s, sync.windows(faces[None, s], heard[None, s], params.steps, params.guidance)[0]) for s in spans]
    mouths = [face for _, face in crossfade.crossfaded(made)]
    pasted = [mouth.paste_mouth(*one) for one in zip(frames, mouths, matrices, strict=True)]
    with lossless.writing(given.out / "video", SIZE[::-1], Fraction(RATE)) as add:
        for frame in np.stack(pasted):
            add(frame)


def _watch(begun: float, samples: list[tuple[float, float]]) -> None:
    """Sample what the process itself takes of the machine."""
    pause = threading.Event()
    while True:
        lines = Path("/proc/self/status").read_text().splitlines()
        said = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Rss")}
        memory = sum(int(said.get(name, 0)) for name in ("RssAnon", "RssShmem")) * 1024 / 1e9
        samples.append((time.perf_counter() - begun, memory))
        pause.wait(EVERY)


if __name__ == "__main__":
    main()
