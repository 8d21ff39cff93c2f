"""What a scene promises of real video: its times, its shape, its colours, and that a cancel is heard."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from picture_kit import Quiet, decoded, scene

from engine.errors import BackendError, Cancelled

SMALL = (64, 36)
TURNED = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}


def footage(
    path: Path,
    pictures: list[np.ndarray],
    fps: Fraction = Fraction(25),
    pixel: Fraction = Fraction(1),
    full: bool = False,
) -> Path:
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "4", "preset": "ultrafast"})
        stream.width, stream.height = pictures[0].shape[1::-1]
        stream.pix_fmt = "yuvj420p" if full else "yuv420p"
        stream.codec_context.sample_aspect_ratio = pixel
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def grey(level: int, size: tuple[int, int] = SMALL) -> np.ndarray:
    return np.full((size[1], size[0], 3), level, np.uint8)


def halves(width: int, height: int) -> np.ndarray:
    """The left half is bright."""
    picture = grey(40, (width, height))
    picture[:, : width // 2] = 220
    return picture


def turn(path: Path, degrees: int) -> Path:
    """Write into a film's header that it is to be shown turned clockwise, as telephones do (ISO 14496-12, 8.3.2)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (value << 16 for value in TURNED[degrees])
    struct.pack_into(">9i", data, at, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def test_footage_keeps_its_times_and_holds_its_last_frame(tmp_path: Path) -> None:
    video = footage(tmp_path / "in", [grey(10 * number) for number in range(20)], Fraction(10))
    frames = decoded(scene(tmp_path / "s", [video], 60, SMALL, crf=5))
    levels = [int(frame[18, 32].mean()) for frame in frames]
    for number in (0, 7, 21, 33, 48, 55, 59):
        assert abs(levels[number] - 10 * min(19, round(number / 2.5))) <= 6
    assert len(levels) == 60


def test_clips_follow_each_other(tmp_path: Path) -> None:
    videos = [footage(tmp_path / f"in{level}", [grey(level)] * 10) for level in (40, 200)]
    frames = decoded(scene(tmp_path / "s", videos, 20, SMALL, crf=5), "gray")
    levels = [float(frame.mean()) for frame in frames]
    assert max(levels[:10]) < 70
    assert min(levels[10:]) > 170


def test_footage_of_another_shape_is_cut_around_its_middle(tmp_path: Path) -> None:
    picture = grey(40, (64, 64))
    picture[14:50] = 220  # What a picture of 64 x 36 shows of it.
    frame = decoded(scene(tmp_path / "s", [footage(tmp_path / "in", [picture])], 1, SMALL, crf=5), "gray")[0]
    assert frame.shape == (36, 64)
    assert frame[1:-1].min() > 180


@pytest.mark.parametrize(("degrees", "bright"), [(90, "top"), (180, "right"), (270, "bottom")])
def test_turned_footage_is_shown_upright(tmp_path: Path, degrees: int, bright: str) -> None:
    video = turn(footage(tmp_path / "in", [halves(64, 64)]), degrees)
    frame = decoded(scene(tmp_path / "s", [video], 1, (64, 64), crf=5), "gray")[0]
    sides = {"top": frame[:28], "bottom": frame[36:], "left": frame[:, :28], "right": frame[:, 36:]}
    opposite = {"top": "bottom", "bottom": "top", "right": "left"}[bright]
    assert sides[bright].min() > 180
    assert sides[opposite].max() < 80


def test_a_tall_recording_fills_a_tall_film(tmp_path: Path) -> None:
    video = turn(footage(tmp_path / "in", [halves(64, 36)]), 90)
    frame = decoded(scene(tmp_path / "s", [video], 1, (36, 64), crf=5), "gray")[0]
    assert frame[:28].min() > 180
    assert frame[36:].max() < 80


def test_pixels_that_are_no_squares_keep_their_shape(tmp_path: Path) -> None:
    """32 x 36 pixels, twice as wide as high, are shown as 64 x 36: nothing is cut."""
    picture = grey(40, (32, 36))
    picture[:, [0, 1, 2, 29, 30, 31]] = 220
    picture[[0, 1, 2, 33, 34, 35]] = 220
    video = footage(tmp_path / "in", [picture], pixel=Fraction(2))
    frame = decoded(scene(tmp_path / "s", [video], 1, SMALL, crf=5), "gray")[0]
    for side in (frame[0], frame[-1], frame[:, 0], frame[:, -1], frame[:, 4]):
        assert side.min() > 150
    assert frame[8:-8, 12:-12].max() < 80


@pytest.mark.parametrize("full", [False, True])
def test_levels_are_read_by_the_footage_s_own_range(tmp_path: Path, full: bool) -> None:
    video = footage(tmp_path / "in", [grey(255), grey(0), grey(128)], full=full)
    shown = decoded(scene(tmp_path / "s", [video], 3, SMALL, crf=5))
    for frame, level in zip(shown, (255, 0, 128), strict=True):
        assert abs(float(frame.mean()) - level) < 4


class Stop(Quiet):
    """Cancels when it is asked for the fifth time."""

    def progress(self, done: int, total: int) -> None:
        super().progress(done, total)
        if len(self.heard) == 5:
            raise Cancelled


def test_a_cancel_is_heard_while_frames_are_skipped(tmp_path: Path) -> None:
    """Of 1,000 frames a second forty stand for one of the film: words must come while those are decoded."""
    video, tell = footage(tmp_path / "in", [grey(9)] * 200, Fraction(1000)), Stop()
    with pytest.raises(Cancelled):
        scene(tmp_path / "s", [video], 5, SMALL, tell=tell)
    assert tell.heard == [(0, 5)] * 4 + [(1, 5)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"#EXTM3U\nhttp://example.com/a.ts\n", "this is a list of other files, not media itself"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "this is a list of other files, not media itself"),
        (bytes(range(256)), "this is no video or sound that can be read"),
    ],
)
def test_footage_never_reaches_another_file(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "in").write_bytes(data)
    with pytest.raises(BackendError) as failure:
        scene(tmp_path / "s", [tmp_path / "in"], 5, SMALL)
    hint = "Bring it as MP4, MOV, MKV or WebM."
    assert str(failure.value) == f"a clip's video cannot be decoded: {said}\n  {hint}"


def test_footage_that_is_cut_off_is_said(tmp_path: Path) -> None:
    video = footage(tmp_path / "in", [grey(9)] * 50)
    video.write_bytes(video.read_bytes()[:900])
    with pytest.raises(BackendError, match="a clip's video cannot be decoded: it cannot be read"):
        scene(tmp_path / "s", [video], 5, SMALL)
