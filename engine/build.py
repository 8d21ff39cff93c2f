"""Bring a plan up to date: a topological scheduler over constructive traces.

It knows when a step may run and whether it must; not how (backends), nor where (executors). All that is
ready goes to the executor at once. A step runs when its key has no record, or when its bytes are needed
by a step that runs (or by the author) and are gone. See Mokhov, Mitchell, Peyton Jones, "Build systems a
la carte", ICFP 2018, sections 4.2.4 (constructive traces) and 5.3 (suspending is not needed here: the
only dynamic dependency, a narration's length, is between planning and running).
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from .errors import BuildError, Cancelled, Damaged, MikebotError, Refused, Unpermitted
from .graph import Action, Result, Step
from .resolve import Planner, Resolved, Resolver
from .store import Store

if TYPE_CHECKING:
    from concurrent.futures import Future

    from .trust.permit import Permit

State = Literal["hit", "started", "progress", "built", "failed", "cancelled"]
BATCH = 500  # Steps that one query looks up: enough to be fast, few enough that the first step starts soon.
ATTEMPTS = 8  # How often an action may find its inputs damaged before that is given up.
LAST = 3.0  # Seconds that a stopped build waits for what runs to end: a model may be loading, for minutes.


class Event(NamedTuple):
    """A step changed state. Every step ends in exactly one of hit, built, failed and cancelled."""

    step: Step
    state: State
    seconds: float = 0.0
    done: int = 0
    total: int = 0
    error: BaseException | None = None
    result: Result | None = None  # Of what was built.


class Executor(Protocol):
    """Somewhere actions run. It gets all that is ready, and picks the order."""

    def submit(
        self,
        action: Action,
        listen: Callable[[int, int], None],
        ahead: bool = False,
        permit: Permit | None = None,
    ) -> Future[Result]:
        """Promise an action's result, `ahead` of those that are not; `listen` hears its progress, from any thread.

        The future ends with Unpermitted where `permit` does not hold when the action's turn comes.
        """

    def cancel(self, future: Future[Result]) -> None:
        """Stop an action: its future ends soon, mostly with Cancelled."""


class Halt:
    """Ends a build from another thread: what runs is cancelled, what was finished is kept, and Cancelled is raised."""

    def __init__(self) -> None:
        self.said = threading.Event()
        self._wake: Callable[[None], object] = lambda _: None

    def __call__(self) -> None:
        self.said.set()
        self._wake(None)

    def wakes(self, wake: Callable[[None], object]) -> None:
        """What to call so that the build hears of it at once."""
        self._wake = wake
        if self.said.is_set():
            wake(None)


class Built(NamedTuple):
    """What a build came to: the steps, their keys, and their results."""

    steps: Mapping[str, Step]
    keys: Mapping[str, str]
    results: Mapping[str, Result]


def ungated() -> None:
    """The gate of a film in which nobody real is shown."""


def build(
    make_planner: Callable[[], Planner],
    store: Store,
    executor: Executor,
    sources: Mapping[str, Path],
    listen: Callable[[Event], None],
    ahead: Callable[[Step], bool] = lambda _: False,
    halt: Halt | None = None,
    before: dict[str, Resolved] | None = None,
    gate: Callable[[], Permit | None] = ungated,
) -> Built:
    """Make what the goals of a plan need. `sources`: where each of the author's files is, by digest;
    `ahead`: which steps run before the others that are ready; `before`: as engine.resolve.Resolver takes it;
    `gate`: asked before each lookup and while anything runs, what it returns goes along with each action.

    Raises BuildError when steps failed (all that does not depend on them is made and recorded), and after
    a clean stop KeyboardInterrupt, Cancelled if it was `halt` that stopped it, or Refused if it was the gate.
    """
    told: set[str] = set()

    def once(event: Event) -> None:
        final = event.state not in {"started", "progress"}
        if event.step.name not in told:
            listen(event)
        if final:
            told.add(event.step.name)

    while True:
        run = _Build(make_planner(), store, executor, sources, once, ahead, halt or Halt(), before, gate)
        run.run()
        if not run.again:
            return Built(run.steps, run.keys, run.results)


@dataclass
class _Flight:
    """An action that runs, and the steps that wait for it: the first is built, the others are hits."""

    action: Action
    names: list[str]
    stale: set[str] = field(default_factory=set)  # Steps whose inputs changed meanwhile.


class _Build(Resolver):
    def __init__(
        self,
        planner: Planner,
        store: Store,
        executor: Executor,
        sources: Mapping[str, Path],
        listen: Callable[[Event], None],
        ahead: Callable[[Step], bool],
        halt: Halt,
        before: dict[str, Resolved] | None,
        gate: Callable[[], Permit | None],
    ) -> None:
        super().__init__(planner, store, before)
        self.gate = gate
        self.permit: Permit | None = None  # What the gate said last.
        self.executor = executor
        self.sources = sources
        self.listen = listen
        self.ahead = ahead
        self.halt = halt
        self.again = False  # The plan itself changed under us: begin anew, with what is recorded.
        self.wanted: set[str] = set()  # Must run, and have not.
        self.blocked: set[str] = set()  # Of these, those that wait for bytes to be made again.
        self.dead: dict[str, BaseException] = {}  # Failed and cancelled steps.
        self.settled: set[str] = set()  # Steps that were told to be built.
        self.hashed: set[str] = set()  # Goals from before whose bytes were looked at.
        self.flights: dict[Future[Result], _Flight] = {}
        self.flying: dict[str, Future[Result]] = {}  # By key.
        self.broken: dict[str, BaseException] = {}  # Failures by key: what failed once is not tried again.
        self.attempts: dict[str, int] = {}
        self.inbox: queue.SimpleQueue[Future[Result] | Event | None] = queue.SimpleQueue()

    def run(self) -> None:
        self.halt.wakes(self.inbox.put)
        try:
            self.evaluate(self.add(self.planner.begin()))
            while self.flights or self.demand_goals():
                self.heed()
                self.hear(self.next())
        except BaseException as error:
            for future in self.flights:
                self.executor.cancel(future)
            if isinstance(error, KeyboardInterrupt | Cancelled | Refused):
                self.stop()
            raise
        if self.again:
            return
        for name, step in self.steps.items():
            if name in self.results and name not in self.dead and name not in self.settled:
                self.listen(Event(step, "hit"))
        failures = {n: e for n, e in self.dead.items() if not isinstance(e, Cancelled)}
        if failures:
            raise BuildError(failures)
        if self.dead:  # The executor was closed under us.
            raise Cancelled

    def heed(self) -> None:
        """Raises Cancelled once somebody has stopped this build, Refused once a person's consent ended."""
        if self.halt.said.is_set():
            raise Cancelled
        self.permit = self.gate()

    def evaluate(self, names: Iterable[str]) -> None:
        """Look steps up, a batch at a time; run those without a record while the others are looked up."""
        wave = [name for name in names if name not in self.dead]
        while wave and not self.again:
            self.heed()
            following: list[str] = []
            missed: list[str] = []
            batch, wave = wave[:BATCH], wave[BATCH:]
            for name, result in self.look(batch):
                if result is None or (name in self.wanted and not all(map(self.store.holds, result.outputs.values()))):
                    missed.append(name)
                else:
                    following += self.take(name, result)
            for name in missed:
                self.want(name)
            wave = [name for name in dict.fromkeys(wave + following) if name not in self.dead]

    def add(self, steps: Iterable[Step]) -> list[str]:
        """Take steps in; those that read what can never be made are cancelled at once."""
        new = list(steps)
        ready = super().add(new)
        for step in new:
            if any(need in self.dead and need not in self.results for need in self.needs[step.name]):
                self.kill(step.name, Cancelled())
        return ready

    def take(self, name: str, result: Result) -> list[str]:
        """A step has a result; returns what to evaluate because of it."""
        self.wanted.discard(name)
        before = self.results.get(name)
        if before is None:
            return self.accept(name, result)
        self.results[name] = result
        self.again |= before.facts != result.facts
        ready = [reader for reader in self.readers[name] if reader in self.blocked and self.free(reader)]
        if before.outputs != result.outputs:
            ready += [reader for reader in self.readers[name] if self.reopen(reader)]
        return ready

    def free(self, name: str) -> bool:
        """Whether nothing that a blocked step reads is still to be made."""
        if any(need in self.wanted for need in self.needs[name]):
            return False
        self.blocked.discard(name)
        return True

    def reopen(self, name: str) -> bool:
        """A step reads other bytes than it was resolved for; says whether to evaluate it now."""
        future = self.flying.get(self.keys.get(name, ""))
        if future is not None and name in self.flights[future].names:
            self.flights[future].stale.add(name)
            return False
        return name in self.results and name not in self.wanted

    def want(self, name: str) -> None:
        """Run a step, once the bytes of all that it reads are there."""
        self.wanted.add(name)
        try:
            self.adopt(name)
        except MikebotError as error:
            self.kill(name, error)
            return
        for need in self.lacking(name):
            if need not in self.wanted:
                if need in self.dead:
                    self.kill(name, Cancelled())
                    return
                self.want(need)
                if need in self.dead:
                    self.kill(name, Cancelled())
                    return
        if any(need in self.wanted for need in self.needs[name]):
            self.blocked.add(name)
        else:
            self.launch(name)

    def adopt(self, name: str) -> None:
        for artifact in self.files(name):
            if not self.store.holds(artifact):
                self.store.adopt(self.sources[artifact.digest], artifact)

    def launch(self, name: str) -> None:
        key = self.keys[name]
        if key in self.broken:
            self.kill(name, self.broken[key])
        elif key in self.flying:
            self.flights[self.flying[key]].names.append(name)
        else:
            self.listen(Event(self.steps[name], "started"))
            step = self.steps[name]
            future = self.executor.submit(self.actions[name], self.hearing(step), self.ahead(step), self.permit)
            self.flights[future] = _Flight(self.actions[name], [name])
            self.flying[key] = future
            future.add_done_callback(self.inbox.put)

    def hearing(self, step: Step) -> Callable[[int, int], None]:
        return lambda done, total: self.inbox.put(Event(step, "progress", done=done, total=total))

    def next(self) -> Future[Result] | Event | None:
        with contextlib.suppress(queue.Empty):
            return self.inbox.get(timeout=0.5)
        return None  # After a short wait: there may be something to heed, and Windows hears Ctrl-C between waits alone.

    def hear(self, said: Future[Result] | Event | None) -> None:
        if said is None:  # Halted, or nothing happened: the loop heeds it.
            return
        if isinstance(said, Event):
            self.listen(said)
            return
        flight = self.flights.pop(said)
        key = flight.action.key
        del self.flying[key]
        error = said.exception()
        if error is None:
            self.store.learn(key, said.result())
            self.land(flight, said.result())
        elif isinstance(error, Damaged) and self.attempts.setdefault(key, 0) < ATTEMPTS:
            self.attempts[key] += 1
            self.store.discard(error.digest)
            self.evaluate(flight.names)
        elif isinstance(error, Unpermitted) and self.attempts.setdefault(key, 0) < ATTEMPTS:
            self.attempts[key] += 1
            self.evaluate(flight.names)  # Asks the gate.
        else:
            self.broken[key] = error
            for name in flight.names:
                self.kill(name, error)

    def land(self, flight: _Flight, result: Result) -> None:
        """Hand the result of an action to the steps that waited for it."""
        following = []
        for place, name in enumerate(flight.names):
            if name in flight.stale:
                self.wanted.discard(name)
                following.append(name)
                continue
            if place == 0 and not result.found:
                self.settled.add(name)
                self.listen(Event(self.steps[name], "built", result.seconds, result=result))
            following += self.take(name, result)
        self.evaluate(dict.fromkeys(following))

    def demand_goals(self) -> bool:
        """Run the goals whose bytes are gone; says whether anything was left to do."""
        if self.again:
            return False
        for goal in self.planner.goals(self.steps):
            if goal in self.results and goal not in self.dead and not self.sound(goal):
                self.want(goal)
        return bool(self.flights)

    def sound(self, goal: str) -> bool:
        """Whether a goal's bytes are here; what was made by an earlier build is hashed before it is called kept."""
        if goal not in self.settled | self.hashed:
            self.hashed.add(goal)
            for artifact in self.results[goal].outputs.values():
                self.store.discard(artifact.digest)
        return self.held(goal)

    def kill(self, name: str, error: BaseException) -> None:
        """End a step without a result, and all that cannot be made without it."""
        stack = [(name, error)]
        while stack:
            name, error = stack.pop()
            if name in self.dead:
                continue
            self.dead[name] = error
            self.wanted.discard(name)
            self.blocked.discard(name)
            state: State = "cancelled" if isinstance(error, Cancelled) else "failed"
            self.listen(Event(self.steps[name], state, error=error))
            for reader in self.readers[name]:
                if reader in self.blocked or reader not in self.keys:
                    stack.append((reader, Cancelled()))

    def stop(self) -> None:
        """Wait a moment for what was cancelled to end, and keep what was finished all the same."""
        until = time.monotonic() + LAST
        while self.flights and time.monotonic() < until:
            said = self.next()
            if said is None or isinstance(said, Event):
                continue
            flight = self.flights.pop(said)
            if said.exception() is None:
                self.wanted.difference_update(flight.names)
                self.results.update(dict.fromkeys(flight.names, said.result()))
                if not said.result().found:
                    self.settled.add(flight.names[0])
                    name, result = flight.names[0], said.result()
                    self.listen(Event(self.steps[name], "built", result.seconds, result=result))
        for name, step in self.steps.items():
            if name not in self.dead and name not in self.settled:
                self.listen(Event(step, "cancelled" if name not in self.results or name in self.wanted else "hit"))
