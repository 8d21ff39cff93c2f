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


@dataclass(frozen=True)
class Persona:
    """Who explains: how they look, what they wear, how they sound."""

    name: str
    id: str = ""
    trigger: str = ""
    appearance: str = ""
    wardrobe: str = ""
    portrait: Portrait | None = None
    look: Source | None = None
    look_weight: float = 1.0
    voice: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # By speech backend.


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


@dataclass(frozen=True)
class Storyboard:
    """A film: its persona, its look and its scenes in order."""

    title: str
    scenes: tuple[Scene, ...]
    persona: Persona | None = None
    seed: int = 0
    style: str = ""
    format: Format = Format()
    language: str = "en"
    captions: str = "soft"
    loudness: float = -16.0
    poster: int = 0  # Index of the scene whose picture the poster shows.
    pronunciation: Mapping[str, str] = field(default_factory=dict)


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
