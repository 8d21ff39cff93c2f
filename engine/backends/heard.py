"""Where a recording speaks and where it pauses, by loudness."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kinds import SAMPLE_RATE
from .joining import Sound

WINDOW = SAMPLE_RATE // 50
HEARD = 0.03  # Of the loudest 20 ms: what is quieter counts as silence (-30 dB).
PAUSE = 0.16  # Seconds of silence that are no part of a sound, as before a p or t.


class Pause(NamedTuple):
    """A stretch of silence, in samples."""

    start: int
    end: int


def voiced(sound: Sound) -> NDArray[np.bool_]:
    """Which windows of 20 ms are heard; the loudest twentieth sets the measure, so that one click does not."""
    count = max(1, len(sound) // WINDOW)
    padded = np.zeros(count * WINDOW, np.int16)
    padded[: min(len(sound), len(padded))] = sound[: len(padded)]
    loud = np.array([np.sqrt(np.square(row.astype(np.float32)).mean()) for row in padded.reshape(count, WINDOW)])
    floor = float(np.percentile(loud, 5))
    most = float(loud.max())
    return np.asarray(loud > max(most * HEARD, min(floor * 2, most * 0.2)))


def pauses(heard: NDArray[np.bool_], least: float = PAUSE) -> list[Pause]:
    """Silences of at least so many seconds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], ~heard, [0]]).astype(np.int8))).reshape(-1, 2)
    return [Pause(int(a) * WINDOW, int(b) * WINDOW) for a, b in edges if (b - a) * WINDOW >= least * SAMPLE_RATE]
