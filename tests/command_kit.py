"""The command line as people meet it: a process of its own, in a small workspace."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "engine.cli"]
BOARD = """\
title: Two doors
persona: mikebot
format: {width: 64, height: 36}
scenes:
  - id: red
    on_screen: true
    narration: This door is red.
    image_prompt: a red door
    video_prompt: slow push in
  - id: blue
    on_screen: false
    narration: That one is blue.
    image_prompt: a blue door
    video_prompt: pan left
"""


class Said(NamedTuple):
    """What a command answered."""

    code: int
    out: str
    err: str


def workspace(root: Path, board: str = BOARD) -> Path:
    """A workspace with one project, `doors`."""
    shutil.copytree(ROOT / "personas", root / "personas")
    (root / "projects" / "doors").mkdir(parents=True)
    (root / "projects" / "doors" / "storyboard.yaml").write_text(board, encoding="utf-8")
    return root


def environment(*packages: Path) -> dict[str, str]:
    """This one, with the engine and further folders of packages on the path, and no store named."""
    path = os.pathsep.join(map(str, (ROOT, *packages)))
    return {name: value for name, value in os.environ.items() if name != "MIKEBOT_STORE"} | {"PYTHONPATH": path}


def mikebot(where: Path, *words: str, env: dict[str, str] | None = None) -> Said:
    """Run one command and wait for it."""
    done = subprocess.run(
        [*COMMAND, *words],
        cwd=where,
        env=env or environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def lines(text: str) -> list[dict[str, Any]]:
    """JSON lines; anything else on the stream is an error."""
    return [json.loads(line) for line in text.splitlines()]


def stranger(folder: Path, backend: str, module: str, source: str) -> Path:
    """A folder that is what pip makes of a package with one backend; `backend` is KIND.NAME = MODULE:CLASS."""
    about = folder / f"{module}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[mikebot.backends]\n{backend}\n")
    (folder / f"{module}.py").write_text(source, encoding="utf-8")
    return folder
