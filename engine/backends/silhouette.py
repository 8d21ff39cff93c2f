"""Somebody whom nobody can know: head and shoulders in the colours of the theme, in the proportions of a portrait."""

from __future__ import annotations

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .drawing import Card
from .pen import Colour, mixed

HIGH = 960  # Pixels that it is drawn in; the card scales it.
_SHARP = [min(255, max(0, (level - 112) * 8)) for level in range(256)]  # Of an outline that was blurred: round joints.


def silhouette(card: Card, width: int, height: int) -> Image.Image:
    """A figure that fills a portrait of this width and height, lit from above on the side of the card's middle."""
    wide = max(64, min(4 * HIGH, round(HIGH * width / height)))
    figure = _outline(wide)
    theme, far = card.theme, (255, 252, 244)
    top = mixed(card.accent, theme.ground, 0.3 if theme.light else 0.42)
    low = mixed(card.accent, theme.ground, 0.55 if theme.light else 0.74)
    picture = _graded(wide, top, low)
    shift = round(HIGH * 0.014) * (-1 if card.left else 1)
    rim = ImageChops.subtract(figure, ImageChops.offset(figure, -shift, round(HIGH * 0.016)))
    glow = rim.filter(ImageFilter.GaussianBlur(HIGH * 0.006)).point([level * 5 // 8 for level in range(256)])
    picture.paste(mixed(card.accent, far, 0.5), (0, 0), ImageChops.multiply(glow, figure))
    picture.putalpha(figure)
    return picture


def _outline(wide: int) -> Image.Image:
    """Head, neck and shoulders, grown together."""
    mask = Image.new("L", (wide, HIGH))
    pen, middle = ImageDraw.Draw(mask), wide / 2
    broad = min(0.43 * HIGH, 0.47 * wide)

    def oval(y: float, across: float, down: float) -> None:
        half, high = across, down * HIGH
        pen.ellipse((middle - half, y * HIGH - high, middle + half, y * HIGH + high), 255)

    oval(0.335, 0.165 * HIGH, 0.2)
    oval(0.43, 0.14 * HIGH, 0.16)  # The jaw.
    pen.rectangle((middle - 0.085 * HIGH, 0.5 * HIGH, middle + 0.085 * HIGH, 0.72 * HIGH), 255)
    oval(1.0, broad, 0.335)
    pen.rectangle((middle - broad, 0.985 * HIGH, middle + broad, HIGH), 255)
    return mask.filter(ImageFilter.GaussianBlur(HIGH * 0.022)).point(_SHARP)


def _graded(wide: int, top: Colour, low: Colour) -> Image.Image:
    """From one colour above to another below."""
    column = Image.new("RGB", (1, HIGH))
    column.putdata([mixed(top, low, row / (HIGH - 1)) for row in range(HIGH)])
    return column.resize((wide, HIGH)).convert("RGBA")
