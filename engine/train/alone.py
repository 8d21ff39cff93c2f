"""One at a time: who makes a voice holds a lock that ends with the process, however that ends.

It is SQLite's own lock of a file, as the store's: it works on every system, and leaves nothing behind that a kill
could make stale.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ..document import shown
from ..errors import MikebotError

LAST_WORDS = 30.0  # Seconds in which a training process whose command was ended must be gone.


class Busy(MikebotError):
    """Another process is at it."""


@contextmanager
def alone(root: Path, persona: str, name: str) -> Iterator[None]:
    """Held while the voice of a persona is made or measured. Raises Busy."""
    said = f"{name}'s voice is being made or measured by another mikebot"
    with held(root / ".mikebot" / f"voice-{persona}.lock", said):
        yield


@contextmanager
def held(lock: Path, busy: str, patience: float = 0.0) -> Iterator[None]:
    """A lock that this process holds; who finds it taken waits so many seconds. Raises Busy, which says `busy`."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(lock, timeout=patience, isolation_level=None)) as file:
        try:
            file.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorname == "SQLITE_BUSY":
                raise Busy(busy, "Wait for it, or end it.") from None
            raise MikebotError(f"{shown(lock)} cannot be locked: {problem}", "make its folder writable") from None
        yield
