"""Loudness after ITU-R BS.1770-5: K-weighted energies, gating, true peak.

Everything is at 48 kHz, samples as floats with full scale 1, of one channel (samples) or of several (channels x
samples). Energies are summed over channels, so one voice in two channels is 3 dB louder than in one. The
loudness of a film is not the mean of its scenes': gating looks at blocks of 400 ms, each 100 ms later than the
one before, and some lie across a joint. So a scene keeps what the blocks are made of, its K-weighted energies of
20 ms each, and the film puts these in a row. What the filters still ring of from the scene before is in a
scene's energies where `before` says how much of it is given; without music there is silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Sound = NDArray[np.float32]

HOP = 960  # Samples of one energy: 20 ms.
BLOCK, STEP = 20, 5  # Energies in a gating block of 400 ms, and from one block to the next.
ABSOLUTE, RELATIVE = -70.0, -10.0  # The two gates, LUFS and LU (BS.1770-5, annex 1).
TRANSFORM = 1 << 17
CHUNK = HOP * 131  # The filters ring for less than TRANSFORM - CHUNK samples: e**-25 is left.
NEAR = 2048  # Samples of a block that is looked at for peaks, or not.
TAPS = 32  # Of each phase of the oversampling filter; annex 2 asks for 12 at least.


class Part(NamedTuple):
    """The energies of one scene, and where in the film it stands; in samples."""

    start: int
    samples: int
    energies: Floats


def energies(sound: Sound, before: int = 0) -> Floats:
    """Sums of squares of the K-weighted sound, for each 20 ms; the last may hold less than 20 ms.

    The first `before` energies are of what sounds before the scene, and left out.
    """
    meter = Meter()
    for start in range(0, sound.shape[-1], CHUNK):
        meter.add(sound[..., start : start + CHUNK])
    return meter.energies()[before:]


class Meter:
    """Energies of sound that comes in pieces."""

    def __init__(self) -> None:
        self._sums: list[Floats] = []
        self._held: list[Sound] = []
        self._count = 0
        self._heard: Sound | None = None  # What the filters still ring of.

    def add(self, sound: Sound) -> None:
        """Take the next samples, of one channel or of several."""
        self._held.append(np.atleast_2d(sound))
        self._count += self._held[-1].shape[1]
        if self._count >= CHUNK:
            self._weigh(self._count // CHUNK * CHUNK)

    def energies(self) -> Floats:
        """Of all that was taken; nothing can be taken any more."""
        if self._count:
            self._weigh(self._count)
        return np.concatenate(self._sums) if self._sums else np.zeros(0)

    def _weigh(self, samples: int) -> None:
        held = np.concatenate(self._held, axis=1)
        for start in range(0, samples, CHUNK):
            part = held[:, start : min(start + CHUNK, samples)]
            heard = part if self._heard is None else np.concatenate([self._heard, part], axis=1)
            self._sums.append(sum((_sums(channel, part.shape[1]) for channel in heard), np.zeros(1)))
            self._heard = heard[:, -(TRANSFORM - CHUNK) :].copy()
        self._held, self._count = [held[:, samples:]], held.shape[1] - samples


def integrated(sums: Floats) -> float | None:
    """Loudness in LUFS of energies in a row; None where no block is above the absolute gate."""
    total = np.concatenate([[0.0], np.cumsum(sums)])
    first = np.arange(0, len(sums) - BLOCK + 1, STEP)
    blocks = np.maximum(total[first + BLOCK] - total[first], 0) / (BLOCK * HOP)
    blocks = blocks[blocks > _power(ABSOLUTE)]
    if not len(blocks):
        return None
    return _level(float(blocks[blocks > blocks.mean() * 10 ** (RELATIVE / 10)].mean()))


def alone(sums: Floats) -> float | None:
    """Loudness of one scene as it counts in a film: with silence on both sides, all its blocks are looked at."""
    silence = np.zeros(BLOCK)
    return integrated(np.concatenate([silence, sums, silence]))


def combined(parts: Iterable[Part], samples: int) -> Floats:
    """The film's energies from its scenes'.

    Exact where scenes start at multiples of 20 ms (at 25 frames a second they do); elsewhere the energy of
    20 ms is taken to be spread evenly, which moves a block's edge by less than that.
    """
    where, total = [np.zeros(1)], [np.zeros(1)]
    sofar = 0.0
    for start, length, sums in parts:
        ends = np.minimum(np.arange(1, len(sums) + 1) * HOP, length) + start
        total.append(sofar + np.cumsum(sums))
        where.append(ends.astype(np.float64))
        sofar = float(total[-1][-1]) if len(sums) else sofar
    edges = np.arange(0, samples + HOP, HOP)
    return np.diff(np.interp(edges, np.concatenate(where), np.concatenate(total)))


def true_peak(sound: Sound) -> float:
    """The highest magnitude between and at the samples, fourfold oversampled (BS.1770-5, annex 2)."""
    highest = 0.0
    for channel in np.atleast_2d(sound):
        for start in range(0, len(channel), CHUNK):
            part = channel[max(0, start - TAPS) : start + CHUNK + TAPS]
            if float(np.abs(part).max()) * reach() > highest:
                highest = max(highest, float(peaks(part, highest).max()))
    return highest


def peaks(sound: Sound, least: float = 0.0) -> Floats:
    """For each sample of one channel, the highest magnitude from it to the next one; zeros are taken to lie around.

    Where none can be above `least`, it is the sample's own.
    """
    wide = sound.astype(np.float64)
    highest = np.abs(wide)
    for start, end in _stretches(highest, least):
        first = max(0, start - TAPS)
        part = wide[first : end + TAPS]
        for phase in _phases():
            between = np.convolve(part, phase)[TAPS // 2 + start - first :][: end - start]
            np.maximum(highest[start:end], np.abs(between), out=highest[start:end])
    return highest


def _stretches(heights: Floats, least: float) -> Iterator[tuple[int, int]]:
    """Blocks in a row near which a sample is so high that something above `least` can lie between samples."""
    blocks = np.pad(np.maximum.reduceat(heights, np.arange(0, len(heights), NEAR)), 1)
    near = np.maximum(np.maximum(blocks[:-2], blocks[2:]), blocks[1:-1]) * reach() > least
    edges = np.flatnonzero(np.diff(np.pad(near, 1).astype(np.int8)))
    for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        yield first * NEAR, min(last * NEAR, len(heights))


def decibels(magnitude: float) -> float | None:
    """A magnitude against full scale; None for silence."""
    return 20 * float(np.log10(magnitude)) if magnitude > 0 else None


@cache
def _phases() -> tuple[Floats, ...]:
    """Windowed sinc filters that give the sound a quarter, a half and three quarters after each sample."""
    place = np.arange(TAPS) - TAPS // 2
    window = [np.kaiser(4 * TAPS + 1, 6.0)[quarter::4][:TAPS] for quarter in (1, 2, 3)]
    return tuple(np.sinc(place + quarter / 4) * shape for quarter, shape in zip((1, 2, 3), window, strict=True))


@cache
def reach() -> float:
    """How much higher than its samples a sound can be at most."""
    return max(1.0, *(float(np.abs(phase).sum()) for phase in _phases()))


@cache
def _response() -> NDArray[np.complex128]:
    """Both filters of K-weighting at 48 kHz, as a spectrum (BS.1770-5, annex 1, tables 1 and 2)."""
    z = np.exp(-2j * np.pi * np.arange(TRANSFORM // 2 + 1) / TRANSFORM)
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    response: NDArray[np.complex128] = shelf * high
    return response


def _sums(heard: Sound, samples: int) -> Floats:
    """Energies of the last samples of one channel, through the filters with what was before them."""
    part = np.zeros(TRANSFORM)
    part[: len(heard)] = heard
    weighted = np.fft.irfft(np.fft.rfft(part) * _response(), TRANSFORM)[len(heard) - samples : len(heard)]
    return np.add.reduceat(weighted * weighted, np.arange(0, samples, HOP))


def _level(power: float) -> float:
    return -0.691 + 10 * float(np.log10(power))


def _power(level: float) -> float:
    return float(10 ** ((level + 0.691) / 10))
