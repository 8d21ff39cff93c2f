"""What sounds below the voice of a scene, and for a moment before and after it: music, footage's own sound, a room."""

from __future__ import annotations

import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import probe
from ..errors import BackendError
from ..kinds import PACKET, SAMPLE_RATE, Inputs, Tell, rate
from . import brought, duck, room
from .limiter import CHUNK, limited
from .loudness import Sound, alone, energies

MUSIC = -23.0  # LUFS of a film's music as it is kept.
BELOW = 4.0  # dB from the film's highest peaks to the music's: what limits the whole leaves the borders alone.
EDGE = 2 * PACKET  # Samples at both ends of a scene where footage is silent, as a narration is.
FADE = SAMPLE_RATE // 50


def bed(params: Any, inputs: Inputs, said: Sequence[duck.Span] | None, reach: tuple[int, int], tell: Tell) -> Sound:
    """All but the voice, channels x (before + samples + after)."""
    before, after = reach
    below = np.zeros((params.channels, before + params.samples + after), np.float32)
    if params.room:
        below += room.tone(params.channels, before, params.samples, after)
    if params.music is not None:
        below += _channels(music(params, inputs["music"], said, reach, lambda: tell.progress(12, 100)), params.channels)
    if params.own is not None:
        tell.progress(16, 100)
        below[:, before : before + params.samples] += _channels(own(params, inputs["footage"], tell), params.channels)
    return below


def music(
    params: Any, path: Path, said: Sequence[duck.Span] | None, reach: tuple[int, int], alive: Callable[[], None]
) -> Sound:
    """The film's music at the scene: at its loudness, down under speech."""
    given, (before, after) = params.music, reach
    count = before + params.samples + after
    sound = _slice(path, given["at"] - before, count)
    sound *= np.float32(10 ** ((params.loudness + given["gain"] - MUSIC) / 20))
    sound = limited(sound, 10 ** ((params.peak - BELOW) / 20), alive)
    spans = duck.down(given, said, params.samples)
    for start in range(0, count, CHUNK):
        alive()
        part = sound[:, start : start + CHUNK]
        deep = given["duck"] * (1 - duck.lift(spans, params.samples, start - before, part.shape[1]))
        part *= (10 ** (-deep / 20) * duck.faded(given, start - before, part.shape[1])).astype(np.float32)
    return sound


def own(params: Any, path: Path, tell: Tell) -> Sound:
    """The footage's own sound, at its level against the film's; silence where it has ended."""
    sound = np.zeros((2, params.samples), np.float32)
    done, start = 0, rate(params.own["start"])
    count = params.samples - min(EDGE, params.samples)
    if params.own.get("end") is not None:
        count = max(0, min(count, round((rate(params.own["end"]) - start) * SAMPLE_RATE)))
    try:
        for part in brought.pieces(path, start, count, picture=True):
            tell.progress(16, 100)
            sound[:, done : done + part.shape[1]] = part
            done += part.shape[1]
    except probe.Unreadable as problem:
        raise BackendError(
            f"the footage's own sound cannot be heard: {problem.message}",
            "Take `sound` out of the scene's `video`, or bring a video with sound.",
        ) from None
    _framed(sound, done)
    found = alone(energies(sound))
    if found is None:
        return np.zeros_like(sound)
    gain = min(params.loudness + params.own["level"] - found, params.raise_by)
    return sound * np.float32(10 ** (gain / 20))


def _framed(sound: Sound, end: int) -> None:
    """Silence at both ends, with short fades: there, each scene is joined to whatever comes."""
    ramp = np.linspace(0, 1, FADE, dtype=np.float32)
    start = min(EDGE, sound.shape[1])
    sound[:, :start] = 0
    sound[:, end:] = 0
    if end - start < 2 * FADE:
        sound[:] = 0
        return
    sound[:, start : start + FADE] *= ramp
    sound[:, end - FADE : end] *= ramp[::-1]


def _slice(path: Path, start: int, count: int) -> Sound:
    """Part of the music; silence before its begin and after its end."""
    sound = np.zeros((2, count), np.float32)
    try:
        with wave.open(str(path)) as file:
            shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            first, end = max(0, start), min(file.getnframes(), start + count)
            frames = b""
            if first < end:
                file.setpos(first)
                frames = file.readframes(end - first)
    except (wave.Error, EOFError) as fault:
        raise BackendError(f"the music is not a WAV file: {fault}", "Run `mikebot verify`.") from fault
    if shape != (2, 2, SAMPLE_RATE):
        raise BackendError(
            f"the music has {shape[0]} channels of {8 * shape[1]} bits at {shape[2]} Hz",
            "A film's music is stereo, 16 bits, 48000 Hz.",
        )
    part = np.frombuffer(frames, "<i2").reshape(-1, 2)
    np.divide(part.T, 32768, out=sound[:, first - start : first - start + len(part)], casting="unsafe")
    return sound


def _channels(sound: Sound, channels: int) -> Sound:
    """Two channels as the film has them."""
    return sound if channels == len(sound) else sound.mean(axis=0, keepdims=True, dtype=np.float32)
