"""Smoothness of the camera: how far dots on a still leave the path that they should follow; MoviePy beside it.

Between any two frames the middle dot's distance from its place on the path may change by 0.1 px. Dots are
found to a hundredth of a pixel by their centre of brightness, in the frames as drawn, at 720p.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from .place import HERE, Options
from .table import Figure

sys.path.insert(0, str(HERE / "tests" / "backends"))

SIZE = (1280, 720)
FRAMES = 50
PROMPTS = ("slow pan right", "fast push in, pan left", "slow orbit around him")


def figures(options: Options) -> Iterator[Figure]:
    """The largest jerk of all camera movements."""
    from picture_kit import dots, save

    folder = options.room / "smooth"
    folder.mkdir()
    still = save(folder / "still.png", dots(1920, 1080))
    ours, theirs = zip(*(_both(folder / str(number), still, said) for number, said in enumerate(PROMPTS)), strict=True)
    yield Figure("camera: largest jerk", max(ours), "px", 0.1, peer="MoviePy", peer_value=max(theirs))


def _both(folder: Path, still: Path, prompt: str) -> tuple[float, float]:
    from picture_kit import clips

    from engine.backends import recipe
    from engine.backends.drawn import Drawn
    from engine.backends.picture import planes_of

    said = [clip for clip in map(recipe.read, clips(folder, still, prompt, SIZE)) if clip is not None]
    path, source = recipe.path_of(said[0]), Drawn(said, still, SIZE, Fraction(25))
    out = planes_of(np.zeros((SIZE[1], SIZE[0], 3), np.uint8))

    def ours(number: int) -> Any:
        source.draw(number, out)
        return out.y

    moved = moving(still, path)
    return jerk(ours, path), jerk(lambda number: moved.get_frame(number / 25)[:, :, 0], path)


def jerk(draw: Callable[[int], Any], path: Any) -> float:
    """The largest change from frame to frame of the dot's distance from the path, in pixels."""
    strays = [_stray(draw(number), path.at(number / 25)) for number in range(FRAMES)]
    return float(np.abs(np.diff(strays, axis=0)).max())


def moving(still: Path, path: Any) -> Any:
    """MoviePy's clip of a still under a camera path: resized and set in place anew for each frame."""
    from moviepy import CompositeVideoClip, ImageClip
    from PIL import Image

    width, height = SIZE
    with Image.open(still) as picture:
        scale = width / picture.width

    def position(seconds: float) -> tuple[float, float]:
        view = path.at(seconds)
        return width * (0.5 - view.x * view.zoom), height * (0.5 - view.y * view.zoom)

    clip = ImageClip(str(still)).resized(lambda seconds: scale * path.at(seconds).zoom).with_position(position)
    return CompositeVideoClip([clip], size=SIZE)


def _stray(frame: Any, view: Any) -> tuple[float, float]:
    """How far the middle dot lies from where the path puts it."""
    x, y = ((0.5 + (0.5 - at) * view.zoom) * side for at, side in ((view.x, SIZE[0]), (view.y, SIZE[1])))
    left, top = int(x) - 16, int(y) - 16
    part = np.clip(frame[top : top + 33, left : left + 33].astype(float) - 110, 0, None)
    ys, xs = np.mgrid[:33, :33]
    return left + (part * xs).sum() / part.sum() - x, top + (part * ys).sum() / part.sum() - y
