"""mikebot init: a workspace anywhere, with one small project that renders."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import UsageError

PACKAGE = Path(__file__).parent.parent
PARTS = ("projects/hello", "personas/mikebot")
MEDIA = (
    *("png", "jpg", "jpeg", "webp", "gif", "tif", "tiff"),
    *("wav", "flac", "mp3", "m4a", "ogg", "opus"),
    *("mp4", "mov", "mkv", "webm", "safetensors", "ttf", "otf"),
)
GIT: Mapping[str, str] = {
    ".gitignore": "# What mikebot makes, and can make again.\n.mikebot/\nprojects/*/build/\n",
    ".gitattributes": (
        "# Text has the same line ends on every machine, and is compared line by line; media is not text.\n"
        + "".join(f"*.{ending} text eol=lf\n" for ending in ("yaml", "json", "dot"))
        + "".join(f"*.{ending} binary\n" for ending in MEDIA)
    ),
}
PATTERN = {
    "regexp": r"^([^\s].*?):(\d+):(\d+): (?:(warning): )?(.+)$",
    "file": 1,
    "line": 2,
    "column": 3,
    "severity": 4,
    "message": 5,
}
MATCHER: Mapping[str, Any] = {
    "owner": "mikebot",
    "source": "mikebot",
    "severity": "error",  # Where the line names none.
    "fileLocation": ["autoDetect", "${workspaceFolder}"],
    "pattern": PATTERN,
}
BACKGROUND = {
    "activeOnStart": True,
    "beginsPattern": "^(watching|saved) ",
    "endsPattern": "^(wrong|film|failed) ",
}


def run(args: argparse.Namespace) -> int:
    """Make the workspace; refuses a folder that has one, unless it is to have a .vscode folder."""
    root = Path(args.path)
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root} is a file", "name a folder")
    taken = [f"{name}/" for name in ("projects", "personas") if (root / name).exists()]
    if taken and not (args.vscode and len(taken) == 2):
        raise UsageError(f"{root} already holds {' and '.join(taken)}", "name another folder; nothing was changed")
    for part in PARTS if not taken else ():
        shutil.copytree(_starter() / part, root / part, ignore=shutil.ignore_patterns("build", "__pycache__", "*.py"))
    texts = {f"schemas/{file.name}": file.read_text("utf-8") for file in sorted(_schemas().glob("*.schema.json"))}
    if args.vscode:
        texts |= {f".vscode/{name}.json": f"{json.dumps(data, indent=2)}\n" for name, data in vscode().items()}
    notes = [note for name, text in {**GIT, **texts}.items() if (note := _write(root / name, text))]
    print("\n".join([f"made {root if not taken else root / '.vscode'}", *notes]))
    if not taken:
        print(f"watch it become a film: cd {root} && mikebot render projects/hello")
    return 0


def vscode() -> Mapping[str, Any]:
    """The files of a .vscode folder, by name."""
    kinds = {
        "storyboard": "projects/*/storyboard.yaml",
        "persona": "personas/*/persona.yaml",
        "profile": "profiles/*.yaml",
    }
    made = {"**/.mikebot/**": True, "**/projects/*/build/**": True}
    settings = {
        "yaml.schemas": {f"./schemas/{kind}.schema.json": files for kind, files in kinds.items()},
        "files.watcherExclude": made,
        "search.exclude": made,
    }
    watch = _task("watch", ["${fileDirname}"], isBackground=True, problemMatcher={**MATCHER, "background": BACKGROUND})
    check = _task("check", ["."], problemMatcher=MATCHER, group={"kind": "test", "isDefault": True})
    render = _task("render", ["${fileDirname}"], problemMatcher=MATCHER, group={"kind": "build", "isDefault": True})
    return {
        "settings": settings,
        "tasks": {"version": "2.0.0", "tasks": [watch, check, render]},
        "extensions": {"recommendations": ["redhat.vscode-yaml"]},
    }


def _task(command: str, words: list[str], **more: Any) -> Mapping[str, Any]:
    return {"label": f"mikebot {command}", "type": "shell", "command": "mikebot", "args": [command, *words], **more}


def _write(file: Path, text: str) -> str:
    """Write a file that is not there yet; else say what it lacks, where that can be said."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
        return ""
    there = file.read_text("utf-8", errors="replace")
    if there == text:
        return ""
    if file.name not in GIT:
        return f"left as it is: {file}"
    lacking = [line for line in text.splitlines() if line[0] != "#" and line not in there.splitlines()]
    return "\n  ".join([f"left as it is: {file}; add to it:", *lacking]) if lacking else ""


def _starter() -> Path:
    """In the wheel the small project is beside the code; in a checkout it is the checkout's own."""
    shipped = PACKAGE / "starter"
    return shipped if (shipped / "projects").is_dir() else PACKAGE.parent


def _schemas() -> Path:
    """Copied along, so that an editor finds what `# yaml-language-server: $schema=` names."""
    shipped = PACKAGE / "schemas"
    return shipped if shipped.is_dir() else PACKAGE.parent / "schemas"
