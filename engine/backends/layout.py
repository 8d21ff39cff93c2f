"""Where things stand on a still: shared by what draws the persona and what moves their mouth."""

from __future__ import annotations

import json

from ..frame import Box

PLACE = "mikebot:portrait"  # Key of a still's PNG text that holds [x, y, width, height] of the portrait.


def portrait_room(width: int, height: int, left: bool = False) -> Box:
    """Where a portrait may stand: on one side of a wide picture, in the lower half of a tall one."""
    if width >= height:
        across, top = 0.42 if width * 3 > height * 4 else 0.62, 0.1 if width * 3 > height * 4 else 0.36
        x = 0.06 if left else 0.94 - across
        return Box(round(width * x), round(height * top), round(width * across), height - round(height * top))
    return Box(round(width * 0.06), round(height * 0.36), round(width * 0.88), height - round(height * 0.36))


def text_room(width: int, height: int, portrait: bool, left: bool = False) -> Box:
    """Where text may stand: what a camera that moves keeps in sight, above the captions and beside the portrait."""
    x, y, right, bottom = 0.13, 0.17, 0.87, 0.76
    if portrait and width * 3 > height * 4:
        x, right = (0.52, 0.87) if left else (0.13, 0.48)
    elif portrait:
        bottom = 0.34
    box = [round(width * x), round(height * y), round(width * right), round(height * bottom)]
    return Box(box[0], box[1], max(1, box[2] - box[0]), max(1, box[3] - box[1]))


def portrait_box(width: int, height: int, aspect: float, left: bool = False) -> Box:
    """The box of a portrait of an aspect (width / height): as large as its room allows, on the lower edge."""
    return _lowest(portrait_room(width, height, left), height, aspect)


def window_box(width: int, height: int, aspect: float) -> Box:
    """The same where the persona fills a window."""
    return _lowest(Box(round(width * 0.02), round(height * 0.04), round(width * 0.96), height), height, aspect)


def _lowest(room: Box, height: int, aspect: float) -> Box:
    wide = max(1, round(min(room.width, (height - room.y) * aspect)))
    high = max(1, min(height - room.y, round(wide / aspect)))
    return Box(room.x + (room.width - wide) // 2, height - high, wide, high)


def place(box: Box) -> str:
    """The text that is kept in the still under PLACE."""
    return json.dumps(list(box), separators=(",", ":"))
