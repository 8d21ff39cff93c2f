"""Work that outlives the build that asked for it: what the next build still wants is not begun again.

Between two saves of a storyboard most of what runs stays right. A build that is stopped lets go of its
actions; they run on until `keep` says which of them anyone still wants. The next build, asking for the same
key, is handed what is already running.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from concurrent.futures import Future, wait

from ..errors import Cancelled
from ..graph import Action, Result
from ..trust.permit import Permit
from . import Listen
from .local import LocalExecutor

LAST = 1.0  # Seconds that what runs has to end by itself when all ends.


class KeptExecutor:
    """A LocalExecutor whose actions are shared, by key, between the builds of a session."""

    def __init__(self, inner: LocalExecutor) -> None:
        self._inner = inner
        self._lock = threading.RLock()
        self._runs: dict[str, _Run] = {}
        self._promised: dict[Future[Result], _Run] = {}

    def submit(
        self, action: Action, listen: Listen, ahead: bool = False, permit: Permit | None = None
    ) -> Future[Result]:
        """Join an action that runs, or begin it."""
        promise: Future[Result] = Future()
        with self._lock:
            run = self._runs.get(action.key)
            fresh = run is None or run.stale
            if run is None or fresh:
                run = _Run()
                run.future = self._inner.submit(action, run.tell, ahead, permit)
                self._runs[action.key] = run
            run.waiting[promise] = listen
            self._promised[promise] = run
        if fresh:  # Now that somebody waits for it: perhaps it has ended.
            run.future.add_done_callback(lambda done: self._landed(action.key, run, done))
        return promise

    def cancel(self, future: Future[Result]) -> None:
        """Let go of an action: it runs on, until `keep` is asked."""
        with self._lock:
            run = self._promised.pop(future, None)
            if run is not None:
                del run.waiting[future]
        if run is not None:
            future.set_exception(Cancelled())

    def keep(self, wanted: Collection[str]) -> None:
        """Stop every action that nobody waits for, unless it runs and its key is among those wanted.

        What waits for its turn is no loss: the next build begins it, in the order of its own that it has.
        """
        with self._lock:
            left = [(key, run) for key, run in self._runs.items() if not run.waiting]
            stale = [run for key, run in left if key not in wanted or not run.future.running()]
            for run in stale:
                run.stale = True
        self._inner.cancel(*[run.future for run in stale])

    def close(self) -> None:
        """Stop what runs, so that it leaves nothing half made behind, and end all workers."""
        with self._lock:
            left = [run.future for run in self._runs.values()]
        try:
            self._inner.cancel(*left)
            wait(left, LAST)
        finally:
            self._inner.close()

    def _landed(self, key: str, run: _Run, done: Future[Result]) -> None:
        with self._lock:
            if self._runs.get(key) is run:
                del self._runs[key]
            promises = list(run.waiting)
            run.waiting.clear()
            for promise in promises:
                del self._promised[promise]
        for promise in promises:
            _pass_on(done, promise)


class _Run:
    """An action on its way, and who waits for it."""

    def __init__(self) -> None:
        self.future: Future[Result]
        self.stale = False  # It is being stopped: whoever wants the same begins anew.
        self.waiting: dict[Future[Result], Listen] = {}

    def tell(self, done: int, total: int) -> None:
        for listen in list(self.waiting.values()):
            listen(done, total)


def _pass_on(done: Future[Result], promise: Future[Result]) -> None:
    error = done.exception()
    if error is not None:
        promise.set_exception(error)
    else:
        promise.set_result(done.result())
