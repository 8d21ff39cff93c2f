"""A face out of its frame and back: upstream's pixels, and what is better than they are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from latentsync_kit import case_of, furthest, said, tensors
from numpy.typing import NDArray

from engine.errors import BackendError
from engine.models.latentsync import align, condition, mask, mouth, paste, warp

AFFINE, PASTE = "affine/affine", "paste_back/paste"


def cases(name: str) -> list[int]:
    return [case["case"] for case in said(f"{name}.json")]


@pytest.mark.parametrize("case", cases(AFFINE))
def test_points_matrices_and_faces_are_upstreams(case: int) -> None:
    about = next(about for about in said(f"{AFFINE}.json") if about["case"] == case)
    stored, resolution = case_of(tensors(f"{AFFINE}.safetensors"), case), about["resolution"]
    assert align.crop_size(resolution) == tuple(about["face_size_wh"])
    assert np.abs(align.template(resolution) - about["template"]).max() < 1e-5
    aligner = align.Aligner(resolution)
    for number in range(about["n"]):
        points = align.three_points(stored["landmarks106"][number].numpy())
        assert np.array_equal(points, stored["points3"][number])
        matrix = aligner.matrix(points)
        assert np.abs(matrix - stored["matrices"][number].numpy()).max() <= 1e-4
        plain = align.fit(points, align.template(resolution)).matrix
        assert np.abs(plain - stored["matrices_no_smooth"][number].numpy()).max() <= 1e-4
        assert aligner.drift is not None
        assert np.abs(aligner.drift - stored["bias_state"][number].numpy()).max() <= 1e-5
        cropped = warp.crop(stored["frames"][number].numpy(), matrix, resolution)
        alike(cropped, stored["crops"][number].numpy(), levels=1, share=1e-3)
        face = warp.face(cropped, resolution)
        alike(face, stored["faces_resized"][number].permute(1, 2, 0).numpy(), levels=2, share=1e-3)


@pytest.mark.parametrize("case", cases(PASTE))
def test_pasted_frames_and_their_soft_masks_are_upstreams(case: int) -> None:
    about = next(about for about in said(f"{PASTE}.json") if about["case"] == case)
    stored = case_of(tensors(f"{PASTE}.safetensors"), case)
    matrix, frame = stored["matrix"].numpy(), stored["frame"].numpy()
    sharp, soft = paste.shares(matrix, about["resolution"], frame.shape)
    assert furthest(soft, stored["soft_mask"]) <= 5e-5
    if "inv_mask_eroded" in stored:
        assert furthest(sharp, stored["inv_mask_eroded"]) <= 5e-5
    pasted = paste.paste(frame, stored["face"], matrix)
    alike(pasted, stored["output"].numpy(), levels=1, share=1e-3)
    assert int((pasted != frame).any(axis=2).sum()) == pytest.approx(about["changed_pixels"], rel=1e-3)


@pytest.mark.parametrize("resolution", [64, 256, 512])
def test_the_mask_drawn_from_its_figures_is_upstreams(resolution: int) -> None:
    stored = tensors("mask/mask.safetensors")
    if f"mask_{resolution}_u8" not in stored:
        pytest.skip("upstream's numbers are not here: the mask at 512, in shared/latentsync/fixtures")
    assert np.array_equal(mask.keep_levels(resolution), stored[f"mask_{resolution}_u8"])
    faces = condition.prepared(torch.zeros(2, 3, resolution, resolution, dtype=torch.uint8))
    assert torch.equal(condition.latent_mask(faces)[1, 0], stored[f"mask_latent_{resolution // 8}"])


def test_what_the_model_is_shown_is_what_upstream_shows() -> None:
    stored = tensors("mask/prepare.safetensors")
    faces = condition.prepared(stored["faces_u8"])
    wanted = stored["pixel_values"], stored["masked_pixel_values"], stored["masks"]
    assert all(furthest(made, value) <= 1e-6 for made, value in zip(faces, wanted, strict=True))


def alike(made: NDArray[np.uint8], wanted: NDArray[np.uint8], levels: int, share: float) -> None:
    apart = np.abs(made.astype(int) - wanted)
    assert apart.max() <= levels
    assert (apart > 0).mean() < share


# From here on, without upstream's numbers.


def scene(height: int = 240, width: int = 320) -> NDArray[np.uint8]:
    """A picture with structure everywhere."""
    noise = np.random.default_rng(4).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.5), np.uint8)


POINTS = np.array([[120, 90], [175, 95], [146, 128]], np.float32)


def taken(frame: NDArray[np.uint8], resolution: int, rounded: bool) -> tuple[align.Floats, torch.Tensor]:
    """A frame's matrix, and its face as the model would give it back if it changed nothing."""
    matrix = align.fit(POINTS, align.template(resolution)).matrix
    face = warp.face(warp.crop(frame, matrix, resolution, rounded), resolution)
    return matrix, torch.from_numpy(face).permute(2, 0, 1).float() / 127.5 - 1


@pytest.mark.parametrize("resolution", [64, 256, 512])
def test_only_the_mouth_is_pasted_and_every_other_pixel_stays(resolution: int) -> None:
    frame = scene()
    matrix, face = taken(frame, resolution, rounded=True)
    white = torch.ones_like(face)
    changed = (mouth.paste_mouth(frame, white, matrix) != frame).any(axis=2)
    everywhere = (paste.paste(frame, white, matrix) != frame).any(axis=2)
    hole = cv2.resize((mask.keep_levels(resolution) < 255).astype(np.float32), align.crop_size(resolution))
    back = warp.inverse(matrix)
    inside = warp.sampled(torch.from_numpy(hole)[None], back, frame.shape[:2], 0)[0].numpy() > 0
    assert changed.any()
    assert not (changed & ~inside).any()
    assert changed.sum() < 0.5 * everywhere.sum()


def test_a_face_that_the_model_left_alone_costs_less_quality() -> None:
    frame = scene()
    matrix, face = taken(frame, 256, rounded=True)
    lost = {
        "whole": frame.astype(float) - paste.paste(frame, face, matrix),
        "mouth": frame.astype(float) - mouth.paste_mouth(frame, face, matrix),
    }
    assert np.square(lost["mouth"]).mean() < 0.5 * np.square(lost["whole"]).mean()
    assert abs(lost["mouth"].mean()) < 0.1 * abs(lost["whole"].mean())  # Half a level darker, where it was cut off.


def test_the_edge_of_a_pasted_mouth_is_no_step() -> None:
    share = mouth.feathered(256)
    assert share.max() == 1
    assert share.min() == 0
    assert max(np.abs(np.diff(share, axis=axis)).max() for axis in (0, 1)) < 0.2


def test_strength_fades_a_mouth_in() -> None:
    frame = scene()
    matrix, _ = taken(frame, 64, rounded=True)
    white = torch.ones(3, 64, 64)
    full, half, none = (mouth.paste_mouth(frame, white, matrix, strength).astype(int) for strength in (1, 0.5, 0))
    assert np.array_equal(none, frame)
    assert np.abs((full - frame) - 2 * (half - frame)).max() <= 2


def test_a_crop_rounded_is_not_half_a_level_too_dark() -> None:
    frame = scene()
    matrix = align.fit(POINTS, align.template(256)).matrix
    exact = warp.sampled(torch.from_numpy(frame.transpose(2, 0, 1).astype(np.float32)), matrix, (280, 210), 127)
    means = {rounded: warp.crop(frame, matrix, 256, rounded).mean() - float(exact.mean()) for rounded in (False, True)}
    assert means[False] < -0.4
    assert abs(means[True]) < 0.02


@pytest.mark.parametrize("shift", [(-5000, 0), (0, 5000)])
def test_a_face_beside_the_frame_changes_nothing(shift: tuple[int, int]) -> None:
    frame = scene()
    matrix = align.fit(POINTS + np.array(shift), align.template(64)).matrix
    assert np.array_equal(mouth.paste_mouth(frame, torch.ones(3, 64, 64), matrix), frame)
    assert np.array_equal(paste.paste(frame, torch.ones(3, 64, 64), matrix), frame)


@pytest.mark.parametrize("shift", [(-120, -90), (150, 110), (-150, 60)])
def test_a_face_over_the_edge_is_cropped_with_grey_and_pasted_where_it_shows(shift: tuple[int, int]) -> None:
    frame = scene(height=241, width=319)
    matrix = align.fit(POINTS + np.array(shift), align.template(256)).matrix
    cropped = warp.crop(frame, matrix, 256, rounded=True)
    assert (cropped == 127).all(axis=2).any()
    for pasted in (paste.paste, mouth.paste_mouth):
        made = pasted(frame, torch.ones(3, 256, 256), matrix)
        assert made.shape == frame.shape
        assert (made != frame).any()


@pytest.mark.parametrize("larger", [0.14, 0.77, 1.0, 1.7])
@pytest.mark.parametrize("shift", [(0, 0), (-110, -60)])
def test_the_share_of_a_pasted_face_is_eroded_and_soft_as_the_specification_says(
    larger: float, shift: tuple[int, int]
) -> None:
    """From a face smaller than the step of its erosion to a large one, inside and over the edge."""
    centre = POINTS.mean(axis=0)
    matrix = align.fit((POINTS - centre) * larger + centre + shift, align.template(64)).matrix
    sharp, soft = (share.numpy() for share in paste.shares(matrix, 64, (240, 320)))
    edge = int(np.sqrt(sharp.sum())) // 20
    bell = np.exp(-(np.arange(-edge, edge + 1) ** 2) / (2 * (0.3 * (edge - 1) + 0.8) ** 2))
    wanted = lowest(sharp, -edge, edge - 1) if edge else lowest(sharp, -1, 1)  # To OpenCV, none is 3 x 3.
    for axis in (0, 1):
        rim = np.pad(wanted, [(edge, edge) if axis == side else (0, 0) for side in (0, 1)], mode="reflect")
        wanted = np.apply_along_axis(np.convolve, axis, rim, bell / bell.sum(), mode="valid")
    assert np.abs(soft - wanted).max() <= 1e-5


def lowest(image: NDArray[np.float32], first: int, last: int) -> NDArray[np.float32]:
    """The least of the pixels around each, from `first` to `last` in both directions; those outside do not count."""
    around = np.pad(image, ((-first, last), (-first, last)), constant_values=np.inf)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(around, (last - first + 1,) * 2).min(axis=(2, 3)))


@pytest.mark.parametrize("size", [(1, 5), (5, 1), (1, 1)])
def test_a_single_row_or_column_is_taken_from_its_own_place(size: tuple[int, int]) -> None:
    """As when a face leaves the frame, and a column is left of the box around it."""
    image = torch.arange(20.0).reshape(1, 4, 5)
    shifted = np.array([[1, 0, -2], [0, 1, -3]], np.float32)
    wanted = torch.zeros(1, 5, 5)
    wanted[:, :1, :3] = image[:, 3:, 2:]
    made = warp.sampled(image, shifted, size, 0)
    assert furthest(made, wanted[:, : size[0], : size[1]]) < 1e-5


def test_a_face_of_a_few_pixels_is_pasted_too() -> None:
    frame = scene()
    matrix = align.fit(POINTS / 20, align.template(64)).matrix
    assert (paste.paste(frame, torch.ones(3, 64, 64), matrix) != frame).any()
    assert (mouth.paste_mouth(frame, torch.ones(3, 64, 64), matrix) != frame).any()


def test_points_between_pixels_move_a_face_by_as_much() -> None:
    """Upstream's points jump from pixel to pixel; ours need not."""
    marks = np.zeros((106, 2))
    marks[list(range(43, 52))], marks[101:106], marks[74:87] = POINTS
    moved = [align.three_points(marks + step / 10, rounded=False)[0, 0] for step in range(10)]
    assert np.diff(moved) == pytest.approx(0.1, abs=1e-4)
    assert len({align.three_points(marks + step / 10)[0, 0] for step in range(10)}) == 2


def test_the_fit_brings_points_home_turned_and_scaled_and_never_mirrors() -> None:
    target = align.template(256)
    for angle in np.radians([0, 30, 170]):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        points = target @ turn.T * 0.3 + [400, 250]
        matrix = align.fit(points, target).matrix
        assert np.abs(points @ matrix[:, :2].T + matrix[:, 2] - target).max() < 1e-2
    mirrored = align.fit(target * [-1, 1], target).matrix
    assert np.linalg.det(mirrored[:, :2]) > 0


def test_three_points_on_one_another_are_refused() -> None:
    with pytest.raises(BackendError) as refused:
        align.fit(np.ones((3, 2)), align.template(256))
    assert str(refused.value) == "the three points of a face lie on one another\n  Give brows and nose, in pixels."
