"""One scene edited: from the start of the process to the first step that starts, and to the film."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections.abc import Iterator

from .place import HERE, Options, Place, environment, mikebot, rendered, small_scenes
from .table import Figure

TRIES = 5


def figures(options: Options) -> Iterator[Figure]:
    """Seconds to the first `started` event, and to the end."""
    place = rendered(options.room, options.scenes)
    tries = [edited(place, options.scenes, number) for number in range(TRIES)][1:]
    what = f"one scene of {options.scenes:,} edited"
    yield Figure(f"{what}: to the first step", statistics.median(first for first, _ in tries), "s", 0.3)
    yield Figure(f"{what}: to the film", statistics.median(last for _, last in tries), "s")
    place.board.write_text(small_scenes(options.scenes), "utf-8")


def edited(place: Place, scenes: int, number: int) -> tuple[float, float]:
    """Change the narration of one scene and render."""
    text = small_scenes(scenes, scenes // 2 + number, "has changed")
    place.board.write_text(text, "utf-8")
    command = mikebot("render", place.board, "--json")
    first = 0.0
    start = time.perf_counter()
    with subprocess.Popen(
        command, cwd=HERE, env=environment(place.root.parent), stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if not first and json.loads(line).get("state") == "started":
                first = time.perf_counter() - start
    if process.returncode or not first:
        raise SystemExit(f"render ended with {process.returncode}, first step after {first} s")
    return first, time.perf_counter() - start
