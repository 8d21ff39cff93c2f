"""Actions in this very process, one after the other: for debugging, and where no process may be started."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

from ..bench import Bench
from ..errors import BackendError, Cancelled, MikebotError
from ..graph import Action, Result
from ..perform import perform
from ..store import Store
from ..trust.permit import Permit
from ..worker import told
from . import Listen


class InlineExecutor:
    """One thread of this process; a backend's `tell` is the only place where a cancel is heard."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._bench = Bench()
        self._thread = ThreadPoolExecutor(1)
        self._closed = False
        self._tellers: dict[Future[Result], _Teller] = {}

    def submit(
        self,
        action: Action,
        listen: Listen,
        ahead: bool = False,  # noqa: ARG002
        permit: Permit | None = None,
    ) -> Future[Result]:
        """Run an action when those before it are done, in their order."""
        teller = _Teller(listen)
        if self._closed:
            future: Future[Result] = Future()
            future.set_exception(Cancelled())
            return future
        future = self._thread.submit(self._perform, action, teller, permit)
        self._tellers[future] = teller
        return future

    def cancel(self, future: Future[Result]) -> None:
        """Stop an action at its next word of progress."""
        self._tellers[future].stale.set()

    def close(self) -> None:
        """Cancel everything and wait for it."""
        self._closed = True
        for teller in self._tellers.values():
            teller.stale.set()
        self._thread.shutdown()

    def _perform(self, action: Action, teller: _Teller, permit: Permit | None) -> Result:
        teller.progress(0, 1)
        try:
            return perform(action, self._store, teller, self._bench, permit)
        except (MikebotError, Cancelled):
            raise
        except Exception as error:
            raise BackendError(*told(action, error)) from error


class _Teller:
    def __init__(self, listen: Listen) -> None:
        self.stale = threading.Event()
        self._listen = listen

    def progress(self, done: int, total: int) -> None:
        if self.stale.is_set():
            raise Cancelled
        self._listen(done, total)
