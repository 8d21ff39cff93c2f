"""A storyboard that is written reads back the same, whatever its texts hold, and looks as if a person wrote it."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.document import parse
from engine.schema import accepts
from engine.write.hand import MODELINE, board_text, head_text, scene_text

ROOT = Path(__file__).parents[2]
ODD = (
    *(
        "yes",
        "No",
        "null",
        "~",
        "1:30",
        "007",
        "1_000",
        "2024-01-01",
        "0x1F",
        ".inf",
        "1e5",
        "-",
        "---",
        "...",
        "=",
        "<<",
    ),
    *(
        "<<<<<<< ours",
        ">>>>>>> theirs",
        "=======",
        "# no comment",
        "a #b",
        "a: b",
        "a:",
        ": a",
        "- a",
        "? a",
        "!tag",
        "%x",
    ),
    *("{a: b}", "[a]", "a, b", "*a", "&a", "`a`", "@a", "|", ">-", "'", '"', "it's", 'say "hi"', "back\\slash", "\\n"),
    *('a\'s "b"', " lead", "trail ", "two  spaces", "tab\tinside", "a\u2028b", "\ufeffmark", "\x85next", "\u200b"),
    *(
        "😀 emoji",
        "مرحبا بالعالم",
        "שלום",
        "防火墙会检查每一个数据包。" * 12,
        "ファイアウォールとは何ですか？",
        "x" * 300,
    ),
    *(
        "a" * 95 + " b",
        "word " * 60 + "end.",
        "One. Two.\nThree.\n\nFour.",
        "yaml-language-server: $schema=x",
        "a?b",
        "a:b",
    ),
)
CODE = (
    *(
        "print('hello')",
        "a\n",
        "a\n\nb\n",
        "\n a\n",
        "  indented\nless\n",
        "\ttab\n",
        "trailing \n  \n",
        "a\n\n\n",
        "\n",
        " ",
    ),
    *(
        "a\r\nb",
        "bell\x07",
        "nul\0",
        "# comment\n---\n...\n",
        "<<<<<<< a\n=======\n>>>>>>> b\n",
        "x" * 400,
        "\u2028",
        "a\n\tb",
    ),
)


CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def fitting(pattern: str, most: int) -> st.SearchStrategy[str]:
    """Texts that a field of the schema admits."""
    words = st.sampled_from(ODD)
    text = st.text(max_size=40) | words | st.lists(words | st.text(max_size=9), max_size=9).map(" ".join)
    admits = accepted(pattern)
    return text.map(lambda text: text[:most] if admits(text[:most]) else "x" + CONTROL.sub("", text)[: most - 1])


def accepted(pattern: str) -> Any:
    from engine.schema import compiled, schema

    return compiled({"$ref": f"#/$defs/{pattern}", "$defs": schema("storyboard")["$defs"]})


LINE, WORDS = fitting("line", 120), fitting("words", 2000)
NAMES = st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,63}\Z")
SOURCE = st.sampled_from(CODE) | st.text(min_size=1, max_size=60)
SECONDS = st.floats(1e-9, 5, exclude_min=True) | st.integers(1, 5)
AT = fitting("at", 200)
LINES = st.sampled_from(["3", "3-9", "1-2, 7", 4])


def some(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional)


STEP = some({"at": AT}, {"show": LINES, "highlight": LINES})
NODES = st.lists(st.text(min_size=1, max_size=30) | st.sampled_from(ODD).map(lambda text: text[:200]), max_size=9)
SHOW = st.one_of(
    some(
        {
            "code": some(
                {"language": LINE.map(lambda text: text[:50] if text[:50].strip(" ") else "text"), "text": SOURCE},
                {"lines": LINES, "steps": st.lists(STEP, max_size=3)},
            )
        },
        {},
    ),
    some(
        {"slide": some({"title": LINE}, {"bullets": st.lists(LINE | some({"text": LINE}, {"at": AT}), max_size=7)})}, {}
    ),
    some(
        {
            "diagram": some(
                {"dot": SOURCE}, {"steps": st.lists(some({"at": AT}, {"show": NODES, "highlight": NODES}), max_size=3)}
            )
        },
        {},
    ),
)
SCENE = some(
    {"id": NAMES, "on_screen": st.booleans(), "image_prompt": WORDS, "video_prompt": WORDS, "narration": WORDS},
    {
        "show": SHOW,
        "seed": st.integers(0, 2**53),
        "take": st.integers(1, 1000),
        "hold": st.booleans(),
        "chapter": LINE,
        "duration": SECONDS,
        "pose": NAMES,
        "transition": st.sampled_from(["cut", "dip"]) | some({"style": st.just("fade")}, {"seconds": st.just(1)}),
        "image": fitting("path", 200) | some({"file": fitting("path", 200)}, {"fit": st.just("fit")}),
        "video": some({"file": fitting("path", 200)}, {"start": SECONDS, "sound": st.booleans() | st.just(-6.5)}),
    },
)
BOARD = some(
    {"title": LINE, "scenes": st.lists(SCENE, min_size=1, max_size=3)},
    {
        "persona": NAMES,
        "language": st.just("en-GB"),
        "seed": st.integers(0, 2**53),
        "style": fitting("prose", 1000),
        "theme": st.just("paper"),
        "format": some({}, {"width": st.just(640), "fps": st.just("30000/1001")}),
        "loudness": st.sampled_from([-16, -14.5, "podcast"]),
        "music": LINE | some({"file": fitting("path", 200)}, {"gain": st.floats(-40, 6)}),
        "room_tone": st.booleans(),
        "pronunciation": st.dictionaries(
            st.text(min_size=1, max_size=100) | st.sampled_from(ODD).map(lambda text: text[:100]), LINE, max_size=3
        ),
    },
)


@settings(max_examples=400, deadline=None)
@given(BOARD, st.lists(st.text(max_size=150) | st.sampled_from(ODD), max_size=3), st.booleans())
def test_any_storyboard_reads_back_the_same(board: dict[str, Any], comment: list[str], pure: bool) -> None:
    assert accepts("storyboard")(board)
    given_ = copy.deepcopy(board)
    head = {key: value for key, value in board.items() if key != "scenes"}
    text = board_text(head, board["scenes"], comment)
    document = parse(text.encode(), "board", pure=pure)
    assert document.mistakes == []
    assert document.data == given_ == board


@settings(max_examples=200, deadline=None)
@given(BOARD)
def test_no_line_is_wider_than_a_hundred_columns_unless_a_word_is(board: dict[str, Any]) -> None:
    board = {key: value for key, value in board.items() if key != "pronunciation"}  # Keys stand on one line.
    code = {line.strip() for line in texts(board) if "\n" in line for line in line.split("\n")}
    for line in board_text(board, board["scenes"]).splitlines():
        longest = max(map(len, line.split(" ")), default=0)
        assert len(line) <= 100 or longest > 40 or line.strip() in code or "[" in line, line


def texts(data: Any) -> list[str]:
    below = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return [data] if isinstance(data, str) else [text for item in below for text in texts(item)]


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("field", ["title", "narration", "image_prompt", "bullet", "at", "node", "word"])
def test_odd_texts_read_back_the_same_in_every_place(text: str, field: str) -> None:
    show: Any = {"slide": {"title": "T", "bullets": [text, {"text": text, "at": text}]}}
    if field in {"at", "node"}:
        show = {"diagram": {"dot": "graph {a}", "steps": [{"at": text, "show": [text, "a"]}]}}
    scene = {"id": "a", "on_screen": True, "narration": text, "image_prompt": text, "video_prompt": "x", "show": show}
    board = {"title": text, "pronunciation": {text: text}, "scenes": [scene]}
    for pure in (False, True):
        document = parse(board_text(board, [scene]).encode(), "board", pure=pure)
        assert (document.mistakes, document.data) == ([], board)


@pytest.mark.parametrize("code", CODE)
def test_code_reads_back_the_same_and_ends_where_it_ended(code: str) -> None:
    scene = {"id": "a", "on_screen": False, "narration": "N.", "show": {"code": {"language": "text", "text": code}}}
    board = {"title": "T", "scenes": [scene, scene]}
    for pure in (False, True):
        document = parse(board_text(board, [scene, scene]).encode(), "board", pure=pure)
        assert (document.mistakes, document.data) == ([], board)


HANDWRITTEN = """\
# yaml-language-server: $schema=../../schemas/storyboard.schema.json
# Written by outline from notes.md
title: "Firewalls: who guards the door?"
persona: mikebot
seed: 7
style: warm studio light
format: {width: 1280, height: 720, fps: 25}
music: {file: music/gatehouse.ogg, gain: -10}
pronunciation:
  "no": know
  nginx: engine ex
scenes:
  - id: hook
    chapter: The knocking
    on_screen: true
    narration: >-
      Put a new computer on the internet, and strangers try the handle within minutes.
      They do not know you. They try every handle there is.
    image_prompt: Mikebot behind a desk with a small brass door on it
    video_prompt: >-
      he says "come in": slow push in

  - id: rules
    on_screen: false
    narration: >-
      Read from the top.

      The last line matters most.
    transition: {style: fade, seconds: 1}
    show:
      code:
        language: bash
        text: |
          # The guard's list

          iptables -P INPUT DROP
        lines: "2-4"
        steps:
          - {at: top, highlight: "2"}
          - {at: last line, show: 3-4}

  - id: points
    on_screen: false
    narration: >-
      First this. Then that.
    show:
      slide:
        title: Two rules
        bullets:
          - text: "Yes, first this"
            at: first
          - text: Then that
            at: then
          - And no more
"""


def test_it_looks_as_if_a_person_wrote_it() -> None:
    text = HANDWRITTEN.replace("show: 3-4", 'show: "3-4"').replace('text: "Yes, first this"', "text: Yes, first this")
    document = parse(text.encode(), "board")
    scenes = document.data["scenes"]
    assert board_text(document.data, scenes, ["Written by outline from notes.md"]) == text
    shuffled = {key: document.data[key] for key in reversed(document.data)}
    backwards = [{key: scene[key] for key in reversed(scene)} for scene in scenes]
    again = board_text(shuffled, backwards, ["Written by outline from notes.md"])
    assert again.replace("  nginx: engine ex\n", "", 1) == text.replace("  nginx: engine ex\n", "", 1)


@pytest.mark.parametrize("name", ["firewalls", "hello"])
def test_the_projects_are_written_as_they_are_but_for_line_ends(name: str) -> None:
    text = (ROOT / "projects" / name / "storyboard.yaml").read_text("utf-8")
    data = parse(text.encode(), "board").data
    made = board_text(data, data["scenes"])
    assert made.replace(">-", "").split() == text.replace(">-", "").split()


def test_a_board_is_its_head_and_its_scenes() -> None:
    """So that a file can grow scene by scene."""
    scene = {"id": "a", "on_screen": False, "narration": "N.", "image_prompt": "p", "video_prompt": "v"}
    head = {"title": "T"}
    assert board_text(head, [scene, scene]) == head_text(head) + scene_text(scene) + "\n" + scene_text(scene)
    assert head_text(head) == f"{MODELINE}\ntitle: T\nscenes:\n"
    assert board_text(head, []) == f"{MODELINE}\ntitle: T\nscenes: []\n"


def test_a_comment_cannot_become_anything_else() -> None:
    text = (
        "A prompt\nscenes: []\r\x0b\u2028persona: eve\x00\x1b[2J yaml-language-server: $schema=http://x\n\n" + "w " * 80
    )
    made = board_text({"title": "T"}, [], [text])
    assert parse(made.encode(), "board").data == {"title": "T", "scenes": []}
    lines = made.splitlines()[1:-2]
    assert all(line.startswith("#") and len(line) <= 98 for line in lines)
    assert lines[:4] == ["# A prompt", "# scenes: []", "#", "#"]
    assert lines[4] == "# persona: eve  [2J yaml language server: $schema=http://x"


def test_half_a_character_becomes_the_sign_for_one_that_is_lost() -> None:
    """JSON can hold one, a file in UTF-8 cannot."""
    made = board_text({"title": "a\ud800b"}, [])
    assert parse(made.encode(), "board").data["title"] == "a\ufffdb"
