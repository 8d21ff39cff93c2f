"""The sound of a file that an author brings: any rate and layout, in pieces of two channels at 48 kHz.

More channels than two are brought down with ITU-R BS.775's weights (the middle and the rear at -3 dB, no LFE).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from .. import probe
from ..kinds import SAMPLE_RATE
from .loudness import Sound

EARLY = Fraction(1, 2)  # Seconds that are decoded before what is wanted: a codec needs a start.
NEAR = SAMPLE_RATE // 50  # A place that is off by less is rounding, not a hole.


def pieces(path: Path, start: Fraction, samples: int, picture: bool = False) -> Iterator[Sound]:
    """The first sound of a file from `start` seconds on: at most `samples`, fewer if it ends.

    Seconds count from the sound's begin, and it must be whole; or from that of the `picture`, where holes are silent
    (a screen's recording has some). Raises probe.Unreadable.
    """
    hint = probe.VIDEO_HINT if picture else probe.AUDIO_HINT
    with probe.open_media(path, hint) as container:
        stream = probe.stream_of(container, "audio", hint)
        zero = _begin(probe.stream_of(container, "video", hint) if picture else stream) + start
        if zero > EARLY:
            container.seek(int((zero - EARLY) * av.time_base))
        done = 0
        for time, sound in _decoded(container, stream):
            at = done if time is None else round((time - zero) * SAMPLE_RATE)
            if not picture and done and (time is None or at > done + NEAR):
                raise probe.Unreadable(
                    f"something is missing in it, {done / SAMPLE_RATE:.1f} s from its begin", probe.CUT
                )
            for part in _placed(sound, at, done, samples):
                done += part.shape[1]
                yield part
            if done >= samples:
                return


def _begin(stream: Any) -> Fraction:
    return Fraction(stream.start_time or 0) * Fraction(stream.time_base)


def _decoded(container: Any, stream: Any) -> Iterator[tuple[Fraction | None, Sound]]:
    """Sound and its time; None where a damaged file does not tell it."""
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE)
    for frame in container.decode(stream):
        yield from map(_timed, resampler.resample(frame))
    yield from map(_timed, resampler.resample(None))


def _timed(frame: Any) -> tuple[Fraction | None, Sound]:
    time = None if frame.pts is None else Fraction(frame.pts) * Fraction(frame.time_base)
    return time, frame.to_ndarray()


def _placed(sound: Sound, at: int, done: int, samples: int) -> Iterator[Sound]:
    """What of a sound that begins at a place follows the `done` samples: cut, or after silence."""
    at = done if abs(at - done) < NEAR else at
    hole = min(at, samples) - done
    while hole > 0:
        yield np.zeros((2, min(hole, SAMPLE_RATE)), np.float32)
        done, hole = done + min(hole, SAMPLE_RATE), hole - SAMPLE_RATE
    part = sound[:, max(0, done - at) :][:, : max(0, samples - done)]
    if part.shape[1]:
        yield part
