"""mikebot check: every mistake in storyboards, personas and profiles; touches nothing."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ..digests import Digests
from ..errors import MOST_SHOWN, AuthorError, Mistake, UsageError, plain
from ..load import load, persona_mistakes
from ..places import storyboard_file, workspace
from ..profile import load_profile


def run(args: argparse.Namespace) -> int:
    """Print what is wrong; 2 if anything is, warnings aside."""
    found = [mistake for path in args.paths for mistake in _mistakes(Path(path))]
    found = sorted(dict.fromkeys(found), key=lambda m: (m.severity != "error", m.file, m.line, m.column))
    {"text": _text, "json": _json, "github": _github}[args.format](found)
    return 2 if any(mistake.severity == "error" for mistake in found) else 0


def _mistakes(path: Path) -> Sequence[Mistake]:
    try:
        file = storyboard_file(path) if not (path / "persona.yaml").exists() else path / "persona.yaml"
        root = workspace(file.absolute().parent)
        if file.name == "persona.yaml":
            return persona_mistakes(file, root, Digests())
        if file.parent.name == "profiles":
            load_profile(file.stem, root)
            return []
        return load(file, root, Digests()).warnings
    except AuthorError as error:
        return error.mistakes
    except UsageError as error:
        return [Mistake(str(path), 1, 1, 1, 1, error.message, error.hint)]


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
        text = plain(f"{m.message}\n{m.hint}" if m.hint else m.message)
        escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        place = f"line={m.line},col={m.column},endLine={m.end_line},endColumn={m.end_column}"
        file = m.file.replace("%", "%25").replace(",", "%2C").replace(":", "%3A")
        print(f"::{m.severity} file={file},{place}::{escaped}")
