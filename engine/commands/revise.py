"""mikebot revise: scenes change as an instruction says; a diff is shown and asked about before anything is written."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ..diff_report import harmless, painter
from ..digests import Digests
from ..document import parse, shown
from ..errors import UsageError
from ..explain import did_you_mean
from ..inplace import current, digest, held, replace
from ..load import load
from ..places import storyboard_file, workspace
from ..write import compose
from ..write.place import one_line
from ..write.progress import Progress
from ..write.revise import operations, revised, told
from .write import brief_of, chosen, limits, own_prompts


def run(args: argparse.Namespace) -> int:
    """Change a storyboard; 2 and nothing written where nobody can be asked."""
    file = storyboard_file(Path(args.path)).absolute()
    target, root = Path(os.path.realpath(file)), workspace(file.parent)
    raw = held(target)
    board = load(file, root, Digests()).board
    ids = [scene.id for scene in board.scenes]
    for name in args.scene:
        if name not in ids:
            raise UsageError(f"there is no scene '{name}'{did_you_mean(name, ids)}", f"scenes: {', '.join(ids)}")
    say = Progress(as_json=args.json, language=board.language)
    instruction = one_line(args.instruction)
    with chosen(args, say) as model:
        at = compose.desk(brief_of(board, instruction, args.seed), model, own_prompts(root, say), limits(args), say)
        say.begin("reading")
        wanted = operations(at, parse(raw, shown(file)).data, instruction, args.scene or ids)
        for line in told(wanted):
            say.note(line)
        made = revised(at, raw, shown(file), instruction, wanted)
    return _settled(args, file, raw, made, say)


def _settled(args: argparse.Namespace, file: Path, raw: bytes, made: bytes, say: Progress) -> int:
    """Show what would change, ask, and write it."""
    if made == raw:
        say.done({"file": str(file), "changed": False}, "nothing changed")
        return 0
    if args.json:
        say.event({"event": "diff", "diff": "".join(f"{line}\n" for line in _diff(file, raw, made))})
    else:
        _show(file, raw, made)
    if not args.yes and not sys.stdin.isatty():
        raise UsageError("nothing was written: there is no terminal to ask at", "--yes writes it without asking")
    if not args.yes and not _agreed():
        say.done({"file": str(file), "changed": False}, "nothing was written")
        return 0
    target = Path(os.path.realpath(file))
    replace(target, made, current(target, digest(raw)))
    say.done(
        {"file": str(file), "changed": True}, f"wrote {shown(file)}; the scenes that stayed are not rendered again"
    )
    return 0


def _diff(file: Path, raw: bytes, made: bytes) -> Iterator[str]:
    old, new = (text.decode("utf-8", "replace").splitlines() for text in (raw, made))
    return difflib.unified_diff(old, new, shown(file), f"{shown(file)} (revised)", lineterm="")


def _show(file: Path, raw: bytes, made: bytes) -> None:
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    paint, sorts = painter(colour), {"+": "new", "-": "old", "@": "head"}
    for line in _diff(file, raw, made):
        sort = sorts.get(line[:1], "")
        print(harmless(paint(line, sort) if sort else line))


def _agreed() -> bool:
    sys.stderr.write("write this? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
