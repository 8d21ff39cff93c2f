"""Flat shapes in the colours of a theme, drawn at twice the size so that halving the picture smooths their edges.

A shape's places are hundredths of the square that the pen draws in: (0, 0) is its upper left corner.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PIL import ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]


class Paint(NamedTuple):
    """The colours of one drawing."""

    main: Colour
    deep: Colour  # Main in shadow.
    second: Colour
    third: Colour
    light: Colour
    dark: Colour
    glow: Colour  # Warm light, in every theme.


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """A colour on the way from one to another."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


class Pen(NamedTuple):
    """Draws in the square of this size whose upper left corner is (x, y), in pixels of the drawing."""

    drawer: ImageDraw.ImageDraw
    x: float
    y: float
    size: float
    mirrored: bool = False

    def at(self, x: float, y: float, size: float) -> Pen:
        """A pen for a square inside this one."""
        left = 100 - x - size if self.mirrored else x
        return self._replace(
            x=self.x + left * self.size / 100, y=self.y + y * self.size / 100, size=self.size * size / 100
        )

    def block(self, x: float, y: float, width: float, height: float, fill: Colour, radius: float = 0) -> None:
        """A rectangle by its upper left corner, with round corners."""
        self.drawer.rounded_rectangle(self._box(x, y, width, height), self._long(radius), fill)

    def oval(self, x: float, y: float, width: float, height: float, fill: Colour) -> None:
        """An ellipse by its middle."""
        self.drawer.ellipse(self._box(x - width / 2, y - height / 2, width, height), fill)

    def pie(self, x: float, y: float, wide: float, start: float, end: float, fill: Colour) -> None:
        """A part of a disc by its middle, clockwise from the right, in degrees."""
        if self.mirrored:
            start, end = 180 - end, 180 - start
        self.drawer.pieslice(self._box(x - wide / 2, y - wide / 2, wide, wide), start, end, fill)

    def ring(self, x: float, y: float, wide: float, line: float, fill: Colour) -> None:
        """A circle's line by its middle and outer width."""
        self.drawer.ellipse(self._box(x - wide / 2, y - wide / 2, wide, wide), None, fill, max(1, self._long(line)))

    def shape(self, points: Sequence[Point], fill: Colour) -> None:
        """A polygon."""
        self.drawer.polygon([self._point(*point) for point in points], fill)

    def line(self, points: Sequence[Point], wide: float, fill: Colour) -> None:
        """A line with round ends and joints."""
        self.drawer.line([self._point(*point) for point in points], fill, max(1, self._long(wide)), "curve")
        for x, y in points:
            self.oval(x, y, wide, wide, fill)

    def _long(self, value: float) -> int:
        return round(value * self.size / 100)

    def _point(self, x: float, y: float) -> Point:
        return self.x + (100 - x if self.mirrored else x) * self.size / 100, self.y + y * self.size / 100

    def _box(self, x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
        (one, top), (other, bottom) = self._point(x, y), self._point(x + width, y + height)
        left, right = min(one, other), max(one, other)
        return left, top, max(left, right), max(top, bottom)
