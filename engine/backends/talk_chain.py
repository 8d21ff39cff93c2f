"""talk.chain: a chain's clips in a row, as a model made them: nothing follows the sound."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import BackendError
from ..kinds import Inputs, Talk, Tell
from . import Light, recipe


@dataclass(frozen=True)
class ChainParams(Talk):
    """What the plan says, and no knobs."""


class Chain(Light):
    """Stands where a profile's clips are real video and no backend of its moves mouths in it."""

    kind = "talk"
    name = "chain"
    version = "1"
    Params = ChainParams

    def run(self, params: ChainParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        from . import lossless

        tell.progress(0, 1)
        clips = inputs.many("clip")
        if not clips or any(recipe.read(clip) is not None for clip in clips):
            raise BackendError("talk.chain joins real video, and no recipes", "Use the talk backend mouth.")
        lossless.in_a_row(clips, out / "video")
        tell.progress(1, 1)
