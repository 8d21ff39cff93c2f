"""A film whose lips follow the voice, by `mikebot render`: killed in a window of the mouth model, begun again, kept.

Clips are drawn at 16 frames a second; all else is what a film goes through: speech, clip, talk, scene, sound, film.
"""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from command_kit import ROOT, Said, environment, lines, mikebot, stranger, workspace
from lips_kit import models
from tiny_lips import KNOBS

SWAY = '''
"""clip.sway: a head that sways; half of the time it is not there, if the prompt says so."""

from pathlib import Path

from PIL import Image

import tiny_lips
from engine.backends import Light
from engine.kinds import Clip


class Sway(Light):
    kind, name, version, Params = "clip", "sway", "1", Clip

    def run(self, params, inputs, out, tell):
        tell.progress(0, 1)
        pictures = tiny_lips.moving(params.frames, (params.width, params.height))
        if params.prompt == "he hides":
            half = params.frames // 2
            pictures[half:] = [tiny_lips.robot()] * (params.frames - half)
        tiny_lips.clip(out / "video", pictures, params.fps)
        Image.fromarray(pictures[-1]).save(out / "last", "PNG")
        tell.progress(1, 1)
'''
BOARD = """\
title: Two heads
persona: mikebot
format: {width: 128, height: 96, fps: 25}
scenes:
  - {id: stays, on_screen: true, narration: Here I am., image_prompt: a head, video_prompt: he sways}
  - {id: hides, on_screen: true, narration: And now?, image_prompt: a head, video_prompt: he hides}
"""
CLIP = {"backend": "sway", "limits": {"frames": 32, "fps": 16, "pace": 1, "bytes": 10000}}
PROFILES: Mapping[str, Mapping[str, Any]] = {
    "lips": {
        "extends": "draft",
        "kinds": {"clip": CLIP, "talk": {"backend": "latentsync", "params": KNOBS, "limits": {"pace": 1, "bytes": 9}}},
    },
    "still": {"extends": "draft", "kinds": {"clip": CLIP, "talk": {"backend": "chain"}}},
}


class Space:
    """A workspace with both profiles."""

    def __init__(self, root: Path) -> None:
        self.root = workspace(root / "space", BOARD)
        (self.root / "profiles").mkdir()
        for name, said in PROFILES.items():
            (self.root / f"profiles/{name}.yaml").write_text(json.dumps({"name": name, **said}))
        package = stranger(root / "packages", "clip.sway = swaying:Sway", "swaying", SWAY)
        models()  # Named in what the processes below are told.
        self.env = environment(package, ROOT / "tests")
        self.film = self.root / "projects/doors/build/doors.mp4"

    def render(self, profile: str, *more: str) -> Said:
        return mikebot(self.root, "render", "projects/doors", "--profile", profile, "--json", *more, env=self.env)

    def killed(self, profile: str, point: str, number: int) -> set[str]:
        """What was built before the whole render was killed."""
        program = [sys.executable, str(ROOT / "tests/killer.py"), point, str(number), str(self.root / "mark")]
        command = [*program, "render", str(self.root / "projects/doors"), "--profile", profile, "--json"]
        done = subprocess.run(command, env=self.env, capture_output=True, start_new_session=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr
        whole = [line for line in done.stdout.decode().splitlines(keepends=True) if line.endswith("\n")]
        return {said["step"] for said in map(json.loads, whole) if said.get("state") == "built"}


def ends(said: Said) -> dict[str, str]:
    told = lines(said.out)
    return {line["step"]: line["state"] for line in told if line.get("state") in {"hit", "built", "failed"}}


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Space:
    return Space(tmp_path_factory.mktemp("lips"))


@pytest.fixture(scope="module")
def resumed(space: Space) -> tuple[set[str], Said]:
    """What was built before a kill in the third window, and the render after it."""
    return space.killed("lips", "mouths", 3), space.render("lips")


def test_a_render_that_is_killed_in_a_window_goes_on_from_the_steps_that_were_done(
    space: Space, resumed: tuple[set[str], Said]
) -> None:
    built, said = resumed
    assert (space.root / "mark").read_text() == "mouths"
    assert said.code == 0, said.err
    ended = ends(said)
    assert {"stays/clip", "hides/clip"} <= built
    assert {ended[step] for step in built} == {"hit"}
    assert {ended[step] for step in ended.keys() - built} <= {"built", "hit"}
    assert "built" in {ended["stays/talk"], ended["hides/talk"]}
    assert ended["film"] == "built"


def test_the_film_comes_with_what_lips_do_not_follow(space: Space, resumed: tuple[set[str], Said]) -> None:
    """For people, for programs, and again where nothing was made."""
    for said in (resumed[1], space.render("lips")):
        (remark,) = lines(said.out)[-1]["remarks"]
        assert remark.startswith("hides/talk: lips follow the voice in 100% of the frames that show a face; not in 1.0")
        assert remark.endswith(" s (no face)")
        assert said.err == f"{remark}\n"
    assert set(ends(said).values()) == {"hit"}


def packets(film: Path, kind: str) -> list[bytes]:
    with av.open(str(film)) as container:
        return [bytes(packet) for packet in container.demux(**{kind: 0}) if packet.size]


def shown(film: Path) -> Any:
    with av.open(str(film)) as container:
        return np.array([frame.to_ndarray(format="gray") for frame in container.decode(video=0)]).astype(int)


@pytest.mark.usefixtures("resumed")
def test_a_film_with_other_mouths_has_the_same_sound_and_the_same_frames(space: Space) -> None:
    lips, sound = shown(space.film), packets(space.film, "audio")
    digest = hashlib.sha256(space.film.read_bytes()).hexdigest()
    said = space.render("still")
    assert said.code == 0, said.err
    assert packets(space.film, "audio") == sound
    without = shown(space.film)
    assert len(without) == len(lips)
    off = np.abs(lips - without)
    mouth, brow = off[:, 55:80, 45:83].mean(axis=(1, 2)), off[:, 5:30, 45:83].mean(axis=(1, 2))
    assert mouth[:20].min() > 5 * max(brow[:20].max(), 0.2)
    assert ends(space.render("lips"))["film"] == "hit"
    assert hashlib.sha256(space.film.read_bytes()).hexdigest() == digest
