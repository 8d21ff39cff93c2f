"""Where things are: the workspace, the storyboard, the store. Imports little, since every command begins here."""

from __future__ import annotations

import os
from pathlib import Path

from .document import shown
from .errors import UsageError


def workspace(path: Path) -> Path:
    """The nearest parent that holds personas/ and projects/; raises UsageError if there is none."""
    full = Path(os.path.abspath(path))  # noqa: PTH100 (A project that is a symbolic link stays in its workspace.)
    for folder in (full, *full.parents):
        if (folder / "personas").is_dir() and (folder / "projects").is_dir():
            return folder
    raise UsageError(f"{shown(path)} is in no workspace", "make one with: mikebot init DIR")


def storyboard_file(path: Path) -> Path:
    """The storyboard that a path names: itself, or the one in its folder."""
    file = path / "storyboard.yaml" if path.is_dir() else path
    if not file.exists():
        raise UsageError(f"there is no storyboard {shown(file)}", "name a storyboard or its folder")
    return file


def named_persona(root: Path, name: str | None) -> Path:
    """The folder of a persona; without a name the workspace's only one. Raises UsageError."""
    there = sorted(entry.parent.name for entry in root.glob("personas/*/persona.yaml"))
    hint = f"personas here: {', '.join(there) or 'none'}"
    if name is None and len(there) != 1:
        raise UsageError("no persona is named, and there is not one alone", f"add --persona NAME; {hint}")
    if name is not None and name not in there:
        from .explain import did_you_mean

        raise UsageError(f"there is no persona '{name}'{did_you_mean(name, there)}", hint)
    return root / "personas" / (name or there[0])


def stem(file: Path) -> str:
    """projects/firewalls/storyboard.yaml is called firewalls; another file is called like itself."""
    return file.parent.name if file.stem == "storyboard" else file.stem


def store_folder(root: Path, named: str | None) -> Path:
    """--store, else MIKEBOT_STORE, else .mikebot at the workspace's root."""
    chosen = named or os.environ.get("MIKEBOT_STORE")
    return Path(chosen).absolute() if chosen else root / ".mikebot"
