"""This machine: a few worker processes, each with one action at a time, and beside them one for each GPU's models."""

from __future__ import annotations

import os
import sys
import threading
from bisect import insort
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..bench import Moved, many_of, model_of, python_of
from ..errors import BackendError, Cancelled, MikebotError
from ..graph import Action, Result
from ..trust.permit import Permit
from . import Listen, urgency
from .process import PATIENCE, Job, Worker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

__all__ = ["PATIENCE", "LocalExecutor", "cores"]


class LocalExecutor:
    """Workers are started when there is work for them, and live until close.

    `lanes` is how many actions without a model run at once; by default one a core. Those with a model run in one
    worker for each GPU, or one in all where there is none, so that no model is in memory twice; beside it in one more
    for each other Python that the user names for a backend. `vram`: gigabytes that the models of a worker may take
    there, 0 for what is free.
    """

    def __init__(self, store: Path, lanes: int = 0, python: str = sys.executable, vram: float = 0.0) -> None:
        self._store = store
        self._vram = vram
        self._lock = threading.RLock()
        self._python = python
        self._plain = _Pool(python, [{}] * (lanes or cores()))
        self._models: dict[str, _Pool] = {}  # By the Python that their workers run in.
        self._count = 0
        self.closed = False
        self.moves: deque[Moved] = deque(maxlen=1000)  # Models that came and went, the last ones.

    def submit(
        self, action: Action, listen: Listen, ahead: bool = False, permit: Permit | None = None
    ) -> Future[Result]:
        """Queue an action; which of the waiting ones runs next is decided when a worker is free."""
        from concurrent.futures import Future  # Most renders find nothing to do: they need not import this.

        future: Future[Result] = Future()
        try:
            model, python, many = model_of(action), python_of(action), many_of(action)
        except MikebotError as error:
            future.set_exception(error)
            return future
        with self._lock:
            if self.closed:
                future.set_exception(Cancelled())
                return future
            self._count += 1
            pool = self._of(python) if model else self._plain
            insort(pool.waiting, Job(self._count, action, model, listen, future, ahead, permit, many), key=_turn)
        self.go_on()
        return future

    def cancel(self, *futures: Future[Result]) -> None:
        """Drop actions that wait; stop those that run when they next listen, and those that do not, by force."""
        stale = set(futures)
        dropped: list[Job] = []
        with self._lock:
            for pool in self._pools:
                dropped += [job for job in pool.waiting if job.future in stale]
                pool.waiting = [job for job in pool.waiting if job.future not in stale]
                for worker in pool.workers:
                    for job in worker.jobs:
                        if job.future in stale:
                            worker.cancel(job)
        for job in dropped:
            job.future.set_exception(Cancelled())

    def close(self) -> None:
        """End all workers; what they were doing is cancelled."""
        with self._lock:
            self.closed = True
            dropped = [job for pool in self._pools for job in pool.waiting]
            workers = [worker for pool in self._pools for worker in pool.workers]
            for pool in self._pools:
                pool.waiting = []
        for job in dropped:
            job.future.set_exception(Cancelled())
        for worker in workers:
            worker.end()

    def go_on(self) -> None:
        """Give work to free workers, and start workers where there are too few."""
        with self._lock:
            failed = [] if self.closed else [found for pool in self._pools for found in self._dispatch(pool)]
        for job, error in failed:  # Without the lock: whoever hears of it may hold another, and want this one.
            job.future.set_exception(BackendError(f"no worker can be started: {error}"))

    def _dispatch(self, pool: _Pool) -> Iterator[tuple[Job, OSError]]:
        """Give out work; yields what cannot be given to anyone. Holds the lock."""
        while pool.waiting:
            worker = pool.free()
            place = pool.vacant()
            if place is not None and (worker is None or pool.waiting[0].model not in worker.held | {""}):
                try:
                    worker = Worker(self, self.command(pool.python), place)
                except OSError as error:
                    yield pool.waiting.pop(0), error
                    continue
                pool.workers.append(worker)
            if worker is None:
                return
            worker.give(pool.take(worker))

    @property
    def _pools(self) -> list[_Pool]:
        return [self._plain, *self._models.values()]

    def _of(self, python: str) -> _Pool:
        """Where models live that a Python runs: the executor's own, unless the user named another."""
        python = self._python if python == sys.executable else python
        if python not in self._models:
            self._models[python] = _Pool(python, cards())
        return self._models[python]

    def release(self, worker: Worker, number: int = 0) -> list[Job]:
        """Take a job away from its worker: the job of a number, or, as its life is over, all that it has."""
        with self._lock:
            if not number:
                self._bury(worker)
            taken = [job for job in worker.jobs if number in (0, job.number)]
            worker.jobs = [job for job in worker.jobs if job not in taken]
            return taken

    def again(self, jobs: Sequence[Job]) -> None:
        """Queue jobs once more whose worker died while it did several at once: each alone."""
        with self._lock:
            closed = self.closed
            for job in () if closed else jobs:
                insort(self._of(python_of(job.action)).waiting, job._replace(many=1), key=_turn)
        for job in jobs if closed else ():
            job.future.set_exception(Cancelled())

    def insist(self, worker: Worker, job: Job) -> None:
        """End a worker that still has a job that was cancelled, once it was silent for too long."""
        with self._lock:
            if job not in worker.jobs:
                return
            if worker.patience() > 0:  # It spoke meanwhile, or has a reason to be silent.
                worker.wait(job)
                return
            self._bury(worker)  # If it is done in this very moment, it gets no other.
            worker.kill()

    def moved(self, moved: Moved) -> None:
        """A model came into a worker's memory, or went."""
        self.moves.append(moved)

    def command(self, python: str = sys.executable) -> list[str]:
        """What starts a worker."""
        # -P: a json.py in the folder that we are called in is not ours to run.
        return [python, "-P", "-m", "engine.worker", str(self._store), str(self._vram)]

    def _bury(self, worker: Worker) -> None:
        for pool in self._pools:
            if worker in pool.workers:
                pool.workers.remove(worker)


class _Pool:
    """Workers of one sort, each at its place (variables of its environment), and the jobs that wait for them."""

    def __init__(self, python: str, places: Sequence[Mapping[str, str]]) -> None:
        self.python = python
        self.places = places
        self.workers: list[Worker] = []
        self.waiting: list[Job] = []  # The most urgent first.

    def free(self) -> Worker | None:
        """A worker without a job, best one that holds what the most urgent job needs."""
        idle = [worker for worker in self.workers if not worker.jobs]
        return min(idle, key=lambda worker: self.waiting[0].model not in worker.held, default=None)

    def vacant(self) -> Mapping[str, str] | None:
        """A place where no worker is yet."""
        left = list(self.places)
        for worker in self.workers:
            left.remove(worker.place)
        return left[0] if left else None

    def take(self, worker: Worker) -> list[Job]:
        """The next job for a worker: what is ahead, then what needs no other model, then the most urgent.

        With it go others that its backend does at once.
        """
        first = self.waiting[0]
        fitting = (job for job in self.waiting if job.ahead == first.ahead and job.model in worker.held)
        job = next(fitting, first) if first.model else first
        together = {job.action.key: job}  # What is asked for twice is made once, and then found.
        for other in self.waiting:
            if len(together) < min(job.many, other.many) and other.model == job.model:
                together.setdefault(other.action.key, other)
        self.waiting = [other for other in self.waiting if other not in together.values()]
        return list(together.values())


def cards() -> list[Mapping[str, str]]:
    """Where models can live: a place for each GPU that this process may use, or one where there is none."""
    said = os.environ.get("CUDA_VISIBLE_DEVICES")
    if said is not None:
        names = [name.strip() for name in said.split(",") if name.strip()]
    else:
        names = [str(number) for number, _ in enumerate(Path("/dev").glob("nvidia[0-9]*"))]
    return [{"CUDA_VISIBLE_DEVICES": name} for name in names] or [{}]


def cores() -> int:
    """How many cores this process may use."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable is not None else os.cpu_count() or 1


def _turn(job: Job) -> tuple[bool, int, int, int]:
    return not job.ahead, *urgency(job.action), job.number
