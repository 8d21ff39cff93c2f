"""What is wrong with a stretch of a recording, measured: clipped, noisy, dull, music, more than one voice.

Each figure is told with its limit, so that whoever recorded can see by how much it was missed. They find what spoils
a voice, and are no proof: two people of the same pitch pass, which the report says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..backends.heard import PAUSE, WINDOW, Pause
from ..kinds import SAMPLE_RATE
from . import pitch
from .cutting import LONG, SHORT, Span
from .recordings import Recording

QUIET = 30 / 32768  # A peak below this is silence.
CLIPPED = 2e-4  # Share of samples that lie flat at the peak: a tenth of a second in eight minutes is none.
NOISY = 20.0  # dB from the noise in the pauses to the voice.
DULL = -45.0  # dB from 1 to 3.4 kHz to 4.6 to 7 kHz: a telephone has nothing there, a voice its s and f.
TONAL = 0.5  # Share of the loudest partials that stand still for a fifth of a second, as held notes do.
APART = 5.0  # Semitones between the pitches of two phrases, or of an utterance and all others.
_SIZE, _STEP = 4096, SAMPLE_RATE // 50
_STILL = 10  # Steps of a fifth of a second.


class Measured(NamedTuple):
    """The figures of one utterance; None where they cannot be told."""

    peak: float
    clipped: float
    snr: float | None
    dull: float
    tonal: float
    pitch: float | None  # Semitones.
    spread: float  # Semitones between its lowest and its highest phrase.


def measured(recording: Recording, span: Span, silences: Sequence[Pause]) -> Measured:
    """Look at one stretch of a recording; `silences` are those of the whole."""
    sound = recording.sound[span.start : span.end]
    inside = (recording.clipped >= span.start) & (recording.clipped < span.end)
    spectrum = _spectrum(sound)
    pitches = pitch.fundamentals(sound)
    return Measured(
        float(np.abs(sound.astype(np.int32)).max(initial=0)) / 32768,
        float(np.count_nonzero(inside)) / max(1, span.samples),
        _snr(recording.sound, span),
        _dull(spectrum),
        _tonal(spectrum),
        pitch.semitones(pitches),
        _spread(pitches, span, silences),
    )


def fault(found: Measured, samples: int) -> str:
    """Why an utterance is left out; empty if it is good."""
    return next(_faults(found, samples / SAMPLE_RATE), "")


def _faults(found: Measured, seconds: float) -> Iterator[str]:
    """What is worst comes first."""
    short, long = SHORT // SAMPLE_RATE, LONG // SAMPLE_RATE
    if found.peak < QUIET:
        yield "silent"
    if found.clipped > CLIPPED:
        yield f"clipped: {found.clipped:.2%} of it lies flat at the loudest level, at most {CLIPPED:.2%} may"
    if found.tonal > TONAL:
        yield f"sounds like music: {found.tonal:.0%} of its tones stand still, at most {TONAL:.0%} may"
    if found.snr is not None and found.snr < NOISY:
        yield f"noisy: the voice is {found.snr:.0f} dB above the noise, {NOISY:.0f} dB are needed"
    if found.dull < DULL:
        yield "8 kHz: nothing is heard above 4 kHz, as on a telephone"
    if seconds < short:
        yield f"too short: {seconds:.1f} s, {short} s are needed"
    if seconds > long:
        yield f"too long: {seconds:.1f} s without a pause, at most {long} s are used"
    if found.spread > APART:
        yield f"perhaps two speakers: its phrases lie {found.spread:.0f} semitones apart, at most {APART:.0f} may"


def strangers(pitches: Sequence[float | None]) -> list[str]:
    """For each utterance that is good so far, why its voice is another than that of most; empty if it is not."""
    known = [one for one in pitches if one is not None]
    middle = float(np.median(known)) if known else 0.0
    return [_stranger(one, middle) if one is not None else "" for one in pitches]


def _stranger(one: float, middle: float) -> str:
    if abs(one - middle) <= APART:
        return ""
    way = "above" if one > middle else "below"
    return f"perhaps another speaker: its pitch is {abs(one - middle):.0f} semitones {way} that of most"


def _snr(sound: NDArray[np.int16], span: Span) -> float | None:
    """From the quietest twentieth of 20 ms, half a second around included, to the loudest half, in dB; None if zero."""
    around = SAMPLE_RATE // 2
    part = sound[max(0, span.start - around) : span.end + around].astype(np.float64)
    count = len(part) // WINDOW
    if count < 20:
        return None
    power = np.sort(np.square(part[: count * WINDOW].reshape(count, WINDOW)).mean(axis=1))
    noise, voice = power[: max(1, count // 20)].mean(), power[count // 2 :].mean()
    return float(10 * np.log10(voice / noise)) if noise > 1 else None


def _spectrum(sound: NDArray[np.int16]) -> NDArray[np.float64]:
    """Power by frame and frequency (11.7 Hz each), of the 5 s in the middle of what is longer."""
    most = 5 * SAMPLE_RATE
    middle = sound[max(0, (len(sound) - most) // 2) :][:most].astype(np.float64) / 32768
    if len(middle) < _SIZE:
        middle = np.pad(middle, (0, _SIZE - len(middle)))
    frames = np.lib.stride_tricks.sliding_window_view(middle, _SIZE)[::_STEP] * np.hanning(_SIZE)
    power: NDArray[np.float64] = np.abs(np.fft.rfft(frames)) ** 2
    return power


def _band(spectrum: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    each = SAMPLE_RATE / _SIZE
    return spectrum[:, int(low / each) : int(high / each)]


def _dull(spectrum: NDArray[np.float64]) -> float:
    below, above = _band(spectrum, 1000, 3400).mean(), _band(spectrum, 4600, 7000).mean()
    return float(10 * np.log10(max(above, 1e-20) / max(below, 1e-20)))


def _tonal(spectrum: NDArray[np.float64]) -> float:
    """Share of the strongest partials from 150 to 3,000 Hz that lie in the same place a fifth of a second later."""
    band = _band(spectrum, 150, 3000)
    loud = band.sum(axis=1) > band.sum(axis=1).max(initial=0) * 0.01
    tops = np.zeros(band.shape, bool)
    tops[:, 1:-1] = (band[:, 1:-1] > band[:, :-2]) & (band[:, 1:-1] > band[:, 2:])
    tops &= band > 0.02 * band.max(axis=1, keepdims=True)
    if len(band) <= _STILL:
        return 0.0
    again = tops[_STILL:] & loud[_STILL:, None]
    both = tops[:-_STILL] & again
    between = tops[_STILL // 2 : -_STILL // 2]
    count = np.count_nonzero(again)
    return float(np.count_nonzero(both & between)) / count if count >= 20 else 0.0


def _spread(pitches: NDArray[np.float64], span: Span, silences: Sequence[Pause]) -> float:
    """Semitones between the lowest and the highest phrase of an utterance."""
    inner = [
        p for p in silences if p.start > span.start and p.end < span.end and p.end - p.start >= PAUSE * SAMPLE_RATE
    ]
    edges = [0, *((p.start + p.end) // 2 - span.start for p in inner), span.samples]
    each = [pitches[a * 50 // SAMPLE_RATE : b * 50 // SAMPLE_RATE] for a, b in pairwise(edges)]
    found = [tone for tone in map(pitch.semitones, each) if tone is not None]
    return max(found) - min(found) if len(found) > 1 else 0.0
