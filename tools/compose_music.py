"""Compose the quiet loop that projects/firewalls brings along: python tools/compose_music.py FILE.ogg

Four chords of eight seconds, a soft pad, a few plucked notes; what rings past the end rings on at the beginning,
so that the loop has no seam.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

RATE = 48000
BAR = 8 * RATE
CHORDS = ((38, 53, 57, 60, 64), (34, 53, 57, 58, 62), (41, 52, 57, 60, 64), (36, 52, 55, 60, 62))  # MIDI notes.
PLUCKED = (69, 72, 76, 74, 72, 67, 69, 64)
Sound = NDArray[np.float64]


def main() -> None:
    loop = np.zeros((2, BAR * len(CHORDS)))
    chance = np.random.default_rng(7)
    for number, chord in enumerate(CHORDS):
        for voice, note in enumerate(chord):
            add(loop, number * BAR, pad(note), 0.5 if voice == 0 else 0.22, (voice - 2) * 0.3)
    for number in range(4 * len(CHORDS)):
        note = PLUCKED[int(chance.integers(len(PLUCKED)))]
        add(loop, number * BAR // 4 + int(chance.integers(3)) * BAR // 16, pluck(note), 0.16, chance.uniform(-0.7, 0.7))
    write(loop / np.abs(loop).max() * 0.5, Path(sys.argv[1]))


def add(loop: Sound, start: int, sound: Sound, level: float, side: float) -> None:
    """Lay a sound into the loop, around its end if need be; side is from -1 (left) to 1 (right)."""
    at = (start + np.arange(sound.size)) % loop.shape[1]
    for channel, share in enumerate((1 - side, 1 + side)):
        loop[channel, at] += sound * level * share / 2


def pad(note: int) -> Sound:
    """A slow chorus of sines, a second longer than its bar at both ends of its swell."""
    time = np.arange(BAR + 2 * RATE) / RATE
    swell = np.clip(time / 2, 0, 1) * np.clip((time[-1] - time) / 3, 0, 1)
    voices = [np.sin(2 * np.pi * pitch(note) * (1 + detune) * time) for detune in (-0.0012, 0, 0.0014)]
    over = 0.18 * np.sin(4 * np.pi * pitch(note) * time)
    return np.asarray((sum(voices) + over) * np.sin(np.pi / 2 * swell) ** 2 / 3)


def pluck(note: int) -> Sound:
    """A struck string, soft: each overtone dies sooner than the one below."""
    time = np.arange(4 * RATE) / RATE
    parts = [np.sin(2 * np.pi * pitch(note) * n * time) * np.exp(-time * (1.2 + n)) / n**1.8 for n in (1, 2, 3, 4)]
    return np.asarray(sum(parts) * np.clip(time / 0.006, 0, 1))


def pitch(note: int) -> float:
    return float(440 * 2 ** ((note - 69) / 12))


def write(loop: Sound, path: Path) -> None:
    with av.open(str(path), "w", format="ogg", options={"fflags": "+bitexact"}) as container:
        stream: Any = container.add_stream("libopus", rate=RATE, layout="stereo")
        stream.bit_rate = 56000
        for start in range(0, loop.shape[1], 960):
            block = np.ascontiguousarray(loop[:, start : start + 960].T.reshape(1, -1) * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    main()
