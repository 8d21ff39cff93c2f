"""stems.pcm: what a film is mixed of, for whoever mixes it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..kinds import Inputs, Stems, Tell
from . import Light


class Pcm(Light):
    """The narration as it is levelled in the film; all that sounds below it, ducked and faded; the picture, copied.

    Both sounds are of the film's length and in its channels; together they are the film's sound before its
    peaks are limited.
    """

    kind = "stems"
    name = "pcm"
    version = "1"

    @dataclass(frozen=True)
    class Params(Stems):
        """No knobs."""

    def run(self, params: Any, inputs: Inputs, out: Path, tell: Tell) -> Mapping[str, int] | None:
        from .apart import make

        make(params, inputs, out, tell)
        return None
