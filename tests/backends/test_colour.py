"""What colours promise: a chart survives from PNG to film within 3 levels, and footage keeps its colours."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace
from picture_kit import clips, decoded, save, scene

from engine.backends.picture import planes_of

SIZE = (256, 144)
PATCHES = [
    (255, 255, 255),
    (0, 0, 0),
    (128, 128, 128),
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (255, 255, 0),
    (0, 255, 255),
    (255, 0, 255),
    (194, 150, 130),
    (98, 122, 157),
    (87, 108, 67),
    (214, 126, 44),
    (80, 91, 166),
    (56, 61, 150),
    (70, 148, 73),
]


def chart() -> np.ndarray:
    rows = np.array(PATCHES, np.uint8).reshape(4, 4, 3)
    return rows.repeat(SIZE[1] // 4, axis=0).repeat(SIZE[0] // 4, axis=1)


def rgb_of(planar: np.ndarray) -> np.ndarray:
    """The patches' colours by BT.709's own equations, from decoded planes."""
    width, height = SIZE
    y, flat = planar[:height].astype(float), planar[height:].reshape(-1)
    u, v = flat.reshape(2, height // 2, width // 2).astype(float) - 128
    found = []
    for row in range(4):
        for column in range(4):
            at = height * (2 * row + 1) // 8, width * (2 * column + 1) // 8
            luma, blue, red = (y[at] - 16) / 219, u[at[0] // 2, at[1] // 2] / 224, v[at[0] // 2, at[1] // 2] / 224
            r, b = luma + 1.5748 * red, luma + 1.8556 * blue
            found.append((r, (luma - 0.2126 * r - 0.0722 * b) / 0.7152, b))
    return np.array(found) * 255


def test_a_chart_survives_from_png_to_scene(tmp_path: Path) -> None:
    still = save(tmp_path / "still", chart())
    video = scene(tmp_path / "s", clips(tmp_path, still, "hold", SIZE), 3, SIZE, still=still)
    assert np.abs(rgb_of(decoded(video, "yuv420p")[2]) - np.array(PATCHES)).max() <= 3


def test_chroma_lies_on_the_left_column_of_its_two() -> None:
    pixels = np.zeros((16, 32, 3), np.uint8)
    pixels[:, 16:] = (255, 0, 0)
    red = planes_of(pixels).v[4].astype(int)
    # Column 8 lies on luma column 16: three quarters red, by weights 1-2-1. Sited in the middle, all red.
    assert abs(red[8] - (128 + 0.75 * 112)) <= 2
    assert red[7] == 128
    assert red[9] == 240


@pytest.mark.parametrize(("matrix", "number"), [(Colorspace.ITU601, 5), (Colorspace.ITU709, 1)])
def test_footage_is_read_by_its_own_matrix(tmp_path: Path, matrix: Colorspace, number: int) -> None:
    with av.open(str(tmp_path / "in"), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = number, 1
        stream.options = {"crf": "8"}
        frame = av.VideoFrame.from_ndarray(chart(), format="rgb24")
        container.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace=matrix, dst_color_range=1)))
        container.mux(stream.encode())
    video = scene(tmp_path / "s", [tmp_path / "in"], 1, SIZE, crf=8)
    assert np.abs(rgb_of(decoded(video, "yuv420p")[0]) - np.array(PATCHES)).max() <= 6
