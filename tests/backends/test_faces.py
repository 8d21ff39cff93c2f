"""Faces: found where there are some, followed over gaps, told apart, and placed without trembling or lagging."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from tiny_lips import LAMPS, portrait, robot

from engine.backends import faces_finder
from engine.backends.faces import Face, points_of
from engine.backends.faces_given import Given
from engine.backends.faces_haar import Haar
from engine.backends.faces_smooth import matrices, smoothed
from engine.backends.faces_track import NOBODY, SEVERAL, SMALL, TURNED, Tracker
from engine.backends.faces_yunet import face_of
from engine.backends.latentsync import LatentSync
from engine.errors import BackendError


@pytest.fixture(scope="module")
def haar() -> Haar:
    return Haar()


@pytest.mark.parametrize(("size", "head"), [((96, 64), 60), ((320, 180), 120), ((1280, 720), 400), ((480, 960), 300)])
def test_a_head_is_found_with_its_eyes(haar: Haar, size: tuple[int, int], head: int) -> None:
    x, y = size[0] * 0.5, size[1] * 0.5
    (found,) = haar.faces(portrait(*size, x, y, head))
    eyes = points_of((x - 0.19 * head, y - 0.1 * head), (x + 0.19 * head, y - 0.1 * head))
    assert np.abs(found.points - eyes).max() < 0.09 * head
    assert not found.turned


def test_no_face_is_found_where_there_is_none(haar: Haar) -> None:
    rows, columns = np.mgrid[0:90, 0:160]
    slope = np.stack([rows, columns, rows + columns], -1).astype(np.uint8)
    assert haar.faces(slope) == []


def test_two_heads_are_two_faces(haar: Haar) -> None:
    both = np.concatenate([portrait(160, 180, 80, 90, 110), portrait(160, 180, 80, 90, 110)], axis=1)
    assert len(haar.faces(both)) == 2


def test_another_opencv_that_has_no_cascades_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenCV 5 moved them elsewhere."""
    monkeypatch.delattr(cv2, "CascadeClassifier")
    with pytest.raises(BackendError) as missing:
        Haar()
    assert str(missing.value) == (
        f"OpenCV {cv2.__version__} has no cascades, which find faces\n"
        "  pip install 'opencv-python-headless<5', or set faces: yunet in the profile."
    )


def test_the_nose_moves_with_a_turn_and_the_brows_do_not() -> None:
    straight, turned = points_of((40, 50), (80, 50)), points_of((40, 50), (80, 50), nose=(68, 75))
    np.testing.assert_allclose(straight, [[37.6, 39.2], [82.4, 39.2], [60, 68.8]])
    np.testing.assert_allclose(turned - straight, [[0, 0], [0, 0], [8, 0]])


def test_a_row_of_yunet_is_a_face_of_the_whole_picture() -> None:
    row = (10, 20, 50, 60, 25, 40, 45, 40, 35, 50, 28, 62, 42, 62, 0.9)
    found = face_of(row, scale=0.5)
    assert found.box == (20, 40, 100, 120)
    np.testing.assert_allclose(found.points, points_of((50, 80), (90, 80)))
    assert not found.turned
    assert face_of((10, 20, 50, 60, 25, 40, 45, 40, 46, 50, 28, 62, 42, 62, 0.9)).turned


def test_yunet_is_taken_where_its_file_is_and_a_broken_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIKEBOT_MODELS", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert faces_finder.named("") == "haar"
    folder = tmp_path / faces_finder.YUNET
    folder.mkdir(parents=True)
    (folder / faces_finder.YUNET_FILE).write_bytes(b"no model")
    name = faces_finder.named("")
    assert name.startswith("yunet:")
    assert faces_finder.named("haar") == "haar"
    with pytest.raises(BackendError) as broken:
        faces_finder.finder(name)
    assert broken.value.message == (
        "face_detection_yunet_2023mar.onnx cannot be read: it is cut off, damaged, or something else"
    )
    (folder / faces_finder.YUNET_FILE).write_bytes(b"another")
    with pytest.raises(BackendError) as another:
        faces_finder.finder(name)
    assert another.value.message == (
        "face_detection_yunet_2023mar.onnx is another than the one that was planned: " + faces_finder.named("")
    )


def face(x: float, width: float = 100, turned: bool = False) -> Face:
    return Face((x, 50, width, width), points_of((x + 30, 90), (x + 70, 90)), turned)


def reasons(frames: list[list[Face]], which: str = "", gap: int = 4) -> list[str]:
    tracker = Tracker(gap, which)
    for found in frames:
        tracker.add(found)
    return [one.reason for one in tracker.seen()]


def test_a_short_gap_is_filled_from_both_sides_and_a_long_one_is_told() -> None:
    tracker = Tracker(4)
    frames = [
        [face(0)],
        [face(10)],
        [face(20)],
        [],
        [],
        [face(50)],
        [face(60)],
        [face(70)],
        *[[]] * 6,
        *[[face(70)]] * 4,
    ]
    for found in frames:
        tracker.add(found)
    seen = tracker.seen()
    assert [one.reason for one in seen] == [""] * 8 + [NOBODY] * 6 + [""] * 4
    np.testing.assert_allclose([seen[3].points[0, 0], seen[4].points[0, 0]], [57.6, 67.6])  # type: ignore[index]
    assert seen[7].track != seen[14].track


def test_what_is_seen_for_a_moment_only_is_no_second_face() -> None:
    assert reasons([[face(0)], [face(0), face(300)], [face(0)], [face(0)]]) == [""] * 4


def test_a_look_away_is_told_where_it_lasts() -> None:
    away = [face(0, turned=True)]
    assert reasons([[face(0)]] * 4 + [away] * 2 + [[face(0)]] * 4) == [""] * 10
    assert reasons([[face(0)]] * 4 + [away] * 6 + [[face(0)]] * 4) == [""] * 4 + [TURNED] * 6 + [""] * 4


def test_of_two_nobody_is_chosen_unless_the_profile_says_who_or_one_is_far_behind() -> None:
    both = [[face(0), face(300, 120)]] * 4
    assert reasons(both) == [SEVERAL] * 4
    assert reasons([[face(0), face(300, 220)]] * 4) == [""] * 4
    for which, left in (("left", 0), ("right", 300), ("largest", 300)):
        tracker = Tracker(4, which)
        for found in both:
            tracker.add(found)
        assert {one.points[0, 0] for one in tracker.seen()} == {left + 27.6}  # type: ignore[index]


def test_a_small_face_is_told_and_one_frame_is_enough() -> None:
    assert reasons([[face(0, 40)]]) == [SMALL]
    assert reasons([[face(0)]]) == [""]


def test_smoothing_keeps_what_moves_evenly_and_lags_behind_nothing() -> None:
    even = np.linspace(3, 40, 50)
    np.testing.assert_allclose(smoothed(even, 5.0), even)
    step = np.repeat([0.0, 1.0], 25)
    eased = smoothed(step, 3.0)
    np.testing.assert_allclose(eased + eased[::-1], 1.0)  # As early as late: no phase.
    assert np.abs(np.diff(eased)).max() < 0.2


def test_a_trembling_face_is_placed_calmly_and_where_it_is() -> None:
    noise = np.random.default_rng(3).normal(0, 1.5, (60, 3, 2))
    still = points_of((90, 80), (150, 80))
    rough = matrices(list(still + noise), 64, 25.0, 0.0)
    calm = matrices(list(still + noise), 64, 25.0, 0.2)
    exact = matrices([still], 64, 25.0, 0.2)[0]

    def tremble(found: list[np.ndarray]) -> float:
        return float(np.abs(np.diff(np.array(found), axis=0)).max(axis=(0, 1))[:2].max())

    assert tremble(calm) < tremble(rough) / 8
    nose = still[2]
    off = np.array([matrix[:, :2] @ nose + matrix[:, 2] for matrix in calm]) - (exact[:, :2] @ nose + exact[:, 2])
    assert np.abs(off).max() < 1.0


def eyes_of(x: float, y: float, head: float, angle: float) -> list[np.ndarray]:
    """Where `portrait` draws both."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return [turn @ (side * head, -0.1 * head) + (x, y) for side in (-0.19, 0.19)]


@pytest.mark.parametrize(("size", "head"), [((128, 96), 62), ((320, 240), 150)])
def test_a_face_that_is_pointed_at_is_followed_while_it_moves_grows_and_speaks(
    size: tuple[int, int], head: int
) -> None:
    finder, off = None, []
    for number in range(0, 60, 3):
        place = (size[0] / 2 + head * 0.1 * np.sin(number / 6), size[1] / 2, head * (1 + 0.15 * np.sin(number / 10)))
        angle = 0.15 * np.sin(number / 7)
        frame, eyes = portrait(*size, *place, abs(np.sin(number / 3)), angle), eyes_of(*place, angle)
        finder = finder or Given([{"x": x / size[0], "y": y / size[1]} for x, y in eyes])
        (found,) = finder.faces(frame)
        off.append(float(np.abs(found.points - points_of(*eyes)).max()) / place[2])
    assert max(off) < 0.01
    assert finder is not None
    assert finder.faces(np.full_like(frame, 80)) == []
    assert len(finder.faces(frame)) == 1


def test_a_face_that_no_finder_knows_is_followed_where_it_is_pointed_at(haar: Haar) -> None:
    frames = [robot(number) for number in range(4)]
    assert haar.faces(frames[0]) == []
    finder = Given(LAMPS)
    found = [finder.faces(frame)[0].points for frame in frames]
    np.testing.assert_allclose(found[3] - found[0], np.tile([3, 0], (3, 1)), atol=0.2)


def test_eyes_that_point_at_nothing_are_told() -> None:
    with pytest.raises(BackendError) as told:
        Given([{"x": 0.4, "y": 0.4}, {"x": 0.6, "y": 0.4}]).faces(np.full((96, 128, 3), 60, np.uint8))
    assert told.value.message == "there is nothing to follow around the eyes that the profile names"
    assert told.value.hint == "Name where they are in a scene's first frame, as shares of its size."


@pytest.mark.parametrize(
    "eyes",
    [
        5,
        "left",
        [{"x": 0.4, "y": 0.4}],
        [{"x": 0.4}, {"x": 0.6}],
        [{"x": 0.6, "y": 0.4}, {"x": 0.4, "y": 0.4}],
        [{"x": 0.4, "y": 0.4}, {"x": 60, "y": 40}],
    ],
)
def test_eyes_that_are_no_two_places_are_told_where_the_profile_says_them(eyes: object) -> None:
    (found,) = LatentSync.misfits({"model": "ByteDance/LatentSync-1.6", "eyes": eyes})
    assert found == (
        ("eyes",),
        "eyes are two places in the first frame, as shares of its width and height",
        "Write eyes: [{x: 0.42, y: 0.35}, {x: 0.58, y: 0.35}], the one at the picture's left first.",
    )
