"""mikebot render: make the film; only what changed is made again."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..places import store_folder, storyboard_file, workspace
from ..recall import Note, Request, recall


def run(args: argparse.Namespace) -> int:
    """Render, or say at once that nothing changed."""
    begun = time.monotonic()
    if args.scene and args.out:
        raise UsageError("--out names one film, --scene makes one of each scene", "leave one of them out")
    if args.until != "film" and args.out:
        raise UsageError(f"--out names a film, --until {args.until} makes none", "leave one of them out")
    if args.stems and (args.scene or args.until != "film"):
        raise UsageError("--stems is for whole films", "leave --scene and --until out")
    args.until = "stems" if args.stems else args.until
    file = storyboard_file(Path(args.path)).absolute()
    root = workspace(file.parent)
    out = str(Path(args.out).absolute()) if args.out else ""
    request = Request(str(file), args.profile, args.until, sorted(args.scene), out, args.format)
    note = recall(store_folder(root, args.store), request)
    if note is not None:
        return _nothing_changed(args, note, begun)
    if args.fetch:
        _fetch(args, root)
    from ..delivery import render

    return render(args, request, begun)


def _fetch(args: argparse.Namespace, root: Path) -> None:
    """Have the profile's models here; standard output is the render's own."""
    from ..fetch import fetch
    from ..profile import load_profile
    from .fetch import Progress

    with Progress(sys.stderr, sys.stderr) as progress:
        fetch(load_profile(args.profile, root), root, progress)


def _nothing_changed(args: argparse.Namespace, note: Note, begun: float) -> int:
    summary: dict[str, Any] = dict(note.summary)
    summary["hits"] += summary["built"]
    summary |= {"built": 0, "seconds": round(time.monotonic() - begun, 3)}
    for warning in note.warnings:
        print(warning, file=sys.stderr)
    if not args.json:
        made = summary.get("film") or summary.get("files") or []
        print(f"nothing changed: {summary['hits']} kept", *([made] if isinstance(made, str) else made), sep="\n")
        return 0
    for step, kind, scene in json.loads(note.steps):
        said = {"event": "step", "step": step, "kind": kind, "scene": scene, "state": "hit"}
        sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
    print(json.dumps({"event": "done", **summary}, ensure_ascii=False))
    return 0
