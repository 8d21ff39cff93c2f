"""Decodes music, measures it, brings it to its loudness and repeats it: twice through the file, never all in memory.

What is measured is what is wanted of the file: three hours of music below a film of a minute are decoded for a
minute.
"""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from .. import probe
from ..errors import BackendError
from ..kinds import SAMPLE_RATE, Tell
from . import brought
from .limiter import AROUND, CHUNK, limited
from .loudness import ABSOLUTE, BLOCK, HOP, Meter, Sound, integrated
from .mix import MUSIC

PEAK = -1.1  # dBTP; rounding to 16 bits stays below -1.
SEAM = SAMPLE_RATE // 50  # Samples over which the end leads into the begin.
SHORTEST = SAMPLE_RATE // 2  # What is shorter is no music when it is repeated.
COPIED = 1 << 18  # Samples copied at a time.
EDGE = SAMPLE_RATE // 200  # Samples that lead from silence to the music, and back.


def make(params: Any, source: Path, path: Path, tell: Tell) -> None:
    """Write the music as WAV, 16 bits, stereo."""
    wanted = params.seconds * SAMPLE_RATE
    tell.progress(0, 100)
    try:
        wanted_here = min(wanted, round(probe.audio(source) * SAMPLE_RATE) or wanted)
        gain = _gain(_told(source, wanted, _share(tell, 0, 40, wanted_here)))
        once = path.with_name("once") if params.loop else path
        loud = (piece * np.float32(gain) for piece in _told(source, wanted, _share(tell, 40, 80, wanted_here)))
        count = _write(once, _limited(_led(loud, not params.loop), 10 ** (PEAK / 20)))
    except probe.Unreadable as problem:
        raise BackendError(f"the music that was given: {problem.message}", problem.hint) from None
    if params.loop:
        _repeat(once, count, path, wanted, _share(tell, 80, 100, wanted))
        once.unlink(missing_ok=True)
    tell.progress(100, 100)


def _told(source: Path, wanted: int, said: Callable[[int], None]) -> Iterator[Sound]:
    done = 0
    for piece in brought.pieces(source, Fraction(0), wanted):
        said(done)
        done += piece.shape[1]
        yield piece


def _gain(pieces: Iterable[Sound]) -> float:
    """What brings the music to its loudness, as a magnitude. What is shorter than a block counts as in silence."""
    meter = Meter()
    silence = np.zeros((2, BLOCK * HOP), np.float32)
    for piece in [silence], pieces, [silence]:
        for part in piece:
            meter.add(part)
    found = integrated(meter.energies())
    if found is None:
        raise BackendError(
            f"the music that was given is silent: nothing in it is louder than {ABSOLUTE:g} LUFS",
            "Bring another file, or take `music` out.",
        )
    return float(10 ** ((MUSIC - found) / 20))


def _led(pieces: Iterable[Sound], out: bool) -> Iterator[Sound]:
    """The sound without a click where it begins; nor where it ends, if it is led `out`."""
    done, held = 0, np.zeros((2, 0), np.float32)
    for piece in pieces:
        yield held
        up = np.clip(np.arange(done, done + piece.shape[1]) / EDGE, 0, 1) if done < EDGE else np.ones(1)
        held = piece * up.astype(np.float32)
        done += piece.shape[1]
    count = min(EDGE, held.shape[1]) if out else 0
    held[:, held.shape[1] - count :] *= np.linspace(1, 0, count, dtype=np.float32)
    yield held


def _limited(pieces: Iterable[Sound], ceiling: float) -> Iterator[Sound]:
    """The sound under a ceiling, in parts that are each limited with what is around them."""
    around = 2 * AROUND
    before = np.zeros((2, 0), np.float32)
    held = [before]
    for piece in pieces:
        held.append(piece)
        if sum(part.shape[1] for part in held) < CHUNK + around:
            continue
        sound = np.concatenate([before, *held], axis=1)
        known = before.shape[1]
        yield limited(sound, ceiling)[:, known:-around]
        before = sound[:, max(0, sound.shape[1] - 2 * around) : sound.shape[1] - around]
        held = [sound[:, -around:]]
    sound = np.concatenate([before, *held], axis=1)
    yield limited(sound, ceiling)[:, before.shape[1] :]


def _write(path: Path, pieces: Iterable[Sound]) -> int:
    """Write a WAV; how many samples it has."""
    count = 0
    with wave.open(str(path), "wb") as file:
        _shape(file)
        for piece in pieces:
            file.writeframes(np.rint(np.clip(piece.T, -1, 1) * 32767).astype("<i2").tobytes())
            count += piece.shape[1]
    return count


def _repeat(once: Path, count: int, path: Path, wanted: int, said: Callable[[int], None]) -> None:
    """The music again and again until it is as long as wanted."""
    if count >= wanted:
        once.replace(path)
        return
    if count < SHORTEST:
        raise BackendError(
            f"the music that was given lasts {count / SAMPLE_RATE:.2f} s: too short to be repeated",
            "Bring half a second at least, or say `loop: false` under `music`.",
        )
    with wave.open(str(once)) as file, wave.open(str(path), "wb") as written:
        _shape(written)
        done = 0
        for frames in _turns(file, count):
            said(done)
            written.writeframes(frames[: 4 * (wanted - done)])
            done += len(frames) // 4
            if done >= wanted:
                return


def _turns(file: wave.Wave_read, count: int) -> Iterator[bytes]:
    """Frames of the first turn, then of every other, which begins with the seam."""
    seam = _seam(file, count)
    yield from _part(file, 0, SEAM)
    while True:
        yield from _part(file, SEAM, count - SEAM)
        yield seam


def _seam(file: wave.Wave_read, count: int) -> bytes:
    """The end going down while the begin comes up; no louder than either."""
    head, tail = (np.frombuffer(b"".join(_part(file, at, at + SEAM)), "<i2") for at in (0, count - SEAM))
    up = np.repeat(np.linspace(0, 1, SEAM), 2)
    return np.rint(head * up + tail * (1 - up)).astype("<i2").tobytes()


def _part(file: wave.Wave_read, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, COPIED):
        file.setpos(at)
        yield file.readframes(min(COPIED, end - at))


def _shape(file: wave.Wave_write) -> None:
    file.setnchannels(2)
    file.setsampwidth(2)
    file.setframerate(SAMPLE_RATE)


def _share(tell: Tell, start: int, end: int, total: int) -> Callable[[int], None]:
    """Progress of a part of the work, in samples, told as a part of the whole."""
    return lambda done: tell.progress(start + (end - start) * min(done, total) // max(1, total), 100)
