"""A graph that is laid out, drawn in the theme: shapes many times their size and averaged, then type on top."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from PIL import Image, ImageDraw

from ..frame import Box
from .code_lines import mixed
from .fonts import draw, length
from .graph_layout import Cluster, Edge, Graph, Node, Point
from .themes import Colour, Theme

_FINE = 3
_DIM = 0.5  # How much is left of what does not light up.
_LINE = 1.25
_DASHES = {"dashed": (0.42, 0.3), "dotted": (0.1, 0.24)}  # On and off, in sizes of the type.


class Place(NamedTuple):
    """Where the graph stands in the picture: its upper left corner, and the size of its type, in pixels."""

    x: float
    y: float
    size: float

    def at(self, point: Point) -> Point:
        """A place of the graph in pixels."""
        return self.x + point[0] * self.size, self.y + point[1] * self.size


def centred(graph: Graph, room: Box, size: float) -> Place:
    """The graph in the middle of a room."""
    wide, high = graph.size[0] * size, graph.size[1] * size
    return Place(room.x + (room.width - wide) / 2, room.y + (room.height - high) / 2, size)


def paint(
    picture: Image.Image, graph: Graph, place: Place, theme: Theme, seen: Collection[str], lit: Collection[str]
) -> None:
    """Draw what is seen of a graph; what is lit stands out, and the rest steps back."""
    fine = picture.resize((picture.width * _FINE, picture.height * _FINE), Image.Resampling.NEAREST)
    pen = _Pen(ImageDraw.Draw(fine), Place(place.x * _FINE, place.y * _FINE, place.size * _FINE), theme, bool(lit))
    nodes = [node for node in graph.nodes if node.name in seen]
    edges = [edge for edge in graph.edges if {edge.tail, edge.head} <= set(seen) and edge.style != "invis"]
    frames = sorted((c for c in graph.clusters if c.nodes & set(seen)), key=lambda c: -len(c.nodes))
    for frame in frames:
        pen.frame(frame)
    for edge in edges:
        pen.edge(edge, {edge.tail, edge.head} <= set(lit))
    for node in nodes:
        pen.node(node, node.name in lit)
    picture.paste(fine.reduce(_FINE))
    pen = _Pen(ImageDraw.Draw(picture), place, theme, bool(lit))
    for frame in frames:
        pen.plate(frame.lines, frame.middle, 0.85)
        pen.type(frame.lines, frame.middle, 0.85, theme.muted, theme.panel, False)
    for edge in edges:
        if edge.middle is not None:
            pen.type(edge.lines, edge.middle, 0.82, theme.muted, theme.ground, {edge.tail, edge.head} <= set(lit))
    for node in nodes:
        pen.label(node, node.name in lit)


class _Pen:
    def __init__(self, drawer: Any, place: Place, theme: Theme, some: bool) -> None:
        self.drawer, self.place, self.theme, self.some = drawer, place, theme, some

    def shade(self, colour: Colour, lit: bool) -> Colour:
        return colour if lit or not self.some else mixed(colour, self.theme.ground, _DIM)

    def frame(self, frame: Cluster) -> None:
        theme, corners = self.theme, (*self.place.at(frame.low), *self.place.at(frame.high))
        fill, rim = _frame_fill(theme), mixed(theme.muted, theme.ground, 0.4)
        thick = max(1, round(self.place.size * 0.05))
        self.drawer.rounded_rectangle(corners, self.place.size * 0.5, fill=fill, outline=rim, width=thick)

    def node(self, node: Node, lit: bool) -> None:
        theme = self.theme
        rim = theme.accents[0] if lit else self.shade(mixed(theme.accents[1], theme.panel, 0.8), False)
        fill = mixed(theme.accents[0], theme.panel, 0.2) if lit else self.shade(theme.panel, False)
        thick = max(1, round(self.place.size * (0.13 if lit else 0.075)))
        _SHAPE[node.shape](self, node, fill, rim, thick)

    def box(self, node: Node, fill: Colour, rim: Colour, thick: int) -> None:
        self.drawer.rounded_rectangle(self.corners(node), self.place.size * 0.38, fill=fill, outline=rim, width=thick)

    def record(self, node: Node, fill: Colour, rim: Colour, thick: int) -> None:
        self.box(node, fill, rim, thick)
        left, top, right, bottom = self.corners(node)
        for row in range(1, len(node.lines)):
            y = top + (bottom - top) * row / len(node.lines)
            self.drawer.line((left, y, right, y), fill=rim, width=thick)

    def ellipse(self, node: Node, fill: Colour, rim: Colour, thick: int) -> None:
        self.drawer.ellipse(self.corners(node), fill=fill, outline=rim, width=thick)

    def diamond(self, node: Node, fill: Colour, rim: Colour, thick: int) -> None:
        left, top, right, bottom = self.corners(node)
        x, y = (left + right) / 2, (top + bottom) / 2
        corners = [(x, top), (right, y), (x, bottom), (left, y)]
        self.drawer.polygon(corners, fill=fill)
        self.drawer.line([*corners, corners[0], corners[1]], fill=rim, width=thick, joint="curve")

    def cylinder(self, node: Node, fill: Colour, rim: Colour, thick: int) -> None:
        left, top, right, bottom = self.corners(node)
        lid = self.place.size * 0.36
        self.drawer.rectangle((left, top + lid, right, bottom - lid), fill=fill)
        self.drawer.ellipse((left, bottom - 2 * lid, right, bottom), fill=fill)
        self.drawer.arc((left, bottom - 2 * lid, right, bottom), 0, 180, fill=rim, width=thick)
        for x in (left, right - thick + 1):
            self.drawer.rectangle((x, top + lid, x + thick - 1, bottom - lid), fill=rim)
        self.drawer.ellipse((left, top, right, top + 2 * lid), fill=fill, outline=rim, width=thick)

    def plain(self, node: Node, fill: Colour, rim: Colour, thick: int) -> None:
        """Type alone."""

    def edge(self, edge: Edge, lit: bool) -> None:
        fill = self.theme.accents[0] if lit else self.shade(mixed(self.theme.muted, self.theme.ground, 0.85), False)
        thick = max(1, round(self.place.size * (0.12 if lit or edge.style == "bold" else 0.075)))
        for curve in edge.curves:
            for stretch in _dashed(list(_flat([self.place.at(point) for point in curve])), edge.style, self.place.size):
                self.drawer.line(stretch, fill=fill, width=thick, joint="curve")
        for start, tip in edge.tips:
            self.tip(self.place.at(start), self.place.at(tip), fill)

    def tip(self, start: Point, tip: Point, fill: Colour) -> None:
        angle, long, wide = math.atan2(tip[1] - start[1], tip[0] - start[0]), 0.62, 0.27
        size = self.place.size
        back = tip[0] - math.cos(angle) * long * size, tip[1] - math.sin(angle) * long * size
        aside = -math.sin(angle) * wide * size, math.cos(angle) * wide * size
        wings = (back[0] + aside[0], back[1] + aside[1]), (back[0] - aside[0], back[1] - aside[1])
        self.drawer.line(
            [start, ((back[0] + tip[0]) / 2, (back[1] + tip[1]) / 2)], fill=fill, width=max(1, round(size * 0.075))
        )
        self.drawer.polygon([tip, *wings], fill=fill)

    def label(self, node: Node, lit: bool) -> None:
        x, y = node.middle
        if node.shape == "cylinder":
            y += 0.3
        if node.shape != "record":
            self.type(node.lines, (x, y), 1.0, self.theme.ink, self.theme.panel, lit)
            return
        for row, line in enumerate(node.lines):
            middle = y + node.size[1] * ((row + 0.5) / len(node.lines) - 0.5)
            self.type((line,), (x, middle), 1.0, self.theme.ink, self.theme.panel, lit)

    def plate(self, lines: Sequence[str], middle: Point, share: float) -> None:
        """Clear a cluster's title of the edges that run through it."""
        size, (x, y) = self.place.size * share, self.place.at(middle)
        wide = max((length(line, max(1, int(size))) for line in lines), default=0.0) / 2 + size * 0.25
        high = len(lines) * size * _LINE / 2
        self.drawer.rectangle((x - wide, y - high, x + wide, y + high), fill=_frame_fill(self.theme))

    def type(self, lines: Sequence[str], middle: Point, share: float, ink: Colour, ground: Colour, lit: bool) -> None:
        size, (x, y) = max(1, int(self.place.size * share)), self.place.at(middle)
        fill = ink if lit or not self.some else mixed(ink, ground, 0.6)
        top = y - len(lines) * size * _LINE / 2
        for row, line in enumerate(lines):
            at = x - length(line, size) / 2, top + size * _LINE * (row + 0.5) + size * 0.36
            draw(self.drawer, at, line, size, fill)

    def corners(self, node: Node) -> tuple[float, float, float, float]:
        (x, y), (width, height) = self.place.at(node.middle), node.size
        width, height = width * self.place.size / 2, height * self.place.size / 2
        return x - width, y - height, x + width, y + height


_SHAPE = {
    "box": _Pen.box,
    "record": _Pen.record,
    "ellipse": _Pen.ellipse,
    "circle": _Pen.ellipse,
    "diamond": _Pen.diamond,
    "cylinder": _Pen.cylinder,
    "plain": _Pen.plain,
}


def _frame_fill(theme: Theme) -> Colour:
    return mixed(theme.panel, theme.ground, 0.55)


def _flat(points: Sequence[Point]) -> Iterator[Point]:
    """A cubic curve as short straight stretches."""
    if points:
        yield points[0]
    for place in range(0, len(points) - 3, 3):
        a, b, c, d = points[place : place + 4]
        for step in range(1, 17):
            t = step / 16
            w = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            yield (
                w[0] * a[0] + w[1] * b[0] + w[2] * c[0] + w[3] * d[0],
                w[0] * a[1] + w[1] * b[1] + w[2] * c[1] + w[3] * d[1],
            )


def _dashed(points: list[Point], style: str, size: float) -> Iterator[list[Point]]:
    if style not in _DASHES:
        yield points
        return
    on, off = (share * size for share in _DASHES[style])
    gone, dash = 0.0, [points[0]]
    for a, b in pairwise(points):
        long = math.dist(a, b)
        steps = max(1, round(long / (size * 0.04)))
        for step in range(1, steps + 1):
            gone += long / steps
            point = a[0] + (b[0] - a[0]) * step / steps, a[1] + (b[1] - a[1]) * step / steps
            if gone % (on + off) < on:
                dash.append(point)
            elif dash:
                yield dash
                dash = []
    if len(dash) > 1:
        yield dash
