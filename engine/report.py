"""Events to people and to programs: a terminal, a pipe, JSON lines."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TextIO

from .build import Event
from .graph import Step

SHOWN_EVERY = 0.1  # Seconds between two redraws of the status line.


class Report(Protocol):
    """Hears of every event, and of the end."""

    def __call__(self, event: Event) -> None:
        """A step changed state."""

    def done(self, summary: Mapping[str, Any]) -> None:
        """The render is over; `summary` is the JSON object of house.md, or part of it after failures."""


class Tally:
    """Counts the ends of steps."""

    def __init__(self) -> None:
        self.built = self.hits = self.failed = self.cancelled = 0

    def count(self, event: Event) -> None:
        """Take an event in."""
        self.built += event.state == "built"
        self.hits += event.state == "hit"
        self.failed += event.state == "failed"
        self.cancelled += event.state == "cancelled"


class JsonLines:
    """One JSON object a line, and nothing else."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def __call__(self, event: Event) -> None:
        said: dict[str, Any] = {"event": "step", "step": event.step.name, "kind": event.step.kind}
        said |= {"scene": event.step.scene, "state": event.state}
        if event.state == "progress":
            said |= {"done": event.done, "total": event.total}
        if event.state == "built":
            said["seconds"] = event.seconds
        if event.state == "failed":
            said["error"] = str(event.error)
        self._say(said)

    def done(self, summary: Mapping[str, Any]) -> None:
        self._say({"event": "done", **summary})

    def _say(self, said: Mapping[str, Any]) -> None:
        self._out.write(json.dumps(said, ensure_ascii=False) + "\n")
        self._out.flush()


class Lines:
    """Plain lines, for a pipe or a log: what was made, what failed, and the end."""

    def __init__(self, out: TextIO, errors: TextIO) -> None:
        self._out = out
        self._errors = errors
        self._tally = Tally()

    def __call__(self, event: Event) -> None:
        self._tally.count(event)
        if event.state == "built":
            self.line(f"built   {event.step.name}  {seconds(event.seconds)}")
        elif event.state == "failed":
            self.line(f"failed  {event.step.name}", str(event.error))

    def line(self, text: str, error: str = "") -> None:
        """Write one line; an error goes to standard error, under it."""
        print(text, file=self._errors if error else self._out, flush=True)
        if error:
            print("  " + error.replace("\n", "\n  "), file=self._errors, flush=True)

    def done(self, summary: Mapping[str, Any]) -> None:
        self.line(ending(summary, self._tally.cancelled))


class Terminal(Lines):
    """Lines above one that is always true: how much is done, what runs, how long it will take."""

    def __init__(
        self, out: TextIO, errors: TextIO, expected: Iterable[Step], cost: Callable[[Step], float], lanes: int
    ) -> None:
        super().__init__(out, errors)
        self._cost = cost
        self._lanes = lanes
        self._left = {step.name: cost(step) for step in expected}  # Seconds, of what is not done.
        self._size = len(self._left)
        self._steps: dict[str, tuple[Step, float | None]] = {}  # What runs, and its share done; None: it loads.
        self._drawn = 0.0

    def __call__(self, event: Event) -> None:
        name = event.step.name
        if event.state in {"started", "progress"}:
            if event.state == "started" and name not in self._left:
                self._size += 1
                self._left[name] = self._cost(event.step)
            if event.state == "progress":  # Before that, it waits for a lane.
                self._steps[name] = (event.step, event.done / event.total if event.total else None)
        else:
            self._steps.pop(name, None)
            self._left.pop(name, None)
        super().__call__(event)
        loads = event.state == "progress" and not event.total  # Nothing else may be heard for a while.
        if loads or time.monotonic() - self._drawn >= SHOWN_EVERY:
            self._draw()

    def line(self, text: str, error: str = "") -> None:
        self._wipe()
        super().line(text, error)

    def done(self, summary: Mapping[str, Any]) -> None:
        self._wipe()
        super().done(summary)

    def _wipe(self) -> None:
        self._errors.write("\r\x1b[K")
        self._errors.flush()

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        doing = ", ".join(f"{name} {_share(share)}" for name, (_, share) in sorted(self._steps.items()))
        left = sum(cost * (1 - (self._steps[n][1] or 0) if n in self._steps else 1) for n, cost in self._left.items())
        done = self._size - len(self._left)
        text = f"{done} of {self._size} steps, about {seconds(left / self._lanes)} left  {doing}"
        width = shutil.get_terminal_size().columns - 1
        self._errors.write(f"\r\x1b[K{text[:width]}")
        self._errors.flush()


def _share(done: float | None) -> str:
    """How far a step is; while its model is brought into memory no share can be told."""
    return "loading its model" if done is None else f"{done:.0%}"


def reporter(as_json: bool, terminal: Callable[[], Terminal]) -> Report:
    """The report that fits: JSON lines if asked for, a live line on a terminal, plain lines into a pipe."""
    if as_json:
        return JsonLines(sys.stdout)
    if sys.stdout.isatty() and sys.stderr.isatty():
        return terminal()
    return Lines(sys.stdout, sys.stderr)


def ending(summary: Mapping[str, Any], cancelled: int = 0) -> str:
    """The last lines of a render, for people."""
    counts = f"{summary['built']} made, {summary['hits']} kept"
    if summary["failed"]:
        counts += f", {summary['failed']} failed"
    if cancelled:
        counts += f", {cancelled} not made because of that" if summary["failed"] else f", {cancelled} cancelled"
    text = f"{counts}, in {seconds(summary['seconds'])}"
    loud = summary.get("loudness")
    if loud:
        text += f"\nsound   {_heard(loud)}"
    films = summary.get("film", [])
    text += "".join(f"\nfilm    {film}" for film in ([films] if isinstance(films, str) else films))
    return f"{text}\nfiles   {summary['files']}" if summary.get("files") else text


def _heard(loudness: Mapping[str, Any]) -> str:
    if loudness["integrated"] is None:
        return "silent"
    return f"{loudness['integrated']:.1f} LUFS, true peak {loudness['true_peak']:.1f} dBTP"


def seconds(value: float) -> str:
    """A length of time as people say it."""
    if value < 10:
        return f"{value:.1f} s"
    if value < 100:
        return f"{value:.0f} s"
    if value < 5400:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:.1f} h"
