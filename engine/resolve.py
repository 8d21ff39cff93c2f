"""Steps into actions, as far as records reach: what a forecast and a build have in common.

A step is resolved once everything that it reads has a result; its key is then looked up. Steps become
resolvable in waves, and one wave is one query, however many scenes there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

from .graph import Action, Artifact, Ref, Result, Step
from .store import Store


class Planner(Protocol):
    """What is asked of a plan; engine.plan.Planner is one."""

    def begin(self) -> list[Step]:
        """Every step that needs no facts."""

    def learn(self, step: str, facts: Mapping[str, int]) -> list[Step]:
        """The steps that can be planned now that a step's facts are known."""

    def guess(self, step: str) -> Mapping[str, int]:
        """Facts of a step that has not run, about right."""

    def goals(self, steps: Mapping[str, Step]) -> list[str]:
        """The steps whose bytes are wanted in the end."""


class Resolved(NamedTuple):
    """A step that was an action before, and its key."""

    step: Step
    action: Action
    key: str


class Resolver:
    """The steps known so far, their actions and their results.

    `before`: what steps of the same names were, for whoever resolves again and again; kept up to date.
    """

    def __init__(self, planner: Planner, store: Store, before: dict[str, Resolved] | None = None) -> None:
        self.planner = planner
        self.store = store
        self._before = before if before is not None else {}
        self.steps: dict[str, Step] = {}
        self.needs: dict[str, list[str]] = {}
        self.readers: dict[str, list[str]] = {}
        self.actions: dict[str, Action] = {}
        self.keys: dict[str, str] = {}
        self.results: dict[str, Result] = {}
        self._missing: dict[str, int] = {}  # How many of its needs have no result yet.

    def add(self, steps: Iterable[Step]) -> list[str]:
        """Take steps in; returns the names of those that can be resolved at once."""
        new = list(steps)
        for step in new:
            self.steps[step.name] = step
            self.readers.setdefault(step.name, [])
        for step in new:
            needs = self.needs[step.name] = step.needs()
            self._missing[step.name] = sum(need not in self.results for need in needs)
            for need in needs:
                self.readers[need].append(step.name)
        return [step.name for step in new if not self._missing[step.name]]

    def look(self, names: Iterable[str]) -> Iterator[tuple[str, Result | None]]:
        """Resolve steps and look all their keys up at once."""
        wave = list(names)
        for name in wave:
            self.actions[name], self.keys[name] = self._resolved(name)
        found = self.store.lookup({self.keys[name] for name in wave})
        for name in wave:
            yield name, found.get(self.keys[name])

    def _resolved(self, name: str) -> tuple[Action, str]:
        """A step's action and its key: an equal step that reads the same bytes has the key that it had."""
        step = self.steps[name]
        action, was = step.resolve(self.results), self._before.get(name)
        if was is None or was.step != step or was.action.inputs != action.inputs:
            was = self._before[name] = Resolved(step, action, action.key)
        return was.action, was.key

    def accept(self, name: str, result: Result) -> list[str]:
        """Take a step's first result; returns the names that can be resolved because of it."""
        self.results[name] = result
        ready = []
        for reader in self.readers[name]:
            self._missing[reader] -= 1
            if not self._missing[reader]:
                ready.append(reader)
        if result.facts:
            ready += self.add(self.planner.learn(name, result.facts))
        return ready

    def lacking(self, name: str) -> list[str]:
        """The steps that made what this step reads, and whose bytes are gone: other outputs of theirs may be."""
        gone: dict[str, None] = {}
        for source in self.steps[name].inputs.values():
            made = self.results.get(source.step) if isinstance(source, Ref) else None
            if made is not None and not self.store.holds(made.outputs[source.output]):  # type: ignore[union-attr]
                gone[source.step] = None  # type: ignore[union-attr]
        return list(gone)

    def held(self, name: str) -> bool:
        """Whether the bytes of a step's result are all in the store."""
        return all(self.store.holds(artifact) for artifact in self.results[name].outputs.values())

    def files(self, name: str) -> list[Artifact]:
        """The author's files that a step reads."""
        return [source for source in self.steps[name].inputs.values() if isinstance(source, Artifact)]
