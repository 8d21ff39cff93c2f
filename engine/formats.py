"""The shapes that one storyboard is laid out for: each anew, none cut out of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from .frame import even
from .storyboard import Format, Storyboard

SHAPES: Mapping[str, Fraction] = {"wide": Fraction(16, 9), "shorts": Fraction(9, 16), "square": Fraction(1)}


def shaped(board: Storyboard, shape: str) -> Storyboard:
    """The storyboard in a shape: its shorter side stays, the other follows. An empty name changes nothing."""
    if not shape:
        return board
    return replace(board, format=Format(*size(board.format.width, board.format.height, shape), board.format.fps))


def size(width: int, height: int, shape: str) -> tuple[int, int]:
    """A picture's width and height in a shape; its own where no shape is named."""
    if not shape:
        return width, height
    aspect, short = SHAPES[shape], min(width, height)
    wide, high = (short * aspect, short) if aspect >= 1 else (short, short / aspect)
    return even(float(wide)), even(float(high))
