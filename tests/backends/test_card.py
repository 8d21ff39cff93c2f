"""A card holds its text in sight of a moving camera and above the captions, at any size and in any script."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.backends import fonts, layout
from engine.backends.card import Card, CardParams
from engine.errors import BackendError
from engine.kinds import Inputs


class Quiet:
    def progress(self, done: int, total: int) -> None:
        assert 0 <= done <= total


PROMPT = "Mikebot behind a desk with a small brass door on it"
SIZES = [(1280, 720), (720, 1280), (640, 640), (64, 36), (16, 16)]


def card(out: Path, portrait: Path | None = None, **said: object) -> Image.Image:
    params = CardParams(**({"prompt": PROMPT, "width": 640, "height": 360, "seed": 7} | said))  # type: ignore[arg-type]
    Card().run(params, Inputs(portrait=portrait) if portrait else Inputs(), out, Quiet())
    with Image.open(out / "image") as file:
        file.load()
        picture = file
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (params.width, params.height))
    return picture


def figure(path: Path, size: tuple[int, int] = (300, 400)) -> Path:
    """A red figure in a clear frame."""
    picture = Image.new("RGBA", size, (0, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (size[0] // 4, size[1] // 4, size[0] * 3 // 4, size[1]))
    picture.save(path)
    return path


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize(
    "prompt", [PROMPT, "", "日本語のテスト 😀", "مرحبا بالعالم", "x" * 3000, "a \0 \x07 \ud800 b", "many words " * 400]
)
def test_text_stays_where_it_can_be_read(tmp_path: Path, width: int, height: int, prompt: str) -> None:
    """What the text changes of the picture lies within the room for text, but for an accent's overhang."""
    with_text = np.asarray(card(tmp_path, prompt=prompt, width=width, height=height, style="warm light")).astype(int)
    without = np.asarray(card(tmp_path, prompt=prompt, width=width, height=height, style="warm light", text=False))
    rows, columns = np.nonzero(np.abs(with_text - without).sum(axis=2))
    room = layout.text_room(width, height, False)
    slack = max(2, height // 60)
    assert rows.min() >= room.y
    assert columns.min() >= room.x - slack
    assert columns.max() <= room.x + room.width + max(slack, 13 if width < 100 else 0)
    assert rows.max() <= height * 0.78


def test_a_card_depends_on_prompt_style_and_seed_alone(tmp_path: Path) -> None:
    first = card(tmp_path).tobytes()
    assert card(tmp_path).tobytes() == first
    others = [card(tmp_path, **change).tobytes() for change in ({"seed": 8}, {"style": "cold"}, {"prompt": "else"})]
    assert len({first, *others}) == 4


@pytest.mark.parametrize("seed", range(12))
def test_the_ground_is_dark_enough_for_white_letters(tmp_path: Path, seed: int) -> None:
    """At least 4.5 to 1 (WCAG 2.2, 1.4.3) in the left two thirds, where the text stands, and below for captions."""
    pixels = np.asarray(card(tmp_path, seed=seed, text=False)).astype(float) / 255
    linear = np.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4)
    light = linear @ [0.2126, 0.7152, 0.0722]
    assert 1.05 / (light.max() + 0.05) > 4.5


@pytest.mark.parametrize(("width", "height"), [(640, 360), (360, 640), (64, 36)])
@pytest.mark.parametrize("size", [(300, 400), (400, 300), (20, 900)])
def test_a_portrait_stands_in_its_box_and_the_still_says_where(
    tmp_path: Path, width: int, height: int, size: tuple[int, int]
) -> None:
    portrait = figure(tmp_path / "portrait.png", size)
    picture = card(tmp_path, portrait, width=width, height=height)
    box = layout.Box(*json.loads(picture.text[layout.PLACE]))  # type: ignore[attr-defined]
    assert box == layout.portrait_box(width, height, size[0] / size[1])
    assert box.x >= 0
    assert box.y >= 0
    assert box.x + box.width <= width
    assert box.y + box.height == height
    red, green, _ = picture.getpixel((box.x + box.width // 2, height - 1))  # type: ignore[misc]
    assert red > green + 80
    room = layout.text_room(width, height, True)
    assert room.x + room.width <= box.x or room.y + room.height <= box.y


def test_the_ground_shows_through_a_clear_portrait(tmp_path: Path) -> None:
    plain = card(tmp_path, text=False)
    picture = card(tmp_path, figure(tmp_path / "portrait.png"), text=False)
    x, y, _, _ = json.loads(picture.info[layout.PLACE])
    assert picture.getpixel((x + 2, y + 2)) == plain.getpixel((x + 2, y + 2))


def test_a_still_without_a_persona_names_no_place(tmp_path: Path) -> None:
    assert layout.PLACE not in card(tmp_path).info


def test_letters_that_one_font_lacks_come_from_another(tmp_path: Path) -> None:
    names = [face.getname()[0] for face, _ in fonts._runs("Tea מים end", 20, False)]
    assert names == ["Inter", "DejaVu Sans", "Inter"]


def test_a_portrait_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "portrait.png").write_text("no picture")
    with pytest.raises(BackendError) as caught:
        card(tmp_path, tmp_path / "portrait.png")
    assert str(caught.value) == (
        "the persona's portrait cannot be read: this is no picture that can be read\n  Save it again as PNG."
    )


def test_sizes_have_limits() -> None:
    assert Card().check(CardParams("", 15, 12000, 0)) == [
        "width is 15, but must be from 16 to 11520 pixels",
        "height is 12000, but must be from 16 to 11520 pixels",
    ]
