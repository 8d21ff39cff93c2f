"""The fonts that ship with the engine, and how a line of any script is set in them.

A line is cut into runs of one font and one level (bidi.py), which HarfBuzz shapes each (through Pillow's raqm) and
which are then put from left to right. A wrapped line runs as its paragraph does: whoever draws it says so.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from PIL import ImageDraw, ImageFont, features

from ..errors import BackendError
from . import bidi, breaks
from .bidi import rightmost_first

FOLDER = Path(__file__).resolve().parents[1] / "fonts"
PLAIN, BOLD = "Inter-Medium.otf", "Inter-Bold.otf"
MONO, MONO_BOLD = "JetBrainsMono-Regular.ttf", "JetBrainsMono-Bold.ttf"
SCRIPTS = (
    "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "DejaVuSans.ttf",
    "DroidSansFallbackFull.ttf",
    "Symbola.ttf",
)
IN_BOLD = {"NotoSansArabic-Regular.ttf": "NotoSansArabic-Bold.ttf"}
LONGEST = 24  # Letters of a word that stays whole where type can be made smaller instead.
UNDRAWN = bidi.MARKS | set("\u00ad\u200b\u2060\ufeff")  # They say where a line may end, and no more.
Colour = tuple[int, int, int]
_own: tuple[str, ...] = ()  # The author's fonts, for the step that runs.


class Run(NamedTuple):
    """Letters in one font and of one level."""

    face: ImageFont.FreeTypeFont
    text: str
    leftward: bool

    @property
    def _how(self) -> dict[str, Any]:
        if self.leftward:
            return {"direction": "rtl"}
        joins = self.face.layout_engine == ImageFont.Layout.RAQM and str(self.face.path).endswith((MONO, MONO_BOLD))
        return {"features": ["-calt", "-liga"]} if joins else {}  # In code, == is two characters.

    @property
    def width(self) -> float:
        """In pixels."""
        return self.face.getlength(self.text, **self._how)

    def draw(self, drawer: ImageDraw.ImageDraw, at: tuple[float, float], fill: Colour) -> None:
        """Set the run, its base line beginning at a place."""
        drawer.text(at, self.text, fill=fill, font=self.face, anchor="ls", **self._how)


def use(paths: Iterable[Path]) -> None:
    """Take the author's fonts, too, after ours, from now on; the step that runs says which."""
    global _own  # noqa: PLW0603 (One step runs at a time in a worker, and each says what it uses.)
    _own = tuple(str(path.absolute()) for path in paths)


def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Inter at a size in pixels."""
    return _face(BOLD if bold else PLAIN, size)


def length(text: str, size: int, bold: bool = False, mono: bool = False) -> float:
    """How many pixels a line is wide."""
    return sum(run.width for run in runs(text, size, bold, mono))


def draw(
    drawer: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    size: int,
    fill: Colour,
    bold: bool = False,
    mono: bool = False,
    leftward: bool | None = None,
) -> None:
    """Set a line from left to right, its base line beginning at a place; `leftward` as its paragraph, or by itself."""
    x, y = at
    for run in runs(text, size, bold, mono, leftward):
        run.draw(drawer, (x, y), fill)
        x += run.width


def wrap(text: str, size: int, width: float, bold: bool = False, whole: int = 0) -> list[str]:
    """Break a text into lines that are at most so many pixels wide, where its script allows.

    A word that is wider than a line is cut, unless it has at most `whole` letters: then it sticks out.
    """
    lines: list[str] = []
    wide = 0.0  # All pieces of the last line, each by itself: together they are never wider by a tenth.
    alone = cache(lambda bit: length(bit, size, bold))

    def fits(line: str) -> bool:
        return length(line, size, bold) <= width

    for part in breaks.pieces(text):
        keep = len(breaks.clusters(breaks.bare(part))) <= whole
        bits = [part] if keep else breaks.fitting(part, fits)
        for number, bit in enumerate(bits):
            new = not lines or (number == 0 and len(bits) > 1)  # A word that is cut begins a line.
            wide += alone(bit)
            if new or (breaks.bare(bit) and wide * 1.1 > width and not fits(breaks.bare(lines[-1] + bit))):
                lines.append(bit)
                wide = alone(bit)
            else:
                lines[-1] += bit
    return [line for line in map(breaks.bare, lines) if line]


def runs(text: str, size: int, bold: bool = False, mono: bool = False, leftward: bool | None = None) -> list[Run]:
    """A line's runs from left to right."""
    letters = shown(text)
    if letters.isascii() and not leftward:
        return [Run(_face(_first(bold, mono), size), letters, False)] if letters else []
    base = rightmost_first(letters) if leftward is None else leftward
    found = [
        (level, Run(_face(name, size), part, level % 2 == 1)) for name, level, part in _cut(letters, base, bold, mono)
    ]
    if any(run.leftward for _, run in found) and not features.check("raqm"):
        raise BackendError("this Pillow cannot set text from right to left", "Install Pillow's own wheel: it has raqm.")
    return bidi.ordered(found)


def shown(text: str) -> str:
    """The text without what no glyph stands for: controls, places to break, variation selectors; joiners stay."""
    if text.isascii() and text.isprintable():
        return text
    blank = "".join(" " if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} else c for c in text)
    return "".join(c for c in blank if not "\ufe00" <= c <= "\ufe0f" and c not in UNDRAWN)


def _cut(text: str, base: bool, bold: bool, mono: bool) -> Iterator[tuple[str, int, str]]:
    """Stretches of one font and one level, in the order in which they are read."""
    names: list[str] = []
    for letter in breaks.clusters(text):
        names += _named(letter, bold, mono, names[-1] if names else "")
    marked = zip(names, bidi.levels(text, base), strict=True)
    for (name, level), pairs in groupby(zip(marked, text, strict=True), lambda pair: pair[0]):
        yield name, level, "".join(letter for _, letter in pairs)


def _first(bold: bool, mono: bool) -> str:
    if mono:
        return MONO_BOLD if bold else MONO
    return BOLD if bold else PLAIN


def _named(letter: str, bold: bool, mono: bool, before: str) -> list[str]:
    """The font of each part of a letter: the first that has them all, marks too, or else the first for each.

    Spaces, joiners and marks of direction stay in the font of what they follow.
    """
    first = _first(bold, mono)
    inked = [part for part in letter if unicodedata.category(part) not in {"Zs", "Cf"}]
    if not inked:
        return [before or first] * len(letter)
    fonts = (first, *SCRIPTS, *_own)
    whole = next((name for name in fonts if all(_has(name, part) for part in inked)), None)
    names = [whole or next((name for name in fonts if _has(name, part)), first) for part in letter]
    return [IN_BOLD.get(name, name) if bold else name for name in names]


@lru_cache(maxsize=256)
def _face(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FOLDER / name), max(1, size))  # An absolute path stays itself.


@lru_cache(maxsize=4096)
def _has(name: str, letter: str) -> bool:
    """Does the font draw this letter as anything but the box for what it lacks?"""
    return letter == " " or _mask(name, letter) != _mask(name, "\U0010fffd")


@lru_cache(maxsize=4096)
def _mask(name: str, letter: str) -> bytes:
    face = ImageFont.truetype(str(FOLDER / name), 16, layout_engine=ImageFont.Layout.BASIC)
    mask = face.getmask(letter)
    return repr(mask.size).encode() + bytes(mask)


def covers(path: Path, letter: str) -> bool:
    """Whether a font file has a letter. Raises OSError for what is no font."""
    return _has(str(path.absolute()), letter)
