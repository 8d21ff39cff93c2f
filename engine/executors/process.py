"""One worker process as its leader sees it: what it is told, what it says, and how long it may be silent."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..bench import Moved
from ..errors import BackendError, Cancelled
from ..graph import Action, Result
from ..trust.permit import Permit
from ..worker import failure, unpack
from . import Listen

if TYPE_CHECKING:
    from concurrent.futures import Future

PATIENCE = 2.0  # Seconds that a step may ignore its cancel before its worker is ended.
# A step with a model is heard between two denoising steps, and whoever ends its worker loses the model, too.
SLOW = 3  # So it may be silent for so many times its longest silence that far,
NEW = 120.0  # for so long before the worker has made one whole step with that model (it may compile),
LOADING = 900.0  # and for so long while the model is read: that cannot be stopped, and will be wanted again.


class Job(NamedTuple):
    """An action on its way."""

    number: int
    action: Action
    model: str
    listen: Listen
    future: Future[Result]
    ahead: bool
    permit: Permit | None
    many: int = 1  # With how many others of its model it may be done at once.


class Leader(Protocol):
    """Whose worker it is."""

    closed: bool

    def release(self, worker: Worker, number: int = 0) -> list[Job]:
        """Take a job away from its worker: the job of a number, or, as its life is over, all that it has."""

    def again(self, jobs: Sequence[Job]) -> None:
        """Jobs whose worker died while it did several at once, one of which may have killed it: each alone."""

    def insist(self, worker: Worker, job: Job) -> None:
        """A job was cancelled a while ago: end the worker if it still has it and was silent for too long."""

    def go_on(self) -> None:
        """Its worker is free, or gone."""

    def moved(self, moved: Moved) -> None:
        """A model came into a worker's memory, or went."""


class Worker:
    """One worker process, and the jobs that it has: one, or several at once that share a model."""

    def __init__(self, leader: Leader, command: Sequence[str], place: Mapping[str, str]) -> None:
        self.jobs: list[Job] = []
        self.held: set[str] = set()  # The models in its memory.
        self.place = place
        self._cancelled: set[int] = set()  # Numbers of jobs that it has.
        self._leader = leader
        self._silence = _Silence()
        self._last_words: deque[str] = deque(maxlen=20)
        import subprocess

        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            encoding="utf-8",
            errors="replace",  # What libraries print may be anything.
            env={**_environment(command[0]), **place},
        )
        self._errors = threading.Thread(target=self._overhear, daemon=True)
        self._errors.start()
        threading.Thread(target=self._listen, daemon=True).start()

    def give(self, jobs: Sequence[Job]) -> None:
        """Have it do a job, or several at once."""
        self.jobs = list(jobs)
        self._cancelled.clear()
        self._silence.begin(jobs[0].model)
        for job in jobs:
            if not job.future.running():  # It may be given for the second time.
                job.future.set_running_or_notify_cancel()
        self._say(jobs=[{"id": job.number, "action": job.action, "permit": job.permit} for job in jobs])

    def cancel(self, job: Job) -> None:
        """Tell it that a job is not wanted any more."""
        self._cancelled.add(job.number)
        self._say(id=job.number, cancel=True)
        self._silence.ask()
        self.wait(job)

    def wait(self, job: Job) -> None:
        """Have the leader insist on a cancel when its patience is over."""
        timer = threading.Timer(self.patience(), self._leader.insist, [self, job])
        timer.daemon = True
        timer.start()

    def patience(self) -> float:
        """Seconds that it may still be silent."""
        return self._silence.left()

    def end(self) -> None:
        """Have it end, whatever it does."""
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
        """End it: by closing its input, so that it leaves nothing half done; by force if it does not hear even that."""
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.close()  # type: ignore[union-attr]
        timer = threading.Timer(PATIENCE, self._process.kill)
        timer.daemon = True
        timer.start()

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
        left = self._leader.release(self)
        if len(left) > 1:
            self._leader.again([job for job in left if job.number not in self._cancelled])
            left = [job for job in left if job.number in self._cancelled]
        for job in left:
            job.future.set_exception(self._obituary(job, code))
        self._leader.go_on()

    def _hear(self, said: dict[str, Any]) -> None:
        if "moved" in said:
            self._move(Moved(*said["moved"]))
            return
        if "progress" in said:
            self._silence.broken(loading=said["progress"][1] == 0)
            for job in [job for job in self.jobs if job.number == said["id"]]:
                job.listen(*said["progress"])
            return
        self._silence.end(whole="result" in said)
        for job in self._leader.release(self, said["id"]):
            if "result" in said:
                job.future.set_result(unpack(said["result"]))
            else:
                job.future.set_exception(failure(*said["error"]))
        self._leader.go_on()

    def _move(self, moved: Moved) -> None:
        self._silence.broken(loading=False)
        if moved.state == "loaded":
            self.held.add(moved.model)
        else:
            self.held.discard(moved.model)
        self._leader.moved(moved)

    def _obituary(self, job: Job, code: int) -> Exception:
        if self._leader.closed or job.number in self._cancelled:
            return Cancelled()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        words = "\n  ".join(self._last_words)
        message = f"the worker died ({how}) while it made a {job.action.kind} with {job.action.backend}"
        return BackendError(message, words or "if memory ran out, close other programs or choose a smaller size")


class _Silence:
    """How long a worker is silent, and how long it may be, by what it has been."""

    def __init__(self) -> None:
        self._model = ""
        self._since = 0.0  # The last word, on the monotonic clock.
        self._loading = False
        self._longest = 0.0  # Of this job.
        self._usual: dict[str, float] = {}  # The longest of the whole steps with a model.

    def begin(self, model: str) -> None:
        self._model, self._since, self._loading, self._longest = model, time.monotonic(), False, 0.0

    def broken(self, *, loading: bool) -> None:
        """It said something; while it loads, its silence says nothing of its steps."""
        now = time.monotonic()
        if not self._loading:
            self._longest = max(self._longest, now - self._since)
        self._since, self._loading = now, loading

    def end(self, *, whole: bool) -> None:
        """The job is over."""
        self.broken(loading=False)
        if whole and self._model:
            self._usual[self._model] = max(self._longest, self._usual.get(self._model, 0.0))

    def ask(self) -> None:
        """It was told to stop: from now on it is waited for."""
        self._since = time.monotonic()

    def left(self) -> float:
        return self._since + self._allowed() - time.monotonic()

    def _allowed(self) -> float:
        if not self._model:
            return PATIENCE
        if self._loading:
            return LOADING
        usual = self._usual.get(self._model)
        return max(PATIENCE, SLOW * max(usual, self._longest)) if usual is not None else NEW


def _environment(python: str) -> dict[str, str]:
    """One thread a worker: lanes are what keeps the cores busy, and sums in one order give the same bytes. Where
    models live, too: a GPU's work does not get faster by threads, and a processor's bytes must not depend on them."""
    pinned = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    found = {**os.environ, **pinned, "HF_HUB_OFFLINE": "1", "PYTHONIOENCODING": "utf-8"}
    if python == sys.executable:  # Another Python has an engine of its own, and packages that are not ours.
        root = str(Path(__file__).resolve().parents[2])
        found["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    return found
