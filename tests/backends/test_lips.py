"""What an open mouth promises: on a drawing clean shapes on its own ground, on a photo no seam; at rest, no trace."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import yaml
from picture_kit import MOUTH, face
from PIL import Image, ImageDraw, ImageFilter

from engine.backends import parted, plain
from engine.backends.lips import Lips
from engine.backends.mouth import OPENNESS, WIDTHS
from engine.backends.picture import planes_of

MIKEBOT = Path(__file__).parents[2] / "personas" / "mikebot"
SHAPES = list(product(range(1, OPENNESS + 1), range(0, WIDTHS + 1, 2), range(3)))


def mikebot() -> tuple[np.ndarray, list[float]]:
    """Mikebot's portrait, and the place of the mouth in it."""
    said = yaml.safe_load((MIKEBOT / "persona.yaml").read_text("utf-8"))["portrait"]["mouth"]
    picture = Image.open(MIKEBOT / "portrait.png").convert("RGB")
    return np.asarray(picture.resize((384, 448), Image.Resampling.LANCZOS)), [
        said[k] for k in ("x", "y", "width", "height")
    ]


def drawn_face() -> tuple[np.ndarray, list[float]]:
    picture, (x, y, width, height) = face(480, 270)
    box = [(x + MOUTH["x"] * width) / 480, (y + MOUTH["y"] * height) / 270]
    return np.asarray(picture), [*box, MOUTH["width"] * width / 480, MOUTH["height"] * height / 270]


def photo() -> tuple[np.ndarray, list[float]]:
    """Skin in soft light with lips on it, and a camera's noise."""
    picture = Image.new("RGB", (400, 400), (205, 160, 135))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((130, 220, 270, 270), fill=(175, 85, 85))
    draw.line((130, 245, 270, 245), fill=(110, 45, 50), width=4)
    soft = np.asarray(picture.filter(ImageFilter.GaussianBlur(4))).astype(float)
    light = np.linspace(1.1, 0.7, 400)[None, :, None]
    noise = np.random.default_rng(1).normal(0, 3, soft.shape)
    return np.uint8(np.clip(soft * light + noise, 0, 255)), [0.5, 245 / 400, 140 / 400, 50 / 400]


def inside(pixels: np.ndarray, box: list[float]) -> tuple[slice, slice]:
    height, width = pixels.shape[:2]
    x, y, w, h = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    return slice(round(y - h / 2), round(y + h / 2)), slice(round(x - w / 2), round(x + w / 2))


@pytest.mark.parametrize("portrait", [mikebot, drawn_face])
def test_a_drawing_s_mouth_opens_on_its_own_ground(portrait) -> None:  # type: ignore[no-untyped-def]
    pixels, box = portrait()
    place = inside(pixels, box)
    colour = plain.ground(pixels[place])
    assert colour is not None
    own = pixels[place].copy()
    height, width = own.shape[:2]
    paint = plain.Plain(own, (width / 2, height / 2, width, height), colour)
    for openness, across, teeth in SHAPES:
        shape = paint(openness / OPENNESS, across / WIDTHS, teeth).astype(int)
        changed = np.abs(shape - own).sum(axis=2) > 30
        ground = np.abs(shape - colour).sum(axis=2) < 12
        rows, columns = np.nonzero(~ground & changed)
        # Flat colours with edges between them: where something is smeared, neighbours differ a little everywhere.
        assert (np.diff(shape, axis=1) == 0).all(axis=2).mean() > 0.75
        assert 0 < rows.min() <= rows.max() < height - 1
        assert 0 < columns.min() <= columns.max() < width - 1
        # In the middle, and in one piece.
        assert abs((columns.min() + columns.max()) - (width - 1)) <= 4
        middle = np.s_[height // 8 : -height // 8, width // 3 : -width // 3]
        rows = np.nonzero((np.abs(shape - colour).sum(axis=2) > 15)[middle])[0]
        assert (np.diff(np.unique(rows)) == 1).all()


def test_shapes_grow_with_openness_and_width() -> None:
    pixels, box = mikebot()
    own = pixels[inside(pixels, box)].copy()
    height, width = own.shape[:2]
    colour = plain.ground(own)
    assert colour is not None
    paint = plain.Plain(own, (width / 2, height / 2, width, height), colour)

    middle = np.s_[height // 10 : -height // 10, width // 12 : -width // 12]  # Within the plate's frame.

    def extent(openness: float, across: float) -> tuple[int, int]:
        rows, columns = np.nonzero(np.abs(paint(openness, across).astype(int) - colour).sum(axis=2)[middle] > 60)
        return int(np.ptp(columns)), int(np.ptp(rows))

    heights = [extent(step / OPENNESS, 0.5)[1] for step in range(2, OPENNESS + 1)]
    widths = [extent(0.6, step / WIDTHS)[0] for step in range(WIDTHS + 1)]
    assert heights == sorted(set(heights))
    assert widths == sorted(set(widths))
    assert heights[-1] > 0.7 * height


def test_a_photo_is_told_from_a_drawing_and_parted_without_a_seam() -> None:
    pixels, box = photo()
    assert plain.ground(pixels[inside(pixels, box)]) is None
    paint = parted.Parted(pixels, (200, 245, 140, 50))
    for openness, across, teeth in SHAPES:
        shape = paint(openness / OPENNESS, across / WIDTHS, teeth).astype(int)
        side, above, below = (round(part) for part in (0.8 * 140, 0.5 * 140, 140))
        beyond = np.ones(pixels.shape[:2], bool)
        beyond[245 - above : 245 + below, 200 - side : 200 + side] = False
        assert (shape[beyond] == pixels[beyond]).all()
        if openness > 4 and teeth == 0:
            assert shape[246 + openness, 200].sum() < pixels[246 + openness, 200].sum()


@pytest.mark.parametrize("portrait", [mikebot, drawn_face, photo])
def test_a_mouth_that_shuts_leaves_no_trace(portrait) -> None:  # type: ignore[no-untyped-def]
    pixels, box = portrait()
    pixels = np.ascontiguousarray(pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2])
    planes, before = planes_of(pixels), planes_of(pixels)
    lips = Lips(pixels, planes, box)
    for shape in SHAPES:
        lips.show(*shape)
        assert any((now != was).any() for now, was in zip(planes, before, strict=True))
    lips.show(0, 3, 1)
    assert all((now == was).all() for now, was in zip(planes, before, strict=True))


@pytest.mark.parametrize(
    "box", [[0.5, 0.5, 0.001, 0.001], [0.0, 0.0, 0.3, 0.1], [1.0, 1.0, 0.5, 0.5], [0.5, 0.5, 1, 1]]
)
def test_a_box_at_the_edge_is_no_error(box: list[float]) -> None:
    pixels = photo()[0]
    lips = Lips(pixels, planes_of(pixels), box)
    for shape in SHAPES:
        lips.show(*shape)
