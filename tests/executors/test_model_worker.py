"""Models stay: one worker for each GPU holds them between steps, within a budget, and swaps them as rarely as it can.

First with backends that hold real bytes and do as they are told; then a film of ten scenes by real, tiny models.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import pytest
from heavy_kit import install
from odd_kit import until
from test_executor_contract import deaf, speech, workers

from engine.errors import BackendError, Cancelled
from engine.executors.inline import InlineExecutor
from engine.executors.local import PATIENCE, LocalExecutor
from engine.graph import Action, Result
from engine.store import Store

A, B, C = "A 100", "B 100", "C 100"
LARGE = "B 400"
ROOMY, TWO, ONE = 10.0, 0.25, 0.15  # Gigabytes: for all, for two of them, for one.


@pytest.fixture(name="log")
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return install(tmp_path, monkeypatch)


def still(do: str, model: str, kind: str = "still") -> Action:
    return Action(kind, "heavy", "1", {"do": do, "model": model}, {})


def moves(executor: LocalExecutor) -> list[str]:
    """What came and went, in short: +A, -A."""
    signs = {"loaded": "+", "evicted": "-"}
    return [signs[moved.state] + moved.model.split()[1] for moved in executor.moves]


def lines(log: Path, word: str = "run") -> list[str]:
    told = [line.partition(" ") for line in log.read_text().splitlines()]
    return [rest for first, _, rest in told if first == word]


def in_turn(executor: LocalExecutor, models: Sequence[str]) -> None:
    for number, model in enumerate(models):
        executor.submit(still(f"{number} after {len(executor.moves)}", model), deaf).result(60)


def held_up(executor: LocalExecutor, mark: Path, model: str = A, do: str = "wait") -> Future[Result]:
    """A step that runs until its mark is there, so that others gather behind it."""
    future = executor.submit(still(f"{do} {mark}", model), deaf)
    until(Path(f"{mark}.begun").exists, "the start")
    return future


def test_a_model_is_loaded_once_however_many_lanes_there_are(store: Store, log: Path) -> None:
    with closing(LocalExecutor(store.root, 2, vram=ROOMY)) as executor:
        futures = [executor.submit(still(f"{number}", A), deaf) for number in range(6)]
        assert all(future.result(60).outputs for future in futures)
        assert moves(executor) == ["+A"]
    assert lines(log, "load") == [A]


def test_steps_without_a_model_go_on_beside_it(store: Store, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with closing(LocalExecutor(store.root, 1, vram=ROOMY)) as executor:
        running = held_up(executor, mark)
        executor.submit(speech("a"), deaf).result(60)
        assert not running.done()
        mark.touch()
        running.result(60)


def test_what_was_used_least_recently_goes(store: Store) -> None:
    with closing(LocalExecutor(store.root, 1, vram=TWO)) as executor:
        in_turn(executor, [A, B, A, C, A, B])
        assert moves(executor) == ["+A", "+B", "-B", "+C", "-C", "+B"]


def test_a_model_that_is_larger_than_the_budget_has_it_to_itself(store: Store) -> None:
    with closing(LocalExecutor(store.root, 1, vram=0.05)) as executor:
        in_turn(executor, [A, A, B])
        assert moves(executor) == ["+A", "-A", "+B"]


def test_what_waits_for_a_model_in_memory_goes_first(store: Store, tmp_path: Path, log: Path) -> None:
    """Then a still before a clip, as it unlocks more."""
    mark = tmp_path / "mark"
    with closing(LocalExecutor(store.root, 1, vram=ONE)) as executor:
        futures = [held_up(executor, mark)]
        for name, model, kind in [("c", C, "clip"), ("b", B, "still"), ("a1", A, "still"), ("b2", B, "still")]:
            futures.append(executor.submit(still(name, model, kind), deaf))
        futures.append(executor.submit(still("a2", A), deaf))
        mark.touch()
        for future in futures:
            future.result(60)
    assert lines(log)[1:] == ["a1", "a2", "b", "b2", "c"]


def test_a_model_belongs_to_its_backend(store: Store) -> None:
    """Still and clip of one name are two models: each backend holds its own."""
    with closing(LocalExecutor(store.root, 1, vram=ROOMY)) as executor:
        for kind in ("still", "clip"):
            executor.submit(still("a", A, kind), deaf).result(60)
        assert [moved.model for moved in executor.moves] == [f"still.heavy {A}", f"clip.heavy {A}"]


def test_an_edit_goes_first_whatever_is_in_memory(store: Store, tmp_path: Path, log: Path) -> None:
    mark = tmp_path / "mark"
    with closing(LocalExecutor(store.root, 1, vram=ONE)) as executor:
        futures = [held_up(executor, mark), executor.submit(still("a", A), deaf)]
        futures.append(executor.submit(still("edited", B), deaf, ahead=True))
        mark.touch()
        for future in futures:
            future.result(60)
        assert moves(executor) == ["+A", "-A", "+B", "-B", "+A"]
    assert lines(log)[1:] == ["edited", "a"]


def test_loading_is_told_as_progress_without_a_total(store: Store) -> None:
    for make in (LocalExecutor(store.root, 1), InlineExecutor(store)):
        heard: list[tuple[int, int]] = []
        with closing(make) as executor:
            executor.submit(still(f"{make}", A), lambda done, total, to=heard: to.append((done, total))).result(60)  # type: ignore[misc]
        assert (0, 0) in heard


def test_what_runs_out_of_memory_is_tried_once_more_with_all_of_it(store: Store, log: Path) -> None:
    """Of 1000 MB, A and B take 500: 700 are too much beside both, and not beside A."""
    with closing(LocalExecutor(store.root, 1, vram=ROOMY)) as executor:
        in_turn(executor, [A, LARGE])
        executor.submit(still("take 700", A), deaf).result(60)
        assert moves(executor) == ["+A", "+B", "-B"]
        assert lines(log)[2:] == ["take 700", "take 700"]
        in_turn(executor, [A, LARGE, A])  # From now on it is known what A needs.
        assert moves(executor)[3:] == ["+B", "-B"]


def test_what_never_fits_says_what_to_change_and_costs_no_other(store: Store, log: Path) -> None:
    with closing(LocalExecutor(store.root, 1, vram=ROOMY)) as executor:
        with pytest.raises(BackendError) as caught:
            executor.submit(still("take 1500", A), deaf).result(60)
        hint = "Close other programs, or choose a smaller size."
        assert str(caught.value) == f"there is too little memory for a still with heavy\n  {hint}"
        assert lines(log) == ["take 1500", "take 1500"]
        in_turn(executor, [A])
        assert moves(executor) == ["+A"]


def test_a_model_that_does_not_fit_beside_another_while_it_loads_is_loaded_alone(store: Store) -> None:
    """The budget would allow it; the machine does not."""
    with closing(LocalExecutor(store.root, 1, vram=ROOMY)) as executor:
        in_turn(executor, [LARGE, "C 800"])
        assert moves(executor) == ["+B", "-B", "+C"]


def test_a_worker_that_dies_costs_the_step_in_flight_and_its_models(store: Store, tmp_path: Path, log: Path) -> None:
    mark = tmp_path / "mark"
    with closing(LocalExecutor(store.root, 1, vram=ROOMY)) as executor:
        killed, next_ = held_up(executor, mark), executor.submit(still("next", A), deaf)
        (pid,) = workers()
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(BackendError) as caught:
            killed.result(60)
        memory = "if memory ran out, close other programs or choose a smaller size"
        assert str(caught.value) == f"the worker died (signal 9) while it made a still with heavy\n  {memory}"
        next_.result(60)
    assert lines(log, "load") == [A, A]


@pytest.mark.parametrize("before", [0, 1], ids=["the first step", "a later step"])
def test_a_step_that_listens_seldom_is_waited_for_and_its_model_stays(
    store: Store, tmp_path: Path, log: Path, before: int
) -> None:
    """Longer than a worker without a model would be waited for."""
    with closing(LocalExecutor(store.root, 1, vram=ROOMY)) as executor:
        for number in range(before):
            executor.submit(still(f"slow {tmp_path / str(number)} 1.5", A), deaf).result(60)
        mark = tmp_path / "mark"
        stale = held_up(executor, mark, do=f"slow {mark} {PATIENCE + 1};")
        executor.cancel(stale)
        with pytest.raises(Cancelled):
            stale.result(60)
        in_turn(executor, [A])
    assert lines(log, "load") == [A]


def test_a_step_that_is_deaf_for_longer_than_its_model_ever_was_is_ended(
    store: Store, tmp_path: Path, log: Path
) -> None:
    with closing(LocalExecutor(store.root, 1, vram=ROOMY)) as executor:
        in_turn(executor, [A])
        stubborn = held_up(executor, tmp_path / "mark", do="deaf")
        executor.cancel(stubborn)
        with pytest.raises(Cancelled):
            stubborn.result(60)
        executor.submit(still("after", A), deaf).result(60)
    assert lines(log, "load") == [A, A]


def test_a_load_is_let_go_on_since_the_model_will_be_wanted_again(store: Store, tmp_path: Path, log: Path) -> None:
    mark = tmp_path / "mark"
    with closing(LocalExecutor(store.root, 1, vram=ROOMY)) as executor:
        stale = executor.submit(still("a", f"{A} {mark}"), deaf)
        until(lambda: lines(log, "load"), "the load")
        executor.cancel(stale)
        time.sleep(PATIENCE + 0.5)
        assert not stale.done()
        mark.touch()
        with pytest.raises(Cancelled):
            stale.result(60)
        executor.submit(still("b", f"{A} {mark}"), deaf).result(60)
    assert len(lines(log, "load")) == 1
    assert lines(log) == ["b"]


def test_each_gpu_has_a_worker_that_sees_no_other(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    with closing(LocalExecutor(store.root, 1, vram=ROOMY)) as executor:
        marks = [tmp_path / name for name in "abc"]
        for mark in marks:
            executor.submit(still(f"card {mark}; wait {mark}.end", A), deaf)
        until(lambda: all(Path(f"{mark}.end.begun").exists() for mark in marks[:2]), "two at once")
        assert not Path(f"{marks[2]}.end.begun").exists()
        seen = [mark.read_text().split() for mark in marks[:2]]
    assert sorted(card for _, card in seen) == ["3", "5"]
