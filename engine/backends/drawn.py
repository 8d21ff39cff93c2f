"""Frames drawn from recipes: a camera over a still, and a face in it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..errors import BackendError
from ..frame import Box
from . import head, recipe
from .face import Face
from .picture import Planes, planes_of, read_still, resized, warp

_TURN = 1.5  # Seconds in which one movement gives way to the next.
_LOOK = 5  # Frames between two looks at where the mouth is: a camera moves slowly.


class Drawn:
    """The frames of one scene, each a function of its number alone."""

    def __init__(
        self, recipes: Sequence[Mapping[str, Any]], still: Path, size: tuple[int, int], rate: Fraction
    ) -> None:
        talk = recipes[0] if recipes[0]["recipe"] == "talk" else {}
        self._rate = rate
        self._cameras, self._seconds = _cameras(talk.get("clips", recipes))
        self._begun = _begun(self._cameras)
        rgb = _prepared(still, size, max(max(path.zoom) for path in self._cameras))
        self._source = planes_of(rgb)
        self._mouth = talk.get("mouth") or {}
        self._face = Face(talk, rgb, self._source, rate) if self._mouth else None
        self._size = size

    def key(self, frame: int) -> Hashable:
        """Equal for frames that look the same."""
        return self._view(frame), self._face.key(frame) if self._face else None

    def draw(self, frame: int, out: Planes) -> None:
        """Fill `out` with a frame; frames count from 0, and go on past the scene's end."""
        if self._face is not None:
            self._face.draw(frame, self._view(frame), out)
        else:
            warp(self._source, self._view(frame), out)

    def mouth_box(self, frames: int) -> Box | None:
        """Where the mouth goes in a scene of so many frames, in pixels of the picture; None without a mouth."""
        if not self._mouth:
            return None
        seen = [
            _seen(self._mouth["box"], self._view(frame)) for frame in {*range(0, frames, _LOOK), max(0, frames - 1)}
        ]
        (width, height), spare = self._size, head.FAR
        left, top = (min(box[axis] for box in seen) - spare for axis in (0, 1))
        right, bottom = (max(box[axis] for box in seen) + spare for axis in (2, 3))
        x, y = math.floor(left * width), math.floor(top * height)
        return Box(x, y, math.ceil(right * width) - x, math.ceil(bottom * height) - y)

    def _view(self, frame: int) -> recipe.View:
        """What the clip in force sees; the last one stays in force.

        Clips of one prompt are one movement. Where the prompt changes, the next movement begins, and the one
        before goes on below it until it has set in.
        """
        time = frame / self._rate
        clip = min(int(time / self._seconds), len(self._cameras) - 1)
        begun = self._begun[clip]
        view = self._cameras[clip].at(float(time - begun * self._seconds))
        since = float(time - begun * self._seconds) / _TURN
        if begun == 0 or since >= 1:
            return view
        share = since * since * (3 - 2 * since)
        before = self._cameras[begun - 1].at(float(time - self._begun[begun - 1] * self._seconds))
        return recipe.View(*(a + (b - a) * share for a, b in zip(before, view, strict=True)))


def _seen(box: Sequence[float], view: recipe.View) -> tuple[float, float, float, float]:
    """A box of the still (middle and size, as shares) as its edges in what a view shows, as shares."""
    x, y = (0.5 + (at - middle) * view.zoom for at, middle in zip(box[:2], view[:2], strict=True))
    wide, high = (side * view.zoom / 2 for side in box[2:])
    return x - wide, y - high, x + wide, y + high


def _cameras(clips: Sequence[Mapping[str, Any]]) -> tuple[list[recipe.CameraPath], Fraction]:
    """The path of each clip of a chain, and how long a clip lasts."""
    try:
        seconds = clips[0]["frames"] / Fraction(clips[0]["fps"])
    except (KeyError, IndexError, TypeError, ValueError, ArithmeticError) as error:
        raise BackendError(f"a clip's recipe does not say how long it lasts: {error!r}") from error
    if seconds <= 0:
        raise BackendError("a clip's recipe has no frames")
    return [recipe.path_of(clip) for clip in clips], seconds


def _begun(cameras: Sequence[recipe.CameraPath]) -> list[int]:
    """For each clip, the first one of the movement that it belongs to."""
    begun = [0]
    for number in range(1, len(cameras)):
        begun.append(begun[-1] if cameras[number] == cameras[number - 1] else number)
    return begun


def _prepared(still: Path, size: tuple[int, int], nearest: float) -> Any:
    """The still's pixels, just large enough for the camera's nearest view.

    Not larger, because the camera samples without averaging; not smaller, because enlarging here is better
    than there. The nearest view belongs to the path, not to the scene's length.
    """
    width, height = (-(-round(side * nearest) // 2) * 2 for side in size)
    return resized(read_still(still), width, height)
