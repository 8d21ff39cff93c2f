"""still.diagram: to be written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..kinds import Inputs, Still, Tell
from . import Light


@dataclass(frozen=True)
class DiagramParams(Still):
    """No knobs."""


class Diagram(Light):
    """To be written."""

    kind = "still"
    name = "diagram"
    version = "1"
    Params = DiagramParams

    def run(self, params: DiagramParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        raise NotImplementedError
