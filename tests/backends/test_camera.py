"""What the camera promises: it follows the prompt's words, smoothly, inside the still, however long the scene."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from picture_kit import clips, dots, save

from engine.backends import recipe
from engine.backends.camera import Camera, movements, path_for

WORDS = {
    "he leans in and taps the door, slow push in": {"push", "slow"},
    "slow pan right over a postal sorting office": {"right", "slow"},
    "pan from left to right": {"right"},
    "pull back to reveal the city": {"pull"},
    "zoom out slowly": {"pull", "slow"},
    "tilts down and pushes in": {"down", "push"},
    "slow orbit around him": {"orbit", "slow"},
    "handheld, quick": {"handheld", "fast"},
    "the frame holds still": {"hold"},
    "static, then slow pan left": {"left", "slow"},
    "he holds a door": set(),
    "he is still thinking": set(),
    "clouds coming in": set(),
    "Er öffnet die Tür": set(),
}
PROMPTS = [*WORDS, "pan left and tilt up, handheld", "fast push in, pan right", "orbit, tilt down", "gentle push in"]


@pytest.mark.parametrize(("prompt", "asked"), WORDS.items())
def test_words_of_a_prompt_name_movements(prompt: str, asked: set[str]) -> None:
    assert movements(prompt) == asked


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("chooser", range(8))
def test_the_camera_never_leaves_the_still(prompt: str, chooser: int) -> None:
    path = path_for(prompt, chooser)
    for step in range(600 * 5):
        view = path.at(step / 5)
        room = 0.5 / view.zoom
        assert room - 1e-9 <= view.x <= 1 - room + 1e-9
        assert room - 1e-9 <= view.y <= 1 - room + 1e-9


@pytest.mark.parametrize("prompt", PROMPTS)
def test_speed_starts_at_zero_and_never_jumps(prompt: str) -> None:
    path, step = path_for(prompt, 3), 1 / 25
    at = [path.at(n * step) for n in range(600 * 25)]
    speeds = [tuple((b - a) * 1280 for a, b in zip(v, w, strict=True)) for v, w in pairwise(at)]
    assert max(map(abs, speeds[0])) < 0.7
    jumps = [abs(b - a) for v, w in pairwise(speeds) for a, b in zip(v, w, strict=True)]
    assert max(jumps) < 0.75  # Pixels a frame, from one frame to the next.


def test_movements_go_the_way_they_are_called() -> None:
    start, end = path_for("push in", 0).at(0), path_for("push in", 0).at(10)
    assert end.zoom > start.zoom * 1.1
    assert path_for("pull back", 0).at(10).zoom < path_for("pull back", 0).at(0).zoom
    assert path_for("pan left", 0).at(10).x < path_for("pan left", 0).at(0).x
    assert path_for("pan right", 0).at(10).x > path_for("pan right", 0).at(0).x
    assert path_for("tilt up", 0).at(10).y < path_for("tilt up", 0).at(0).y
    assert path_for("hold", 0).at(10) == path_for("hold", 0).at(0)
    assert path_for("fast push in", 0).at(3).zoom > path_for("slow push in", 0).at(3).zoom


def test_all_clips_of_a_chain_share_one_path_and_the_still(tmp_path: Path) -> None:
    still = save(tmp_path / "still", dots(96, 54))
    made = [json.loads(path.read_text("utf-8")) for path in clips(tmp_path, still, "he thinks", (64, 36), count=3)]
    assert [clip["number"] for clip in made] == [1, 2, 3]
    assert made[0]["path"] == made[1]["path"] == made[2]["path"]
    assert (tmp_path / "clip3" / "last").read_bytes() == still.read_bytes()


def test_a_recipe_reads_back_as_it_was_written(tmp_path: Path) -> None:
    path = path_for("slow orbit, handheld, push in", 5)
    recipe.write(tmp_path / "video", recipe.camera(path, number=1))
    found = recipe.read(tmp_path / "video")
    assert found is not None
    assert recipe.path_of(found) == path


def test_knobs_out_of_range_are_named() -> None:
    params = Camera.Params(prompt="", number=1, frames=1, fps="25", width=64, height=36, seed=0, push=0.5, room=9)
    assert Camera().check(params) == [
        "clip.camera: push is 0.5; it takes 1 to 3",
        "clip.camera: room is 9; it takes 1 to 3",
    ]
