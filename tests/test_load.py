"""What an author's files become, which files were read for it, and how profiles build on each other."""

from __future__ import annotations

import hashlib
import json
import os
from fractions import Fraction
from pathlib import Path

import media_kit
import pytest

from engine.digests import READ_EACH_TIME, Digests
from engine.errors import AuthorError, UsageError
from engine.load import load
from engine.places import storyboard_file, workspace
from engine.profile import load_profile

BOARD = """\
title: T
persona: mike
poster: three
format: {fps: 30000/1001}
scenes:
  - {id: one, on_screen: true, narration: Hello., image_prompt: a, video_prompt: b}
  - {id: two, on_screen: false, duration: 1, image_prompt: a, video_prompt: b, hold: true}
  - {id: three, on_screen: false, duration: 0.1, image_prompt: a, video_prompt: b}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("projects/p", "personas/mike", "profiles"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "personas/mike/persona.yaml").write_text("name: Mike\nlook: {lora: l.safetensors, weight: 0.5}\n")
    media_kit.weights(tmp_path / "personas/mike/l.safetensors")
    (tmp_path / "projects/p/storyboard.yaml").write_text(BOARD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_storyboard_and_what_it_was_read_from(root: Path) -> None:
    loaded = load(storyboard_file(root / "projects/p"), root, Digests())
    one, _, three = loaded.board.scenes
    assert (one.narration, one.duration, three.duration) == ("Hello.", None, Fraction(1, 10))
    assert loaded.board.format.fps == "30000/1001"
    assert loaded.board.poster == 1  # Held scenes do not count.
    assert loaded.board.persona is not None
    assert (loaded.board.persona.name, loaded.board.persona.look_weight) == ("Mike", 0.5)
    weights = hashlib.sha256((root / "personas/mike/l.safetensors").read_bytes()).hexdigest()
    assert loaded.sources == {weights: (root / "personas/mike/l.safetensors").resolve()}
    assert [source.path.name for source in loaded.files] == ["storyboard.yaml", "persona.yaml", "l.safetensors"]
    assert [source.digest for source in loaded.files] == [
        hashlib.sha256(source.path.read_bytes()).hexdigest() for source in loaded.files
    ]


def test_a_persona_on_screen_that_nobody_named_is_a_warning(root: Path) -> None:
    (root / "projects/p/storyboard.yaml").write_text(BOARD.replace("persona: mike\n", ""))
    (warning,) = load(root / "projects/p/storyboard.yaml", root, Digests()).warnings
    assert warning.severity == "warning"
    assert warning.message == "on_screen is true, but the storyboard names no persona"


def test_workspace_is_the_nearest_parent_with_personas_and_projects(root: Path) -> None:
    assert workspace(root / "projects/p/storyboard.yaml") == root
    with pytest.raises(UsageError, match=r"^/ is in no workspace\n  make one with: mikebot init DIR$"):
        workspace(Path("/"))


def test_no_storyboard(root: Path) -> None:
    message = r"^there is no storyboard projects/storyboard.yaml\n  name a storyboard or its folder$"
    with pytest.raises(UsageError, match=message):
        storyboard_file(root / "projects")


def profile(root: Path, name: str, text: str) -> None:
    (root / f"profiles/{name}.yaml").write_text(f"name: {name}\n{text}")


def test_a_profile_changes_what_it_says_of_the_one_it_extends(root: Path) -> None:
    draft = load_profile("draft", root)
    profile(root, "small", "extends: draft\nkinds: {speech: {params: {pitch: 40}}, clip: {limits: {seconds: 2}}}\n")
    small = load_profile("small", root)
    assert small.kinds["speech"].params == {"pitch": 40}
    assert small.kinds["clip"].limits == {**draft.kinds["clip"].limits, "seconds": 2}
    assert draft.kinds["clip"].limits["seconds"] != 2
    assert small.kinds["speech"].version == draft.kinds["speech"].version != ""
    assert small.kinds["film"] == draft.kinds["film"]


WRONG = {
    "knob": ("kinds: {speech: {params: {pich: 1}}}\n", "espeak has no knob 'pich'; did you mean 'pitch'?"),
    "type": ("kinds: {speech: {params: {pitch: high}}}\n", "pitch must be a whole number, not the text 'high'"),
    "plan's": ("kinds: {speech: {params: {text: x}}}\n", "'text' is decided by the storyboard, not here"),
    "backend": ("kinds: {speech: {backend: espeek}}\n", "there is no speech backend 'espeek'; did you mean 'espeak'?"),
    "kind": ("kinds: {spech: {backend: espeak}}\n", "unknown key 'spech'; did you mean 'speech'?"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_profile_that_cannot_be(root: Path, name: str) -> None:
    text, message = WRONG[name]
    profile(root, "bad", "extends: draft\n" + text)
    with pytest.raises(AuthorError) as caught:
        load_profile("bad", root)
    assert [(mistake.file, mistake.line, mistake.message) for mistake in caught.value.mistakes] == [
        ("profiles/bad.yaml", 3, message)
    ]


def test_profiles_in_a_circle(root: Path) -> None:
    profile(root, "a", "extends: b\n")
    profile(root, "b", "extends: a\n")
    with pytest.raises(AuthorError) as caught:
        load_profile("a", root)
    assert [mistake.message for mistake in caught.value.mistakes] == [
        "profiles extend each other in a circle: a -> b -> a"
    ]


def test_an_unknown_profile(root: Path) -> None:
    with pytest.raises(UsageError, match=r"^there is no profile 'draff'; did you mean 'draft'\?\n"):
        load_profile("draff", root)


def large(root: Path, byte: bytes, when: int) -> Path:
    file = root / "large.bin"
    file.write_bytes(byte * (READ_EACH_TIME + 1))
    os.utime(file, ns=(when, when))
    return file


def test_a_large_file_is_remembered_by_its_marks(root: Path) -> None:
    memo = root / "memo.json"
    digests = Digests(memo)
    first = digests.of(large(root, b"a", 10**18))
    digests.save()
    assert Digests(memo).of(large(root, b"b", 10**18)) == first  # The same size, inode and time: not read.
    assert Digests(memo).of(large(root, b"b", 10**18 + 1)) != first


def test_a_memo_that_is_garbage_is_started_afresh(root: Path) -> None:
    memo, file = root / "memo.json", large(root, b"a", 10**18)
    right = Digests().of(file)
    for garbage in (
        b"\xff",
        b"[]",
        b'{"format":1,"files":[]}',
        json.dumps({"format": 1, "files": {str(file): 1}}).encode(),
    ):
        memo.write_bytes(garbage)
        assert Digests(memo).of(file) == right


def test_a_file_that_changed_just_now_is_not_trusted(root: Path) -> None:
    memo, now = root / "memo.json", 4 * 10**18  # Later than any clock: within the racy time.
    digests = Digests(memo)
    first = digests.of(large(root, b"a", now))
    assert digests.of(large(root, b"b", now)) != first
