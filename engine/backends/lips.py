"""A mouth that takes the place of the portrait's own: shapes by openness and width, inside the portrait's mouth box.

The portrait's own mouth is the closed one, so nothing is painted at rest. Where the box holds one plain colour
with a mark on it, the portrait is drawn: the mark goes, and a mouth in its colours takes its place (`plain`).
Anything else is taken for a photo, whose lower lip and chin move down (`parted`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from . import parted, plain
from .mouth import OPENNESS, WIDTHS
from .picture import Pixels, Planes, planes_of

_RING = 2  # Pixels around the painted part, whose chroma also depends on what lies beyond.


class Lips:
    """Paints mouth shapes into the planes of a still; each shape is drawn once."""

    def __init__(self, rgb: Pixels, planes: Planes, box: Sequence[float]) -> None:
        height, width = rgb.shape[:2]
        x, y, w, h = (share * side for share, side in zip(box, (width, height, width, height), strict=True))
        ground = plain.ground(_cut(rgb, x - w / 2, y - h / 2, x + w / 2, y + h / 2))
        reach = (0.5, 0.5, 0.5) if ground is not None else parted.reach(w, h)
        side, above, below = reach[0] * w, reach[1] * h, reach[2] * h
        left, right = _even(x - side, 0, width), _even(x + side + 2, 0, width)
        top, bottom = _even(y - above, 0, height), _even(y + below + 2, 0, height)
        self._drawn: dict[tuple[int, int], Planes] = {}
        self._shown = (0, 0)
        self.fits = right - left > 3 * _RING and bottom - top > 3 * _RING
        if not self.fits:
            return
        self._own = rgb[top:bottom, left:right].copy()
        size = right - left - 2 * _RING, bottom - top - 2 * _RING
        self._place = planes.part(left + _RING, top + _RING, *size)
        at = (x - left, y - top, w, h)
        self._paint: Callable[[float, float], Pixels] = (
            parted.Parted(self._own, at) if ground is None else plain.Plain(self._own, at, ground)
        )

    def show(self, openness: int, width: int) -> None:
        """Make the planes show one shape; openness 0 is the portrait's own mouth whatever the width."""
        shape = (openness, width if openness else 0)
        if not self.fits or shape == self._shown:
            return
        for wanted in ((0, 0), shape):
            if wanted not in self._drawn:
                self._drawn[wanted] = self._planes(*wanted)
        for below, above in zip(self._place, self._drawn[shape], strict=True):
            below[:] = above
        self._shown = shape

    def _planes(self, openness: int, width: int) -> Planes:
        rgb = self._paint(openness / OPENNESS, width / WIDTHS) if openness else self._own
        height, across = rgb.shape[:2]
        inner = planes_of(rgb).part(_RING, _RING, across - 2 * _RING, height - 2 * _RING)
        return Planes(*(plane.copy() for plane in inner))


def _cut(rgb: Pixels, left: float, top: float, right: float, bottom: float) -> Pixels:
    rows, columns = slice(max(0, round(top)), max(0, round(bottom))), slice(max(0, round(left)), max(0, round(right)))
    return np.asarray(rgb[rows, columns], np.uint8)


def _even(value: float, low: int, high: int) -> int:
    return int(min(high, max(low, value))) // 2 * 2
