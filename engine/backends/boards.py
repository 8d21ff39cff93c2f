"""What code, slides and diagrams share: the ground they stand on, panels with round corners, the least size of type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..frame import Box, board
from ..kinds import Still
from .themes import THEMES, Colour, Theme

if TYPE_CHECKING:
    from PIL.Image import Image

LEAST, MOST = 20, 40  # Pixels of type, where the picture's shorter side has 720.
_FINE = 4  # Shapes are drawn at this many times their size, then averaged.


class TooMuch(Exception):
    """What is to be shown does not fit at the least legible size; says what would."""


def theme_of(params: Still) -> Theme:
    """The colours of a board."""
    return THEMES[params.theme]


def room_of(params: Still) -> Box:
    """Where the board's content may stand."""
    return board(params.width, params.height, params.beside)


def unit(width: int, height: int) -> float:
    """How large a pixel of a picture of 720 is in this one."""
    return min(width, height) / 720


def refusals(params: Still) -> list[str]:
    """Sizes and themes that cannot be drawn."""
    sides = {"width": params.width, "height": params.height}
    wrong = [
        f"{name} is {side}, but must be from 16 to 7680 pixels"
        for name, side in sides.items()
        if not 16 <= side <= 7680
    ]
    return wrong if params.theme in THEMES else [*wrong, f"theme is {params.theme!r}; it takes {', '.join(THEMES)}"]


def ground(params: Still) -> Image:
    """The empty board."""
    from PIL import Image

    return Image.new("RGB", (params.width, params.height), theme_of(params).ground)


def panel(picture: Image, box: Box, radius: float, fill: Colour, rim: Colour | None = None, line: float = 0) -> None:
    """Lay a rectangle with round corners over a picture, and a line within its edge."""
    if rim is not None and line:
        panel(picture, box, radius, rim)
        thin = max(1, round(line))
        box = Box(box.x + thin, box.y + thin, max(1, box.width - 2 * thin), max(1, box.height - 2 * thin))
        radius = max(0, radius - thin)
    picture.paste(fill, (box.x, box.y), _mask(box, radius))


def _mask(box: Box, radius: float) -> Image:
    from PIL import Image, ImageDraw

    mask = Image.new("L", (box.width * _FINE, box.height * _FINE))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), round(radius * _FINE), fill=255)
    return mask.reduce(_FINE)
