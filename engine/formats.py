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
    own, aspect = board.format, SHAPES[shape]
    short = min(own.width, own.height)
    width, height = (short * aspect, short) if aspect >= 1 else (short, short / aspect)
    return replace(board, format=Format(even(float(width)), even(float(height)), own.fps))
