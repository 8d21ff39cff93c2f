"""What burned captions promise: there while they are spoken, legible on any picture, inside the safe area."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from picture_kit import clips, decoded, save, scene

from engine.backends.burn import Patch, drawn, plate_of
from engine.backends.picture import blend, planes_of
from engine.backends.themes import THEMES
from engine.frame import Box

SIZES = [(1280, 720), (720, 1280), (720, 720), (320, 180), (180, 320)]
LINES = ("Every second, strangers knock on your", "computer's door, and you never hear them.")
PICTURES = {
    "white": lambda width, height: np.full((height, width, 3), 255, np.uint8),
    "black": lambda width, height: np.zeros((height, width, 3), np.uint8),
    "noise": lambda width, height: np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8),
}


def shown(patch: Patch, pixels: np.ndarray) -> np.ndarray:
    """Luma of the caption's place on a picture, from 0 to 1."""
    planes = planes_of(pixels)
    place = planes.part(patch.x, patch.y, patch.alpha.shape[1], patch.alpha.shape[0])
    blend(place, patch.paint, patch.alpha, patch.half)
    return (place.y.astype(float) - 16) / 219


@pytest.mark.parametrize("size", [(320, 180), (180, 320), (64, 36)])
def test_captions_show_while_they_are_spoken(tmp_path: Path, size: tuple[int, int]) -> None:
    still = save(tmp_path / "still", np.full((size[1], size[0], 3), 90, np.uint8))
    timing = {"rate": 48000, "samples": 96000, "words": [[24000, 40000, "Good "], [40000, 60000, "day."]], "phones": []}
    (tmp_path / "timing").write_text(json.dumps(timing), "utf-8")
    more = {"still": still, "timing": tmp_path / "timing", "burn": True, "crf": 5}
    frames = decoded(scene(tmp_path / "s", clips(tmp_path, still, "hold", size), 100, size, **more), "gray")
    assert np.ptp(frames[5]) < 20
    assert np.ptp(frames[20]) > 90
    assert np.ptp(frames[99]) < 20
    changed = np.argwhere(np.abs(frames[20].astype(int) - frames[5]) > 20)
    assert changed[:, 0].min() > size[1] * 0.5
    assert changed[:, 0].max() < size[1] * 0.95


@pytest.mark.parametrize("size", SIZES)
def test_a_caption_stays_inside_the_safe_area_in_the_middle(size: tuple[int, int]) -> None:
    patch = drawn(LINES, *size)
    assert patch is not None
    high, wide = patch.alpha.shape
    assert size[0] * 0.04 <= patch.x
    assert abs(patch.x + wide / 2 - size[0] / 2) <= 2
    assert size[1] * 0.55 <= patch.y
    assert patch.y + high <= size[1] * 0.94


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("size", SIZES[:3])
def test_type_is_legible_on_any_picture(size: tuple[int, int], picture: str) -> None:
    """WCAG 2 asks for a contrast of 4.5, in linear light, between type and what is around it."""
    patch = drawn(LINES, *size)
    assert patch is not None
    level = shown(patch, PICTURES[picture](*size))
    light = np.clip(level, 0, 1) ** 2.2
    plain = patch.paint.y < 30
    inner = np.s_[4:-4, 12:-12]
    assert patch.paint.y.max() > 225
    assert (light[patch.paint.y > 225].min() + 0.05) / (light[inner][plain[inner]].max() + 0.05) > 4.5


def test_a_narrow_picture_gets_more_and_shorter_lines_in_large_type() -> None:
    wide, tall = drawn(LINES, 1280, 720), drawn(LINES, 720, 1280)
    assert wide is not None
    assert tall is not None
    assert tall.alpha.shape[0] > wide.alpha.shape[0] * 1.4
    assert tall.alpha.shape[1] < wide.alpha.shape[1]


@pytest.mark.parametrize("size", [(64, 36), (36, 64), (16, 16), (7680, 64)])
@pytest.mark.parametrize(
    "text", ["word " * 16, "字" * 42, "Antidisestablishmentarianism" * 3, "Hello.", "👩‍🚀 مرحبا", "."]
)
def test_no_caption_leaves_the_picture(size: tuple[int, int], text: str) -> None:
    patch = drawn((text.strip(),), *size)
    if patch is not None:
        high, wide = patch.alpha.shape
        assert patch.x >= 0
        assert patch.y >= 0
        assert patch.x + wide <= size[0]
        assert patch.y + high <= size[1]
        assert patch.half.shape == (high // 2, wide // 2)


@pytest.mark.parametrize(("width", "height", "below"), [(1280, 720, 0.05), (720, 1280, 0.15), (720, 720, 0.05)])
def test_a_caption_keeps_to_the_safe_area_and_off_the_mouth(width: int, height: int, below: float) -> None:
    lines = ("Put a new computer on the internet, and", "strangers try the handle within minutes.")
    patch = drawn(lines, width, height)
    assert patch is not None
    tall, wide = patch.alpha.shape
    assert patch.x >= width * 0.02
    assert patch.x + wide <= width * 0.98
    assert patch.y + tall <= height * (1 - below)
    moved = drawn(lines, width, height, mouth=Box(width // 3, patch.y + 4, width // 4, 20))
    assert moved is not None
    assert height * 0.04 <= moved.y < moved.y + tall < patch.y
    away = drawn(lines, width, height, mouth=Box(width // 3, patch.y - 60, width // 4, 50))
    assert away is not None
    assert away.y == patch.y


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_keeps_type_legible(theme: str) -> None:
    """White type on the plate alone, and on the plate over a white picture: 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    plate = np.array(plate_of(theme)) / 255
    for picture in (0.0, 1.0):
        seen = plate * 168 / 255 + picture * (1 - 168 / 255)
        linear = np.where(seen <= 0.04045, seen / 12.92, ((seen + 0.055) / 1.055) ** 2.4)
        assert 1.01 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05) > 4.5
