"""What a leader tells whoever runs an action about consent: no word to be believed, but what to look at again.

Standard library only: a worker may run in an interpreter that cannot read YAML. So the leader says which bytes it
judged, and the worker says no as soon as they are others; whether those allow the work is for the leader to judge.
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import NamedTuple

from ..digests import Digests
from ..errors import Unpermitted
from .days import today

_digests = Digests()


class Permit(NamedTuple):
    """A persona's file and evidence as they were judged, on which day, and the last day on which that holds."""

    file: str
    digest: str
    evidence: str
    evidence_digest: str
    last: str
    day: str

    def uphold(self, now: date | None = None) -> None:
        """Raises Unpermitted unless all is as it was judged; of two clocks the one that is ahead counts."""
        for path, digest in ((self.file, self.digest), (self.evidence, self.evidence_digest)):
            if _digest(path) != digest:
                raise Unpermitted(f"'{Path(path).name}' is not what it was when consent was looked at")
        if max(self.day, (now or today()).isoformat()) > self.last:
            raise Unpermitted(f"consent ended on {self.last}")


def _digest(path: str) -> str:
    try:
        return _digests.of(Path(path))[0] if os.path.isfile(path) else ""  # noqa: PTH113
    except OSError:
        return ""
