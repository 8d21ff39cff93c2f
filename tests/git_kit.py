"""A workspace in a real git repository, with a storyboard that renders in a second."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from command_kit import mikebot, workspace

WHO = {
    f"GIT_{role}_{part}": f"author{'@example.org' if part == 'EMAIL' else ''}"
    for role in ("AUTHOR", "COMMITTER")
    for part in ("NAME", "EMAIL")
}
ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
DOORS = Path("projects/doors/storyboard.yaml")


def git(where: Path, *words: str, check: bool = True) -> str:
    """Run git with no configuration but the repository's; returns what it says."""
    done = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", *words],
        cwd=where,
        env={**os.environ, **WHO, **ALONE},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout


def repository(root: Path, top: Path | None = None) -> Path:
    """A workspace whose storyboard is committed; the repository's root is the workspace, or a folder above."""
    workspace(root)
    (root / ".gitignore").write_text(".mikebot/\nprojects/*/build/\n")
    git(top or root, "init")
    commit(top or root)
    return root


def commit(root: Path, message: str = "A version") -> str:
    """Commit everything; returns the commit's name."""
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(root, "rev-parse", "HEAD").strip()


def edit(root: Path, old: str, new: str, file: Path = DOORS) -> None:
    """Replace a text, which must be there, in a file of the workspace."""
    text = (root / file).read_text("utf-8")
    assert old in text
    (root / file).write_text(text.replace(old, new), "utf-8")


def diff(root: Path, *words: str, path: str = "projects/doors") -> dict[str, Any]:
    """What `mikebot diff --json` says, which must be one object and nothing else."""
    said = mikebot(root, "diff", path, "--json", *words)
    assert (said.code, said.err) == (0, "")
    found: dict[str, Any] = json.loads(said.out)
    return found


def changed(found: dict[str, Any]) -> dict[str, Any]:
    """The fields that changed, by where they stand, each with its old and new value."""
    parts = {part: found[part]["changes"] for part in ("film", "persona", "profile")}
    parts |= {scene["id"]: scene["changes"] for scene in found["scenes"] if scene["state"] == "changed"}
    return {
        f"{part}.{change['field']}": (change["old"], change["new"])
        for part, changes in parts.items()
        for change in changes
    }
