"""How long and how big what is still to do will be, from what was measured on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .forecast import Forecast
from .graph import Action, Step
from .ledger import Pace
from .store import work_of
from .storyboard import Profile


class Totals(NamedTuple):
    """What a render will take: at least (what surely runs) and at most (what may run besides)."""

    hit: int
    run: int
    maybe: int
    least_seconds: float
    most_seconds: float
    gpu_seconds: float  # At most; part of the above.
    gigabytes: float  # At most.


class Estimator:
    """Seconds and bytes of a step: its own history first, then what the profile says of its kind."""

    def __init__(self, paces: Mapping[tuple[str, str], Pace], profile: Profile) -> None:
        self._paces = paces
        self._profile = profile

    def pace(self, step: Step) -> Pace:
        """Seconds and bytes of one unit of work."""
        pace = self._paces.get((step.kind, step.backend))
        if pace is not None:
            return pace
        limits = self._limits(step)
        return Pace(float(limits.get("pace", 0)), float(limits.get("bytes", 0)))

    def seconds(self, step: Step) -> float:
        """About how long a step will take."""
        return self.pace(step).seconds * _work(step)

    def size(self, step: Step) -> float:
        """About how many bytes a step will write."""
        return self.pace(step).bytes * _work(step)

    def totals(self, look: Forecast, lanes: int) -> Totals:
        """Sum up a forecast; what needs no GPU is shared among the lanes."""
        count = {"hit": 0, "run": 0, "maybe": 0}
        seconds = dict.fromkeys(count, 0.0)
        gpu = size = 0.0
        for name, state in look.states.items():
            step = look.steps[name]
            count[state] += 1
            if state != "hit":
                seconds[state] += self.seconds(step)
                size += self.size(step)
                gpu += self.seconds(step) if self._limits(step).get("gpu") else 0.0
        least, most = seconds["run"] / lanes, (seconds["run"] + seconds["maybe"] - gpu) / lanes + gpu
        return Totals(**count, least_seconds=least, most_seconds=most, gpu_seconds=gpu, gigabytes=size / 1e9)

    def _limits(self, step: Step) -> Mapping[str, Any]:
        chosen = self._profile.kinds[step.kind]
        given = self._profile.given.get(step.kind, chosen)
        return chosen.limits if step.backend == chosen.backend else given.limits


def _work(step: Step) -> int:
    return work_of(Action(step.kind, step.backend, step.version, step.params, {}))
