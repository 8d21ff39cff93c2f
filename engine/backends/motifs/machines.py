"""Computers, networks and the parts of machines."""

from __future__ import annotations

import math

from ..pen import Paint, Pen


def screen(pen: Pen, paint: Paint) -> None:
    pen.shape([(40, 74), (60, 74), (66, 94), (34, 94)], paint.deep)
    pen.block(24, 92, 52, 6, paint.light, 3)
    pen.block(0, 6, 100, 70, paint.light, 5)
    pen.block(5, 11, 90, 58, paint.dark, 2)
    for row, (x, wide) in enumerate(((14, 34), (22, 48), (22, 30), (14, 22))):
        fill = (paint.main, paint.second, paint.third, paint.main)[row]
        pen.block(x, 20 + row * 11, wide, 5, fill, 2.5)
    pen.block(40, 53, 4, 5, paint.light)


def server(pen: Pen, paint: Paint) -> None:
    pen.block(14, 0, 72, 100, paint.deep, 5)
    for row in range(4):
        y = 6 + row * 23
        pen.block(20, y, 60, 19, paint.main, 3)
        pen.block(26, y + 8, 28, 3.6, paint.dark, 1.8)
        pen.oval(64, y + 9.6, 6, 6, paint.glow)
        pen.oval(73, y + 9.6, 6, 6, paint.light if row % 2 else paint.second)


def cloud(pen: Pen, paint: Paint) -> None:
    pen.block(4, 50, 92, 34, paint.light, 17)
    pen.oval(34, 46, 42, 42, paint.light)
    pen.oval(62, 42, 54, 54, paint.light)
    pen.line([(36, 96), (36, 66)], 6, paint.main)
    pen.shape([(24, 70), (48, 70), (36, 54)], paint.main)
    pen.line([(64, 58), (64, 88)], 6, paint.second)
    pen.shape([(52, 86), (76, 86), (64, 102)], paint.second)


def network(pen: Pen, paint: Paint) -> None:
    spots = [(50, 50)] + [
        (50 + 40 * math.cos(a * math.tau / 6), 50 + 40 * math.sin(a * math.tau / 6)) for a in range(6)
    ]
    for number, spot in enumerate(spots[1:]):
        pen.line([spots[0], spot], 3, paint.light)
        if number % 2:
            pen.line([spot, spots[1 + (number + 1) % 6]], 3, paint.light)
    for number, (x, y) in enumerate(spots):
        wide = 28 if number == 0 else 19
        pen.oval(x, y, wide, wide, (paint.main, paint.second, paint.third)[number % 3])
        pen.oval(x, y, wide * 0.4, wide * 0.4, paint.dark)


def gear(pen: Pen, paint: Paint) -> None:
    for tooth in range(8):
        a = tooth * math.tau / 8
        corners = [(r, a + turn) for r, turn in ((36, -0.26), (50, -0.17), (50, 0.17), (36, 0.26))]
        pen.shape([(50 + r * math.cos(t), 50 + r * math.sin(t)) for r, t in corners], paint.main)
    pen.oval(50, 50, 78, 78, paint.main)
    pen.oval(50, 50, 50, 50, paint.deep)
    pen.oval(50, 50, 26, 26, paint.light)


def clock(pen: Pen, paint: Paint) -> None:
    pen.oval(50, 50, 98, 98, paint.main)
    pen.oval(50, 50, 80, 80, paint.light)
    for hour in range(12):
        a = hour * math.tau / 12
        pen.oval(50 + 34 * math.cos(a), 50 + 34 * math.sin(a), 4, 4, paint.deep)
    pen.line([(50, 50), (50, 22)], 5, paint.dark)
    pen.line([(50, 50), (70, 60)], 5, paint.dark)
    pen.oval(50, 50, 9, 9, paint.second)


def magnifier(pen: Pen, paint: Paint) -> None:
    pen.line([(66, 66), (92, 92)], 12, paint.deep)
    pen.oval(42, 42, 80, 80, paint.main)
    pen.oval(42, 42, 60, 60, paint.light)
    pen.line([(26, 42), (28, 34), (35, 27)], 5, paint.second)


def robot(pen: Pen, paint: Paint) -> None:
    pen.line([(50, 22), (50, 6)], 4, paint.deep)
    pen.oval(50, 6, 11, 11, paint.second)
    pen.block(2, 40, 96, 24, paint.deep, 8)
    pen.block(12, 20, 76, 66, paint.main, 16)
    pen.block(22, 32, 56, 26, paint.dark, 13)
    for x in (37, 63):
        pen.oval(x, 45, 13, 15, paint.glow)
    pen.block(34, 68, 32, 7, paint.light, 3.5)


def bug(pen: Pen, paint: Paint) -> None:
    for y, rise in ((42, -12), (58, 0), (72, 12)):
        pen.line([(30, y), (12, y + rise / 2), (2, y + rise)], 4, paint.dark)
        pen.line([(70, y), (88, y + rise / 2), (98, y + rise)], 4, paint.dark)
    pen.oval(50, 24, 34, 30, paint.dark)
    pen.oval(50, 60, 62, 76, paint.second)
    pen.block(48.6, 24, 2.8, 73, paint.dark)
    for x, y in ((36, 46), (64, 46), (33, 68), (67, 68), (42, 84), (58, 84)):
        pen.oval(x, y, 10, 10, paint.dark)


def bulb(pen: Pen, paint: Paint) -> None:
    for turn in range(-3, 4):
        a = turn * 0.5 - math.pi / 2
        pen.line([(50 + r * math.cos(a), 44 + r * math.sin(a)) for r in (42, 52)], 3.4, paint.main)
    pen.oval(50, 44, 64, 64, paint.glow)
    pen.shape([(32, 68), (68, 68), (62, 80), (38, 80)], paint.glow)
    pen.line([(42, 76), (40, 50), (50, 58), (60, 50), (58, 76)], 3, paint.deep)
    for y in (80, 88):
        pen.block(38, y, 24, 6, paint.light, 3)
    pen.block(44, 95, 12, 5, paint.light, 2)


def brain(pen: Pen, paint: Paint) -> None:
    for x, y, wide in (
        (28, 34, 42),
        (50, 26, 42),
        (72, 34, 42),
        (22, 58, 42),
        (78, 58, 42),
        (36, 74, 42),
        (64, 74, 42),
        (50, 50, 60),
    ):
        pen.oval(x, y, wide, wide, paint.main)
    pen.block(48.5, 8, 3, 84, paint.deep, 1)
    for side in (-1, 1):
        pen.line([(50 + side * 10, 30), (50 + side * 24, 32), (50 + side * 28, 46)], 3.4, paint.deep)
        pen.line([(50 + side * 10, 72), (50 + side * 22, 68), (50 + side * 22, 56)], 3.4, paint.deep)


def lamp(pen: Pen, paint: Paint) -> None:
    pen.shape([(46, 40), (78, 30), (116, 98), (18, 98)], paint.glow)
    pen.block(2, 92, 40, 7, paint.deep, 3.5)
    pen.line([(22, 92), (8, 50), (48, 14)], 5, paint.light)
    pen.oval(8, 50, 10, 10, paint.deep)
    pen.shape([(42, 12), (62, 4), (84, 28), (42, 44)], paint.main)
    pen.oval(64, 37, 15, 11, paint.light)


def arrow(pen: Pen, paint: Paint) -> None:
    pen.shape([(0, 38), (56, 38), (56, 14), (100, 50), (56, 86), (56, 62), (0, 62)], paint.main)
    pen.shape([(0, 50), (100, 50), (56, 86), (56, 62), (0, 62)], paint.deep)
