"""music.pcm: the film's music, decoded once and brought to one loudness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..kinds import Inputs, Music, Tell
from . import Light


class Pcm(Light):
    """A WAV from any file of sound: as long as is wanted where it loops, else until it ends."""

    kind = "music"
    name = "pcm"
    version = "1"

    @dataclass(frozen=True)
    class Params(Music):
        """No knobs."""

    def check(self, params: Any) -> list[str]:
        return [] if params.seconds > 0 else [f"seconds must be at least 1, not {params.seconds}"]

    def run(self, params: Any, inputs: Inputs, out: Path, tell: Tell) -> Mapping[str, int] | None:
        from .tune import make

        make(params, inputs["file"], out / "audio", tell)
        return None
