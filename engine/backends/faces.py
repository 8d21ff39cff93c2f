"""Faces in a frame: who finds them, and the three points that the mouth model is aligned by.

frame ── FaceFinder ──► faces ── faces_track ──► one person's ── faces_smooth ──► matrices
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]
Box = tuple[float, float, float, float]  # Left, top, width, height.


class Face(NamedTuple):
    """A face in pixels of its frame; `turned`: it is seen from the side, so that its points mean little."""

    box: Box
    points: Points  # (3, 2): the brow at the picture's left, the brow at its right, the nose.
    turned: bool = False

    @property
    def width(self) -> float:
        """Of its box."""
        return self.box[2]

    @property
    def middle(self) -> Points:
        """Of its box."""
        left, top, width, height = self.box
        return np.array([left + width / 2, top + height / 2])


class FaceFinder(Protocol):
    """Finds faces; asked for the frames of a video in their order."""

    def faces(self, frame: Pixels) -> list[Face]:
        """Every face in a frame (H, W, 3), RGB."""


def points_of(left: Any, right: Any, nose: Any = None) -> Points:
    """(3, 2) from the middles of both eyes; `nose`: how far it is to one side is taken from it.

    The proportions are those of one photograph (specification of LatentSync, section 13), not calibrated beyond it.
    """
    one, other = np.asarray(left, np.float64), np.asarray(right, np.float64)
    across = other - one
    down = np.array([-across[1], across[0]])
    middle = (one + other) / 2
    aside = 0.0 if nose is None else float((np.asarray(nose) - middle) @ across / max(float(across @ across), 1e-9))
    brows = one - 0.06 * across - 0.27 * down, other + 0.06 * across - 0.27 * down
    return np.array([*brows, middle + aside * across + 0.47 * down])
