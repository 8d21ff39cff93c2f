"""What a scene promises: exact frames, the same bytes, joinable pieces, smooth movement, real video as it is."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from picture_kit import MOUTH, Quiet, clips, decoded, dots, face, save, scene

from engine.backends import recipe
from engine.backends.drawn import Drawn
from engine.backends.mouth import mouth_box
from engine.backends.picture import planes_of
from engine.errors import BackendError, Cancelled

SMALL = (64, 36)


@pytest.mark.parametrize("fps", ["25", "30000/1001", "12"])
def test_a_scene_has_its_frames_starts_with_a_key_frame_and_is_tagged(tmp_path: Path, fps: str) -> None:
    still = save(tmp_path / "still", dots(96, 54))
    video = scene(tmp_path / "s", clips(tmp_path, still, "push in", SMALL), 130, SMALL, still=still, fps=fps)
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        codec = stream.codec_context
        assert [codec.colorspace, codec.color_primaries, codec.color_trc, codec.color_range] == [1, 1, 1, 1]
        assert stream.average_rate == Fraction(fps)
        packets = [packet for packet in container.demux(stream) if packet.size]
    assert len(packets) == 130
    assert packets[0].is_keyframe
    keys = [packet.pts * packet.time_base for packet in packets if packet.is_keyframe]
    assert max(b - a for a, b in pairwise(keys)) <= 2
    assert len(decoded(video)) == 130


def test_scenes_of_one_film_share_their_parameter_sets(tmp_path: Path) -> None:
    sets = set()
    for number, prompt in enumerate(("push in", "hold", "pan left")):
        still = save(tmp_path / f"still{number}", dots(96, 54))
        found = clips(tmp_path / str(number), still, prompt, SMALL)
        with av.open(str(scene(tmp_path / f"s{number}", found, 20 + number, SMALL, still=still))) as container:
            sets.add(bytes(container.streams.video[0].codec_context.extradata))
    assert len(sets) == 1


def test_the_same_inputs_give_the_same_bytes_also_in_another_process(tmp_path: Path) -> None:
    still = save(tmp_path / "still", dots(96, 54))
    found = clips(tmp_path, still, "pan left, push in", SMALL)
    mine = scene(tmp_path / "a", found, 60, SMALL, still=still).read_bytes()
    assert scene(tmp_path / "b", found, 60, SMALL, still=still).read_bytes() == mine
    (tmp_path / "c").mkdir()
    code = (
        "import sys; from pathlib import Path; from picture_kit import scene; root = Path(sys.argv[1]);"
        "scene(root / 'd', [root / 'clip1' / 'video'], 60, (64, 36), still=root / 'still')"
    )
    here = Path(__file__).parent
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, cwd=here.parent.parent, env=_path(here))
    assert (tmp_path / "d" / "video").read_bytes() == mine


def _path(folder: Path) -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(folder.parent.parent)])}


def test_a_longer_scene_shows_the_same_at_first(tmp_path: Path) -> None:
    still = save(tmp_path / "still", dots(96, 54))
    found = clips(tmp_path, still, "pan left", SMALL, count=3, frames=20)
    short = decoded(scene(tmp_path / "a", found[:2], 40, SMALL, still=still, crf=1), "yuv420p")
    long = decoded(scene(tmp_path / "b", found, 60, SMALL, still=still, crf=1), "yuv420p")
    assert (
        max(np.abs(a.astype(int) - b).max() for a, b in zip(short, long, strict=False)) <= 6
    )  # What the encoder may differ by.


@pytest.mark.parametrize("prompt", ["push in", "slow pan right", "", "handheld"])
def test_movement_is_smooth_to_a_tenth_of_a_pixel(tmp_path: Path, prompt: str) -> None:
    """As drawn, between any two frames; as encoded, on the average, and no frame by much more."""
    size = (1280, 720)
    still = save(tmp_path / "still", dots(1920, 1080))
    found = clips(tmp_path, still, prompt, size)
    said = [clip for clip in map(recipe.read, found) if clip is not None]
    path, source = recipe.path_of(said[0]), Drawn(said, still, size, Fraction(25))
    out = planes_of(np.zeros((720, 1280, 3), np.uint8))
    drawn = []
    for number in range(60):
        source.draw(number, out)
        drawn.append(_stray(out.y, path.at(number / 25)))
    encoded = decoded(scene(tmp_path / "s", found, 60, size, still=still), "gray")
    shown = [_stray(frame, path.at(number / 25)) for number, frame in enumerate(encoded)]
    assert np.abs(np.diff(drawn, axis=0)).max() < 0.1
    assert np.sqrt((np.diff(shown, axis=0) ** 2).mean()) < 0.05
    assert np.abs(np.diff(shown, axis=0)).max() < 0.17
    assert np.abs(drawn).max() < 0.6


def _stray(frame: Any, view: recipe.View) -> tuple[float, float]:
    """How far the middle dot lies from where the path puts it, in pixels; the half pixel of its drawing aside."""
    height, width = frame.shape
    x, y = ((0.5 + (0.5 - at) * view.zoom) * side for at, side in ((view.x, width), (view.y, height)))
    left, top = int(x) - 16, int(y) - 16
    part = np.clip(frame[top : top + 33, left : left + 33].astype(float) - 110, 0, None)
    ys, xs = np.mgrid[:33, :33]
    return left + 0.5 + (part * xs).sum() / part.sum() - x, top + 0.5 + (part * ys).sum() / part.sum() - y


def test_a_mouth_changes_its_own_place_and_nothing_else(tmp_path: Path) -> None:
    picture, box = face(480, 270)
    still = save(tmp_path / "still", picture, box)
    found = clips(tmp_path, still, "hold", (320, 180))
    place = mouth_box(still, {"mouth": MOUTH})
    talk = {
        "recipe": "talk",
        "clips": [recipe.read(found[0])],
        "mouth": {"box": place, "shapes": [[0, 2], [8, 2], [0, 4]]},
    }
    recipe.write(tmp_path / "talk", talk)
    rest, wide, again, after = decoded(
        scene(tmp_path / "s", [tmp_path / "talk"], 4, (320, 180), still=still, crf=5), "gray"
    )
    moved = np.argwhere(np.abs(rest.astype(int) - wide) > 40)
    assert len(moved) > 50
    assert place is not None
    middle = moved.mean(axis=0)
    assert abs(middle[1] - place[0] * 320) < 3
    assert abs(middle[0] - place[1] * 180) < 12
    for frame in (again, after):
        assert np.abs(frame.astype(int) - rest).max() < 12


class Stop(Quiet):
    def progress(self, done: int, total: int) -> None:
        super().progress(done, total)
        if done >= 8:
            raise Cancelled


def test_a_cancel_ends_the_scene_at_once(tmp_path: Path) -> None:
    still, tell = save(tmp_path / "still", dots(96, 54)), Stop()
    with pytest.raises(Cancelled):
        scene(tmp_path / "s", clips(tmp_path, still, "push in", SMALL), 5000, SMALL, still=still, tell=tell)
    assert tell.heard == [(0, 5000), (8, 5000)]


def test_what_cannot_be_drawn_is_said(tmp_path: Path) -> None:
    still = save(tmp_path / "still", dots(96, 54))
    found = clips(tmp_path, still, "push in", SMALL)
    with pytest.raises(BackendError) as failure:
        scene(tmp_path / "a", found, 5, SMALL)
    said = "a camera recipe needs the still it moves over\n  Set `recipe: true` in the clip's limits."
    assert str(failure.value) == said
    (tmp_path / "bad").write_text('{"recipe":"dance"}', "utf-8")
    with pytest.raises(BackendError, match="it calls itself 'dance'; camera and talk are known"):
        scene(tmp_path / "b", [tmp_path / "bad"], 5, SMALL, still=still)
    (tmp_path / "noise").write_bytes(hashlib.sha256(b"").digest() * 40)
    with pytest.raises(BackendError, match="a clip's video cannot be decoded"):
        scene(tmp_path / "c", [tmp_path / "noise"], 5, SMALL)
