"""A small workspace, mikebot run in it as a process of its own, and what its store holds afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from engine.store import Store

CHECKOUT = Path(__file__).parents[1]
BOARD = """\
title: Boats
persona: mikebot
seed: {seed}
format: {{width: 64, height: 36, fps: 25}}
scenes:
  - id: one
    on_screen: true
    narration: Here are {seed} boats.
    image_prompt: a paper boat
    video_prompt: slow push in
  - id: two
    on_screen: false
    narration: They go.
    image_prompt: a pond
    video_prompt: slow pan right
"""
# Everything that may be in a store beside artifacts.
OWN = re.compile(r"(results\.db(-wal|-shm)?|digests\.json|(renders/\d+|notes/[0-9a-f]{32})\.json)\Z")


class Run(NamedTuple):
    """How a process ended and what it said."""

    code: int
    out: str
    errors: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """JSON lines; the last may be half a line after a kill."""
        lines = [line for line in self.out.splitlines(keepends=True) if line.endswith("\n")]
        return [json.loads(line) for line in lines]

    @property
    def built(self) -> set[str]:
        return {said["step"] for said in self.events if said.get("state") == "built"}


class Workspace:
    """projects/boats and the shipped persona, in a folder of its own."""

    def __init__(self, root: Path, seed: int = 1) -> None:
        self.root = root
        (root / "projects/boats").mkdir(parents=True)
        shutil.copytree(CHECKOUT / "personas", root / "personas")
        self.board = root / "projects/boats/storyboard.yaml"
        self.film = root / "projects/boats/build/boats.mp4"
        self.store = root / ".mikebot"
        self.edit(seed)

    def edit(self, seed: int) -> None:
        self.board.write_text(BOARD.format(seed=seed))

    def start(self, *arguments: str, program: Sequence[str] = ("-m", "engine.cli"), **more: str) -> subprocess.Popen:
        """Start mikebot at the head of its own session."""
        return subprocess.Popen(
            [sys.executable, *program, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT), **more},
            start_new_session=True,
        )

    def run(self, *arguments: str, program: Sequence[str] = ("-m", "engine.cli"), **more: str) -> Run:
        return ended(self.start(*arguments, program=program, **more))

    def render(self, *arguments: str, **more: str) -> Run:
        return self.run("render", str(self.board), "--json", *arguments, **more)

    def rows(self) -> dict[str, str]:
        """What is recorded: results with their seconds, by key. A step that ran again has another text."""
        if not (self.store / "results.db").exists():
            return {}
        with closing(Store(self.store)) as store:
            return {row.key: row.result for row in store.ledger.rows()}

    def keys(self) -> Mapping[str, str]:
        """The keys of the steps of the last whole render."""
        with closing(Store(self.store)) as store:
            return next(store.renders()).steps

    def litter(self) -> list[str]:
        """Whatever lies about that is no artifact under its own name, no record, and no delivery."""
        found = []
        for file in (path for path in self.store.rglob("*") if path.is_file() or path.parent.name == "tmp"):
            name = file.relative_to(self.store).as_posix()
            if name == f"artifacts/{file.name[:2]}/{digest(file)}" or (OWN.match(name) and file.stat().st_size):
                continue
            found.append(name)
        found += [file.name for file in self.film.parent.glob("*") if file.name not in DELIVERED]
        with closing(Store(self.store)) as store, store.ledger._transaction() as db:
            found += [f"lease {key}" for (key,) in db.execute("SELECT key FROM leases")]
            found += [f"owner {owner}" for (owner,) in db.execute("SELECT owner FROM owners")]
        return found


DELIVERED = ("boats.mp4", "boats.vtt", "boats.srt", "boats.jpg", "boats.youtube.txt")


def ended(process: subprocess.Popen) -> Run:
    """Wait for a process; whatever it started is ended too if a test gives up on it."""
    try:
        out, errors = process.communicate(timeout=120)
    finally:
        with contextlib.suppress(ProcessLookupError):
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
    return Run(process.returncode, out, errors)


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def session(leader: int) -> list[int]:
    """The living processes of a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, _, head = stat.read_text().rpartition(")")[2].split()[:4]
            if int(head) == leader and state != "Z":
                found.append(int(stat.parent.name))
    return found


def alone(leader: int, seconds: float) -> bool:
    """Whether a session dies out within so many seconds."""
    end = time.monotonic() + seconds
    while session(leader):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
