"""What two builds of a session want is begun once, what only the first wanted is stopped, and nobody waits in vain.

Real workers with odd backends. "The first" and "the next" are two builds: each submits what it needs, lets go of it
when it is stopped, and `keep` is told between them what the next one wants.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import pytest
from odd_kit import install, until
from test_executor_contract import deaf, speech, workers

from engine.errors import BackendError, Cancelled
from engine.executors.kept import KeptExecutor
from engine.executors.local import LocalExecutor
from engine.graph import Result
from engine.ledger import process_lives
from engine.store import Store


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return install(tmp_path, monkeypatch)


@pytest.fixture
def kept(store: Store) -> Iterator[KeptExecutor]:
    """Two lanes."""
    with closing(KeptExecutor(LocalExecutor(store.root, 2))) as kept:
        yield kept


@pytest.fixture
def narrow(store: Store) -> Iterator[KeptExecutor]:
    """One lane, so that a second action waits."""
    with closing(KeptExecutor(LocalExecutor(store.root, 1))) as kept:
        yield kept


def begun(kept: KeptExecutor, mark: Path, do: str = "wait") -> Future[Result]:
    """An action that runs, until its mark is there."""
    future = kept.submit(speech(f"{do} {mark}"), deaf)
    until(Path(f"{mark}.begun").exists, "the start")
    return future


def ran(log: Path) -> list[str]:
    return [line.removeprefix("speech ").split()[0] for line in log.read_text().splitlines()]


def test_what_both_builds_want_runs_once(kept: KeptExecutor, tmp_path: Path, log: Path) -> None:
    mark = tmp_path / "mark"
    first = begun(kept, mark)
    kept.cancel(first)
    with pytest.raises(Cancelled):
        first.result(0)
    kept.keep({speech(f"wait {mark}").key})
    next_ = kept.submit(speech(f"wait {mark}"), deaf)
    mark.touch()
    assert next_.result(60).found is False
    assert ran(log) == ["wait"]


def test_two_that_wait_for_one_action_both_get_it_and_hear_its_progress(kept: KeptExecutor, tmp_path: Path) -> None:
    heard: dict[str, set[tuple[int, int]]] = {"one": set(), "other": set()}
    mark = tmp_path / "mark"
    action = speech(f"wait {mark}")
    futures = [kept.submit(action, lambda done, total, who=who: heard[who].add((done, total))) for who in heard]
    until(lambda: all((1, 2) in told for told in heard.values()), "progress")
    mark.touch()
    one, other = (future.result(60) for future in futures)
    assert one == other


def test_what_only_the_first_wanted_is_stopped(kept: KeptExecutor, tmp_path: Path, store: Store) -> None:
    kept.cancel(begun(kept, tmp_path / "never"))
    kept.keep(set())
    until(lambda: list((store.root / "tmp").iterdir()) == [], "the end of what ran")
    assert store.lookup([speech(f"wait {tmp_path / 'never'}").key]) == {}


def test_what_somebody_waits_for_is_not_stopped(kept: KeptExecutor, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    future = begun(kept, mark)
    kept.keep(set())
    mark.touch()
    future.result(60)


def test_what_is_being_stopped_is_begun_anew_for_whoever_wants_it_after_all(
    narrow: KeptExecutor, tmp_path: Path, log: Path
) -> None:
    """It ignores its cancel for now: the new one is another action, and is given what it gives."""
    mark = tmp_path / "mark"
    narrow.cancel(begun(narrow, mark, "deaf"))
    narrow.keep(set())
    again = narrow.submit(speech(f"deaf {mark}"), deaf)
    until(lambda: ran(log) == ["deaf", "deaf"], "a second run")
    assert not again.done()
    narrow.cancel(again)
    narrow.keep(set())


def test_a_worker_that_ignores_its_cancel_takes_nothing_along(kept: KeptExecutor, tmp_path: Path, log: Path) -> None:
    """What both builds want runs beside it, and is not begun again."""
    mark = tmp_path / "mark"
    stubborn, wanted = begun(kept, tmp_path / "stubborn", "deaf"), begun(kept, mark)
    for future in (stubborn, wanted):
        kept.cancel(future)
    pids = workers()
    kept.keep({speech(f"wait {mark}").key})
    next_ = kept.submit(speech(f"wait {mark}"), deaf)
    until(lambda: not all(map(process_lives, pids)), "the end of the stubborn worker")
    mark.touch()
    assert next_.result(60).found is False
    assert sorted(ran(log)) == ["deaf", "wait"]


def test_a_worker_that_is_killed_fails_the_step_and_the_next_build_makes_it(
    narrow: KeptExecutor, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    future = begun(narrow, mark)
    (pid,) = workers()
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(BackendError) as caught:
        future.result(60)
    memory = "if memory ran out, close other programs or choose a smaller size"
    assert str(caught.value) == f"the worker died (signal 9) while it made a speech with odd\n  {memory}"
    mark.touch()
    narrow.submit(speech(f"wait {mark}"), deaf).result(60)


def test_what_waits_for_its_turn_waits_as_the_next_build_wants_it(
    narrow: KeptExecutor, tmp_path: Path, log: Path
) -> None:
    """Two wait behind a third; the scene of the later one is touched."""
    mark = tmp_path / "mark"
    running = begun(narrow, mark)
    waiting = [narrow.submit(speech(word), deaf) for word in ("other", "touched")]
    for future in (running, *waiting):
        narrow.cancel(future)
    narrow.keep({speech(do).key for do in (f"wait {mark}", "other", "touched")})
    futures = [
        narrow.submit(speech(f"wait {mark}"), deaf),
        narrow.submit(speech("other"), deaf),
        narrow.submit(speech("touched"), deaf, ahead=True),
    ]
    mark.touch()
    for future in futures:
        future.result(60)
    assert ran(log) == ["wait", "touched", "other"]


def test_letting_go_twice_or_too_late_changes_nothing(kept: KeptExecutor, tmp_path: Path) -> None:
    future = begun(kept, tmp_path / "never")
    kept.cancel(future)
    kept.cancel(future)
    assert isinstance(future.exception(0), Cancelled)
    done = kept.submit(speech("a"), deaf)
    result = done.result(60)
    kept.cancel(done)
    assert done.result(0) == result


def test_letting_go_while_it_lands_gives_one_answer(kept: KeptExecutor) -> None:
    """Whichever comes first."""
    for number in range(50):
        future = kept.submit(speech(f"number {number}"), deaf)
        time.sleep(0.002 * (number % 5))
        kept.cancel(future)
        assert future.done()
        assert future.exception(0) is None or isinstance(future.exception(0), Cancelled)
    kept.keep(set())


def test_what_cannot_be_submitted_leaves_nothing_behind_that_others_would_wait_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backend whose own check has a fault."""
    inner = LocalExecutor(store.root, 1)
    with closing(KeptExecutor(inner)) as kept:
        submit = inner.submit
        monkeypatch.setattr(inner, "submit", _fault)
        with pytest.raises(ZeroDivisionError):
            kept.submit(speech("a"), deaf)
        kept.keep(set())
        monkeypatch.setattr(inner, "submit", submit)
        assert kept.submit(speech("a"), deaf).result(60).found is False


def _fault(*_: object) -> Future[Result]:
    raise ZeroDivisionError


def test_what_cannot_be_made_here_says_why_each_time(kept: KeptExecutor) -> None:
    for _ in range(2):
        with pytest.raises(BackendError) as caught:
            kept.submit(speech("refuse"), deaf).result(60)
        assert str(caught.value) == "it is not in the mood; it is a Monday"


@pytest.mark.parametrize("ends", ["cancelled", "closed", "without a worker"])
def test_whoever_hears_that_an_action_ended_may_ask_for_another_from_any_thread(
    store: Store, tmp_path: Path, ends: str
) -> None:
    """Nothing is told under a lock: a thread that waits for that lock would wait for ever."""
    python, heard = tmp_path / "python", Future[bool]()
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)

    def asked(_: Future[Result]) -> None:
        other = threading.Thread(target=inner.go_on, daemon=True)
        other.start()
        other.join(10)
        heard.set_result(not other.is_alive())

    with closing(LocalExecutor(store.root, 1, str(python))) as inner:
        inner.submit(speech(f"wait {tmp_path / 'never'}"), deaf)
        until((tmp_path / "never.begun").exists, "the start")
        waiting = inner.submit(speech("a"), deaf)
        waiting.add_done_callback(asked)
        if ends == "cancelled":
            inner.cancel(waiting)
        elif ends == "closed":
            inner.close()
        else:
            python.unlink()
            os.kill(workers()[0], signal.SIGKILL)
        assert heard.result(60)


def test_nothing_is_kept_of_what_is_over(kept: KeptExecutor, tmp_path: Path) -> None:
    """Promises, listeners and actions of many builds."""

    class Listener:
        def __call__(self, done: int, total: int) -> None:
            pass

    left: list[weakref.ref] = []
    for number in range(200):
        listener = Listener()
        future = kept.submit(speech(f"number {number % 3}" if number % 2 else "refuse"), listener)
        if number % 5:
            kept.cancel(future)
            kept.keep(set())
        else:
            future.exception(60)
        left += [weakref.ref(listener), weakref.ref(future)]
    del listener, future
    kept.submit(speech("the last"), deaf).result(60)
    until(lambda: gc.collect() >= 0 and not any(ref() is not None for ref in left), "their end")


def test_closing_ends_what_runs_and_what_waits(store: Store, tmp_path: Path) -> None:
    kept = KeptExecutor(LocalExecutor(store.root, 1))
    futures = [begun(kept, tmp_path / "never"), kept.submit(speech("a"), deaf)]
    kept.close()
    for future in futures:
        with pytest.raises(Cancelled):
            future.result(60)
    assert workers() == []
    assert list((store.root / "tmp").iterdir()) == []
