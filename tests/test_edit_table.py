"""What an edit may run again, and nothing else: one test for each row of the table in docs/architecture.md.

Clips are 1.2 seconds (30 frames) long here, so that scenes have chains. A scene that is spoken ends on the grid of the
sound, each 8 frames. Beside what the table says, a scene's sound runs where its narration or its length changed.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import media_kit
import pytest
from PIL import Image
from workshop import Rendered, Workshop

Board = dict[str, Any]

BOARD: Board = {
    "title": "T",
    "persona": "mikebot",
    "seed": 7,
    "style": "plain",
    "format": {"width": 64, "height": 36, "fps": 25},
    "scenes": [
        {
            "id": "hook",
            "on_screen": True,
            "narration": "Hi there. Go.",
            "image_prompt": "a desk",
            "video_prompt": "push in",
        },
        {
            "id": "rules",
            "on_screen": False,
            "narration": "Ask it. Wait.",
            "image_prompt": "a road",
            "video_prompt": "pan left",
        },
        {"id": "rest", "on_screen": False, "duration": 0.64, "image_prompt": "a lake", "video_prompt": "pull back"},
    ],
}
HOOK = ["hook/clip", "hook/clip/2", "hook/talk", "hook/scene"]
RULES = ["rules/clip", "rules/clip/2", "rules/scene"]
REST = ["rest/clip", "rest/scene"]
STILLS = ["hook/still", "rules/still", "rest/still"]
SOUNDS = ["hook/sound", "rules/sound", "rest/sound"]


def scene(board: Board, number: int) -> dict[str, Any]:
    found: dict[str, Any] = board["scenes"][number]
    return found


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which the board was rendered; tests take copies, for a workspace may move."""
    shop = Workshop(tmp_path_factory.mktemp("rendered") / "w", BOARD)
    assert len(shop.render().ran) == 22
    return shop.root


@pytest.fixture
def shop(rendered: Path, tmp_path: Path) -> Workshop:
    return moved(rendered, tmp_path / "w")


def moved(root: Path, to: Path) -> Workshop:
    """A copy of a workspace elsewhere."""
    shutil.copytree(root, to)
    shop = object.__new__(Workshop)
    shop.__dict__ |= {"root": to, "profile": "short", "folder": to / "projects" / "film", "store": to / ".mikebot"}
    shop.persona = to / "personas" / "mikebot"
    return shop


def change(shop: Workshop, edit: Callable[[Board], Any], board: Board = BOARD) -> Board:
    edited = copy.deepcopy(board)
    edit(edited)
    shop.write(edited)
    return edited


def runs(shop: Workshop, *steps: str | list[str]) -> Rendered:
    """Render: exactly these steps run, and the film is that of an empty store."""
    expected = {name for part in steps for name in ([part] if isinstance(part, str) else part)}
    render = shop.render()
    assert render.ran == expected
    assert len(render.performed) == len(expected)
    assert set(render.ended.values()) <= {"hit", "built"}
    assert render.film == shop.clean()
    return render


def frames(render: Rendered) -> tuple[int, ...]:
    assert render.built is not None
    found: tuple[int, ...] = render.built.steps["film"].params["frames"]
    return found


LAID_OUT = """\
# Another order of keys, other quotes, comments, and white space in texts.
scenes:

  - on_screen: true     # he is seen
    image_prompt: "a desk"
    narration: >-
      Hi
      there. Go.
    video_prompt: 'push in'
    id: opening
  - {id: rules, on_screen: false, narration: "Ask  it. Wait. ", image_prompt: a road, video_prompt: pan left}
  - {id: rest, on_screen: false, duration: 0.640, image_prompt: a lake, video_prompt: pull back}
format: {fps: 25, height: 36, width: 64}
style: plain
seed: 7
persona: mikebot
title: T
"""


def test_nothing(shop: Workshop) -> None:
    runs(shop)


def test_white_space_comments_key_order_quoting_and_an_id(shop: Workshop) -> None:
    shop.write(LAID_OUT)
    runs(shop)


def test_the_workspace_moved(rendered: Path, shop: Workshop, tmp_path: Path) -> None:
    shutil.move(shop.root, tmp_path / "elsewhere")
    shutil.move(tmp_path / "elsewhere", tmp_path / "deeper" / "still")
    runs(moved(tmp_path / "deeper" / "still", tmp_path / "copied"))


def test_scenes_reordered(shop: Workshop) -> None:
    change(shop, lambda board: board["scenes"].reverse())
    runs(shop, "film")


def test_scenes_reordered_whose_ends_lie_off_the_grid_of_sound(shop: Workshop) -> None:
    board = change(shop, lambda board: scene(board, 2).update(duration=0.6))
    shop.render()
    change(shop, lambda board: board["scenes"].reverse(), board)
    runs(shop, "hook/sound", "rules/sound", "film")


def test_a_scene_removed(shop: Workshop) -> None:
    change(shop, lambda board: board["scenes"].pop(1))
    runs(shop, "film")


def test_a_scene_held(shop: Workshop) -> None:
    change(shop, lambda board: scene(board, 0).update(hold=True))
    runs(shop, "film")


def test_a_scene_copied_under_another_id(shop: Workshop) -> None:
    change(shop, lambda board: board["scenes"].append({**scene(board, 0), "id": "again"}))
    runs(shop, "film")


def test_title(shop: Workshop) -> None:
    change(shop, lambda board: board.update(title="U"))
    runs(shop, "film")


def test_someone_leaves_the_screen(shop: Workshop) -> None:
    change(shop, lambda board: scene(board, 0).update(on_screen=False))
    runs(shop, "hook/still", "hook/clip", "hook/clip/2", "hook/scene", "film")


def test_someone_comes_on_screen(shop: Workshop) -> None:
    change(shop, lambda board: scene(board, 1).update(on_screen=True))
    runs(shop, "rules/still", "rules/clip", "rules/clip/2", "rules/talk", "rules/scene", "film")


def said(text: str, number: int = 1) -> Callable[[Board], Any]:
    return lambda board: scene(board, number).update(narration=text)


def test_one_sentence_of_the_same_length(shop: Workshop) -> None:
    before = frames(shop.render())
    change(shop, said("Ask me. Wait."))
    assert frames(runs(shop, "rules/speech", "rules/narration", "rules/sound", "film")) == before


def test_one_sentence_of_the_same_length_on_screen(shop: Workshop) -> None:
    before = frames(shop.render())
    change(shop, said("Hi there. Do.", 0))
    spoken = ["hook/speech/2", "hook/narration", "hook/sound"]
    assert frames(runs(shop, spoken, "hook/talk", "hook/scene", "film")) == before


def test_one_sentence_of_the_same_length_under_burned_captions(shop: Workshop) -> None:
    board = change(shop, lambda board: board.update(captions="burned"))
    before = frames(shop.render())
    change(shop, said("Ask me. Wait."), board)
    assert frames(runs(shop, "rules/speech", "rules/narration", "rules/sound", "rules/scene", "film")) == before


def test_a_narration_that_is_longer_inside_the_last_clip(shop: Workshop) -> None:
    before = frames(shop.render())
    change(shop, said("Ask it. Wait here."))
    after = frames(runs(shop, "rules/speech/2", "rules/narration", "rules/sound", "rules/scene", "film"))
    assert before[1] < after[1] <= 60


def test_a_narration_that_is_shorter_inside_the_last_clip(shop: Workshop) -> None:
    before = frames(shop.render())
    change(shop, said("Wait."))
    after = frames(runs(shop, "rules/narration", "rules/sound", "rules/scene", "film"))
    assert 30 < after[1] < before[1]


def test_a_narration_that_is_longer_than_the_chain(shop: Workshop) -> None:
    change(shop, said("Ask it. Wait until the morning comes."))
    spoken = ["rules/speech/2", "rules/narration", "rules/sound"]
    assert frames(runs(shop, spoken, "rules/clip/3", "rules/scene", "film"))[1] > 60


def test_a_narration_that_is_longer_than_the_chain_on_screen(shop: Workshop) -> None:
    change(shop, said("Hi there. Wait until the morning comes.", 0))
    spoken = ["hook/speech/2", "hook/narration", "hook/sound"]
    assert frames(runs(shop, spoken, "hook/clip/3", "hook/talk", "hook/scene", "film"))[0] > 60


def test_a_narration_that_is_shorter_than_the_chain(shop: Workshop) -> None:
    change(shop, said("Ask it. Wait until the morning comes."))
    assert "rules/clip/3" in shop.render().ended
    change(shop, said("Ask it. Wait here."))
    render = runs(shop, "rules/speech/2", "rules/narration", "rules/sound", "rules/scene", "film")
    assert "rules/clip/3" not in render.ended


def test_sentences_that_change_places_are_not_spoken_again(shop: Workshop) -> None:
    change(shop, said("Wait. Ask it."))
    runs(shop, "rules/narration", "rules/sound", "film")


def test_a_video_prompt(shop: Workshop) -> None:
    change(shop, lambda board: scene(board, 1).update(video_prompt="pan right"))
    runs(shop, RULES, "film")


def test_a_video_prompt_on_screen(shop: Workshop) -> None:
    change(shop, lambda board: scene(board, 0).update(video_prompt="pull back"))
    runs(shop, HOOK, "film")


def test_a_video_prompt_that_moves_the_camera_as_before(shop: Workshop) -> None:
    change(shop, lambda board: scene(board, 1).update(video_prompt="pans left"))
    runs(shop, "rules/clip", "rules/clip/2")


def test_an_image_prompt(shop: Workshop) -> None:
    change(shop, lambda board: scene(board, 1).update(image_prompt="a street"))
    runs(shop, "rules/still", RULES, "film")


def test_an_image_prompt_on_screen(shop: Workshop) -> None:
    change(shop, lambda board: scene(board, 0).update(image_prompt="a table"))
    runs(shop, "hook/still", HOOK, "film")


def test_the_storyboard_s_seed(shop: Workshop) -> None:
    change(shop, lambda board: board.update(seed=8))
    runs(shop, STILLS, HOOK, RULES, REST, "film")


def test_a_scene_s_own_seed(shop: Workshop) -> None:
    change(shop, lambda board: scene(board, 1).update(seed=8))
    runs(shop, "rules/still", RULES, "film")


def test_a_scene_s_own_seed_that_is_the_storyboard_s(shop: Workshop) -> None:
    change(shop, lambda board: scene(board, 1).update(seed=7, take=1))
    runs(shop)


def test_take(shop: Workshop) -> None:
    change(shop, lambda board: scene(board, 2).update(take=2))
    runs(shop, "rest/still", REST, "film")


def test_style(shop: Workshop) -> None:
    change(shop, lambda board: board.update(style="rich"))
    runs(shop, STILLS, HOOK, RULES, REST, "film")


@pytest.mark.parametrize("field", ["appearance", "wardrobe"])
def test_what_a_persona_looks_like(shop: Workshop, field: str) -> None:
    """A card does not show it: the stills on screen are drawn again, and nothing follows."""
    file = shop.persona / "persona.yaml"
    file.write_text(
        "\n".join(f"{field}: new" if line.startswith(field) else line for line in file.read_text().split("\n"))
    )
    runs(shop, "hook/still")


def test_a_persona_s_weights_replaced_in_place(shop: Workshop) -> None:
    weights = shop.persona / "look.safetensors"
    media_kit.weights(weights, 1.0)
    with (shop.persona / "persona.yaml").open("a") as file:
        file.write("look: {lora: look.safetensors, weight: 0.5}\n")
    shop.render()
    media_kit.weights(weights, 2.0)
    runs(shop, "hook/still")


def test_a_portrait_replaced_in_place(shop: Workshop) -> None:
    media_kit.drawn(shop.persona / "portrait.png", (48, 56))
    runs(shop, "hook/still", HOOK, "film")


def test_a_portrait_saved_again_with_other_bytes_and_the_same_picture(shop: Workshop) -> None:
    portrait = shop.persona / "portrait.png"
    with Image.open(portrait) as picture:
        picture.save(portrait, compress_level=1)
    runs(shop, "hook/still")


def test_a_persona_s_voice(shop: Workshop) -> None:
    file = shop.persona / "persona.yaml"
    file.write_text(file.read_text().replace("pitch: 45", "pitch: 60"))
    spoken = ["hook/speech", "hook/speech/2", "hook/narration", "hook/sound"]
    others = ["rules/speech", "rules/speech/2", "rules/narration", "rules/sound"]
    assert frames(runs(shop, spoken, "hook/talk", "hook/scene", others, "film")) == frames(shop.render())


def test_a_given_picture_replaced_in_place(shop: Workshop) -> None:
    media_kit.drawn(shop.folder / "a.png")
    change(shop, lambda board: scene(board, 1).update(image="a.png"))
    shop.render()
    media_kit.drawn(shop.folder / "a.png", colour=(10, 90, 200))
    runs(shop, "rules/still", RULES, "film")


def test_a_given_video_replaced_in_place(shop: Workshop) -> None:
    media_kit.movie(shop.folder / "a.mp4", 8)
    own = {"id": "rest", "on_screen": False, "image_prompt": "a", "video_prompt": "b", "video": "a.mp4"}
    change(shop, lambda board: board["scenes"].__setitem__(2, own))
    shop.render()
    media_kit.movie(shop.folder / "a.mp4", 12)
    runs(shop, "rest/clip", "rest/scene", "rest/sound", "film")


def test_a_recording_replaced_in_place(shop: Workshop) -> None:
    media_kit.wav(shop.folder / "a.wav", 1.5)
    change(shop, lambda board: scene(board, 1).update(audio="a.wav"))
    before = frames(shop.render())
    media_kit.wav(shop.folder / "a.wav", 1.48)
    assert frames(runs(shop, "rules/narration", "rules/sound", "film")) == before


def test_captions_off(shop: Workshop) -> None:
    change(shop, lambda board: board.update(captions="off"))
    runs(shop, "film")


def test_captions_burned(shop: Workshop) -> None:
    """A scene in which nothing is said has no captions."""
    change(shop, lambda board: board.update(captions="burned"))
    runs(shop, "hook/scene", "rules/scene", "film")


def test_frames_a_second(shop: Workshop) -> None:
    """Nothing is spoken or painted again; the sound is kept where a scene's length in samples is the same."""
    change(shop, lambda board: board["format"].update(fps=50))
    runs(shop, HOOK, RULES, REST, "film")


def test_size(shop: Workshop) -> None:
    change(shop, lambda board: board["format"].update(width=80))
    runs(shop, STILLS, HOOK, RULES, REST, "film")


def test_loudness(shop: Workshop) -> None:
    change(shop, lambda board: board.update(loudness=-20))
    runs(shop, SOUNDS, "film")


def test_a_chapter_s_title(shop: Workshop) -> None:
    change(shop, lambda board: scene(board, 1).update(chapter="The rules"))
    runs(shop, "film")


def test_the_poster(shop: Workshop) -> None:
    change(shop, lambda board: board.update(poster="rest"))
    runs(shop, "film")


EDITS: dict[str, Callable[[Board], Any]] = {
    "narration": said("Wait. Here."),
    "image_prompt": lambda board: scene(board, 0).update(image_prompt="a table"),
    "on_screen": lambda board: scene(board, 0).update(on_screen=False),
    "size": lambda board: board["format"].update(width=80),
    "removed": lambda board: board["scenes"].pop(0),
    "everything": lambda board: board["scenes"].__setitem__(slice(None), [{**scene(board, 2), "id": "only"}]),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_undone(shop: Workshop, name: str) -> None:
    change(shop, EDITS[name])
    assert "film" in shop.render().ran
    shop.write(BOARD)
    runs(shop)


# Each artifact of the film: the steps whose bytes are hurt, an edit that needs them, and what runs because of it.
RENAMED: Callable[[Board], Any] = lambda board: board.update(title="U")  # noqa: E731
PANNED: Callable[[Board], Any] = lambda board: scene(board, 1).update(video_prompt="pan right")  # noqa: E731
NEEDED: dict[str, tuple[Callable[[Board], Any], list[str]]] = {
    "hook/speech": (said("Hi there. Do.", 0), ["hook/speech/2", "hook/narration", "hook/sound", *HOOK[2:], "film"]),
    "hook/narration": (lambda board: board.update(loudness=-20), [*SOUNDS, "film"]),
    "rules/still": (PANNED, [*RULES, "film"]),
    "hook/clip": (said("Hi there. Do.", 0), ["hook/speech/2", "hook/narration", "hook/sound", *HOOK[2:], "film"]),
    "hook/talk": (lambda board: board.update(captions="burned"), ["hook/scene", "rules/scene", "film"]),
    "hook/scene": (RENAMED, ["film"]),
    "rules/sound": (RENAMED, ["film"]),
}


def delete(path: Path) -> None:
    path.unlink()


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    """One bit in the middle: the size stays."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def garbage(path: Path) -> None:
    path.write_bytes(b"garbage")


HARMS = {"lost": delete, "cut": truncate, "flipped": flip, "garbage": garbage}


def hurt(shop: Workshop, render: Rendered, step: str, harm: Callable[[Path], None]) -> None:
    """Harm the first output of a step; a camera's last frame is also its still, and stays."""
    assert render.built is not None
    digest = next(iter(render.built.results[step].outputs.values())).digest
    harm(shop.store / "artifacts" / digest[:2] / digest)


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("step", NEEDED)
def test_an_artifact_lost_that_is_needed(shop: Workshop, step: str, harm: str) -> None:
    edit, follows = NEEDED[step]
    hurt(shop, shop.render(), step, HARMS[harm])
    change(shop, edit)
    runs(shop, step, follows)


@pytest.mark.parametrize("harm", HARMS)
def test_one_output_lost_where_another_is_needed(shop: Workshop, harm: str) -> None:
    """Burned captions read when words are said, not the sound of them."""
    hurt(shop, shop.render(), "hook/narration", HARMS[harm])
    change(shop, lambda board: board.update(captions="burned"))
    runs(shop, "hook/scene", "rules/scene", "film")


@pytest.mark.parametrize("harm", HARMS)
def test_a_film_lost(shop: Workshop, harm: str) -> None:
    hurt(shop, shop.render(), "film", HARMS[harm])
    runs(shop, "film")


@pytest.mark.parametrize("harm", HARMS)
def test_artifacts_lost_that_nothing_needs(shop: Workshop, harm: str) -> None:
    render = shop.render()
    for file in (shop.store / "artifacts").glob("*/*"):
        if file.name not in render.film.values():
            HARMS[harm](file)
    runs(shop)


def test_everything_lost_but_the_records(shop: Workshop) -> None:
    shop.render()
    shutil.rmtree(shop.store / "artifacts")
    (shop.store / "artifacts").mkdir()
    render = shop.render()
    assert render.ran == set(render.ended)
    assert render.film == shop.clean()


def test_the_kit_hears_what_really_ran(tmp_path: Path) -> None:
    """What the build says was built is what its executor was asked for, and what was recorded."""
    shop = Workshop(tmp_path / "w", BOARD)
    render = shop.render()
    assert render.built is not None
    assert sorted(action.key for action in render.performed) == sorted(
        render.built.keys[name] for name in render.built.steps if name in render.ran
    )
    assert json.loads((shop.folder / "storyboard.yaml").read_text()) == BOARD
