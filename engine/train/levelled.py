"""An utterance as a dataset holds it: at one loudness, at the model's rate, 16 bits."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backends import loudness
from ..kinds import SAMPLE_RATE
from . import room

LOUD = -23.0  # LUFS, as EBU R 128 has it: far enough from full scale for any voice.
PEAK = -1.0  # dBTP that is never reached.
BARS = 48


def level(sound: NDArray[np.int16]) -> tuple[NDArray[np.float32], float]:
    """A sound at the dataset's loudness, and by how many dB it was raised; silence stays as it is."""
    wide = sound.astype(np.float32) / np.float32(32768)
    has = loudness.alone(loudness.energies(wide))
    if has is None:
        return wide, 0.0
    highest = loudness.decibels(loudness.true_peak(wide))
    gain = min(LOUD - has, PEAK - (highest if highest is not None else PEAK))
    return wide * np.float32(10 ** (gain / 20)), gain


def resampled(sound: NDArray[np.float32], rate: int) -> NDArray[np.int16]:
    """From 48 kHz to another rate, as 16 bits."""
    import av

    if rate == SAMPLE_RATE:
        return np.rint(np.clip(sound, -1, 1) * 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[None]), format="fltp", layout="mono")
    frame.sample_rate = SAMPLE_RATE
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
    pieces: list[Any] = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([np.zeros(0, np.int16), *(piece.to_ndarray()[0] for piece in pieces)])


def write(path: Path, sound: NDArray[np.int16], rate: int) -> None:
    """A WAV, all of it or none."""
    with room.whole(path) as aside, wave.open(str(aside), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(sound.astype("<i2").tobytes())


def bars(sound: NDArray[np.int16]) -> list[int]:
    """The outline of a sound, from 0 to 100, for a picture of it."""
    parts = np.array_split(np.abs(sound.astype(np.int32)), BARS)
    most = max(1, int(np.abs(sound.astype(np.int32)).max(initial=0)))
    return [int(100 * int(part.max(initial=0)) / most) for part in parts]
