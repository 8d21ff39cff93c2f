"""What a scene promises of memory: little at 720p, and no more for a longer scene."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from picture_kit import MOUTH, clips, face, save

from engine.backends import recipe
from engine.backends.mouth import mouth_box

RENDER = """
import re, sys
from pathlib import Path
from engine.backends.scene import X264
from engine.kinds import Inputs

class Quiet:
    def progress(self, done, total):
        pass

root, (width, height, frames) = Path(sys.argv[1]), map(int, sys.argv[2:])
inputs = Inputs({"clip.0001": root / "talk", "still": root / "still"})
X264().run(X264.Params(frames=frames, width=width, height=height, fps="25"), inputs, root, Quiet())
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's peak this way")
@pytest.mark.parametrize(("size", "frames"), [((1280, 720), (60, 150)), ((320, 180), (100, 1500))])
def test_memory_is_small_and_does_not_grow_with_the_scene(
    tmp_path: Path, size: tuple[int, int], frames: tuple[int, int]
) -> None:
    picture, box = face(size[0] * 3 // 2, size[1] * 3 // 2)
    still = save(tmp_path / "still", picture, box)
    camera = recipe.read(clips(tmp_path, still, "push in", size)[0])
    shapes = [[number % 9, number // 9 % 5] for number in range(1500)]  # All there are within 45 frames.
    mouth = {"box": mouth_box(still, {"mouth": MOUTH}), "shapes": shapes}
    recipe.write(tmp_path / "talk", {"recipe": "talk", "clips": [camera], "mouth": mouth})
    few, many = (peak(tmp_path, *size, count) for count in frames)
    assert many < few + 6
    assert many < 170


def peak(folder: Path, width: int, height: int, frames: int) -> float:
    """The most megabytes that a process held which imports what it needs, draws a scene and encodes it."""
    command = [sys.executable, "-c", RENDER, str(folder), str(width), str(height), str(frames)]
    root = str(Path(__file__).parents[2])
    ended = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=folder, env={**os.environ, "PYTHONPATH": root}
    )
    return int(ended.stdout) / 1024
