"""Two processes on one store: each action is made once, both get the film, and nobody waits for the dead."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from crash_kit import DELIVERED, Workspace, digest, ended
from odd_kit import install, until

from engine import ledger
from engine.errors import Cancelled
from engine.executors.local import LocalExecutor
from engine.graph import Action, Result
from engine.store import Store


def test_two_renders_share_the_work(tmp_path: Path) -> None:
    """Each into a film of its own, from one empty store."""
    space = Workspace(tmp_path)
    films = [tmp_path / name / "boats.mp4" for name in ("first", "second")]
    processes = [space.start("render", str(space.board), "--json", "--out", str(film)) for film in films]
    first, second = (ended(process) for process in processes)
    assert [(run.code, run.errors) for run in (first, second)] == [(0, ""), (0, "")]
    made = Counter(space.keys()[name] for run in (first, second) for name in run.built)
    assert made == dict.fromkeys(space.keys().values(), 1)
    dones = [run.events[-1] for run in (first, second)]
    assert dones[0]["digest"] == dones[1]["digest"]
    assert dones[0]["built"] + dones[1]["built"] == len(set(space.keys().values()))
    for name in DELIVERED:
        assert digest(films[0].with_name(name)) == digest(films[1].with_name(name)) != ""


def test_two_renders_into_one_place(tmp_path: Path) -> None:
    """The film that lies there in the end is whole."""
    space = Workspace(tmp_path)
    runs = [ended(process) for process in [space.start("render", str(space.board), "--json") for _ in range(2)]]
    assert [(run.code, run.errors) for run in runs] == [(0, ""), (0, "")]
    assert f"sha256:{digest(space.film)}" == runs[0].events[-1]["digest"] == runs[1].events[-1]["digest"]
    assert sorted(file.name for file in space.film.parent.iterdir()) == sorted(DELIVERED)


def test_gc_beside_a_render(tmp_path: Path) -> None:
    """What gc frees under a render's hands is made again; its scratch space is left alone."""
    space = Workspace(tmp_path)
    process = space.start("render", str(space.board), "--json")
    swept = [space.run("gc", "--days", "0") for _ in range(3)]
    run = ended(process)
    assert [(gc.code, gc.errors) for gc in swept] == [(0, "")] * 3
    assert (run.code, run.errors) == (0, "")
    alone = Workspace(tmp_path / "alone")
    assert alone.render().code == 0
    assert digest(space.film) == digest(alone.film)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return install(tmp_path, monkeypatch)


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """One store, opened twice: two owners of leases."""
    with closing(Store(tmp_path / "store")) as one, closing(Store(tmp_path / "store")) as other:
        yield one, other


class Gone(Exception):
    """Waiting was given up."""


def gives_up() -> None:
    raise Gone


def test_one_process_at_a_time_works_on_a_key(stores: tuple[Store, Store]) -> None:
    one, other = stores
    with one.lease("k", gives_up):
        with pytest.raises(Gone), other.lease("k", gives_up):
            pytest.fail("two owners of one lease")
        with other.lease("another", gives_up):
            pass
    with other.lease("k", gives_up):
        pass


def test_the_lease_of_a_killed_process_is_taken_over_at_once(log: Path, tmp_path: Path) -> None:
    """A worker dies in the middle of a step; whoever waits for that step makes it, long before any beat is missed."""
    mark = tmp_path / "mark"
    action = Action("speech", "odd", "1", {"do": f"wait {mark}"}, {})
    with closing(LocalExecutor(tmp_path / "store", 1)) as dying, closing(LocalExecutor(tmp_path / "store", 1)) as heir:
        lost = dying.submit(action, lambda done, total: None)
        until(Path(f"{mark}.begun").exists, "the start")
        with closing(Store(tmp_path / "store")) as store, store.ledger._transaction() as db:
            ((pid,),) = db.execute("SELECT pid FROM leases JOIN owners USING (owner)").fetchall()
        waits = threading.Event()
        result = heir.submit(action, lambda done, total: waits.set())
        assert waits.wait(60)
        assert log.read_text() == f"speech wait {mark}\n"
        os.kill(pid, signal.SIGKILL)
        assert lost.exception(60) is not None
        until(lambda: log.read_text() == f"speech wait {mark}\n" * 2, "the second making")
        mark.touch()
        assert result.result(60).found is False


def test_the_lease_of_a_stopped_process_is_taken_over_when_its_beat_stands_still(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And when it wakes up, what its successor recorded stands."""
    mark = tmp_path / "mark"
    action = Action("speech", "odd", "1", {"do": f"dice; wait {mark}"}, {})
    with closing(LocalExecutor(tmp_path / "store", 1)) as asleep, closing(Store(tmp_path / "store")) as store:
        sleeper = asleep.submit(action, lambda done, total: None)
        until(Path(f"{mark}.begun").exists, "the start")
        with store.ledger._transaction() as db:
            ((pid,),) = db.execute("SELECT pid FROM leases JOIN owners USING (owner)").fetchall()
        os.kill(pid, signal.SIGSTOP)
        try:
            assert not store.ledger.take(action.key)  # It has only just shown life.
            monkeypatch.setattr(ledger, "DEAD", 0.2)
            until(lambda: store.ledger.take(action.key), "the end of its lease")
            (store.root / "tmp" / "ours").write_text("ours")
            ours = store.record(action, Result({"audio": store.put(store.root / "tmp" / "ours")}, {}, 1.0))
        finally:
            os.kill(pid, signal.SIGCONT)
        mark.touch()
        assert sleeper.result(60).outputs == ours.outputs
        assert store.lookup([action.key])[action.key].outputs == ours.outputs


def test_a_beating_owner_keeps_its_lease(stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch) -> None:
    """However long its work takes: the other looks often, and sees the beat go on."""
    monkeypatch.setattr(ledger, "BEAT", 0.02)
    monkeypatch.setattr(ledger, "DEAD", 1.0)
    one, other = stores
    with one.lease("k", gives_up):
        beats: set[int] = set()
        while len(beats) < 60:
            assert not other.ledger.take("k")
            with other.ledger._transaction() as db:
                beats.add(db.execute("SELECT beat FROM owners WHERE owner = ?", (one.ledger.owner,)).fetchone()[0])


def test_whoever_waits_for_another_can_be_cancelled(log: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    action = Action("speech", "odd", "1", {"do": f"wait {mark}"}, {})
    with (
        closing(LocalExecutor(tmp_path / "store", 1)) as busy,
        closing(LocalExecutor(tmp_path / "store", 1)) as waiting,
    ):
        made = busy.submit(action, lambda done, total: None)
        until(Path(f"{mark}.begun").exists, "the start")
        waits = threading.Event()
        wanted = waiting.submit(action, lambda done, total: waits.set())
        assert waits.wait(60)
        waiting.cancel(wanted)
        with pytest.raises(Cancelled):
            wanted.result(60)
        mark.touch()
        assert made.result(60).found is False
