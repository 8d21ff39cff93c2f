"""From three points of a face to the matrix that brings it into the model's crop (specification, section 7).

Everything is counted in 32 bits, as upstream does: where values are cut off to whole ones, the last bit shows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...errors import BackendError

Floats = NDArray[np.float32]

# Of InsightFace's 106 landmarks: the brow at the picture's left, the brow at its right, the nose.
_GROUPS = ((43, 48, 49, 50, 51), (101, 102, 103, 104, 105), (74, 77, 83, 86))
_TEMPLATE = ((17, 20), (58, 20), (37.5, 40))  # In a box of 75 x 100.
_NOSE = 2
_KEPT = np.float32(0.2)  # Of the last frame's drift.


class Fit(NamedTuple):
    """`matrix` (2, 3): picture -> crop, both in pixels; `drift` (2,): from nose to nose, in standard deviations."""

    matrix: Floats
    drift: Floats


def scale(resolution: int) -> float:
    """Pixels of the crop to one of the template's box."""
    return 2.8 * resolution / 256


def crop_size(resolution: int) -> tuple[int, int]:
    """Width and height of the crop in pixels: 210 x 280 for 256, 420 x 560 for 512."""
    return int(75 * scale(resolution)), int(100 * scale(resolution))


def template(resolution: int) -> Floats:
    """(3, 2): where left brow, right brow and nose belong in the crop, in pixels."""
    return (np.array(_TEMPLATE) * scale(resolution)).astype(np.float32)


def three_points(landmarks: NDArray[np.generic], rounded: bool = True) -> Floats:
    """(106, 2) -> (3, 2): left brow, right brow, nose. Upstream rounds to whole pixels, which makes faces jitter."""
    points = np.asarray(landmarks, np.float64)
    means = np.array([points[list(group)].mean(axis=0) for group in _GROUPS])
    return (np.rint(means) if rounded else means).astype(np.float32)


def fit(points: NDArray[np.generic], target: Floats) -> Fit:
    """The similarity that brings three points (3, 2) near those of a template; its scale is a ratio of spreads."""
    source, goal = (torch.from_numpy(np.array(values, np.float32)) for values in (points, target))
    means = source.mean(0), goal.mean(0)
    spreads = (source - means[0]).std(), (goal - means[1]).std()
    if not spreads[0] > 0:
        raise BackendError("the three points of a face lie on one another", "Give brows and nose, in pixels.")
    one, other = (source - means[0]) / spreads[0], (goal - means[1]) / spreads[1]
    turn, scaled = _rotation(one, other), spreads[1] / spreads[0]
    shift = means[1] - scaled * (turn @ means[0])
    return Fit(torch.column_stack([scaled * turn, shift]).numpy(), (other[_NOSE] - one[_NOSE]).numpy())


def _rotation(one: Tensor, other: Tensor) -> Tensor:
    """(2, 2): turns centred points onto others, and never mirrors them."""
    left, _, right = torch.linalg.svd(one.T @ other)
    turn: Tensor = (left @ right).T
    if torch.linalg.det(turn) < 0:
        right[-1] *= -1
        turn = (left @ right).T
    return turn


class Aligner:
    """Matrices of a video's frames, in their order, with the little that upstream carries from frame to frame."""

    def __init__(self, resolution: int) -> None:
        self._target = template(resolution)
        self.drift: Floats | None = None

    def matrix(self, points: NDArray[np.generic]) -> Floats:
        """(3, 2) in pixels of the frame -> (2, 3), frame -> crop."""
        found = fit(points, self._target)
        self.drift = found.drift if self.drift is None else _KEPT * self.drift + (1 - _KEPT) * found.drift
        matrix = found.matrix.copy()
        matrix[:, 2] += self.drift  # Below half a pixel; upstream does no other smoothing.
        return matrix
