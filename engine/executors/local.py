"""This machine: a few worker processes, each with one action at a time."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from bisect import insort
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import BackendError, Cancelled, MikebotError
from ..graph import Action, Result
from ..perform import model_of
from ..trust.permit import Permit
from ..worker import failure, unpack
from . import Listen, urgency

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

PATIENCE = 2.0  # Seconds that a step may ignore its cancel before its worker is ended.


class Job(NamedTuple):
    """An action on its way."""

    number: int
    action: Action
    model: str
    listen: Listen
    future: Future[Result]
    ahead: bool
    permit: Permit | None


class LocalExecutor:
    """Workers are started when there is work for them, and live until close.

    `lanes` is how many actions run at once; by default one a core.
    """

    def __init__(self, store: Path, lanes: int = 0, python: str = sys.executable) -> None:
        self._store = store
        self._python = python
        self._lanes = lanes or cores()
        self._lock = threading.RLock()
        self._waiting: list[Job] = []  # The most urgent first.
        self._workers: list[_Worker] = []
        self._count = 0
        self.closed = False

    def submit(
        self, action: Action, listen: Listen, ahead: bool = False, permit: Permit | None = None
    ) -> Future[Result]:
        """Queue an action; which of the waiting ones runs next is decided when a worker is free."""
        from concurrent.futures import Future  # Most renders find nothing to do: they need not import this.

        future: Future[Result] = Future()
        try:
            model = model_of(action)
        except MikebotError as error:
            future.set_exception(error)
            return future
        with self._lock:
            if self.closed:
                future.set_exception(Cancelled())
                return future
            self._count += 1
            insort(self._waiting, Job(self._count, action, model, listen, future, ahead, permit), key=_turn)
        self.go_on()
        return future

    def cancel(self, *futures: Future[Result]) -> None:
        """Drop actions that wait; stop those that run within two seconds, by force if need be."""
        stale = set(futures)
        with self._lock:
            dropped = [job for job in self._waiting if job.future in stale]
            self._waiting = [job for job in self._waiting if job.future not in stale]
            for worker in self._workers:
                if worker.job is not None and worker.job.future in stale:
                    worker.cancel()
        for job in dropped:
            job.future.set_exception(Cancelled())

    def close(self) -> None:
        """End all workers; what they were doing is cancelled."""
        with self._lock:
            self.closed = True
            dropped, self._waiting = self._waiting, []
            workers = list(self._workers)
        for job in dropped:
            job.future.set_exception(Cancelled())
        for worker in workers:
            worker.end()

    def go_on(self) -> None:
        """Give work to free workers, and start workers while there are fewer than lanes."""
        with self._lock:
            failed = list(self._dispatch())
        for job, error in failed:  # Without the lock: whoever hears of it may hold another, and want this one.
            job.future.set_exception(BackendError(f"no worker can be started: {error}"))

    def _dispatch(self) -> Iterator[tuple[Job, OSError]]:
        """Give out work; yields what cannot be given to anyone. Holds the lock."""
        while self._waiting and not self.closed:
            worker = next((w for w in self._workers if w.job is None), None)
            if worker is None:
                if len(self._workers) >= self._lanes:
                    return
                try:
                    worker = _Worker(self)
                except OSError as error:
                    yield self._waiting.pop(0), error
                    continue
                self._workers.append(worker)
            first = self._waiting[0]
            job = next((j for j in self._waiting if (j.ahead, j.model) == (first.ahead, worker.resident)), first)
            self._waiting.remove(job)
            worker.give(job)

    def release(self, worker: _Worker, number: int = 0) -> Job | None:
        """Take a job away from its worker: the job of a number, or, as its life is over, whatever it has."""
        with self._lock:
            if not number and worker in self._workers:
                self._workers.remove(worker)
            job = worker.job
            if job is None or number not in (0, job.number):
                return None
            worker.job = None
            return job

    def insist(self, worker: _Worker, job: Job) -> None:
        """End a worker that still has a job that was cancelled."""
        with self._lock:
            if worker.job is job:
                self._workers.remove(worker)  # If it is done in this very moment, it gets no other.
                worker.kill()

    def command(self) -> list[str]:
        """What starts a worker."""
        # -P: a json.py in the folder that we are called in is not ours to run.
        return [self._python, "-P", "-m", "engine.worker", str(self._store)]


class _Worker:
    """One worker process, and the job that it has."""

    def __init__(self, executor: LocalExecutor) -> None:
        self.job: Job | None = None
        self.resident = ""
        self._cancelled = 0  # The number of the last job that was.
        self._executor = executor
        self._last_words: deque[str] = deque(maxlen=20)
        import subprocess

        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            executor.command(),
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            encoding="utf-8",
            errors="replace",  # What libraries print may be anything.
            env=_environment(),
        )
        self._errors = threading.Thread(target=self._overhear, daemon=True)
        self._errors.start()
        threading.Thread(target=self._listen, daemon=True).start()

    def give(self, job: Job) -> None:
        self.job = job
        self.resident = job.model
        job.future.set_running_or_notify_cancel()
        self._say(id=job.number, action=job.action, permit=job.permit)

    def cancel(self) -> None:
        job = self.job
        if job is not None:
            self._cancelled = job.number
            self._say(id=job.number, cancel=True)
            timer = threading.Timer(PATIENCE, self._executor.insist, [self, job])
            timer.daemon = True
            timer.start()

    def end(self) -> None:
        import subprocess

        # Closing its input ends a worker at once, whatever it does.
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.close()  # type: ignore[union-attr]
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        self._process.kill()

    def _say(self, **said: Any) -> None:
        # A worker that just died is noticed by _listen, which fails its job.
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(json.dumps(said) + "\n")  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]

    def _overhear(self) -> None:
        with self._process.stderr as words:  # type: ignore[union-attr]
            for line in words:
                self._last_words.append(line.rstrip())

    def _listen(self) -> None:
        with self._process.stdout as replies:  # type: ignore[union-attr]
            try:
                for line in replies:
                    self._hear(json.loads(line))
            except ValueError:
                self._process.kill()  # What it says makes no sense any more.
        code = self._process.wait()
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]
        self._errors.join(1)
        job = self._executor.release(self)
        if job is not None:
            job.future.set_exception(self._obituary(job, code))
        self._executor.go_on()

    def _hear(self, said: dict[str, Any]) -> None:
        if "progress" in said:
            job = self.job
            if job is not None and job.number == said["id"]:
                job.listen(*said["progress"])
            return
        job = self._executor.release(self, said["id"])
        if job is None:
            return
        if "result" in said:
            job.future.set_result(unpack(said["result"]))
        else:
            job.future.set_exception(failure(*said["error"]))
        self._executor.go_on()

    def _obituary(self, job: Job, code: int) -> Exception:
        if self._executor.closed or job.number == self._cancelled:
            return Cancelled()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        words = "\n  ".join(self._last_words)
        message = f"the worker died ({how}) while it made a {job.action.kind} with {job.action.backend}"
        return BackendError(message, words or "if memory ran out, close other programs or choose a smaller size")


def _turn(job: Job) -> tuple[bool, int, int, int]:
    return not job.ahead, *urgency(job.action), job.number


def cores() -> int:
    """How many cores this process may use."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable is not None else os.cpu_count() or 1


def _environment() -> dict[str, str]:
    """One thread a worker: lanes are what keeps the cores busy, and one thread gives the same bytes."""
    pinned = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, **pinned, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
