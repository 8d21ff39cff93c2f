"""Joining: a film of 100 scenes, joined, and again with one of them changed; ffmpeg's stream copy beside it.

    python benchmarks/join.py [SCENES]

Prints one JSON line a figure. Scenes and sounds are made first, and are not counted.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "backends"))

from film_kit import join, make_film, make_sound, voice, write_scene

from engine.backends.film import Mp4
from engine.kinds import Inputs

SECONDS = 4
FRAMES = 25 * SECONDS - 4  # A whole number of AAC packets.
SIZE, GRAIN = (1280, 720), 6  # About a megabyte a scene.
ALIKE = 8  # Scenes of different bytes; a longer film repeats them.


def film(folder: Path, scenes: int) -> tuple[Mp4.Params, Inputs]:
    """A film of many scenes from a few, each spoken."""
    few = min(ALIKE, scenes)
    words = [[k * 12000 + 12000, k * 12000 + 23000, f"word{k}, " if k % 5 == 4 else f"word{k} "] for k in range(14)]
    sounds = [voice(FRAMES * 1920, seed) for seed in range(few)]
    params, first = make_film(
        folder, [FRAMES] * few, sounds, words=dict.fromkeys(range(few), words), size=SIZE, grain=GRAIN
    )
    inputs = Inputs(
        (f"{name}.{number + 1:04}", first[f"{name}.{number % few + 1:04}"])
        for name in ("scene", "packets", "levels", "timing")
        for number in range(scenes)
    )
    chapters = tuple(f"Scene {number + 1}" for number in range(scenes))
    said = {**vars(params), "frames": (FRAMES,) * scenes, "chapters": chapters, "spoken": tuple(range(scenes))}
    return Mp4.Params(**said), inputs


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ffmpeg(folder: Path, inputs: Inputs) -> float | None:
    """Seconds of ffmpeg's concat demuxer with stream copy, of the picture alone."""
    program = shutil.which("ffmpeg")
    if program is None:
        return None
    listed = folder / "list.txt"
    listed.write_text("".join(f"file '{path}'\n" for path in inputs.many("scene")))
    out = str(folder / "copied.mp4")
    call = [
        program,
        "-y",
        "-v",
        "error",
        "-nostdin",
        "-f",
        "concat",
        "-safe",
        "0",
        "-i",
        str(listed),
        "-c",
        "copy",
        out,
    ]
    return timed(lambda: subprocess.run(call, check=True))


def main(scenes: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        params, inputs = film(folder / "in", scenes)
        changed = Inputs(inputs)
        figures: dict[str, float | None] = {
            "join, with the imports": timed(lambda: join(folder / "out", params, inputs))
        }
        changed["scene.0001"] = write_scene(folder / "other.mp4", FRAMES, shade=70, size=SIZE, grain=GRAIN)
        sound = make_sound(folder / "other", voice(FRAMES * 1920, 99), FRAMES * 1920)
        changed |= {"packets.0001": sound / "packets", "levels.0001": sound / "levels"}
        figures["join again, one scene changed"] = timed(lambda: join(folder / "out", params, changed))
        figures["ffmpeg, picture alone"] = ffmpeg(folder, inputs)
    for what, seconds in figures.items():
        print(json.dumps({"what": what, "scenes": scenes, "seconds": seconds and round(seconds, 3)}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
