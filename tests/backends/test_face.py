"""What a face promises beside its mouth: blinks at their time and place, a head that moves little and smoothly."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import yaml
from picture_kit import MOUTH, Quiet, clips, face, save
from PIL import Image, ImageDraw, ImageFilter
from test_mouth import narrated

from engine.backends import blinks, head, living, mouthing, recipe
from engine.backends.card import Card
from engine.backends.drawn import Drawn
from engine.backends.lids import Lids
from engine.backends.mouth import Mouth, portrait_place
from engine.backends.picture import planes_of
from engine.errors import BackendError
from engine.frame import Box
from engine.kinds import Inputs

FPS = Fraction(25)
SIZE = (640, 360)
EYES = [{"x": x, "y": 0.37, "width": 0.14, "height": 0.14} for x in (0.3, 0.7)]
MIKEBOT = Path(__file__).parents[2] / "personas" / "mikebot"


@pytest.fixture(name="said", scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A recipe as the talk writes it, its still, and how many frames it has."""
    out = tmp_path_factory.mktemp("face")
    timing = narrated(out, "en", 165)
    picture, box = face(960, 540)
    still, frames = save(out / "still", picture, box), -(-timing["samples"] * 25 // 48000)
    inputs = Inputs({"still": still, "audio": out / "audio", "timing": out / "timing"})
    inputs["clip.0001"] = clips(out, still, "hold", SIZE)[0]
    params = Mouth.Params(frames=frames, fps="25", width=640, height=360, persona={"mouth": MOUTH, "eyes": EYES})
    Mouth().run(params, inputs, out, Quiet())
    return recipe.read(out / "video"), still, frames, params, inputs


def frames_of(drawn: Drawn, numbers: Any) -> list[Any]:
    out, found = planes_of(np.zeros((SIZE[1], SIZE[0], 3), np.uint8)), []
    for number in numbers:
        drawn.draw(number, out)
        found.append(out.y.astype(int))
    return found


@pytest.mark.parametrize("seed", range(60))
def test_blinks_come_every_two_to_six_seconds(seed: int) -> None:
    chance = Random(seed)
    pauses = sorted(chance.uniform(0, 60) for _ in range(seed % 20))
    starts = blinks.plan(chance, 60.0, pauses)
    assert blinks.FIRST <= starts[0] <= 4.6
    gaps = np.diff(starts)
    assert gaps.min() >= 2 - 0.011
    assert gaps.max() <= 6 + 0.011
    assert starts[-1] >= 60


@pytest.mark.parametrize("fps", [Fraction(12), FPS, Fraction(30000, 1001), Fraction(60)])
def test_a_blink_shuts_and_takes_a_fifth_of_a_second(fps: Fraction) -> None:
    lids = [blinks.lid([1.0], frame, fps) for frame in range(round(2 * fps))]
    moved = [frame for frame, lid in enumerate(lids) if lid]
    assert round(fps) <= moved[0] <= moved[-1] <= 1.2 * fps
    assert max(lids) >= blinks.LIDS - 1
    assert lids[max(moved) + 1 :] == [0] * (len(lids) - max(moved) - 1)


def test_a_narration_has_its_own_face_and_the_same_each_time(said: Any, tmp_path: Path) -> None:
    told, _, frames, params, inputs = said
    Mouth().run(params, inputs, tmp_path, Quiet())
    assert recipe.read(tmp_path / "video") == told
    assert (tmp_path / "video").stat().st_size < 16 * frames + 2000
    other = dict(timing := {"words": [[0, 9, "no"]], "phones": []}, words=[[0, 9, "yes"]])
    rest, placed = [mouthing.REST] * 250, (Box(0, 0, 9, 9), (9, 9))
    persona = {"mouth": MOUTH, "eyes": EYES}
    made = [living.face(persona, placed, content, rest, [0.0] * 250, FPS, 1.0) for content in (timing, other)]
    assert made[0]["blinks"] != made[1]["blinks"]
    assert made[0]["blinks"]  # Also while silent.


def test_without_eyes_nothing_blinks_and_a_still_head_is_still(said: Any, tmp_path: Path) -> None:
    _, _, frames, _, inputs = said
    params = Mouth.Params(frames=frames, fps="25", width=640, height=360, persona={"mouth": MOUTH}, head=0.0)
    Mouth().run(params, inputs, tmp_path, Quiet())
    told = recipe.read(tmp_path / "video")
    assert told is not None
    assert (told["face"]["eyes"], told["face"]["blinks"], told["face"]["head"]) == ([], [], None)


def test_a_head_moves_little_and_smoothly_and_goes_on_past_the_end(said: Any) -> None:
    told, _, frames, *_ = said
    path = head.path_of(told["face"]["head"])
    assert len(path.turns) >= 3  # One for each sentence, and after a comma that is heard.
    assert path.nods
    poses = np.array([path.at(number / 25) for number in range(frames + 50)])
    assert np.hypot(poses[:, 0], poses[:, 1]).max() <= head.FAR
    assert np.abs(poses[:, 2]).max() <= head.ROLL
    assert np.ptp(poses, axis=0).min() > 0.001
    # On a portrait of 600 pixels, in pixels a frame, and what they change by from one frame to the next.
    pixels = poses[:, :2] * 600
    assert np.abs(np.diff(pixels, axis=0)).max() < 0.6
    assert np.abs(np.diff(pixels, 2, axis=0)).max() < 0.12
    assert np.abs(np.diff(poses[:, 2], 2)).max() < 0.02


@pytest.mark.parametrize("seed", range(40))
def test_no_head_leaves_its_bounds(seed: int) -> None:
    chance = Random(seed)
    path = head.path(chance, [number * 1.1 for number in range(20)], [(number * 0.9, 1.0) for number in range(20)], 1.0)
    poses = np.array([path.at(number / 25) for number in range(700)])
    assert np.hypot(poses[:, 0], poses[:, 1]).max() <= head.FAR
    assert np.abs(poses[:, 2]).max() <= head.ROLL


def test_the_head_is_drawn_where_its_path_says_and_the_ground_keeps_still(said: Any) -> None:
    told, still, *_ = said
    calm = {**told, "mouth": {**told["mouth"], "shapes": []}, "face": {**told["face"], "eyes": [], "blinks": []}}
    drawn, path = Drawn([calm], still, SIZE, FPS), head.path_of(told["face"]["head"])
    (x, y, width, height), _ = portrait_place(still) or pytest.fail("no portrait")
    numbers = list(range(0, 60, 2))
    pictures = frames_of(drawn, numbers)
    eye = tuple(
        slice(round(a / 1.5), round(b / 1.5))
        for a, b in ((y + height * 0.25, y + height * 0.5), (x + width * 0.18, x + width * 0.42))
    )
    at = np.array([_middle(120 - picture[eye]) for picture in pictures])
    poses = np.array([path.at(number / 25) for number in numbers])
    moved = poses[:, 0] * height / 1.5, poses[:, 1] * height / 1.5
    chin, roll = told["face"]["chin"] * 360 - (y + height * 0.37) / 1.5, np.radians(poses[:, 2])
    wanted = np.stack([moved[0] + roll * chin, moved[1] - roll * width * 0.2 / 1.5], 1)
    assert np.abs((at - at[0]) - (wanted - wanted[0])).max() < 0.1
    assert np.ptp(at[:, 0]) > 0.4
    ground = np.stack(pictures)[:, :, : round(x / 1.5 - width * 0.12)]
    assert np.ptp(ground, axis=0).max() <= 1


def _middle(weights: Any) -> tuple[float, float]:
    weights = np.clip(weights, 0, None).astype(float)
    rows, columns = np.mgrid[: weights.shape[0], : weights.shape[1]]
    return (weights * columns).sum() / weights.sum(), (weights * rows).sum() / weights.sum()


def test_the_camera_s_pixels_are_the_same_where_the_head_is_at_rest(said: Any) -> None:
    told, still, *_ = said
    rest = {**told, "face": {**told["face"], "head": {"phases": [0] * 6, "turns": [], "nods": [], "size": 0.0}}}
    none = {**told, "face": {**told["face"], "head": None}}
    pair = [frames_of(Drawn([each], still, SIZE, FPS), [30])[0] for each in (rest, none)]
    assert np.abs(pair[0] - pair[1]).max() <= 2


def test_eyes_shut_in_their_boxes_only_and_leave_no_trace() -> None:
    for pixels, box in (mikebot_eye(), photo_eye()):
        planes, before = planes_of(pixels), planes_of(pixels)
        lids = Lids(pixels, planes, box)
        height, width = pixels.shape[:2]
        beyond = np.ones((height, width), bool)
        x, y, w, h = box[0] * width, box[1] * height, box[2] * width, box[3] * height
        left, right = round(x - w * 0.65) - 4, round(x + w * 0.65) + 4
        beyond[round(y - h * 1.1) - 4 : round(y + h * 0.65) + 4, left:right] = False
        changes = []
        for lid in range(1, blinks.LIDS + 1):
            lids.show(lid)
            assert (planes.y[beyond] == before.y[beyond]).all()
            changes.append(int(np.abs(planes.y.astype(int) - before.y).sum()))
        assert changes == sorted(set(changes))
        # What was in the middle of the eye is not seen any more.
        middle = np.s_[round(y - h * 0.12) : round(y), round(x - w * 0.1) : round(x + w * 0.1)]
        assert np.abs(planes.y[middle].astype(int) - before.y[middle]).mean() > 15
        lids.show(0)
        assert all((now == was).all() for now, was in zip(planes, before, strict=True))


def mikebot_eye() -> tuple[np.ndarray, list[float]]:
    said = yaml.safe_load((MIKEBOT / "persona.yaml").read_text("utf-8"))["portrait"]["eyes"][0]
    picture = Image.open(MIKEBOT / "portrait.png").convert("RGB")
    return np.asarray(picture), [said[name] for name in ("x", "y", "width", "height")]


def photo_eye() -> tuple[np.ndarray, list[float]]:
    picture = Image.new("RGB", (300, 300), (210, 165, 140))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((100, 125, 200, 175), fill=(240, 236, 232))
    draw.ellipse((128, 128, 172, 172), fill=(60, 90, 80))
    soft = np.asarray(picture.filter(ImageFilter.GaussianBlur(2))).astype(float)
    soft = soft * np.linspace(1.1, 0.7, 300)[None, :, None] + np.random.default_rng(2).normal(0, 3, soft.shape)
    return np.uint8(np.clip(soft, 0, 255)), [0.5, 0.5, 1 / 3, 1 / 6]


def test_in_a_small_window_mikebot_s_eyes_are_still_taken_for_drawn(tmp_path: Path) -> None:
    said = yaml.safe_load((MIKEBOT / "persona.yaml").read_text("utf-8"))["portrait"]
    params = Card.Params(prompt="", width=320, height=336, seed=1, persona=said, text=False)
    Card().run(params, Inputs(portrait=MIKEBOT / "portrait.png"), tmp_path, Quiet())
    placed = portrait_place(tmp_path / "image")
    assert placed is not None
    pixels = np.asarray(Image.open(tmp_path / "image").convert("RGB"))
    for eye in said["eyes"]:
        planes = planes_of(pixels)
        Lids(pixels, planes, box := living.part(eye, placed)).show(blinks.LIDS)
        left = planes.y[:, round((box[0] - box[2] / 2) * 320) : round((box[0] + box[2] / 2) * 320)]
        upper = left[round((box[1] - box[3] / 2) * 336) : round((box[1] - box[3] / 4) * 336)].astype(int)
        assert np.ptp(upper) < 12  # The bare ground.


@pytest.mark.parametrize("prompt", ["hold", "push in", "pan left"])
def test_the_mouth_s_box_holds_all_that_the_mouth_does(said: Any, tmp_path: Path, prompt: str) -> None:
    told, still, *_ = said
    wide = {
        **told,
        "clips": [recipe.read(clips(tmp_path, still, prompt, SIZE)[0])],
        "face": {**told["face"], "eyes": [], "blinks": []},
    }
    shapes = ([[0], [16, 3, 0]] * 50, [[0]] * 100)
    opened, shut = (Drawn([{**wide, "mouth": {**told["mouth"], "shapes": each}}], still, SIZE, FPS) for each in shapes)
    box = opened.mouth_box(100)
    assert box is not None
    numbers = [1, 31, 61, 99]
    changed = [
        np.argwhere(np.abs(a - b) > 4)
        for a, b in zip(frames_of(opened, numbers), frames_of(shut, numbers), strict=True)
    ]
    top, left = np.min([each.min(axis=0) for each in changed], axis=0)
    bottom, right = np.max([each.max(axis=0) for each in changed], axis=0)
    assert box.x - 2 <= left < right <= box.x + box.width + 2
    assert box.y - 2 <= top < bottom <= box.y + box.height + 2
    assert Drawn([wide["clips"][0]], still, SIZE, FPS).mouth_box(100) is None


def test_past_the_scene_s_end_the_mouth_rests_and_the_head_goes_on(said: Any) -> None:
    told, still, frames, *_ = said
    drawn = Drawn([told], still, SIZE, FPS)
    assert drawn.key(frames + 5) != drawn.key(frames + 6)
    last, beyond = frames_of(drawn, [frames - 1, frames])
    assert np.abs(last - beyond).max() < 40  # No jump over the end.


def test_a_broken_head_is_told(said: Any) -> None:
    told, still, *_ = said
    broken = {**told, "face": {**told["face"], "head": {"phases": [0.1], "turns": [], "nods": [], "size": 1.0}}}
    with pytest.raises(BackendError) as failure:
        Drawn([broken], still, SIZE, FPS)
    why = "a talk's recipe does not say how the head moves: IndexError('tuple index out of range')"
    assert str(failure.value) == why
