"""H.264 for scenes: one setting for all of them, so that the film can join them without encoding again.

Same size, rate and knobs give the same parameter sets (avcC). Every scene starts with an IDR picture and no
picture refers across one, so any scene may follow any other. One thread and no scene cuts: the same pictures
give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from ..kinds import rate
from .picture import Planes

if TYPE_CHECKING:
    from .scene import X264Params

# x264 presets look for redundancy that a camera path over a still does not have. Measured at 720p on drawn
# stills: half the processor time of plain veryfast, 1.3 dB less. Without mbtree: it starves what nothing refers
# to, so the last frames before a key frame and at the scene's end stepped by up to 0.3 pixels; now by 0.13.
BRISK = "subme=1:trellis=0:me=dia:rc-lookahead=5:b-adapt=0:partitions=none"
# mbtree also gives other bytes now and then for the same pictures, whatever the preset: 3 of 645 scenes at 64x36.
_EXACT = "min-keyint=1:scenecut=0:open-gop=0:mbtree=0"
_BT709 = 1  # Primaries, transfer and matrix share the number (H.273).
_LIMITED = 1
_LEFT = 1


class Encoder:
    """Takes pictures one by one; `planes` is the memory of the next, and keeps the last one's content."""

    def __init__(self, container: Any, stream: Any, fps: Fraction) -> None:
        self._container = container
        self._stream = stream
        self._step = 1 / fps
        self._done = 0
        # One frame serves for all: libx264 has copied a picture when `encode` returns.
        self._frame = av.VideoFrame(stream.width, stream.height, "yuv420p")
        self._frame.time_base = self._step
        _tag(self._frame)
        self.planes = planes_in(self._frame)

    def add(self) -> None:
        """Encode what `planes` holds."""
        self._frame.pts = self._done
        self._done += 1
        self._container.mux(self._stream.encode(self._frame))

    def end(self) -> None:
        """Encode what the encoder still holds back."""
        self._container.mux(self._stream.encode())


@contextmanager
def encoder(path: Path, params: X264Params) -> Iterator[Encoder]:
    """Write an MP4 with a video track alone; its samples lie in one piece."""
    fps = rate(params.fps)
    options = [f"keyint={max(1, int(params.seek * fps))}", _EXACT, *([BRISK] if params.brisk else [])]
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream: Any = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = params.width, params.height, "yuv420p"
        stream.time_base = 1 / fps
        stream.codec_context.thread_count = 1
        stream.options = {"preset": params.preset, "crf": str(params.crf), "x264-params": ":".join(options)}
        _tag(stream.codec_context)
        encoder = Encoder(container, stream, fps)
        yield encoder
        encoder.end()


def planes_in(frame: Any) -> Planes:
    """The memory of a yuv420p frame as planes; writable."""
    rows = (np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height] for plane in frame.planes)
    return Planes(*(row[:, : plane.width] for row, plane in zip(rows, frame.planes, strict=True)))


def _tag(target: Any) -> None:
    target.color_primaries = target.color_trc = target.colorspace = _BT709
    target.color_range = _LIMITED
