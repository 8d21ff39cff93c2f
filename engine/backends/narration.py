"""narration.join: the sentences of a scene, one after the other, with even pauses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import BackendError
from ..kinds import Inputs, Narration, Tell
from . import Light

QUIET = 0.1  # Seconds of digital silence that every narration has at its head and at its tail.
LONGEST = 10.0


@dataclass(frozen=True)
class JoinParams(Narration):
    """Seconds of silence before the first sentence, between two, and after the last."""

    lead: float = 0.25
    pause: float = 0.30
    tail: float = 0.40


class Join(Light):
    """Brings every sentence to 48 kHz, trims what silence its voice left around it, and sets them in a row."""

    kind = "narration"
    name = "join"
    version = "1"
    Params = JoinParams

    def check(self, params: JoinParams) -> list[str]:
        least = {"lead": QUIET, "pause": 0.0, "tail": QUIET}
        return [
            f"{name} is {getattr(params, name)}, but must be from {low} to {LONGEST} seconds"
            for name, low in least.items()
            if not (math.isfinite(getattr(params, name)) and low <= getattr(params, name) <= LONGEST)
        ]

    def run(self, params: JoinParams, inputs: Inputs, out: Path, tell: Tell) -> Mapping[str, int]:
        from . import joining

        reasons = self.check(params)
        if reasons:
            raise BackendError(reasons[0])
        sounds, timings = inputs.many("audio"), inputs.many("timing")
        if len(sounds) != len(timings) or not sounds:
            raise BackendError(f"a narration of {len(sounds)} sentences came with {len(timings)} timings")
        pieces = []
        for number, (sound, timing) in enumerate(zip(sounds, timings, strict=True)):
            tell.progress(number, len(sounds))
            pieces.append(joining.piece(sound, timing))
        joined, times = joining.join(pieces, params.lead, params.pause, params.tail)
        joining.write(joined, times, out)
        tell.progress(len(sounds), len(sounds))
        return {"samples": len(joined)}
