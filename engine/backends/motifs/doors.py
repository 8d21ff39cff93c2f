"""Doors, gates, walls, and what keeps them shut."""

from __future__ import annotations

from ..pen import Paint, Pen


def door(pen: Pen, paint: Paint) -> None:
    pen.block(20, 2, 60, 98, paint.dark, 4)
    pen.block(25, 7, 50, 93, paint.main, 2)
    for x, y, high in ((31, 14, 30), (52, 14, 30), (31, 62, 30), (52, 62, 30)):
        pen.block(x, y, 17, high, paint.deep, 2)
    pen.oval(68, 53, 8, 8, paint.glow)
    pen.block(14, 97, 72, 3, paint.light)


def gate(pen: Pen, paint: Paint) -> None:
    for x in (2, 78):
        pen.block(x, 20, 20, 80, paint.second, 2)
        pen.block(x - 2, 16, 24, 8, paint.light, 2)
        pen.oval(x + 10, 10, 13, 13, paint.glow)
    pen.shape(
        [(22, 48), (36, 34), (50, 30), (64, 34), (78, 48), (78, 53), (64, 39), (50, 35), (36, 39), (22, 53)], paint.main
    )
    for x in range(25, 78, 8):
        pen.block(x, 36 + abs(x - 49) * 0.42, 3.4, 64 - abs(x - 49) * 0.42, paint.main, 1)
    pen.block(22, 66, 56, 5, paint.deep)
    pen.oval(50, 68, 15, 15, paint.light)
    pen.block(48.6, 66, 2.8, 6, paint.dark, 1)


def wall(pen: Pen, paint: Paint) -> None:
    pen.block(0, 22, 100, 78, paint.deep)
    for row in range(5):
        for column in range(-1, 4):
            x = column * 26 + (13 if row % 2 else 0)
            left, right = max(0, x), min(100, x + 24)
            if right > left:
                fill = paint.second if (row * 3 + column) % 5 == 0 else paint.main
                pen.block(left, 24 + row * 15.4, right - left, 13.4, fill, 1.5)


def flame(pen: Pen, paint: Paint) -> None:
    outer = [
        (50, 2),
        (66, 24),
        (70, 36),
        (79, 28),
        (87, 52),
        (84, 76),
        (70, 94),
        (50, 100),
        (30, 94),
        (16, 76),
        (14, 54),
        (24, 34),
        (31, 44),
        (38, 22),
    ]
    pen.shape(outer, paint.main)
    pen.shape([(51, 42), (66, 62), (69, 78), (60, 94), (50, 98), (38, 93), (31, 78), (36, 64), (42, 68)], paint.glow)
    pen.shape([(50, 70), (58, 84), (54, 97), (46, 97), (42, 84)], paint.light)


def shield(pen: Pen, paint: Paint) -> None:
    pen.shape([(50, 2), (90, 16), (88, 54), (74, 82), (50, 99), (26, 82), (12, 54), (10, 16)], paint.light)
    pen.shape([(50, 9), (83, 21), (81, 53), (69, 77), (50, 91), (31, 77), (19, 53), (17, 21)], paint.main)
    pen.shape([(50, 9), (83, 21), (81, 53), (69, 77), (50, 91)], paint.deep)
    pen.line([(33, 50), (46, 63), (68, 36)], 8, paint.light)


def castle(pen: Pen, paint: Paint) -> None:
    pen.block(14, 48, 72, 50, paint.main)
    for x, top in ((4, 30), (76, 30), (38, 16)):
        pen.block(x, top, 22 if x != 38 else 24, 98 - top, paint.deep if x == 38 else paint.second)
        for step in range(3):
            pen.block(x - 1 + step * 9, top - 7, 6, 9, paint.deep if x == 38 else paint.second)
        pen.block(x + 8, top + 12, 6, 12, paint.dark, 3)
    pen.line([(50, 10), (50, -6)], 1.6, paint.light)
    pen.shape([(51, -7), (66, -2), (51, 3)], paint.glow)
    pen.pie(50, 76, 26, 180, 360, paint.dark)
    pen.block(37, 75, 26, 23, paint.dark)
    for bar in (41, 48.5, 56):
        pen.block(bar, 66, 2.4, 32, paint.glow)
    pen.block(-8, 96, 116, 7, paint.third, 3.5)


def key(pen: Pen, paint: Paint) -> None:
    pen.ring(27, 50, 46, 11, paint.main)
    pen.block(46, 44, 50, 12, paint.main, 3)
    pen.block(74, 52, 8, 18, paint.main, 2)
    pen.block(87, 52, 8, 14, paint.main, 2)


def lock(pen: Pen, paint: Paint) -> None:
    pen.ring(50, 34, 54, 10, paint.light)
    pen.block(23, 34, 10, 20, paint.light)
    pen.block(67, 34, 10, 20, paint.light)
    pen.block(14, 44, 72, 54, paint.main, 8)
    pen.block(14, 84, 72, 14, paint.deep, 7)
    pen.oval(50, 65, 15, 15, paint.dark)
    pen.shape([(46, 66), (54, 66), (57, 84), (43, 84)], paint.dark)


def window(pen: Pen, paint: Paint) -> None:
    pen.block(6, 6, 88, 86, paint.light, 3)
    pen.block(12, 12, 76, 74, paint.second)
    pen.oval(66, 38, 32, 32, paint.glow)
    pen.shape([(12, 86), (12, 66), (36, 54), (62, 70), (88, 58), (88, 86)], paint.third)
    pen.block(47.5, 12, 5, 74, paint.light)
    pen.block(12, 46, 76, 5, paint.light)
    pen.block(0, 90, 100, 8, paint.main, 2)


def house(pen: Pen, paint: Paint) -> None:
    pen.block(72, 12, 11, 30, paint.deep)
    pen.block(14, 46, 72, 54, paint.light)
    pen.shape([(50, 6), (100, 50), (0, 50)], paint.main)
    pen.block(42, 64, 18, 36, paint.dark, 2)
    for x in (22, 66):
        pen.block(x, 60, 14, 16, paint.glow, 1)
