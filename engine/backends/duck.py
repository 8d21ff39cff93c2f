"""How loud the music is at each sample of a scene: down under speech, up in long pauses, away at the film's end.

Each scene is mixed by itself, so what the music does at a scene's border follows from what both of its sides know:
it is down where either of them speaks, and up where neither does. Around a border it stands still for HOLD; its
ways up and down lie within one scene, and never in a pause that is too short to be worth it. Ramps are half a
cosine over decibels: nothing steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..kinds import SAMPLE_RATE
from .loudness import Floats, Sound

PAUSE = SAMPLE_RATE * 3 // 2  # Shorter pauses are no pauses.
ATTACK, RELEASE = SAMPLE_RATE * 3 // 10, SAMPLE_RATE * 4 // 5
HOLD = SAMPLE_RATE // 10  # More than the encoder hears of a neighbour.
WINDOW = SAMPLE_RATE // 50
HEARD = -30.0  # dB from the speech's mean power where it is spoken: what is quieter is a pause.

Span = tuple[float, float]  # In samples of the scene; infinite where it goes on beyond.
FOREVER = float("inf")


def spoken(speech: Sound) -> list[Span]:
    """Where something is said (one channel), pauses shorter than PAUSE included."""
    count = -(-len(speech) // WINDOW)
    powers = np.add.reduceat(np.square(speech, dtype=np.float64), np.arange(0, len(speech), WINDOW))
    if not count or not powers.max():
        return []
    mean = powers[powers > powers.max() / 1000].mean()
    loud = np.flatnonzero(powers > mean * 10 ** (HEARD / 10))
    breaks = np.flatnonzero(np.diff(loud) * WINDOW >= PAUSE)
    firsts, lasts = loud[np.concatenate([[0], breaks + 1])], loud[np.concatenate([breaks, [len(loud) - 1]])]
    return [(float(a * WINDOW), float((b + 1) * WINDOW)) for a, b in zip(firsts, lasts, strict=True)]


def down(music: Any, speech: Sequence[Span] | None, samples: int) -> list[Span]:
    """Where the music is down; `speech` is None in a scene in which nobody speaks."""
    begins, ends = music["at"] == 0, bool(music["left"]) and music["left"] <= samples
    hold = min(HOLD, samples // 4)
    if speech is None:
        spans = [(-FOREVER, float(hold))] if music["before"] else []
        spans += [(float(samples - hold), FOREVER)] if music["after"] else []
    elif not speech:
        return [(-FOREVER, FOREVER)]
    else:
        first = 0.0 if begins else float(hold if music["before"] else speech[0][0])
        last = float(samples) if ends else float(samples - hold if music["after"] else speech[-1][1])
        spans = [*([] if begins else [(-FOREVER, first)]), *speech, *([] if ends else [(last, FOREVER)])]
    return _bridged(spans, begins, ends, samples)


def lift(spans: Sequence[Span], samples: int, first: int, count: int) -> Floats:
    """How far the music is up, from 0 to 1, at `count` samples from `first` on (before the scene: negative)."""
    at = np.arange(first, first + count, dtype=np.float64)
    least = np.ones(count)
    hold = min(HOLD, samples // 4)
    release, attack = min(RELEASE, samples - 2 * hold), min(ATTACK, samples - 2 * hold)
    for start, end in spans:
        away = np.maximum((start - at) / max(1, attack), (at - end) / max(1, release))
        least = np.minimum(least, np.clip(away, 0, 1))
    return (1 - np.cos(np.pi * least)) / 2


def faded(music: Any, first: int, count: int) -> Floats:
    """The fade at the film's end, from 1 to 0, as a magnitude."""
    if not music["left"]:
        return np.ones(count)
    at = np.arange(first, first + count, dtype=np.float64)
    done = np.clip((at - music["left"]) / max(1, music["fade"]) + 1, 0, 1)
    fade: Floats = np.cos(np.pi / 2 * done) ** 2
    return fade


def _bridged(spans: Sequence[Span], begins: bool, ends: bool, samples: int) -> list[Span]:
    """Spans that lie nearer to each other than PAUSE, or to the film's begin or end, are one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start - joined[-1][1] < PAUSE:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    if joined and begins and joined[0][0] < PAUSE:
        joined[0] = (-FOREVER, joined[0][1])
    if joined and ends and samples - joined[-1][1] < PAUSE:
        joined[-1] = (joined[-1][0], FOREVER)
    return joined
