"""Pictures as planes: RGB to Y'CbCr once, then moved, painted and blended as planes.

Everything is 8-bit, BT.709, limited range, 4:2:0 with chroma sited left: a chroma sample lies on every second
column of luma, and between two rows of it (H.273, chroma sample location type 0; H.264 annex E assumes it).
OpenCV's own I420 is BT.601 and sited in the middle, so the matrix and the siting are ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import BackendError
from ..frame import Box
from .recipe import View

cv2.setNumThreads(1)  # Scenes run side by side, one to a core.

Pixels: TypeAlias = NDArray[np.uint8]

_RED, _BLUE = 0.2126, 0.0722  # Luma's shares in BT.709; green has the rest.
_LUMA = np.array([_RED, 1 - _RED - _BLUE, _BLUE])
_TO_Y = np.append(_LUMA * 219 / 255, 16)[None]
_TO_U = np.append((np.array([0, 0, 1]) - _LUMA) / (1 - _BLUE) / 2 * 224 / 255, 128)[None]
_TO_V = np.append((np.array([1, 0, 0]) - _LUMA) / (1 - _RED) / 2 * 224 / 255, 128)[None]


class Planes(NamedTuple):
    """Luma of height x width; blue and red chroma of half of each."""

    y: Pixels
    u: Pixels
    v: Pixels

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.y.shape[1], self.y.shape[0]

    def part(self, x: int, y: int, width: int, height: int) -> Planes:
        """A window onto the same memory; all four numbers are even."""
        half = np.s_[y // 2 : (y + height) // 2, x // 2 : (x + width) // 2]
        return Planes(self.y[y : y + height, x : x + width], self.u[half], self.v[half])


def read_still(path: Path) -> Pixels:
    """The RGB pixels of a still. Raises BackendError where it is no picture."""
    data = np.fromfile(path, np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if data.size else None
    if pixels is None:
        raise BackendError("the still cannot be decoded as a picture", "`mikebot verify` finds damaged files.")
    return np.asarray(pixels, np.uint8)


def resized(rgb: Pixels, width: int, height: int) -> Pixels:
    """A picture at another size: averaged when it shrinks, cubic when it grows."""
    if rgb.shape[:2] == (height, width):
        return rgb
    shrinks = width <= rgb.shape[1] and height <= rgb.shape[0]
    scaled = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.asarray(scaled, np.uint8)


def planes_of(rgb: Pixels) -> Planes:
    """RGB of even size as planes.

    Chroma is averaged over two rows and weighted 1-2-1 over the columns around its site. The matrix comes
    last: being linear, it may, and then has a quarter of the pixels to do.
    """
    height, width = rgb.shape[:2]
    rows = cv2.resize(rgb, (width, height // 2), interpolation=cv2.INTER_AREA)
    weights = np.array([0.25, 0.5, 0.25])
    level = cv2.sepFilter2D(rows, -1, weights, np.ones(1), borderType=cv2.BORDER_REPLICATE)
    sited = np.asarray(level[:, ::2], np.uint8)
    return Planes(_times(rgb, _TO_Y), _times(sited, _TO_U), _times(sited, _TO_V))


class Sight(NamedTuple):
    """Where in a source an output's pixels come from: steps, and the first one's place, in luma."""

    sx: float
    sy: float
    x: float
    y: float


def sight(source: Planes, view: View, out: Planes) -> Sight:
    """What a view means in pixels: a pixel's middle lies at one half, so output x shows x0 + (x + 1/2) * step - 1/2."""
    (across, down), (width, height) = source.size, out.size
    sx, sy = across / view.zoom / width, down / view.zoom / height
    x = view.x * across - (width * sx - sx + 1) / 2
    y = view.y * down - (height * sy - sy + 1) / 2
    return Sight(sx, sy, x, y)


def warp(source: Planes, view: View, out: Planes, hole: Box | None = None) -> None:
    """Fill `out`, but not an even `hole` in it, with what a view sees of the source, to a fraction of a pixel.

    Chroma at column k lies on luma column 2k, and at row k on luma row 2k + 1/2: hence the two different shifts.
    """
    sx, sy, x, y = sight(source, view, out)
    for box in around(out.size, hole):
        part = out.part(*box)
        left, top = x + box.x * sx, y + box.y * sy
        _move(source.y, part.y, sx, sy, left, top)
        left, top = left / 2, (top + sy / 2 - 0.5) / 2
        _move(source.u, part.u, sx, sy, left, top)
        _move(source.v, part.v, sx, sy, left, top)


def around(size: tuple[int, int], hole: Box | None) -> list[Box]:
    """What of a picture lies around a hole: above, left, right and below."""
    width, height = size
    if hole is None:
        return [Box(0, 0, width, height)]
    right, bottom = hole.x + hole.width, hole.y + hole.height
    parts = [
        Box(0, 0, width, hole.y),
        Box(0, hole.y, hole.x, hole.height),
        Box(right, hole.y, width - right, hole.height),
        Box(0, bottom, width, height - bottom),
    ]
    return [part for part in parts if part.width > 0 and part.height > 0]


def blend(out: Planes, paint: Planes, alpha: Pixels, half_alpha: Pixels) -> None:
    """Lay `paint` over `out` with a coverage of 0..255 for luma, and one of half the size for chroma."""
    for below, above, cover in zip(out, paint, (alpha, half_alpha, half_alpha), strict=True):
        weight = cover.astype(np.int16)
        below[:] = below + ((above.astype(np.int16) - below) * weight + 127) // 255


def _times(rgb: Pixels, matrix: NDArray[np.float64]) -> Pixels:
    return np.asarray(cv2.transform(rgb, matrix), np.uint8)


def _move(source: Pixels, out: Pixels, sx: float, sy: float, x: float, y: float) -> None:
    matrix = np.array([[sx, 0, x], [0, sy, y]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cv2.warpAffine(source, matrix, out.shape[::-1], dst=out, flags=flags, borderMode=cv2.BORDER_REPLICATE)
