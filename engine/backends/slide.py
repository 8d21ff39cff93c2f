"""still.slide: a title and points in the theme, the points appearing state by state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import BackendError
from ..frame import Box, board
from ..kinds import Inputs, Still, Tell
from . import Light, boards

if TYPE_CHECKING:
    from PIL.Image import Image

_TITLE, _LEADING, _BETWEEN, _BELOW = 1.65, 1.28, 0.62, 1.5  # In sizes of the points' type.
_INDENT = 1.15


@dataclass(frozen=True)
class SlideParams(Still):
    """Nothing to turn: the theme decides how a slide looks."""


class Layout(NamedTuple):
    """The size of the points' type, and the lines of the title and of each point."""

    size: int
    title: list[str]
    points: list[list[str]]


class Slide(Light):
    """Sets a slide as large as it fits; every state is drawn at the film's size."""

    kind = "still"
    name = "slide"
    version = "2"
    Params = SlideParams

    def check(self, params: SlideParams) -> list[str]:
        return boards.refusals(params)

    def run(self, params: SlideParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        from . import fonts, states

        tell.progress(0, 2)
        fonts.use(inputs.many("font"))
        said: Mapping[str, Any] = params.show or {}
        points = [point if isinstance(point, dict) else {"text": point} for point in said.get("bullets", ())]
        try:
            texts = [point["text"] for point in points]
            found = layout(said["title"], texts, params.width, params.height, params.beside)
        except (boards.TooMuch, KeyError) as problem:
            raise BackendError(f"the slide cannot be shown: {problem}") from None
        tell.progress(1, 2)
        turns = list(accumulate("at" in point for point in points))  # A point without `at` comes with the one before.
        drawn = [
            _drawn(params, found, {number for number, turn in enumerate(turns) if turn <= state})
            for state in range(max(turns, default=0) + 1)
        ]
        states.write(drawn, drawn[-1], out / "image")
        tell.progress(2, 2)


def layout(title: str, points: list[str], width: int, height: int, beside: bool) -> Layout:
    """The largest type at which everything fits. Raises TooMuch."""
    room, one = board(width, height, beside), boards.unit(width, height)
    least, most = max(1, round((boards.LEAST + 2) * one)), max(1, round(boards.MOST * one))
    for size in range(most, least - 1, -1):
        if _fits(_least(title, points, size, room.width), room.height):
            found = _set(wrapped, title, points, size, room.width)
            if _fits(found, room.height) and _within(found, room.width):
                return _set(balanced, title, points, size, room.width)
    letters, fit = len(title) + sum(map(len, points)), _fitting(room, least)
    raise boards.TooMuch(
        f"{letters} characters in {len(points)} points do not fit: about {fit} can be read at this size"
    )


def _set(lines: Callable[..., list[str]], title: str, points: list[str], size: int, width: float) -> Layout:
    """Title and points in lines that some function makes, at a size."""
    large = round(size * _TITLE)
    set_points = [lines(point, size, width - size * _INDENT) for point in points]
    return Layout(size, lines(title, large, width, bold=True), set_points)


def _least(title: str, points: list[str], size: int, width: float) -> Layout:
    """No lines, but at most as many as there will be: told by a text's length, where breaking it takes long."""
    return _set(_fewest, title, points, size, width)


def _fewest(text: str, size: int, width: float, bold: bool = False) -> list[str]:
    from .fonts import length

    # A space at the end of each line is not seen, and letters that are parted may stand closer.
    return [""] * max(1, ceil(0.95 * length(text, size, bold) / (width + size)))


def _fits(found: Layout, height: float) -> bool:
    return _high(found) <= height and len(found.title) <= 3


def wrapped(text: str, size: int, width: float, bold: bool = False) -> list[str]:
    """As few lines as there can be."""
    from .fonts import LONGEST, wrap

    return wrap(text, size, width, bold, LONGEST)


def balanced(text: str, size: int, width: float, bold: bool = False) -> list[str]:
    """As few lines as there can be, of like length."""
    fewest = wrapped(text, size, width, bold)
    for share in range(11, 20) if len(fewest) > 1 else ():
        lines = wrapped(text, size, width * share / 20, bold)
        if len(lines) == len(fewest):
            return lines
    return fewest


def _within(found: Layout, width: float) -> bool:
    from .fonts import length

    size = found.size
    lines = [line for point in found.points for line in point]
    long = max((length(line, size) for line in lines), default=0) + size * _INDENT
    return max(long, *(length(line, round(size * _TITLE), bold=True) for line in found.title)) <= width


def _high(found: Layout) -> float:
    size = found.size
    rows = sum(len(point) for point in found.points)
    title = len(found.title) * size * _TITLE * _LEADING
    if not found.points:
        return title
    return title + size * (_BELOW + rows * _LEADING + (len(found.points) - 1) * _BETWEEN)


def _fitting(room: Box, size: int) -> int:
    """About how many characters fill the room at a size, in tens."""
    from .fonts import length

    line = room.width / (length("the quick brown fox jumps over", size) / 30)
    return int(line * (room.height / (size * (_LEADING + _BETWEEN / 2)) - 4) * 0.8) // 10 * 10


def _drawn(params: SlideParams, found: Layout, seen: set[int]) -> Image:
    from PIL import ImageDraw

    from .bidi import rightmost_first
    from .fonts import draw

    picture, theme, room, size = boards.ground(params), boards.theme_of(params), boards.room_of(params), found.size
    drawer, large = ImageDraw.Draw(picture), round(found.size * _TITLE)
    y = room.y + (room.height - _high(found)) * 0.4
    leftward = rightmost_first(" ".join(found.title))
    for line in found.title:
        draw(drawer, (room.x, y + large * 0.95), line, large, theme.ink, bold=True, leftward=leftward)
        y += large * _LEADING
    if not found.points:
        return picture
    rule = Box(room.x, round(y + size * 0.2), round(size * 2.6), max(1, round(size * 0.16)))
    boards.panel(picture, rule, size * 0.08, theme.accents[0])
    y += size * _BELOW
    for number, point in enumerate(found.points):
        if number in seen:
            _point(picture, room.x, y, point, size, params)
        y += size * (len(point) * _LEADING + _BETWEEN)
    return picture


def _point(picture: Image, x: float, y: float, lines: list[str], size: int, params: SlideParams) -> None:
    from PIL import ImageDraw

    from .bidi import rightmost_first
    from .fonts import draw

    leftward = rightmost_first(" ".join(lines))
    theme, side = boards.theme_of(params), max(1, round(size * 0.34))
    boards.panel(picture, Box(round(x), round(y + size * 0.45), side, side), side * 0.3, theme.accents[1])
    for row, line in enumerate(lines):
        at = x + size * _INDENT, y + size * (0.98 + row * _LEADING)
        draw(ImageDraw.Draw(picture), at, line, size, theme.ink, leftward=leftward)
