"""One subject as plain diffusers code makes it, as our backend does with the same settings, and with each switch."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from engine.kinds import Inputs

from ..table import Figure
from . import measured
from .subjects import PLAIN, Subject, backend

OVERHEAD = 2.0  # Percent.


class Place(NamedTuple):
    """Where models and outputs lie, whether they are of full size, and how fast the device multiplies matrices."""

    room: Path
    full: bool
    rate: float


class Run(NamedTuple):
    """What one making took: seconds of all of it and of a step, GB of the device."""

    whole: float
    step: float
    memory: float


class Loaded:
    """One of our backends with a model in memory, as a worker has it."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.backend = backend(subject)
        if reasons := self.backend.check(subject.params):
            raise SystemExit("; ".join(reasons))
        self.seconds = measured.timed(lambda: self.backend.load(self.backend.model(subject.params)))

    @property
    def pipe(self) -> Any:
        """The library's pipeline, so that plain code is measured on the very same weights."""
        return self.backend._resident.pipe

    def run(self, out: Path, steps: int = 0) -> Run:
        """A whole step of ours, its files included."""
        out.mkdir(parents=True, exist_ok=True)
        params = replace(self.subject.params, steps=steps or self.subject.params.steps)
        tell = measured.Steps()
        measured.forget()
        whole = measured.timed(lambda: self.backend.run(params, Inputs(self.subject.inputs), out, tell))
        return Run(whole, tell.seconds(params.steps, True) if params.steps > 1 else 0.0, measured.peak())

    def plain(self, out: Path) -> Run:
        """The library's own code."""
        out.mkdir(parents=True, exist_ok=True)
        steps = measured.Steps()
        measured.forget()
        whole = measured.timed(lambda: self.subject.plain(self.pipe, steps.after, out / "plain"))
        return Run(whole, steps.seconds(self.subject.params.steps, False), measured.peak())

    def close(self) -> float:
        """Give everything back; returns the GB of the device that are still held when the backend has done so."""
        self.backend.unload("")
        left = measured.held()
        reset()
        return left


def plain(place: Place, subject: Subject, out: Path, rounds: int) -> Iterator[Figure]:
    """Our overhead over plain code with the same settings; `rounds` of each, one after the other, and the best."""
    name = f"{subject.params.model}, {subject.name}"
    bare = _bare(subject)
    loaded = Loaded(_with(subject, PLAIN))
    try:
        yield Figure(f"{name}: load, files in the machine's memory", loaded.seconds, "s", peer=_PEER, peer_value=bare)
        count = measured.operations(loaded.pipe.transformer, lambda: loaded.run(out / "warm", 1))
        both = [(loaded.plain(out / "plain"), loaded.run(out / "ours")) for _ in range(rounds)]
        theirs, ours = (min(run[who] for run in both) for who in (0, 1))
        yield from _beside(place, subject, name, theirs, ours, count)
        if subject.output == "image":
            far = measured.distance(out / "ours" / "image", out / "plain" / "plain.png")
            yield Figure(f"{name}: PSNR to plain diffusers (99: the same)", far, "dB")
    finally:
        loaded.close()


def switched(subject: Subject, name: str, changes: Mapping[str, Any], out: Path) -> Iterator[Figure]:
    """One switch: seconds beside plain settings, memory, and how far what it draws is from what they drew."""
    title = f"{subject.params.model}, {name}"
    base = BASE[subject.params.model]
    loaded = Loaded(_with(subject, {**PLAIN, **changes}))
    try:
        first = loaded.run(out / "switched")
        # A second one is worth its time where it is short: what is compiled is compiled in the first step of the first.
        run = loaded.run(out / "switched") if first.step * subject.steps < SHORT else first
        yield Figure(f"{title}: load", loaded.seconds, "s")
        yield Figure(f"{title}: the first, {subject.params.steps} steps", first.whole, "s")
        if run is not first:
            yield Figure(f"{title}: each after it", run.whole, "s", peer=_BASE, peer_value=base.whole)
        yield Figure(f"{title}: a step", run.step, "s", peer=_BASE, peer_value=base.step)
        yield Figure(f"{title}: peak memory", run.memory, "GB", peer=_BASE, peer_value=base.memory or None)
        far = measured.distance(out / "switched" / subject.output, out / "ours" / subject.output)
        yield Figure(f"{title}: PSNR to plain settings (random weights)", far, "dB")
    finally:
        left = loaded.close()
    yield Figure(f"{title}: left on the device once unloaded", left, "GB")


SHORT = 10.0  # Seconds.
BASE: dict[str, Run] = {}  # What plain settings took, by model.
_PEER, _BASE = "plain diffusers", "plain settings"


def reckoned(subject: Subject, run: Run) -> float:
    """Seconds of all the steps that the profile asks for, of which only the first were made."""
    return run.whole + (subject.steps - subject.params.steps) * run.step


def _beside(place: Place, subject: Subject, name: str, theirs: Run, ours: Run, count: int) -> Iterator[Figure]:
    BASE[subject.params.model] = ours
    made, steps = subject.params.steps, subject.steps
    how = f"{steps} steps" + ("" if made == steps else f", reckoned from {made}")
    one, other = reckoned(subject, ours), reckoned(subject, theirs)
    yield Figure(f"{name}: whole, {how}", one, "s", peer=_PEER, peer_value=other)
    yield Figure(f"{name}: our overhead", (one / other - 1) * 100, "%", OVERHEAD if place.full else None)
    yield Figure(f"{name}: a denoising step", ours.step, "s", peer=_PEER, peer_value=theirs.step)
    yield Figure(f"{name}: arithmetic of a step", count / 1e12, "Tflop")
    yield Figure(f"{name}: share of the device's matrix rate", count / ours.step / place.rate * 100, "%")
    yield Figure(f"{name}: peak memory", ours.memory, "GB", peer=_PEER, peer_value=theirs.memory or None)


def _with(subject: Subject, changes: Mapping[str, Any]) -> Subject:
    return subject._replace(params=replace(subject.params, **changes))


def _bare(subject: Subject) -> float:
    """Seconds that plain code takes to bring a model onto the device."""
    import diffusers
    import torch

    from engine.backends import model_folder

    params = subject.params
    said = params.dtype if isinstance(params.dtype, dict) else {"default": params.dtype}
    dtype = {part: getattr(torch, name) for part, name in said.items()}
    folder = model_folder.find(params.model).path
    device = "cuda" if torch.cuda.is_available() else "cpu"

    def load() -> None:
        getattr(diffusers, params.pipeline).from_pretrained(folder, dtype=dtype).to(device)

    seconds = measured.timed(load)
    reset()
    return seconds


def reset() -> None:
    """Let go of what nothing holds, compiled code too."""
    import torch

    torch.compiler.reset()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
