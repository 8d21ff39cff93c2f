"""mikebot watch: render at every save, and show it on a page."""

from __future__ import annotations

import argparse
import os
import re
import sys
import webbrowser
from collections import Counter
from pathlib import Path

from ..document import shown
from ..errors import MOST_SHOWN, MikebotError, Mistake, UsageError
from ..places import store_folder, storyboard_file, workspace
from ..preview.server import Server
from ..report import seconds
from ..saves import Request
from ..session import Session

PORT = 8740  # So that a page finds its server again; the next one that is free where it is taken.
PORTS = 10
EDITOR = "vscode://file{path}:{line}:{column}"


def run(args: argparse.Namespace) -> int:
    """Watch until the author ends it with Ctrl-C."""
    file = storyboard_file(Path(args.path)).absolute()
    root = workspace(file.parent)
    editor = _editor(args.editor if args.editor is not None else os.environ.get("MIKEBOT_EDITOR", EDITOR))
    request = Request(file, root, store_folder(root, args.store), args.profile, args.format, args.lanes, args.vram)
    session = Session(request, Lines(), editor)
    with _server(session, args.port) as server:
        print(f"watching {shown(file)}, profile {args.profile}; Ctrl-C ends\npage    {server.url}", flush=True)
        if args.open:
            webbrowser.open(server.url)
        session.run()
    return 0


class Lines:
    """What happens, a line each: to standard output, what is wrong to standard error."""

    def saved(self, touched: list[str], run: int, maybe: int, kept: int) -> None:
        """Which scenes a save touched, and what that takes."""
        what = f"{', '.join(touched[:3])}{f' and {len(touched) - 3} more' if len(touched) > 3 else ''}: " * bool(
            touched
        )
        more = f", {maybe} that may" if maybe else ""
        _out(f"saved   {what}{f'{run} to run{more}, {kept} kept' if run or maybe else 'nothing to make'}")

    def mistakes(self, found: list[Mistake], stays: bool = False) -> None:
        """Every mistake at its place; what is no mistake says so. Editors forget the last ones at `saved`."""
        count = Counter(mistake.severity for mistake in found)["error"]
        if count:
            _out("saved   with mistakes")
        for mistake in found[:MOST_SHOWN]:
            note = "" if mistake.severity == "error" else f"{mistake.severity}: "
            print(mistake._replace(message=note + mistake.message), file=sys.stderr, flush=True)
        if count:
            _out(f"wrong   {count} mistake{'s' * (count > 1)}{'; the last good film stays' * stays}")

    def failed(self, step: str, message: str) -> None:
        """A step that failed, or the whole build."""
        text = message.replace("\n", "\n  ")
        print(f"failed  {step}\n  {text}" if step else f"failed  {text}", file=sys.stderr, flush=True)

    def remark(self, step: str, note: str) -> None:
        """What is to be known of a step that was made."""
        _out(f"note    {step}: {note}")

    def film(self, path: Path, took: float, built: int, kept: int) -> None:
        """Where the film is."""
        _out(f"film    {shown(path)}, {seconds(took)} after the save ({built} made, {kept} kept)")


def _out(line: str) -> None:
    print(line, flush=True)


def _server(session: Session, port: int | None) -> Server:
    """The page at the port that was asked for; else at ours, or the next one that is free."""
    if port is not None:
        return Server(session, port)
    for number in range(PORT, PORT + PORTS):
        try:
            return Server(session, number)
        except MikebotError:
            continue
    return Server(session, 0)


def _editor(template: str) -> str:
    """The template of links into the editor; nothing that a browser would run."""
    if not template:
        return ""
    scheme = re.match(r"([a-z][a-z0-9+.-]*):", template)
    if scheme is None or scheme[1] in {"javascript", "data", "vbscript", "blob"} or "{path}" not in template:
        raise UsageError(f"'{template}' is no address of an editor", f"write one such as {EDITOR}")
    return template
