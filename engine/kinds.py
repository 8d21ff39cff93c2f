"""The contract of each kind of step: what the plan says to it, what it reads, what it writes.

Each class below holds what the *plan* decides. A backend's `Params` extends the class of its kind with
the backend's own knobs, which come from the profile. Rates are text ("25", "30000/1001"), because a
key must not hold a rounded number; `rate()` gives the exact fraction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

SAMPLE_RATE = 48000
PACKET = 1024  # Samples in one AAC packet.


@dataclass(frozen=True)
class Speech:
    """One sentence, spoken. Writes `audio` (WAV, 16-bit PCM, mono, any rate) and `timing`.

    Reads `voice`, the persona's reference recording, and `checkpoint`, a voice of their own.
    """

    text: str
    language: str = "en"
    pronunciation: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0  # Said to backends that draw random numbers (`seeded`); others need none in their keys.


@dataclass(frozen=True)
class Narration:
    """The sentences of a scene in a row, or the author's recording.

    Reads audio.0001, timing.0001, ..., and `room`, the persona's reference recording; or `recording`.
    Writes `audio` (WAV, 16-bit, mono, 48 kHz), `timing`.
    """

    text: str = ""
    language: str = "en"


@dataclass(frozen=True)
class Still:
    """The picture that a scene starts from, or what it shows. Writes `image` (PNG, RGB, width x height).

    What is shown comes as an animated PNG: its picture is the whole, its animation frames are the states in
    which it appears, the first before any cue (backends/states.py). Reads `source`, a file of code or of a graph.
    """

    prompt: str
    width: int
    height: int
    seed: int
    style: str = ""
    theme: str = "studio"
    persona: Mapping[str, Any] | None = None  # name, trigger, appearance, wardrobe, mouth; None: off screen
    show: Mapping[str, Any] | None = None  # What is shown: the fields of code, slide or diagram.
    beside: bool = False  # The persona's window takes its place in what is shown (frame.inset).


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
    theme: str = "studio"  # How captions and the persona's window look.
    head: int = 0  # Frames that a joint takes from the scene's head: not in `video`.
    cues: tuple[str, ...] = ()  # Words at which the board goes on to its next state: reads `timing`.
    start: str = "0"  # Seconds of given footage that are left out.
    fit: str = "fill"  # Given footage: fill (cut what is too much) or fit (all of it, on a ground).


@dataclass(frozen=True)
class Joint:
    """The way into a scene, over that scene's first frames. Writes `video` (final codec).

    `entering` and `leaving` are the params of the scenes on both sides (Scene); the inputs of the one that
    leaves are named leaving_clip.0001, leaving_still, leaving_board. Without one, the film begins here.
    """

    style: str  # crossfade, fade (over black) or dip (over the theme's colour).
    frames: int
    fps: str
    width: int
    height: int
    entering: Mapping[str, Any]
    leaving: Mapping[str, Any] | None = None
    theme: str = "studio"


@dataclass(frozen=True)
class Music:
    """The film's music, decoded once. Writes `audio` (WAV, 16-bit, stereo, 48 kHz) at -23 LUFS.

    `seconds` is how much of it is wanted at most; `loop` repeats it until then.
    """

    seconds: int
    loop: bool = True


@dataclass(frozen=True)
class Sound:
    """The sound of one scene at its place in the film, levelled, mixed and encoded.

    `phase` is the film's sample at which the scene starts, modulo 1024. Writes `packets` (the AAC packets
    that start inside the scene) and `levels` (energies for the film's loudness, and its peak).
    """

    samples: int
    phase: int
    loudness: float
    channels: int = 1
    room: bool = False  # A faint room tone in place of digital silence.
    music: Mapping[str, Any] | None = None  # at, gain, duck, before, after, left, fade: see plan.py.
    own: Mapping[str, Any] | None = None  # The footage's own sound: start, end (seconds, text), level (dB).


@dataclass(frozen=True)
class Film:
    """Everything joined. Writes `film` (MP4), `vtt`, `srt`, `poster` (JPEG), `loudness` (JSON), `youtube` (text)."""

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
    channels: int = 1
    joints: tuple[tuple[int, int], ...] = ()  # Scenes (from 0) that a joint enters, and how many frames it takes.


@dataclass(frozen=True)
class Stems:
    """Narration, music and picture apart. Writes `narration`, `music` (WAV, 48 kHz) and `picture` (MP4)."""

    sounds: tuple[Mapping[str, Any], ...]  # The params of each scene's sound, in order.


class Kind(NamedTuple):
    """Names of inputs and outputs. Inputs marked many are numbered: clip.0001, clip.0002, ..."""

    says: type
    one: tuple[str, ...]
    many: tuple[str, ...]
    outputs: tuple[str, ...]
    facts: tuple[str, ...] = ()  # Numbers that the plan reads; kept in the record beside the digests.


KINDS: Mapping[str, Kind] = {
    "speech": Kind(Speech, ("voice", "checkpoint"), (), ("audio", "timing")),
    "narration": Kind(Narration, ("recording", "room"), ("audio", "timing"), ("audio", "timing"), ("samples",)),
    "still": Kind(Still, ("image", "portrait", "look", "source"), ("font",), ("image",)),
    "clip": Kind(Clip, ("first", "still", "video"), (), ("video", "last")),
    "talk": Kind(Talk, ("audio", "timing", "still"), ("clip",), ("video",)),
    "scene": Kind(Scene, ("timing", "still", "board"), ("clip", "font"), ("video",)),
    "joint": Kind(
        Joint,
        ("timing", "still", "board", "leaving_still", "leaving_board", "leaving_timing"),
        ("clip", "leaving_clip", "font"),
        ("video",),
    ),
    "music": Kind(Music, ("file",), (), ("audio",)),
    "sound": Kind(Sound, ("audio", "music", "footage"), (), ("packets", "levels")),
    "film": Kind(
        Film,
        (),
        ("scene", "joint", "packets", "levels", "timing"),
        ("film", "vtt", "srt", "poster", "loudness", "youtube"),
    ),
    "stems": Kind(Stems, ("film", "music"), ("audio", "footage"), ("narration", "music", "picture")),
}


class Inputs(dict[str, Path]):
    """The files that a step reads, by the names of its kind."""

    def many(self, name: str) -> list[Path]:
        """The files of a numbered input, in order."""
        return [self[key] for key in sorted(self) if key.startswith(f"{name}.")]


class Tell(Protocol):
    """How a running step speaks to whoever waits for it."""

    def progress(self, done: int, total: int) -> None:
        """Say how far the step is (total 0: its model is loading); raises Cancelled when it is not wanted any more."""


class Part(NamedTuple):
    """One of several steps that a backend runs at once: what `run` is given of one."""

    params: Any
    inputs: Inputs
    out: Path
    tell: Tell


def numbered(name: str, number: int) -> str:
    """The name of one of many inputs; number counts from 1."""
    return f"{name}.{number:04}"


@cache
def rate(text: str) -> Fraction:
    """Frames a second as an exact fraction."""
    return Fraction(text)


def first_sample(frame: int, fps: Fraction) -> int:
    """The film's sample at which a frame starts."""
    return (2 * frame * SAMPLE_RATE * fps.denominator + fps.numerator) // (2 * fps.numerator)  # Rounded, exactly.


def frames_for(samples: int, fps: Fraction) -> int:
    """The fewest frames that last at least as long as the samples."""
    return -((-samples * fps.numerator) // (SAMPLE_RATE * fps.denominator))
