"""mikebot doctor: what this machine has, what a profile needs, and what to type where something is missing."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TextIO

from ..checkup import Finding, checkup
from ..places import store_folder, workspace
from ..profile import load_profile

MARKS = {True: "ok      ", False: "MISSING "}
NARROW, WIDE = 60, 110


def run(args: argparse.Namespace) -> int:
    """Print what was found; 1 if something is missing."""
    root = workspace(Path(args.path))
    profile = load_profile(args.profile, root)
    findings = list(checkup(profile, store_folder(root, args.store)))
    if args.json:
        print(json.dumps(_said(profile.name, findings), ensure_ascii=False, indent=2))
    else:
        _print(findings, sys.stdout)
    return 0 if all(finding.good for finding in findings) else 1


def _said(name: str, findings: list[Finding]) -> dict[str, object]:
    good = all(finding.good for finding in findings)
    return {"profile": name, "ok": good, "findings": [finding.said() for finding in findings]}


def _print(findings: list[Finding], out: TextIO) -> None:
    """A block for each part of the check, and last what to type."""
    width = min(WIDE, max(NARROW, shutil.get_terminal_size((WIDE, 24)).columns))
    for part, found in groupby(findings, lambda finding: finding.part):
        out.write(f"{part}\n")
        for finding in found:
            for line in _lines(finding, width):
                out.write(f"  {line}\n")
        out.write("\n")
    todo = list(dict.fromkeys(step for finding in findings for step in finding.todo))
    if todo:
        out.write("To do\n")
    for number, step in enumerate(todo, 1):
        for line in _wrapped(step, width, f"{number}. "):
            out.write(f"  {line}\n")
    if all(finding.good for finding in findings):
        out.write("Nothing is missing.\n")


def _lines(finding: Finding, width: int) -> Iterator[str]:
    yield from _wrapped(finding.text, width, MARKS[finding.good])
    for name, value in finding.details.items():
        yield from _wrapped(value, width, f"{'':8}{name:<10}")


def _wrapped(text: str, width: int, first: str) -> list[str]:
    """A text beside what stands before its first line; paths stay whole."""
    whole = textwrap.TextWrapper(width - 2, break_on_hyphens=False, break_long_words=False)
    whole.initial_indent, whole.subsequent_indent = first, " " * len(first)
    return whole.wrap(text)
