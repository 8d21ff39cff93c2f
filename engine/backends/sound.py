"""sound.aac: the sound of one scene, brought to the film's loudness, mixed and encoded where it stands in the film."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..kinds import Inputs, Sound, Tell
from . import Light


class Aac(Light):
    """AAC-LC, mono or stereo, 48 kHz; the packets of any scene can follow those of its neighbour in the film."""

    kind = "sound"
    name = "aac"
    version = "2"

    @dataclass(frozen=True)
    class Params(Sound):
        """Bits a second of one channel (two take half as much again); the true peak that is never reached, in dBTP;
        the most that a quiet voice is raised, in dB."""

        bits: int = 128000
        peak: float = -1.5
        raise_by: float = 36.0

    def check(self, params: Any) -> list[str]:
        faults = []
        if not 64000 <= params.bits <= 256000:
            faults.append(f"bits must be from 64000 to 256000, not {params.bits}")
        if not -20 <= params.peak <= 0:
            faults.append(f"peak must be from -20 to 0 dBTP, not {params.peak:g}")
        if params.channels not in {1, 2}:
            faults.append(f"channels must be 1 or 2, not {params.channels}")
        return faults

    def run(self, params: Any, inputs: Inputs, out: Path, tell: Tell) -> Mapping[str, int] | None:
        from .level import make

        make(params, inputs, out, tell)
        return None
