"""mikebot revise: what an instruction concerns changes, shown before it is written, and every other byte stays.

So the other scenes are hits when the film is rendered again.
"""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_kit import COMMAND, lines, workspace
from fake_server import Talk
from script_kit import asked, first, here, model, quiet, served, write
from workshop import Workshop

from engine.document import parse
from engine.write.revise import merged

FILE = "projects/doors/storyboard.yaml"
BOARD = """\
# yaml-language-server: $schema=../../schemas/storyboard.schema.json
title: "Three doors"   # as on the poster
persona: mikebot
format: {width: 64, height: 36}
poster: red

scenes:
  # The first thing that is seen.
  - id: red          # the colour of danger
    on_screen: true
    take: 2          # the first one squinted
    chapter: 'Red'
    narration: >-
      This door is red,
      and it is the first of the three.
    image_prompt: 'Mikebot beside a red door'
    video_prompt: slow push in


  # And the other one.
  - on_screen: false
    id: "blue"
    seed: 5
    narration: That one is blue, and it is never open.   # is it?
    image_prompt: a blue door
    video_prompt: pan left

  - {id: green, on_screen: false, narration: "The last is green, and the wind is in it.",
     image_prompt: a green door, video_prompt: tilt up}
# The end.
"""
CHANGED = {
    "id": "blue",
    "on_screen": False,
    "narration": "That one is blue, and it sings at night.",
    "image_prompt": "a blue door",
    "video_prompt": "pan left",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return workspace(tmp_path, BOARD)


def reviser(operations: list[dict[str, Any]], scenes: dict[str, Any]) -> Callable[[Any], Any]:
    """A model that answers with these operations, and these scenes by id."""

    def answer(body: Any) -> Any:
        text = first(body)
        if "Answer with the operations" in text:
            return {"operations": operations}
        name = re.search(r'(?:This is the scene|Write a new scene) "([^"]+)"', text)
        assert name, text
        return scenes[name[1]]

    return answer


def change(scene: str) -> dict[str, Any]:
    return {"do": "change", "scene": scene, "idea": "It is funnier."}


def revise(root: Path, answer: Callable[[Any], Any], *words: str) -> Any:
    with served(model(answer)) as server:
        done = write(root, server, FILE, "make the second scene funnier", *words, command="revise")
        return done, server.asked


def test_one_line_changes_and_every_other_byte_stays(root: Path) -> None:
    done, asked_for = revise(root, reviser([change("blue")], {"blue": CHANGED}), "--yes")
    assert (done.code, (root / FILE).read_text("utf-8")) == (0, BOARD.replace("is never open", "sings at night"))
    assert done.out == (
        f"--- {FILE}\n+++ {FILE} (revised)\n@@ -21,7 +21,7 @@\n"
        '   - on_screen: false\n     id: "blue"\n     seed: 5\n'
        "-    narration: That one is blue, and it is never open.   # is it?\n"
        "+    narration: That one is blue, and it sings at night.   # is it?\n"
        "     image_prompt: a blue door\n     video_prompt: pan left\n"
        f" \nwrote {FILE}; the scenes that stayed are not rendered again\n"
    )
    assert "make the second scene funnier" in first(asked_for[0])
    assert '"narration": "That one is blue, and it is never open."' in first(asked_for[1])
    assert "seed" not in first(asked_for[1])
    assert "The scene before it says: This door is red, and it is the first of the three." in first(asked_for[1])


def test_only_the_scenes_concerned_are_rendered_again(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, BOARD)
    (tmp_path / "projects/doors").symlink_to(tmp_path / "projects/film")
    assert {"red/still", "blue/still", "green/still", "blue/speech"} <= shop.render().ran
    new = {**CHANGED, "id": "night", "narration": "At night, all of them are black, and so is the hall."}
    operations = [
        change("blue"),
        {"do": "insert", "after": "blue", "id": "night", "idea": "Night.", "on_screen": False},
    ]
    done, _ = revise(tmp_path, reviser(operations, {"blue": CHANGED, "night": new}), "--yes")
    assert done.code == 0
    again = shop.render()
    assert {name.split("/")[0] for name in again.ran} <= {"blue", "night", "film"}
    assert "blue/speech" in again.ran
    assert {name for name, state in again.ended.items() if name.startswith(("red/", "green/"))} != set()
    assert {state for name, state in again.ended.items() if name.startswith(("red/", "green/"))} == {"hit"}


def test_a_scene_is_split_moved_and_removed(root: Path) -> None:
    new = {**CHANGED, "id": "hall", "narration": "Behind them is a hall, and it is cold."}
    operations = [
        {"do": "insert", "after": "", "id": "red", "idea": "Before all.", "on_screen": False},
        {"do": "move", "scene": "green", "after": "red"},
        {"do": "remove", "scene": "blue"},
    ]
    done, _ = revise(root, reviser(operations, {"red-2": new}), "--yes")
    assert done.code == 0
    text = (root / FILE).read_text("utf-8")
    assert [scene["id"] for scene in parse(text.encode(), "").data["scenes"]] == ["red-2", "red", "green"]
    for part in (
        BOARD[BOARD.index("  - id: red") : BOARD.index("\n\n\n")],
        "  - {id: green",
        "# The end.\n",
        "# And the",
    ):
        assert part in text
    assert "note    insert  red to the beginning\nnote    move    green behind red\nnote    remove  blue\n" in done.err
    assert here(root, "check", FILE) == (0, "", "")


def test_what_a_model_may_not_write_stays_as_it_is(root: Path) -> None:
    stray = {"seed": 9, "take": 9, "hold": True, "image": "/etc/passwd", "audio": "x.wav", "persona": "root"}
    done, _ = revise(root, reviser([change("blue")], {"blue": {**CHANGED, **stray}}), "--yes")
    assert done.code == 0
    assert parse((root / FILE).read_bytes(), "").data["scenes"][1] == {**CHANGED, "seed": 5}
    assert (
        "note    scene 'blue': what no model may write is left out: seed, take, hold, image, audio, persona\n"
        in done.err
    )


def test_an_authors_own_picture_stays(root: Path) -> None:
    board = BOARD.replace("    image_prompt: a blue door\n", "    image: blue.png\n")
    (root / FILE).write_text(board)
    (root / "projects/doors/blue.png").write_bytes((root / "personas/mikebot/portrait.png").read_bytes())
    done, _ = revise(root, reviser([change("blue")], {"blue": CHANGED}), "--yes")
    assert done.code == 0
    scene = parse((root / FILE).read_bytes(), "").data["scenes"][1]
    written = {name: CHANGED[name] for name in ("id", "on_screen", "narration", "video_prompt")}
    assert scene == {**written, "seed": 5, "image": "blue.png"}


def test_only_scenes_that_were_named_may_change(root: Path) -> None:
    answers = iter([[change("red")], [change("red")], [change("blue")]])

    def answer(body: Any) -> Any:
        return {"operations": next(answers)} if "Answer with the operations" in first(body) else CHANGED

    done, asked_for = revise(root, answer, "--scene", "blue", "--yes")
    assert done.code == 0
    assert "the scene 'red' stays as it is: change blue" in asked(asked_for[1])
    assert "2. id: blue -- may be changed" in first(asked_for[0])
    shape = asked_for[0]["response_format"]["json_schema"]["schema"]
    assert shape["properties"]["operations"]["items"]["anyOf"][0]["properties"]["scene"]["enum"] == ["blue"]
    assert "sings at night" in (root / FILE).read_text("utf-8")


def test_without_a_terminal_it_is_shown_and_not_written(root: Path) -> None:
    done, _ = revise(root, reviser([change("blue")], {"blue": CHANGED}))
    assert done.code == 2
    assert "+    narration: That one is blue, and it sings at night.   # is it?" in done.out
    assert done.err.endswith(
        "mikebot: nothing was written: there is no terminal to ask at\n  --yes writes it without asking\n"
    )
    assert (root / FILE).read_text("utf-8") == BOARD


@pytest.mark.parametrize(("said", "written"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_at_a_terminal_it_asks(root: Path, said: str, written: bool) -> None:
    with served(model(reviser([change("blue")], {"blue": CHANGED}))) as server:
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [*COMMAND, "revise", FILE, "sing", "--model", f"served:{server.url}"],
            cwd=root, env=quiet(TERM="xterm", NO_COLOR=""), stdin=follower, stdout=follower, stderr=follower,
        )  # fmt: skip
        os.close(follower)
        told = ""
        while "[y/N] " not in told and select.select([leader], [], [], 60)[0]:
            told += os.read(leader, 4096).decode()
        assert "\x1b[" in told
        assert "sings at night" in told
        os.write(leader, said.encode())
        assert process.wait(60) == 0
        os.close(leader)
    assert ((root / FILE).read_text("utf-8") != BOARD) is written


def test_a_file_that_changed_meanwhile_is_not_touched(root: Path) -> None:
    mine = BOARD.replace("Three doors", "My doors")

    def answer(talk: Talk) -> None:
        (root / FILE).write_text(mine)
        model(reviser([change("blue")], {"blue": CHANGED}))(talk)

    with served(answer) as server:
        done = write(root, server, FILE, "sing", "--yes", command="revise")
    assert (done.code, (root / FILE).read_text()) == (1, mine)
    assert done.err.endswith(
        "mikebot: the storyboard was changed meanwhile\n  look at what it says now, and try again\n"
    )


def test_windows_line_ends_and_a_byte_order_mark_stay(root: Path) -> None:
    raw = b"\xef\xbb\xbf" + BOARD.replace("\n", "\r\n").encode()
    (root / FILE).write_bytes(raw)
    done, _ = revise(root, reviser([change("blue")], {"blue": CHANGED}), "--yes")
    made = (root / FILE).read_bytes()
    assert done.code == 0
    assert made.startswith(b"\xef\xbb\xbf#")
    assert made.count(b"\n") == made.count(b"\r\n")
    assert b"sings at night" in made


def test_a_model_that_says_the_same_changes_nothing(root: Path) -> None:
    same = {**CHANGED, "narration": " That one is blue,  and it is never open. "}
    done, _ = revise(root, reviser([change("blue")], {"blue": same}), "--yes")
    assert (done.code, done.out, (root / FILE).read_text()) == (0, "nothing changed\n", BOARD)


@pytest.mark.parametrize(
    ("operations", "reason"),
    [
        ([], "there is no operation: name at least one"),
        ([change("black")], "there is no scene 'black': they are red, blue, green"),
        ([{"do": "explode", "scene": "red"}], "an operation has do, scene and idea"),
        ([{"do": "move", "scene": "red", "after": "red"}], "a scene cannot be moved behind itself"),
        ([{"do": "remove", "scene": name} for name in ("red", "blue", "green")], "a film keeps one scene at least"),
    ],
)
def test_operations_that_cannot_be_done_end_in_an_error(root: Path, operations: Any, reason: str) -> None:
    done, asked_for = revise(root, reviser(operations, {}), "--yes")
    assert (done.code, len(asked_for), (root / FILE).read_text()) == (1, 3, BOARD)
    assert f"mikebot: tiny gives nothing that can be used, after 3 tries: {reason}\n" in done.err


def test_removing_the_posters_scene_is_no_valid_storyboard(root: Path) -> None:
    done, _ = revise(root, reviser([{"do": "remove", "scene": "red"}], {}), "--yes")
    assert (done.code, (root / FILE).read_text()) == (1, BOARD)
    assert done.err.endswith("mikebot: what tiny makes of it is no valid storyboard: poster: there is no scene 'red'\n")


def test_mistakes_on_the_command_line(root: Path) -> None:
    done = here(root, "revise", FILE, "sing", "--scene", "blu")
    assert (done.code, done.err) == (
        2, "mikebot: there is no scene 'blu'; did you mean 'blue'?\n  scenes: red, blue, green\n"
    )  # fmt: skip
    done = here(root, "revise", "projects/none", "sing")
    assert (done.code, done.err) == (
        2, "mikebot: there is no storyboard projects/none\n  name a storyboard or its folder\n"
    )  # fmt: skip


def test_json_lines(root: Path) -> None:
    done, _ = revise(root, reviser([change("blue")], {"blue": CHANGED}), "--yes", "--json")
    said = lines(done.out)
    assert [event["event"] for event in said] == ["note", "model", "note", "scene", "diff", "done"]
    assert said[-1] == {"event": "done", "file": str(root / FILE), "changed": True}
    assert json.dumps(said[-2]).count("\\n+") >= 1


SLIDE = {"slide": {"title": "T", "bullets": ["One", {"text": "Two", "at": "two"}]}}


@pytest.mark.parametrize(
    ("old", "new", "becomes"),
    [
        ({"narration": "A b."}, {"narration": " A\n b. "}, {"narration": "A b."}),
        ({"narration": "A", "chapter": "C"}, {"narration": "B"}, {"narration": "B", "chapter": "C"}),
        (
            {"show": SLIDE},
            {"show": {"slide": {"title": "T", "bullets": [{"text": "One"}, {"text": "Two", "at": "two"}]}}},
            {"show": SLIDE},
        ),
        (
            {"transition": {"style": "fade", "seconds": 1}},
            {"transition": "fade"},
            {"transition": {"style": "fade", "seconds": 1}},
        ),
        ({"image_prompt": "p", "video_prompt": "v"}, {"show": SLIDE}, {"show": SLIDE}),
        ({"show": SLIDE}, {"image_prompt": "p", "video_prompt": "v"}, {"image_prompt": "p", "video_prompt": "v"}),
        ({"video": "f.mp4"}, {"narration": "N", "image_prompt": "p"}, {"video": "f.mp4", "narration": "N"}),
        ({"show": {"code": {"file": "a.py"}}}, {"show": SLIDE}, {"show": {"code": {"file": "a.py"}}}),
    ],
)
def test_what_says_the_same_stays_as_it_is_written(old: Any, new: Any, becomes: Any) -> None:
    assert merged({"id": "a", **old}, {"id": "b", **new}) == {"id": "a", **becomes}
