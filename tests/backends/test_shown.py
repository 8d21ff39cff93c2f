"""Scenes that show something: the right state on the right frame, and the persona's window in its place."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from media_kit import movie
from picture_kit import Quiet, clips, decoded, save
from PIL import Image
from shown_kit import timing

from engine.backends import cues, states
from engine.backends.scene import X264
from engine.backends.shown import Shown, starts
from engine.errors import BackendError
from engine.frame import inset
from engine.kinds import Inputs, numbered

SIZE = (320, 180)
COLOURS = [(200, 40, 40), (40, 160, 60), (50, 60, 200)]


@pytest.fixture(name="board")
def three_states(tmp_path: Path) -> Path:
    pictures = [Image.new("RGB", SIZE, colour) for colour in COLOURS]
    states.write(pictures, pictures[-1], tmp_path / "board")
    return tmp_path / "board"


def made(out: Path, board: Path, said: Path, person: list[Path] = [], **more: Any) -> list[Any]:  # noqa: B006
    inputs = Inputs({numbered("clip", n): path for n, path in enumerate(person, 1)})
    inputs |= {"board": board, "timing": said} | ({"still": more.pop("still")} if "still" in more else {})
    params = X264.Params(frames=30, fps="25", width=SIZE[0], height=SIZE[1], cues=("Bravo!", "delta echo"), **more)
    out.mkdir()
    X264().run(params, Inputs(inputs), out, Quiet())
    return decoded(out / "video")


def near(pixel: Any, colour: tuple[int, int, int], most: int = 4) -> bool:
    return bool(np.abs(np.asarray(pixel, int) - colour).max() <= most)


def test_states_turn_on_the_frame_of_their_word(tmp_path: Path, board: Path) -> None:
    frames = made(tmp_path / "s", board, timing(tmp_path / "t", "alpha bravo, charlie “Delta” echo"))
    turns = [next(n for n, colour in enumerate(COLOURS) if near(frame[20, 20], colour)) for frame in frames]
    assert turns == [0] * 7 + [1] * 12 + [2] * 11  # At 0.25 s and 0.75 s: frames 6.25 and 18.75, rounded up.


def test_the_persona_stands_in_a_round_window(tmp_path: Path, board: Path) -> None:
    box = inset(*SIZE)
    still = save(tmp_path / "still", Image.new("RGB", (box.width * 3 // 2, box.height * 3 // 2), (230, 200, 20)))
    person = clips(tmp_path / "c", still, "hold", (box.width, box.height))
    said = timing(tmp_path / "t", "alpha bravo charlie delta echo")
    frame = made(tmp_path / "s", board, said, person, still=still)[0]
    middle = frame[box.y + box.height // 2, box.x + box.width // 2]
    assert near(middle, (230, 200, 20))
    assert near(frame[box.y, box.x], COLOURS[0], 45)  # The corner is round.
    assert near(frame[box.y + box.height // 2, box.x - 5], COLOURS[0])


def test_real_footage_may_stand_in_the_window(tmp_path: Path, board: Path) -> None:
    box = inset(*SIZE)
    said = timing(tmp_path / "t", "alpha bravo charlie delta echo")
    frames = made(tmp_path / "s", board, said, [movie(tmp_path / "v.mp4", 30)])
    inside = frames[0][box.y + 4 : box.y + box.height - 4, box.x + 4 : box.x + box.width - 4]
    assert inside.std() > 1 or not near(inside[5, 5], COLOURS[0])


def test_a_frame_is_drawn_only_where_something_changes(board: Path) -> None:
    shown = Shown(board, [7, 19], SIZE, "studio", None)
    assert [shown.key(frame) for frame in (0, 6, 7, 18, 19, 500)] == [
        (0, None), (0, None), (1, None), (1, None), (2, None), (2, None),
    ]  # fmt: skip


def test_a_state_too_few_is_a_message(board: Path) -> None:
    with pytest.raises(BackendError, match=r"^what the scene shows has 3 states for 1 cues$"):
        Shown(board, [7], SIZE, "studio", None)
    with pytest.raises(BackendError, match=r"^what the scene shows is not of the film's size$"):
        Shown(board, [7, 9], (640, 360), "studio", None)


def test_a_word_that_is_not_said_is_a_message(tmp_path: Path) -> None:
    said = timing(tmp_path / "t", "alpha bravo")
    with pytest.raises(BackendError, match=r"^'alpha' is not said where it is waited for"):
        starts(("bravo", "alpha"), said, Fraction(25))
    with pytest.raises(BackendError, match=r"^a scene without narration has no words to wait for"):
        starts(("bravo",), None, Fraction(25))


@pytest.mark.parametrize(
    ("wanted", "text", "places"),
    [
        (["port", "port"], "One port, another port.", [1, 3]),
        (["port", "port"], "One port only.", [1, 1]),
        (["port", "one"], "One port only.", [1, None]),
        (["don’t"], "I don't know.", [1]),
        (["the PORT number"], "It is the port-number.", [2]),
        (["防火墙"], "这是 防火墙。", [1]),
        (["墙"], "这是防火墙。", [0]),
        (["is"], "This is it.", [1]),
        (["!"], "Wow!", [None]),
    ],
)
def test_words_are_found_in_order_whatever_their_case_and_punctuation(
    wanted: list[str], text: str, places: list[int | None]
) -> None:
    assert cues.found(wanted, text.split()) == places
