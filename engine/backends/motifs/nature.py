"""The world outside, and what stands on a table."""

from __future__ import annotations

import math

from ..pen import Paint, Pen


def tree(pen: Pen, paint: Paint) -> None:
    pen.shape([(44, 60), (56, 60), (60, 100), (40, 100)], paint.deep)
    for x, y, wide in ((32, 50, 46), (68, 50, 46), (50, 30, 58), (50, 54, 50)):
        pen.oval(x, y, wide, wide, paint.second)
    for x, y in ((36, 34), (62, 44), (46, 58), (72, 58)):
        pen.oval(x, y, 8, 8, paint.main)


def moon(pen: Pen, paint: Paint) -> None:
    turns = [math.pi * (0.5 + n / 24) for n in range(25)]
    outer = [(58 + 48 * math.cos(a), 50 - 48 * math.sin(a)) for a in turns]
    inner = [(58 + 22 * math.cos(a), 50 - 48 * math.sin(a)) for a in reversed(turns)]
    pen.shape(outer + inner, paint.glow)
    for x, y, size in ((72, 24, 9), (88, 52, 6), (70, 74, 7)):
        pen.shape(
            [
                (x, y - size),
                (x + size / 4, y - size / 4),
                (x + size, y),
                (x + size / 4, y + size / 4),
                (x, y + size),
                (x - size / 4, y + size / 4),
                (x - size, y),
                (x - size / 4, y - size / 4),
            ],
            paint.light,
        )


def sun(pen: Pen, paint: Paint) -> None:
    for ray in range(12):
        a = ray * math.tau / 12
        pen.line([(50 + r * math.cos(a), 50 + r * math.sin(a)) for r in (38, 48)], 4, paint.main)
    pen.oval(50, 50, 62, 62, paint.glow)


def mountain(pen: Pen, paint: Paint) -> None:
    pen.shape([(68, 24), (108, 96), (28, 96)], paint.deep)
    pen.shape([(38, 6), (88, 96), (-12, 96)], paint.main)
    pen.shape([(38, 6), (54, 35), (45, 30), (38, 40), (30, 30), (22, 35)], paint.light)


def city(pen: Pen, paint: Paint) -> None:
    for x, high, fill in (
        (0, 52, paint.main),
        (22, 84, paint.deep),
        (46, 62, paint.second),
        (70, 94, paint.main),
        (86, 46, paint.deep),
    ):
        pen.block(x, 100 - high, 23, high, fill, 1)
        for row in range(int(high // 14)):
            for column in range(2):
                if (row + column + round(x)) % 3:
                    pen.block(x + 4 + column * 9, 106 - high + row * 13, 5, 7, paint.glow)


def road(pen: Pen, paint: Paint) -> None:
    pen.shape([(42, 0), (58, 0), (104, 100), (-4, 100)], paint.deep)
    for top, bottom in ((4, 14), (24, 40), (54, 80)):
        pen.shape(
            [(50 - w, y) for w, y in ((1 + top / 40, top), (1 + bottom / 40, bottom))]
            + [(50 + w, y) for w, y in ((1 + bottom / 40, bottom), (1 + top / 40, top))],
            paint.glow,
        )


def boat(pen: Pen, paint: Paint) -> None:
    pen.shape([(50, 10), (76, 62), (24, 62)], paint.light)
    pen.shape([(50, 10), (76, 62), (50, 62)], paint.main)
    pen.shape([(0, 46), (36, 62), (64, 62), (100, 46), (78, 84), (22, 84)], paint.main)
    pen.shape([(50, 62), (64, 62), (100, 46), (78, 84), (50, 84)], paint.deep)


def mug(pen: Pen, paint: Paint) -> None:
    pen.ring(76, 64, 40, 8, paint.deep)
    pen.block(12, 38, 62, 60, paint.main, 9)
    pen.oval(43, 39, 62, 15, paint.light)
    pen.oval(43, 40, 52, 9, paint.dark)
    pen.block(12, 66, 62, 10, paint.second)
    for x in (30, 46, 62):
        pen.line([(x, 28), (x - 4, 20), (x + 3, 12), (x - 1, 3)], 3, paint.light)


def desk(pen: Pen, paint: Paint) -> None:
    pen.block(0, 44, 100, 10, paint.main, 3)
    pen.block(6, 54, 8, 46, paint.deep)
    pen.block(86, 54, 8, 46, paint.deep)
    pen.block(58, 54, 28, 26, paint.second, 1)
    pen.block(67, 64, 10, 3.4, paint.light, 1.7)
    pen.block(18, 34, 28, 10, paint.third, 1)
    pen.block(22, 26, 26, 8, paint.light, 1)


def person(pen: Pen, paint: Paint) -> None:
    pen.pie(50, 100, 84, 180, 360, paint.main)
    pen.oval(50, 36, 40, 44, paint.light)
    pen.pie(50, 30, 46, 180, 360, paint.deep)
    pen.block(22, 28, 56, 6, paint.dark, 3)
    pen.oval(50, 76, 10, 10, paint.glow)


def chest(pen: Pen, paint: Paint) -> None:
    pen.pie(50, 48, 92, 180, 360, paint.main)
    pen.block(4, 46, 92, 50, paint.deep, 3)
    pen.block(4, 44, 92, 7, paint.glow)
    pen.block(14, 12, 8, 84, paint.glow)
    pen.block(78, 12, 8, 84, paint.glow)
    pen.block(40, 40, 20, 22, paint.light, 4)
    pen.block(48, 47, 4, 9, paint.dark, 2)
