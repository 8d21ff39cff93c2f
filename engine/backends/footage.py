"""Frames taken from real video: brought to the film's rate, size and colours, one decoded frame at a time."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

from ..errors import BackendError
from . import ground, toned
from .decoded import Frame, Moment, moments
from .encode import planes_in
from .picture import Planes, planes_of

_SWS = {1: Colorspace.ITU709, 4: Colorspace.FCC, 5: Colorspace.ITU601, 6: Colorspace.ITU601, 7: Colorspace.SMPTE240M}
_SWS |= {9: Colorspace.BT2020, 10: Colorspace.BT2020}
_BETWEEN_WORDS = 8  # Decoded frames between two signs of life: there may be many for one of the film.
_SMOOTH = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT


class Footage:
    """The frame that is shown at the time of each frame of the film; the last one is held.

    `start` is how many seconds of the first clip are left out; `fit` is fill or fit, as kinds.Scene has it.
    """

    def __init__(
        self,
        clips: Sequence[Path],
        size: tuple[int, int],
        fps: Fraction,
        alive: Callable[[], None],
        start: Fraction = Fraction(0),
        fit: str = "fill",
    ) -> None:
        self._fps = fps
        self._size = size
        self._whole = fit == "fit"
        self._frames = enumerate(_timed(clips, alive, start))
        first = next(self._frames, None)
        if first is None:
            raise BackendError("a clip's video has no frame that can be decoded")
        self._now: tuple[int, Moment] = first
        self._after = next(self._frames, None)

    def key(self, frame: int) -> Hashable:
        """Which decoded frame stands for a frame of the film; asked in order.

        A frame is shown until the next one is due, however long that is; what is due in the first half of a
        film's frame comes with it.
        """
        due = (frame + Fraction(1, 2)) / self._fps
        while self._after is not None and self._after[1].time <= due:
            self._now, self._after = self._after, next(self._frames, None)
        return self._now[0]

    def draw(self, frame: int, out: Planes) -> None:
        """Fill `out` with the frame that `key` found."""
        for target, plane in zip(out, shown(self._now[1].frame, *self._size, self._whole), strict=True):
            target[:] = plane

    def pixels(self) -> NDArray[np.uint8]:
        """The frame that `key` found in its own size: (H, W, 3), RGB, upright, of square pixels."""
        return rgb(self._now[1].frame)


def rgb(frame: Frame) -> NDArray[np.uint8]:
    """A frame in its own size, upright, as 8-bit RGB; what is RGB already stays as it is."""
    picture = frame.picture
    across = max(1, round(picture.width * frame.pixel))
    source = {"src_colorspace": _matrix(picture), "src_color_range": _range(picture), "interpolation": _SMOOTH}
    transfer, primaries = int(picture.color_trc), int(picture.color_primaries)
    if toned.needed(transfer, primaries):
        deep = picture.reformat(across, picture.height, "rgb48le", dst_color_range=ColorRange.JPEG, **source)
        pixels = toned.toned(deep.to_ndarray(), transfer, primaries)
    else:
        plain = picture.reformat(across, picture.height, "rgb24", dst_color_range=ColorRange.JPEG, **source)
        pixels = plain.to_ndarray()
    return np.ascontiguousarray(np.rot90(pixels, round(picture.rotation / 90) % 4))


def shown(frame: Frame, width: int, height: int, whole: bool = False) -> Planes:
    """A frame, upright, in BT.709 and its pixels' shape: covering a size, or wholly within it on a ground of itself."""
    turns = round(frame.picture.rotation / 90) % 4
    wide, high = (height, width) if turns % 2 else (width, height)
    shape = frame.picture.width * frame.pixel, Fraction(frame.picture.height)
    picture = _covering(frame.picture, shape, wide, high)
    if whole:
        across, down = ground.within(shape, wide, high)
        if (across, down) != (wide, high):
            picture = ground.framed(picture, _scaled(frame.picture, across, down))
    return Planes(*(np.rot90(plane, turns) for plane in picture))


def _covering(picture: Any, shape: tuple[Fraction, Fraction], wide: int, high: int) -> Planes:
    """Scaled until it covers a size, and cut around its middle."""
    scale = max(wide / shape[0], high / shape[1])
    across, down = (max(least, round(side * scale / 2) * 2) for side, least in zip(shape, (wide, high), strict=True))
    return _scaled(picture, across, down).part((across - wide) // 4 * 2, (down - high) // 4 * 2, wide, high)


def _scaled(picture: Any, across: int, down: int) -> Planes:
    """In BT.709, limited range, at an even size."""
    source = {"src_colorspace": _matrix(picture), "src_color_range": _range(picture), "interpolation": _SMOOTH}
    transfer, primaries = int(picture.color_trc), int(picture.color_primaries)
    if toned.needed(transfer, primaries):
        rgb = picture.reformat(across, down, "rgb48le", dst_color_range=ColorRange.JPEG, **source).to_ndarray()
        return planes_of(toned.toned(rgb, transfer, primaries))
    target = {"dst_colorspace": Colorspace.ITU709, "dst_color_range": ColorRange.MPEG}
    return planes_in(picture.reformat(across, down, "yuv420p", **source, **target))


def _timed(clips: Sequence[Path], alive: Callable[[], None], start: Fraction) -> Iterator[Moment]:
    """Every frame of the clips in a row; times are from `start` on."""
    begin = Fraction(0)
    for place, clip in enumerate(clips):
        end = begin
        for number, moment in enumerate(moments(clip, start if place == 0 else Fraction(0))):
            if number % _BETWEEN_WORDS == 0:
                alive()
            end = begin + moment.time + moment.length
            yield moment._replace(time=begin + moment.time)
        begin = end


def _matrix(frame: Any) -> Colorspace:
    """The source's own matrix; where it does not say, BT.601 for small pictures and BT.709 for large ones."""
    if frame.colorspace in _SWS:
        return _SWS[frame.colorspace]
    return Colorspace.ITU709 if frame.height >= 720 else Colorspace.ITU601


def _range(frame: Any) -> ColorRange:
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    return ColorRange.JPEG if full or "yuv" not in frame.format.name else ColorRange.MPEG
