"""Code set in type: how large, where each line goes, and what of it is seen in a state."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from ..frame import Box, board
from . import boards
from .fonts import length

_LEADING, _TIGHT = 1.5, 1.3  # From line to line, in sizes of the type.


class Room(NamedTuple):
    """The panel's inside, in pixels, and how many lines and characters fit at the least legible size."""

    box: Box
    width: float
    height: float
    size: int
    lines: int
    characters: int


class Setting(NamedTuple):
    """The size of the type, from line to line, and the width of the line numbers."""

    size: int
    leading: float
    gutter: float


def room(width: int, height: int, beside: bool, digits: int) -> Room:
    """What room there is for code in a picture."""
    box, least = board(width, height, beside), max(1, round((boards.LEAST - 2) * boards.unit(width, height)))
    across = box.width - 2 * margin(least) - gutter(least, digits)
    down = box.height - head(least) - margin(least)
    one = length("0", least, mono=True)
    return Room(box, across, down, least, int(down / (least * _TIGHT)), max(0, int(across / one + 0.001)))


def setting(lines: Sequence[str], width: int, height: int, beside: bool, digits: int) -> Setting:
    """The largest type at which every line fits. Raises TooMuch, saying what fits."""
    least = room(width, height, beside, digits)
    for size in range(round(boards.MOST * boards.unit(width, height)), least.size - 1, -1):
        across = least.box.width - 2 * margin(size) - gutter(size, digits)
        down = least.box.height - head(size) - margin(size)
        leading = min(_LEADING, down / size / max(1, len(lines)))
        if leading >= _TIGHT and max((length(line, size, mono=True) for line in lines), default=0) <= across:
            return Setting(size, leading * size, gutter(size, digits))
    raise boards.TooMuch(trouble(lines, least))


def trouble(lines: Sequence[str], least: Room) -> str:
    """Why lines do not fit, and what would."""
    if len(lines) > least.lines:
        return f"{len(lines)} lines of code do not fit: {least.lines} can be read at this size"
    line = max(lines, key=lambda line: length(line, least.size, mono=True))
    return f"a line of {len(line)} characters does not fit: {least.characters} can be read at this size"


def too_wide(line: str, least: Room) -> bool:
    """Does a line run out of the panel at the least legible size?"""
    return length(line, least.size, mono=True) > least.width


def margin(size: int) -> float:
    """Between the panel's edge and what is in it."""
    return size * 1.1


def head(size: int) -> float:
    """The panel's upper part, where the language stands."""
    return size * 2.2


def gutter(size: int, digits: int) -> float:
    """The width of the line numbers, with what parts them from the code."""
    return length("0" * (digits + 2), size, mono=True)


def indent(lines: Sequence[str]) -> int:
    """How many spaces every line begins with."""
    return min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)


def visible(shown: Sequence[int], steps: Sequence[Collection[int]], state: int) -> set[int]:
    """The lines that are seen: all that no step shows, and those of the steps so far."""
    later = {line for step in steps[state:] for line in step}
    so_far = {line for step in steps[:state] for line in step}
    return set(shown) - (later - so_far)
