"""mikebot translate: the same film in another language, beside the first; its pictures are hits, all else is kept."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_kit import workspace
from script_kit import asked, first, here, model, served, write
from workshop import Workshop

from engine.document import parse

FILE, OUT = "projects/doors/storyboard.yaml", "projects/doors/storyboard.de.yaml"
BOARD = """\
# yaml-language-server: $schema=../../schemas/storyboard.schema.json
title: "Three doors"   # as on the poster
persona: mikebot
format: {width: 320, height: 180}

scenes:
  # The first thing that is seen.
  - id: red          # the colour of danger
    on_screen: true
    chapter: The knocking
    narration: >-
      This door is red,
      and nobody opens it.
    image_prompt: 'Mikebot beside a red door'
    video_prompt: slow push in

  - id: rules
    on_screen: false
    narration: The first rule is old. The second is new.
    show:
      slide:
        title: Two rules
        bullets:
          - Nobody knows them
          - {text: The old one, at: first rule}
          - text: The new one   # shorter
            at: second

  - id: code
    on_screen: false
    narration: Read it from the top to the end.
    show:
      code:
        language: bash
        text: |
          echo first   # do not touch
          echo second
        steps:
          - {at: top, highlight: "1"}
          - {at: end, highlight: "2"}

  - id: graph
    on_screen: false
    narration: You ask, and the guard answers.
    show:
      diagram:
        dot: |
          digraph {
            you [label="your computer"]
            guard [label="the guard" shape=box]
            you -> guard
          }
        steps:
          - {at: guard, show: [guard]}

  - {id: silent, on_screen: false, duration: 1, image_prompt: a blue door, video_prompt: tilt up}
# The end.
"""
GERMAN = {
    "Three doors": "Drei Türen: rot",
    "The knocking": "Das Klopfen",
    "This door is red, and nobody opens it.": "Diese Tür ist rot, und niemand macht sie auf.",
    "The first rule is old. The second is new.": "Die erste Regel ist alt. Die zweite ist neu.",
    "Two rules": "Zwei Regeln",
    "Nobody knows them": "Niemand kennt sie",
    "The old one": "Die alte",
    "The new one": "Die neue, oder nicht",
    "first rule": "erste Regel",
    "second": "zweite",
    "Read it from the top to the end.": "Lies sie von oben bis zum Ende, und nicht umgekehrt.",
    "top": "oben",
    "end": "Ende",
    "You ask, and the guard answers.": "Du fragst, und der Wächter antwortet dir.",
    "guard": "Wächter",
    "your computer": "dein Rechner",
    "the guard": "der Wächter",
}
EXPECTED = {
    "title": "Drei Türen: rot",
    "language": "de",
    "rules": {
        "slide": {
            "title": "Zwei Regeln",
            "bullets": [
                "Niemand kennt sie",
                {"text": "Die alte", "at": "erste Regel"},
                {"text": "Die neue, oder nicht", "at": "zweite"},
            ],
        }
    },
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return workspace(tmp_path, BOARD)


def texts(body: Any) -> dict[str, str]:
    """What a model is to translate."""
    told: dict[str, str] = json.loads("{" + first(body).rpartition(":\n{")[2])
    return told


def german(body: Any) -> dict[str, str]:
    return {key: GERMAN[text] for key, text in texts(body).items()}


def translate(root: Path, answer: Callable[[Any], Any] = german, *words: str) -> Any:
    with served(model(answer)) as server:
        return write(root, server, "projects/doors", "--language", "de", *words, command="translate"), server.asked


def test_texts_are_translated_and_every_other_byte_stays(root: Path) -> None:
    done, asked_for = translate(root)
    assert (done.code, done.out) == (0, f"wrote {OUT}: 5 of 5 scenes translated\nmikebot render {OUT}\n")
    made = (root / OUT).read_text("utf-8")
    lines = difflib.unified_diff(BOARD.splitlines(), made.splitlines(), n=0, lineterm="")
    changed = [line for line in lines if line[0] in "+-" and line[:3] not in {"+++", "---"}]
    assert [line for line in changed if line[0] == "+"] == [
        "+# translated from storyboard.yaml, en to de, by tiny, seed 0",
        '+title: "Drei Türen: rot"   # as on the poster',
        "+language: de",
        "+    chapter: Das Klopfen",
        "+      Diese Tür ist rot, und niemand macht sie auf.",
        "+    narration: Die erste Regel ist alt. Die zweite ist neu.",
        "+        title: Zwei Regeln",
        "+          - Niemand kennt sie",
        "+          - {text: Die alte, at: erste Regel}",
        "+          - text: Die neue, oder nicht   # shorter",
        "+            at: zweite",
        "+    narration: Lies sie von oben bis zum Ende, und nicht umgekehrt.",
        '+          - {at: oben, highlight: "1"}',
        '+          - {at: Ende, highlight: "2"}',
        "+    narration: Du fragst, und der Wächter antwortet dir.",
        '+            you [label="dein Rechner"]',
        '+            guard [label="der Wächter" shape=box]',
        "+          - {at: Wächter, show: [guard]}",
    ]
    assert here(root, "check", OUT) == (0, "", "")
    data = parse(made.encode(), "").data
    assert (data["title"], data["language"], data["scenes"][1]["show"]) == tuple(EXPECTED.values())
    assert (root / FILE).read_text("utf-8") == BOARD
    assert "at_1, at_2: the words of your narration" in first(asked_for[2])
    assert "Diese Tür ist rot" in first(asked_for[2])


def test_pictures_are_hits_and_only_what_is_said_or_read_is_made(tmp_path: Path) -> None:
    """Speech, its sound, captions, clips that grew: the picture of the persona's scene is the one that there is."""
    shop = Workshop(tmp_path, BOARD)
    (tmp_path / "projects/doors").symlink_to(tmp_path / "projects/film")
    shop.render()
    assert translate(tmp_path)[0].code == 0
    shop.write((shop.folder / "storyboard.de.yaml").read_text("utf-8"))
    again = shop.render()
    kept = {name for name, state in again.ended.items() if state == "hit"}
    assert {"red/still", "red/clip", "silent/still", "silent/clip", "silent/scene"} <= kept
    assert {"red/speech", "rules/speech", "code/speech", "graph/speech", "rules/still", "graph/still"} <= again.ran
    assert sum(action.kind == "still" for action in again.performed) == 3  # Those with words: slide, labels, steps.


def test_a_word_that_is_not_said_is_asked_for_again(root: Path) -> None:
    left = [1]

    def answer(body: Any) -> Any:
        made = german(body)
        if "at_2" in made and left.pop() if left else False:
            return {**made, "at_2": "Fenster"}
        return made

    done, asked_for = translate(root, answer)
    assert done.code == 0
    assert "'at_2': 'Fenster' is not in your narration, in this order" in asked(asked_for[3])
    assert parse((root / OUT).read_bytes(), "").data["scenes"][1]["show"] == EXPECTED["rules"]


def test_a_word_that_is_never_said_loses_its_moment_and_that_is_told(root: Path) -> None:
    def answer(body: Any) -> Any:
        made = german(body)
        return made | {key: "Fenster" for key in made if key in {"at_1"}}

    done, _ = translate(root, answer)
    assert done.code == 0
    assert here(root, "check", OUT) == (0, "", "")
    scenes = {scene["id"]: scene for scene in parse((root / OUT).read_bytes(), "").data["scenes"]}
    assert scenes["rules"]["show"]["slide"]["bullets"][1:] == [
        "Die alte",
        {"text": "Die neue, oder nicht", "at": "zweite"},
    ]
    assert scenes["code"]["show"]["code"]["steps"] == [{"at": "Ende", "highlight": "2"}]
    assert scenes["code"]["show"]["code"]["text"] == "echo first   # do not touch\necho second\n"
    assert "steps" not in scenes["graph"]["show"]["diagram"]
    for note in (
        "scene 'rules': 'Fenster' is not said, so 'first rule' has no moment of its own",
        "scene 'code': 'Fenster' is not said, so 'top' has no moment of its own",
        "scene 'graph': 'Fenster' is not said, so 'guard' has no moment of its own",
    ):
        assert f"note    {note}\n" in done.err


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (
            {"narration": "The first rule is old, and the second is new, you know."},
            "'narration' is not in the language de",
        ),
        ({"title": ""}, "'title' is missing"),
        ({"bullet_1": "x" * 200}, "'bullet_1' has 200 characters: write at most 64"),
        ({"title": 5}, "'title' is missing"),
    ],
    ids=["English", "nothing", "long", "number"],
)
def test_a_scene_that_comes_to_nothing_stays_as_it_is_and_that_is_told(root: Path, wrong: Any, reason: str) -> None:
    def answer(body: Any) -> Any:
        made = german(body)
        return made | wrong if "bullet_1" in made else made

    done, asked_for = translate(root, answer)
    assert done.code == 1
    assert done.out.startswith(f"wrote {OUT}: 4 of 5 scenes translated\n")
    assert f"note    scene 'rules' stays as it is, after 3 tries: {reason}\n" in done.err
    assert len(asked_for) == 1 + 1 + 3 + 2
    made = parse((root / OUT).read_bytes(), "").data["scenes"]
    assert made[1] == parse(BOARD.encode(), "").data["scenes"][1]
    assert made[2]["narration"] == "Lies sie von oben bis zum Ende, und nicht umgekehrt."


def test_a_server_of_rubbish_writes_nothing(root: Path) -> None:
    done, asked_for = translate(root, lambda body: "No.")
    assert (done.code, done.out, len(asked_for)) == (1, "", 3)
    assert done.err.endswith(
        "mikebot: tiny gives nothing that can be used, after 3 tries: there is no JSON object in the answer\n"
        "  try another model with --model, or --seed with another number\n"
    )
    assert not (root / OUT).exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--language", "en"], f"{FILE} is in 'en' already\n  name another --language"),
        (["--language", "Deutsch"], "'Deutsch' is no language\n  write a language tag such as en, en-GB, de or zh"),
        (
            ["--language", "de", "--out", "x.yaml"],
            "x.yaml is in another folder\n  name a file in projects/doors/: paths start there",
        ),
        (["--language", "de", "--out", FILE], f"{FILE} is there already\n  remove it, or name another with --out"),
        (
            ["--language", "de", "--out", "projects/doors/x"],
            "projects/doors/x is no name of a storyboard\n  let it end in .yaml",
        ),
    ],
)
def test_mistakes_on_the_command_line(root: Path, words: list[str], message: str) -> None:
    assert here(root, "translate", "projects/doors", *words) == (2, "", f"mikebot: {message}\n")


def test_windows_line_ends_stay_and_nothing_is_written_over(root: Path) -> None:
    (root / FILE).write_bytes(BOARD.replace("\n", "\r\n").encode())
    assert translate(root)[0].code == 0
    made = (root / OUT).read_bytes()
    assert made.count(b"\n") == made.count(b"\r\n") > 50
    done, asked_for = translate(root)
    assert (done.code, asked_for) == (2, [])
    assert (root / OUT).read_bytes() == made
