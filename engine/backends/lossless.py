"""Clips of a model as video that loses nothing: H.264 of red, green and blue, so that the film's is the only loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]  # Frames x height x width x 3, RGB.
_BT709 = 1
_NOTE = "comment"  # A name that MP4 has a place for.
_THREADS = 8  # x264's bytes depend on their number, and not on how many cores there are.
_RGB, _FULL = 0, 2  # A matrix of none, and the full range: as sRGB pictures are.


def write(path: Path, pictures: Pictures, fps: Fraction) -> None:
    """Write an MP4 of the frames as they are. Always as many threads: the same pictures give the same bytes."""
    with writing(path, pictures.shape[1:3], fps) as add:
        for picture in pictures:
            add(picture)


@contextmanager
def writing(path: Path, size: tuple[int, ...], fps: Fraction, said: str = "") -> Iterator[Callable[[Pictures], None]]:
    """Likewise, frame by frame as they come; `size` is (height, width). `said` is what the file says of itself."""
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        if said:
            container.metadata[_NOTE] = said
        stream: Any = container.add_stream("libx264rgb", rate=fps)
        stream.height, stream.width = size
        stream.pix_fmt = "rgb24"
        stream.time_base = 1 / fps
        stream.codec_context.thread_count = _THREADS
        # No B-frames: a chain's clips are put in a row packet by packet.
        stream.options = {"preset": "superfast", "qp": "0", "x264-params": "bframes=0:scenecut=0:open-gop=0"}
        _tag(stream.codec_context)
        number = count()

        def add(picture: Pictures) -> None:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = next(number), 1 / fps
            _tag(frame)
            container.mux(stream.encode(frame))

        yield add
        container.mux(stream.encode())


def note(path: Path) -> str:
    """What a file that was written here says of itself; "" where it says nothing, or is not there any more."""
    try:
        with av.open(str(path), format="mp4") as container:
            return str(container.metadata.get(_NOTE, ""))
    except (av.FFmpegError, OSError):
        return ""


def in_a_row(clips: list[Path], out: Path) -> None:
    """Write clips of the same model, one after the other, into one file; nothing is decoded."""
    with av.open(str(out), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream: Any = None
        begin = 0
        for clip in clips:
            with av.open(str(clip), format="mp4") as source:
                given: Any = source.streams.video[0]
                if stream is None:
                    stream = container.add_stream_from_template(given)
                end = begin
                for packet in source.demux(given):
                    if packet.pts is None:
                        continue
                    # The clip's own clock is fine enough: all clips of a chain have the same.
                    packet.pts, packet.dts = packet.pts + begin, packet.dts + begin
                    end = max(end, packet.pts + (packet.duration or 0))
                    packet.stream = stream
                    container.mux(packet)
                begin = end


def _tag(target: Any) -> None:
    target.color_primaries = target.color_trc = _BT709
    target.colorspace, target.color_range = _RGB, _FULL
