"""One value changes in the author's file, and not a character beside it; what the author wrote meanwhile stays."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import json
import os
import pty
import select
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.document import parse
from engine.errors import MikebotError
from engine.splice import splice, write

BOARD = """\
# yaml-language-server: $schema=../../schemas/storyboard.schema.json
title: "Two doors"   # as on the poster

scenes:
  # The first thing that is seen.
  - id: red          # the colour of danger
    on_screen: false
    take: 2          # the first one squinted
    narration: >-
      This door
      is red.
    image_prompt: 'a red door'
    video_prompt: pan left


  - on_screen: false
    id: "blue"
    narration: That one is blue.
    image_prompt: a blue door
    video_prompt: pan left
"""


def changed(before: bytes, after: bytes) -> list[str]:
    """The lines of a diff that say what was removed and added."""
    lines = difflib.ndiff(before.decode().splitlines(keepends=True), after.decode().splitlines(keepends=True))
    return [line for line in lines if line[0] in "+-"]


@pytest.mark.parametrize(
    ("scene", "field", "value", "lines"),
    [
        (
            "red",
            "take",
            3,
            ["-     take: 2          # the first one squinted\n", "+     take: 3          # the first one squinted\n"],
        ),
        ("red", "hold", True, ["+     hold: true\n"]),
        ("red", "seed", 9007199254740992, ["+     seed: 9007199254740992\n"]),
        ("blue", "take", 2, ["+     take: 2\n"]),
        ("blue", "hold", False, ["+     hold: false\n"]),
        ("red", "take", 2, []),
    ],
)
def test_the_diff_is_one_line(scene: str, field: str, value: int | bool, lines: list[str]) -> None:
    raw = BOARD.encode()
    assert changed(raw, splice(raw, "storyboard.yaml", scene, field, value)) == lines


REST = "on_screen: false, narration: Hi., image_prompt: p, video_prompt: p"
JSON = (
    '{"title": "T", "scenes": [{"id": "a", "on_screen": false, "narration": "n", "show": {"slide": {"title": "t"}}}]}'
)
LINES = "    on_screen: false\n    duration: 1\n    image_prompt: p\n    video_prompt: p\n"
FORMS = {
    "braces": (f"title: T\nscenes: [{{id: a, {REST}}}]\n", f"title: T\nscenes: [{{id: a, take: 2, {REST}}}]\n"),
    "the id last in braces": (
        f"title: T\nscenes: [{{{REST}, id: a}}]\n",
        f"title: T\nscenes: [{{{REST}, id: a, take: 2}}]\n",
    ),
    "JSON": (JSON, JSON.replace('"a",', '"a", "take": 2,')),
    "no line break at the end": (
        f"title: T\nscenes:\n  -\n{LINES}    id: a",
        f"title: T\nscenes:\n  -\n{LINES}    id: a\n    take: 2",
    ),
    "lines of Windows": (
        f"title: T\nscenes:\n  - id: a\n{LINES}".replace("\n", "\r\n"),
        f"title: T\nscenes:\n  - id: a\n    take: 2\n{LINES}".replace("\n", "\r\n"),
    ),
    "a byte order mark": (
        f"\ufefftitle: Ü😀\nscenes:\n  - id: a\n    take: 1\n{LINES}",
        f"\ufefftitle: Ü😀\nscenes:\n  - id: a\n    take: 2\n{LINES}",
    ),
    "a value in quotes": (
        f'title: T\nscenes: [{{id: a, "take": 1, {REST}}}]\n',
        f'title: T\nscenes: [{{id: a, "take": 2, {REST}}}]\n',
    ),
    "a comment under the id": (
        f"title: T\nscenes:\n  - id: a\n    # Seen from below.\n{LINES}",
        f"title: T\nscenes:\n  - id: a\n    take: 2\n    # Seen from below.\n{LINES}",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_way_to_write_a_scene(name: str) -> None:
    before, after = FORMS[name]
    assert splice(before.encode(), "storyboard.yaml", "a", "take", 2).decode() == after


def test_what_cannot_be_written_alone_is_refused() -> None:
    """The anchor's value is used elsewhere: another number here would be one there too."""
    text = f"title: T\nscenes:\n  - id: a\n    take: &n 2\n    seed: *n\n{LINES}"
    with pytest.raises(MikebotError) as refused:
        splice(text.encode(), "storyboard.yaml", "a", "take", 3)
    message = "take of scene 'a' cannot be written without changing more than that\n  write it by hand"
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("scene", "take", "message"),
    [
        ("red", 1001, "take must be at most 1000, not 1001\n  write a number from 1 to 1000"),
        ("green", 2, "the storyboard has no scene 'green'\n  look at what it says now, and try again"),
    ],
)
def test_what_would_be_a_mistake_is_not_written(scene: str, take: int, message: str) -> None:
    with pytest.raises(MikebotError) as refused:
        splice(BOARD.encode(), "storyboard.yaml", scene, "take", take)
    assert str(refused.value) == message


def test_a_file_with_mistakes_is_left_alone() -> None:
    with pytest.raises(MikebotError) as refused:
        splice(b"title: [\n", "storyboard.yaml", "red", "take", 2)
    assert str(refused.value) == "the storyboard has mistakes\n  mend them first"


WORD = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=12)
SCENES = st.lists(
    st.tuples(WORD, WORD, st.booleans(), st.sampled_from(["", "# said", "# 'x: {'"])), min_size=1, max_size=5
)


@settings(max_examples=150, deadline=None)
@given(SCENES, st.integers(0, 4), st.sampled_from([("take", 7), ("seed", 0), ("hold", True)]))
def test_any_storyboard_keeps_all_its_other_lines(
    scenes: list[tuple[str, str, bool, str]], which: int, change: tuple[str, int | bool]
) -> None:
    lines = ["title: T", "scenes:"]
    for number, (said, seen, first, note) in enumerate(scenes):
        fields = [
            f"id: s{number} {note}".rstrip(),
            f"narration: {json.dumps('a' + said, ensure_ascii=False)}",
            "on_screen: false",
        ]
        fields += [f"image_prompt: {json.dumps('a' + seen, ensure_ascii=False)}", "video_prompt: pan"]
        fields = fields if first else fields[1:] + fields[:1]
        lines += [f"  - {fields[0]}", *(f"    {field}" for field in fields[1:]), ""]
    raw, scene = "\n".join(lines).encode(), which % len(scenes)
    field, value = change
    made = splice(raw, "storyboard.yaml", f"s{scene}", field, value)
    found = changed(raw, made)
    assert [line[0] for line in found if line[2:].strip()] == ["+"]
    assert parse(made, "x").data["scenes"][scene][field] == value


def board(folder: Path) -> tuple[Path, str]:
    file = folder / "storyboard.yaml"
    file.write_text(BOARD, encoding="utf-8")
    return file, hashlib.sha256(BOARD.encode()).hexdigest()


def test_the_file_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    real, base = board(tmp_path)
    real.chmod(0o640)
    link = tmp_path / "linked.yaml"
    link.symlink_to(real)
    digest = write(link, "red", "take", 5, base)
    assert hashlib.sha256(real.read_bytes()).hexdigest() == digest
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["linked.yaml", "storyboard.yaml"]


def test_what_the_author_saved_meanwhile_is_never_overwritten(tmp_path: Path) -> None:
    file, base = board(tmp_path)
    file.write_text(BOARD + "# more\n", encoding="utf-8")
    with pytest.raises(MikebotError) as refused:
        write(file, "red", "take", 5, base)
    assert str(refused.value) == ("the storyboard was changed meanwhile\n  look at what it says now, and try again")
    assert file.read_text("utf-8") == BOARD + "# more\n"


@contextlib.contextmanager
def vim(file: Path, keys: bytes) -> Iterator[None]:
    """The real editor, with a file open and some keys typed."""
    program = shutil.which("vim") or shutil.which("vim.tiny")
    assert program, "install vim"
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [program, "-u", "NONE", "-N", str(file)],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**os.environ, "TERM": "xterm"},
        start_new_session=True,
    )
    os.close(follower)
    try:
        swap = file.with_name(f".{file.name}.swp")
        _until(leader, swap.exists)
        os.write(leader, keys)
        yield _drain(leader, 1.0)
    finally:
        process.kill()
        process.wait()
        os.close(leader)


def _until(leader: int, ready: object) -> None:
    for _ in range(200):
        _drain(leader, 0.05)
        if ready():  # type: ignore[operator]
            return
    raise AssertionError("the editor did not start")


def _drain(leader: int, seconds: float) -> None:
    """Read what a terminal program draws: it stops when nobody does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([leader], [], [], 0.02)[0]:
            with contextlib.suppress(OSError):
                os.read(leader, 65536)


def test_text_that_vim_holds_unsaved_is_not_overtaken(tmp_path: Path) -> None:
    file, base = board(tmp_path)
    with vim(file, b"othe author types\x1b"), pytest.raises(MikebotError) as refused:
        write(file, "red", "take", 5, base)
    assert str(refused.value) == "Vim has unsaved changes of the storyboard\n  save them, and try again"
    assert file.read_text("utf-8") == BOARD
    write(file, "red", "take", 5, base)  # Vim is gone; what it left is nobody's.


def test_a_file_that_vim_only_shows_can_be_written(tmp_path: Path) -> None:
    file, base = board(tmp_path)
    with vim(file, b"jjj"):
        write(file, "red", "take", 5, base)
    assert "take: 5" in file.read_text("utf-8")


def test_text_that_emacs_holds_unsaved_is_not_overtaken(tmp_path: Path) -> None:
    file, base = board(tmp_path)
    lock = tmp_path / ".#storyboard.yaml"
    lock.symlink_to(f"author@{socket.gethostname()}.{os.getpid()}:1700000000")
    with pytest.raises(MikebotError) as refused:
        write(file, "red", "take", 5, base)
    assert str(refused.value) == "Emacs has unsaved changes of the storyboard\n  save them, and try again"
    lock.unlink()
    gone = subprocess.Popen(["true"])
    gone.wait()
    lock.symlink_to(f"author@{socket.gethostname()}.{gone.pid}")
    write(file, "red", "take", 5, base)
