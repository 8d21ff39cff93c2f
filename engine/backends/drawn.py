"""Frames drawn from recipes: a camera over a still, and a mouth in it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..errors import BackendError
from . import recipe
from .lips import Lips
from .picture import Planes, planes_of, read_still, resized, warp


class Drawn:
    """The frames of one scene, each a function of its number alone."""

    def __init__(
        self, recipes: Sequence[Mapping[str, Any]], still: Path, size: tuple[int, int], rate: Fraction
    ) -> None:
        talk = recipes[0] if recipes[0]["recipe"] == "talk" else {}
        self._rate = rate
        self._cameras, self._seconds = _cameras(talk.get("clips", recipes))
        rgb = _prepared(still, size, max(max(path.zoom) for path in self._cameras))
        self._source = planes_of(rgb)
        self._mouth = talk.get("mouth") or {}
        self._lips = Lips(rgb, self._source, self._mouth["box"]) if self._mouth else None

    def key(self, frame: int) -> Hashable:
        """Equal for frames that look the same."""
        return self._view(frame), self._shape(frame)

    def draw(self, frame: int, out: Planes) -> None:
        """Fill `out` with a frame; frames count from 0."""
        if self._lips is not None:
            self._lips.show(*self._shape(frame))
        warp(self._source, self._view(frame), out)

    def _view(self, frame: int) -> recipe.View:
        """What the clip in force sees; the last one stays in force."""
        time = frame / self._rate
        clip = min(int(time / self._seconds), len(self._cameras) - 1)
        return self._cameras[clip].at(float(time))

    def _shape(self, frame: int) -> tuple[int, int]:
        shapes = self._mouth.get("shapes")
        if not shapes or frame >= len(shapes):
            return 0, 0
        openness, width = shapes[frame]
        return openness, width


def _cameras(clips: Sequence[Mapping[str, Any]]) -> tuple[list[recipe.CameraPath], Fraction]:
    """The path of each clip of a chain, and how long a clip lasts."""
    try:
        seconds = clips[0]["frames"] / Fraction(clips[0]["fps"])
    except (KeyError, IndexError, TypeError, ValueError, ArithmeticError) as error:
        raise BackendError(f"a clip's recipe does not say how long it lasts: {error!r}") from error
    if seconds <= 0:
        raise BackendError("a clip's recipe has no frames")
    return [recipe.path_of(clip) for clip in clips], seconds


def _prepared(still: Path, size: tuple[int, int], nearest: float) -> Any:
    """The still's pixels, just large enough for the camera's nearest view.

    Not larger, because the camera samples without averaging; not smaller, because enlarging here is better
    than there. The nearest view belongs to the path, not to the scene's length.
    """
    width, height = (-(-round(side * nearest) // 2) * 2 for side in size)
    return resized(read_still(still), width, height)
