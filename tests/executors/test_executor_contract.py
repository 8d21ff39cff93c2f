"""What every executor owes: a result or an error for each action, cancel at any time, and the store's truth."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import pytest
from odd_kit import install, until

from engine.errors import BackendError, Cancelled, Damaged, StoreError
from engine.executors import Listen
from engine.executors.inline import InlineExecutor
from engine.executors.local import PATIENCE, LocalExecutor
from engine.graph import Action, Result
from engine.ledger import process_lives
from engine.store import Store

Executor = InlineExecutor | LocalExecutor


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return install(tmp_path, monkeypatch)


@pytest.fixture(params=["inline", "local"])
def executor(request: pytest.FixtureRequest, store: Store) -> Iterator[Executor]:
    """One lane, so that a second action waits."""
    with closing(InlineExecutor(store) if request.param == "inline" else LocalExecutor(store.root, 1)) as executor:
        yield executor


@pytest.fixture
def local(store: Store) -> Iterator[LocalExecutor]:
    with closing(LocalExecutor(store.root, 1)) as executor:
        yield executor


def speech(do: str, **inputs: str) -> Action:
    return Action("speech", "odd", "1", {"do": do}, inputs)


def deaf(done: int, total: int) -> None:
    """Hear of progress, and do nothing."""


def submit(executor: Executor, do: str, listen: Listen = deaf) -> Future[Result]:
    return executor.submit(speech(do), listen)


def test_a_result_is_recorded_before_it_is_given(executor: Executor, store: Store) -> None:
    result = submit(executor, "a").result(60)
    assert store.lookup([speech("a").key]) == {speech("a").key: result}
    assert sorted(result.outputs) == ["audio", "timing"]
    assert all(store.whole(artifact.digest) for artifact in result.outputs.values())
    assert (result.facts, result.found) == ({}, False)
    assert list((store.root / "tmp").iterdir()) == []


def test_every_action_gets_its_own_result(executor: Executor, store: Store) -> None:
    futures = {word: submit(executor, word) for word in "abcdefgh"}
    for word, future in futures.items():
        audio = store.path(future.result(60).outputs["audio"].digest).read_text()
        assert audio.startswith(f"speech audio: {word} of ")


def test_what_is_recorded_is_found_and_not_made(executor: Executor, log: Path) -> None:
    first = submit(executor, "a").result(60)
    assert submit(executor, "a").result(60) == first._replace(found=True)
    assert log.read_text() == "speech a\n"


def test_progress_is_heard(executor: Executor, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    mark = tmp_path / "mark"

    def listen(done: int, total: int) -> None:
        heard.append((done, total))
        if (done, total) == (1, 2):
            mark.touch()

    submit(executor, f"wait {mark}", listen).result(60)
    assert (1, 2) in heard


@pytest.mark.parametrize(
    ("do", "message"),
    [
        ("fail it is raining", "it is raining\n  tell it something else"),
        ("bug", "backend speech.odd failed: ZeroDivisionError: integer division or modulo by zero"),
    ],
)
def test_a_failure_says_why_and_the_next_action_runs(executor: Executor, store: Store, do: str, message: str) -> None:
    with pytest.raises(BackendError) as caught:
        submit(executor, do).result(60)
    assert str(caught.value).startswith(message)
    assert ("Traceback" in str(caught.value)) == (do == "bug")  # A fault of the backend: its author needs to see it.
    submit(executor, "a").result(60)
    assert store.lookup([speech(do).key]) == {}
    assert list((store.root / "tmp").iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_no_fault_of_the_backend(executor: Executor, store: Store) -> None:
    with pytest.raises(StoreError) as caught:
        submit(executor, "disk").result(60)
    remedy = "the disk is full: free some space, or run `mikebot gc`"
    assert str(caught.value) == f"{store.root}: No space left on device\n  {remedy}"


def test_a_missing_input_is_named(executor: Executor) -> None:
    with pytest.raises(Damaged) as caught:
        executor.submit(speech("a", voice="0" * 64), deaf).result(60)
    assert caught.value.digest == "0" * 64


def test_a_damaged_input_is_named(executor: Executor, store: Store, log: Path) -> None:
    audio = submit(executor, "a").result(60).outputs["audio"]
    store.path(audio.digest).write_bytes(b"x" * audio.size)
    with pytest.raises(Damaged) as caught:
        executor.submit(speech("b", voice=audio.digest), deaf).result(60)
    assert caught.value.digest == audio.digest
    assert log.read_text() == "speech a\n"


def test_cancel_stops_what_runs(executor: Executor, tmp_path: Path, store: Store) -> None:
    running = submit(executor, f"wait {tmp_path / 'never'}")
    until((tmp_path / "never.begun").exists, "the start")
    executor.cancel(running)
    with pytest.raises(Cancelled):
        running.result(60)
    submit(executor, "a").result(60)
    assert list((store.root / "tmp").iterdir()) == []


def test_cancel_drops_what_waits(executor: Executor, tmp_path: Path, log: Path) -> None:
    running = submit(executor, f"wait {tmp_path / 'mark'}")
    until((tmp_path / "mark.begun").exists, "the start")
    waiting = submit(executor, "a")
    executor.cancel(waiting)
    (tmp_path / "mark").touch()
    with pytest.raises(Cancelled):
        waiting.result(60)
    running.result(60)
    assert log.read_text() == f"speech wait {tmp_path / 'mark'}\n"


def test_cancel_of_what_is_done_changes_nothing(executor: Executor) -> None:
    done = submit(executor, "a")
    result = done.result(60)
    executor.cancel(done)
    assert done.result(0) == result
    submit(executor, "b").result(60)


def test_close_cancels_everything(executor: Executor, tmp_path: Path) -> None:
    futures = [submit(executor, f"wait {tmp_path / 'never'}"), submit(executor, "a")]
    until((tmp_path / "never.begun").exists, "the start")
    executor.close()
    for future in futures:
        with pytest.raises(Cancelled):
            future.result(60)


def test_an_action_after_close_is_cancelled(executor: Executor) -> None:
    executor.close()
    with pytest.raises(Cancelled):
        submit(executor, "a").result(60)


def test_printing_does_not_spoil_the_protocol(local: LocalExecutor, store: Store) -> None:
    """Standard output is the protocol's; half a megabyte of noise on it, and on standard error, is not heard."""
    noisy = submit(local, "print")
    assert noisy.result(60) == store.lookup([speech("print").key])[speech("print").key]
    submit(local, "a").result(60)


def test_a_dead_worker_costs_one_step(local: LocalExecutor, store: Store) -> None:
    dead, next_ = submit(local, "die 3"), submit(local, "a")
    with pytest.raises(BackendError) as caught:
        dead.result(60)
    message = "the worker died (exit code 3) while it made a speech with odd\n  these were its last words"
    assert str(caught.value) == message
    next_.result(60)


def test_a_worker_that_dies_between_two_steps_costs_at_most_one(local: LocalExecutor) -> None:
    submit(local, "a").result(60)
    (pid,) = workers()
    os.kill(pid, signal.SIGKILL)
    until(lambda: not workers(), "the worker's end")
    # Whether the executor has noticed by now is a matter of luck; it must have after one failure.
    error = submit(local, "b").exception(60)
    if error is not None:
        memory = "if memory ran out, close other programs or choose a smaller size"
        assert str(error) == f"the worker died (signal 9) while it made a speech with odd\n  {memory}"
    submit(local, "b").result(60)


def test_a_worker_that_ignores_its_cancel_is_ended(local: LocalExecutor, store: Store, tmp_path: Path) -> None:
    stubborn, next_ = submit(local, f"deaf {tmp_path / 'mark'}"), submit(local, "a")
    until((tmp_path / "mark.begun").exists, "the start")
    (pid,) = workers()
    local.cancel(stubborn)
    with pytest.raises(Cancelled):
        stubborn.result(60)
    assert not process_lives(pid)
    next_.result(60)
    assert list((store.root / "tmp").iterdir()) == []  # It left nothing half done.


def test_a_cancel_that_came_too_late_ends_nobody(local: LocalExecutor, tmp_path: Path) -> None:
    """The worker goes on to another action before the patience is over; that one is left alone."""
    first = submit(local, f"wait {tmp_path / 'mark'}")
    until((tmp_path / "mark.begun").exists, "the start")
    local.cancel(first)
    with pytest.raises(Cancelled):
        first.result(60)
    second = submit(local, f"wait {tmp_path / 'later'}")
    time.sleep(PATIENCE + 0.5)
    (tmp_path / "later").touch()
    assert second.result(60).found is False


def test_closing_ends_every_worker(store: Store) -> None:
    executor = LocalExecutor(store.root, 2)
    for future in [submit(executor, word) for word in "abcd"]:
        future.result(60)
    pids = workers()
    assert pids
    executor.close()
    assert [pid for pid in pids if process_lives(pid)] == []


def test_closing_leaves_nothing_half_done_of_a_step_that_hears_nothing(store: Store, tmp_path: Path) -> None:
    executor = LocalExecutor(store.root, 1)
    future = submit(executor, f"deaf {tmp_path / 'mark'}")
    until((tmp_path / "mark.begun").exists, "the start")
    assert len(list((store.root / "tmp").iterdir())) == 1
    executor.close()
    with pytest.raises(Cancelled):
        future.result(60)
    assert list((store.root / "tmp").iterdir()) == []


@pytest.mark.parametrize("sent", ['{"id": 1, "action": ["speech", "od', ""])
def test_a_worker_ends_with_its_leader_even_in_the_middle_of_a_line(local: LocalExecutor, sent: str) -> None:
    """A leader that is killed while it speaks leaves half a line behind."""
    worker = subprocess.Popen(local.command(), stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert worker.stdin is not None
    worker.stdin.write(sent.encode())
    worker.stdin.close()
    assert worker.wait(60) == 0


def workers() -> list[int]:
    """Processes that this one has started and that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == os.getpid() and state != "Z":
            found.append(int(stat.parent.name))
    return found
