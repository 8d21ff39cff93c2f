"""Where things stand in a picture: shared by what plans, what draws and what composes."""

from __future__ import annotations

from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle in pixels; x and y are its upper left corner."""

    x: int
    y: int
    width: int
    height: int


def inset(width: int, height: int) -> Box:
    """The persona's window in a scene that shows something: right below in a wide picture, left below in a tall one.

    Its corner and its sides are even: the window is drawn into planes with half the colour.
    """
    if height > width:
        side, x, y = width * 0.34, width * 0.07, height * 0.6
    elif width * 3 > height * 4:
        side, x, y = width * 0.2, width * 0.765, height * 0.45
    else:
        side, x, y = width * 0.26, width * 0.68, height * 0.56
    return Box(even(x), even(y), even(side), even(side * 1.05))


def board(width: int, height: int, beside: bool) -> Box:
    """Where what a scene shows may stand, clear of captions and, if `beside`, of the persona's window."""
    left, top = width * 0.055, height * 0.07
    right, bottom = width * 0.945, height * 0.82
    if height > width:
        top, bottom = height * 0.1, height * (0.58 if beside else 0.78)
    elif beside and width * 3 > height * 4:
        right = width * 0.74
    elif beside:
        bottom = height * 0.54
    return Box(round(left), round(top), max(1, round(right - left)), max(1, round(bottom - top)))


def even(value: float) -> int:
    """The nearest even number, 2 at least."""
    return max(2, round(value / 2) * 2)
