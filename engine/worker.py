"""A process that holds models: actions come in as JSON lines, results go out as JSON lines.

Standard library only, beside graph, store, perform and the backends that are asked for, because it may run
in an interpreter whose packages are not ours. It ends when its standard input does, whatever it is doing: a
leader that dies takes its workers along.

In:  {"jobs": [{"id": 1, "action": [kind, backend, version, params, inputs], "permit": [...]}]}, several at once where
     they share a model that takes several, or {"id": 1, "cancel": true}; permit is null where nobody real is shown
Out: {"id": 1, "progress": [done, total]}, {"id": 0, "moved": [state, model]}, {"id": 1, "result": [...]},
     {"id": 1, "error": [...]}; total is 0 while a model is brought into memory
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from .bench import Bench
from .errors import BackendError, Cancelled, Damaged, MikebotError, StoreError, Unpermitted
from .graph import Action, Artifact, Result
from .perform import Asked, perform, perform_many
from .store import Store
from .trust.permit import Permit

QUIET = 0.05  # Seconds between two lines of progress.


def main() -> None:
    """Serve until standard input ends."""
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, signal.SIG_IGN)  # The leader hears them too, and decides.
    requests, replies = _own_streams()
    store = Store(Path(sys.argv[1]))
    desk = _Desk(replies)
    threading.Thread(target=desk.listen, args=[requests, store], daemon=True).start()
    bench = Bench(float(sys.argv[2]), lambda moved: desk.reply(0, moved=moved))
    while True:
        for number, said in _answers(desk.next(), store, bench, desk):
            desk.reply(number, **said)


class _Desk:
    """What came in, what is cancelled, what goes out."""

    def __init__(self, replies: TextIO) -> None:
        self.cancelled: set[int] = set()
        self._replies = replies
        self._jobs: queue.SimpleQueue[list[_Job]] = queue.SimpleQueue()

    def listen(self, requests: TextIO, store: Store) -> None:
        try:
            for line in requests:
                said = json.loads(line)
                if "cancel" in said:
                    self.cancelled.add(said["id"])
                else:
                    self._jobs.put([_job(job) for job in said["jobs"]])
        finally:
            # The leader is gone, perhaps in the middle of a line; a step in progress is nobody's.
            store.abandon()
            os._exit(0)

    def next(self) -> list[_Job]:
        return self._jobs.get()

    def reply(self, number: int, **said: Any) -> None:
        self._replies.write(json.dumps({"id": number, **said}) + "\n")
        self._replies.flush()


class _Job(NamedTuple):
    number: int
    action: Action
    permit: Permit | None


def _job(said: dict[str, Any]) -> _Job:
    permit = said["permit"]
    return _Job(said["id"], Action(*said["action"]), Permit(*permit) if permit else None)


class _Teller:
    def __init__(self, desk: _Desk, number: int) -> None:
        self._desk = desk
        self._number = number
        self._said = 0.0

    def progress(self, done: int, total: int) -> None:
        if self._number in self._desk.cancelled:
            raise Cancelled
        if not total or time.monotonic() - self._said >= QUIET:
            self._said = time.monotonic()
            self._desk.reply(self._number, progress=[done, total])


def _answers(jobs: list[_Job], store: Store, bench: Bench, desk: _Desk) -> Iterator[tuple[int, dict[str, Any]]]:
    """What came of each job."""
    tells = [_Teller(desk, job.number) for job in jobs]
    if len(jobs) == 1:
        ((number, action, permit),) = jobs
        try:
            yield number, {"result": pack(perform(action, store, tells[0], bench, permit))}
        except Exception as error:
            yield number, {"error": _named(action, error)}
        return
    asked = [Asked(job.action, tell, job.permit) for job, tell in zip(jobs, tells, strict=True)]
    for place, end in perform_many(asked, store, bench):
        number, action, _ = jobs[place]
        yield number, {"error": _named(action, end)} if isinstance(end, Exception) else {"result": pack(end)}


def _named(action: Action, error: Exception) -> list[str]:
    """An error as JSON."""
    if isinstance(error, Cancelled):
        return ["Cancelled", "", ""]
    if isinstance(error, Damaged):
        return ["Damaged", error.digest, ""]
    if isinstance(error, StoreError | Unpermitted):
        return [type(error).__name__, error.message, error.hint]
    if isinstance(error, MikebotError):
        return ["BackendError", error.message, error.hint]
    return ["BackendError", *told(action, error)]


def told(action: Action, error: Exception) -> tuple[str, str]:
    """Message and hint for an error that the backend did not explain: a fault of the backend."""
    trace = "".join(traceback.format_exception(error)).rstrip().replace("\n", "\n  ")
    return f"backend {action.kind}.{action.backend} failed: {type(error).__name__}: {error}", trace


def pack(result: Result) -> list[Any]:
    """A result as JSON."""
    return [result.outputs, result.facts, result.seconds, result.found]


def unpack(said: list[Any]) -> Result:
    """A result from JSON."""
    outputs, facts, seconds, found = said
    return Result({name: Artifact(*artifact) for name, artifact in outputs.items()}, facts, seconds, found)


def failure(name: str, message: str, hint: str) -> Exception:
    """The error that a worker met, raised again here."""
    if name == "Cancelled":
        return Cancelled()
    if name == "Damaged":
        return Damaged(message)
    kinds: dict[str, type[MikebotError]] = {"StoreError": StoreError, "Unpermitted": Unpermitted}
    return kinds.get(name, BackendError)(message, hint)


def _own_streams() -> tuple[TextIO, TextIO]:
    """Keep both standard streams for the protocol: libraries, and what they start, read nothing there, and
    what they print goes to standard error."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return requests, replies


if __name__ == "__main__":
    main()
