"""mikebot check: every mistake in storyboards, personas and profiles; touches nothing."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ..digests import Digests
from ..document import read, shown
from ..errors import MOST_SHOWN, AuthorError, Mistake, UsageError, plain
from ..load import Loaded, load, persona_mistakes
from ..places import storyboard_file, workspace
from ..profile import load_profile
from ..trust.gate import warned

_ORDER = ("error", "warning", "advice")


def run(args: argparse.Namespace) -> int:
    """Print what is wrong; 2 if anything is, warnings and advice aside."""
    script = args.script or args.minutes is not None
    found = [
        mistake
        for path in args.paths
        for file in _files(Path(path))
        for mistake in _mistakes(file, script, args.minutes)
    ]
    found = sorted(dict.fromkeys(found), key=lambda m: (_ORDER.index(m.severity), m.file, m.line, m.column))
    {"text": _text, "json": _json, "github": _github}[args.format](found)
    return 2 if any(mistake.severity == "error" for mistake in found) else 0


def _files(path: Path) -> Sequence[Path]:
    """What a path names: a file, that of its folder, or those of all projects, personas and profiles in it."""
    if not path.is_dir() or (path / "storyboard.yaml").exists():
        return [path]
    if (path / "persona.yaml").exists():
        return [path / "persona.yaml"]
    profiles = "*.yaml" if path.absolute().name == "profiles" else "profiles/*.yaml"
    below = ("*/storyboard.yaml", "*/persona.yaml", "projects/*/storyboard.yaml", "personas/*/persona.yaml", profiles)
    return [file for pattern in below for file in sorted(path.glob(pattern))] or [path]


def _mistakes(path: Path, script: bool = False, minutes: float | None = None) -> Sequence[Mistake]:
    try:
        file = storyboard_file(path)
        root = workspace(file.absolute().parent)
        if file.name == "persona.yaml":
            return persona_mistakes(file, root, Digests())
        if file.parent.name == "profiles":
            load_profile(file.stem, root)
            return []
        loaded = load(file, root, Digests())
        found = [*loaded.warnings, *(warned(loaded.person) if loaded.person is not None else ())]
        return [*found, *(_advice(file, loaded, minutes) if script else ())]
    except AuthorError as error:
        return error.mistakes
    except UsageError as error:
        return [Mistake(shown(path), 1, 1, 1, 1, error.message, error.hint)]


def _advice(file: Path, loaded: Loaded, minutes: float | None) -> Sequence[Mistake]:
    from ..write.script import advice

    return advice(read(file)[0], loaded.board.persona, minutes)


def _text(found: Sequence[Mistake]) -> None:
    for mistake in found[:MOST_SHOWN]:
        note = "" if mistake.severity == "error" else f"{mistake.severity}: "
        print(mistake._replace(message=note + mistake.message), file=sys.stderr)
    if len(found) > MOST_SHOWN:
        print(f"... and {len(found) - MOST_SHOWN} more", file=sys.stderr)


def _json(found: Sequence[Mistake]) -> None:
    names = ("file", "line", "column", "end_line", "end_column", "severity", "message", "hint")
    print(json.dumps([{name: getattr(mistake, name) for name in names} for mistake in found], ensure_ascii=False))
    _text(found)


def _github(found: Sequence[Mistake]) -> None:
    """Annotations of a GitHub workflow (docs.github.com, "Workflow commands")."""
    for m in found:
        text = _escaped(plain(f"{m.message}\n{m.hint}" if m.hint else m.message))
        place = f"line={m.line},col={m.column},endLine={m.end_line},endColumn={m.end_column}"
        file = _escaped(m.file).replace(",", "%2C").replace(":", "%3A")
        severity = "notice" if m.severity == "advice" else m.severity  # As GitHub calls it.
        print(f"::{severity} file={file},{place}::{text}")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
