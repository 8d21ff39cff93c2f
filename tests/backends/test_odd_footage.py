"""Footage as cameras, telephones and old tapes make it: its part that is asked for, whole, in its light."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from picture_kit import Quiet, decoded, scene
from PIL import Image
from test_footage import footage, grey

from engine.backends import toned
from engine.backends.given import Footage, FootageParams
from engine.kinds import Inputs

SMALL = (64, 36)
RED, GREEN, BLUE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def written(path: Path, frames: list[av.VideoFrame], codec: str, container: str = "mp4", **more: Any) -> Path:
    """A film of ready frames; what is set on the stream's context goes into `more`."""
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=25, options=more.pop("options", {}))
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, frames[0].format.name
        for name, value in more.items():
            setattr(stream.codec_context, name, value)
        for number, frame in enumerate(frames):
            if frame.pts is None:
                frame.pts, frame.time_base = number, Fraction(1, 25)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


@pytest.mark.parametrize("start", ["0.52", "1.2", "31/25"])
@pytest.mark.parametrize("container", ["mp4", "matroska"])
def test_footage_starts_where_it_is_asked_to(tmp_path: Path, start: str, container: str) -> None:
    """With one key frame, and pictures between that lean on what comes later."""
    pictures = [grey(20 + 50 * number % 210) for number in range(45)]
    frames = [av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p") for picture in pictures]
    video = written(tmp_path / "in", frames, "libx264", container, options={"crf": "2", "g": "250", "bf": "3"})
    shown = decoded(scene(tmp_path / "s", [video], 20, SMALL, crf=1, start=start), "gray")
    before = decoded(video, "gray")
    first = round(Fraction(start) * 25)
    levels = [float(frame.mean()) for frame in shown]
    for number, level in enumerate(levels):
        assert abs(level - float(before[min(44, first + number)].mean())) < 5


def test_footage_that_ends_before_its_start_shows_its_last_frame(tmp_path: Path) -> None:
    video = footage(tmp_path / "in", [grey(40)] * 20 + [grey(200)])
    shown = decoded(scene(tmp_path / "s", [video], 5, SMALL, crf=5, start="9"))
    assert {round(float(frame.mean()) / 20) for frame in shown} == {10}


def test_a_frame_is_shown_until_the_next_is_due_however_long(tmp_path: Path) -> None:
    """Screens are recorded at changing rates: nothing for a second, then a burst."""
    times = [0, 1000, 1040, 1080, 1600]
    frames = []
    for number, time in enumerate(times):
        frame = av.VideoFrame.from_ndarray(grey(30 + 50 * number), format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = time, Fraction(1, 1000)
        frames.append(frame)
    video = written(tmp_path / "in", frames, "libx264", time_base=Fraction(1, 1000), options={"crf": "2"})
    shown = [float(frame.mean()) for frame in decoded(scene(tmp_path / "s", [video], 50, SMALL, crf=5))]
    due = {0: 0, 12: 0, 24: 0, 25: 1, 26: 2, 27: 3, 39: 3, 40: 4, 49: 4}
    for frame, number in due.items():
        assert abs(shown[frame] - (30 + 50 * number)) < 4, frame


@pytest.mark.parametrize(("size", "inside"), [((64, 64), (144, 0, 112, 225)), ((400, 100), (0, 62, 400, 100))])
def test_footage_that_fits_is_seen_whole_on_a_soft_dark_ground(
    tmp_path: Path, size: tuple[int, int], inside: tuple[int, int, int, int]
) -> None:
    picture = grey(180, size)
    picture[0], picture[-1], picture[:, 0], picture[:, -1] = 255, 255, 255, 255
    video = footage(tmp_path / "in", [picture])
    frame = decoded(scene(tmp_path / "s", [video], 1, (400, 224), crf=5, fit="fit"), "gray")[0].astype(int)
    across, down = (224, 224) if size == (64, 64) else (400, 100)
    left, top = (400 - across) // 2, (224 - down) // 2
    whole = frame[top : top + down, left : left + across]
    assert whole[down // 2, across // 2] == pytest.approx(180 * 219 / 255 + 16, abs=40)
    outside = frame[:, : left - 2] if left else frame[: top - 2]
    assert outside.max() < 120
    assert outside.min() > 30
    assert np.abs(np.diff(outside, axis=0)).max() <= 4
    assert whole[:, 1 if left else across // 2].max() > 200  # The bright rim is there: nothing is cut.


def test_half_pictures_are_woven_without_combs(tmp_path: Path) -> None:
    """A bright bar moves 8 pixels a half picture: the lines of the two halves do not lie side by side."""
    frames = []
    for number in range(12):
        planes = np.full((72 * 3 // 2, 128), 128, np.uint8)
        planes[:72] = 40
        for half in (0, 1):
            at = 10 + 4 * (2 * number + half)
            planes[half:72:2, at : at + 16] = 220
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frames.append(frame)
    options = {"x264-params": "interlaced=1:tff=1", "crf": "4", "flags": "+ildct+ilme"}
    video = written(tmp_path / "in", frames, "libx264", options=options)
    with av.open(str(video)) as file:
        assert next(file.decode(video=0)).interlaced_frame
    raw = decoded(video, "gray")
    shown = decoded(scene(tmp_path / "s", [video], 12, (128, 72), crf=5), "gray")

    def combs(picture: Any) -> float:
        lines = picture[10:60].astype(float)
        return float(np.abs(lines[1:-1] - (lines[:-2] + lines[2:]) / 2).mean())

    assert combs(raw[6]) > 5
    assert all(combs(frame) < combs(raw[6]) / 5 for frame in shown[1:-1])
    middles = [float(np.flatnonzero(frame[36] > 130).mean()) for frame in shown[1:-1]]
    assert np.allclose(np.diff(middles), 8, atol=1.5)


def high(path: Path, colours: list[tuple[float, ...]], transfer: int) -> Path:
    """10 bits in BT.2020, kept without loss: fields of red, green and blue, each a share of the code's range."""
    picture = np.zeros((36, 16 * len(colours), 3), np.uint16)
    for place, colour in enumerate(colours):
        picture[:, place * 16 : place * 16 + 16] = np.round(np.array(colour) * 65535)
    frames = []
    for number in range(2):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb48le")
        frame = frame.reformat(format="yuv420p10le", dst_colorspace=9, dst_color_range=1, src_color_range=2)
        frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range = 9, transfer, 9, 1
        frame.pts, frame.time_base = number, Fraction(1, 25)
        frames.append(frame)
    marks = {"color_primaries": 9, "color_trc": transfer, "colorspace": 9, "color_range": 1}
    return written(path, frames, "ffv1", "matroska", **marks)


def pq(light: float) -> float:
    return float(toned._pq_code(np.array(light)))


def test_pq_is_brought_into_the_film_s_light(tmp_path: Path) -> None:
    """100 cd/m2 of 203 stay what they are (74 % of the code), white comes near the top, and highlights below it."""
    lights = [0.0, 20.0, 100.0, 203.0, 500.0, 1000.0, 4000.0]
    video = high(tmp_path / "in", [(pq(light),) * 3 for light in lights], 16)
    frame = decoded(scene(tmp_path / "s", [video], 1, (112, 36), crf=2))[0]
    levels = [float(frame[10:26, 16 * place + 5 : 16 * place + 11].mean()) for place in range(len(lights))]
    assert levels[0] < 4
    assert levels[1] == pytest.approx(255 * (20 / 203) ** (1 / 2.4), abs=4)
    assert levels[2] == pytest.approx(255 * (100 / 203) ** (1 / 2.4), abs=4)
    assert 215 < levels[3] < 235
    assert levels[3] + 8 < levels[4] < levels[5] <= 255
    assert levels[5] == pytest.approx(255, abs=4)
    assert levels[6] == pytest.approx(levels[5], abs=2)
    assert max(float(np.ptp(frame[18, 16 * place + 8])) for place in range(len(lights))) <= 5  # Grey stays grey.


def test_hlg_is_brought_into_the_film_s_light(tmp_path: Path) -> None:
    """Reference white is at 75 % of its code (BT.2408): it lands where PQ's does."""
    video = high(tmp_path / "in", [(0.0,) * 3, (0.38,) * 3, (0.75,) * 3, (1.0,) * 3], 18)
    frame = decoded(scene(tmp_path / "s", [video], 1, (64, 36), crf=2))[0]
    levels = [float(frame[10:26, 16 * place + 5 : 16 * place + 11].mean()) for place in range(4)]
    assert levels[0] < 4
    assert 100 < levels[1] < 150
    assert 215 < levels[2] < 235
    assert levels[3] == pytest.approx(255, abs=4)


def test_wide_colours_keep_their_hue(tmp_path: Path) -> None:
    """Red, green and blue of BT.709 at 100 cd/m2, written in BT.2020's primaries."""
    inverse = np.linalg.inv(toned._TO_709.astype(float))
    codes = [tuple(pq(float(max(0.0, part)) * 100) for part in inverse @ np.array(c)) for c in (RED, GREEN, BLUE)]
    video = high(tmp_path / "in", codes, 16)
    frame = decoded(scene(tmp_path / "s", [video], 1, (48, 36), crf=2))[0]
    for place in range(3):
        seen = frame[10:26, 16 * place + 6 : 16 * place + 10].reshape(-1, 3).mean(axis=0)
        assert seen[place] == pytest.approx(255 * (100 / 203) ** (1 / 2.4), abs=8)
        assert np.delete(seen, place).max() < 45


@pytest.mark.parametrize("size", [(63, 35), (65, 37), (33, 99)])
def test_odd_sizes_are_shown(tmp_path: Path, size: tuple[int, int]) -> None:
    picture = grey(150, size)
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv444p")
    video = written(tmp_path / "in", [frame], "ffv1", "matroska")
    for fit in ("fill", "fit"):
        shown = decoded(scene(tmp_path / fit, [video], 2, SMALL, crf=5, fit=fit))[0]
        assert shown.shape == (36, 64, 3)
        assert abs(float(shown[18, 32].mean()) - 150) < 4


def test_the_last_frame_has_the_shape_and_light_of_the_footage(tmp_path: Path) -> None:
    """32 x 36 pixels, twice as wide as high, fill 64 x 36: a rim on all four sides is still there."""
    picture = grey(40, (32, 36))
    picture[:3], picture[-3:], picture[:, :3], picture[:, -3:] = 220, 220, 220, 220
    video = footage(tmp_path / "in", [picture], pixel=Fraction(2))
    Footage().run(FootageParams("", 1, 0, "25", *SMALL, 0), Inputs(video=video), tmp_path, Quiet())
    with Image.open(tmp_path / "last") as last:
        shown = np.asarray(last.convert("L")).astype(int)
    for side in (shown[0], shown[-1], shown[:, 0], shown[:, -1], shown[:, 4]):
        assert side.min() > 150
    assert shown[8:-8, 12:-12].max() < 80
