"""A limiter that looks ahead: peaks are turned down smoothly, and silence stays digital silence."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .loudness import TAPS, Floats, Sound, peaks, reach

AHEAD = 480  # Samples (10 ms) before and after a peak over which the gain moves.
CHUNK = 1 << 17
AROUND = AHEAD + TAPS + 1


def limited(sound: Sound, ceiling: float, alive: Callable[[], None] = lambda: None) -> Sound:
    """The sound with no peak, at or between samples, above the ceiling (a magnitude, full scale 1).

    All channels are turned down together, so nothing moves from side to side. `alive` is called now and then.
    """
    out = sound.copy()
    for start in range(0, sound.shape[-1], CHUNK):
        alive()
        left = max(0, start - 2 * AROUND)
        part = np.atleast_2d(sound[..., left : start + CHUNK + 2 * AROUND])
        if float(np.abs(part).max()) * reach() <= ceiling:
            continue
        gain = _gain(np.max([peaks(channel, ceiling) for channel in part], axis=0), ceiling)
        if gain is not None:
            out[..., start : start + CHUNK] *= gain[start - left : start - left + CHUNK].astype(np.float32)
    return out


def _gain(heights: Floats, ceiling: float) -> Floats | None:
    """What to multiply with; None where nothing is too high.

    The lowest gain asked for within AHEAD of each sample, smoothed by a triangle no wider than that: the
    smoothed gain is nowhere higher than what the sample itself asks for.
    """
    if float(heights.max()) <= ceiling:
        return None
    asked = np.minimum(1.0, ceiling / np.maximum(heights, ceiling))
    asked[1:] = np.minimum(asked[1:], asked[:-1])  # A peak between two samples belongs to both.
    return _smooth(_smooth(_lowest(np.pad(asked, 2 * AHEAD, constant_values=1.0))))


def _lowest(values: Floats) -> Floats:
    """The lowest of each 2 * AHEAD + 1 values in a row (fewer come out), in steps that double."""
    width, least = 1, values
    while width < 2 * AHEAD + 1:
        shift = min(width, 2 * AHEAD + 1 - width)
        least = np.minimum(least[:-shift], least[shift:])
        width += shift
    return least


def _smooth(values: Floats) -> Floats:
    """The mean of each AHEAD + 1 values in a row (fewer come out)."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    mean: Floats = (total[AHEAD + 1 :] - total[: -AHEAD - 1]) / (AHEAD + 1)
    return np.minimum(mean, 1.0)
