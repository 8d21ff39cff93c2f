"""Work that outlives the build that asked for it: what the next build still wants is not begun again.

Between two saves of a storyboard most of what runs stays right. A build that is stopped lets go of its
actions; they run on until `keep` says which of them anyone still wants. The next build, asking for the same
key, is handed what is already running.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from concurrent.futures import Future

from ..errors import Cancelled
from ..graph import Action, Result
from . import Listen
from .local import LocalExecutor


class KeptExecutor:
    """A LocalExecutor whose actions are shared, by key, between the builds of a session."""

    def __init__(self, inner: LocalExecutor) -> None:
        self._inner = inner
        self._lock = threading.RLock()
        self._runs: dict[str, _Run] = {}

    def submit(self, action: Action, listen: Listen, ahead: bool = False) -> Future[Result]:
        """Join an action that runs, or begin it."""
        promise: Future[Result] = Future()
        with self._lock:
            run = self._runs.get(action.key)
            if run is None or run.stale:
                run = self._runs[action.key] = _Run()
                run.future = self._inner.submit(action, run.tell, ahead)
                run.future.add_done_callback(lambda done: self._landed(action.key, run, done))
            if run.done is None:
                run.waiting[promise] = listen
                return promise
        _pass_on(run.done, promise)
        return promise

    def cancel(self, future: Future[Result]) -> None:
        """Let go of an action: it runs on, until `keep` is asked."""
        with self._lock:
            holders = [run for run in self._runs.values() if run.waiting.pop(future, None) is not None]
        if holders:
            future.set_exception(Cancelled())

    def keep(self, wanted: Collection[str]) -> None:
        """Stop every action that nobody waits for and whose key is not among those wanted."""
        with self._lock:
            stale = [run for key, run in self._runs.items() if not run.waiting and key not in wanted]
            for run in stale:
                run.stale = True
        for run in stale:
            self._inner.cancel(run.future)

    def close(self) -> None:
        """End all work and all workers."""
        self._inner.close()

    def _landed(self, key: str, run: _Run, done: Future[Result]) -> None:
        with self._lock:
            run.done = done
            if self._runs.get(key) is run:
                del self._runs[key]
            promises = list(run.waiting)
            run.waiting.clear()
        for promise in promises:
            _pass_on(done, promise)


class _Run:
    """An action on its way, and who waits for it."""

    def __init__(self) -> None:
        self.future: Future[Result]
        self.done: Future[Result] | None = None
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
