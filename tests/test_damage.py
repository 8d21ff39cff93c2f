"""Whatever happens to the store's files: a repair, or an error that says what to do; never a wrong film."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import wave
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from crash_kit import DELIVERED, Run, Workspace, digest
from mount_kit import mounted

from engine.store import Store

FULL = "the disk is full: free some space, or run `mikebot gc`"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Rendered once; each test damages a copy of it."""
    space = Workspace(tmp_path_factory.mktemp("pristine"))
    assert space.render().code == 0
    return space


@pytest.fixture
def space(pristine: Workspace, tmp_path: Path) -> Workspace:
    """The copy lies elsewhere and forgets its notes, so that a render looks into the store."""
    shutil.copytree(pristine.root, tmp_path / "space", symlinks=True)
    copy = object.__new__(Workspace)
    copy.root = tmp_path / "space"
    copy.board, copy.film, copy.store = (
        copy.root / part.relative_to(pristine.root) for part in (pristine.board, pristine.film, pristine.store)
    )
    return copy


def delivered(space: Workspace) -> dict[str, str]:
    return {name: digest(space.film.with_name(name)) for name in DELIVERED}


def renders_right(space: Workspace, pristine: Workspace, errors: str = "") -> Run:
    """The film is made out of what there is, and it is the right one."""
    shutil.rmtree(space.film.parent)
    run = space.render()
    assert (run.code, run.errors) == (0, errors)
    assert delivered(space) == delivered(pristine)
    return run


def artifact(space: Workspace, kind: str, output: str) -> Path:
    """Where what some step of a kind made is."""
    with closing(Store(space.store)) as store:
        keys = [row.key for row in store.ledger.rows() if row.kind == kind]
        return store.path(store.lookup(keys)[keys[0]].outputs[output].digest)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    bytes_ = bytearray(path.read_bytes())
    bytes_[len(bytes_) // 2] ^= 0x10
    path.write_bytes(bytes_)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def swap(path: Path) -> None:
    """Another artifact's bytes under this one's name."""
    other = next(file for file in sorted(path.parents[1].rglob("*")) if file.is_file() and file != path)
    shutil.copyfile(other, path)


DAMAGES = [Path.unlink, cut, flip, empty, swap]
DAMAGED = [("scene", "video", damage) for damage in DAMAGES]
DAMAGED += [(*what, damage) for what in (("sound", "packets"), ("film", "film")) for damage in (cut, flip)]
DAMAGED += [("narration", "timing", flip), ("sound", "levels", swap), ("film", "srt", flip)]


@pytest.mark.parametrize(("kind", "output", "damage"), DAMAGED)
def test_a_damaged_artifact_never_reaches_a_film(
    space: Workspace, pristine: Workspace, kind: str, output: str, damage: Callable[[Path], None]
) -> None:
    """The film is made again (its bytes are gone too), and what it reads and is damaged is made before."""
    damage(artifact(space, kind, output))
    if kind != "film":
        artifact(space, "film", "film").unlink()
    run = renders_right(space, pristine)
    wanted = {"film": 1} if kind == "film" else {"film": 1, kind: 1}
    kinds = [said["kind"] for said in run.events if said.get("state") == "built"]
    assert {kind: kinds.count(kind) for kind in kinds} == wanted


def test_verify_finds_and_removes_what_is_damaged(space: Workspace, pristine: Workspace) -> None:
    bad = artifact(space, "scene", "video")
    flip(bad)
    run = space.run("verify", "--sample", "0")
    assert (run.code, run.errors) == (1, "")
    assert run.out.splitlines()[0].startswith(f"damaged: artifact {bad.name}; removed")
    assert not bad.exists()
    artifact(space, "film", "film").unlink()
    renders_right(space, pristine)
    assert space.run("verify", "--sample", "0").code == 0


GARBAGE = ["", "garbage", "null", "[]", '[{"audio": 1}, {}, 1]', "00000000 [{}, {}, 1.0]", None, 7, b"\xff\xfe"]


def test_a_garbage_record_is_none(space: Workspace, pristine: Workspace) -> None:
    """In place of every result, one kind of garbage or another: all is made again."""
    litter(space, "result")
    run = renders_right(space, pristine)
    assert len(run.built) == len(set(space.keys().values()))


def test_a_garbage_action_matters_only_to_those_who_ask_why(space: Workspace) -> None:
    litter(space, "action")
    space.edit(2)
    for command in (["plan", str(space.board)], ["why", str(space.board), "one"], ["gc"], ["verify"]):
        run = space.run(*command)
        assert (command, run.code, run.errors) == (command, 0, "")
    assert space.render().code == 0


def litter(space: Workspace, column: str) -> None:
    """Put all kinds of garbage into a column, by turns."""
    with closing(Store(space.store)) as store, store.ledger._transaction("IMMEDIATE") as db:
        keys = db.execute("SELECT key FROM results").fetchall()
        assert len(keys) >= len(GARBAGE)
        for (key,), garbage in zip(keys, GARBAGE * 2, strict=False):
            db.execute(f"UPDATE results SET {column} = ? WHERE key = ?", (garbage, key))


def test_a_record_that_was_altered_is_none(space: Workspace, pristine: Workspace) -> None:
    """A narration that claims another length would give a film of another length; records are sealed."""
    longer = "replace(result, '\"samples\": ', '\"samples\": 1')"
    alter(space, f"UPDATE results SET result = {longer} WHERE kind = ?", "narration")
    run = renders_right(space, pristine)
    assert {said["kind"] for said in run.events if said.get("state") == "built"} == {"narration"}


def test_a_record_under_anothers_key_is_none(space: Workspace, pristine: Workspace) -> None:
    with closing(Store(space.store)) as store, store.ledger._transaction("IMMEDIATE") as db:
        rows = db.execute("SELECT key, result FROM results WHERE kind = 'scene'").fetchall()
        for (key, _), (_, result) in zip(rows, reversed(rows), strict=True):
            db.execute("UPDATE results SET result = ? WHERE key = ?", (result, key))
    run = renders_right(space, pristine)
    assert {said["kind"] for said in run.events if said.get("state") == "built"} == {"scene"}


def test_garbage_columns_spoil_no_estimate(space: Workspace) -> None:
    for column in ("kind", "backend", "seconds", "work", "bytes"):
        alter(space, f"UPDATE results SET {column} = ?", b"\xff\x00")
    space.edit(2)
    for command in (["plan", str(space.board)], ["gc"], ["render", str(space.board)]):
        run = space.run(*command)
        assert (command, run.code, run.errors) == (command, 0, "")


def alter(space: Workspace, statement: str, value: object) -> None:
    with closing(Store(space.store)) as store, store.ledger._transaction("IMMEDIATE") as db:
        assert db.execute(statement, (value,)).rowcount


@pytest.mark.parametrize("garbage", [b"garbage", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_garbage_database_is_set_aside(space: Workspace, pristine: Workspace, garbage: bytes) -> None:
    """What was made is made again; the bytes are the same, and nobody loses a film."""
    for part in space.store.glob("results.db*"):
        part.unlink()
    (space.store / "results.db").write_bytes(garbage)
    shutil.rmtree(space.film.parent)
    run = space.render()
    (aside,) = space.store.glob("results.db.damaged-*")
    assert run.errors == f"results.db was damaged (file is not a database): kept as {aside.name}, and started afresh\n"
    assert (run.code, aside.read_bytes()) == (0, garbage)
    assert delivered(space) == delivered(pristine)


def test_an_empty_database_is_a_new_one(space: Workspace, pristine: Workspace) -> None:
    for part in space.store.glob("results.db*"):
        empty(part)
    renders_right(space, pristine)


@pytest.mark.parametrize("seed", range(4))
def test_a_database_with_random_damage_gives_the_right_film_or_says_so(
    space: Workspace, pristine: Workspace, seed: int
) -> None:
    """Pages overwritten at random: found at once, or in the middle. An error sets it aside: the next run completes."""
    chance = random.Random(seed)
    with closing(Store(space.store)) as store:
        store.ledger._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file = space.store / "results.db"
    bytes_ = bytearray(file.read_bytes())
    for _ in range(chance.choice([1, 4, 40])):
        place = chance.randrange(100, len(bytes_) - 64)
        bytes_[place : place + 64] = chance.randbytes(64)
    file.write_bytes(bytes_)
    shutil.rmtree(space.film.parent)
    for _ in range(3):
        run = space.render()
        assert "Traceback" not in run.errors
        if run.code == 0:
            break
        assert run.code == 1
    assert run.code == 0
    assert delivered(space) == delivered(pristine)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Damaged where it lies, again and again: notes of a copy would not fit anyway."""
    space = Workspace(tmp_path_factory.mktemp("home"))
    assert space.render().code == 0
    return space


def notes(space: Workspace) -> list[Path]:
    """All that a render writes down for later, beside its records."""
    memo = space.store / "digests.json"
    memo.write_text("0")
    files = [*space.store.glob("notes/*.json"), *space.store.glob("renders/*.json"), memo]
    assert len(files) >= 3
    return files


@pytest.mark.parametrize("damage", [Path.unlink, cut, flip, empty])
def test_damaged_notes_cost_nothing_but_time(home: Workspace, damage: Callable[[Path], None]) -> None:
    before = delivered(home)
    for file in notes(home):
        damage(file)
    for command in (["why", str(home.board), "one"], ["plan", str(home.board)], ["gc"]):
        said = home.run(*command)
        assert (command, said.code, said.errors) == (command, 0, "")
    run = home.render()
    assert (run.code, run.errors, run.events[-1]["built"]) == (0, "", 0)
    assert run.events[-1]["hits"] == len(run.events) - 1 > 0
    assert delivered(home) == before


NONSENSE = ["null", "[]", "{}", '{"files": 3}', '{"program": 1, "files": [[1, 2]]}', '{"steps": 1}', "\0", "\udcff"]


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_in_notes(home: Workspace, nonsense: str) -> None:
    before = delivered(home)
    for file in notes(home):
        file.write_text(nonsense, errors="surrogateescape")
    run = home.render()
    assert (run.code, run.errors, run.events[-1]["built"]) == (0, "", 0)
    assert delivered(home) == before


def test_the_memory_of_large_files_cannot_be_made_to_lie(tmp_path: Path) -> None:
    """A large recording whose remembered digest was altered is digested again."""
    space = Workspace(tmp_path)
    sound = space.board.with_name("long.wav")
    with wave.open(str(sound), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48000)
        file.writeframes(b"".join(((n * 7919) % 2000).to_bytes(2, "little", signed=True) for n in range(600_000)))
    os.utime(sound, (1e9, 1e9))
    space.board.write_text(space.board.read_text().replace("narration: They go.", "audio: long.wav"))
    first = space.render()
    assert (first.code, first.errors) == (0, "")
    memo = space.store / "digests.json"
    real = digest(sound)
    assert real in memo.read_text()
    memo.write_text(memo.read_text().replace(real, "0" * 64))
    shutil.rmtree(space.store / "notes")
    again = space.render()
    assert (again.code, again.errors, again.events[-1]["built"]) == (0, "", 0)
    assert again.events[-1]["digest"] == first.events[-1]["digest"]


@pytest.mark.parametrize("moment", [0.0, 86400.0 * 365 * 60])
def test_a_clock_that_is_wrong_changes_nothing(space: Workspace, pristine: Workspace, moment: float) -> None:
    """Every file of workspace and store from 1970, or from far in the future; renders too."""
    for file in [*space.root.rglob("*"), space.root]:
        os.utime(file, (moment, moment), follow_symlinks=False)
    for file in space.store.glob("renders/*.json"):
        said = json.loads(file.read_text())
        file.write_text(json.dumps({**said, "time": moment}))
    run = renders_right(space, pristine)
    assert run.events[-1]["built"] == 0
    swept = space.run("gc")
    assert (swept.code, swept.errors, swept.out.splitlines()[0]) == (0, "", "freed 0.0 MB: 0 artifacts, 0 records")
    assert renders_right(space, pristine).events[-1]["built"] == 0


def test_an_edit_that_keeps_size_and_time_is_seen(space: Workspace) -> None:
    """Time stamps decide nothing about what an author writes."""
    assert space.render().code == 0
    about = space.board.stat()
    space.edit(2)
    os.utime(space.board, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert space.board.stat().st_size == about.st_size
    assert space.render().events[-1]["built"] > 0


def test_a_workspace_that_moved_runs_nothing(space: Workspace, pristine: Workspace, tmp_path: Path) -> None:
    for place in ("a place with spaces", "ein Örtchen 船"):
        moved = tmp_path / place
        space.root.rename(moved)
        space.board, space.film, space.store = (
            moved / part.relative_to(space.root) for part in (space.board, space.film, space.store)
        )
        space.root = moved
        run = renders_right(space, pristine)
        assert run.events[-1]["built"] == 0
        assert run.events[-1]["film"] == str(space.film)


def test_a_read_only_store(space: Workspace) -> None:
    with mounted(space.store, "--bind", str(space.store)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(space.store)], check=True)
        space.edit(2)
        for command in (["render", str(space.board)], ["plan", str(space.board)], ["gc"]):
            run = space.run(*command)
            hint = "make the store writable, or name another with --store"
            assert "Traceback" not in run.errors
            assert (run.code, run.errors.splitlines()[1:]) == (1, [f"  {hint}"])
            assert run.errors.startswith(f"mikebot: {space.store}/results.db: ")
        elsewhere = space.render("--store", str(space.root / "elsewhere"))
        assert (elsewhere.code, elsewhere.errors) == (0, "")


def test_a_place_for_the_film_that_cannot_be_written(space: Workspace, tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    shut.mkdir()
    with mounted(shut, "-t", "tmpfs", "-o", "ro", "tmpfs"):
        run = space.render("--out", str(shut / "film.mp4"))
        hint = "make it writable, or name another place with --store or --out"
        assert (run.code, run.errors) == (1, f"mikebot: {shut}: Read-only file system\n  {hint}\n")
    (tmp_path / "file").touch()
    run = space.render("--out", str(tmp_path / "file/film.mp4"))
    assert (run.code, run.errors) == (1, f"mikebot: {tmp_path / 'file'}: File exists\n  {hint}\n")


def test_a_disk_that_is_nearly_full_is_refused_beforehand(space: Workspace, tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=8m", "tmpfs") as small:
        run = space.render("--store", str(small / "store"))
        assert run.code == 2
        needs, hint = run.errors.splitlines()
        assert re.fullmatch(
            r"mikebot: this needs about \d+ MB, and the disk has 0\.0 GB, of which 1 GB stays free", needs
        )
        assert hint == "  free some space, or run: mikebot gc"


# What is left out of the forecast: another process may fill the disk after it.
CROWDED = "import sys; from engine import cli, delivery; delivery.KEEP_FREE = -1e12; sys.exit(cli.main(sys.argv[1:]))"


@pytest.mark.parametrize("kilobytes", [64, 140, 240])
def test_a_disk_that_fills_up_in_the_middle(
    space: Workspace, pristine: Workspace, tmp_path: Path, kilobytes: int
) -> None:
    """Whatever was finished is kept, nothing wrong is delivered, and with room again the next run goes on."""
    shutil.rmtree(space.film.parent)
    with mounted(tmp_path / "small", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs") as small:
        run = space.run("render", str(space.board), "--json", "--store", str(small / "store"), program=["-c", CROWDED])
        assert "Traceback" not in run.errors
        assert run.code == 1
        assert FULL in run.errors
        assert not space.film.exists()
        before = {said["step"] for said in run.events if said.get("state") == "built"}
        subprocess.run(["mount", "-o", "remount,size=64m", str(small)], check=True)
        again = space.run(
            "render", str(space.board), "--json", "--store", str(small / "store"), program=["-c", CROWDED]
        )
        assert (again.code, again.errors) == (0, "")
        assert again.built & before == set()
        assert delivered(space) == delivered(pristine)


def test_a_full_disk_where_the_film_goes(space: Workspace, tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=4k", "tmpfs") as small:
        run = space.render("--out", str(small / "film.mp4"))
        assert (run.code, run.errors) == (1, f"mikebot: {small}: No space left on device\n  {FULL}\n")
        assert list(small.iterdir()) == []
