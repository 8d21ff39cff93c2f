"""The room of a persona's recording, for the pauses between sentences: what is heard there while nobody speaks.

It is made of the recording's own quiet stretches, in grains that overlap (sine windows: their powers add up to one), so
it is as loud as there, however long it lasts, and repeats nothing that an ear would find.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import probe
from ..errors import BackendError
from ..kinds import SAMPLE_RATE, Tell
from . import recording
from .heard import WINDOW, pauses, voiced
from .joining import FADE, Sound

GRAIN = SAMPLE_RATE // 20  # Samples, an even number; half of them overlap with the next.
APART = SAMPLE_RATE * 6 // 100  # Samples of a pause next to a word: it rings, or somebody breathes.
LEAST = 0.3  # Seconds of room that a recording must have.
EVEN = 2.0  # A window that is so many times louder than the middle one is a click, or a chair.
BELOW = 10.0  # How many times quieter than the voice a room is at least (20 dB); else it is music, or a street.
AUDIBLE = 0.7  # Of one step of 16 bits, root mean square: below that it is digital silence.
EASE = SAMPLE_RATE // 20  # Samples over which it comes up and goes where there is no sentence beside it.
Floats = NDArray[np.float32]


class Room:
    """The quiet stretches of a recording: `level` is their root mean square, in steps of 16 bits."""

    def __init__(self, stretches: Sequence[Sound]) -> None:
        whole = np.concatenate(stretches).astype(np.float32)
        whole -= whole.mean()
        self.level = float(np.sqrt(np.square(whole, dtype=np.float64).mean()))
        self._whole = whole
        ends = np.cumsum([len(stretch) for stretch in stretches])
        begins = (np.arange(end - len(stretch), end - GRAIN + 1) for stretch, end in zip(stretches, ends, strict=True))
        self._begins = np.concatenate(list(begins))  # Where a grain may begin: it lies in one stretch.

    def tone(self, samples: int, number: int) -> Floats:
        """So many samples of the room; another `number` has other ones."""
        count = samples * 2 // GRAIN + 2
        chosen = np.random.Generator(np.random.PCG64(number)).choice(self._begins, count)
        window = np.sin((np.arange(GRAIN, dtype=np.float32) + 0.5) * np.float32(np.pi / GRAIN))
        made = np.zeros((count + 1) * GRAIN // 2, np.float32)
        for place, begin in enumerate(chosen):
            made[place * GRAIN // 2 :][:GRAIN] += self._whole[begin : begin + GRAIN] * window
        return made[GRAIN // 2 :][:samples]


def room_of(file: Path, tell: Tell) -> Room | None:
    """The room of a reference recording; None where it has none that could be used. Raises BackendError."""
    try:
        probe.audio(file)
        sound = recording.decoded(file, tell)
    except probe.Unreadable as problem:
        raise BackendError(f"the reference recording: {problem.message}", problem.hint) from None
    heard = voiced(sound)
    stretches = [sound[a:b] for a, b in _even(sound, [_kept(*pause, len(sound)) for pause in pauses(heard)])]
    if sum(map(len, stretches)) < LEAST * SAMPLE_RATE:
        return None
    room = Room(stretches)
    loud = _levels(sound[: len(heard) * WINDOW])
    spoken = loud[heard[: len(loud)]]
    voice = float(np.sqrt(np.square(spoken).mean())) if len(spoken) else 0.0
    return room if AUDIBLE <= room.level <= voice / BELOW else None


def laid(sound: Sound, gaps: Sequence[tuple[int, int]], room: Room) -> Sound:
    """A narration with a room in its gaps: it meets the fades of sentences, and is eased in and out at the ends."""
    whole = sound.astype(np.float32)
    for number, (start, end) in enumerate(gaps):
        inside = (start > gaps[0][0], end < gaps[-1][1])
        first, after = start - FADE * inside[0], end + FADE * inside[1]
        gain = np.ones(after - first, np.float32)
        for own, ease in zip((gain, gain[::-1]), (FADE if side else EASE for side in inside), strict=True):
            ramp = np.arange(min(ease, len(own)), dtype=np.float32) / ease
            own[: len(ramp)] *= ramp
        whole[first:after] += room.tone(after - first, number) * gain
    return np.clip(np.rint(whole), -32768, 32767).astype(np.int16)


def _kept(start: int, end: int, samples: int) -> tuple[int, int]:
    """A pause without what is next to a word."""
    return start + (APART if start else 0), min(end, samples) - (APART if end < samples else 0)


def _even(sound: Sound, spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The parts of quiet spans in which nothing is louder than the rest, each long enough for a grain."""
    levels = [_levels(sound[start:end]) for start, end in spans]
    known = np.concatenate([np.zeros(0), *levels])
    most = EVEN * float(np.median(known)) if len(known) else 0.0
    for (start, _), loud in zip(spans, levels, strict=True):
        for a, b in np.flatnonzero(np.diff(np.concatenate([[0], loud <= most, [0]]))).reshape(-1, 2):
            if (b - a) * WINDOW >= 2 * GRAIN:
                yield start + int(a) * WINDOW, start + int(b) * WINDOW


def _levels(sound: Sound) -> NDArray[np.float64]:
    """Root mean square of each whole window."""
    rows = sound[: len(sound) // WINDOW * WINDOW].reshape(-1, WINDOW).astype(np.float64)
    return np.sqrt(np.square(rows - rows.mean(axis=1, keepdims=True)).mean(axis=1)) if len(rows) else np.zeros(0)
