"""The scene's sound as the mouth model hears it: 16 kHz, mono, and of its features never all at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import probe
from ..errors import BackendError
from .diffusion import library

if TYPE_CHECKING:
    from torch import Tensor


def read(file: Path, seconds: float = 0.0) -> Tensor:
    """A sound of any rate and number of channels; with silence after its end until so many seconds are full."""
    import av

    from ..models.latentsync.mel import HOP, RATE, sound_of

    resampler = av.AudioResampler("s16", "mono", RATE)
    try:
        with probe.open_media(file, probe.AUDIO_HINT) as container:
            stream = probe.stream_of(container, "audio", probe.AUDIO_HINT)
            frames = [part for frame in container.decode(stream) for part in resampler.resample(frame)]
            frames += resampler.resample(None)
    except probe.Unreadable as problem:
        raise BackendError(f"the narration cannot be decoded: {problem.message}", problem.hint) from None
    sound = np.concatenate([np.zeros(0, np.int16), *(frame.to_ndarray()[0] for frame in frames)])
    missing = max(0, int(np.ceil(seconds * RATE)) + 2 * HOP - len(sound)) if seconds else 0
    return sound_of(np.pad(sound, (0, missing)))


class Hearing:
    """What each frame hears; asked in order, it holds two pieces of 30 s at most."""

    def __init__(self, ear: Any, sound: Tensor, overlap: float, fps: float) -> None:
        from ..models.latentsync import mel, whisper

        self._steps = len(sound) // mel.HOP // 2
        self._parts: Iterator[Tensor] = whisper.streamed(ear, sound, overlap)
        self._fps = fps
        self._first = 0
        self._held: Tensor | None = None

    def at(self, frame: int) -> Tensor:
        """(S, D), step after step, of a frame of the model. Raises BackendError where there is no sound."""
        from ..models.latentsync.hearing import step_indices

        if not self._steps:
            raise BackendError("the sound is too short: it is less than 20 ms", "Give a longer one, or silence.")
        wanted = step_indices(frame, self._steps, self._fps)
        held = self._upto(min(wanted), max(wanted))
        return held[[step - self._first for step in wanted]].flatten(0, 1)

    def _upto(self, first: int, last: int) -> Tensor:
        """Hear more until the last step is there, and forget what no later frame asks for."""
        held = next(self._parts) if self._held is None else self._held
        while self._first + len(held) <= last:
            gone = min(max(first - self._first, 0), len(held))
            held = library("torch").cat([held[gone:], next(self._parts)])
            self._first += gone
        self._held = held
        return held
