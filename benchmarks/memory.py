"""Memory of a long film at 720p: the proportional set size (PSS) of the whole process tree, sampled; Linux only.

Scenes of 30 s, one in ten of them with a moving camera and the others held, so that the film is done in
minutes: what a scene needs does not depend on whether it moves. A film of a few such scenes beside it shows
that memory does not grow with their number.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from .place import HERE, NOUNS, Options, Place, environment, mikebot, workspace
from .table import Figure

SECONDS = 30  # Of one scene.
EVERY = 0.25  # Seconds between two samples.
FEW = 6  # Scenes of the short film.
LIMIT = 450.0


def figures(options: Options) -> Iterator[Figure]:
    """The largest PSS of a long film, and of a short one."""
    scenes = options.minutes * 60 // SECONDS
    few = peak(workspace(options.room / "memory-few", "few", board(FEW)))
    many = peak(workspace(options.room / "memory-many", "many", board(scenes)))
    what = f"memory, {options.minutes} min at 720p ({scenes} scenes)"
    yield Figure(what, many, "MB", LIMIT, peer=f"the same, {FEW} scenes", peer_value=few)


def board(scenes: int) -> str:
    """A storyboard of scenes of 30 s, each spoken in many sentences."""
    lines = ["title: Long", "scenes:"]
    for number in range(scenes):
        noun = NOUNS[number % len(NOUNS)]
        spoken = " ".join(f"This is sentence {part} of scene {number}, about a {noun}." for part in range(1, 7))
        lines += [
            f"  - id: scene-{number:04}",
            "    on_screen: false",
            f"    duration: {SECONDS}",
            f"    narration: {spoken}",
            f"    image_prompt: a {noun} in the evening light, the {number}th of many",
            f"    video_prompt: {'slow pan right' if number % 10 == 0 else 'the camera holds still'}",
        ]
    return "\n".join(lines) + "\n"


def peak(place: Place) -> float:
    """Render, and take the largest sum of PSS over all processes, in MB."""
    command = mikebot("render", place.board)
    most = 0
    with subprocess.Popen(command, cwd=HERE, env=environment(place.root.parent), stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            most = max(most, sum(map(pss, tree(process.pid))))
            time.sleep(EVERY)
    if process.returncode:
        raise SystemExit(f"render ended with {process.returncode}")
    return most / 1024


def tree(root: int) -> list[int]:
    """A process and all below it."""
    found = [root]
    for pid in found:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:  # The thread has ended.
                continue
    return found


def pss(pid: int) -> int:
    """The PSS of a process in kB; 0 once it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
