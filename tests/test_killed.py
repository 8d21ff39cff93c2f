"""SIGKILL, anywhere: the next run completes with the right film, and nothing that was finished is made again."""

from __future__ import annotations

import math
import os
import random
import signal
import time
from pathlib import Path

import pytest
from crash_kit import DELIVERED, Workspace, alone, digest, ended

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
KILLER = str(Path(__file__).with_name("killer.py"))
SERIES, KILLS = 7, 6  # 42 random moments; with the points below, 54 kills.


class Whole(dict[int, dict[str, str]]):
    """Digests of what is delivered when nobody is killed, by seed; rendered when first asked for."""

    def __init__(self, room: pytest.TempPathFactory) -> None:
        super().__init__()
        self._room = room
        self.took = math.inf  # Seconds that the quickest took.

    def __missing__(self, seed: int) -> dict[str, str]:
        space = Workspace(self._room.mktemp("whole"), seed)
        begun = time.monotonic()
        assert space.render().code == 0
        self.took = min(self.took, time.monotonic() - begun)
        self[seed] = {name: digest(space.film.with_name(name)) for name in DELIVERED}
        return self[seed]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return Whole(tmp_path_factory)


def goes_on(space: Workspace, before: dict[str, str], wanted: dict[str, str]) -> None:
    """The next run completes, finished steps are not run again, the film is right, and gc leaves no litter."""
    run = space.render()
    assert (run.code, run.errors) == (0, "")
    assert {name: digest(space.film.with_name(name)) for name in DELIVERED} == wanted
    keys, after = space.keys(), space.rows()
    assert {key: after[key] for key in before} == before
    assert {name for name in run.built if keys[name] in before} == set()
    swept = space.run("gc")
    assert (swept.code, swept.errors) == (0, "")
    assert space.litter() == []


@pytest.mark.parametrize(
    ("point", "number"),
    [
        ("put", 1),
        ("put", 5),
        ("put, moved", 3),
        ("record", 1),
        ("record, committing", 2),
        ("record, committed", 3),
        ("encode", 1),
        ("encode", 20),
        ("checkout, half copied", 1),
        ("checkout, half copied", 3),
        ("checkout, copied", 2),
        ("note", 1),
    ],
)
def test_killed_at_a_point(tmp_path: Path, reference: Whole, point: str, number: int) -> None:
    space = Workspace(tmp_path / "space")
    mark = tmp_path / "mark"
    run = space.run(point, str(number), str(mark), "render", str(space.board), "--json", program=[KILLER])
    assert (run.code, mark.read_text()) == (-signal.SIGKILL, point)
    goes_on(space, space.rows(), reference[1])


@pytest.mark.parametrize("seed", range(1, SERIES + 1))
def test_killed_at_random_moments(tmp_path: Path, reference: Whole, seed: int) -> None:
    """One run after another is killed; by turns all of its processes at once, or its leader alone.

    A run that was quicker than its death is followed by an edit.
    """
    chance = random.Random(seed)
    edits = 1
    assert reference[edits]
    space = Workspace(tmp_path / "space")
    rows: dict[str, str] = {}
    for number in range(KILLS):
        process = space.start("render", str(space.board), "--json")
        moment = chance.uniform(0.1, 0.85) * reference.took
        time.sleep(moment)
        if number % 2:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        killed = ended(process)
        print(f"seed {seed}, kill {number}: after {moment:.3f} s, exit code {killed.code}, {len(killed.built)} built")
        assert alone(process.pid, 5), "a worker outlived its leader by five seconds"
        assert killed.code in (0, -signal.SIGKILL)
        before, rows = rows, space.rows()
        assert {key: rows[key] for key in before} == before
        if killed.code == 0:
            edits += 1
            space.edit(edits)
    goes_on(space, rows, reference[edits])


def test_what_was_told_to_be_built_is_recorded(tmp_path: Path) -> None:
    """A step is told to be built only once its result will be found again, whatever happens next."""
    space = Workspace(tmp_path)
    process = space.start("render", str(space.board), "--json")
    assert process.stdout is not None
    told = ""
    while '"built"' not in told:
        told = process.stdout.readline()
    os.killpg(process.pid, signal.SIGKILL)
    killed = ended(process)
    before = space.rows()
    assert space.render().code == 0
    keys = space.keys()
    heard = killed._replace(out=told + killed.out).built
    assert heard
    assert {name for name in heard if keys[name] not in before} == set()
