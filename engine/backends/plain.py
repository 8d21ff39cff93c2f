"""The mouth of a drawn portrait: one plain ground, one mark on it; open, it wears the mark's colour."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw

from .picture import Pixels

_FINE = 4  # Drawn this much larger, then averaged: smooth edges.
_SAME, _NEAR = 9, 30  # Sums of three channels' differences: within one flat colour; where another begins.
_TEETH, _TONGUE = (255, 255, 255), (226, 108, 96)

Colour = tuple[int, int, int]
Edges = tuple[float, float, float, float]  # Left, top, right, bottom.


def ground(box: Pixels) -> Colour | None:
    """The flat colour on which a drawn mouth lies; None where half of the box and of its rim are not flat: a photo."""
    if box.shape[0] < 3 or box.shape[1] < 3:
        return None
    pixels = box.reshape(-1, 3).astype(np.int32)
    coarse = (pixels >> 4) @ np.array([256, 16, 1])
    colour = np.median(pixels[coarse == np.bincount(coarse).argmax()], axis=0)
    flat = np.abs(box - colour).sum(axis=2) < _SAME
    inset = len(flat) // 8  # The box may take in a little of what frames the ground.
    rim = np.concatenate([flat[[inset, -1 - inset]].ravel(), flat[:, [inset, -1 - inset]].ravel()])
    return _colour(colour) if min(flat.mean(), rim.mean()) > 0.5 else None


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

    def __call__(self, openness: float, width: float) -> Pixels:
        """The mouth's place with an openness and a width from 0 to 1."""
        left, top, right, bottom = (edge * _FINE for edge in self._hole(openness, width))
        hole = left, top, right, bottom
        size = self._bare.shape[1] * _FINE, self._bare.shape[0] * _FINE
        picture = Image.fromarray(self._bare).resize(size, Image.Resampling.NEAREST)
        line = max(1.0, min(self._rest[1] * 0.5, self._height * 0.06)) * _FINE
        rounded = width < 0.2 or openness < 0.25  # "Oo" is round, a slit is a pill; neither shows teeth.
        picture.paste(self._line, (0, 0), _shape(size, hole, rounded))
        inner = (left + line, top + line, right - line, bottom - line)
        if inner[3] - inner[1] > 2 * line:
            inside = self._inside(size, inner, openness, not rounded)
            picture.paste(inside, (0, 0), _shape(size, inner, rounded))
        return np.asarray(picture.resize(self._bare.shape[1::-1], Image.Resampling.BOX), np.uint8)

    def _hole(self, openness: float, width: float) -> Edges:
        """Around the mark, growing towards the box's middle: always inside the box."""
        across = min(self._width * 0.8, self._rest[0] * (0.5 + 0.7 * width))
        most = self._height * 0.8
        down = min(most, self._rest[1] + (most - self._rest[1]) * openness)
        across = max(across, down * 0.7)
        x, y = self._at[0], self._at[1] + (self._middle - self._at[1]) * openness
        return x - across / 2, y - down / 2, x + across / 2, y + down / 2

    def _inside(self, size: tuple[int, int], hole: Edges, openness: float, teeth: bool) -> Image.Image:
        left, top, right, bottom = hole
        picture = Image.new("RGB", size, _colour(np.asarray(self._line) * 0.55))
        draw, wide, tall = ImageDraw.Draw(picture), right - left, bottom - top
        if openness > 0.4:
            rise = tall * 0.42 * min(1.0, openness * 1.2)
            draw.ellipse((left + wide * 0.18, bottom - rise, right - wide * 0.18, bottom + tall), fill=_TONGUE)
        if teeth:
            draw.rectangle((left, top, right, top + min(tall * 0.26, self._height * 0.16 * _FINE)), fill=_TEETH)
        return picture


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


def _shape(size: tuple[int, int], edges: Edges, rounded: bool) -> Image.Image:
    """A mask: a half round below, and above too if it is rounded, else nearly straight."""
    left, top, right, bottom = edges
    wide, tall = right - left, bottom - top
    pill, lid = Image.new("L", size), Image.new("L", size)
    ImageDraw.Draw(pill).rounded_rectangle(edges, min(wide, tall) * 0.5, fill=255)
    if not rounded:
        ImageDraw.Draw(lid).rounded_rectangle(edges, min(wide, tall) * 0.3, fill=255)
        ImageDraw.Draw(lid).rectangle((left, top + tall * 0.5, right, bottom), fill=0)
    return ImageChops.lighter(pill, lid)


def _colour(channels: NDArray[np.float64], otherwise: Colour = (0, 0, 0)) -> Colour:
    if np.isnan(channels).any():
        return otherwise
    red, green, blue = (int(channel) for channel in channels)
    return red, green, blue
