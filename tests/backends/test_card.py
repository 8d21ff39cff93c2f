"""A card holds its text in sight of a moving camera and above the captions, at any size and in any script."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from engine.backends import fonts, layout
from engine.backends.card import Card, CardParams
from engine.backends.motifs import MOTIFS, Motif, idea
from engine.backends.mouth import portrait_place
from engine.backends.pen import Paint, Pen
from engine.backends.themes import THEMES
from engine.digests import Digests
from engine.errors import BackendError
from engine.frame import Box
from engine.implied import pose_of, seed_of
from engine.kinds import Inputs
from engine.load import load

ROOT = Path(__file__).parents[2]


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
    "prompt",
    [
        "what nobody ever drew",
        "",
        "日本語のテスト 😀",
        "مرحبا بالعالم",
        "x" * 3000,
        "a \0 \x07 \ud800 b",
        "many words " * 400,
    ],
)
def test_text_stays_where_it_can_be_read(tmp_path: Path, width: int, height: int, prompt: str) -> None:
    """What the text changes of the picture lies within the room for text, but for an accent's overhang."""
    with_text = np.asarray(card(tmp_path, prompt=prompt, width=width, height=height, style="warm light")).astype(int)
    without = np.asarray(card(tmp_path, prompt=prompt, width=width, height=height, style="warm light", text=False))
    rows, columns = np.nonzero(np.abs(with_text - without).sum(axis=2))
    if not prompt:
        assert rows.size == 0
        return
    room = layout.text_room(width, height, False)
    slack = max(2, height // 60)
    assert rows.min() >= room.y
    assert columns.min() >= room.x - slack
    assert columns.max() <= room.x + room.width + max(slack, 13 if width < 100 else 0)
    assert rows.max() <= height * 0.8


def test_a_card_depends_on_prompt_style_and_seed_alone(tmp_path: Path) -> None:
    first = card(tmp_path).tobytes()
    assert card(tmp_path).tobytes() == first
    others = [card(tmp_path, **change).tobytes() for change in ({"seed": 8}, {"style": "cold"}, {"prompt": "else"})]
    assert len({first, *others}) == 4


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("seed", range(6))
def test_type_can_be_read_on_every_ground(tmp_path: Path, seed: int, theme: str) -> None:
    """At least 4.5 to 1 (WCAG 2.2, 1.4.3) against all of the ground."""
    pixels = np.asarray(card(tmp_path, seed=seed, theme=theme, prompt="", text=False)).astype(float) / 255
    light, ink = luminance(pixels), luminance(np.array(THEMES[theme].ink) / 255)
    brighter, darker = np.maximum(light, ink) + 0.05, np.minimum(light, ink) + 0.05
    assert (brighter / darker).min() > 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_keeps_its_promises(theme: str) -> None:
    colours = THEMES[theme]
    for below in (colours.ground, colours.panel):
        for above, least in ((colours.ink, 7), (colours.muted, 4.5)):
            high, low = sorted((luminance(np.array(c) / 255) + 0.05 for c in (below, above)), reverse=True)
            assert high / low >= least, (above, below)


def luminance(colour: np.ndarray) -> np.ndarray:
    """WCAG 2.2's relative luminance of sRGB from 0 to 1."""
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ [0.2126, 0.7152, 0.0722])


def test_stills_of_one_film_can_be_told_apart(tmp_path: Path) -> None:
    """Any two stills of projects/firewalls, 160 pixels wide, differ in a seventh of it or more."""
    board = load(ROOT / "projects/firewalls/storyboard.yaml", ROOT, Digests()).board
    small = []
    for number, scene in enumerate(scene for scene in board.scenes if scene.show is None):
        portrait = board.persona.portrait if scene.on_screen and board.persona else None
        image = portrait and portrait.poses.get(pose_of(scene, portrait.poses), portrait.image).path
        said = {"prompt": scene.image_prompt, "style": board.style, "seed": seed_of(board, scene, 0)}
        (tmp_path / str(number)).mkdir()
        picture = card(tmp_path / str(number), image, width=1280, height=720, **said)
        small.append(np.asarray(picture.resize((160, 90))).astype(int))
    for number, one in enumerate(small):
        for other in small[number + 1 :]:
            assert (np.abs(one - other).sum(axis=2) > 60).mean() > 0.15


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("an endless corridor of numbered doors", ["door"]),
        ("a mountain of cream envelopes on a conveyor belt", ["envelope"]),
        ("a castle with a treasure chest in it", ["castle", "chest"]),
        ("what nobody ever drew", []),
    ],
)
def test_a_prompt_asks_for_its_drawings(prompt: str, names: list[str]) -> None:
    assert [motif.__name__ for motif in idea(prompt).motifs] == names


@pytest.mark.parametrize("motif", MOTIFS, ids=lambda motif: motif.__name__)
def test_every_drawing_fills_its_square(motif: Motif) -> None:
    layer = Image.new("RGBA", (200, 200))
    paint = Paint(*((10 * n, 20, 30) for n in range(1, 8)))
    motif(Pen(ImageDraw.Draw(layer), 0, 0, 200), paint)
    left, top, right, bottom = layer.getbbox() or (0, 0, 0, 0)
    assert max(right - left, bottom - top) > 120
    assert len(layer.getcolors(10_000) or []) >= 2


@pytest.mark.parametrize(("width", "height"), [(640, 360), (360, 640), (64, 36)])
@pytest.mark.parametrize("size", [(300, 400), (400, 300), (20, 900)])
def test_a_portrait_stands_in_its_box_and_the_still_says_where(
    tmp_path: Path, width: int, height: int, size: tuple[int, int]
) -> None:
    portrait = figure(tmp_path / "portrait.png", size)
    picture = card(tmp_path, portrait, width=width, height=height)
    box = Box(*json.loads(picture.text[layout.PLACE]))  # type: ignore[attr-defined]
    aspect = size[0] / size[1]
    assert box in {layout.portrait_box(width, height, aspect, left) for left in (False, True)}
    assert box.x >= 0
    assert box.y >= 0
    assert box.x + box.width <= width
    assert box.y + box.height == height
    red, green, _ = picture.getpixel((box.x + box.width // 2, height - 1))  # type: ignore[misc]
    assert red > green + 80
    room = layout.text_room(width, height, True, box.x + box.width / 2 < width / 2)
    assert room.x + room.width <= box.x or room.x >= box.x + box.width or room.y + room.height <= box.y


def test_the_ground_shows_through_a_clear_portrait(tmp_path: Path) -> None:
    plain = card(tmp_path, text=False, prompt="")
    picture = card(tmp_path, figure(tmp_path / "portrait.png"), text=False, prompt="")
    x, y, _, _ = json.loads(picture.info[layout.PLACE])
    assert picture.getpixel((x + 2, y + 2)) == plain.getpixel((x + 2, y + 2))


def test_a_still_without_a_persona_names_no_place(tmp_path: Path) -> None:
    assert layout.PLACE not in card(tmp_path).info


def test_letters_that_one_font_lacks_come_from_another(tmp_path: Path) -> None:
    names = [run.face.getname()[0] for run in fonts.runs("Tea מים end", 20)]
    assert [name for name, _ in groupby(names)] == ["Inter", "Noto Sans Hebrew", "Inter"]


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


@pytest.mark.parametrize("theme", THEMES)
def test_a_silhouette_stands_where_the_portrait_would_and_has_no_face(tmp_path: Path, theme: str) -> None:
    portrait = tmp_path / "portrait.png"
    Image.new("RGBA", (96, 112), (255, 0, 255, 255)).save(portrait)
    for name in ("known", "nobody", "again", "empty"):
        (tmp_path / name).mkdir()
    known = card(tmp_path / "known", portrait, theme=theme, persona={"name": "Ada"})
    nobody = card(tmp_path / "nobody", theme=theme, persona={"name": "Ada", "silhouette": [96, 112]})
    again = card(tmp_path / "again", theme=theme, persona={"name": "Ada", "silhouette": [96, 112]})
    places = [portrait_place(tmp_path / name / "image") for name in ("known", "nobody")]
    assert places[0] == places[1] is not None
    assert nobody.tobytes() == again.tobytes()
    empty = card(tmp_path / "empty", theme=theme)
    assert nobody.tobytes() != empty.tobytes()
    assert (255, 0, 255) in {colour for _, colour in known.getcolors(1 << 24)}
    assert (255, 0, 255) not in {colour for _, colour in nobody.getcolors(1 << 24)}
