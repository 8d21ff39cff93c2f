"""A change is heard once, when it is whole, however it was saved; what is no change is not heard at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine import watch as watch_module
from engine.digests import Digests
from engine.errors import AuthorError
from engine.project import Project, open_project
from engine.saves import LOOKS, Request, Saves
from engine.watch import Watch

OLD, NEW = "title: old\n" * 50, "title: new\n" * 50


class Watched:
    """A file that is followed, and every change that was heard of it."""

    def __init__(self, folder: Path, *more: Path, again: bool = False) -> None:
        self.file = folder / "storyboard.yaml"
        self.file.write_text(OLD)
        self.watch = Watch(Digests())
        self.more = more
        self.again = again
        self.heard: list[dict[str, str]] = []
        self.follow()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def follow(self) -> None:
        self.watch.follow({path: self.watch.digest(path) for path in (self.file, *self.more)})

    def run(self) -> None:
        while changed := self.watch.next(lambda: self.again):
            self.heard.append({path.name: self.watch.digest(path) for path in changed})
            self.follow()

    def told(self, count: int = 1) -> list[dict[str, str]]:
        """What was heard, once it is so much and no more follows."""
        end = time.monotonic() + 20
        while len(self.heard) < count and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.3)
        return self.heard

    def close(self) -> None:
        self.watch.leave()
        self.thread.join()
        self.watch.close()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    found = Watched(tmp_path)
    yield found
    found.close()


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def truncate(file: Path) -> None:
    file.write_text(NEW)


def truncate_slowly(file: Path) -> None:
    with file.open("w") as stream:
        stream.flush()
        time.sleep(0.2)
        stream.write(NEW)


def in_pieces(file: Path) -> None:
    with file.open("w") as stream:
        for start in range(0, len(NEW), 100):
            stream.write(NEW[start : start + 100])
            stream.flush()
            time.sleep(0.005)


def aside(file: Path) -> None:
    other = file.with_name("storyboard.yaml.tmp")
    other.write_text(NEW)
    other.replace(file)


def backup(file: Path) -> None:
    """As Vim does it: a moment without the file."""
    file.rename(file.with_name("storyboard.yaml~"))
    time.sleep(0.1)
    file.write_text(NEW)
    file.with_name("storyboard.yaml~").unlink()


def vim(file: Path) -> None:
    program = shutil.which("vim") or shutil.which("vim.tiny")
    assert program, "install vim"
    subprocess.run([program, "-es", "-u", "NONE", "-c", "%s/old/new/", "-c", "wq", str(file)], check=True, timeout=20)


@pytest.mark.parametrize("save", [truncate, truncate_slowly, aside, backup, vim])
def test_a_save_is_heard_once_and_whole(watched: Watched, save: Callable[[Path], None]) -> None:
    save(watched.file)
    assert watched.told() == [{"storyboard.yaml": digest(NEW)}]


def test_a_save_in_pieces_is_heard_when_it_is_over(watched: Watched) -> None:
    """Perhaps before that, too: a writer who rests for long looks as if he were done."""
    in_pieces(watched.file)
    assert watched.told()[-1] == {"storyboard.yaml": digest(NEW)}


def test_a_checkout_of_git_is_heard(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        person = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *person, *words], cwd=tmp_path, check=True, capture_output=True)

    watched = Watched(tmp_path)
    try:
        git("init", "-q")
        git("add", ".")
        git("commit", "-q", "-m", "old")
        watched.file.write_text(NEW)
        assert watched.told() == [{"storyboard.yaml": digest(NEW)}]
        git("checkout", "-q", "--", "storyboard.yaml")
        assert watched.told(2)[1:] == [{"storyboard.yaml": digest(OLD)}]
    finally:
        watched.close()


def reads(file: Path) -> None:
    file.read_bytes()


def touches(file: Path) -> None:
    os.utime(file)


def writes_the_same(file: Path) -> None:
    file.write_text(OLD)


def writes_beside(file: Path) -> None:
    file.with_name(".storyboard.yaml.swp").write_text("x")
    file.with_name("notes.txt").write_text("x")
    (file.parent / "build").mkdir()
    (file.parent / "build" / "film.mp4").write_text("x")


@pytest.mark.parametrize("act", [reads, touches, writes_the_same, writes_beside])
def test_what_changes_nothing_is_not_heard(watched: Watched, act: Callable[[Path], None]) -> None:
    act(watched.file)
    time.sleep(1.5)  # Longer than the slow look.
    assert watched.told(0) == []
    truncate(watched.file)
    assert watched.told() == [{"storyboard.yaml": digest(NEW)}]


@pytest.mark.parametrize("act", [touches, writes_the_same])
def test_a_save_of_the_same_is_heard_while_that_is_asked_for(tmp_path: Path, act: Callable[[Path], None]) -> None:
    watched = Watched(tmp_path, again=True)
    try:
        reads(watched.file)
        time.sleep(1.5)
        assert watched.told(0) == []
        act(watched.file)
        assert watched.told() == [{"storyboard.yaml": digest(OLD)}]
    finally:
        watched.close()


def test_a_file_that_is_not_there_yet_is_heard_when_it_comes(tmp_path: Path) -> None:
    """Its folder is not there either."""
    picture = tmp_path / "pictures" / "door.png"
    watched = Watched(tmp_path, picture)
    try:
        picture.parent.mkdir()
        picture.write_text("a door")
        assert watched.told() == [{"door.png": digest("a door")}]
    finally:
        watched.close()


def test_a_file_that_is_removed_is_heard(watched: Watched) -> None:
    watched.file.unlink()
    assert watched.told() == [{"storyboard.yaml": ""}]


def test_a_folder_that_is_removed_and_made_again_is_heard(tmp_path: Path) -> None:
    """Whatever was listening at the old folder hears nothing of the new one."""
    folder = tmp_path / "project"
    folder.mkdir()
    watched = Watched(folder)
    try:
        shutil.rmtree(folder)
        folder.mkdir()
        watched.file.write_text(NEW)
        assert watched.told()[-1] == {"storyboard.yaml": digest(NEW)}
        count = len(watched.heard)
        watched.file.write_text(OLD)
        assert watched.told(count + 1)[-1] == {"storyboard.yaml": digest(OLD)}
    finally:
        watched.close()


def test_a_change_between_reading_and_following_is_heard(tmp_path: Path) -> None:
    file = tmp_path / "storyboard.yaml"
    file.write_text(NEW)
    watch = Watch(Digests())
    watch.follow({file: digest(OLD)})
    assert watch.next() == {file}
    watch.close()


def test_a_change_right_after_the_comparison_is_found_without_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system that tells nothing, the slow look must not take the newer file for the one that was compared."""
    file = tmp_path / "storyboard.yaml"
    file.write_text(OLD)
    monkeypatch.setattr(watch_module.Observer, "schedule", _deaf)
    watch = Watch(Digests())
    monkeypatch.setattr(watch, "digest", _then_written(watch.digest, file))
    watch.follow({file: digest(OLD)})
    leave = threading.Timer(5, watch.leave)
    leave.start()
    assert watch.next() == {file}
    leave.cancel()
    watch.close()


def _deaf(*_: object, **__: object) -> object:
    raise OSError("no more watches")


def _then_written(real: Callable[[Path], str], file: Path) -> Callable[[Path], str]:
    """A digest after which the file is saved, once."""
    left = [NEW]

    def digest(path: Path) -> str:
        found = real(path)
        if left:
            file.write_text(left.pop())
        return found

    return digest


def test_a_file_that_changes_at_every_look_at_a_mistake_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often that happened, what is followed is no newer than what was read."""
    (tmp_path / "projects" / "film").mkdir(parents=True)
    (tmp_path / "personas").mkdir()
    file = tmp_path / "projects" / "film" / "storyboard.yaml"
    file.write_text("title: [")
    watch = Watch(Digests())
    saves = Saves(Request(file, tmp_path, tmp_path / ".mikebot"), watch)
    looks: list[int] = []

    def opened(*words: str) -> Project:
        try:
            return open_project(*words)
        finally:
            looks.append(len(looks))
            if len(looks) <= LOOKS:
                file.write_text(f"title: [ # {len(looks)}")

    monkeypatch.setattr("engine.saves.open_project", opened)
    assert isinstance(saves.read(), AuthorError)
    leave = threading.Timer(5, watch.leave)
    leave.start()
    assert watch.next() == {file}
    leave.cancel()
    watch.close()


def test_a_folder_is_heard_by_what_lies_in_it(tmp_path: Path) -> None:
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    watched = Watched(tmp_path, fonts)
    try:
        (fonts / "new.ttf").write_text("letters")
        assert {tuple(heard) for heard in watched.told()} == {("fonts",)}  # Its name, then perhaps what is in it.
    finally:
        watched.close()


def test_many_saves_are_heard_as_few_and_the_last_is_among_them(watched: Watched) -> None:
    for number in range(200):
        watched.file.write_text(f"title: {number}\n")
        time.sleep(0.002)
    heard = watched.told()
    assert heard[-1] == {"storyboard.yaml": digest("title: 199\n")}
    assert len(heard) < 200
