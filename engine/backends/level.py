"""The sound of one scene: its voice levelled, mixed with what is below it, encoded, and measured as it will be heard.

What a scene keeps for the film is measured on the decoded packets, so the film's loudness and true peak are
those of the file that people play. `levels` (JSON): hop (960 samples), samples, energies (see loudness.py),
true_peak (a magnitude), integrated (LUFS; null where nothing is heard), gain (dB, of the voice).
"""

from __future__ import annotations

import json
import wave
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import BackendError
from ..kinds import PACKET, SAMPLE_RATE, Inputs, Tell
from . import aac, duck, mix
from .limiter import limited
from .loudness import HOP, Sound, alone, decibels, energies, true_peak

SILENCE = SAMPLE_RATE // 10  # What a narration has at both ends, in samples.
CLOSE = 0.05  # LU from the loudness asked for.
TRIES = 5
MARGIN = 0.8  # dB that the coder may add to a peak, at first.
WARM = 3  # Energies of what sounds before the scene: the filters still ring of it.


class Coded(NamedTuple):
    """A scene's packets (the tail last), and what they sound like."""

    config: bytes
    packets: list[bytes]
    heard: Sound  # From WARM energies before the scene on.
    peak: float


class Parts(NamedTuple):
    """The voice, and what is below it from before the scene to after it; both channels x samples."""

    voice: Sound
    gain: float  # dB by which the voice was raised.
    bed: Sound


def make(params: Any, inputs: Inputs, out: Path, tell: Tell) -> None:
    """Write `packets` and `levels`."""
    tell.progress(0, 100)
    found = parts(params, inputs, tell)
    coded = _coded(found, params, tell)
    aac.write(out / "packets", coded.config, coded.packets, params.phase, params.samples)
    tell.progress(95, 100)
    sums = energies(coded.heard, WARM)
    levels = {
        "energies": [float(f"{value:.9g}") for value in sums],
        "gain": round(found.gain, 3),
        "hop": HOP,
        "integrated": _rounded(alone(sums)),
        "samples": params.samples,
        "true_peak": float(f"{coded.peak:.9g}"),
    }
    (out / "levels").write_text(json.dumps(levels, sort_keys=True, separators=(",", ":")), encoding="utf-8")
    tell.progress(100, 100)


def parts(params: Any, inputs: Inputs, tell: Tell) -> Parts:
    """What the scene's sound is mixed of, each at its loudness."""
    audio = inputs.get("audio")
    sound = _placed(audio, params.samples)
    tell.progress(10, 100)
    said = None if audio is None else duck.spoken(sound)
    bed = mix.bed(params, inputs, said, aac.around(params.phase, params.samples), tell)
    tell.progress(20, 100)
    voice, gain = _levelled(sound, params, _share(tell, 20, 40))
    return Parts(np.broadcast_to(voice, (params.channels, len(voice))), gain, bed)


def _coded(found: Parts, params: Any, tell: Tell) -> Coded:
    """The scene's packets.

    What the coder does to a peak is known only afterwards: where it is too much, the limiter's ceiling is
    lowered by that.
    """
    ceiling = params.peak - MARGIN
    bits, skipped = params.bits * (1 + params.channels) // 2, aac.skipped(params.phase)
    before = (aac.CONTEXT + 1) * PACKET + params.phase - WARM * HOP
    for attempt in range(TRIES):
        config, packets = aac.encode(
            _mixed(found, params, ceiling, lambda: tell.progress(40, 100)), bits, _share(tell, 40, 80)
        )
        packets = packets[: skipped + aac.owned(params.phase, params.samples) + 1]
        heard = aac.decode(config, packets, before, params.samples + WARM * HOP)
        tell.progress(90, 100)
        peak = true_peak(heard[:, WARM * HOP :])
        over = (decibels(peak) or -200) - params.peak
        if over < 0:
            return Coded(config, packets[skipped:], heard, peak)
        ceiling -= over + 0.1 * (attempt + 1)
    raise BackendError(
        f"the sound's true peak does not get below {params.peak:g} dBTP once it is encoded",
        "Ask for less loudness, or for more bits in the profile.",
    )


def _mixed(found: Parts, params: Any, ceiling: float, alive: Callable[[], None]) -> Sound:
    """All that sounds, its peaks under the ceiling (dBTP), from before the scene to after it."""
    mixed = found.bed.copy()
    before = aac.around(params.phase, params.samples)[0]
    mixed[:, before : before + params.samples] += found.voice
    return limited(mixed, 10 ** (ceiling / 20), alive)


def _levelled(sound: Sound, params: Any, said: Callable[[int, int], None]) -> tuple[Sound, float]:
    """The voice at the film's loudness, its peaks limited, for each channel; the gain in decibels.

    The loudness is that of all channels together. Turning peaks down costs loudness, so what is lost is added to
    the gain and the peaks are turned down again.
    """
    found = alone(energies(sound))
    if found is None:
        return sound, 0.0
    wanted = params.loudness - 10 * float(np.log10(params.channels))
    ceiling, most = params.peak - MARGIN, params.raise_by
    gain = min(wanted - found, most)
    for attempt in range(TRIES):
        louder = sound * np.float32(10 ** (gain / 20))
        levelled = limited(louder, 10 ** (ceiling / 20), partial(said, attempt, TRIES))
        missing = wanted - (alone(energies(levelled)) or wanted)
        if abs(missing) < CLOSE or gain + missing > most:
            break
        gain += missing
    return levelled, gain


def _placed(audio: Path | None, samples: int) -> Sound:
    """The narration from the scene's start, silence after it; full scale is 1."""
    placed = np.zeros(samples, np.float32)
    if audio is None:
        return placed
    sound = _pcm(audio)
    if len(sound) > samples:
        raise BackendError(
            f"the narration lasts {len(sound)} samples, its scene only {samples}", "Plan the scene again."
        )
    placed[: len(sound)] = sound
    placed /= 32768
    if placed[:SILENCE].any() or placed[-SILENCE:].any():
        raise BackendError(
            "the narration does not begin and end with 0.1 s of digital silence",
            "Scenes are joined there; the narration's backend must leave it.",
        )
    return placed


def _pcm(audio: Path) -> np.ndarray[Any, np.dtype[np.int16]]:
    try:
        with wave.open(str(audio)) as file:
            shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            frames = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as fault:
        raise BackendError(f"the narration is not a WAV file: {fault}", "Run `mikebot verify`.") from fault
    if shape != (1, 2, SAMPLE_RATE):
        raise BackendError(
            f"the narration has {shape[0]} channels of {8 * shape[1]} bits at {shape[2]} Hz",
            "A narration is mono, 16 bits, 48000 Hz.",
        )
    return np.frombuffer(frames, "<i2")


def _share(tell: Tell, start: int, end: int) -> Callable[[int, int], None]:
    """Progress of a part of the work, told as a part of the whole."""
    return lambda done, total: tell.progress(start + (end - start) * done // max(1, total), 100)


def _rounded(level: float | None) -> float | None:
    return None if level is None else round(level, 3)
