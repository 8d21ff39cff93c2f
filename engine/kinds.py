"""The contract of each kind of step: what the plan says to it, what it reads, what it writes.

Each class below holds what the *plan* decides. A backend's `Params` extends the class of its kind with
the backend's own knobs, which come from the profile. Rates are text ("25", "30000/1001"), because a
key must not hold a rounded number; `rate()` gives the exact fraction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, Protocol

SAMPLE_RATE = 48000
PACKET = 1024  # Samples in one AAC packet.


@dataclass(frozen=True)
class Speech:
    """One sentence, spoken. Writes `audio` (WAV, 16-bit PCM, mono, any rate) and `timing`."""

    text: str
    language: str = "en"
    pronunciation: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Narration:
    """The sentences of a scene in a row, or the author's recording.

    Reads audio.0001, timing.0001, ..., or `recording`. Writes `audio` (WAV, 16-bit, mono, 48 kHz), `timing`.
    """

    text: str = ""
    language: str = "en"


@dataclass(frozen=True)
class Still:
    """The picture that a scene starts from. Writes `image` (PNG, RGB, width x height)."""

    prompt: str
    width: int
    height: int
    seed: int
    style: str = ""
    persona: Mapping[str, Any] | None = None  # name, trigger, appearance, wardrobe, mouth; None: off screen


@dataclass(frozen=True)
class Clip:
    """Movement from `first`, always the backend's full length. Writes `video` and `last` (PNG)."""

    prompt: str
    number: int  # Place in the chain, from 1.
    frames: int
    fps: str
    width: int
    height: int
    seed: int


@dataclass(frozen=True)
class Talk:
    """The chain's clips with the mouth following the sound. Writes `video` at the film's rate."""

    frames: int
    fps: str
    width: int
    height: int
    persona: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Scene:
    """The picture of one scene, in the final codec, without sound. Writes `video` (MP4)."""

    frames: int
    fps: str
    width: int
    height: int
    burn: bool = False  # Captions drawn into the picture: reads `timing`.


@dataclass(frozen=True)
class Sound:
    """The sound of one scene at its place in the film, levelled and encoded.

    `phase` is the film's sample at which the scene starts, modulo 1024. Writes `packets` (the AAC packets
    that start inside the scene) and `levels` (energies for the film's loudness, and its peak).
    """

    samples: int
    phase: int
    loudness: float


@dataclass(frozen=True)
class Film:
    """Everything joined. Writes `film` (MP4), `vtt`, `srt`, `poster` (JPEG), `loudness` (JSON)."""

    title: str
    language: str
    fps: str
    width: int
    height: int
    frames: tuple[int, ...]  # Of each scene.
    chapters: tuple[str, ...]
    spoken: tuple[int, ...]  # Which scenes (from 0) have a timing; timing.0001 belongs to the first of these.
    captions: str = "soft"
    poster: int = 0  # The scene, from 0, that the poster shows.


class Kind(NamedTuple):
    """Names of inputs and outputs. Inputs marked many are numbered: clip.0001, clip.0002, ..."""

    says: type
    one: tuple[str, ...]
    many: tuple[str, ...]
    outputs: tuple[str, ...]
    facts: tuple[str, ...] = ()  # Numbers that the plan reads; kept in the record beside the digests.


KINDS: Mapping[str, Kind] = {
    "speech": Kind(Speech, ("voice",), (), ("audio", "timing")),
    "narration": Kind(Narration, ("recording",), ("audio", "timing"), ("audio", "timing"), ("samples",)),
    "still": Kind(Still, ("image", "portrait", "look"), (), ("image",)),
    "clip": Kind(Clip, ("first", "still", "video"), (), ("video", "last")),
    "talk": Kind(Talk, ("audio", "timing", "still"), ("clip",), ("video",)),
    "scene": Kind(Scene, ("timing", "still"), ("clip",), ("video",)),
    "sound": Kind(Sound, ("audio",), (), ("packets", "levels")),
    "film": Kind(Film, (), ("scene", "packets", "levels", "timing"), ("film", "vtt", "srt", "poster", "loudness")),
}


class Inputs(dict[str, Path]):
    """The files that a step reads, by the names of its kind."""

    def many(self, name: str) -> list[Path]:
        """The files of a numbered input, in order."""
        return [self[key] for key in sorted(self) if key.startswith(f"{name}.")]


class Tell(Protocol):
    """How a running step speaks to whoever waits for it."""

    def progress(self, done: int, total: int) -> None:
        """Say how far the step is; raises Cancelled when it is not wanted any more."""


def numbered(name: str, number: int) -> str:
    """The name of one of many inputs; number counts from 1."""
    return f"{name}.{number:04}"


def rate(text: str) -> Fraction:
    """Frames a second as an exact fraction."""
    return Fraction(text)


def first_sample(frame: int, fps: Fraction) -> int:
    """The film's sample at which a frame starts."""
    return round(Fraction(frame * SAMPLE_RATE) / fps)


def frames_for(samples: int, fps: Fraction) -> int:
    """The fewest frames that last at least as long as the samples."""
    return -((-samples * fps.numerator) // (SAMPLE_RATE * fps.denominator))
