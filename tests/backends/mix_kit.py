"""Scenes over music for the tests of the mix: spoken or silent, made apart, heard in a row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from film_kit import HEIGHT, WIDTH, Quiet, join, write_scene, write_wav

from engine.backends import aac
from engine.backends.film import Mp4
from engine.backends.music import Pcm
from engine.backends.sound import Aac
from engine.kinds import Inputs, numbered

RATE = 48000


class Part(NamedTuple):
    """A scene of the film: its length, and what is said in it (None: nobody speaks)."""

    samples: int
    speech: np.ndarray[Any, Any] | None


def chords(seconds: float, seed: int = 0, loud: float = 0.2) -> np.ndarray[Any, Any]:
    """Music of a kind: chords with an attack every half second, different on both sides; samples x 2."""
    at = np.arange(round(seconds * RATE)) / RATE
    beat = np.exp(-4 * (at % 0.5))
    sides = []
    for side in (0, 1):
        turns = [110 * 2 ** ((k + seed + side) / 12) * at for k in (0, 4, 7, 12, 19)]
        sides.append(loud * beat * sum(np.sin(2 * np.pi * turn) for turn in turns) / 3)
    return np.stack(sides, axis=1)


def steady(seconds: float, hertz: float = 1000, loud: float = 0.1) -> np.ndarray[Any, Any]:
    """A tone that never changes: what happens to it is the mix's doing; samples x 2."""
    tone = loud * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)
    return np.repeat(tone[:, None], 2, axis=1)


def write_stereo(path: Path, sound: np.ndarray[Any, Any], rate: int = RATE) -> Path:
    """Samples x channels, from -1 to 1, as 16-bit PCM."""
    return write_wav(path, np.asarray(sound).reshape(-1), rate, np.asarray(sound).shape[1])


def make_music(folder: Path, given: Path, seconds: int, loop: bool = True) -> Path:
    """Run music.pcm."""
    folder.mkdir(parents=True, exist_ok=True)
    Pcm().run(Pcm.Params(seconds=seconds, loop=loop), Inputs(file=given), folder, Quiet())
    return folder / "audio"


def placed(parts: Sequence[Part], fade: int = RATE, **knobs: Any) -> list[Aac.Params]:
    """What the plan would say of each scene's sound."""
    total, start, found = sum(part.samples for part in parts), 0, []
    spoken = [part.speech is not None for part in parts]
    for number, part in enumerate(parts):
        left = total - start
        music = {
            "at": start,
            "gain": -8.0,
            "duck": 12.0,
            "before": number > 0 and spoken[number - 1],
            "after": number + 1 < len(parts) and spoken[number + 1],
            "left": left if left - part.samples < fade else 0,
            "fade": fade,
        }
        said = {"samples": part.samples, "phase": start % 1024, "loudness": -16.0, "channels": 2, "music": music}
        found.append(Aac.Params(**{**said, **knobs}))
        start += part.samples
    return found


def make_sounds(folder: Path, parts: Sequence[Part], music: Path | None, said: Sequence[Any]) -> list[Path]:
    """Run sound.aac for each scene; each folder holds packets and levels."""
    made = []
    for number, (part, params) in enumerate(zip(parts, said, strict=True)):
        out = folder / str(number)
        out.mkdir(parents=True, exist_ok=True)
        inputs = Inputs()
        if music is not None:
            inputs["music"] = music
        if part.speech is not None:
            inputs["audio"] = write_wav(out / "audio.wav", part.speech)
        Aac().run(params, inputs, out, Quiet())
        made.append(out)
    return made


def packets_of(path: Path) -> tuple[aac.Packets, list[bytes]]:
    """A file of packets, and its packets; the tail is the last."""
    found = aac.read(path)
    data, at, packets = path.read_bytes(), found.offset, []
    for size in [*found.sizes, found.tail]:
        packets.append(data[at : at + size])
        at += size
    return found, packets


def heard_in_a_row(made: Sequence[Path], samples: int) -> aac.Sound:
    """The scenes' packets as a player hears them one after the other, 2 x samples."""
    found = [packets_of(folder / "packets") for folder in made]
    packets = [packet for _, own in found for packet in own[:-1]] + [found[-1][1][-1]]
    return aac.decode(found[0][0].config, packets, 1024, samples)


def make_mixed_film(
    folder: Path, parts: Sequence[Part], music: Path | None, said: Sequence[Any], channels: int = 2
) -> Path:
    """Run film.mp4 over scenes of 25 frames a second; the folder then holds film, loudness and sounds."""
    inputs, frames = Inputs(), [part.samples // 1920 for part in parts]
    for number, made in enumerate(make_sounds(folder, parts, music, said), 1):
        scene = write_scene(folder / f"scene{number}", frames[number - 1], shade=40 + 20 * number)
        files = {"scene": scene, "packets": made / "packets", "levels": made / "levels"}
        inputs |= {numbered(name, number): path for name, path in files.items()}
    size = {"fps": "25", "width": WIDTH, "height": HEIGHT}
    titles = tuple(f"Scene {n}" for n in range(1, len(parts) + 1))
    join(
        folder,
        Mp4.Params("Doors", "en", **size, frames=tuple(frames), chapters=titles, spoken=(), channels=channels),
        inputs,
    )
    return folder / "film"


def level(sound: np.ndarray[Any, Any]) -> float:
    """Root mean square in dBFS."""
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-12))
