"""A mouth that takes the place of the portrait's own: shapes by openness, width and teeth.

The portrait's own mouth is the closed one, so nothing is painted at rest. Where the box holds one plain colour
with a mark on it, the portrait is drawn: the mark goes, and a mouth in its colours takes its place (`plain`).
Anything else is taken for a photo, whose lower lip and chin move down (`parted`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from . import parted, plain
from .mouth import OPENNESS, WIDTHS
from .painted import Painted
from .picture import Pixels, Planes


class Lips:
    """Paints mouth shapes into the planes of a still; each shape is drawn once."""

    def __init__(self, rgb: Pixels, planes: Planes, box: Sequence[float]) -> None:
        height, width = rgb.shape[:2]
        x, y, w, h = (share * side for share, side in zip(box, (width, height, width, height), strict=True))
        ground = plain.ground(_cut(rgb, x - w / 2, y - h / 2, x + w / 2, y + h / 2))
        side, above, below = (0.5, 0.5, 0.5) if ground is not None else parted.reach(w, h)
        self._place = Painted(rgb, planes, (x - side * w, y - above * h, x + side * w, y + below * h))
        if not self._place.fits:
            return
        at = (x - self._place.left, y - self._place.top, w, h)
        own = self._place.own
        painter = parted.Parted(own, at) if ground is None else plain.Plain(own, at, ground)
        self._paint: Callable[[float, float, int], Pixels] = painter.__call__

    def show(self, openness: int, width: int = 0, teeth: int = 0) -> None:
        """Make the planes show one shape; openness 0 is the portrait's own mouth whatever the rest."""
        if self._place.fits:
            shape = (openness, width, teeth) if openness else None
            self._place.show(shape, lambda: self._paint(openness / OPENNESS, width / WIDTHS, teeth))


def _cut(rgb: Pixels, left: float, top: float, right: float, bottom: float) -> Pixels:
    rows, columns = slice(max(0, round(top)), max(0, round(bottom))), slice(max(0, round(left)), max(0, round(right)))
    return np.asarray(rgb[rows, columns], np.uint8)
