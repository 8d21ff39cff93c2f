"""A picture of another shape shown whole: in the middle of a soft, dark copy of itself."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np

from .picture import Pixels, Planes

_SOFT = 24  # The ground is blurred at this many pixels across its shorter side, then enlarged.
_LIGHT, _COLOUR = 0.34, 0.5  # What is left of its light, and of its colour.


def within(shape: tuple[Fraction, Fraction], wide: int, high: int) -> tuple[int, int]:
    """The largest even size of a shape inside a rectangle; a sliver less than it is taken for the whole."""
    scale = min(wide / shape[0], high / shape[1])
    across, down = (max(2, round(side * scale / 2) * 2) for side in shape)
    return min(wide, across), min(high, down)


def framed(covering: Planes, picture: Planes) -> Planes:
    """A picture in the middle of what covers the whole, which becomes its ground."""
    levels = (16, _LIGHT), (128, _COLOUR), (128, _COLOUR)
    whole = Planes(*(_soft(plane, *level) for plane, level in zip(covering, levels, strict=True)))
    (wide, high), (across, down) = whole.size, picture.size
    place = whole.part((wide - across) // 4 * 2, (high - down) // 4 * 2, across, down)
    for target, plane in zip(place, picture, strict=True):
        target[:] = plane
    return whole


def soft_picture(rgb: Pixels) -> Pixels:
    """The ground of a picture in RGB."""
    return np.stack([_soft(np.ascontiguousarray(rgb[..., channel]), 0, _LIGHT) for channel in range(3)], axis=2)


def _soft(plane: Pixels, rest: int, share: float) -> Pixels:
    """Without detail, and nearer to `rest`: black for luma, grey for chroma."""
    high, wide = plane.shape
    scale = _SOFT / min(wide, high)
    small = cv2.resize(plane, (max(2, round(wide * scale)), max(2, round(high * scale))), interpolation=cv2.INTER_AREA)
    dim = rest + (cv2.GaussianBlur(small, (0, 0), 2.2).astype(np.float32) - rest) * share
    return np.asarray(np.rint(cv2.resize(dim, (wide, high), interpolation=cv2.INTER_CUBIC)).clip(0, 255), np.uint8)
