"""Records and leases: one owner a key, and nobody waits for the dead."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from engine import ledger
from engine.errors import StoreError
from engine.ledger import Ledger, Row, process_lives

ROW = Row("k", "action", "result", "speech", "odd", 1.0, 2, 3)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Ledger, Ledger]]:
    """Two owners of one file."""
    with closing(Ledger(tmp_path / "results.db")) as one, closing(Ledger(tmp_path / "results.db")) as other:
        yield one, other


def owned(one: Ledger, pid: int = 0, host: str = "") -> None:
    """Let an owner be another process, perhaps of another machine."""
    with one._transaction("IMMEDIATE") as db:
        if pid:
            db.execute("UPDATE owners SET pid = ? WHERE owner = ?", (pid, one.owner))
        if host:
            db.execute("UPDATE owners SET host = ? WHERE owner = ?", (host, one.owner))


def gone() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def test_a_key_has_one_owner(pair: tuple[Ledger, Ledger]) -> None:
    one, other = pair
    assert (one.take("k"), other.take("k"), other.take("l"), one.take("k")) == (True, False, True, True)
    other.give_back("k")  # Not its own.
    assert not other.take("k")
    one.give_back("k")
    assert other.take("k")


def test_closing_gives_everything_back(tmp_path: Path, pair: tuple[Ledger, Ledger]) -> None:
    one, _ = pair
    with closing(Ledger(tmp_path / "results.db")) as third:
        assert third.take("k")
        assert not one.take("k")
    assert one.take("k")
    assert one.living() == {one.owner}


def test_of_many_threads_one_gets_the_key(tmp_path: Path) -> None:
    ledgers = [Ledger(tmp_path / "results.db") for _ in range(8)]
    taken: list[str] = []
    start = threading.Barrier(len(ledgers))

    def take(one: Ledger) -> None:
        one.live()
        for key in map(str, range(50)):
            start.wait()
            if one.take(key):
                taken.append(key)

    threads = [threading.Thread(target=take, args=[one]) for one in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in ledgers:
        one.close()
    assert sorted(taken, key=int) == [str(number) for number in range(50)]


def test_a_key_that_is_taken_between_look_and_grasp(
    pair: tuple[Ledger, Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = pair
    other.live()
    transaction = other._transaction

    @contextmanager
    def overtaken(kind: str = "DEFERRED") -> Iterator[sqlite3.Connection]:
        with transaction(kind) as db:
            yield db
        if kind == "DEFERRED":
            monkeypatch.undo()
            assert one.take("k")

    monkeypatch.setattr(other, "_transaction", overtaken)
    assert not other.take("k")
    assert one.take("k")


def test_a_dead_process_loses_its_lease_at_once(pair: tuple[Ledger, Ledger]) -> None:
    one, other = pair
    assert one.take("k")
    owned(one, pid=gone())
    assert other.take("k")
    assert not one.take("k")


def test_another_machines_process_is_judged_by_its_beat(
    pair: tuple[Ledger, Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number means nothing here."""
    one, other = pair
    assert one.take("k")
    owned(one, pid=gone(), host="elsewhere")
    assert not other.take("k")
    monkeypatch.setattr(ledger, "DEAD", -1.0)
    assert other.take("k")


def test_a_beat_that_stands_still_is_measured_from_when_it_was_first_seen(
    tmp_path: Path, pair: tuple[Ledger, Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes new waits the whole time from its first look, whatever any clock says."""
    one, _ = pair
    assert one.take("k")
    monkeypatch.setattr(ledger, "DEAD", -1.0)
    with closing(Ledger(tmp_path / "results.db")) as fresh:
        assert one.owner in fresh.living()
        assert one.owner not in fresh.living()


def test_a_lease_whose_owner_is_unknown_is_free(pair: tuple[Ledger, Ledger]) -> None:
    one, other = pair
    with one._transaction("IMMEDIATE") as db:
        db.execute("INSERT INTO leases VALUES ('k', 'nobody')")
    assert other.take("k")


def test_the_dead_are_cleared_away_when_somebody_comes_to_life(pair: tuple[Ledger, Ledger], tmp_path: Path) -> None:
    one, other = pair
    assert one.take("k")
    owned(one, pid=gone())
    other.live()
    with other._transaction() as db:
        assert db.execute("SELECT owner FROM owners").fetchall() == [(other.owner,)]
        assert db.execute("SELECT key FROM leases").fetchall() == []


def test_saving_ends_the_lease(pair: tuple[Ledger, Ledger]) -> None:
    one, other = pair
    assert one.take("k")
    assert one.save(ROW) == "result"
    assert other.take("k")
    assert other.rows() == [ROW]


def test_who_lost_the_lease_does_not_overwrite_its_successor(pair: tuple[Ledger, Ledger]) -> None:
    sleeper, heir = pair
    assert sleeper.take("k")
    owned(sleeper, pid=gone())
    assert heir.take("k")
    assert heir.save(ROW._replace(result="the heir's")) == "the heir's"
    assert sleeper.save(ROW._replace(result="the sleeper's")) == "the heir's"
    assert heir.results(["k"]) == {"k": "the heir's"}


def test_who_has_the_lease_replaces(pair: tuple[Ledger, Ledger]) -> None:
    one, _ = pair
    one.save(ROW)
    assert one.take("k")
    assert one.save(ROW._replace(result="again")) == "again"
    assert one.results(["k"]) == {"k": "again"}


def test_forgetting(pair: tuple[Ledger, Ledger]) -> None:
    one, other = pair
    for key in "abc":
        one.save(ROW._replace(key=key))
    one.forget(["a", "c", "unknown"])
    assert [row.key for row in other.rows()] == ["b"]


def test_a_zombie_does_not_live() -> None:
    """Where nobody reaps the dead they keep their number."""
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as process:
        assert process_lives(process.pid)
        assert process.stdin is not None
        process.kill()
        if hasattr(os, "waitid"):
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # It has ended, and is not reaped.
        else:
            process.wait()
        assert not process_lives(process.pid)
    assert not process_lives(process.pid)
    assert process_lives(os.getpid())


def test_damage_found_in_the_middle_sets_the_file_aside(tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    with closing(Ledger(path)) as one:
        for number in range(400):
            one.save(ROW._replace(key=f"{number:04}", action="x" * 500))
    whole = bytearray(path.read_bytes())
    whole[4096 * 2 :] = b"\xff" * (len(whole) - 4096 * 2)
    path.write_bytes(whole)
    with closing(Ledger(path)) as one:
        assert one.notes == []  # Its first pages are in order.
        with pytest.raises(StoreError) as caught:
            one.rows()
        again = "it was set aside: render again, and what it knew is made again"
        assert str(caught.value) == f"{path}: database disk image is malformed\n  {again}"
    (aside,) = tmp_path.glob("results.db.damaged-*")
    assert aside.read_bytes() == whole
    with closing(Ledger(path)) as one:
        assert (one.rows(), one.notes) == ([], [])


def test_a_file_that_another_has_set_aside_already_is_left_alone(tmp_path: Path) -> None:
    """Two processes meet the same damage: the second does not throw away what the first has begun afresh."""
    path = tmp_path / "results.db"
    with closing(Ledger(path)) as late:
        for litter in tmp_path.glob("results.db*"):
            litter.unlink()
        with closing(Ledger(path)) as fresh:
            fresh.save(ROW)
            assert late._remedy(sqlite_corrupt()).startswith("it was set aside")
            assert fresh.rows() == [ROW]
    assert [file.name for file in tmp_path.glob("*damaged*")] == []


def sqlite_corrupt() -> sqlite3.Error:
    """SQLite's own error for a malformed file."""
    db = sqlite3.connect(":memory:")
    try:
        db.deserialize(b"SQLite format 3\0" + b"\xff" * 4080)
        db.execute("SELECT * FROM sqlite_master")
    except sqlite3.Error as error:
        return error
    finally:
        db.close()
    raise AssertionError("SQLite found nothing wrong")


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "results.db").mkdir()
    with pytest.raises(StoreError) as caught:
        Ledger(tmp_path / "results.db")
    hint = "make the store writable, or name another with --store"
    assert str(caught.value) == f"{tmp_path / 'results.db'}: unable to open database file\n  {hint}"
