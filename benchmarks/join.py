"""Joining: a film of 100 scenes, joined, and again with one of them changed; ffmpeg's stream copy beside it.

Scenes and sounds are made first, and are not counted.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from engine.backends.film import Mp4
from engine.kinds import Inputs

from .place import HERE, Options
from .table import Figure

sys.path.insert(0, str(HERE / "tests" / "backends"))

SCENES = 100
SECONDS = 4
FRAMES = 25 * SECONDS - 4  # A whole number of AAC packets.
ALIKE = 8  # Scenes of different bytes; a longer film repeats them.


def figures(options: Options) -> Iterator[Figure]:
    """Seconds to join, and to join again once the scene that changed has been encoded."""
    from film_kit import join, make_sound, voice, write_scene

    folder = options.room / "join"
    params, inputs = film(folder / "in")
    first = timed(lambda: join(folder / "out", params, inputs))
    peer = ffmpeg(folder, inputs)
    yield Figure(f"join {SCENES} scenes", first, "s", 4, peer="ffmpeg -c copy, picture alone", peer_value=peer)

    def again() -> None:
        """What runs again: the sound of one scene, and the film."""
        sound = make_sound(folder / "other", voice(FRAMES * 1920, 99), FRAMES * 1920)
        changed = Inputs(inputs) | {"packets.0001": sound / "packets", "levels.0001": sound / "levels"}
        join(folder / "out", params, Inputs(changed | {"scene.0001": folder / "other.mp4"}))

    write_scene(folder / "other.mp4", FRAMES, shade=90)
    yield Figure("join again, one scene changed, its sound made", timed(again), "s", 0.5)


def film(folder: Path) -> tuple[Mp4.Params, Inputs]:
    """A film of many scenes from a few, each spoken."""
    from film_kit import make_film, voice

    words = [[k * 12000 + 12000, k * 12000 + 23000, f"word{k}, " if k % 5 == 4 else f"word{k} "] for k in range(14)]
    sounds = [voice(FRAMES * 1920, seed) for seed in range(ALIKE)]
    params, first = make_film(folder, [FRAMES] * ALIKE, sounds, words=dict.fromkeys(range(ALIKE), words))
    inputs = Inputs(
        (f"{name}.{number + 1:04}", first[f"{name}.{number % ALIKE + 1:04}"])
        for name in ("scene", "packets", "levels", "timing")
        for number in range(SCENES)
    )
    chapters = tuple(f"Scene {number + 1}" for number in range(SCENES))
    said = {**vars(params), "frames": (FRAMES,) * SCENES, "chapters": chapters, "spoken": tuple(range(SCENES))}
    return Mp4.Params(**said), inputs


def timed(work: Callable[[], object]) -> float:
    """Seconds that work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ffmpeg(folder: Path, inputs: Inputs) -> float | None:
    """Seconds of ffmpeg's concat demuxer with stream copy, of the picture alone; None where there is no ffmpeg."""
    program = shutil.which("ffmpeg")
    if program is None:
        return None
    listed = folder / "list.txt"
    listed.write_text("".join(f"file '{path}'\n" for path in inputs.many("scene")))
    call = [program, "-y", "-v", "error", "-nostdin", "-f", "concat", "-safe", "0", "-i", str(listed), "-c", "copy"]
    return timed(lambda: subprocess.run([*call, str(folder / "copied.mp4")], check=True))
