"""Frames of a video file in their order: from a moment on, without combs, with the times they are shown at."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from .. import probe
from ..errors import BackendError


class Frame(NamedTuple):
    """A decoded frame (PyAV), and the width of its pixels in their heights."""

    picture: Any
    pixel: Fraction


class Moment(NamedTuple):
    """A frame, when it is first shown, and about how long: in seconds from the moment asked for."""

    time: Fraction
    length: Fraction
    frame: Frame


def moments(clip: Path, start: Fraction = Fraction(0)) -> Iterator[Moment]:
    """The frames of a clip from `start` seconds on; a few before it, with negative times, come first.

    Where the file ends before `start`, its last frames come. Raises BackendError.
    """
    try:
        with probe.open_media(clip, probe.VIDEO_HINT) as container:
            stream = probe.stream_of(container, "video", probe.VIDEO_HINT)
            length = 1 / Fraction(stream.average_rate or 25)
            for time, picture in _from(container, stream, start):
                yield Moment(time - start, length, Frame(picture, pixel_of(stream)))
    except probe.Unreadable as problem:
        raise BackendError(f"a clip's video cannot be decoded: {problem.message}", problem.hint) from None


def pixel_of(stream: Any) -> Fraction:
    """The width of the stream's pixels in their heights."""
    return Fraction(stream.codec_context.sample_aspect_ratio or stream.sample_aspect_ratio or 1)


def progressive(frames: Iterator[Any], stream: Any) -> Iterator[Any]:
    """Frames that were recorded as two half pictures made whole; the others as they are."""
    for frame in frames:
        if frame.interlaced_frame:
            yield from _woven(chain([frame], frames), stream)
            return
        yield frame


def _from(container: Any, stream: Any, start: Fraction) -> Iterator[tuple[Fraction, Any]]:
    """Times from the film's beginning, and frames, from the last key frame before `start` on."""
    frames = _timed(container, stream)
    first = next(frames, None)
    if first is None:
        return
    zero = first[0]
    if start > 0:
        container.seek(int((zero + start) / Fraction(stream.time_base)), stream=stream)
        frames = _timed(container, stream)
        first = next(frames, None)
        if first is None or first[0] > zero + start:  # The index is wrong, or speaks of more than there is.
            container.seek(stream.start_time or 0, stream=stream)
            frames = _timed(container, stream)
            first = next(frames)
    for time, frame in chain([first], frames):
        yield time - zero, frame


def _timed(container: Any, stream: Any) -> Iterator[tuple[Fraction, Any]]:
    for frame in progressive(container.decode(stream), stream):
        if frame.pts is not None:
            yield frame.pts * Fraction(frame.time_base or 1), frame


def _woven(frames: Iterator[Any], stream: Any) -> Iterator[Any]:
    """Through FFmpeg's bwdif, which leaves frames alone that are whole already; one frame for each."""
    import av

    graph = av.filter.Graph()
    source = graph.add_buffer(template=stream)
    weave = graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
    sink = graph.add("buffersink")
    source.link_to(weave)
    weave.link_to(sink)
    graph.configure()
    for frame in chain(frames, [None]):
        graph.vpush(frame)
        while True:
            try:
                yield graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                break
