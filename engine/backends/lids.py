"""Eyes that shut: a drawn eye is squashed to a line on its ground, a photo's upper lid is stretched down."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from .blinks import LIDS
from .painted import Painted
from .picture import Pixels, Planes
from .plain import Colour, ground_around

_LINE = 0.15  # What is left of a drawn eye's height when it is shut.
_BROW = 0.55  # How far above a photo's eye its lid begins to stretch, in heights of the eye.


class Lids:
    """Paints one eye's lid into the planes of a still; each step is drawn once."""

    def __init__(self, rgb: Pixels, planes: Planes, box: Sequence[float]) -> None:
        height, width = rgb.shape[:2]
        x, y, w, h = (share * side for share, side in zip(box, (width, height, width, height), strict=True))
        colour = ground_around(rgb, (x, y, w, h))
        aside, above, below = (0.56, 0.56, 0.56) if colour is not None else (0.6, 0.5 + _BROW, 0.6)
        ring = 2  # Of drawn ground around the eye's soft edge.
        self._place = Painted(
            rgb, planes, (x - w * aside - ring, y - h * above - ring, x + w * aside + ring, y + h * below + ring)
        )
        if not self._place.fits:
            return
        at = (x - self._place.left, y - self._place.top, w, h)
        own = self._place.own
        self._paint: Callable[[float], Pixels] = (
            (lambda down: _squashed(own, at, colour, down))
            if colour is not None
            else (lambda down: _lowered(own, at, down))
        )

    def show(self, lid: int) -> None:
        """Lower the lid to a step from 0 (the portrait's own eye) to LIDS (shut)."""
        if self._place.fits:
            self._place.show(lid or None, lambda: self._paint(lid / LIDS))


def _squashed(own: Pixels, at: tuple[float, float, float, float], colour: Colour, down: float) -> Pixels:
    """The eye on its ground, as high as is left of it, a little below its middle."""
    height, width = own.shape[:2]
    left = max(_LINE, 1 - down * (1 - _LINE))
    middle = at[1] + at[3] * 0.12 * down
    # Averaged rows: as many of the eye's as go into one.
    fine = 8
    rows = np.full((height * fine, width, 3), colour, np.uint8)
    tall = cv2.resize(own, (width, max(1, round(height * fine * left))), interpolation=cv2.INTER_AREA)
    top = round((middle - at[1] * left) * fine)
    first, last = max(0, top), min(len(rows), top + len(tall))
    rows[first:last] = tall[first - top : last - top]
    return np.asarray(cv2.resize(rows, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _lowered(own: Pixels, at: tuple[float, float, float, float], down: float) -> Pixels:
    """The skin above the eye drawn down over it, to a dark edge of lashes; the eye's outline is an ellipse."""
    x, y, w, h = at
    rows, columns = np.mgrid[: own.shape[0], : own.shape[1]].astype(np.float32) + np.float32(0.5)
    arch = np.sqrt(np.clip(1 - ((columns - x) / (w * 0.53)) ** 2, 0, 1))
    upper, lower = y - h * 0.5 * arch, y + h * 0.38 * arch
    edge, brow = upper + (lower - upper) * down, y - h * (0.5 + _BROW)
    share = np.clip((rows - brow) / np.maximum(edge - brow, 1), 0, 1)
    # Most of the stretch lies near the edge: the brow hardly moves.
    pull = (edge - upper) * share**1.5
    source = np.where(rows <= edge, rows - pull, rows).astype(np.float32)
    skin = cv2.remap(own, columns - 0.5, source - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    soft = max(1.0, h * 0.03)
    covers = (np.clip((edge - rows) / soft + 0.5, 0, 1) * (arch > 0))[..., None]
    lash = np.exp(-(((rows - edge) / (h * 0.05)) ** 2))[..., None] * (arch**0.5)[..., None] * min(1.0, down * 2) * 0.6
    mixed = own + (skin.astype(np.float32) - own) * covers
    return np.asarray(np.clip(mixed * (1 - lash * 0.75), 0, 255), np.uint8)
