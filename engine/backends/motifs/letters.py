"""Letters, lists and books: what is written, sent and kept."""

from __future__ import annotations

from ..pen import Paint, Pen


def envelope(pen: Pen, paint: Paint) -> None:
    pen.block(0, 18, 100, 66, paint.light, 4)
    shadow = (paint.light[0] * 8 // 10, paint.light[1] * 8 // 10, paint.light[2] * 8 // 10)
    pen.shape([(1, 82), (40, 50), (60, 50), (99, 82), (97, 84), (3, 84)], shadow)
    pen.shape([(0, 21), (3, 18), (97, 18), (100, 21), (50, 62)], paint.main)
    pen.oval(50, 58, 20, 20, paint.second)
    pen.oval(50, 58, 11, 11, paint.light)


def clipboard(pen: Pen, paint: Paint) -> None:
    pen.block(14, 8, 72, 92, paint.main, 6)
    pen.block(21, 18, 58, 75, paint.light, 2)
    pen.block(36, 2, 28, 15, paint.dark, 4)
    for row in range(4):
        y = 31 + row * 15
        if row == 3:
            pen.line([(27, y - 3), (34, y + 4)], 3, paint.second)
            pen.line([(34, y - 3), (27, y + 4)], 3, paint.second)
        else:
            pen.line([(26, y), (29.5, y + 4), (35, y - 4)], 3, paint.third)
        pen.block(42, y - 2, 30 - row % 2 * 8, 5, paint.deep, 2.5)


def chalkboard(pen: Pen, paint: Paint) -> None:
    pen.line([(20, 84), (10, 100)], 4, paint.deep)
    pen.line([(80, 84), (90, 100)], 4, paint.deep)
    pen.block(2, 0, 96, 88, paint.main, 3)
    pen.block(7, 5, 86, 78, paint.dark, 1)
    for row in range(5):
        y = 15 + row * 14
        pen.block(16, y - 1.6, (44, 52, 36, 48, 40)[row], 3.6, paint.light, 1.8)
        if row in (1, 4):
            pen.line([(76, y - 4), (84, y + 4)], 2.6, paint.second)
            pen.line([(84, y - 4), (76, y + 4)], 2.6, paint.second)
        else:
            pen.line([(75, y), (79, y + 4), (85, y - 5)], 2.6, paint.third)
    pen.block(16, 77, 68, 2.4, paint.second, 1.2)


def pigeonholes(pen: Pen, paint: Paint) -> None:
    pen.block(0, 0, 100, 100, paint.main, 3)
    for row in range(4):
        for column in range(4):
            x, y = 5 + column * 23.3, 5 + row * 23.3
            pen.block(x, y, 20, 20, paint.dark, 1)
            if (row * 7 + column * 5) % 3 == 0:
                pen.shape([(x + 4, y + 20), (x + 7, y + 7), (x + 12, y + 6), (x + 11, y + 20)], paint.light)
                pen.shape([(x + 11, y + 20), (x + 14, y + 9), (x + 18, y + 10), (x + 16, y + 20)], paint.second)


def thread(pen: Pen, paint: Paint) -> None:
    pen.oval(46, 50, 76, 76, paint.second)
    for y in (34, 46, 58):
        pen.line([(16, y + 6), (34, y - 10), (56, y - 14), (76, y - 4)], 3, paint.light)
    pen.line([(30, 80), (46, 66), (64, 60), (80, 62)], 3, paint.light)
    pen.line([(60, 85), (78, 92), (96, 88), (104, 94)], 4, paint.second)


def slot(pen: Pen, paint: Paint) -> None:
    pen.block(4, 40, 92, 44, paint.deep, 6)
    pen.block(16, 54, 68, 12, paint.dark, 4)
    pen.shape([(30, 6), (74, 0), (76, 60), (28, 60)], paint.light)
    for y in (16, 27, 38):
        pen.block(37, y, 30, 3.6, paint.second, 1.8)


def book(pen: Pen, paint: Paint) -> None:
    pen.shape([(0, 20), (50, 30), (100, 20), (100, 88), (50, 98), (0, 88)], paint.main)
    pen.shape([(6, 12), (50, 24), (50, 90), (6, 80)], paint.light)
    pen.shape([(94, 12), (50, 24), (50, 90), (94, 80)], paint.light)
    pen.block(49, 24, 2, 66, paint.deep)
    for y in (30, 42, 54, 66):
        pen.line([(14, y), (42, y + 7)], 2.4, paint.second)
        pen.line([(86, y), (58, y + 7)], 2.4, paint.third)


def conveyor(pen: Pen, paint: Paint) -> None:
    pen.block(0, 40, 100, 22, paint.deep, 11)
    for x in (11, 30.5, 50, 69.5, 89):
        pen.oval(x, 51, 15, 15, paint.light)
        pen.oval(x, 51, 6, 6, paint.dark)
    pen.block(16, 8, 26, 31, paint.main, 2)
    pen.block(56, 14, 28, 25, paint.second, 2)


def chart(pen: Pen, paint: Paint) -> None:
    for x, high, fill in ((6, 34, paint.main), (30, 52, paint.second), (54, 44, paint.third), (78, 82, paint.glow)):
        pen.block(x, 94 - high, 17, high, fill, 2)
    pen.block(0, 94, 100, 4, paint.light, 2)


def money(pen: Pen, paint: Paint) -> None:
    for y in (88, 74, 60):
        pen.oval(38, y, 72, 22, paint.deep)
        pen.oval(38, y - 5, 72, 22, paint.glow)
    pen.oval(68, 30, 54, 54, paint.deep)
    pen.oval(65, 28, 54, 54, paint.glow)
    pen.ring(65, 28, 42, 4, paint.deep)
    pen.block(62, 17, 6, 22, paint.deep, 2)


def mask(pen: Pen, paint: Paint) -> None:
    pen.shape(
        [(0, 36), (20, 26), (50, 34), (80, 26), (100, 36), (94, 64), (72, 74), (50, 58), (28, 74), (6, 64)], paint.dark
    )
    for x in (28, 72):
        pen.oval(x, 50, 25, 17, paint.light)
        pen.oval(x + 3, 51, 9, 9, paint.second)


def gift(pen: Pen, paint: Paint) -> None:
    pen.oval(34, 20, 34, 26, paint.second)
    pen.oval(66, 20, 34, 26, paint.second)
    pen.oval(34, 20, 16, 11, paint.deep)
    pen.oval(66, 20, 16, 11, paint.deep)
    pen.block(10, 46, 80, 54, paint.main, 3)
    pen.block(4, 30, 92, 20, paint.light, 3)
    pen.block(42, 30, 16, 70, paint.second)
