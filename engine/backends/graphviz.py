"""Graphviz as a program of its own: a graph in on standard input, JSON out, nothing else read or written.

It comes from the wheel graphviz-pure, a port of Graphviz in one memory-safe program that gives the same layout on
every platform.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

from ..errors import BackendError
from .dot_text import Trouble

SECONDS = 10
_MOST_TRIED = 8
_SYNTAX = re.compile(r"Error: <stdin>: syntax error in line (\d+)(?: (near) '(.*)'| (.*))?")


class Refused(Exception):
    """Graphviz did not understand the graph; says where."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(f"line {trouble.line}: {trouble.message}")
        self.trouble = trouble


@cache
def program() -> Path:
    """Where the program lies; nothing of that name elsewhere is run. Raises BackendError where it is missing."""
    try:
        found = [Path(str(file.locate())) for file in files("graphviz-pure") or () if file.stem == "graphviz-pure"]
    except PackageNotFoundError:
        found = []
    if not found or not found[0].exists():
        raise BackendError("a diagram needs Graphviz, which is not installed", "pip install graphviz-pure")
    return found[0].resolve()


def run(text: str, form: str) -> dict[str, Any]:
    """A graph as JSON: `dot_json` as it is written, `json` laid out. Raises Refused for what it cannot read."""
    bare = {name: os.environ[name] for name in ("SYSTEMROOT", "TMPDIR", "TEMP") if name in os.environ}
    command = [str(program()), "-Kdot", f"-T{form}"]
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=SECONDS, env=bare, check=False)
    except subprocess.TimeoutExpired:
        message = f"Graphviz did not lay the graph out in {SECONDS} seconds"
        raise Refused(Trouble(1, 1, message, "show less of it")) from None
    said = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode or "syntax error" in said or not done.stdout:
        raise Refused(_trouble(text, said, form))
    try:
        made: dict[str, Any] = json.loads(done.stdout)
    except ValueError:  # Several graphs make several objects; dot_text refuses those that it sees.
        raise Refused(Trouble(1, 1, "Graphviz does not read this as one graph", "write one graph")) from None
    return made


def _trouble(text: str, said: str, form: str) -> Trouble:
    match = _SYNTAX.search(said)
    if match is None:
        return Trouble(1, 1, f"Graphviz cannot read the graph: {said.splitlines()[0] if said else 'no reason'}", "")
    lines = text.split("\n")
    line = min(int(match[1]), len(lines))
    if match[2] is None:
        return Trouble(line, 1, f"Graphviz cannot read the graph: {_plain(match[4])}", "is a quotation mark missing?")
    hint = "is a bracket or a semicolon missing before it?"
    if not match[3]:
        return Trouble(line, len(lines[line - 1]) + 1, "the graph ends before its last bracket", "is a } missing?")
    column = _column(lines, line, match[3], form)
    return Trouble(line, column, f"Graphviz cannot read the graph from '{match[3]}' on", hint)


def _column(lines: list[str], line: int, near: str, form: str) -> int:
    """Which of the words of a line it was: the first up to which the text alone has the same mistake."""
    before, own = lines[: line - 1], lines[line - 1]
    places = [match.start() for match in re.finditer(re.escape(near), own)][:_MOST_TRIED]
    for place in places[:-1]:
        try:
            run("\n".join([*before, own[: place + len(near)]]), form)
        except Refused as refused:
            if f"'{near}'" in refused.trouble.message:
                return place + 1
    return places[-1] + 1 if places else 1


def _plain(text: str | None) -> str:
    return re.sub(r"^scanning a quoted string.*", "a text in quotation marks does not end", text or "")
