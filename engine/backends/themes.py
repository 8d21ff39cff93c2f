"""The house style's themes: colours that every drawn thing takes from one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Colour = tuple[int, int, int]


class Theme(NamedTuple):
    """Colours as 8-bit sRGB. Type of `ink` on `ground` or `panel` has a contrast of 7 at least (WCAG 2, AAA)."""

    ground: Colour  # Behind everything.
    panel: Colour  # Behind code and in a diagram's boxes.
    ink: Colour  # Type.
    muted: Colour  # Lesser type: 4.5 on ground and panel.
    accents: tuple[Colour, ...]  # Ornaments and marks, in the order in which they are used.
    light: bool  # Dark type on a light ground.
    code: str  # The Pygments style whose colours the code takes.


THEMES: Mapping[str, Theme] = {
    "studio": Theme(
        (22, 24, 34), (32, 35, 49), (246, 244, 238), (170, 172, 184),
        ((242, 183, 5), (72, 187, 174), (240, 113, 91), (139, 152, 245)), False, "one-dark",
    ),
    "paper": Theme(
        (247, 243, 234), (255, 253, 248), (34, 32, 29), (98, 92, 84),
        ((200, 66, 42), (22, 110, 122), (178, 124, 8), (88, 74, 160)), True, "friendly",
    ),
    "chalk": Theme(
        (33, 52, 46), (40, 62, 55), (243, 244, 236), (178, 194, 184),
        ((250, 214, 120), (244, 160, 150), (150, 212, 232), (190, 226, 150)), False, "monokai",
    ),
    "blueprint": Theme(
        (18, 46, 92), (24, 58, 112), (240, 246, 255), (168, 192, 228),
        ((255, 205, 88), (124, 224, 240), (255, 148, 122), (190, 200, 255)), False, "nord",
    ),
    "night": Theme(
        (10, 11, 16), (20, 22, 30), (236, 240, 244), (150, 158, 170),
        ((120, 230, 150), (255, 120, 170), (110, 190, 255), (250, 200, 90)), False, "monokai",
    ),
}  # fmt: skip
