"""A card's parts: the ground in two tones, the persona's portrait, the title.

The ground is drawn in grey at twice the size, so that halving it smooths its edges; a ramp of two tones then
colours the grey. Flat tones also keep the PNG small and quick to write.
"""

from __future__ import annotations

import colorsys
import hashlib
import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, PngImagePlugin

from .. import probe
from ..errors import BackendError
from . import fonts, layout
from .espeak_text import tokens

Colour = tuple[int, int, int]
INK: Colour = (246, 244, 238)
LONGEST = 110  # Characters of a title.
LONGEST_TOKEN = 16  # A longer word may be broken.
LINES = 5
LEADING = 1.16


class Card(NamedTuple):
    """A card on which more can be drawn, and the colour of its ornaments."""

    picture: Image.Image
    accent: Colour


def ground(width: int, height: int, said: str) -> Card:
    """The drawn ground; `said` chooses tones and shapes."""
    chance = random.Random(hashlib.sha256(said.encode("utf-8", "replace")).digest())  # noqa: S311
    dark, light, accent = _tones(chance)
    grey = Image.new("L", (width * 2, height * 2), 40)
    chance.choice(SHAPES)(ImageDraw.Draw(grey), width * 2, height * 2, chance)
    grey = grey.reduce(2)
    ramps = [
        [round(low + (high - low) * level / 255) for level in range(256)] for low, high in zip(dark, light, strict=True)
    ]
    return Card(Image.merge("RGB", [grey.point(ramp) for ramp in ramps]), accent)


def portrait(path: Path) -> Image.Image:
    """The persona's picture with its transparency. Raises BackendError if it is no picture."""
    try:
        probe.image(path)
        with Image.open(path, formats=probe.PICTURES) as file:
            figure: Image.Image = file.convert("RGBA")
            return figure
    except (probe.Unreadable, OSError) as error:
        raise BackendError(f"the persona's portrait cannot be read: {error}", "Save it again as PNG.") from None


def stand(card: Card, figure: Image.Image) -> layout.Box:
    """Set the persona on the card; returns where."""
    box = layout.portrait_box(*card.picture.size, figure.width / figure.height)
    scaled = figure.resize((box.width, box.height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    card.picture.paste(scaled, (box.x, box.y), scaled)
    return box


def title(card: Card, prompt: str, style: str, beside: bool) -> None:
    """The prompt as a title, the style below it in small letters."""
    text = _excerpt(" ".join(prompt.split()), LONGEST)
    room = layout.text_room(*card.picture.size, beside)
    drawer = ImageDraw.Draw(card.picture)
    small = max(4, round(min(card.picture.size) * 0.028))
    bar = max(1, round(small * 0.22))
    drawer.rectangle((room.x, room.y, room.x + small * 3, room.y + bar), fill=card.accent)
    y = room.y + bar + small
    left = room.height - bar - small - (round(small * 2.4) if style else 0)
    size, lines = _fitted(text, room.width, left, round(min(card.picture.size) * 0.105)) if text else (0, [])
    for line in lines:
        y += size
        fonts.draw(drawer, (room.x, y), line, size, INK, bold=True)
        y += round(size * (LEADING - 1))
    about = _shortened(" ".join(style.split()), small, room.width) if small >= 6 else ""
    fonts.draw(drawer, (room.x, y + small * 1.9), about, small, _mixed(INK, card.accent))


def save(picture: Image.Image, path: Path, place: layout.Box | None) -> None:
    """PNG, quickly; where the portrait stands goes into its text."""
    about = PngImagePlugin.PngInfo()
    if place is not None:
        about.add_text(layout.PLACE, layout.place(place))
    picture.save(path, "PNG", compress_level=1, pnginfo=about)


def _tones(chance: random.Random) -> tuple[Colour, Colour, Colour]:
    """Dark, light and accent: neighbours on the colour circle, the accent from across it; dark enough for white."""
    hue, turn = chance.random(), chance.choice((-0.09, 0.07, 0.1))
    light_of = 0.74 if 0.1 < hue < 0.5 else 1.0  # Yellow and green look brighter than they measure.
    dark = colorsys.hls_to_rgb(hue, 0.07, 0.45)
    light = colorsys.hls_to_rgb((hue + turn) % 1, 0.42 * light_of, 0.42)
    accent = colorsys.hls_to_rgb((hue + 0.5 + turn) % 1, 0.66, 0.78)
    return _bytes(dark), _bytes(light), _bytes(accent)


def _bytes(colour: tuple[float, float, float]) -> Colour:
    red, green, blue = (round(part * 255) for part in colour)
    return red, green, blue


def _mixed(one: Colour, other: Colour) -> Colour:
    red, green, blue = ((2 * a + b) // 3 for a, b in zip(one, other, strict=True))
    return red, green, blue


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


def _excerpt(text: str, most: int) -> str:
    if len(text) <= most:
        return text[:1].upper() + text[1:]
    head = text[: most - 1]
    cut = max(head.rfind(", "), head.rfind("; "), head.rfind(". "))
    head = head[:cut] if cut > most // 3 else head.rsplit(" ", 1)[0]
    return head[:1].upper() + head[1:].rstrip(",;:.") + "…"


def _fitted(text: str, width: int, height: int, largest: int) -> tuple[int, list[str]]:
    """The largest size at which the text fits, and its lines; at the smallest size what does not fit is left out."""
    parts = [(part, fonts.length(part, 64, bold=True) / 64) for part in _breakable(text)]
    lines: list[str] = []
    for size in range(max(5, largest), 4, -1):
        lines = _wrapped(parts, width / size)
        widest = max(width_ for _, width_ in parts)
        if widest * size <= width and len(lines) <= LINES and len(lines) * size * LEADING <= height:
            return size, _balanced(parts, width / size, len(lines))
    return 5, lines[: max(0, height // 6)]


def _breakable(text: str) -> Iterator[str]:
    for token in tokens(text):
        yield from (token[at : at + LONGEST_TOKEN] for at in range(0, len(token), LONGEST_TOKEN))


def _wrapped(parts: list[tuple[str, float]], width: float) -> list[str]:
    """Break into lines; widths are in sizes of the font."""
    lines, used = [""], 0.0
    for part, wide in parts:
        if lines[-1] and used + wide > width:
            lines.append("")
            used = 0.0
        lines[-1] += part
        used += wide
    return [line.rstrip() for line in lines]


def _balanced(parts: list[tuple[str, float]], width: float, count: int) -> list[str]:
    """As many lines, of lengths as even as they can be."""
    narrow, wide = width / 2, width
    for _ in range(8):
        middle = (narrow + wide) / 2
        if len(_wrapped(parts, middle)) > count:
            narrow = middle
        else:
            wide = middle
    return _wrapped(parts, wide)


def _shortened(text: str, size: int, width: int) -> str:
    if not text or fonts.length(text, size) <= width:
        return text
    while text and fonts.length(text + "…", size) > width:
        text = text[: max(0, len(text) - 1 - len(text) // 20)]
    return text.rstrip(" ,;") + "…"
