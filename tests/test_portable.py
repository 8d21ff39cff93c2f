"""Linux, macOS, Windows: nothing forks, and nothing needs fcntl, neither in the leader nor in its workers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from crash_kit import CHECKOUT, Workspace, digest

# Read by every interpreter that starts with this folder on its path; says so, and takes away what is not everywhere.
WITHOUT = """\
import os, sys
for name in ("fork", "forkpty", "posix_spawn", "posix_spawnp", "register_at_fork", "fchmod", "fchown", "mkfifo"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("fcntl", "pwd", "grp", "resource", "termios"):
    sys.modules[name] = None
with open({seen!r}, "a") as seen:
    seen.write(" ".join(sys.orig_argv[1:4]) + "\\n")
"""


def test_hello_renders_without_fork_and_fcntl(tmp_path: Path) -> None:
    space = Workspace(tmp_path / "space")
    hello = space.root / "projects/hello"
    shutil.copytree(CHECKOUT / "projects/hello", hello, ignore=shutil.ignore_patterns("build"))
    board = hello / "storyboard.yaml"
    board.write_text(f"{board.read_text()}format: {{width: 64, height: 36, fps: 25}}\n")
    path, seen = tmp_path / "path", tmp_path / "seen"
    path.mkdir()
    (path / "sitecustomize.py").write_text(WITHOUT.format(seen=str(seen)))
    without = f"{path}:{CHECKOUT}"
    run = space.run("render", str(hello), "--json", PYTHONPATH=without)
    assert (run.code, run.errors) == (0, "")
    started = seen.read_text().splitlines()
    assert "-m engine.cli render" in started
    assert "-P -m engine.worker" in started  # The workers had no fork either.
    film = Path(run.events[-1]["film"])
    assert f"sha256:{digest(film)}" == run.events[-1]["digest"]
    assert run.events[-1]["failed"] == 0
    for command in ("plan", "why", "gc", "verify", "doctor", "check"):
        arguments = {"plan": [str(hello)], "why": [str(hello), "hello"], "check": [str(hello)]}.get(command, [])
        run = space.run(command, *arguments, PYTHONPATH=without)
        assert (command, run.code, run.errors) == (command, 0, "")


def test_what_a_name_in_the_store_may_be(tmp_path: Path) -> None:
    """No colon, no name that differs from another by case alone, nothing that Windows keeps for itself."""
    space = Workspace(tmp_path)
    assert space.render().code == 0
    names = [path.relative_to(space.store).as_posix() for path in space.store.rglob("*")]
    assert [name for name in names if set(name) & set(':*?"<>|\\')] == []
    assert len({name.lower() for name in names}) == len(names)
    assert [path.name for path in space.store.rglob("*") if path.is_symlink()] == []


def test_the_worker_imports_nothing_that_is_not_everywhere(tmp_path: Path) -> None:
    """Nor anything heavy, before it has something to do."""
    said = "import sys, json, engine.worker; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, cwd=CHECKOUT, check=True)
    modules = set(json.loads(run.stdout))
    assert modules & {"numpy", "cv2", "av", "PIL", "yaml", "jsonschema", "torch", "multiprocessing"} == set()
