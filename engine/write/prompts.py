"""What a language model is told: templates in files, those of the workspace before our own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..document import shown
from ..errors import AuthorError, Mistake, plain
from .apart import Broken, TooLong, ask
from .rendering import SHIPPED, Flaw, find, render

SECONDS = 10.0  # For a prompt of the workspace, with the start of a process.
_VERSION = re.compile(r"\{#.*\bversion (\d+)")


class Prompts:
    """Makes prompts; `notes` says what an author should know of those that the workspace has in place of ours."""

    def __init__(self, root: Path | None) -> None:
        self._own = root / "prompts" if root is not None else SHIPPED
        own = sorted(self._own.glob("*.j2")) if self._own != SHIPPED else []
        self._apart = bool(own)
        self._folders = [str(self._own), str(SHIPPED)] if own else [str(SHIPPED)]
        self.notes = [note for file in own if (note := _aged(file))]

    def text(self, name: str, data: Mapping[str, Any]) -> str:
        """A prompt. Raises AuthorError at the place in a template that is wrong."""
        made = self._rendered(name, data)
        if isinstance(made, str):
            return made
        file = find(self._folders, made.file)
        path = shown(file) if file else made.file
        lines = file.read_text("utf-8", "replace").splitlines() if file else []
        source = lines[made.line - 1] if 0 < made.line <= len(lines) else ""
        line = max(1, made.line)
        hint = f"mend it, or remove it: mikebot's own is {made.file}"
        raise AuthorError([Mistake(path, line, 1, line, 1 + len(source), plain(made.message), hint, source)])

    def _rendered(self, name: str, data: Mapping[str, Any]) -> str | Flaw:
        if not self._apart:
            return render(self._folders, name, data)
        request = {"folders": self._folders, "name": name, "data": data}
        try:
            made = ask("rendering", request, SECONDS)
        except TooLong:
            return Flaw(f"{name}.j2", 0, f"it is not done after {SECONDS:.0f} seconds")
        except Broken:
            return Flaw(f"{name}.j2", 0, "it takes too much memory, or ended the process that it ran in")
        return made if isinstance(made, str) else Flaw(*made)


def fenced(name: str, text: str) -> Mapping[str, str]:
    """A text between fences that it cannot forge: they name the digest of what they hold."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    label = " ".join(plain(name).split())[:80]
    return {
        "begin": f"----- BEGIN {digest} ({len(text)} characters of {label}) -----",
        "text": text,
        "end": f"----- END {digest} -----",
    }


def quoted(sources: Sequence[tuple[str, str]]) -> list[Mapping[str, str]]:
    """Background material by its name, each fenced."""
    return [fenced(name, text) for name, text in sources]


def version(file: Path) -> int:
    """What the first line of a template says; -1 where it says nothing."""
    with file.open("rb") as stream:
        found = _VERSION.match(stream.readline(1000).decode("utf-8", "replace"))
    return int(found[1]) if found else -1


def _aged(file: Path) -> str:
    ours = SHIPPED / file.name
    if not ours.is_file():
        return ""
    old, new = version(file), version(ours)
    if old == new:
        return ""
    said = f"says version {old}" if old >= 0 else "says no version"
    return f"prompts/{file.name} {said}, and mikebot's own is version {new}: compare the two"
