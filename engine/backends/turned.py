"""A head's movement as a warp of the still around it: whole inside, fading out at its rim, so nothing tears.

The warp is worked out together with the camera's: a pixel is sampled once, not twice. Its field is a product of
one profile across and one down, so the maps take a product and a difference for each pixel.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ..frame import Box
from .head import Pose
from .picture import Pixels, Planes, sight
from .recipe import View

Floats = NDArray[np.float32]


class Room(NamedTuple):
    """Where a head is whole, and how far around it its movement fades; luma pixels of the source."""

    left: float
    top: float
    right: float
    chin: float
    side: float
    below: float
    height: float  # Of the portrait: what poses are shares of.

    def field(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """How much of the movement there is at columns and at rows, from 0 to 1."""
        across = np.minimum(x - self.left, self.right - x) / self.side + 1
        down = np.minimum((y - self.top) / self.side, (self.chin - y) / self.below) + 1
        return _eased(across), _eased(down)


def room(face: Mapping[str, Any], size: tuple[int, int]) -> Room:
    """The room of a head, from a recipe's `face`: its portrait's box and chin as shares of the still."""
    x, y, width, height = (share * side for share, side in zip(face["place"], (*size, *size), strict=True))
    chin = face["chin"] * size[1]
    return Room(x, y, x + width, chin, max(8.0, width * 0.1), max(8.0, (y + height - chin) * 0.6), height)


def region(source: Planes, view: View, head: Room, out: Planes) -> Box | None:
    """The even box of `out` in which a head and its rim are seen; None where they are not."""
    sx, sy, x, y = sight(source, view, out)
    width, height = out.size
    left, right = (_even((edge - x) / sx, width) for edge in (head.left - head.side, head.right + head.side + 4))
    top, bottom = (_even((edge - y) / sy, height) for edge in (head.top - head.side, head.chin + head.below + 4))
    return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None


def turn(source: Planes, view: View, pose: Pose, head: Room, out: Planes, box: Box) -> None:
    """Draw a head in its pose, as the view sees it (picture.warp), into its region of `out`."""
    sx, sy, x, y = sight(source, view, out)
    xs = np.asarray(x + sx * np.arange(box.x, box.x + box.width), np.float32)
    ys = np.asarray(y + sy * np.arange(box.y, box.y + box.height), np.float32)
    part = out.part(*box)
    _sample(source.y, part.y, _maps(xs, ys, pose, head))
    # Chroma lies on even columns of luma, and between two rows: at luma row 2k + 1/2, in the source as in the picture.
    between = np.asarray((ys[::2] + ys[1::2]) / 2, np.float32)
    columns, rows = _maps(xs[::2], between, pose, head)
    halves = columns / np.float32(2), (rows - np.float32(0.5)) / np.float32(2)
    for plane, below in zip(source[1:], part[1:], strict=True):
        _sample(plane, below, halves)


def _maps(xs: Floats, ys: Floats, pose: Pose, head: Room) -> tuple[Floats, Floats]:
    """Where in the source each pixel of a grid comes from: against the movement, turned around the chin."""
    roll = math.radians(pose.roll)
    fx, fy = head.field(xs, ys)
    middle = (head.left + head.right) / 2
    aside = fy * (pose.x * head.height - roll * (ys - head.chin))
    down = fx * (pose.y * head.height + roll * (xs - middle))
    # No matrix products: BLAS would spread them over the cores that other scenes run on.
    columns, rows = aside[:, None] * fx, fy[:, None] * down
    return np.subtract(xs, columns, out=columns), np.subtract(ys[:, None], rows, out=rows)


def _sample(plane: Pixels, out: Pixels, maps: tuple[Floats, Floats]) -> None:
    out[:] = cv2.remap(plane, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _eased(share: Floats) -> Floats:
    share = np.clip(share, 0, 1).astype(np.float32)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _even(value: float, most: int) -> int:
    return int(min(most, max(0.0, value))) // 2 * 2
