"""Captions drawn into the picture: each once, as a patch that is blended into the planes."""

from __future__ import annotations

import json
from collections.abc import Hashable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw

from ..kinds import SAMPLE_RATE, first_sample
from .captions import Cue, cues
from .fonts import font
from .picture import Pixels, Planes, blend, planes_of

if TYPE_CHECKING:
    from .scene import Frames

_SMALLEST = 6  # Pixels; smaller type cannot be read.
_MARGIN = 0.07  # Of the height, kept free below.


class Patch(NamedTuple):
    """A caption's picture, its coverage for luma and for chroma, and where it goes."""

    paint: Planes
    alpha: Pixels
    half: Pixels
    x: int
    y: int


class Burned:
    """Other frames with the captions of a narration on top."""

    def __init__(self, below: Frames, timing: Path, size: tuple[int, int], frames: int, fps: Fraction) -> None:
        said = json.loads(timing.read_bytes())
        self._below, self._size, self._fps = below, size, fps
        self._cues = cues(said["words"], said["rate"], first_sample(frames, fps) * said["rate"] // SAMPLE_RATE)
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
            self._shown = cue, drawn(cue.lines, *self._size)
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


def drawn(lines: tuple[str, ...], width: int, height: int) -> Patch | None:
    """White type with a dark outline, centred in the lower safe area; no wider than nine tenths of the picture."""
    size = max(_SMALLEST, round(min(height * 0.052, width * 0.06)))
    widest = max(font(size).getlength(line) for line in lines)
    while size > _SMALLEST and widest > width * 0.9:
        size -= 1
        widest = max(font(size).getlength(line) for line in lines)
    type_, edge, leading = font(size), max(1, size // 10), round(size * 1.28)
    across = min(width, round(widest) + 4 * edge + 4) // 2 * 2
    down = min(height, leading * len(lines) + 4 * edge + 4) // 2 * 2
    picture, cover = Image.new("RGB", (across, down), (12, 12, 12)), Image.new("L", (across, down))
    for number, line in enumerate(lines):
        at = across / 2, 2 * edge + leading * (number + 0.5)
        ImageDraw.Draw(cover).text(at, line, fill=255, font=type_, anchor="mm", stroke_width=edge)
        ImageDraw.Draw(picture).text(at, line, fill=(250, 250, 250), font=type_, anchor="mm")
    alpha = np.asarray(cover, np.uint8)
    half = np.asarray(cv2.resize(alpha, (across // 2, down // 2), interpolation=cv2.INTER_AREA), np.uint8)
    x = (width - across) // 4 * 2
    y = max(0, round(height * (1 - _MARGIN)) - down) // 2 * 2
    return Patch(planes_of(np.asarray(picture, np.uint8)), alpha, half, x, y)
