"""What a card stands on: one of a few quiet patterns, in two tones of its theme.

A pattern is drawn in grey at twice the size, so that halving it smooths its edges; a ramp of two tones then
colours the grey. Flat tones also keep the PNG small and quick to write.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from PIL import Image, ImageDraw

from .themes import Colour


def ground(width: int, height: int, low: Colour, high: Colour, chance: random.Random) -> Image.Image:
    """A pattern that chance chooses, from one tone to another."""
    grey = Image.new("L", (width * 2, height * 2), 40)
    chance.choice(SHAPES)(ImageDraw.Draw(grey), width * 2, height * 2, chance)
    grey = grey.reduce(2)
    ramps = [[round(a + (b - a) * level / 255) for level in range(256)] for a, b in zip(low, high, strict=True)]
    return Image.merge("RGB", [grey.point(ramp) for ramp in ramps])


def _rings(drawer: ImageDraw.ImageDraw, width: int, height: int, chance: random.Random) -> None:
    x, y = width * chance.uniform(0.6, 0.9), height * chance.uniform(0.3, 0.7)
    step = math.hypot(width, height) / chance.randint(9, 13)
    for ring in range(12, 0, -1):
        radius = ring * step * 0.8
        drawer.ellipse((x - radius, y - radius, x + radius, y + radius), fill=40 + (12 - ring) * 12)


def _hills(drawer: ImageDraw.ImageDraw, width: int, height: int, chance: random.Random) -> None:
    radius, x, y = height * 0.16, width * chance.uniform(0.6, 0.85), height * chance.uniform(0.22, 0.4)
    drawer.ellipse((x - radius, y - radius, x + radius, y + radius), fill=190)
    for layer in range(5):
        waves = [(chance.uniform(0.6, 2.4), chance.random() * math.tau, height * 0.06 / (n + 1)) for n in range(3)]
        base = height * (0.5 + 0.11 * layer)
        tops = [
            (x, base + sum(size * math.sin(x / width * math.tau * pace + shift) for pace, shift, size in waves))
            for x in range(0, width + 16, 16)
        ]
        drawer.polygon([*tops, (width + 16, height), (0, height)], fill=130 - layer * 24)


def _bands(drawer: ImageDraw.ImageDraw, width: int, height: int, chance: random.Random) -> None:
    slant, count = height * chance.choice((-0.6, 0.6, 0.9)), chance.randint(5, 8)
    edge = width * 0.35
    for band in range(count):
        following = edge + (width * 1.35 - edge) * chance.uniform(0.15, 0.3)
        corners = [(edge + slant / 2, 0), (following + slant / 2, 0)]
        drawer.polygon([*corners, (following - slant / 2, height), (edge - slant / 2, height)], fill=60 + band * 17)
        edge = following


def _dots(drawer: ImageDraw.ImageDraw, width: int, height: int, chance: random.Random) -> None:
    step = max(8, min(width, height) // chance.randint(13, 18))
    for column in range(width // step + 1):
        for row in range(height // step + 1):
            near = column * step / width * 0.75 + row * step / height * 0.25
            radius = step * 0.42 * near**1.6
            x, y = (column + 0.5) * step, (row + 0.5) * step
            drawer.ellipse((x - radius, y - radius, x + radius, y + radius), fill=round(60 + 110 * near))


def _blocks(drawer: ImageDraw.ImageDraw, width: int, height: int, chance: random.Random) -> None:
    for layer in range(3):
        x = 0.0
        while x < width:
            wide = width * chance.uniform(0.04, 0.1)
            rise = (0.3 + 0.35 * x / width) * chance.uniform(0.55, 1.1) * (1.25 - layer * 0.3)
            drawer.rectangle((x, height * (1 - rise), x + wide, height), fill=120 - layer * 34)
            x += wide + width * 0.008


SHAPES: tuple[Callable[[ImageDraw.ImageDraw, int, int, random.Random], None], ...] = (
    _rings,
    _hills,
    _bands,
    _dots,
    _blocks,
)
