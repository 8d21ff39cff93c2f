"""Captions drawn into the picture: each once, as a patch that is blended into the planes.

White type on a dark plate that lets a little through: on any picture the type has 4.5 times the plate's
luminance, which is what WCAG 2 asks of small text.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw

from ..frame import Box
from ..kinds import SAMPLE_RATE, first_sample
from .bidi import rightmost_first
from .captions import Cue, cues
from .fonts import draw, length
from .picture import Pixels, Planes, blend, planes_of
from .themes import THEMES

if TYPE_CHECKING:
    from .pictures import Frames

_SMALLEST = 6  # Pixels; smaller type cannot be read.
_SAFE = 0.05  # Of each side, kept free (EBU R 95).
_LOW = 0.06  # Of the height, kept free below.
_TALL = 0.16  # In a tall picture: an app lays its buttons and its title over the rest.
_TYPE, _PLATE, _COVER = 250, 12, 168  # Levels of grey; how much of the picture the plate covers, of 255.
_LEADING = 1.28


class Patch(NamedTuple):
    """A caption's picture, its coverage for luma and for chroma, and where it goes."""

    paint: Planes
    alpha: Pixels
    half: Pixels
    x: int
    y: int


class Burned:
    """Other frames with the captions of a narration on top."""

    def __init__(
        self,
        below: Frames,
        timing: Path,
        size: tuple[int, int],
        frames: int,
        fps: Fraction,
        theme: str = "studio",
        mouth: Box | None = None,
    ) -> None:
        said = json.loads(timing.read_bytes())
        self._below, self._size, self._fps = below, size, fps
        self._cues = cues(said["words"], said["rate"], first_sample(frames, fps) * said["rate"] // SAMPLE_RATE)
        self._theme, self._mouth = theme, mouth
        self._next = 0  # The first cue that has not ended yet.
        self._shown: tuple[Cue, Patch | None] | None = None

    def key(self, frame: int) -> Hashable:
        """What is below, and the caption."""
        return self._below.key(frame), self._cue(frame)

    def draw(self, frame: int, out: Planes) -> None:
        """The frame below, then the caption of that moment."""
        self._below.draw(frame, out)
        cue = self._cue(frame)
        if cue is None:
            return
        if self._shown is None or self._shown[0] != cue:
            self._shown = cue, drawn(cue.lines, *self._size, self._theme, self._mouth)
        patch = self._shown[1]
        if patch is not None:
            height, width = patch.alpha.shape
            blend(out.part(patch.x, patch.y, width, height), patch.paint, patch.alpha, patch.half)

    def _cue(self, frame: int) -> Cue | None:
        sample = first_sample(frame, self._fps)
        while self._next < len(self._cues) and self._cues[self._next].end <= sample:
            self._next += 1
        if self._next == len(self._cues) or self._cues[self._next].start > sample:
            return None
        return self._cues[self._next]


def drawn(
    lines: tuple[str, ...], width: int, height: int, theme: str = "studio", mouth: Box | None = None
) -> Patch | None:
    """A caption, centred in the lower safe area, or in the upper one where it would lie over the mouth.

    None where the picture is too small for a single line.
    """
    size, lines = _set(lines, width, height)
    if not lines:
        return None
    pad, leading = round(size * 0.4), round(size * _LEADING)
    across = _even(min(width * (1 - _SAFE), max(length(line, size) for line in lines) + 3 * pad))
    down = _even(leading * len(lines) + pad)
    plate, picture = Image.new("L", (across * 2, down * 2)), Image.new("RGB", (across, down), plate_of(theme))
    ImageDraw.Draw(plate).rounded_rectangle((0, 0, across * 2 - 1, down * 2 - 1), pad * 2, fill=_COVER)
    drawer, leftward = ImageDraw.Draw(picture), rightmost_first(" ".join(lines))
    for number, line in enumerate(lines):
        at = (across - length(line, size)) / 2, pad / 2 + leading * number + size * 0.98
        draw(drawer, at, line, size, (_TYPE,) * 3, leftward=leftward)
    paint = planes_of(np.asarray(picture, np.uint8))
    solid = np.clip((paint.y.astype(np.int16) - 30) * 3, 0, 255).astype(np.uint8)
    alpha = np.maximum(np.asarray(plate.reduce(2), np.uint8), solid)
    half = np.asarray(cv2.resize(alpha, (across // 2, down // 2), interpolation=cv2.INTER_AREA), np.uint8)
    y = _even(height * (1 - low(width, height)) - down)
    if mouth is not None and mouth.y < y + down and mouth.y + mouth.height > y:
        y = _even(height * _SAFE)
    return Patch(paint, alpha, half, (width - across) // 4 * 2, y)


def low(width: int, height: int) -> float:
    """The share of the height that is kept free below: more in a tall picture, over which an app lays its buttons."""
    return _TALL if height > width else _LOW


def plate_of(theme: str) -> tuple[int, int, int]:
    """A theme's ground, as dark as white type on it needs: themes differ in hue alone."""
    ground = THEMES[theme].ground
    if theme == "studio" or THEMES[theme].light:
        return (_PLATE,) * 3
    share = 2.2 * _PLATE / max(ground)
    red, green, blue = (round(min(part, part * share)) for part in ground)
    return red, green, blue


def _set(lines: tuple[str, ...], width: int, height: int) -> tuple[int, tuple[str, ...]]:
    """The largest type at which a caption fits, and its lines: as they are, or, in a narrow picture, broken again."""
    room, most = width * 0.86, 4 if height > width else 3 if height * 1.4 > width else 2
    largest = max(_SMALLEST, round(min(height * 0.05, width * 0.055)))
    fitting = int((height * (1 - _SAFE - low(width, height)) - _SMALLEST * 0.4) / round(_SMALLEST * _LEADING))
    for size in range(largest, max(_SMALLEST, largest * 2 // 3) - 1, -1):
        if max(length(line, size) for line in lines) <= room:
            return size, lines[:fitting]
        broken = _broken(" ".join(lines), size, room)
        if len(broken) <= max(most, len(lines)) and max(length(line, size) for line in broken) <= room:
            return size, broken[:fitting]
    return _SMALLEST, _broken(" ".join(lines), _SMALLEST, room)[:fitting]


def _broken(text: str, size: int, room: float) -> tuple[str, ...]:
    """Lines of like length, as few as there can be; a text without spaces is broken anywhere."""
    fewest = _filled(text, size, room)
    for narrower in range(10, 20):
        lines = _filled(text, size, room * narrower / 20)
        if len(lines) <= len(fewest) and max(length(line, size) for line in lines) <= room:
            return lines
    return fewest


def _filled(text: str, size: int, room: float) -> tuple[str, ...]:
    space = " " if " " in text else ""
    lines: list[str] = []
    for part in text.split(" ") if space else text:
        if lines and length(lines[-1] + space + part, size) <= room:
            lines[-1] += space + part
        else:
            lines.append(part)
    return tuple(lines)


def _even(value: float) -> int:
    return max(0, int(value)) // 2 * 2
