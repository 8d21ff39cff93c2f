"""Steps of one model that wait for a worker are done at once where its backend takes several: each has its own end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import pytest
from heavy_kit import install
from odd_kit import until
from test_executor_contract import deaf, workers

from engine.errors import BackendError, Cancelled, Damaged, Unpermitted
from engine.executors.local import LocalExecutor
from engine.graph import Action, Result
from engine.store import Store
from engine.trust.permit import Permit

A, B = "A 1", "B 1"


@pytest.fixture(name="log")
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return install(tmp_path, monkeypatch)


@pytest.fixture
def executor(store: Store) -> Iterator[LocalExecutor]:
    with closing(LocalExecutor(store.root, 1, vram=1.0)) as executor:
        yield executor


def still(do: str, model: str = A, many: int = 4) -> Action:
    return Action("still", "heavy", "1", {"do": do, "model": model, "many": many}, {})


def together(log: Path) -> list[str]:
    told = [line.partition(" ") for line in log.read_text().splitlines()]
    return [rest for first, _, rest in told if first == "together"]


class Held:
    """A worker that is busy, so that what is asked for next has to wait, and gathers."""

    def __init__(self, executor: LocalExecutor, mark: Path) -> None:
        self._executor, self._mark = executor, mark
        executor.submit(still(f"wait {mark}"), deaf)
        until(Path(f"{mark}.begun").exists, "the start")

    def then(self, *actions: Action) -> list[Future[Result]]:
        futures = [self._executor.submit(action, deaf) for action in actions]
        self._mark.touch()
        return futures


def test_what_waits_goes_together_as_many_as_its_backend_takes(
    executor: LocalExecutor, tmp_path: Path, log: Path
) -> None:
    """Not what is of another model, nor what is alone; and what is asked for twice is made once."""
    words = ["a", "b", "a", "c", "d", "e"]
    actions = [still(word, many=3) for word in words] + [still("other", B), still("alone", many=1)]
    results = [future.result(60) for future in Held(executor, tmp_path / "mark").then(*actions)]
    assert together(log) == ["a + b + c", "d + e"]
    assert log.read_text().count("run a\n") == 1
    assert results[0].outputs == results[2].outputs
    assert len({result.outputs["image"].digest for result in results}) == len(results) - 1


def test_one_that_fails_or_is_not_wanted_costs_the_others_nothing(executor: LocalExecutor, tmp_path: Path) -> None:
    mark = tmp_path / "never"
    good, bad, stale, last = Held(executor, tmp_path / "mark").then(
        still("a"), still("fail so"), still(f"wait {mark}"), still("b")
    )
    until(Path(f"{mark}.begun").exists, "the start")
    executor.cancel(stale)
    assert good.result(60).outputs
    assert last.result(60).outputs
    with pytest.raises(BackendError, match=r"^so\n  tell it something else$"):
        bad.result(60)
    with pytest.raises(Cancelled):
        stale.result(60)


def test_what_is_not_allowed_or_lacks_its_input_is_left_out_of_them(
    executor: LocalExecutor, tmp_path: Path, log: Path
) -> None:
    (tmp_path / "persona.yaml").write_text("another")
    permit = Permit(str(tmp_path / "persona.yaml"), "0" * 64, "", "", "2000-01-01", "2000-01-01")
    held = Held(executor, tmp_path / "mark")
    refused = executor.submit(still("b"), deaf, permit=permit)
    lacking = executor.submit(still("c")._replace(inputs={"image": "0" * 64}), deaf)
    for good in held.then(still("a"), still("d")):
        assert good.result(60).outputs
    with pytest.raises(Unpermitted):
        refused.result(60)
    with pytest.raises(Damaged):
        lacking.result(60)
    assert together(log) == ["a + d"]


def test_a_fault_in_all_of_them_is_looked_for_one_by_one(executor: LocalExecutor, tmp_path: Path, log: Path) -> None:
    good, bad = Held(executor, tmp_path / "mark").then(still("a"), still("bug"))
    assert good.result(60).outputs
    with pytest.raises(BackendError) as told:
        bad.result(60)
    why = "backend still.heavy failed: ZeroDivisionError: integer division or modulo by zero"
    assert str(told.value).splitlines()[0] == why
    assert log.read_text().splitlines()[-2:] == ["run a", "run bug"]


def test_when_a_worker_dies_with_several_each_is_done_once_more_alone(
    executor: LocalExecutor, tmp_path: Path, log: Path
) -> None:
    good, bad, last = Held(executor, tmp_path / "mark").then(still("a"), still("die 4"), still("b"))
    assert good.result(60).outputs
    assert last.result(60).outputs
    with pytest.raises(BackendError, match=r"^the worker died \(exit code 4\) while it made a still with heavy\n"):
        bad.result(60)
    assert together(log) == ["a + die 4 + b"]


def test_what_dies_with_others_after_its_cancel_is_cancelled(executor: LocalExecutor, tmp_path: Path) -> None:
    mark = tmp_path / "there"
    stale, other = Held(executor, tmp_path / "mark").then(still(f"deaf {mark}"), still("a"))
    until(Path(f"{mark}.begun").exists, "the start")
    executor.cancel(stale)
    os.kill(workers()[0], signal.SIGKILL)
    with pytest.raises(Cancelled):
        stale.result(60)
    assert other.result(60).outputs


def test_what_another_process_makes_meanwhile_is_found(executor: LocalExecutor, store: Store, tmp_path: Path) -> None:
    """Leases are taken in one order, so two renders of the same steps never wait for each other."""
    words = ["a", "b", "c", "d"]
    with closing(LocalExecutor(store.root, 1, vram=1.0)) as other:
        here = Held(executor, tmp_path / "mark").then(*map(still, words))
        there = Held(other, tmp_path / "mark2").then(*map(still, reversed(words)))
        results = [future.result(60) for future in (*here, *there)]
    assert sum(result.found for result in results) >= len(words)
