"""What a change of a storyboard would run: the forecast of the new one, held against that of the old one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from graphlib import TopologicalSorter
from typing import NamedTuple

from .forecast import Forecast, Outlook
from .graph import Ref, Step


class Due(NamedTuple):
    """A step of the new storyboard that is not kept; `anyway` if the old one would run the same."""

    step: Step
    state: Outlook
    seconds: float
    anyway: bool


def due(new: Forecast, old: Forecast | None, cost: Callable[[Step], float]) -> list[Due]:
    """Every step that runs, or may, in the order of the plan."""
    pending = _works(old) if old is not None else {}
    waiting = {work for name, work in pending.items() if old is not None and old.states[name] != "hit"}
    works = _works(new)
    busy = [(step, new.states[name]) for name, step in new.steps.items() if new.states[name] != "hit"]
    return [Due(step, state, cost(step), works[step.name] in waiting) for step, state in busy]


def _works(look: Forecast) -> Mapping[str, str]:
    """What each step does, whatever it is called: all that decides it, and in place of its inputs what they do."""
    works: dict[str, str] = {}
    for name in TopologicalSorter({step.name: step.needs() for step in look.steps.values()}).static_order():
        step = look.steps[name]
        reads = {
            part: [works[source.step], source.output] if isinstance(source, Ref) else source.digest
            for part, source in step.inputs.items()
        }
        said = json.dumps([step.kind, step.backend, step.version, step.params, reads], sort_keys=True)
        works[name] = hashlib.sha256(said.encode()).hexdigest()
    return works
