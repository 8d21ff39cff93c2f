"""Frames of a scene that shows code, a slide or a diagram: its states in step with the narration, and the persona's
window on top.

A state is converted once, and a frame is drawn only where the state or the window changes.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Hashable, Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw

from ..errors import BackendError
from ..frame import Box, inset
from ..kinds import SAMPLE_RATE, first_sample
from . import cues, states
from .picture import Pixels, Planes, blend, planes_of
from .themes import THEMES

if TYPE_CHECKING:
    from .pictures import Frames

_ROUND = 0.09  # Of the window's width: its corners' radius.
_RIM = 0.011  # Of the window's width: the line around it.
_FINE = 4  # Coverage is drawn at this many times its size, then averaged.


class Shown:
    """The board's states, and other frames, of the size of the window, within it."""

    def __init__(self, board: Path, starts: Sequence[int], size: tuple[int, int], theme: str, person: Frames | None):
        self._states = states.States(board)
        self._starts, self._size, self._theme, self._person = starts, size, theme, person
        if len(self._states) != len(starts) + 1 and starts:
            raise BackendError(f"what the scene shows has {len(self._states)} states for {len(starts)} cues")
        if self._states.size != size:
            raise BackendError("what the scene shows is not of the film's size")
        self._base = lru_cache(maxsize=2)(self._converted)
        self._box = window(*size)
        if person is not None:
            self._seen = _blank(self._box.width, self._box.height)
            self._alpha, self._half = _cover(self._box, _rim(self._box))

    def key(self, frame: int) -> Hashable:
        """The state, and what is in the window."""
        return self._state(frame), self._person.key(frame) if self._person is not None else None

    def draw(self, frame: int, out: Planes) -> None:
        """The state of that moment, then the window."""
        for below, plane in zip(out, self._base(self._state(frame)), strict=True):
            below[:] = plane
        if self._person is not None:
            self._person.draw(frame, self._seen)
            blend(out.part(*self._box), self._seen, self._alpha, self._half)

    def _state(self, frame: int) -> int:
        return bisect_right(self._starts, frame)

    def _converted(self, state: int) -> Planes:
        """A state's planes with the window's rim, which no frame need draw again."""
        planes = planes_of(np.asarray(self._states[state], np.uint8))
        if self._person is not None:
            rim = Image.new("RGB", (self._box.width, self._box.height), THEMES[self._theme].accents[0])
            blend(planes.part(*self._box), planes_of(np.asarray(rim, np.uint8)), *_cover(self._box, 0))
        return planes


def window(width: int, height: int) -> Box:
    """The persona's window in whole pixels of half the colour."""
    return inset(width, height)


def starts(words: Sequence[str], timing: Path | None, fps: Fraction) -> list[int]:
    """The frame at which each cue sounds: the first that is not before it."""
    if not words:
        return []
    if timing is None:
        raise BackendError("a scene without narration has no words to wait for", "Leave out `at:`.")
    found = cues.samples(words, json.loads(timing.read_bytes()))
    frames = []
    for word, place in zip(words, found, strict=True):
        if place is None:
            raise BackendError(f"'{word}' is not said where it is waited for", "`at:` names words of the narration.")
        frames.append(_frame(*place, fps))
    return frames


def _frame(sample: int, rate: int, fps: Fraction) -> int:
    frame = int(Fraction(sample, rate) * fps)
    while first_sample(frame, fps) * rate < sample * SAMPLE_RATE:
        frame += 1
    return frame


def _rim(box: Box) -> int:
    return max(1, round(box.width * _RIM))


def _cover(box: Box, rim: int) -> tuple[Pixels, Pixels]:
    """A window's coverage with round corners, a rim left out, for luma and for chroma."""
    mask = Image.new("L", (box.width * _FINE, box.height * _FINE))
    edges = (rim * _FINE, rim * _FINE, (box.width - rim) * _FINE - 1, (box.height - rim) * _FINE - 1)
    ImageDraw.Draw(mask).rounded_rectangle(edges, max(1, round(box.width * _ROUND) - rim) * _FINE, fill=255)
    alpha = np.asarray(mask.reduce(_FINE), np.uint8)
    half = cv2.resize(alpha, (box.width // 2, box.height // 2), interpolation=cv2.INTER_AREA)
    return alpha, np.asarray(half, np.uint8)


def _blank(width: int, height: int) -> Planes:
    half = (height // 2, width // 2)
    return Planes(np.zeros((height, width), np.uint8), np.full(half, 128, np.uint8), np.full(half, 128, np.uint8))
