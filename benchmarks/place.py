"""Where benchmarks happen: workspaces in a temporary folder, and mikebot as a process of its own.

Every figure is of a whole process, as a person starts it. Its bytecode is kept, as an installation keeps it
(a shell that forbids that would have Python compile every module at each start).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parents[1]
NOUNS = ("boat", "lamp", "bridge", "garden", "kettle", "tower", "violin", "harbour")


class Place(NamedTuple):
    """A workspace with one storyboard."""

    root: Path
    name: str

    @property
    def board(self) -> Path:
        return self.root / "projects" / self.name / "storyboard.yaml"

    @property
    def film(self) -> Path:
        return self.root / "projects" / self.name / "build" / f"{self.name}.mp4"


class Options(NamedTuple):
    """What was asked for on the command line, and the folder that is removed in the end."""

    scenes: int
    minutes: int
    whole: bool
    room: Path


def workspace(root: Path, name: str, text: str) -> Place:
    """A workspace that holds one storyboard."""
    place = Place(root, name)
    (root / "personas").mkdir(parents=True, exist_ok=True)
    place.board.parent.mkdir(parents=True, exist_ok=True)
    place.board.write_text(text, "utf-8")
    return place


def small_scenes(count: int, edited: int = -1, words: str = "again") -> str:
    """A storyboard of many scenes as cheap as they can be: 64x36, off screen, two words each."""
    lines = ["title: Many", "format: {width: 64, height: 36, fps: 25}", "scenes:"]
    for number in range(count):
        noun = NOUNS[number % len(NOUNS)]
        lines += [
            f"  - id: scene-{number:04}",
            "    on_screen: false",
            f"    narration: Number {number}{' ' + words if number == edited else ''}.",
            f"    image_prompt: a {noun} in the evening light, the {number}th of many",
            f"    video_prompt: slow pan right over the {noun}",
        ]
    return "\n".join(lines) + "\n"


@cache
def rendered(room: Path, scenes: int) -> Place:
    """A workspace whose film of small scenes is rendered; made once for all benchmarks of a run."""
    place = workspace(room / f"small-{scenes}", "many", small_scenes(scenes))
    render(place)
    return place


def environment(room: Path) -> dict[str, str]:
    """The environment of everything that is timed; see above."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(room / "bytecode")}


def mikebot(*words: str | Path) -> list[str]:
    """The command line of mikebot, from this checkout."""
    return [sys.executable, "-m", "engine.cli", *map(str, words)]


def render(place: Place, *more: str) -> float:
    """Render a storyboard; returns seconds of wall clock, of the whole process."""
    return run(mikebot("render", place.board, *more), HERE, place.root.parent)


def run(command: Sequence[str], folder: Path, room: Path) -> float:
    """Run a command quietly; returns its seconds. Raises CalledProcessError, with what it said, if it fails."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment(room), capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.stderr.write(done.stdout[-2000:] + done.stderr[-2000:])
        done.check_returncode()
    return seconds


def usual(work: Callable[[], float], times: int = 7) -> float:
    """The median of several tries; one more before them, that nothing is cold, does not count."""
    work()
    return statistics.median(work() for _ in range(times))
