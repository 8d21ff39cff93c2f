"""What a build would do, without doing it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from .graph import Action, Result, Step
from .resolve import Planner, Resolved, Resolver
from .store import Store

Outlook = Literal["hit", "run", "maybe"]


class Forecast(NamedTuple):
    """For each step what will happen. *maybe* stands below a step that runs (its output may come out the
    same), and above a *maybe* whose lost inputs would have to be made again."""

    steps: Mapping[str, Step]
    states: Mapping[str, Outlook]
    actions: Mapping[str, Action]  # Of the steps that could be resolved.
    keys: Mapping[str, str]  # Of the same.
    lost: Mapping[str, str]  # Steps that run only because their bytes are gone, and who needs them.
    twins: Mapping[str, str]  # Steps that share the action of another step, which runs.
    results: Mapping[str, Result]  # Of the steps that were made before, whether their bytes are here or not.


def forecast(
    planner: Planner, store: Store, exact: Callable[[Step], bool], before: dict[str, Resolved] | None = None
) -> Forecast:
    """Look everything up; guess the length of what has not been spoken. `exact`: whether a step that is
    made again gives the same bytes; `before`: as engine.resolve.Resolver takes it."""
    return _Forecast(planner, store, exact, before).made()


class _Forecast(Resolver):
    def __init__(
        self, planner: Planner, store: Store, exact: Callable[[Step], bool], before: dict[str, Resolved] | None
    ) -> None:
        super().__init__(planner, store, before)
        self.exact = exact
        self.states: dict[str, Outlook] = {}
        self.lost: dict[str, str] = {}
        self.twins: dict[str, str] = {}
        self.first: dict[str, str] = {}  # The step that runs, by key.

    def made(self) -> Forecast:
        wave = self.add(self.planner.begin())
        while wave:
            following: list[str] = []
            for name, result in self.look(wave):
                following += self.miss(name) if result is None else self.hit(name, result)
            wave = following
        self.guess()
        for name in list(self.steps):
            self.states.setdefault(name, "maybe")
        self.demand()
        return Forecast(self.steps, self.states, self.actions, self.keys, self.lost, self.twins, self.results)

    def hit(self, name: str, result: object) -> list[str]:
        self.states[name] = "hit"
        return self.accept(name, result)  # type: ignore[arg-type]

    def miss(self, name: str) -> list[str]:
        first = self.first.setdefault(self.keys[name], name)
        self.states[name] = "run" if first == name else "hit"
        if first != name:
            self.twins[name] = first
        return []

    def guess(self) -> None:
        """Plan what depends on lengths that are not known."""
        for name in [n for n, s in self.steps.items() if s.kind == "narration" and n not in self.results]:
            self.add(self.planner.learn(name, self.planner.guess(name)))

    def demand(self) -> None:
        """Whose bytes are gone and will be needed."""
        stack = [(name, need) for name in self.steps if self.states[name] != "hit" for need in self.lacking(name)]
        stack += [("the author", g) for g in self.planner.goals(self.steps) if g in self.results and not self.held(g)]
        while stack:
            reader, name = stack.pop()
            state: Outlook = self.states.get(reader, "run")
            first = self.first.setdefault(self.keys[name], name)
            if self.states[name] in ("run", state):
                continue
            if first != name and self.states[first] in ("run", state):
                self.twins[name] = first
                continue
            self.states[name] = state
            self.lost[name] = reader
            stack += [(name, need) for need in self.lacking(name)]
            if not self.exact(self.steps[name]):
                self.doubt(name)

    def doubt(self, name: str) -> None:
        """What is made again may differ: below it nothing is certain."""
        for reader in self.readers[name]:
            if self.states[reader] == "hit":
                self.states[reader] = "maybe"
                self.doubt(reader)
