"""Where things stand on a still: shared by what draws the persona and what moves their mouth."""

from __future__ import annotations

import json

from ..frame import Box

PLACE = "mikebot:portrait"  # Key of a still's PNG text that holds [x, y, width, height] of the portrait.


def portrait_room(width: int, height: int) -> Box:
    """Where a portrait may stand: to the right of a wide picture, in the lower half of a tall one."""
    if width >= height:
        return Box(round(width * 0.52), round(height * 0.16), round(width * 0.36), height - round(height * 0.16))
    return Box(round(width * 0.1), round(height * 0.4), round(width * 0.8), height - round(height * 0.4))


def text_room(width: int, height: int, portrait: bool) -> Box:
    """Where text may stand: what a camera that moves keeps in sight, and above the captions."""
    tall = height > width
    x, y = round(width * 0.13), round(height * 0.17)
    right = width * (0.5 if portrait and not tall else 0.87)
    bottom = height * (0.36 if portrait and tall else 0.72)
    return Box(x, y, max(1, round(right) - x), max(1, round(bottom) - y))


def portrait_box(width: int, height: int, aspect: float) -> Box:
    """The box of a portrait of an aspect (width / height): as large as its room allows, on the lower edge."""
    room = portrait_room(width, height)
    wide = max(1, round(min(room.width, room.height * aspect)))
    high = max(1, min(room.height, round(wide / aspect)))
    return Box(room.x + (room.width - wide) // 2, height - high, wide, high)


def place(box: Box) -> str:
    """The text that is kept in the still under PLACE."""
    return json.dumps(list(box), separators=(",", ":"))
