"""What an edit may run again of what is shown, of ways into scenes, and of the music: the table's later rows."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import media_kit
import pytest
from workshop import Workshop

Board = dict[str, Any]
CODE = {
    "language": "python",
    "text": "def knock(door):\n    return door.open\n",
    "steps": [{"at": "Ask", "highlight": "1"}, {"at": "Wait", "highlight": "2"}],
}
BOARD: Board = {
    "title": "T",
    "seed": 7,
    "format": {"width": 320, "height": 180, "fps": 25},
    "music": {"file": "music.wav", "fade": 0.2},
    "scenes": [
        {
            "id": "hook",
            "on_screen": False,
            "narration": "Hi there.",
            "image_prompt": "a desk",
            "video_prompt": "push in",
            "transition": "fade",
        },
        {
            "id": "code",
            "on_screen": False,
            "narration": "Ask it. Wait.",
            "show": {"code": CODE},
            "transition": {"style": "crossfade", "seconds": 0.2},
        },
        {"id": "rest", "on_screen": False, "duration": 0.64, "image_prompt": "a lake", "video_prompt": "pull back"},
    ],
}
SOUNDS = {"hook/sound", "code/sound", "rest/sound"}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shop = Workshop(tmp_path_factory.mktemp("rendered") / "w", BOARD, "draft")
    media_kit.wav(shop.folder / "music.wav", 3)
    media_kit.wav(shop.folder / "other.wav", 2)
    render = shop.render()
    assert "code/joint" in render.ran
    assert "music" in render.ran
    return shop.root


@pytest.fixture
def shop(rendered: Path, tmp_path: Path) -> Workshop:
    to = tmp_path / "w"
    shutil.copytree(rendered, to)
    shop = object.__new__(Workshop)
    shop.__dict__ |= {"root": to, "profile": "draft", "folder": to / "projects" / "film", "store": to / ".mikebot"}
    return shop


def runs(shop: Workshop, edit: Callable[[Board], Any], *steps: str) -> None:
    """After an edit exactly these steps run, the plan said so, and the film is that of an empty store."""
    board = copy.deepcopy(BOARD)
    edit(board)
    shop.write(board)
    assert {name for name, state in shop.forecast().states.items() if state != "hit"} >= set(steps)
    render = shop.render()
    assert render.ran == set(steps)
    assert render.film == shop.clean()


def code(board: Board) -> dict[str, Any]:
    found: dict[str, Any] = board["scenes"][1]["show"]["code"]
    return found


def test_nothing(shop: Workshop) -> None:
    runs(shop, lambda board: None)


def test_a_line_of_code(shop: Workshop) -> None:
    def edit(board: Board) -> None:
        code(board)["text"] = CODE["text"].replace("open", "shut")

    runs(shop, edit, "code/still", "code/scene", "code/joint", "film")


def test_the_word_at_which_a_line_lights_up(shop: Workshop) -> None:
    def edit(board: Board) -> None:
        code(board)["steps"][0]["at"] = "it"

    runs(shop, edit, "code/still", "code/scene", "code/joint", "film")


def test_another_way_into_a_scene(shop: Workshop) -> None:
    runs(shop, lambda board: board["scenes"][1]["transition"].update(style="dip"), "code/joint", "film")


def test_a_longer_way_into_a_scene(shop: Workshop) -> None:
    steps = "code/scene", "code/joint", "film"
    runs(shop, lambda board: board["scenes"][1]["transition"].update(seconds=0.28), *steps)


def test_a_cut_in_place_of_a_joint(shop: Workshop) -> None:
    runs(shop, lambda board: board["scenes"][1].pop("transition"), "code/scene", "film")


def test_scenes_reordered_join_anew_and_sound_where_they_stand(shop: Workshop) -> None:
    def edit(board: Board) -> None:
        board["scenes"] = [board["scenes"][2], *board["scenes"][:2]]

    runs(shop, edit, "hook/joint", *SOUNDS, "film")


def test_the_theme(shop: Workshop) -> None:
    stills = "hook/still", "code/still", "rest/still"
    steps = *stills, "hook/scene", "code/scene", "rest/scene", "hook/clip", "rest/clip", "hook/joint", "code/joint"
    runs(shop, lambda board: board.update(theme="paper"), *steps, "film")


def test_music_louder(shop: Workshop) -> None:
    runs(shop, lambda board: board["music"].update(gain=-12), *SOUNDS, "film")


def test_other_music(shop: Workshop) -> None:
    runs(shop, lambda board: board["music"].update(file="other.wav"), "music", *SOUNDS, "film")


def test_a_longer_fade_sounds_only_where_it_is_heard(shop: Workshop) -> None:
    runs(shop, lambda board: board["music"].update(fade=0.3), "rest/sound", "film")


def test_the_end_grows_under_the_same_music(shop: Workshop) -> None:
    steps = "rest/scene", "rest/sound", "film"
    runs(shop, lambda board: board["scenes"][2].update(duration=0.96), *steps)


def test_a_preset_that_says_the_same(shop: Workshop) -> None:
    runs(shop, lambda board: board.update(loudness="podcast"))


def test_a_preset_that_does_not(shop: Workshop) -> None:
    runs(shop, lambda board: board.update(loudness="youtube"), *SOUNDS, "film")
