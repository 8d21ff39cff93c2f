"""A card's parts: the ground, the drawings that its prompt asks for, the persona, a few words.

Everything takes its colours from the theme; which accent leads, what stands where and which pattern lies below is
chance, and chance is drawn from the style, the prompt and the seed alone.
"""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, PngImagePlugin

from .. import probe
from ..errors import BackendError
from ..frame import Box
from ..kinds import Still
from . import bidi, fonts, layout, setting
from .grounds import ground
from .motifs import Idea, Motif, idea
from .pen import Paint, Pen, mixed
from .themes import THEMES, Colour, Theme

TITLE = 110  # Characters of a title.
SMALL = 48  # Pixels; on a smaller card nothing is drawn.


class Card(NamedTuple):
    """A card on which more can be drawn."""

    picture: Image.Image
    theme: Theme
    accent: Colour
    idea: Idea
    chance: random.Random
    left: bool  # The persona stands on the left.


def begun(params: Still) -> Card:
    """The ground, and what will stand on it."""
    theme = THEMES[params.theme]
    said = f"{params.style}\0{params.prompt}\0{params.seed}"
    chance = random.Random(hashlib.sha256(said.encode("utf-8", "replace")).digest())  # noqa: S311
    accent = chance.choice(theme.accents)
    left = chance.random() < 0.5
    high = mixed(theme.ground, accent, 0.16 if theme.light else 0.3)
    picture = ground(params.width, params.height, theme.ground, high, chance)
    return Card(picture, theme, accent, idea(params.prompt), chance, left)


def portrait(path: Path) -> Image.Image:
    """The persona's picture with its transparency. Raises BackendError if it is no picture."""
    try:
        probe.image(path)
        with Image.open(path, formats=probe.PICTURES) as file:
            figure: Image.Image = file.convert("RGBA")
            return figure
    except (probe.Unreadable, OSError) as error:
        raise BackendError(f"the persona's portrait cannot be read: {error}", "Save it again as PNG.") from None


def stand(card: Card, figure: Image.Image, box: Box) -> None:
    """Set the persona on the card."""
    scaled = figure.resize((box.width, box.height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    card.picture.paste(scaled, (box.x, box.y), scaled)


def draw(card: Card, beside: bool) -> None:
    """The drawings that the prompt asks for: large alone, a prop beside the persona."""
    width, height = card.picture.size
    motifs = [motif for motif in card.idea.motifs if not beside or motif.__name__ not in {"robot", "desk"}]
    if not motifs or min(width, height) < SMALL:
        return
    if beside:
        _prop(card, motifs, width, height)
    elif card.idea.many:
        _crowd(card, motifs, width, height)
    else:
        _hero(card, motifs, width, height)


def _hero(card: Card, motifs: list[Motif], width: int, height: int) -> None:
    """One large drawing on a disc, a lesser one before it."""
    side = min(width, height) * 0.6
    right = card.chance.random() < 0.5
    x = width * (0.5 if height >= width else 0.6 if right else 0.4)
    y = height * 0.42
    _disc(card, x, y, side * 0.66)
    _put(card, motifs[0], x, y, side, 0)
    if len(motifs) > 1:
        away = -1 if right else 1
        _put(card, motifs[1], x + away * side * 0.72, y + side * 0.26, side * 0.5, 1)


def _crowd(card: Card, motifs: list[Motif], width: int, height: int) -> None:
    """Many of one drawing, in rows that grow towards us; one of them is lit."""
    rows = ((0.2, 0.15, 9), (0.33, 0.21, 7), (0.53, 0.31, 5)) if width > height else ((0.2, 0.14, 5), (0.38, 0.24, 4))
    lit = card.chance.randrange(1, 4)
    for depth, (y, size, count) in enumerate(rows):
        side = size * min(height, width * 0.8)
        for number in range(count):
            x = width * 0.5 + (number - (count - 1) / 2) * side * 1.22
            bright = depth == len(rows) - 1 and number == lit
            _put(card, motifs[0], x, height * y, side, 0 if bright else 2, faded=0 if bright else 0.55 - 0.2 * depth)
    if len(motifs) > 1:
        side = min(width, height) * 0.3
        _put(card, motifs[1], width * 0.84 - side * 0.2, height * 0.5, side, 1)


def _prop(card: Card, motifs: list[Motif], width: int, height: int) -> None:
    """What the persona has to do with, on the side that they leave free."""
    side = min(width, height) * 0.44
    x, y = width * (0.72 if card.left else 0.28), height * 0.4
    if height > width:
        x, y, side = width * 0.5, height * 0.2, width * 0.48
    elif width * 3 < height * 4:
        side, y = side * 0.8, height * 0.3
    _disc(card, x, y, side * 0.68)
    _put(card, motifs[0], x, y, side, 0)
    if len(motifs) > 1:
        _put(card, motifs[1], x + side * 0.6, y + side * 0.42, side * 0.4, 1)


def _disc(card: Card, x: float, y: float, radius: float) -> None:
    """A disc of quiet colour that frames a drawing."""
    tone = mixed(card.theme.ground, card.accent, 0.3 if card.theme.light else 0.42)
    size = round(radius * 2)
    mask = Image.new("L", (size * 2, size * 2))
    ImageDraw.Draw(mask).ellipse((0, 0, size * 2 - 1, size * 2 - 1), 255)
    card.picture.paste(tone, (round(x - radius), round(y - radius)), mask.reduce(2))


def _put(card: Card, motif: Motif, x: float, y: float, side: float, turn: int, faded: float = 0) -> None:
    """A drawing around a place, drawn at twice its size on a clear ground of its own."""
    size = max(8, round(side))
    layer = Image.new("RGBA", (size * 2, size * 2))
    motif(Pen(ImageDraw.Draw(layer), 0, 0, size * 2), _paint(card, turn, faded))
    layer = layer.reduce(2)
    card.picture.paste(layer, (round(x - size / 2), round(y - size / 2)), layer)


def _paint(card: Card, turn: int, faded: float) -> Paint:
    """Colours that begin with another accent at each turn; `faded` brings them nearer to the ground."""
    theme = card.theme
    first = theme.accents.index(card.accent)
    ring = [theme.accents[(first + turn + n) % len(theme.accents)] for n in range(3)]
    light, dark = ((255, 252, 244), (52, 48, 46)) if theme.light else ((244, 240, 230), (24, 26, 36))
    colours = (ring[0], mixed(ring[0], dark, 0.35), ring[1], ring[2], light, dark, (255, 214, 120))
    return Paint(*(mixed(colour, theme.ground, faded) for colour in colours))


def words(card: Card, params: Still, beside: bool) -> None:
    """The prompt, large, where nothing of it could be drawn: a drawing needs no words while somebody speaks."""
    width, height = params.width, params.height
    text = setting.excerpt(params.prompt, TITLE)
    if not text or (card.idea.motifs and min(width, height) >= SMALL):
        return
    room = layout.text_room(width, height, beside, card.left)
    drawer = ImageDraw.Draw(card.picture)
    small = max(1, round(min(width, height) * 0.012))
    size, lines = setting.fitted(text, room.width, room.height - 3 * small, round(min(width, height) * 0.115))
    drawer.rectangle((room.x, room.y, room.x + small * 6, room.y + small), fill=card.accent)
    y, leftward = room.y + 3 * small, bidi.rightmost_first(text)
    for line in lines:
        y += size
        fonts.draw(drawer, (room.x, y), line, size, card.theme.ink, bold=True, leftward=leftward)
        y += round(size * (setting.LEADING - 1))


def save(picture: Image.Image, path: Path, place: Box | None) -> None:
    """PNG, quickly; where the portrait stands goes into its text."""
    about = PngImagePlugin.PngInfo()
    if place is not None:
        about.add_text(layout.PLACE, layout.place(place))
    picture.save(path, "PNG", compress_level=1, pnginfo=about)
