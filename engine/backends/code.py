"""still.code: to be written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..kinds import Inputs, Still, Tell
from . import Light


@dataclass(frozen=True)
class CodeParams(Still):
    """No knobs."""


class Code(Light):
    """To be written."""

    kind = "still"
    name = "code"
    version = "1"
    Params = CodeParams

    def run(self, params: CodeParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        raise NotImplementedError
