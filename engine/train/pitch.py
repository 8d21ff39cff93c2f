"""How high a voice is: the fundamental of each 40 ms, by autocorrelation of its spectrum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..kinds import SAMPLE_RATE

Floats = NDArray[np.float64]

DOWN = 6  # To 8 kHz: what is looked for lies below 400 Hz.
RATE = SAMPLE_RATE // DOWN
FRAME, HOP = RATE * 48 // 1000, RATE // 50
LOWEST, HIGHEST = 65.0, 400.0  # Hz of speaking voices, low men's to children's.
VOICED = 0.55  # Of a frame's energy that must come again one period later.


def fundamentals(sound: NDArray[np.int16]) -> Floats:
    """Hz for each 20 ms, 0 where nothing is voiced."""
    low = _lowered(sound)
    if len(low) < FRAME:
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(low, FRAME)[::HOP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    found = np.concatenate([_of(block) for block in np.array_split(frames, -(-len(frames) // 4096))])
    power = np.square(frames).mean(axis=1)
    found[power < power.max() * 1e-3] = 0
    return found


def semitones(pitches: Floats) -> float | None:
    """The middle pitch of what is voiced, in semitones; None where too little is."""
    voiced = pitches[pitches > 0]
    return 12 * float(np.log2(np.median(voiced))) if len(voiced) >= 8 else None


def _lowered(sound: NDArray[np.int16]) -> Floats:
    taps = np.arange(-36, 37) / DOWN
    weights = np.sinc(taps * 0.9) * np.hamming(73)
    return np.convolve(sound.astype(np.float64) / 32768, weights / weights.sum(), "same")[::DOWN]


def _of(frames: Floats) -> Floats:
    """Autocorrelation over that of the window alone (Boersma 1993), and the first lag near its highest value."""
    window = np.hanning(FRAME)
    size = 1 << (2 * FRAME - 1).bit_length()
    own = np.fft.irfft(np.abs(np.fft.rfft(frames * window, size)) ** 2, size)
    shape = np.fft.irfft(np.abs(np.fft.rfft(window, size)) ** 2, size)
    first, last = int(RATE / HIGHEST), int(RATE / LOWEST)
    lags = np.arange(first, last + 1)
    shares = own[:, lags] / np.maximum(own[:, :1], 1e-12) / (shape[lags] / shape[0])
    best = shares.max(axis=1)
    # A period's multiples correlate as well as the period: the first lag that is nearly as good is taken.
    place = np.argmax(shares >= best[:, None] * 0.93, axis=1)
    ahead = np.take_along_axis(shares, np.minimum(place[:, None] + np.arange(6), shares.shape[1] - 1), axis=1)
    place = np.minimum(place + np.argmax(ahead, axis=1), len(lags) - 1)
    return np.where(best >= VOICED, RATE / lags[place], 0.0)
