"""The film's poster: a frame of one scene that is not black, as JPEG."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image

from ..errors import BackendError

DARK = 24  # Mean luma (16 is black) under which another frame is tried.
PLACES = (Fraction(1, 3), Fraction(1, 2), Fraction(2, 3), Fraction(1, 6))


def draw(video: Path, frames: int, out: Path, quality: int) -> None:
    """Write the frame that is a third into the scene; where that is dark, the brightest of some others."""
    best: tuple[float, av.VideoFrame] | None = None
    for place in PLACES:
        frame = _frame(video, int(frames * place))
        light = _luma(frame) if frame is not None else -1.0
        if frame is not None and (best is None or light > best[0]):
            best = light, frame
        if light > DARK:
            break
    if best is None:
        raise BackendError("no frame of the poster's scene can be decoded", "Run `mikebot verify`.")
    pixels = best[1].to_ndarray(
        format="rgb24",
        src_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
    )
    Image.fromarray(pixels).save(out, "JPEG", quality=quality, subsampling=0)


def _luma(frame: av.VideoFrame) -> float:
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return float(rows[:, : plane.width].mean())


def _frame(video: Path, number: int) -> av.VideoFrame | None:
    """The frame of a number, or the last one before it that can be had."""
    found: av.VideoFrame | None = None
    with av.open(str(video), format="mp4", options={"protocol_whitelist": "file"}) as file:
        stream = file.streams.video[0]
        stream.thread_count = 1
        rate, base = stream.average_rate, stream.time_base
        if rate is None or base is None:
            return None
        wanted = round(number / rate / base)
        file.seek(wanted, stream=stream)
        for found in file.decode(stream):
            if found.pts is not None and found.pts >= wanted:
                break
    return found
