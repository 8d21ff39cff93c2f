"""A drawn mouth that takes the place of the portrait's own: shapes by openness and width.

The portrait's own mouth is the closed one, so nothing is drawn at rest. An open mouth wears the portrait's
colours: the skin around the mouth, and the colour in it that stands out most.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw

from .mouth import OPENNESS, WIDTHS
from .picture import Pixels, Planes, planes_of

_FINE = 4  # Drawn this much larger, then averaged: smooth edges.
_RING = 2  # Pixels around the painted part, whose chroma also depends on what lies beyond.
_TEETH, _TONGUE = (244, 242, 236), (196, 92, 92)


class Lips:
    """Paints mouth shapes into the planes of a still; each shape is drawn once."""

    def __init__(self, rgb: Pixels, planes: Planes, box: Sequence[float]) -> None:
        height, width = rgb.shape[:2]
        x, y, w, h = (share * side for share, side in zip(box, (width, height, width, height), strict=True))
        self._width, self._height = w, max(h, 0.42 * w)
        left, right = _even(x - 0.75 * w, 0, width), _even(x + 0.75 * w + 2, 0, width)
        top, bottom = _even(y - h, 0, height), _even(y + h / 2 + 1.1 * self._height + 2, 0, height)
        self._middle = x - left, y - top
        self._own = rgb[top:bottom, left:right].copy()
        self._drawn: dict[tuple[int, int], Planes] = {}
        self._shown = (0, 0)
        self.fits = bool(right - left > 3 * _RING and bottom - top > 3 * _RING)
        if self.fits:
            size = (right - left - 2 * _RING, bottom - top - 2 * _RING)
            self._place = planes.part(left + _RING, top + _RING, *size)
            self._skin, self._line = self._colours()

    def show(self, openness: int, width: int) -> None:
        """Make the planes show one shape; openness 0 is the portrait's own mouth whatever the width."""
        shape = (openness, width if openness else 0)
        if not self.fits or shape == self._shown:
            return
        if shape not in self._drawn:
            self._drawn[shape] = self._planes(*shape)
        if (0, 0) not in self._drawn:
            self._drawn[0, 0] = self._planes(0, 0)
        for below, above in zip(self._place, self._drawn[shape], strict=True):
            below[:] = above
        self._shown = shape

    def _planes(self, openness: int, width: int) -> Planes:
        rgb = self._open(openness / OPENNESS, width / WIDTHS) if openness else self._own
        height, across = rgb.shape[:2]
        inner = planes_of(rgb).part(_RING, _RING, across - 2 * _RING, height - 2 * _RING)
        return Planes(*(plane.copy() for plane in inner))

    def _open(self, openness: float, width: float) -> Pixels:
        """The mouth on plain skin: a dark opening with teeth above and a tongue below, in a line of its own colour."""
        size = self._skin.shape[1] * _FINE, self._skin.shape[0] * _FINE
        picture = Image.fromarray(self._skin).resize(size, Image.Resampling.BILINEAR)
        half = self._width * (0.26 + 0.26 * width) * _FINE
        tall = self._height * (0.16 + 0.84 * openness) * _FINE
        x, y = (part * _FINE for part in self._middle)
        line = max(1.0, self._width * 0.035) * _FINE
        top, bottom = y - tall * 0.32, y + tall * 0.68
        draw = ImageDraw.Draw(picture)
        lip = (x - half - line, top - line, x + half + line, bottom + line)
        draw.rounded_rectangle(lip, _round(lip), fill=self._line)
        hole = (x - half, top, x + half, bottom)
        picture.paste(self._inside(hole, openness), (0, 0), _mask(size, hole))
        return np.asarray(picture.resize(self._skin.shape[1::-1], Image.Resampling.BOX), np.uint8)

    def _inside(self, hole: tuple[float, float, float, float], openness: float) -> Image.Image:
        size = self._skin.shape[1] * _FINE, self._skin.shape[0] * _FINE
        left, top, right, bottom = hole
        dark = tuple(channel * 30 // 100 for channel in self._line)
        picture = Image.new("RGB", size, dark)
        draw, tall = ImageDraw.Draw(picture), bottom - top
        if openness > 0.4:
            inset = (right - left) * 0.2
            draw.ellipse((left + inset, bottom - tall * 0.34, right - inset, bottom + tall * 0.4), fill=_TONGUE)
        if openness > 0.2:
            draw.rectangle((left, top, right, top + tall * 0.22), fill=_TEETH)
        return picture

    def _colours(self) -> tuple[Pixels, tuple[int, int, int]]:
        """The place without its mouth, grown together from around it; and the mouth's own colour."""
        mask = np.zeros(self._own.shape[:2], np.uint8)
        (x, y), w, h = self._middle, self._width, self._own.shape[0]
        cv2.rectangle(mask, (round(x - 0.56 * w), _RING + 1), (round(x + 0.56 * w), h - _RING - 2), 255, -1)
        tight = np.zeros_like(mask)
        tall = max(2.0, self._height / 2)
        cv2.rectangle(tight, (round(x - w / 2), round(y - tall)), (round(x + w / 2), round(y + tall)), 255, -1)
        around = self._own[mask == 0]
        skin = np.median(around, axis=0)
        inside = self._own[tight > 0].astype(np.int32)
        apart = np.abs(inside - skin).sum(axis=1)
        stands_out = inside[apart >= np.quantile(apart, 0.95)].mean(axis=0)
        if apart.max() < 60:  # No mouth to take a colour from.
            stands_out = skin * 0.45
        red, green, blue = (int(channel) for channel in stands_out)
        bare = cv2.inpaint(self._own, cv2.bitwise_and(mask, _grown(tight)), 3, cv2.INPAINT_TELEA)
        return np.asarray(bare, np.uint8), (red, green, blue)


def _grown(mask: Pixels) -> Pixels:
    """A mask grown by a few pixels, to take soft edges in."""
    return np.asarray(cv2.dilate(mask, np.ones((5, 5), np.uint8)), np.uint8)


def _mask(size: tuple[int, int], box: tuple[float, float, float, float]) -> Image.Image:
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).rounded_rectangle(box, _round(box), fill=255)
    return mask


def _round(box: tuple[float, float, float, float]) -> float:
    return min(box[2] - box[0], box[3] - box[1]) / 2


def _even(value: float, low: int, high: int) -> int:
    return int(min(high, max(low, value))) // 2 * 2
