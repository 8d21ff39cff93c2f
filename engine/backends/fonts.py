"""The fonts that ship with the engine, and how a line of any script is set in them.

A line is cut into runs of one font and one direction, which HarfBuzz shapes each (through Pillow's raqm); runs
are put into visual order as the Unicode Bidirectional Algorithm has it for text without explicit marks (UAX #9,
rule L2 over two levels).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from PIL import ImageDraw, ImageFont, features

from ..errors import BackendError

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
NO_END = "([{〈《「『【〔（［｛“‘«"  # What no line ends with.
NO_START = ")]}〉》」』】〕）］｝”’»、。，．：；？！!?,.:;…ー々％%"  # What no line starts with.
LONGEST = 24  # Letters without a place to break, after which they are broken anyway.
Colour = tuple[int, int, int]
_own: tuple[str, ...] = ()  # The author's fonts, for the step that runs.


class Run(NamedTuple):
    """Letters in one font and one direction."""

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
    _own = tuple(str(path) for path in paths)


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
) -> None:
    """Set a line, its base line beginning at a place, whatever its direction; from left to right as it is read."""
    x, y = at
    for run in runs(text, size, bold, mono):
        run.draw(drawer, (x, y), fill)
        x += run.width


def wrap(text: str, size: int, width: float, bold: bool = False) -> list[str]:
    """Break a text into lines that are at most so many pixels wide, where its script allows."""
    lines: list[str] = []
    for part in pieces(text):
        if lines and length(lines[-1] + part.rstrip(), size, bold) <= width:
            lines[-1] += part
        else:
            lines.append(part)
    return [line.rstrip() for line in lines]


def pieces(text: str) -> list[str]:
    """A text cut wherever a line may end: after spaces, between ideographs, in the midst of what is too long."""
    parts: list[str] = []
    for letter in " ".join(text.split()):
        if parts and not _breaks(parts[-1], letter):
            parts[-1] += letter
        else:
            parts.append(letter)
    return parts


def rightmost_first(text: str) -> bool:
    """Whether a line is read from right to left: its first letter says so."""
    strong = (unicodedata.bidirectional(letter) for letter in text)
    return next((kind in {"R", "AL"} for kind in strong if kind in {"L", "R", "AL"}), False)


def runs(text: str, size: int, bold: bool = False, mono: bool = False) -> list[Run]:
    """A line's runs from left to right."""
    letters = shown(text)
    if letters.isascii():
        return [Run(_face(_first(bold, mono), size), letters, False)] if letters else []
    base = rightmost_first(letters)
    found = [Run(_face(name, size), part, leftward) for name, leftward, part in _cut(letters, base, bold, mono)]
    if any(run.leftward for run in found) and not features.check("raqm"):
        raise BackendError("this Pillow cannot set text from right to left", "Install Pillow's own wheel: it has raqm.")
    return _ordered(found, base)


def shown(text: str) -> str:
    """The text without what no glyph stands for: controls and variation selectors; joiners stay."""
    if text.isascii() and text.isprintable():
        return text
    blank = "".join(" " if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} else c for c in text)
    return "".join(c for c in blank if not "\ufe00" <= c <= "\ufe0f")


def _ordered(found: list[Run], base: bool) -> list[Run]:
    """Logical order to visual: what runs against the line keeps its own order, what runs with it is laid along."""
    groups = [list(group) for _, group in groupby(found, lambda run: run.leftward)]
    along = groups[::-1] if base else groups
    return [run for group in along for run in (group[::-1] if group[0].leftward else group)]


def _cut(text: str, base: bool, bold: bool, mono: bool) -> Iterator[tuple[str, bool, str]]:
    """Stretches of one font and one direction, in logical order."""
    marked: list[tuple[str, bool]] = []
    for number, letter in enumerate(text):
        kind = unicodedata.bidirectional(letter)
        name = _named(letter, bold, mono, marked[-1][0] if marked else "")
        if kind in {"L", "EN", "AN"}:
            leftward = False
        elif kind in {"R", "AL"}:
            leftward = True
        else:  # Neutral: with its neighbours if they agree, else with the line.
            before = marked[-1][1] if marked else base
            leftward = before if before == _following(text, number, base) else base
        marked.append((name, leftward))
    for (name, leftward), pairs in groupby(zip(marked, text, strict=True), lambda pair: pair[0]):
        yield name, leftward, "".join(letter for _, letter in pairs)


def _following(text: str, number: int, base: bool) -> bool:
    for letter in text[number + 1 :]:
        kind = unicodedata.bidirectional(letter)
        if kind in {"L", "EN", "AN", "R", "AL"}:
            return kind in {"R", "AL"}
    return base


def _first(bold: bool, mono: bool) -> str:
    if mono:
        return MONO_BOLD if bold else MONO
    return BOLD if bold else PLAIN


def _named(letter: str, bold: bool, mono: bool, before: str) -> str:
    """The first font that has a letter; spaces, joiners and marks stay in the font of what they follow."""
    if before and (letter in " \u200c\u200d" or unicodedata.combining(letter)):
        return before
    first = _first(bold, mono)
    for name in (first, *SCRIPTS, *_own):
        if _has(name, letter):
            return IN_BOLD.get(name, name) if bold else name
    return first


def _breaks(part: str, letter: str) -> bool:
    """Whether a line may end between a piece and the letter after it."""
    if letter == " " or letter in NO_START or unicodedata.combining(letter):
        return False
    if part[-1] == " " or (len(part) >= LONGEST and part[-1] not in NO_END):
        return True
    return (_wide(part[-1]) or _wide(letter)) and part[-1] not in NO_END


def _wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in {"W", "F"}


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
    return _has(str(path), letter)
