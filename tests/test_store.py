"""What a store promises of single files: whole or not there, named by their bytes, never half done."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.effort import work_of
from engine.errors import Damaged, StoreError
from engine.graph import Action, Artifact, Result
from engine.store import Store, hash_of

ACTION = Action("speech", "odd", "1", {"text": "hello"}, {})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "store")) as store:
        yield store


def put(store: Store, text: str) -> Artifact:
    with store.scratch() as room:
        (room / "file").write_text(text)
        return store.put(room / "file")


def scratch(store: Store) -> list[Path]:
    return list((store.root / "tmp").iterdir())


def test_an_artifact_is_named_by_its_bytes(store: Store) -> None:
    artifact = put(store, "hello")
    assert artifact == put(store, "hello") != put(store, "other")
    assert artifact.size == 5
    assert store.path(artifact.digest).read_text() == "hello"
    assert hash_of(store.path(artifact.digest)) == store.path(artifact.digest).name == artifact.digest
    assert (store.holds(artifact), store.whole(artifact.digest)) == (True, True)
    assert scratch(store) == []


def test_putting_heals(store: Store) -> None:
    artifact = put(store, "hello")
    store.path(artifact.digest).write_text("jello")
    assert (store.holds(artifact), store.whole(artifact.digest)) == (True, False)
    put(store, "hello")
    assert store.whole(artifact.digest)


def test_only_what_is_damaged_is_discarded(store: Store) -> None:
    good, bad = put(store, "good"), put(store, "bad")
    store.path(bad.digest).write_text("dab")
    for artifact in (good, bad, Artifact("0" * 64, 1)):
        store.discard(artifact.digest)
    assert store.artifacts() == {good.digest: 4}


def test_reading_what_is_not_whole(store: Store) -> None:
    artifact = put(store, "hello")
    assert store.read(artifact) == b"hello"
    store.path(artifact.digest).write_text("jello")
    for _ in ("damaged", "gone"):
        with pytest.raises(Damaged) as caught:
            store.read(artifact)
        assert str(caught.value) == f"artifact {artifact.digest} is lost or damaged"
        store.discard(artifact.digest)


def test_a_checkout_replaces_all_at_once(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "build" / "film.mp4"
    for text in ("first", "second"):
        store.checkout(put(store, text), target)
        assert target.read_text() == text
    assert target.stat().st_nlink == 1  # An author who edits it does not edit the store.
    bad = put(store, "third")
    store.path(bad.digest).write_text("drith")
    for _ in ("damaged", "gone"):
        with pytest.raises(Damaged):
            store.checkout(bad, target)
        store.discard(bad.digest)
    assert target.read_text() == "second"
    assert list(target.parent.iterdir()) == [target]


def test_a_checkout_clears_away_what_dead_ones_left(store: Store, tmp_path: Path) -> None:
    """And leaves alone what living ones are at, and what an author called alike."""
    target = tmp_path / "film.mp4"
    with closing(Store(store.root)) as other:
        other.ledger.live()
        alive = tmp_path / f".film.mp4.{other.ledger.owner}.part"
        own = tmp_path / ".film.mp4.part"
        dead = tmp_path / ".film.mp4.1-0123456789ab.part"
        for file in (alive, own, dead):
            file.touch()
        store.checkout(put(store, "film"), target)
        assert sorted(tmp_path.glob("*.mp4*")) == sorted([alive, own, target])


def test_a_place_that_is_no_folder(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError) as caught:
        store.checkout(put(store, "film"), tmp_path / "file" / "film.mp4")
    hint = "make it writable, or name another place with --store or --out"
    assert str(caught.value) == f"{tmp_path / 'file'}: File exists\n  {hint}"
    with pytest.raises(StoreError) as caught:
        Store(tmp_path / "file" / "store")
    assert str(caught.value) == f"{tmp_path / 'file' / 'store'}: Not a directory\n  {hint}"


def test_an_authors_file_is_taken_in_as_it_was_read(store: Store, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.write_text("a portrait")
    artifact = Artifact(hash_of(given), 10)
    store.adopt(given, artifact)
    assert (store.whole(artifact.digest), given.read_text()) == (True, "a portrait")
    given.write_text("a picture!")
    with pytest.raises(StoreError) as caught:
        store.adopt(given, artifact)
    assert str(caught.value) == f"{given} changed while it was being rendered\n  render again"
    assert (store.whole(artifact.digest), scratch(store)) == (True, [])


def test_a_record_comes_back(store: Store) -> None:
    result = Result({"audio": put(store, "sound")}, {"samples": 7}, 1.5)
    assert store.record(ACTION, result) == result
    assert store.lookup([ACTION.key, "0" * 64]) == {ACTION.key: result}
    assert store.actions([ACTION.key, "0" * 64]) == {ACTION.key: ACTION}
    with closing(Store(store.root)) as again:
        assert again.lookup([ACTION.key]) == {ACTION.key: result}


def test_a_record_outlives_its_bytes(store: Store) -> None:
    result = store.record(ACTION, Result({"audio": put(store, "sound")}, {}, 1.5))
    store.path(result.outputs["audio"].digest).unlink()
    assert store.lookup([ACTION.key]) == {ACTION.key: result}
    assert not store.holds(result.outputs["audio"])


def test_a_record_holds_under_its_own_key_alone(store: Store) -> None:
    store.record(ACTION, Result({"audio": put(store, "sound")}, {}, 1.5))
    other = ACTION._replace(version="2")
    (row,) = store.ledger.rows()
    store.ledger.save(row._replace(key=other.key))
    assert store.lookup([ACTION.key, other.key]).keys() == {ACTION.key}
    assert store.actions([ACTION.key, other.key]).keys() == {ACTION.key}


def test_ten_thousand_keys_in_one_look(store: Store) -> None:
    """More than SQLite takes in one statement."""
    store.record(ACTION, Result({}, {}, 1.0))
    keys = [f"{number:064x}" for number in range(40_000)]
    assert store.lookup([*keys, ACTION.key]).keys() == {ACTION.key}


@pytest.mark.parametrize(
    ("params", "work"),
    [({"frames": 50}, 50), ({"frames": [3, 4]}, 7), ({"text": "four"}, 4), ({"text": ""}, 1), ({}, 1)],
)
def test_what_time_grows_with(params: dict[str, object], work: int) -> None:
    assert work_of(params) == work


def test_a_pace_is_an_average_over_work(store: Store) -> None:
    for text, seconds in (("ab", 1.0), ("abcd", 5.0)):
        action = ACTION._replace(params={"text": text})
        store.record(action, Result({"audio": put(store, text * 3)}, {}, seconds))
    assert store.paces() == {("speech", "odd"): (1.0, 3.0)}


def test_renders_are_numbered_for_ever(store: Store) -> None:
    for steps in ({"a": "1"}, {"a": "1"}, {"a": "2"}):  # The second did what the first did.
        store.remember("board", "draft", steps)
    store.remember("board", "final", {"a": "9"})
    said = [(render.number, render.profile, render.steps) for render in store.renders()]
    assert said == [(3, "final", {"a": "9"}), (2, "draft", {"a": "2"}), (1, "draft", {"a": "1"})]
    last = store.last_render("board", "draft")
    assert last is not None
    assert last.number == 2
    assert store.last_render("other", "draft") is None


def test_a_number_that_another_process_has_just_taken(store: Store) -> None:
    """It takes the number first, and writes afterwards; an unfinished one is no render."""
    (store.root / "renders" / "1.json").touch()
    (store.root / "renders" / "2.json").write_text(json.dumps({"storyboard": "b"}))
    (store.root / "renders" / "notes.txt").touch()
    store.remember("board", "draft", {"a": "1"})
    assert [render.number for render in store.renders()] == [3]


def test_scratch_is_cleared_whatever_happens(store: Store) -> None:
    def fail(room: Path) -> None:
        (room / "half").touch()
        assert scratch(store) == [room]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), store.scratch() as room:
        fail(room)
    assert room.name.startswith(f"{os.getpid()}-")
    assert scratch(store) == []


def test_whoever_has_scratch_shows_life(store: Store) -> None:
    """So that gc, which removes what the dead left, leaves it alone."""
    with closing(Store(store.root)) as other, store.scratch():
        assert store.ledger.owner in other.ledger.living()
