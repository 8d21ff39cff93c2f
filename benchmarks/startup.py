"""Start-up: `mikebot --help`, and what it imports; a bare interpreter beside it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from .place import HERE, Options, environment, mikebot, run, usual
from .table import Figure

HEAVY = ("numpy", "cv2", "PIL", "yaml", "jsonschema", "av", "sqlite3", "asyncio")
_LIST = """
import sys, engine.cli
try:
    engine.cli.main(["--help"])
except SystemExit:
    print(*sys.modules, file=sys.stderr)
"""


def figures(options: Options) -> Iterator[Figure]:
    """Seconds of the whole process, and how many heavy modules it imports."""
    ours = usual(lambda: run(mikebot("--help"), HERE, options.room), 15)
    bare = usual(lambda: run([sys.executable, "-c", "pass"], HERE, options.room), 15)
    yield Figure("mikebot --help", ours, "s", 0.06, peer="python -c pass", peer_value=bare)
    found = heavy(options)
    yield Figure(f"heavy modules that it imports{': ' + ' '.join(found) if found else ''}", len(found), "", 0)


def heavy(options: Options) -> list[str]:
    """Which of the heavy modules `mikebot --help` imports."""
    command = [sys.executable, "-c", _LIST]
    said = subprocess.run(command, cwd=HERE, env=environment(options.room), capture_output=True, text=True, check=True)
    return [name for name in HEAVY if name in said.stderr.split()]
