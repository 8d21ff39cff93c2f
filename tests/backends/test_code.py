"""Code that is shown: its states, its colours on every theme, and that it is legible or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from shown_kit import board, pictures, rows

from engine.backends import code, code_lines, code_set, fonts, states
from engine.backends.boards import TooMuch
from engine.backends.fonts import length
from engine.backends.themes import THEMES
from engine.errors import BackendError

CODE = "def allowed(packet):\n    for rule in rules:\n        if rule.fits(packet):\n            return rule.action\n"
STEPS = [{"at": "loop", "show": "2-4", "highlight": "2"}, {"at": "fits", "highlight": "3-4"}, {"at": "end"}]
SHOW = {"language": "python", "text": CODE, "steps": STEPS}


def test_lines_that_a_step_shows_are_hidden_before_and_the_lit_ones_stand_out(tmp_path: Path) -> None:
    before, loop, fits, end = pictures(tmp_path, "code", SHOW)
    hidden, moved = rows(before, end), rows(loop, fits)
    assert len(hidden) > 30
    assert min(hidden) > 100
    assert moved
    assert rows(before, loop)[0] < min(moved)  # What is not lit steps back, the first line too.
    assert len({state.tobytes() for state in (before, loop, fits, end)}) == 4


def test_the_file_itself_is_the_whole_for_whoever_knows_no_animation(tmp_path: Path) -> None:
    path = board(tmp_path, "code", SHOW)
    whole = np.asarray(states.States(path)[-1])
    with Image.open(path) as file:
        assert file.is_animated  # type: ignore[attr-defined]
        assert np.array_equal(np.asarray(file.convert("RGB")), whole)


def test_states_that_look_the_same_are_kept_once_and_given_back_in_order(tmp_path: Path) -> None:
    red, blue = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    states.write([red, red, blue, blue, red], blue, tmp_path / "s")
    assert [state.getpixel((0, 0)) for state in states.States(tmp_path / "s")] == [
        (255, 0, 0), (255, 0, 0), (0, 0, 255), (0, 0, 255), (255, 0, 0),
    ]  # fmt: skip
    with Image.open(tmp_path / "s") as file:
        assert file.n_frames == 4  # type: ignore[attr-defined]


def test_states_are_found_in_any_order(tmp_path: Path) -> None:
    shades = [Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (10, 60, 110)]
    states.write(shades, shades[0], tmp_path / "s")
    found = states.States(tmp_path / "s")
    assert [found[number].getpixel((0, 0))[0] for number in (2, 0, 1, 1, 0, 2)] == [110, 10, 60, 60, 10, 110]


@pytest.mark.parametrize("damage", [b"", b"\x89PNG\r\n\x1a\n", b"not a picture"])
def test_a_damaged_file_is_a_message(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "s").write_bytes(damage)
    with pytest.raises(BackendError, match="what the scene shows cannot be read"):
        states.States(tmp_path / "s")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", ["python", "c", "bash", "yaml", "html", "json", "diff"])
def test_every_colour_can_be_read_on_its_panel(theme: str, language: str) -> None:
    lines = ["def f(a: int) -> str:  # why", 'x = {"k": 1.5, None: True}', "<a href='b'>&amp;</a>", "- gone", "if $a;"]
    panel = THEMES[theme].panel
    lit = code_lines.mixed(THEMES[theme].accents[0], panel, code.LIT)
    for line in code_lines.coloured(lines, language, THEMES[theme]):
        for piece in line:
            assert code_lines.contrast(piece.fill, panel) >= 4.5, piece
            assert code_lines.contrast(code_lines.readable(piece.fill, lit), lit) >= 4.5, piece


def test_a_line_is_coloured_as_part_of_the_whole_and_dedented(tmp_path: Path) -> None:
    text = '"""\n    still the docstring\n"""\nclass A:\n    def f(self):\n        pass\n'
    source = tmp_path / "a.py"
    source.write_text(text)
    docstring = code_lines.coloured(code_lines.lines_of(text), "python", THEMES["night"])[:2]
    assert docstring[0][0].fill == docstring[1][-1].fill
    part = pictures(tmp_path / "p", "code", {"language": "python", "lines": "5-6"}, source=source)
    alone = pictures(
        tmp_path / "q", "code", {"language": "python", "text": "\n\n\n\ndef f(self):\n    pass", "lines": "5-6"}
    )
    assert part[0].tobytes() == alone[0].tobytes()


@pytest.mark.parametrize(("size", "least"), [((1280, 720), 90), ((720, 1280), 45), ((720, 720), 45)])
def test_what_fits_is_legible_and_what_does_not_is_refused(size: tuple[int, int], least: int) -> None:
    room = code_set.room(*size, False, 2)
    assert room.size == 18
    assert room.characters >= least
    assert code_set.setting(["x" * room.characters] * 3, *size, False, 2).size == 18
    with pytest.raises(TooMuch) as caught:
        code_set.setting(["x" * (room.characters + 1)], *size, False, 2)
    said = f"a line of {room.characters + 1} characters does not fit: {room.characters} can be read at this size"
    assert str(caught.value) == said
    with pytest.raises(TooMuch, match=f"^{room.lines + 1} lines of code do not fit: {room.lines} can be read"):
        code_set.setting(["x"] * (room.lines + 1), *size, False, 2)


def test_short_code_is_set_large() -> None:
    assert code_set.setting(["print('hello')"], 1280, 720, False, 1).size == 40
    assert code_set.setting(["print('hello')"], 640, 360, False, 1).size == 20


def test_lines_that_are_not_there_are_a_message(tmp_path: Path) -> None:
    with pytest.raises(BackendError) as caught:
        board(tmp_path, "code", SHOW | {"lines": "3-9"})
    assert str(caught.value) == "the code cannot be shown: lines 3-9 are asked for, and there are 4"


def test_operators_are_drawn_as_they_are_typed() -> None:
    def drawn(*parts: str) -> bytes:
        picture = Image.new("L", (200, 60))
        for place, part in enumerate(parts):
            x = place * length("=", 40, mono=True) * 2 / len(parts)
            fonts.draw(ImageDraw.Draw(picture), (10 + x, 45), part, 40, 255, mono=True)  # type: ignore[arg-type]
        return picture.tobytes()

    assert length("=", 40, mono=True) == 24
    assert drawn("==") == drawn("=", "=")
    assert drawn("->") == drawn("-", ">")
