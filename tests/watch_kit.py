"""A session that watches a real storyboard, and a listener that follows its news as the page does."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.errors import Mistake
from engine.saves import Request
from engine.session import Session


class Heard:
    """What a session said to a terminal."""

    def __init__(self) -> None:
        self.lines: list[tuple[Any, ...]] = []

    def saved(self, touched: list[str], run: int, maybe: int, kept: int) -> None:
        self.lines.append(("saved", touched, run, maybe, kept))

    def mistakes(self, found: list[Mistake], stays: bool = False) -> None:
        self.lines.append(("mistakes", [str(mistake) for mistake in found], stays))

    def failed(self, step: str, message: str) -> None:
        self.lines.append(("failed", step, message))

    def remark(self, step: str, note: str) -> None:
        self.lines.append(("remark", step, note))

    def film(self, path: Path, seconds: float, built: int, kept: int) -> None:
        self.lines.append(("film", path, built, kept))


class Follower:
    """Applies patches to the state, one after the other, and keeps every film that it was ever shown."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._woken = threading.Condition()
        self.top: dict[str, Any] = {}
        self.scenes: dict[str, dict[str, Any]] = {}
        self.order: list[str] = []
        self.films: list[dict[str, Any]] = []
        self.leave = session.subscribe(self.hear)

    def hear(self, event: str, patch: Mapping[str, Any]) -> None:
        assert event == "patch"
        with self._woken:
            self.top |= patch["top"]
            self.scenes |= patch["scenes"]
            for name in patch.get("gone", ()):
                del self.scenes[name]
            self.order = patch.get("order", self.order)
            if patch["top"].get("film"):
                self.films.append(patch["top"]["film"])
            self._woken.notify_all()

    def until(self, ready: Callable[[Follower], object], seconds: float = 60) -> None:
        """Wait until something holds."""
        with self._woken:
            assert self._woken.wait_for(lambda: ready(self), seconds), (self.top, list(self.scenes.values()))

    def same(self) -> bool:
        """Whether what was told piece by piece is what is told as a whole."""
        whole = dict(self._session.snapshot())
        scenes = whole.pop("scenes")
        with self._woken:
            told = {name: value for name, value in self.top.items() if name != "version"}
            return (
                told == {name: value for name, value in whole.items() if name != "version"}
                and [self.scenes[name] for name in self.order] == scenes
            )


@contextlib.contextmanager
def watching(file: Path, profile: str = "draft", lanes: int = 2) -> Iterator[tuple[Session, Follower, Heard]]:
    """A session in a thread of its own, until the end of the block."""
    root = file.parents[2]
    heard = Heard()
    session = Session(Request(file, root, root / ".mikebot", profile, lanes=lanes), heard)
    follower = Follower(session)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            session.run()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield session, follower, heard
    finally:
        session.leave()
        thread.join(30)
    assert not thread.is_alive()
    assert failed == []


def base_of(text: str) -> str:
    """The digest of a storyboard's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def settled(text: str) -> Callable[[Follower], bool]:
    """The film of this text is whole, and shown."""

    def ready(follower: Follower) -> bool:
        top = follower.top
        return (
            top.get("base") == base_of(text)
            and top["phase"] == "done"
            and top["film"] is not None
            and top["film"]["save"] == top["save"]
        )

    return ready


def invalid(follower: Follower) -> bool:
    """The newest save has mistakes."""
    return follower.top.get("phase") == "invalid"


def replaced(file: Path, text: str) -> None:
    """Save as most programs do: aside, then in the place of the old file."""
    aside = file.with_name(f".{file.name}.new")
    aside.write_text(text, encoding="utf-8")
    aside.replace(file)


def steps(follower: Follower, state: str) -> Sequence[str]:
    """The steps of all scenes that are in a state."""
    return sorted(s["step"] for scene in follower.scenes.values() for s in scene["steps"] if s["state"] == state)


def pause(seconds: float) -> None:
    """Let others work."""
    time.sleep(seconds)
