"""film.mp4: scenes joined by their sample tables, without decoding one of them; sound, captions and chapters beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..kinds import Film, Inputs, Tell
from . import Light

CAPTIONS = ("soft", "burned", "off")


class Mp4(Light):
    """An MP4 that plays while it loads, unsigned; VTT, SRT, a poster and the measured loudness."""

    kind = "film"
    name = "mp4"
    version = "4"

    @dataclass(frozen=True)
    class Params(Film):
        """How the film came to be, in IPTC's words, and the poster's JPEG quality.

        The draft's default is compositeSynthetic: its voice is synthesised, its pictures are drawn by programs
        around what people made (a portrait, the author's own files), and no model was trained for it. A profile
        whose pictures come from trained models says trainedAlgorithmicMedia or compositeWithTrainedAlgorithmicMedia.
        """

        source: str = "compositeSynthetic"
        quality: int = 90

    def check(self, params: Any) -> list[str]:
        faults = []
        if not params.source.isalnum():
            faults.append(f"source must be a term of IPTC's digital source types, not {params.source!r}")
        if not 1 <= params.quality <= 95:
            faults.append(f"quality must be from 1 to 95, not {params.quality}")
        if params.captions not in CAPTIONS:
            faults.append(f"captions must be soft, burned or off, not {params.captions!r}")
        return faults

    def run(self, params: Any, inputs: Inputs, out: Path, tell: Tell) -> Mapping[str, int] | None:
        from .join import make

        make(params, inputs, out, tell)
        return None
