"""Frames taken from real video: brought to the film's rate, size and colours, one decoded frame at a time."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from ..errors import BackendError
from .encode import planes_in
from .picture import Planes

_UNSAID = 2  # H.273: unspecified.
_SWS = {1: Colorspace.ITU709, 4: Colorspace.FCC, 5: Colorspace.ITU601, 6: Colorspace.ITU601, 7: Colorspace.SMPTE240M}
_SWS |= {9: Colorspace.BT2020, 10: Colorspace.BT2020}


Timed: TypeAlias = tuple[Fraction, Any]  # Seconds, and the frame.


class Footage:
    """The frame nearest in time to each frame of the film; the last one is held."""

    def __init__(self, clips: Sequence[Path], size: tuple[int, int], fps: Fraction) -> None:
        self._fps = fps
        self._size = size
        self._frames = enumerate(_timed(clips))
        first = next(self._frames, None)
        if first is None:
            raise BackendError("a clip's video has no frame that can be decoded")
        self._now: tuple[int, Timed] = first
        self._after = next(self._frames, None)

    def key(self, frame: int) -> Hashable:
        """Which decoded frame stands for a frame of the film; asked in order."""
        time = frame / self._fps
        while self._after is not None and self._after[1][0] - time < time - self._now[1][0]:
            self._now, self._after = self._after, next(self._frames, None)
        return self._now[0]

    def draw(self, frame: int, out: Planes) -> None:
        """Fill `out` with the frame that `key` found."""
        for target, plane in zip(out, covering(self._now[1][1], *self._size), strict=True):
            target[:] = plane


def covering(frame: Any, width: int, height: int) -> Planes:
    """A decoded frame, upright, in BT.709, scaled to cover a size and cut to it around its middle."""
    turns = round(frame.rotation / 90) % 4
    wide, high = (height, width) if turns % 2 else (width, height)
    scale = max(Fraction(wide, frame.width), Fraction(high, frame.height))
    across, down = (
        max(least, round(side * scale / 2) * 2) for side, least in ((frame.width, wide), (frame.height, high))
    )
    scaled = frame.reformat(
        across,
        down,
        "yuv420p",
        src_colorspace=_matrix(frame),
        dst_colorspace=Colorspace.ITU709,
        src_color_range=_range(frame),
        dst_color_range=ColorRange.MPEG,
        interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT,
    )
    cut = planes_in(scaled).part((across - wide) // 4 * 2, (down - high) // 4 * 2, wide, high)
    return Planes(*(np.rot90(plane, turns) for plane in cut))


def _timed(clips: Sequence[Path]) -> Iterator[Timed]:
    """Every frame of the clips in a row with its time in seconds from the start of the first."""
    begin = Fraction(0)
    for clip in clips:
        end = begin
        try:
            with clip.open("rb") as file, av.open(file, "r") as container:
                stream = container.streams.video[0]
                stream.codec_context.thread_count = 1
                length = 1 / Fraction(stream.average_rate or 25)
                zero: Fraction | None = None
                for frame in container.decode(stream):
                    if frame.pts is None:
                        continue
                    time = frame.pts * Fraction(frame.time_base or 1)
                    zero = time if zero is None else zero
                    end = begin + time - zero + length
                    yield begin + time - zero, frame
        except (av.FFmpegError, IndexError) as error:
            raise BackendError(
                f"a clip's video cannot be decoded: {error}", "`mikebot check` probes given files."
            ) from error
        begin = end


def _matrix(frame: Any) -> Colorspace:
    """The source's own matrix; where it does not say, BT.601 for small pictures and BT.709 for large ones."""
    if frame.colorspace in _SWS:
        return _SWS[frame.colorspace]
    return Colorspace.ITU709 if frame.height >= 720 else Colorspace.ITU601


def _range(frame: Any) -> ColorRange:
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    return ColorRange.JPEG if full or "yuv" not in frame.format.name else ColorRange.MPEG
