"""still.slide: to be written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..kinds import Inputs, Still, Tell
from . import Light


@dataclass(frozen=True)
class SlideParams(Still):
    """No knobs."""


class Slide(Light):
    """To be written."""

    kind = "still"
    name = "slide"
    version = "1"
    Params = SlideParams

    def run(self, params: SlideParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        raise NotImplementedError
