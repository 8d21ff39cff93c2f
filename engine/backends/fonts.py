"""The fonts that ship with the engine: Inter, and DejaVu Sans for what Inter has not."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from PIL import ImageDraw, ImageFont

FOLDER = Path(__file__).resolve().parents[1] / "fonts"
MEDIUM, BOLD, WIDE = "Inter-Medium.otf", "Inter-Bold.otf", "DejaVuSans.ttf"
Colour = tuple[int, int, int]


def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Inter at a size in pixels."""
    return _face(BOLD if bold else MEDIUM, size)


def length(text: str, size: int, bold: bool = False) -> float:
    """How many pixels a line is wide."""
    return sum(face.getlength(part) for face, part in _runs(text, size, bold))


def draw(
    drawer: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int, fill: Colour, bold: bool = False
) -> None:
    """Set a line, its base line beginning at a place; each stretch in the first font that has its characters."""
    x, y = at
    for face, part in _runs(text, size, bold):
        drawer.text((x, y), part, fill=fill, font=face, anchor="ls")
        x += face.getlength(part)


def _runs(text: str, size: int, bold: bool) -> Iterator[tuple[ImageFont.FreeTypeFont, str]]:
    plain = BOLD if bold else MEDIUM
    names: list[str] = []
    for character in shown(text):
        # A space goes with what stands before it, so that a line in one script stays one run.
        names.append(names[-1] if names and character == " " else plain if _has(plain, character) else WIDE)
    for name, pairs in groupby(zip(names, shown(text), strict=True), lambda pair: pair[0]):
        yield _face(name, size), "".join(character for _, character in pairs)


def shown(text: str) -> str:
    """The text without what no glyph stands for: controls and variation selectors; joiners stay."""
    blank = "".join(" " if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} else c for c in text)
    return "".join(c for c in blank if not "\ufe00" <= c <= "\ufe0f")


@lru_cache(maxsize=64)
def _face(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FOLDER / name), max(1, size))


@lru_cache(maxsize=4096)
def _has(name: str, character: str) -> bool:
    """Does the font draw this character as anything but the box for what it lacks?"""
    return character == " " or _mask(name, character) != _mask(name, "\U0010fffd")


@lru_cache(maxsize=4096)
def _mask(name: str, character: str) -> bytes:
    mask = ImageFont.truetype(str(FOLDER / name), 16, layout_engine=ImageFont.Layout.BASIC).getmask(character)
    return repr(mask.size).encode() + bytes(mask)
