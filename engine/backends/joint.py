"""joint.moviepy: to be written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..kinds import Inputs, Joint, Tell
from . import Light


@dataclass(frozen=True)
class JointParams(Joint):
    """No knobs."""


class Moviepy(Light):
    """To be written."""

    kind = "joint"
    name = "moviepy"
    version = "1"
    Params = JointParams

    def run(self, params: JointParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        raise NotImplementedError
