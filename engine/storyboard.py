"""What an author writes: a Storyboard of Scenes, spoken by a Persona, rendered by a Profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Source:
    """A file that an author brings: named by its content, found at its path."""

    path: Path
    digest: str
    size: int
    seconds: Fraction | None = None  # Length of a video or recording, where probing told it.


@dataclass(frozen=True)
class Format:
    """Size of the picture in pixels and frames a second."""

    width: int = 1280
    height: int = 720
    fps: str = "25"


@dataclass(frozen=True)
class Portrait:
    """A picture of the persona; mouth and eyes as shares of its width and height."""

    image: Source
    mouth: Mapping[str, float] = field(default_factory=dict)  # x, y (middle), width, height
    eyes: tuple[Mapping[str, float], ...] = ()
    poses: Mapping[str, Source] = field(default_factory=dict)  # Pictures with the same face in the same place.


@dataclass(frozen=True)
class Persona:
    """Who explains: how they look, what they wear, how they sound."""

    name: str
    id: str = ""
    trigger: str = ""
    appearance: str = ""
    wardrobe: str = ""
    manner: str = ""  # How they speak: for whoever writes their texts, in no key.
    portrait: Portrait | None = None
    look: Source | None = None
    look_weight: float = 1.0
    voice: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # By speech backend.
    voice_files: Mapping[str, Mapping[str, Source]] = field(default_factory=dict)  # Likewise: recordings, checkpoints.
    pronunciation: Mapping[str, str] = field(default_factory=dict)  # The storyboard's own goes over it.
    drawn: bool = False  # Nobody real.
    consent: Mapping[str, Any] = field(default_factory=dict)  # As it is written: engine.trust judges it; in no key.
    silhouette: tuple[int, ...] = ()  # Width and height of the portrait in whose place one stands.


@dataclass(frozen=True)
class Show:
    """What a scene shows in place of a picture: code, a slide or a diagram."""

    kind: str
    said: Mapping[str, Any]  # The author's fields, as schemas/storyboard.schema.json has them.
    cues: tuple[str, ...] = ()  # Words of the narration at which it goes on to its next state, in order.
    source: Source | None = None


@dataclass(frozen=True)
class Transition:
    """How a scene is entered: over its own first frames, so that no length changes."""

    style: str
    seconds: Fraction = Fraction(1, 2)


@dataclass(frozen=True)
class Footage:
    """Which part of the author's video is shown, how it meets the picture's shape, and how loud its sound is."""

    start: Fraction = Fraction(0)
    end: Fraction | None = None
    fit: str = "fill"
    sound: float | None = None  # Decibels over the film's loudness; None: silent.


@dataclass(frozen=True)
class Music:
    """What sounds below the film: decibels over the film's loudness, and how far it steps back under speech."""

    file: Source
    gain: float = -8.0
    duck: float = 12.0
    fade: Fraction = Fraction(3)  # Seconds, at the film's end.
    loop: bool = True


@dataclass(frozen=True)
class Scene:
    """One continuous picture with one stretch of narration over it."""

    id: str
    image_prompt: str
    video_prompt: str
    on_screen: bool
    narration: str = ""
    seed: int | None = None
    take: int = 1
    hold: bool = False
    chapter: str = ""
    duration: Fraction | None = None  # Seconds that the scene lasts at least.
    image: Source | None = None
    video: Source | None = None
    audio: Source | None = None
    show: Show | None = None
    transition: Transition | None = None
    footage: Footage = Footage()
    fit: str = "fill"  # The author's picture: fill or fit.
    pose: str = ""
    moves: tuple[str, ...] = ()  # What video_prompt says of the second clip, the third, ...; the last serves the rest.


@dataclass(frozen=True)
class Storyboard:
    """A film: its persona, its look and its scenes in order."""

    title: str
    scenes: tuple[Scene, ...]
    persona: Persona | None = None
    seed: int = 0
    style: str = ""
    theme: str = ""
    format: Format = Format()
    language: str = "en"
    captions: str = "soft"
    loudness: float = -16.0
    poster: int = 0  # Index of the scene whose picture the poster shows.
    pronunciation: Mapping[str, str] = field(default_factory=dict)
    music: Music | None = None
    room_tone: bool = False
    fonts: tuple[Source, ...] = ()  # The workspace's own, for letters that the engine's fonts lack.


@dataclass(frozen=True)
class Choice:
    """Which backend makes a kind, with which params, and what the plan must know of it."""

    backend: str
    version: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Profile:
    """How a storyboard is rendered: a Choice for every kind, and for files that the author brings."""

    name: str
    kinds: Mapping[str, Choice]
    given: Mapping[str, Choice]
    show: Mapping[str, Choice] = field(default_factory=dict)  # By what is shown: code, slide, diagram.
