"""Ctrl-C and SIGTERM in the middle of a render: a clean stop, and the next run goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from crash_kit import Run, Workspace, alone, digest, ended, session

MESSAGE = "mikebot: interrupted; what was finished is kept, and the next run goes on from there\n"
pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


def listen(process: subprocess.Popen, word: str) -> str:
    """What a render says until it says a word."""
    assert process.stdout is not None
    told = ""
    for line in process.stdout:
        told += line
        if word in line:
            return told
    raise AssertionError(f"never said {word}: {told}")


def stopped(process: subprocess.Popen, told: str) -> Run:
    """How it ended, and all that it said: what was read ahead while listening, `communicate` does not know of."""
    assert process.stdout is not None
    patience = threading.Timer(120, process.kill)
    patience.start()
    told += process.stdout.read()
    patience.cancel()
    return ended(process)._replace(out=told)


@pytest.mark.parametrize("whole_group", [False, True], ids=["leader", "group"])
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_cleanly(tmp_path: Path, sign: signal.Signals, whole_group: bool) -> None:
    """A terminal sends Ctrl-C to the whole group, a service manager its SIGTERM too; `kill` to the leader alone."""
    space = Workspace(tmp_path / "space")
    process = space.start("render", str(space.board), "--json")
    told = listen(process, '"built"')
    os.killpg(process.pid, sign) if whole_group else process.send_signal(sign)
    run = stopped(process, told)
    assert (run.code, run.errors) == (130, MESSAGE)
    assert alone(process.pid, 5), "a worker outlived its leader by five seconds"
    ends = [(said["step"], said["state"]) for said in run.events if said.get("state") in ENDS]
    assert len(dict(ends)) == len(ends)
    assert {state for _, state in ends} <= {"built", "cancelled", "hit"}
    done = run.events[-1]
    assert (done["event"], done["failed"], done["built"]) == ("done", 0, len(run.built))
    assert "film" not in done
    assert list((space.store / "tmp").iterdir()) == []
    before = space.rows()
    assert len(before) >= len(run.built) > 0
    again = space.render()
    assert (again.code, again.errors) == (0, "")
    after, keys = space.rows(), space.keys()
    assert {key: after[key] for key in before} == before
    assert {name for name in again.built if keys[name] in before} == set()
    assert f"sha256:{digest(space.film)}" == again.events[-1]["digest"]


ENDS = ("hit", "built", "failed", "cancelled")


def test_an_interrupt_for_people(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    process = space.start("render", str(space.board))
    told = listen(process, "built   ")
    process.send_signal(signal.SIGINT)
    run = stopped(process, told)
    assert (run.code, run.errors) == (130, MESSAGE)
    assert run.out.splitlines()[-1].endswith(" s")
    assert " cancelled, in " in run.out


def test_a_worker_that_is_killed_costs_its_step(tmp_path: Path) -> None:
    """The others are kept, and the next run makes what is missing."""
    space = Workspace(tmp_path)
    process = space.start("render", str(space.board), "--json", "--lanes", "1")
    told = listen(process, '"built"')
    (worker,) = [pid for pid in session(process.pid) if b"engine.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(worker, signal.SIGKILL)
    run = stopped(process, told)
    failed = [said for said in run.events if said.get("state") == "failed"]
    assert (run.code, len(failed), run.events[-1]["failed"]) == (1, 1, 1)
    assert failed[0]["error"].startswith(f"the worker died (signal 9) while it made a {failed[0]['kind']} with ")
    before = space.rows()
    again = space.render()
    assert (again.code, again.errors) == (0, "")
    assert {name for name in again.built if space.keys()[name] in before} == set()
