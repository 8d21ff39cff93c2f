"""Code as lines of coloured stretches, and which of its lines a step means. Imports neither pictures nor fonts."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from .themes import Colour, Theme

MOST_LINES, MOST_SHOWN, MOST_BYTES = 2000, 40, 65_536
LEGIBLE = 4.5  # WCAG 2's contrast of small type.
TAB = 4


class Piece(NamedTuple):
    """A stretch of a line in one colour."""

    text: str
    fill: Colour
    bold: bool


def lines_of(text: str) -> list[str]:
    """A text's lines without what all are indented by, tabs as spaces; blank lines at the end left out."""
    import textwrap

    unified = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(TAB)
    lines = textwrap.dedent(unified).split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    return [line.rstrip() for line in lines]


def ranges(said: str | int | None, everything: range) -> list[int]:
    """The lines that "3-9" or "1-2, 7" means, counted from 1; all where nothing is said."""
    if said is None:
        return list(everything)
    found: list[int] = []
    for part in str(said).split(","):
        first, _, last = part.strip().partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def window(said: str | int | None, count: int) -> list[int]:
    """The lines that are shown."""
    return ranges(said, range(1, count + 1))


@lru_cache(maxsize=1)
def lexer_names() -> dict[str, str]:
    """Every name of a language, and what the language is called."""
    from pygments.lexers import get_all_lexers

    return {alias: name for name, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases}


def coloured(lines: list[str], language: str, theme: Theme) -> list[list[Piece]]:
    """Each line's stretches, in the colours of the theme's Pygments style."""
    from pygments.lexers import get_lexer_by_name
    from pygments.styles import get_style_by_name

    lexer: Any = get_lexer_by_name(language.strip().lower(), stripnl=False, ensurenl=False)
    style: Any = get_style_by_name(theme.code)
    found: list[list[Piece]] = [[]]
    for sort, value in lexer.get_tokens("\n".join(lines)):
        token = sort
        while token not in style.styles:  # A language's own sort of word: its parent's colour.
            token = token.parent
        said = style.style_for_token(token)
        fill = readable(_colour(said["color"]) if said["color"] else theme.ink, theme.panel)
        for number, text in enumerate(value.split("\n")):
            if number:
                found.append([])
            if text:
                found[-1].append(Piece(text, fill, bool(said["bold"])))
    return found[: len(lines)] + [[] for _ in range(len(lines) - len(found))]


@lru_cache(maxsize=512)
def readable(colour: Colour, ground: Colour) -> Colour:
    """A colour, brought away from its ground until small type in it can be read; its hue stays."""
    return next((shade for shade in _shades(colour, ground) if contrast(shade, ground) >= LEGIBLE), colour)


def contrast(one: Colour, other: Colour) -> float:
    """The contrast of two colours (WCAG 2): 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """A colour between two: `share` of the first."""
    red, green, blue = (round(a * share + b * (1 - share)) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _shades(colour: Colour, ground: Colour) -> Iterator[Colour]:
    hue, light, full = colorsys.rgb_to_hls(*(part / 255 for part in colour))
    end = 0.0 if _luminance(ground) > 0.18 else 1.0
    for step in range(51):
        shade = colorsys.hls_to_rgb(hue, light + (end - light) * step / 50, full)
        red, green, blue = (round(part * 255) for part in shade)
        yield red, green, blue


def _luminance(colour: Colour) -> float:
    parts = (part / 255 for part in colour)
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _colour(text: str) -> Colour:
    return int(text[:2], 16), int(text[2:4], 16), int(text[4:], 16)
