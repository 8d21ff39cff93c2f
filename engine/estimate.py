"""How long and how big what is still to do will be, from what was measured on this machine."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from graphlib import TopologicalSorter
from typing import Any, NamedTuple

from .backends import find
from .effort import drawn, kin, work_of
from .forecast import Forecast
from .graph import Step
from .ledger import Pace
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
        alike = kin(step.backend, step.params)
        return self._paces.get((step.kind, alike)) or self._nearest(step.kind, alike) or self._said(step)

    def _nearest(self, kind: str, alike: str) -> Pace | None:
        """The same model with another number of denoising steps, which its time grows with."""
        model, _, wanted = alike.rpartition(" ")
        known = {name: pace for (its, name), pace in self._paces.items() if its == kind and _steps(name, model)}
        if not _steps(alike, model) or not known:
            return None
        name = min(known, key=lambda name: abs(_steps(name, model) - int(wanted)))
        return known[name]._replace(seconds=known[name].seconds * int(wanted) / _steps(name, model))

    def _said(self, step: Step) -> Pace:
        """The profile's own words: of a picture with as many pixels as its model draws at most."""
        limits, pixels = self._limits(step), drawn(step.params)
        own: int = getattr(find(step.kind, step.backend).Params, "pixels", 1)
        most = int(step.params.get("pixels", own))
        share = min(1.0, pixels / most) / pixels
        return Pace(float(limits.get("pace", 0)) * share, float(limits.get("bytes", 0)) * share)

    def seconds(self, step: Step) -> float:
        """About how long a step will take."""
        return self.pace(step).seconds * work_of(step.params)

    def size(self, step: Step) -> float:
        """About how many bytes a step will write."""
        return self.pace(step).bytes * work_of(step.params)

    def totals(self, look: Forecast, lanes: int) -> Totals:
        """Sum up a forecast: what needs no GPU is shared among the lanes, but no faster than its longest chain."""
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
        least = max(seconds["run"] / lanes, self._chain(look, {"run"}))
        shared = (seconds["run"] + seconds["maybe"] - gpu) / lanes + gpu
        most = max(shared, self._chain(look, {"run", "maybe"}))
        return Totals(**count, least_seconds=least, most_seconds=most, gpu_seconds=gpu, gigabytes=size / 1e9)

    def _chain(self, look: Forecast, states: Collection[str]) -> float:
        """Seconds of the longest row of steps in some states of which each waits for the one before."""
        needs = {
            name: [need for need in step.needs() if look.states[need] in states]
            for name, step in look.steps.items()
            if look.states[name] in states
        }
        ends: dict[str, float] = {}
        for name in TopologicalSorter(needs).static_order():
            ends[name] = self.seconds(look.steps[name]) + max((ends[need] for need in needs[name]), default=0.0)
        return max(ends.values(), default=0.0)

    def _limits(self, step: Step) -> Mapping[str, Any]:
        chosen = self._profile.kinds[step.kind]
        given = self._profile.given.get(step.kind, chosen)
        return chosen.limits if step.backend == chosen.backend else given.limits


def _steps(name: str, model: str) -> int:
    """The denoising steps in the name of a kin of some model; 0 if it is none."""
    own, _, steps = str(name).rpartition(" ")
    return int(steps) if model and own == model and steps.isdecimal() else 0
