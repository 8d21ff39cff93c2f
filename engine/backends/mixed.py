"""Frames between two scenes, composed by MoviePy.

What MoviePy sees as a picture are a frame's planes, laid side by side as grey: mixing is linear, so planes may be
mixed as they are, and no colour is lost on a way through RGB.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..kinds import Joint
from .picture import Pixels, Planes, planes_of
from .themes import THEMES, Colour

if TYPE_CHECKING:
    from .pictures import Frames


class Mixed:
    """A joint's frames. Frame k of n shows the entering scene with a share of (k + 1) / (n + 1).

    `start` is the first frame of the leaving scene that is shown: the one after its last.
    """

    def __init__(self, params: Joint, entering: Frames, leaving: Frames | None, start: int) -> None:
        self._count = params.frames
        size = params.width, params.height
        ground = _flat(size, THEMES[params.theme].accents[0] if params.style == "dip" else (0, 0, 0))
        after = _taken(entering, size, 0)
        before = _still(ground) if leaving is None else _taken(leaving, size, start)
        through = None if params.style == "crossfade" else ground
        self._clip = _composed(before, after, through, params.frames)
        self._size = size

    def key(self, frame: int) -> Hashable:
        """Every frame differs from the one before."""
        return frame

    def draw(self, frame: int, out: Planes) -> None:
        """Fill `out` with a frame of the mix."""
        grey = self._clip.get_frame((frame + 1) / (self._count + 1))[:, :, 0]
        for target, plane in zip(out, _unstacked(grey, self._size), strict=True):
            target[:] = plane


def _composed(before: Callable[[int], Pixels], after: Callable[[int], Pixels], through: Pixels | None, n: int) -> Any:
    """A MoviePy clip of one second: its time is the share of the way."""
    from moviepy import CompositeVideoClip, VideoClip, vfx

    def clip(frames: Callable[[int], Pixels], start: float, length: float) -> Any:
        def made(time: float) -> Pixels:
            return frames(min(n - 1, max(0, round((start + time) * (n + 1)) - 1)))

        return VideoClip(made, duration=length).with_start(start)

    def over(frames: Callable[[int], Pixels], start: float, length: float, fade: float) -> Any:
        return clip(frames, start, length).with_effects([vfx.CrossFadeIn(fade)])

    layers = [clip(before, 0, 1)]
    if through is None:
        layers.append(over(after, 0, 1, 1))
    else:
        layers += [over(_still(through), 0, 1, 0.5), over(after, 0.5, 0.5, 0.5)]
    return CompositeVideoClip(layers)


def _taken(frames: Frames, size: tuple[int, int], start: int) -> Callable[[int], Pixels]:
    """A scene's frames as grey, each drawn once, from a first one on."""
    planes = _blank(size)
    seen: dict[int, Pixels] = {}

    def taken(number: int) -> Pixels:
        if number not in seen:
            seen.clear()
            frames.key(start + number)
            frames.draw(start + number, planes)
            seen[number] = _stacked(planes)
        return seen[number]

    return taken


def _still(grey: Pixels) -> Callable[[int], Pixels]:
    return lambda _: grey


def _flat(size: tuple[int, int], colour: Colour) -> Pixels:
    return _stacked(planes_of(np.full((size[1], size[0], 3), colour, np.uint8)))


def _blank(size: tuple[int, int]) -> Planes:
    half = size[1] // 2, size[0] // 2
    return Planes(np.zeros(size[::-1], np.uint8), np.zeros(half, np.uint8), np.zeros(half, np.uint8))


def _stacked(planes: Planes) -> Pixels:
    """Luma above, the two chroma planes side by side below it; three equal channels."""
    grey = np.vstack([planes.y, np.hstack([planes.u, planes.v])])
    return np.repeat(grey[:, :, None], 3, axis=2)


def _unstacked(grey: Pixels, size: tuple[int, int]) -> Planes:
    width, height = size
    return Planes(grey[:height], grey[height:, : width // 2], grey[height:, width // 2 :])
