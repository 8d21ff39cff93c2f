"""Fields and scenes change in an author's file, and not one character beside them, however it is written."""

from __future__ import annotations

import difflib
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.document import parse
from engine.errors import MikebotError
from engine.write.edits import drop, insert, move, put, remove

BOARD = """\
# yaml-language-server: $schema=../../schemas/storyboard.schema.json
title: "Two doors"   # as on the poster

scenes:
  # The first thing that is seen.
  - id: red          # the colour of danger
    on_screen: false
    take: 2          # the first one squinted
    narration: >-   # twice as long, once
      This door
      is red.
    image_prompt: 'a red door'
    video_prompt: pan left


  # And the other one.
  - on_screen: false
    id: "blue"
    narration: That one is blue.   # is it?
    image_prompt: a blue door
    video_prompt: pan left
# The end.
"""
FLOWING = """\
{title: T, scenes: [{id: a, on_screen: false, narration: "n", image_prompt: p, video_prompt: p},
  {id: b, on_screen: false, narration: m, image_prompt: p, video_prompt: p}]}
"""
MIXED = "title: T\nscenes:\n-   {id: a, on_screen: false, narration: n}\n-   {id: b, on_screen: false, narration: m}"
NEW = {
    "id": "green",
    "on_screen": True,
    "narration": "A third door. It is green, and nobody has ever opened it, though many have tried to do so, at night.",
    "image_prompt": "a green door",
    "video_prompt": "tilt up",
}
SHAPES = {
    "lines": BOARD,
    "windows": BOARD.replace("\n", "\r\n"),
    "flowing": FLOWING,
    "mixed": MIXED,
    "json": json.dumps(parse(BOARD.encode(), "").data, indent=1),
}


def changed(before: bytes, after: bytes) -> list[str]:
    """The lines of a diff that say what was removed and added."""
    lines = difflib.unified_diff(before.decode().splitlines(), after.decode().splitlines(), n=0, lineterm="")
    return [f"{line[0]} {line[1:]}" for line in lines if line[0] in "+-" and line[:3] not in {"+++", "---"}]


@pytest.mark.parametrize(
    ("path", "value", "lines"),
    [
        (
            ("scenes", 0, "narration"),
            "This door is green.",
            [
                "-     narration: >-   # twice as long, once",
                "-       This door",
                "-       is red.",
                "+     narration: >- # twice as long, once",
                "+       This door is green.",
            ],
        ),
        (
            ("scenes", 1, "narration"),
            "Blue. " * 20 + "Yes.",
            [
                "-     narration: That one is blue.   # is it?",
                "+     narration: >- # is it?",
                "+       Blue. Blue. Blue. Blue. Blue. Blue. Blue. Blue. Blue. Blue. Blue. Blue. Blue. Blue. Blue.",
                "+       Blue. Blue. Blue. Blue. Blue. Yes.",
            ],
        ),
        (
            ("title",),
            "Zwei Türen: rot",
            ['- title: "Two doors"   # as on the poster', '+ title: "Zwei Türen: rot"   # as on the poster'],
        ),
        (("language",), "de", ["+ language: de"]),
        (("scenes", 1, "chapter"), "Blue", ["+     chapter: Blue"]),
        (("scenes", 0, "transition"), "fade", ["+     transition: fade"]),
        (("scenes", 0, "image_prompt"), "a red door", []),
    ],
)
@pytest.mark.parametrize("shape", ["lines", "windows"])
def test_a_field_is_put_and_nothing_else(shape: str, path: tuple[Any, ...], value: Any, lines: list[str]) -> None:
    raw = SHAPES[shape].encode()
    made = put(raw, "b.yaml", path, value)
    if shape == "lines":
        assert changed(raw, made) == lines
    else:
        assert made.replace(b"\r\n", b"\n") == put(BOARD.encode(), "b.yaml", path, value)
        assert made.count(b"\n") == made.count(b"\r\n")


def test_a_field_goes_with_its_lines_and_its_comment() -> None:
    raw = BOARD.encode()
    assert changed(raw, drop(raw, "b.yaml", ("scenes", 0, "take"))) == [
        "-     take: 2          # the first one squinted"
    ]
    assert changed(raw, drop(raw, "b.yaml", ("scenes", 1, "on_screen"))) == [
        "-   - on_screen: false",
        '-     id: "blue"',
        '+   - id: "blue"',
    ]
    assert b"{id: a, narration" in drop(FLOWING.encode(), "b.yaml", ("scenes", 0, "on_screen"))


def test_a_scene_is_written_between_two_and_the_comments_stay_with_theirs() -> None:
    raw = BOARD.encode()
    assert changed(raw, insert(raw, "b.yaml", "red", NEW)) == [
        "+   - id: green",
        "+     on_screen: true",
        "+     narration: >-",
        "+       A third door. It is green, and nobody has ever opened it, though many have tried to do so,",
        "+       at night.",
        "+     image_prompt: a green door",
        "+     video_prompt: tilt up",
        "+ ",
    ]


def test_a_scene_goes_and_what_is_written_between_scenes_stays() -> None:
    left = remove(BOARD.encode(), "b.yaml", "red").decode()
    assert left == BOARD[: BOARD.index("  - id: red")] + BOARD[BOARD.index("\n\n  # And") :]
    assert remove(BOARD.encode(), "b.yaml", "blue").decode().endswith("  # And the other one.\n# The end.\n")


def test_a_scene_moves_with_every_character_of_its_own() -> None:
    made = move(BOARD.encode(), "b.yaml", "red", "blue").decode()
    own = BOARD[BOARD.index("  - id: red") : BOARD.index("\n\n\n  # And")]
    assert own in made
    assert [scene["id"] for scene in parse(made.encode(), "").data["scenes"]] == ["blue", "red"]
    assert made.endswith("# The end.\n")
    back = move(made.encode(), "b.yaml", "red", "").decode()
    assert own in back


@pytest.mark.parametrize("name", SHAPES)
def test_a_thousand_changes_in_a_row_each_say_what_they_should(name: str) -> None:
    """Any of the five, at any scene, in every way of writing: what is read again is what was meant, or it raises."""
    dice = random.Random(5)
    raw, data = SHAPES[name].encode(), parse(SHAPES[name].encode(), "").data
    for number in range(120):
        ids = [scene["id"] for scene in data["scenes"]]
        scene, other = dice.choice(ids), dice.choice(["", *ids])
        index = ids.index(scene)
        act = dice.randrange(5) if len(ids) > 1 else 0
        if act == 0:
            raw = insert(raw, "b", other, {**NEW, "id": f"new-{number}"})
        elif act == 1 and len(ids) > 2:
            raw = remove(raw, "b", scene)
        elif act == 2 and scene != other:
            raw = move(raw, "b", scene, other)
        elif act == 3:
            raw = put(raw, "b", ("scenes", index, "narration"), f"{'Say this. ' * dice.randrange(1, 40)}# {number}")
        elif act == 4 and "video_prompt" in data["scenes"][index]:
            raw = drop(raw, "b", ("scenes", index, "video_prompt"))
        data = parse(raw, "").data
    if name in {"lines", "windows"}:
        assert all(text in raw.decode() for text in ("# as on the poster", "# The end.", "# The first thing"))


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=300).filter(str.strip))
def test_any_text_is_put_as_it_is_or_refused(text: str) -> None:
    for shape in ("lines", "flowing"):
        try:
            made = put(SHAPES[shape].encode(), "b.yaml", ("scenes", 1, "narration"), text)
        except (MikebotError, UnicodeEncodeError):
            assert any(not char.isprintable() for char in text)
            continue
        assert parse(made, "").data["scenes"][1]["narration"] == text


def test_what_cannot_be_read_is_not_touched() -> None:
    with pytest.raises(MikebotError) as error:
        put(b"title: [", "b.yaml", ("title",), "T")
    assert str(error.value) == "the storyboard has mistakes\n  mend them first"
    with pytest.raises(MikebotError) as error:
        remove(BOARD.encode(), "b.yaml", "green")
    assert str(error.value) == ("the storyboard has no scene 'green'\n  look at what it says now, and try again")
