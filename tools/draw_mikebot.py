"""Draws personas/mikebot/portrait.png and poses/*.png: flat shapes, four times too large, then made smaller.

python tools/draw_mikebot.py [FOLDER]. In every pose the face is in the same place and the scarf is on.
The mouth and eyes in persona.yaml are the shares printed at the end.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw

WIDTH, HEIGHT, FINER = 768, 896, 4

Box = tuple[float, float, float, float]  # Middle x, y, width, height in pixels of the finished picture.

HEAD: Box = (384, 400, 548, 470)
FACE: Box = (384, 350, 452, 238)
MOUTH: Box = (384, 546, 300, 104)
EYES: tuple[Box, Box] = ((280, 350, 104, 128), (488, 350, 104, 128))

INK, CREAM, SHADE, LIGHT = "#23303b", "#f3e8d3", "#dccdb1", "#fffaf0"
TEAL, GLOW, SCREEN, RED = "#2fb7a8", "#a9f2e6", "#182630", "#e4604e"
SCARF, FOLD, BODY, BODY_SHADE = "#e2a52f", "#bf8420", "#5f8fa8", "#4b768d"


class Pose(NamedTuple):
    """How a pose differs: brows (rise at their inner and outer ends), gaze, the mouth's bend, and a hand."""

    brows: tuple[tuple[float, float], tuple[float, float]] | None = None  # Left and right: inner, outer.
    gaze: tuple[float, float] = (0, 0)
    bend: float = 0  # Pixels by which the mouth's corners lie above its middle.
    narrow: float = 1.0  # Of the mouth's line.
    hand: tuple[float, float] | None = None
    finger: tuple[float, float] | None = None  # From the hand.


POSES = {
    "happy": Pose(((12, 6), (12, 6)), bend=22),
    "thinking": Pose(((-2, 4), (22, 12)), gaze=(14, -14), narrow=0.6, hand=(520, 742), finger=(-46, -86)),
    "worried": Pose(((26, -6), (26, -6)), gaze=(0, 4), bend=-16, narrow=0.8),
    "surprised": Pose(((30, 26), (30, 26)), narrow=0.28),
    "pointing": Pose(((14, 8), (14, 8)), gaze=(-12, 0), bend=14, hand=(118, 726), finger=(-66, -96)),
}


class Canvas:
    """Rounded shapes by their middles."""

    def __init__(self) -> None:
        self.image = Image.new("RGBA", (WIDTH * FINER, HEIGHT * FINER), (0, 0, 0, 0))
        self.draw = ImageDraw.Draw(self.image)

    def block(self, box: Box, radius: float, fill: str) -> None:
        x, y, width, height = (value * FINER for value in box)
        corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        self.draw.rounded_rectangle(corners, radius * FINER, fill)

    def oval(self, box: Box, fill: str) -> None:
        x, y, width, height = (value * FINER for value in box)
        self.draw.ellipse((x - width / 2, y - height / 2, x + width / 2, y + height / 2), fill)

    def shape(self, points: list[tuple[float, float]], fill: str) -> None:
        self.draw.polygon([(x * FINER, y * FINER) for x, y in points], fill)

    def stroke(self, points: list[tuple[float, float]], width: float, fill: str) -> None:
        """A line with round ends."""
        self.draw.line([(x * FINER, y * FINER) for x, y in points], fill, round(width * FINER), "curve")
        for x, y in points:
            self.oval((x, y, width, width), fill)

    def done(self) -> Image.Image:
        return self.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def portrait(pose: Pose) -> Image.Image:
    """Head and shoulders on nothing."""
    canvas = Canvas()
    _body(canvas)
    _scarf(canvas)
    _antenna(canvas)
    _head(canvas)
    for eye in EYES:
        _eye(canvas, eye, pose.gaze)
    _brows(canvas, pose)
    _mouth(canvas, pose)
    _hand(canvas, pose)
    return canvas.done()


def _brows(canvas: Canvas, pose: Pose) -> None:
    """Strokes of light on the screen above the eyes."""
    for side, (inner, outer) in zip((-1, 1), pose.brows or (), strict=False):
        near, far = 384 + side * 66, 384 + side * 156
        canvas.stroke([(near, 270 - inner), (far, 270 - outer)], 13, GLOW)


def _hand(canvas: Canvas, pose: Pose) -> None:
    """A mitten with its cuff, one finger out."""
    if pose.hand is None or pose.finger is None:
        return
    x, y = pose.hand
    tip = (x + pose.finger[0], y + pose.finger[1])
    canvas.stroke([(x, 900), (x, y + 20)], 118, INK)
    canvas.stroke([(x, 900), (x, y + 30)], 94, BODY)
    canvas.stroke([(x, y), tip], 60, INK)
    canvas.oval((x, y, 132, 126), INK)
    canvas.stroke([(x, y), tip], 38, CREAM)
    canvas.oval((x, y, 110, 104), CREAM)
    canvas.block((x, y + 62, 122, 34), 14, INK)
    canvas.block((x, y + 62, 104, 18), 9, TEAL)


def _body(canvas: Canvas) -> None:
    canvas.block((384, 960, 700, 400), 150, INK)
    canvas.block((384, 968, 676, 392), 140, BODY)
    canvas.block((384, 1010, 676, 300), 110, BODY_SHADE)
    canvas.block((384, 968, 420, 392), 90, BODY)
    canvas.block((384, 680, 190, 130), 30, INK)
    canvas.oval((520, 862, 40, 40), INK)
    canvas.oval((520, 862, 26, 26), RED)


def _scarf(canvas: Canvas) -> None:
    canvas.block((262, 830, 104, 210), 30, INK)
    canvas.block((262, 826, 82, 200), 22, FOLD)
    canvas.block((384, 716, 452, 120), 60, INK)
    canvas.block((384, 714, 428, 98), 49, SCARF)
    canvas.block((384, 744, 340, 14), 7, FOLD)
    canvas.block((262, 738, 112, 96), 38, INK)
    canvas.block((262, 736, 90, 74), 30, SCARF)


def _antenna(canvas: Canvas) -> None:
    canvas.block((384, 126, 22, 110), 8, INK)
    canvas.oval((384, 66, 76, 76), INK)
    canvas.oval((384, 66, 54, 54), RED)
    canvas.oval((374, 55, 16, 14), LIGHT)


def _head(canvas: Canvas) -> None:
    for side in (-1, 1):
        canvas.block((384 + side * 282, 400, 88, 170), 34, INK)
        canvas.block((384 + side * 282, 400, 64, 146), 24, TEAL)
    x, y, width, height = HEAD
    canvas.block((x, y, width + 24, height + 24), 142, INK)
    canvas.block(HEAD, 130, SHADE)
    canvas.block((x, y - 14, width, height - 28), 124, CREAM)
    canvas.block((x - 60, 188, 240, 16), 8, LIGHT)
    canvas.block((FACE[0], FACE[1], FACE[2] + 20, FACE[3] + 20), 104, INK)
    canvas.block(FACE, 96, SCREEN)


def _eye(canvas: Canvas, eye: Box, gaze: tuple[float, float]) -> None:
    x, y, width, height = eye
    canvas.oval(eye, TEAL)
    x, y = x + gaze[0] / 2, y + gaze[1] / 2
    canvas.oval((x, y + 6, width * 0.74, height * 0.76), GLOW)
    x, y = x + gaze[0] / 2, y + gaze[1] / 2
    canvas.oval((x, y + 4, width * 0.44, height * 0.5), SCREEN)
    canvas.oval((x + 13, y - 16, 24, 26), LIGHT)


def _mouth(canvas: Canvas, pose: Pose) -> None:
    x, y, width, height = MOUTH
    canvas.block((x, y, width + 18, height + 18), 56, INK)
    canvas.block(MOUTH, 48, LIGHT)
    if pose.bend:
        half = width * 0.3 * pose.narrow
        steps = [n / 12 for n in range(-12, 13)]
        canvas.stroke([(x + half * n, y + 3 + pose.bend * (0.5 - n * n)) for n in steps], 16, INK)
    else:
        canvas.block((x, y + 3, width * 0.6 * pose.narrow, 16 if pose.narrow > 0.5 else 26), 8, INK)
    for side in (-1, 1):
        canvas.oval((384 + side * 214, 532, 58, 40), "#eeb79f")


def share(box: Box) -> str:
    """A box as persona.yaml has it."""
    x, y, width, height = box
    return f"{{x: {x / WIDTH:.4f}, y: {y / HEIGHT:.4f}, width: {width / WIDTH:.4f}, height: {height / HEIGHT:.4f}}}"


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "personas/mikebot")
    portrait(Pose()).save(folder / "portrait.png", optimize=True)
    (folder / "poses").mkdir(exist_ok=True)
    for name, pose in POSES.items():
        portrait(pose).save(folder / "poses" / f"{name}.png", optimize=True)
    for name, box in (("mouth", MOUTH), ("eye", EYES[0]), ("eye", EYES[1])):
        print(name, share(box))  # noqa: T201
