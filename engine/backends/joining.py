"""The samples of a narration: resampled, trimmed, joined, and written beside their timing.

Samples are int16 at 48 kHz once they are a Piece; at the voice's own rate before.
"""

from __future__ import annotations

import json
import math
import wave
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendError
from ..kinds import SAMPLE_RATE

Sound = NDArray[np.int16]
Interval = tuple[int, int, str]

TAPS = 64  # Of the resampling filter, in samples of the lower of the two rates.
BETA = 9.0  # Of its Kaiser window: images lie 90 dB down.
PASS = 0.93  # Its cutoff, as a share of the lower Nyquist frequency.
AUDIBLE = 100  # Of 32768: -50 dB; what lies below at either end of a sentence is trimmed.
BEFORE, AFTER = SAMPLE_RATE // 50, SAMPLE_RATE // 16  # What stays around what is audible: 20 ms, 62.5 ms.
FADE = SAMPLE_RATE // 200  # 5 ms, within BEFORE and AFTER: the cut ends at zero.


class Piece(NamedTuple):
    """One sentence at 48 kHz, trimmed; words and phones count from its first sample."""

    sound: Sound
    words: list[Interval]
    phones: list[Interval]


def piece(sound: Path, timing: Path) -> Piece:
    """Read a sentence. It depends on nothing but its own two files."""
    samples, rate = read(sound)
    told = json.loads(timing.read_bytes())
    if told["rate"] != rate:
        raise BackendError(f"a sentence's sound has {rate} samples a second, its timing {told['rate']}")
    resampled = resample(samples, rate)
    start, end = _audible(resampled)
    cut = _faded(resampled[start:end])
    words, phones = (_moved(told[name], rate, start, len(cut)) for name in ("words", "phones"))
    return Piece(cut, words, phones)


def join(pieces: Sequence[Piece], lead: float, pause: float, tail: float) -> tuple[Sound, dict[str, Any]]:
    """All pieces with silence (zeros) around them; the texts of sentences are parted by one space."""
    sounds: list[Sound] = [_silence(lead)]
    words: list[Interval] = []
    phones: list[Interval] = []
    for number, (part, (position, _)) in enumerate(zip(pieces, places(pieces, lead, pause), strict=True)):
        if number:
            sounds.append(_silence(pause))
            words = _parted(words)
        words += [(start + position, end + position, text) for start, end, text in part.words]
        phones += [(start + position, end + position, name) for start, end, name in part.phones]
        sounds.append(part.sound)
    joined = np.concatenate([*sounds, _silence(tail)])
    return joined, {"rate": SAMPLE_RATE, "samples": len(joined), "words": words, "phones": phones}


def places(pieces: Sequence[Piece], lead: float, pause: float) -> list[tuple[int, int]]:
    """Where each piece begins and ends in what `join` makes of them."""
    found: list[tuple[int, int]] = []
    for part in pieces:
        start = found[-1][1] + round(pause * SAMPLE_RATE) if found else round(lead * SAMPLE_RATE)
        found.append((start, start + len(part.sound)))
    return found


def read(path: Path) -> tuple[Sound, int]:
    """Samples and rate of a WAV file that a speech backend wrote."""
    try:
        with wave.open(str(path), "rb") as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                raise BackendError("a sentence's sound is not 16-bit mono", "Mend the speech backend that wrote it.")
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            return samples.astype(np.int16), file.getframerate()
    except (wave.Error, EOFError) as error:
        raise BackendError(f"a sentence's sound is no WAV file ({error})", "Mend the speech backend.") from None


def write(sound: Sound, timing: dict[str, Any], out: Path) -> None:
    """`audio` and `timing` as house.md's narration has them."""
    with wave.open(str(out / "audio"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(sound.astype("<i2").tobytes())
    text = json.dumps(timing, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    (out / "timing").write_bytes(text.encode("utf-8", "replace"))


def resample(sound: Sound, rate: int) -> Sound:
    """To 48 kHz by a polyphase windowed sinc; sample n of the result lies at n / 48000 s of the sound.

    Each phase is one row of the filter bank and serves every `up`-th sample. einsum, not a BLAS product: the
    order of its additions does not depend on the number of threads.
    """
    if rate == SAMPLE_RATE or not len(sound):
        return sound
    common = math.gcd(rate, SAMPLE_RATE)
    up, down = SAMPLE_RATE // common, rate // common
    bank = _bank(up, down)
    half = bank.shape[1] // 2
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(sound.astype(np.float32), half), bank.shape[1])
    result = np.empty(-(-len(sound) * up // down), np.float32)
    for phase in range(min(up, len(result))):
        first = phase * down // up
        count = -(-(len(result) - phase) // up)
        rows = windows[first + 1 :: down][:count]
        np.einsum("nk,k->n", rows, bank[phase * down % up], out=result[phase::up])
    return np.clip(np.rint(result), -32768, 32767).astype(np.int16)


@lru_cache(maxsize=4)
def _bank(up: int, down: int) -> NDArray[np.float32]:
    """The filter of each phase: row p is centred p / up of a sample after the middle of its window."""
    scale = min(1.0, up / down)
    half = math.ceil(TAPS / 2 / scale)
    offset = np.arange(-half + 1, half + 1) - np.arange(up)[:, None] / up
    window = np.i0(BETA * np.sqrt(np.clip(1 - (offset / half) ** 2, 0, 1))) / np.i0(BETA)
    bank = np.sinc(offset * scale * PASS) * window
    rows: NDArray[np.float32] = (bank / bank.sum(axis=1, keepdims=True)).astype(np.float32)
    return rows


def _audible(sound: Sound) -> tuple[int, int]:
    """Where a sentence starts and ends, with a little room; all of it if nothing can be heard."""
    loud = np.flatnonzero(np.abs(sound.astype(np.int32)) >= AUDIBLE)
    if not len(loud):
        return 0, len(sound)
    return max(0, int(loud[0]) - BEFORE), min(len(sound), int(loud[-1]) + 1 + AFTER)


def _faded(sound: Sound) -> Sound:
    length = min(FADE, len(sound) // 2)
    gain = np.ones(len(sound), np.float32)
    gain[:length] = np.arange(length, dtype=np.float32) / max(1, length)
    gain[len(sound) - length :] = gain[:length][::-1]
    faded: Sound = np.rint(sound * gain).astype(np.int16)
    return faded


def _moved(intervals: Sequence[Interval], rate: int, cut: int, length: int) -> list[Interval]:
    def at(sample: int) -> int:
        return min(max(sample * SAMPLE_RATE // rate - cut, 0), length)

    return [(at(start), at(end), name) for start, end, name in intervals]


def _parted(words: list[Interval]) -> list[Interval]:
    """Put a space after the last word so far."""
    if not words:
        return words
    *before, (start, end, text) = words
    return [*before, (start, end, text.rstrip() + " ")]


def _silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)
