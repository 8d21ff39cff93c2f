"""Recipes: what a clip or a talk writes in place of pixels, to be drawn once, in `scene`.

A recipe is a JSON object, so its file begins with `{`; no video container does. `camera` holds a path over
the still as a function of time; `talk` holds the camera recipes of its chain, a mouth (shapes by frame) and a face
(eyes, blinks in seconds, the head as a function of time).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import BackendError

LARGEST = 16_000_000  # Bytes; ten minutes of mouth shapes at 120 frames a second take less than a megabyte.


class View(NamedTuple):
    """What the camera sees of the still: its middle, and how far it is zoomed in.

    x, y are shares of the still's size; at zoom z it sees 1/z of the width and of the height.
    """

    x: float
    y: float
    zoom: float


class Sway(NamedTuple):
    """A slow swing along one axis, as a share of the room there; it sets in gently."""

    axis: str  # "x" or "y"
    size: float
    period: float  # Seconds.
    turn: float = 0.0  # Where in the swing it starts, in turns.


class CameraPath(NamedTuple):
    """A camera path: from one view towards another for ever, never quite arriving, with a swing on top.

    x and y run from -1 to 1 and name a place in the room that the zoom leaves, so no value within those
    bounds ever shows the still's edge. The path knows nothing of how long the scene is: what a frame shows
    stays when the narration grows.
    """

    zoom: tuple[float, float]
    x: tuple[float, float] = (0.0, 0.0)
    y: tuple[float, float] = (0.0, 0.0)
    sways: tuple[Sway, ...] = ()
    ease: float = 0.8  # Seconds in which it picks up speed.
    fade: float = 7.0  # Seconds in which the speed then falls to 1/e.

    def at(self, seconds: float) -> View:
        """The view at a time counted from the start of the chain."""
        done = self._done(seconds)
        zoom = self.zoom[0] ** (1 - done) * self.zoom[1] ** done
        room = (1 - 1 / zoom) / 2
        x = _between(self.x, done) + self._sway("x", seconds)
        y = _between(self.y, done) + self._sway("y", seconds)
        return View(0.5 + room * min(1.0, max(-1.0, x)), 0.5 + room * min(1.0, max(-1.0, y)), zoom)

    def _done(self, seconds: float) -> float:
        """How much of the way lies behind: the integral of (1 - exp(-t/ease)) exp(-t/fade), scaled to end at 1."""
        both = 1 / (1 / self.ease + 1 / self.fade)
        long = self.fade * -math.expm1(-seconds / self.fade)
        short = both * -math.expm1(-seconds / both)
        return (long - short) / (self.fade - both)

    def _sway(self, axis: str, seconds: float) -> float:
        begun = -math.expm1(-((seconds / 2) ** 2))
        return begun * sum(
            sway.size * math.sin(2 * math.pi * (seconds / sway.period + sway.turn))
            for sway in self.sways
            if sway.axis == axis
        )


def camera(path: CameraPath, **facts: int | str) -> dict[str, Any]:
    """The recipe of one clip: its path, and the facts of its place in the chain."""
    return {"recipe": "camera", "path": path._asdict(), **facts}


def path_of(recipe: Mapping[str, Any]) -> CameraPath:
    """The path of a camera recipe. Raises BackendError where it is not one."""
    try:
        fields = dict(recipe["path"])
        sways = tuple(Sway(*sway) for sway in fields.pop("sways"))
        path = CameraPath(sways=sways, **{name: _number(value) for name, value in fields.items()})
        path.at(1.0)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise _broken(f"its path cannot be followed: {error}") from error
    return path


def write(path: Path, recipe: Mapping[str, Any]) -> None:
    """Write a recipe as compact JSON with sorted keys: the same recipe, the same bytes."""
    text = json.dumps(recipe, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    path.write_text(text, encoding="utf-8", newline="\n")


def read(path: Path) -> dict[str, Any] | None:
    """The recipe in a clip's file, or None where it holds real video."""
    with path.open("rb") as file:
        if file.read(1) != b"{":
            return None
        data = b"{" + file.read(LARGEST)
    try:
        recipe: dict[str, Any] = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _broken(str(error)) from error
    if recipe.get("recipe") not in {"camera", "talk"}:
        raise _broken(f"it calls itself {recipe.get('recipe')!r}; camera and talk are known")
    return recipe


def _number(value: Any) -> Any:
    """A number, or a pair of numbers."""
    if isinstance(value, list):
        low, high = value
        return float(low), float(high)
    return float(value)


def _between(ends: tuple[float, float], share: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * share


def _broken(why: str) -> BackendError:
    return BackendError(
        f"a clip's recipe cannot be read: {why}", "Render its clip again: `mikebot verify` finds damage."
    )
