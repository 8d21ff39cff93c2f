"""Frames taken from real video: brought to the film's rate, size and colours, one decoded frame at a time."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from .. import probe
from ..errors import BackendError
from .encode import planes_in
from .picture import Planes

_UNSAID = 2  # H.273: unspecified.
_SWS = {1: Colorspace.ITU709, 4: Colorspace.FCC, 5: Colorspace.ITU601, 6: Colorspace.ITU601, 7: Colorspace.SMPTE240M}
_SWS |= {9: Colorspace.BT2020, 10: Colorspace.BT2020}
_BETWEEN_WORDS = 8  # Decoded frames between two signs of life: there may be many for one of the film.


class Frame(NamedTuple):
    """A decoded frame (PyAV), and the width of its pixels in their heights."""

    picture: Any
    pixel: Fraction


Timed: TypeAlias = tuple[Fraction, Frame]  # Seconds, and the frame.


class Footage:
    """The frame nearest in time to each frame of the film; the last one is held."""

    def __init__(self, clips: Sequence[Path], size: tuple[int, int], fps: Fraction, alive: Callable[[], None]) -> None:
        self._fps = fps
        self._size = size
        self._frames = enumerate(_timed(clips, alive))
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
        for target, plane in zip(out, covering(*self._now[1][1], *self._size), strict=True):
            target[:] = plane


def covering(frame: Any, pixel: Fraction, width: int, height: int) -> Planes:
    """A decoded frame, upright, in BT.709, scaled to cover a size and cut to it around its middle.

    `pixel` is the width of a pixel of the source, in heights.
    """
    turns = round(frame.rotation / 90) % 4
    wide, high = (height, width) if turns % 2 else (width, height)
    shown = frame.width * pixel, Fraction(frame.height)
    scale = max(wide / shown[0], high / shown[1])
    across, down = (max(least, round(side * scale / 2) * 2) for side, least in zip(shown, (wide, high), strict=True))
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


def _timed(clips: Sequence[Path], alive: Callable[[], None]) -> Iterator[Timed]:
    """Every frame of the clips in a row with its time in seconds from the start of the first."""
    begin = Fraction(0)
    for clip in clips:
        end = begin
        for number, (time, length, frame) in enumerate(_decoded(clip)):
            if number % _BETWEEN_WORDS == 0:
                alive()
            end = begin + time + length
            yield begin + time, frame
        begin = end


def _decoded(clip: Path) -> Iterator[tuple[Fraction, Fraction, Frame]]:
    """The frames of one clip: their times from the first on, about how long they last."""
    try:
        with probe.open_media(clip, probe.VIDEO_HINT) as container:
            stream = probe.stream_of(container, "video", probe.VIDEO_HINT)
            length = 1 / Fraction(stream.average_rate or 25)
            pixel = Fraction(stream.codec_context.sample_aspect_ratio or stream.sample_aspect_ratio or 1)
            zero: Fraction | None = None
            for frame in container.decode(stream):
                if frame.pts is None:
                    continue
                time = frame.pts * Fraction(frame.time_base or 1)
                zero = time if zero is None else zero
                yield time - zero, length, Frame(frame, pixel)
    except probe.Unreadable as problem:
        raise BackendError(f"a clip's video cannot be decoded: {problem.message}", problem.hint) from None


def _matrix(frame: Any) -> Colorspace:
    """The source's own matrix; where it does not say, BT.601 for small pictures and BT.709 for large ones."""
    if frame.colorspace in _SWS:
        return _SWS[frame.colorspace]
    return Colorspace.ITU709 if frame.height >= 720 else Colorspace.ITU601


def _range(frame: Any) -> ColorRange:
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    return ColorRange.JPEG if full or "yuv" not in frame.format.name else ColorRange.MPEG
