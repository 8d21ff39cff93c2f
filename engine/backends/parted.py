"""The mouth of a photo: its lower lip and chin move down, and a dark mouth shows between the lips."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .phones import APART, ON_LIP, TOGETHER
from .picture import Pixels

_SIDE, _CHIN = 0.8, 1.0  # How far beyond the mouth its cheeks and chin move, in widths of the mouth.
_UP = 0.2  # Of the opening lies above the line between the lips.
_TEETH, _DARK = np.array([226.0, 220.0, 210.0]), np.array([44.0, 18.0, 18.0])


def reach(width: float, height: float) -> tuple[float, float, float]:
    """How far around its middle a mouth of this size is painted: aside in widths, above and below in heights."""
    return _SIDE, max(1.0, 0.5 * width / height), _CHIN * width / height


class Parted:
    """Paints an open mouth by moving what lies below the line between the lips."""

    def __init__(self, own: Pixels, box: tuple[float, float, float, float]) -> None:
        self._own = own
        self._x, self._y, self._width, height = box
        self._most = min(max(height, self._width * 0.35), self._width * 0.5)
        self._rows, self._columns = np.mgrid[: own.shape[0], : own.shape[1]].astype(np.float32) + np.float32(0.5)

    def __call__(self, openness: float, width: float, teeth: int = APART) -> Pixels:
        """The mouth's place with an openness and a width from 0 to 1."""
        half = self._width * (0.26 + 0.2 * width)
        aside = (self._columns - self._x) / half
        gap = self._most * openness * np.clip(1 - aside**2, 0, None) ** 0.8
        moved = self._moved(openness, width).astype(np.float32)
        top, bottom = self._y - gap * _UP, self._y + gap * (1 - _UP)
        soft = max(1.0, self._width * 0.02)
        inside = _under(self._rows - top, soft) * _under(bottom - self._rows, soft) * np.clip(gap / soft, 0, 1)
        shown = {TOGETHER: 1.0, ON_LIP: 0.75}.get(teeth, 0.3 * min(1.0, openness * 4))
        # Teeth lie in the lips' shade, most of all at the sides.
        lit = (0.55 + 0.45 * np.clip((self._rows - top) / (soft * 4), 0, 1)) * np.clip(1.15 - 0.5 * aside**2, 0, 1)
        white = _under(top + gap * shown - self._rows, soft)
        if teeth == TOGETHER:
            white = white * (1 - 0.5 * np.exp(-(((self._rows - (top + bottom) / 2) / (soft * 0.6)) ** 2)))
        mouth = _DARK + (_TEETH * lit[..., None] - _DARK) * white[..., None]
        return np.asarray(np.clip(moved + (mouth - moved) * inside[..., None], 0, 255), np.uint8)

    def _moved(self, openness: float, width: float) -> Pixels:
        """The face pulled apart at the line between the lips; nothing moves at the edges of the place."""
        columns = self._columns - self._x
        near = np.clip(1 - (columns / (self._width * _SIDE)) ** 2, 0, 1) ** 2
        away = self._rows - self._y
        share = np.where(away > 0, 1 - away / (self._width * _CHIN), 1 + away / (self._width * 0.5))
        fades = near * np.clip(share, 0, 1) ** 2
        shift = self._most * openness * np.where(away > 0, 1 - _UP, -_UP) * fades
        # Neither lip reaches over the line: what lies there shows through the opening only.
        source = self._rows - shift
        source = np.where(away > 0, np.maximum(source, self._y), np.minimum(source, self._y)).astype(np.float32)
        # Lips round up to a third narrower, and spread a little.
        squeeze = np.clip((0.5 - width) * 0.6, -0.1, 0.3) * min(1.0, openness * 4) * fades
        across = (self._columns + columns * squeeze).astype(np.float32)
        moved = cv2.remap(self._own, across - 0.5, source - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.uint8)


def _under(depth: NDArray[np.float32], soft: float) -> NDArray[np.float32]:
    """From 0 to 1 within a soft edge."""
    return np.asarray(np.clip(depth / soft + 0.5, 0, 1), np.float32)
