"""narration.join: the sentences of a scene, one after the other, with even pauses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BackendError
from ..kinds import SAMPLE_RATE, Inputs, Narration, Tell
from . import Light

if TYPE_CHECKING:
    from .joining import Piece, Sound

QUIET = 0.1  # Seconds of digital silence that every narration has at its head and at its tail.
LONGEST = 10.0


@dataclass(frozen=True)
class JoinParams(Narration):
    """Seconds of silence before the first sentence, between two, and after the last.

    `room`: the room of the persona's recording in its place, where there is one.
    """

    lead: float = 0.25
    pause: float = 0.30
    tail: float = 0.40
    room: bool = True


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
        if params.room and "room" in inputs:
            joined = _roomy(joined, pieces, params, inputs["room"], tell)
        joining.write(joined, times, out)
        tell.progress(len(sounds), len(sounds))
        return {"samples": len(joined)}


def _roomy(joined: Sound, pieces: Sequence[Piece], params: JoinParams, recording: Path, tell: Tell) -> Sound:
    """A narration with the room of a recording where nobody speaks, but for QUIET at both of its ends."""
    from . import ambience, joining

    room = ambience.room_of(recording, tell)
    if room is None:
        return joined
    quiet = round(QUIET * SAMPLE_RATE)
    spans = [
        span
        for span, piece in zip(joining.places(pieces, params.lead, params.pause), pieces, strict=True)
        if piece.sound.any()
    ]
    edges = [quiet, *(edge for span in spans for edge in span), len(joined) - quiet]
    return ambience.laid(joined, list(zip(edges[::2], edges[1::2], strict=True)), room)
