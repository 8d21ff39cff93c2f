"""A storyboard that grows: whole valid scenes at every moment, watched and rendered while it is written; and what
somebody else writes into it, or does to it, stays."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from command_kit import mikebot, workspace
from fake_server import Talk
from script_kit import first, here, model, served, written
from watch_kit import replaced, watching

from engine.document import parse
from engine.errors import MikebotError
from engine.write.growing import Growing

HEAD = {"title": "T", "format": {"width": 64, "height": 36}}
PLACE = "projects/film"


def scene(name: str) -> dict[str, Any]:
    fields = {"narration": f"This is {name}.", "image_prompt": f"{name} in a box", "video_prompt": "hold still"}
    return {"id": name, "on_screen": False, **fields}


class Grown:
    """A growing storyboard in a workspace, and what it noted."""

    def __init__(self, root: Path) -> None:
        self.file = workspace(root) / PLACE / "storyboard.yaml"
        self.notes: list[str] = []
        self.growing = Growing(self.file, HEAD, ["how it came about"], self.notes.append)

    def add(self, *names: str) -> None:
        for name in names:
            self.growing.add(scene(name))

    def ids(self, name: str = "storyboard.yaml") -> list[str]:
        """The scenes of a file that has no mistakes."""
        file = self.file.with_name(name)
        assert here(self.file.parents[2], "check", str(file)) == (0, "", "")
        return [scene["id"] for scene in parse(file.read_bytes(), "").data["scenes"]]


@pytest.fixture
def grown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Grown:
    monkeypatch.chdir(tmp_path)
    return Grown(tmp_path)


def test_each_scene_is_in_the_file_as_soon_as_it_is_added(grown: Grown) -> None:
    assert not grown.file.exists()
    for number, name in enumerate("abcd", 1):
        grown.add(name)
        assert grown.ids() == list("abcd")[:number]
    assert grown.notes == []
    assert grown.file.read_text("utf-8").count("\n\n  - id:") == 3
    assert [path.name for path in grown.file.parent.iterdir()] == ["storyboard.yaml"]


@pytest.mark.parametrize("how", ["replaced", "in place", "removed", "mistakes"])
def test_a_file_that_somebody_changes_is_theirs_from_then_on(grown: Grown, how: str) -> None:
    grown.add("a", "b")
    text = grown.file.read_text("utf-8")
    mine = text.replace("This is a.", "This is mine.") if how != "mistakes" else "title: ["
    if how == "removed":
        grown.file.unlink()
    elif how == "replaced":
        replaced(grown.file, mine)
    else:
        grown.file.write_text(mine, encoding="utf-8")
    grown.add("c", "d")
    assert not grown.file.exists() if how == "removed" else grown.file.read_text("utf-8") == mine
    gone = how in {"removed", "mistakes"}
    assert grown.ids("storyboard.rest.yaml") == (["a", "b", "c", "d"] if gone else ["c", "d"])
    assert grown.notes == [
        f"{PLACE}/storyboard.yaml was changed meanwhile, and stays as it is; "
        f"the scenes to come go into {PLACE}/storyboard.rest.yaml"
        + ("; of those that it had, a, b went with it, and go there, too" if gone else "")
    ]


def test_a_scene_that_an_editor_did_not_know_is_not_lost_with_its_save(grown: Grown) -> None:
    grown.add("a")
    opened = grown.file.read_text("utf-8")
    grown.add("b")
    replaced(grown.file, opened.replace("This is a.", "This is mine."))
    grown.add("c")
    assert (grown.ids(), grown.ids("storyboard.rest.yaml")) == (["a"], ["b", "c"])


def test_the_rest_is_changed_too(grown: Grown) -> None:
    grown.add("a")
    grown.file.write_text("mine")
    grown.add("b")
    grown.file.with_name("storyboard.rest.yaml").write_text("mine, too")
    grown.add("c")
    assert grown.ids("storyboard.rest-2.yaml") == ["a", "b", "c"]
    assert grown.file.with_name("storyboard.rest.yaml").read_text() == "mine, too"
    assert len(grown.notes) == 2


def test_a_file_that_appears_before_the_first_scene_is_theirs(grown: Grown) -> None:
    grown.file.parent.mkdir()
    grown.file.write_text("mine")
    grown.add("a")
    assert (grown.file.read_text(), grown.ids("storyboard.rest.yaml")) == ("mine", ["a"])


def test_an_editor_with_unsaved_changes_is_left_alone(grown: Grown) -> None:
    """Emacs says so by a link beside the file."""
    grown.add("a")
    before = grown.file.read_bytes()
    grown.file.with_name(".#storyboard.yaml").symlink_to(f"me@{socket.gethostname()}.1:1")
    grown.add("b")
    assert (grown.file.read_bytes(), grown.ids("storyboard.rest.yaml")) == (before, ["b"])
    assert grown.notes[0].startswith(f"Emacs has unsaved changes of {PLACE}/storyboard.yaml, and stays as it is; ")


def test_many_hands_at_once_lose_nothing(grown: Grown) -> None:
    """Somebody saves again and again while scenes come: each save is whole where it was, each scene somewhere."""
    grown.add("s0")
    over = threading.Event()

    def author() -> None:
        while not over.wait(0.004):
            replaced(grown.file, grown.file.read_text("utf-8") + "# mine\n")

    thread = threading.Thread(target=author)
    thread.start()
    for number in range(1, 15):
        grown.add(f"s{number}")
    over.set()
    thread.join()
    found = [name for file in sorted(grown.file.parent.glob("storyboard*.yaml")) for name in grown.ids(file.name)]
    assert set(found) == {f"s{number}" for number in range(15)}
    assert "# mine" in grown.file.read_text("utf-8")


def test_what_cannot_be_written_is_an_error_and_the_file_stays(grown: Grown) -> None:
    grown.add("a")
    before = grown.file.read_bytes()
    with pytest.raises(MikebotError) as error:
        grown.growing.add({**scene("b"), "id": "a", "narration": "\ud800"})
    assert str(error.value) != ""
    assert grown.file.read_bytes() == before


def test_the_first_scene_is_rendered_while_the_second_is_being_written(tmp_path: Path) -> None:
    """Watch and write at the same file: the model waits with its second scene until the first is a film."""
    root = workspace(tmp_path)
    file = root / PLACE / "storyboard.yaml"
    file.parent.mkdir()
    seen = threading.Event()

    def answer(talk: Talk) -> None:
        if "Write scene 2" in first(talk.heard.body):
            assert seen.wait(100)
        model(lambda body: written(body) | ({} if "Plan" in first(body) else {"narration": "It is the door."}))(talk)

    with served(answer) as server, watching(file) as (_, follower, _heard):
        words = [
            "write",
            "Doors",
            "--model",
            f"served:{server.url}",
            "--name",
            "film",
            "--scenes",
            "2",
            "--words-a-scene",
            "5",
        ]
        done: list[Any] = []
        thread = threading.Thread(target=lambda: done.append(mikebot(root, *words)))
        thread.start()
        follower.until(lambda f: f.top.get("film") is not None and f.order == ["knock"], 100)
        assert done == []
        seen.set()
        thread.join(100)
        follower.until(lambda f: f.order == ["knock", "corridor"] and f.top["phase"] == "done", 100)
        assert follower.films[0] != follower.films[-1]
    assert done[0].code == 0
