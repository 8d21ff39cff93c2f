"""Whether a sentence came out as it was meant: models of this sort babble, stop early, stall or loop now and then.

None of the measures listens to what is said: a wrong word in its place is not found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .nemo_speak import Floats, Spoken

SLOWEST, QUICKEST = 2.2, 0.45  # Of the time that espeak-ng takes for the same words.
SPARE = 0.8  # Seconds that a sentence may be longer than that, however short it is.
REACHED = 0.75  # Of the words, how many are attended to at least.
LONGEST_REST = 1.2  # Seconds of silence inside of a sentence.
LOOP = 6  # Frames of codes that make a loop, if they
TURNS = 3  # come so often in a row.
_FRAME = 0.02  # Seconds.
_QUIET = 0.02  # Of the loudest frame: -34 dB.


def faults(spoken: Spoken, expected: float | None, rate: int, hop: int, attended: Sequence[str]) -> list[str]:
    """What seems wrong with a sentence. `expected`: seconds; `attended`: words that were attended to, or "" each."""
    return [
        *_length(spoken, expected, rate),
        *_coverage(attended),
        *_silence(spoken.sound, rate),
        *_loops(spoken.codes, hop / rate),
    ]


def _length(spoken: Spoken, expected: float | None, rate: int) -> Iterator[str]:
    seconds = len(spoken.sound) / rate
    if not spoken.ended:
        yield f"it did not end within {seconds:.1f} s"
    elif expected and not expected * QUICKEST <= seconds <= expected * SLOWEST + SPARE:
        yield f"it lasts {seconds:.1f} s, where about {expected:.1f} s are expected"


def _coverage(attended: Sequence[str]) -> Iterator[str]:
    if not attended:
        return
    reached = [number for number, word in enumerate(attended) if word]
    share = len(reached) / len(attended)
    if not reached or reached[-1] < len(attended) - 1 - len(attended) // 8:
        yield f"it stops after {(reached[-1] + 1 if reached else 0)} of {len(attended)} words"
    elif share < REACHED:
        yield f"it says {len(reached)} of {len(attended)} words"


def _silence(sound: Floats, rate: int) -> Iterator[str]:
    """Long rests between what is first and what is last heard."""
    step = int(rate * _FRAME)
    rows = sound[: len(sound) // step * step].reshape(-1, step)
    loud = np.sqrt(np.mean(np.square(rows, dtype=np.float64), axis=1)) if len(rows) else np.zeros(1)
    heard = np.flatnonzero(loud > float(loud.max()) * _QUIET)
    if not len(heard) or float(loud.max()) < 1e-4:
        yield "it is silent"
        return
    rest = (np.diff(heard).max(initial=1) - 1) * _FRAME
    if rest > LONGEST_REST:
        yield f"it is silent for {rest:.1f} s in the middle"


def _loops(codes: NDArray[np.int64], seconds: float) -> Iterator[str]:
    """The same run of frames, time after time."""
    frames = [tuple(column) for column in codes.T.tolist()]
    for length in range(LOOP, len(frames) // TURNS + 1):
        same = 0
        for at in range(length, len(frames)):
            same = same + 1 if frames[at] == frames[at - length] else 0
            if same >= length * (TURNS - 1):
                yield f"it repeats itself from {(at - length * TURNS + 1) * seconds:.1f} s on"
                return
