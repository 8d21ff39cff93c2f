"""SHA-256 of the files that an author brings: small ones read each time, large ones remembered.

A large file is taken for unchanged while its size, inode and time of change are, unless it changed so
shortly before it was digested that a second change could have the same time: git's rule for racy time
stamps (Documentation/technical/racy-git.txt).
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

from .seal import seal, unseal

READ_EACH_TIME = 1_000_000
RACY = 2_000_000_000  # Nanoseconds: the coarsest clock of a file system that people use (FAT).
_FORMAT = 1


def mark(path: str) -> list[int]:
    """What changes when a file does: its size, its time of change, its inode."""
    about = os.stat(path)  # noqa: PTH116
    return [about.st_size, about.st_mtime_ns, about.st_ino]


class Digests:
    """Digests of files; `memo` is where those of large files are remembered, None for no longer than this lives.

    A memo that cannot be read is started afresh; one that cannot be written costs time, not the render.
    """

    def __init__(self, memo: Path | None = None) -> None:
        self._memo = memo
        self._known = _read(memo)
        self._dirty = False

    def of(self, path: Path) -> tuple[str, int]:
        """The digest and size of a file. Raises OSError where it cannot be read."""
        about = path.stat()
        if about.st_size <= READ_EACH_TIME:
            return digest(path)
        name, mark = os.path.abspath(path), [about.st_size, about.st_ino, about.st_mtime_ns]  # noqa: PTH100
        known = self._known.get(name)
        if known is not None and known[:3] == mark:
            return str(known[3]), about.st_size
        begun = time.time_ns()
        found, size = digest(path)
        if size == about.st_size and begun - about.st_mtime_ns > RACY:
            self._known[name] = [*mark, found]
            self._dirty = True
        return found, size

    def save(self) -> None:
        """Write the memo, if something was learned."""
        if self._memo is None or not self._dirty:
            return
        aside = self._memo.with_name(f"{self._memo.name}.{os.getpid()}.tmp")
        text = json.dumps({"format": _FORMAT, "files": self._known}, sort_keys=True, separators=(",", ":"))
        try:
            self._memo.parent.mkdir(parents=True, exist_ok=True)
            aside.write_text(seal(text), "utf-8")
            aside.replace(self._memo)
            self._dirty = False
        except OSError:
            aside.unlink(missing_ok=True)


def digest(path: Path) -> tuple[str, int]:
    """SHA-256 of a file's bytes, and how many there are."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256")
        return found.hexdigest(), file.tell()


def _read(memo: Path | None) -> dict[str, list[Any]]:
    """What a memo holds that has the right shape."""
    try:
        held = json.loads(unseal(memo.read_text("utf-8"))) if memo is not None else {}
        files = held["files"] if held.get("format") == _FORMAT else {}
        return {name: entry for name, entry in files.items() if _fits(entry)}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return {}


def _fits(entry: Any) -> bool:
    return isinstance(entry, list) and [type(part) for part in entry] == [int, int, int, str]
