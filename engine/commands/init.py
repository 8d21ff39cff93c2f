"""mikebot init: a workspace anywhere, with one small project that renders."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from ..errors import UsageError

PACKAGE = Path(__file__).parent.parent
PARTS = ("projects/hello", "personas/mikebot")
IGNORED = "# What mikebot makes, and can make again.\n.mikebot/\nprojects/*/build/\n"


def run(args: argparse.Namespace) -> int:
    """Make the workspace; refuses a folder that has one."""
    root = Path(args.path)
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root} is a file", "name a folder")
    taken = [name for name in ("projects", "personas") if (root / name).exists()]
    if taken:
        raise UsageError(f"{root} already holds {' and '.join(taken)}/", "name another folder; nothing was changed")
    for part in PARTS:
        shutil.copytree(_starter() / part, root / part, ignore=shutil.ignore_patterns("build", "__pycache__", "*.py"))
    ignore = root / ".gitignore"
    if not ignore.exists():
        ignore.write_text(IGNORED, encoding="utf-8")
    for schema in _schemas().glob("*.schema.json"):
        (root / "schemas").mkdir(exist_ok=True)
        shutil.copyfile(schema, root / "schemas" / schema.name)
    print(f"made {root}\nwatch it become a film: cd {root} && mikebot render projects/hello")
    return 0


def _starter() -> Path:
    """In the wheel the small project is beside the code; in a checkout it is the checkout's own."""
    shipped = PACKAGE / "starter"
    return shipped if (shipped / "projects").is_dir() else PACKAGE.parent


def _schemas() -> Path:
    """Copied along, so that an editor finds what `# yaml-language-server: $schema=` names."""
    shipped = PACKAGE / "schemas"
    return shipped if shipped.is_dir() else PACKAGE.parent / "schemas"
