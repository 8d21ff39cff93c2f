"""Whatever an author writes, the answer is a message: the whole of it is in tests/golden/errors/."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import media_kit
import pytest

from engine.digests import Digests
from engine.errors import MikebotError
from engine.load import load
from engine.profile import load_profile

GOLDEN = Path(__file__).parent / "golden" / "errors"

SCENE = """\
  - id: one
    on_screen: true
    narration: Hello.
    image_prompt: a door
    video_prompt: slow push in
"""
BOARD = f"title: T\nscenes:\n{SCENE}"
PERSONA = "title: T\npersona: mike\nscenes:\n" + SCENE
CONFLICT = """\
<<<<<<< HEAD
seed: 1
=======
seed: 2
>>>>>>> other-seed
"""
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 10)}]\n" for before, name in ("ab", "bc", "cd", "de", "ef")
)


def indented(text: str) -> str:
    """Lines as they stand in a block below `show`."""
    return "".join(f"          {line}\n" for line in text.rstrip("\n").split("\n"))


def graph(dot: str) -> str:
    """A storyboard that shows a graph."""
    return f"{BOARD}    show:\n      diagram:\n        dot: |\n{indented(dot)}"


TEXTS: dict[str, str] = {
    "dot-quote": graph('digraph {\n  a [label="open]\n  a -> b\n}'),
    "dot-quote-before-another": graph('digraph {\n  a [label="open]\n  b [label="b"]\n}'),
    "dot-second-graph": graph("digraph {\n  a -> b\n}\ndigraph {\n  c -> d\n}"),
    "dot-after-its-end": graph("digraph {\n  a -> b }\n  b -> c\n}"),
    "tab": "title: T\nscenes:\n\t- id: one\n\t  on_screen: true\n",
    "unclosed-quote": 'title: "T\nscenes: []\n',
    "colon-in-text": "title: Firewalls: a story\nscenes: []\n",
    "text-after-quote": "title: 'it's'\nscenes: []\n",
    "bold-text": "title: *bold* T\nscenes: []\n",
    "at-sign": "title: @home\nscenes: []\n",
    "duplicate-key": "title: T\ntitle: U\nscenes:\n" + SCENE,
    "unknown-key": BOARD.replace("narration", "naration"),
    "wrong-type": BOARD.replace("a door", "[a, door]").replace("title: T", "title: 7"),
    "on-screen-yes": BOARD.replace("true", "yes"),
    "missing-field": "scenes:\n  - narration: Hello.\n    on_screen: true\n",
    "duplicate-id": BOARD + SCENE,
    "no-scenes": "title: T\nscenes: []\n",
    "empty-file": "",
    "empty-narration": BOARD.replace("Hello.", '"  "'),
    "no-length": BOARD.replace("    narration: Hello.\n", ""),
    "unknown-persona": BOARD.replace("title: T", "title: T\npersona: mikes"),
    "unknown-poster": BOARD.replace("title: T", "title: T\nposter: ones"),
    "all-held": BOARD + "    hold: true\n",
    "alias-bomb": BOMB,
    "alias-to-itself": "title: &a [*a]\nscenes: []\n",
    "python-object": "title: !!python/object/apply:os.system [ls]\nscenes:\n" + SCENE,
    "merge-key": "title: T\nscenes:\n" + SCENE.replace("- id", "- <<: {seed: 1}\n    id"),
    "many-levels": "title: " + "[" * 900,
    "ten-thousand-dashes": "title:\n" + "- " * 10_000,
    "two-documents": BOARD + "---\n" + BOARD,
    "nul": BOARD.replace("Hello.", "Hel\0lo."),
    "control-character": BOARD.replace("Hello.", "Hel\x07lo."),
    "escaped-control-character": BOARD.replace("Hello.", '"Hel\\x07lo."'),
    "zero-by-zero": BOARD.replace("title: T", "title: T\nformat: {width: 0, height: 0, fps: 4001}"),
    "odd-size": BOARD.replace("title: T", "title: T\nformat: {width: 1281, height: 720, fps: 25/3}"),
    "not-a-number": BOARD + "    duration: .nan\n    seed: 1e999\n",
    "german-number": BOARD + '    duration: "2,5"\n    take: "2"\n',
    "several-at-once": BOARD.replace("narration", "naration").replace("true", "on") + SCENE.replace("a door", "''"),
}
MERGED = f"title: T\n{CONFLICT}scenes:\n{SCENE}"
TEXTS |= {
    "conflict": MERGED,
    "conflict-diff3": MERGED.replace("=======", "||||||| 1a2b3c4\nseed: 0\n======="),
    "conflict-twice": f"{MERGED}{CONFLICT}",
    "conflict-windows": MERGED.replace("\n", "\r\n"),
    "conflict-without-names": MERGED.replace(" HEAD", "").replace(" other-seed", ""),
    "conflict-half-removed": MERGED.replace(">>>>>>> other-seed\n", ""),
    "conflict-left-over": f"title: T\n>>>>>>> other-seed\nscenes:\n{SCENE}",
    "equals-signs-alone": f"title: T\n=======\nscenes:\n{SCENE}",
}
BYTES: dict[str, bytes] = {
    "not-utf-8": BOARD.encode().replace(b"Hello.", b"caf\xe9."),
    "utf-16": BOARD.encode("utf-16"),
    "binary": bytes(range(256)) * 16,
    "fifty-megabytes": b"#" * 50_000_000,
}


def message(root: Path) -> str:
    """What an author is told of the storyboard in a workspace."""
    with pytest.raises(MikebotError) as caught:
        load(root / "projects/p/storyboard.yaml", root, Digests())
    assert caught.value.exit_code == 2
    return f"{caught.value}\n"


def golden(name: str, said: str) -> None:
    file = GOLDEN / f"{name}.txt"
    if "MIKEBOT_GOLDEN" in os.environ:
        file.write_text(said, "utf-8")
    assert said == file.read_text("utf-8")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "projects/p").mkdir(parents=True)
    (tmp_path / "personas/mike").mkdir(parents=True)
    (tmp_path / "personas/mike/persona.yaml").write_text("name: Mike\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_is_no_storyboard(root: Path, name: str) -> None:
    (root / "projects/p/storyboard.yaml").write_bytes(TEXTS[name].encode())
    golden(name, message(root))


CODE = f"""{BOARD}    show:
      code:
        language: python
        text: |
          allowed = [rule for rule in rules if rule.fits(packet) and rule.open]
"""


def test_code_that_fits_the_storyboard_and_not_the_format_that_is_rendered(root: Path) -> None:
    file = root / "projects/p/storyboard.yaml"
    file.write_text(CODE.replace("on_screen: true", "on_screen: false"))
    load(file, root, Digests())
    with pytest.raises(MikebotError) as caught:
        load(file, root, Digests(), "shorts")
    assert caught.value.exit_code == 2
    golden("code-in-shorts", f"{caught.value}\n")


@pytest.mark.parametrize("name", BYTES)
def test_bytes_that_are_no_text(root: Path, name: str) -> None:
    (root / "projects/p/storyboard.yaml").write_bytes(BYTES[name])
    golden(name, message(root))


def _fifo(file: Path) -> None:
    os.mkfifo(file)


def _socket(file: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(file.name)
    Path(file.name).rename(file)


MADE: dict[str, tuple[str, Callable[[Path], object]]] = {
    "file-missing": ("lok.bin", lambda file: file.with_name("look.bin").write_bytes(b"x")),
    "file-absolute": ("/etc/passwd", lambda _: None),
    "file-device": ("zero", lambda file: file.symlink_to("/dev/zero")),
    "file-above": ("../../../x.bin", lambda _: None),
    "file-through-link": ("link.bin", lambda file: file.symlink_to("/etc/passwd")),
    "file-link-to-itself": ("loop.bin", lambda file: file.symlink_to(file.name)),
    "file-pipe": ("pipe.bin", _fifo),
    "file-socket": ("socket.bin", _socket),
    "file-folder": ("folder", lambda file: file.mkdir()),
    "file-empty": ("empty.bin", lambda file: file.touch()),
    "look-pickle": ("look.bin", lambda file: file.write_bytes(b"\x80\x02}q\x00.")),
    "look-renamed-pickle": ("look.safetensors", lambda file: file.write_bytes(b"PK\x03\x04 archive/data.pkl")),
    "look-cut-off": ("look.safetensors", lambda file: file.write_bytes(media_kit.weights(file).read_bytes()[:-1])),
    "look-bad-head": ("look.safetensors", lambda file: file.write_bytes(b"\x04\0\0\0\0\0\0\0{no}1234")),
    "file-address": ("https://example.com/look.bin", lambda _: None),
    "file-backslash": ("a\\b.bin", lambda _: None),
}


@pytest.mark.skipif(os.name == "nt", reason="pipes, sockets and links are made as POSIX has them")
@pytest.mark.parametrize("name", MADE)
def test_a_file_that_cannot_be_taken(root: Path, name: str) -> None:
    named, make = MADE[name]
    make(root / "personas/mike" / Path(named).name)
    (root / "personas/mike/persona.yaml").write_text(f"name: Mike\nlook:\n  lora: {named}\n")
    (root / "projects/p/storyboard.yaml").write_text(PERSONA)
    golden(name, message(root))


def test_storyboard_and_persona_are_told_of_together(root: Path) -> None:
    (root / "personas/mike/persona.yaml").write_text("name: Mike\nvoise: {}\nvoice: {espeek: {}, espeak: {pich: 4}}\n")
    (root / "projects/p/storyboard.yaml").write_text(PERSONA.replace("narration", "naration"))
    golden("persona-too", message(root))


def test_a_conflict_in_a_persona(root: Path) -> None:
    conflict = CONFLICT.replace("seed: 1", "appearance: a tall robot").replace("seed: 2", "appearance: a small robot")
    (root / "personas/mike/persona.yaml").write_text(f"name: Mike\n{conflict}")
    (root / "projects/p/storyboard.yaml").write_text(PERSONA)
    golden("conflict-in-a-persona", message(root))


def test_a_conflict_in_a_profile(root: Path) -> None:
    (root / "profiles").mkdir()
    (root / "profiles/slow.yaml").write_text(f"name: slow\nextends: draft\n{CONFLICT.replace('seed', 'note')}")
    with pytest.raises(MikebotError) as caught:
        load_profile("slow", root)
    assert caught.value.exit_code == 2
    golden("conflict-in-a-profile", f"{caught.value}\n")


GOOD = {
    "bom": "\ufeff" + BOARD,
    "crlf": BOARD.replace("\n", "\r\n"),
    "template": BOARD.replace("a door", "'{{ 7 * 7 }} ${HOME} {% raw %}'"),
    "emoji": BOARD.replace("Hello.", "Hello 👩‍🚀, مرحبا, 你好."),
    "conflict": CODE.replace("          allowed", f"{indented(CONFLICT)}          allowed").replace("true", "false"),
    "alias": BOARD.replace("a door", "&p a door") + SCENE.replace("one", "two").replace("a door", "*p"),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_looks_odd_and_is_right(root: Path, name: str) -> None:
    (root / "projects/p/storyboard.yaml").write_bytes(GOOD[name].encode())
    board = load(root / "projects/p/storyboard.yaml", root, Digests()).board
    assert board.title == "T"
    if name == "conflict":
        assert board.scenes[0].show is not None
        assert board.scenes[0].show.said["text"].startswith(CONFLICT)
    if name == "template":
        assert board.scenes[0].image_prompt == "{{ 7 * 7 }} ${HOME} {% raw %}"
    if name == "alias":
        assert [scene.image_prompt for scene in board.scenes] == ["a door", "a door"]
