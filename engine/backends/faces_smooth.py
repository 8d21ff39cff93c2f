"""Matrices that do not tremble: scale, angle and place of a face, smoothed alike in both directions of time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .faces import Points

Values = NDArray[np.float64]
_PLACE = 1 / 3  # Of the time over which scale and angle are smoothed: a head moves faster than it turns or grows.


def matrices(points: Sequence[Points], resolution: int, rate: float, seconds: float) -> list[NDArray[np.float32]]:
    """A run of frames, (3, 2) each -> (2, 3) each, frame -> crop; `seconds` is the width of the bell, 0 for none."""
    from ..models.latentsync import align

    target = align.template(resolution)
    fits = [align.fit(three, target).matrix[:, :2] for three in points]
    grown = smoothed(np.log([np.sqrt(np.linalg.det(fit)) for fit in fits]), seconds * rate)
    turned = smoothed(np.unwrap([np.arctan2(fit[1, 0], fit[0, 0]) for fit in fits]), seconds * rate)
    middles = smoothed(np.array([three.mean(axis=0) for three in points]), seconds * rate * _PLACE)
    return [_matrix(*values, target.mean(axis=0)) for values in zip(np.exp(grown), turned, middles, strict=True)]


def smoothed(values: Values, sigma: float) -> Values:
    """(n, ...) under a symmetric bell, so nothing lags; beyond its ends a movement goes on as it was."""
    reach = min(int(np.ceil(3 * sigma)), len(values) - 1)
    if reach < 1:
        return np.asarray(values, np.float64)
    before = 2 * values[0] - values[reach:0:-1]
    after = 2 * values[-1] - values[-2 : -reach - 2 : -1]
    padded = np.concatenate([before, values, after])
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    bell /= bell.sum()
    return np.asarray(sum(part * padded[at : at + len(values)] for at, part in enumerate(bell)), np.float64)


def _matrix(scale: float, angle: float, middle: Values, target: Values) -> NDArray[np.float32]:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([turn, target - turn @ middle]).astype(np.float32)
