"""video_prompt as a list: one text for each clip of a scene, the last for the rest; a text alone stays what it was."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from picture_kit import dots, save

from engine.backends import recipe
from engine.backends.camera import path_for
from engine.backends.drawn import Drawn
from engine.digests import Digests
from engine.errors import AuthorError
from engine.graph import Ref
from engine.load import load
from engine.plan import Planner
from engine.profile import load_profile
from engine.storyboard import Choice, Profile

BOARD = """\
title: T
scenes:
  - id: one
    on_screen: false
    duration: 12
    image_prompt: a pond
    video_prompt: {said}
"""


def planned(root: Path, said: str, **limits: Any) -> dict[str, Any]:
    """The steps of a board of one scene of twelve seconds, in clips of five."""
    (root / "projects/p").mkdir(parents=True, exist_ok=True)
    (root / "personas").mkdir(exist_ok=True)
    file = root / "projects/p/storyboard.yaml"
    file.write_text(BOARD.format(said=said))
    profile = load_profile("draft", root)
    clip = profile.kinds["clip"]
    more = Choice(clip.backend, clip.version, clip.params, {**clip.limits, **limits})
    changed = Profile("draft", {**profile.kinds, "clip": more}, profile.given, profile.show)
    planner = Planner(load(file, root, Digests()).board, changed)
    return {step.name: step for step in planner.begin()}


def prompts(steps: dict[str, Any]) -> list[str]:
    return [steps[name].params["prompt"] for name in ("one/clip", "one/clip/2", "one/clip/3")]


def test_each_clip_has_its_text_and_the_last_serves_the_rest(tmp_path: Path) -> None:
    assert prompts(planned(tmp_path, "push in")) == ["push in"] * 3
    assert prompts(planned(tmp_path, "[push in]")) == ["push in"] * 3
    assert prompts(planned(tmp_path, "[push in, pan left]")) == ["push in", "pan left", "pan left"]
    assert prompts(planned(tmp_path, "[push in, pan left, hold, pull back]")) == ["push in", "pan left", "hold"]


def test_a_list_of_one_is_a_text(tmp_path: Path) -> None:
    assert planned(tmp_path, "push in") == planned(tmp_path, "[push in]")


def test_another_second_text_leaves_the_first_clip_alone(tmp_path: Path) -> None:
    one, other = planned(tmp_path, "[push in, pan left]"), planned(tmp_path, "[push in, pan right]")
    assert one["one/still"] == other["one/still"]
    assert one["one/clip"] == other["one/clip"]
    assert one["one/clip/2"] != other["one/clip/2"]


def test_clips_read_the_still_where_the_profile_says_so(tmp_path: Path) -> None:
    steps, anchored = planned(tmp_path, "push in"), planned(tmp_path, "push in", anchor=True)
    still = Ref("one/still", "image")
    assert steps["one/clip/2"].inputs == {"first": Ref("one/clip", "last")}
    assert anchored["one/clip"].inputs == {"first": still, "still": still}
    assert anchored["one/clip/2"].inputs == {"first": Ref("one/clip", "last"), "still": still}


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("[]", "7:19: video_prompt is an empty list"),
        ("[push in, 3]", "7:29: item 2 of video_prompt must be text, not the number 3"),
        ("[push in, ' ']", "7:29: item 2 of video_prompt is empty"),
        ("3", "7:19: video_prompt must be text or a list, not the number 3"),
    ],
)
def test_what_is_no_text_is_told_at_its_place(tmp_path: Path, said: str, message: str) -> None:
    with pytest.raises(AuthorError) as told:
        planned(tmp_path, said)
    (mistake,) = told.value.mistakes
    assert f"{mistake.line}:{mistake.column}: {mistake.message}" == message


def test_the_draft_goes_from_one_movement_into_the_next_without_a_jump(tmp_path: Path) -> None:
    still = save(tmp_path / "still", dots(96, 54))
    chain = []
    for number, prompt in enumerate(("fast push in", "fast pan left", "fast pan left", "pull back"), 1):
        facts = {"frames": 50, "number": number, "width": 64, "height": 36}
        recipe.write(tmp_path / "clip", recipe.camera(path_for(prompt, 0), fps="25", **facts))
        chain.append(recipe.read(tmp_path / "clip"))
    drawn = Drawn(chain, still, (64, 36), Fraction(25))
    views = [drawn._view(frame) for frame in range(200)]
    steps = [max(abs(a - b) for a, b in zip(one, two, strict=True)) for one, two in pairwise(views)]
    assert max(steps) < 0.02
    assert views[20] == path_for("fast push in", 0).at(20 / 25)
    assert views[120] == path_for("fast pan left", 0).at((120 - 50) / 25)
    for view in views:
        assert 0.5 / view.zoom <= view.x <= 1 - 0.5 / view.zoom
        assert 0.5 / view.zoom <= view.y <= 1 - 0.5 / view.zoom
