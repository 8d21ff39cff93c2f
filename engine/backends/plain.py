"""The mouth of a drawn portrait: one plain ground, one mark on it; open, it wears the mark's colour."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from . import outline
from .phones import APART, ON_LIP, TOGETHER
from .picture import Pixels

_SAME, _NEAR = 9, 30  # Sums of three channels' differences: within one flat colour; where another begins.
_TEETH, _TONGUE = (255, 255, 255), (226, 108, 96)

Colour = tuple[int, int, int]
Edges = tuple[float, float, float, float]  # Left, top, right, bottom.


def ground(box: Pixels) -> Colour | None:
    """The flat colour on which a drawn mouth lies; None where half of the box and of its rim are not flat: a photo."""
    if box.shape[0] < 3 or box.shape[1] < 3:
        return None
    colour, flat = _flat(box)
    inset = len(flat) // 8  # The box may take in a little of what frames the ground.
    rim = np.concatenate([flat[[inset, -1 - inset]].ravel(), flat[:, [inset, -1 - inset]].ravel()])
    return colour if min(flat.mean(), rim.mean()) > 0.5 else None


def ground_around(rgb: Pixels, box: Edges) -> Colour | None:
    """The flat colour of the ring around a drawn eye (its middle, width and height); None around a photo's."""
    x, y, width, height = box
    wide, high = width * 0.56 + 2, height * 0.56 + 2  # Clear of the eye's soft edge, also in a small picture.
    part = rgb[max(0, round(y - high)) : round(y + high), max(0, round(x - wide)) : round(x + wide)]
    if min(part.shape[:2]) < 4:
        return None
    rim = np.concatenate([part[[0, -1]].reshape(-1, 3), part[:, [0, -1]].reshape(-1, 3)])[None]
    colour, flat = _flat(np.asarray(rim, np.uint8))
    return colour if flat.mean() > 0.8 else None


class Plain:
    """Paints an open mouth where the mark was: a hole in the mark's colour, teeth above, a tongue below."""

    def __init__(self, own: Pixels, box: Edges, colour: Colour) -> None:
        x, y, self._width, self._height = box
        mark = _mark(own, box, colour)
        rows, columns = np.nonzero(mark)
        self._bare = own.copy()
        self._bare[cv2.dilate(mark, np.ones((5, 5), np.uint8)) > 0] = colour
        self._at, self._rest = (x, y), (self._width * 0.6, self._height * 0.12)
        self._line = _colour(np.asarray(colour) * 0.2)
        if rows.size:
            self._line = _colour(np.median(own[cv2.erode(mark, np.ones((3, 3), np.uint8)) > 0], axis=0), self._line)
            self._at = (float(columns.min() + columns.max() + 1) / 2, float(rows.min() + rows.max() + 1) / 2)
            self._rest = (float(np.ptp(columns) + 1), float(np.ptp(rows) + 1))
        self._middle = y

    def __call__(self, openness: float, width: float, teeth: int = APART) -> Pixels:
        """The mouth's place with an openness and a width from 0 to 1."""
        size, hole = self._bare.shape[1::-1], self._hole(openness, width)
        line = max(1.0, min(self._rest[1] * 0.5, self._height * 0.07))
        left, top, right, bottom = hole
        inner = (left + line, top + line, right - line, bottom - line * (1.6 if teeth == ON_LIP else 1.0))
        outer = outline.mouth(size, hole, openness, width)
        picture = _laid(self._bare.astype(np.float32), self._line, outer)
        if inner[3] - inner[1] > 1.2 * line:
            inside = outline.mouth(size, inner, openness, width)
            picture = self._filled(picture, inner, inside, (openness, width, teeth))
        return np.asarray(picture + 0.5, np.uint8)

    def _hole(self, openness: float, width: float) -> Edges:
        """Around the mark, growing towards the box's middle: always inside the box, and near rest like the mark."""
        grown = outline.eased(openness / 0.3)
        most = self._height * 0.8
        down = min(most, self._rest[1] + (most - self._rest[1]) * openness)
        across = max(min(self._width * 0.8, self._rest[0] * (0.42 + 0.75 * width)), down * 0.8)
        across = self._rest[0] + (across - self._rest[0]) * grown
        x, y = self._at[0], self._at[1] + (self._middle - self._at[1]) * openness
        return x - across / 2, y - down / 2, x + across / 2, y + down / 2

    def _filled(
        self, picture: NDArray[np.float32], hole: Edges, inside: NDArray[np.float32], shape: tuple[float, float, int]
    ) -> NDArray[np.float32]:
        """What shows in the hole: the dark, a tongue when it is wide open, teeth unless the lips are round."""
        left, top, right, bottom = hole
        openness, width, teeth = shape
        size, wide, tall = self._bare.shape[1::-1], right - left, bottom - top
        dark = _colour(np.asarray(self._line) * 0.55)
        picture = _laid(picture, dark, inside)
        rise = tall * 0.45 * outline.eased((openness - 0.3) / 0.4) * outline.eased((width - 0.1) / 0.3)
        if rise > 0:
            tongue = outline.ellipse(size, (left + wide * 0.16, bottom - rise, right - wide * 0.16, bottom + tall))
            picture = _laid(picture, _TONGUE, np.minimum(tongue, inside))
        shown = min(tall * 0.28, self._height * 0.16)
        shown *= outline.eased((width - 0.12) / 0.25) * outline.eased((openness - 0.12) / 0.25)
        if teeth != APART:
            shown = tall if teeth == TOGETHER else tall * 0.7
        picture = _laid(picture, _TEETH, np.minimum(outline.box(size, (left, top, right, top + shown)), inside))
        if teeth == TOGETHER:  # The line between both rows.
            thin, middle = max(0.5, tall * 0.06), (top + bottom) / 2
            between = outline.box(size, (left, middle - thin, right, middle + thin))
            picture = _laid(picture, dark, np.minimum(between, inside) * np.float32(0.6 * outline.eased(tall / 10)))
        return picture


def _flat(box: Pixels) -> tuple[Colour, NDArray[np.bool_]]:
    """The commonest colour, and where it is."""
    pixels = box.reshape(-1, 3).astype(np.int32)
    coarse = (pixels >> 4) @ np.array([256, 16, 1])
    colour = np.median(pixels[coarse == np.bincount(coarse).argmax()], axis=0)
    return _colour(colour), np.abs(box - colour).sum(axis=2) < _SAME


def _laid(below: NDArray[np.float32], colour: Colour, cover: NDArray[np.float32]) -> NDArray[np.float32]:
    return below + (np.asarray(colour, np.float32) - below) * cover[..., None]


def _mark(own: Pixels, box: Edges, colour: Colour) -> Pixels:
    """The portrait's own mouth: what differs from the ground inside the box and does not reach its rim."""
    x, y, width, height = box
    left, top = max(0, round(x - width / 2)), max(0, round(y - height / 2))
    inside = own[top : round(y + height / 2), left : round(x + width / 2)].astype(np.int32)
    differs = (np.abs(inside - np.asarray(colour)).sum(axis=2) >= _NEAR).astype(np.uint8)
    count, labels = cv2.connectedComponents(differs)
    rim = set(labels[[0, -1]].ravel()) | set(labels[:, [0, -1]].ravel())
    mark = np.zeros(own.shape[:2], np.uint8)
    mark[top : top + inside.shape[0], left : left + inside.shape[1]] = np.isin(
        labels, [n for n in range(1, count) if n not in rim]
    )
    return mark


def _colour(channels: NDArray[np.float64], otherwise: Colour = (0, 0, 0)) -> Colour:
    if np.isnan(channels).any():
        return otherwise
    red, green, blue = (int(channel) for channel in channels)
    return red, green, blue
