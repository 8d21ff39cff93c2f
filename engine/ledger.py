"""What was made of what, in one SQLite file; and who is making what just now.

SQLite gives atomic commits, readers that never block, and one query for a thousand keys, on every system,
without a lock file of our own. A lease is a row: one owner a key. An owner is a process that raises its
`beat` every two seconds; another takes its leases over when its process is gone, or when its beat has
stood still for ten seconds *of the waiter's own monotonic clock*, so a clock set back harms nobody.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from .disk import FULL
from .errors import StoreError
from .ledger_file import connected

BEAT = 2.0  # Seconds between two signs of life.
DEAD = 10.0  # Seconds without one after which an owner's leases are taken over.
CHUNK = 5000  # Keys in one query.

_ALIVE = "INSERT INTO owners VALUES (?, ?, ?, 0) ON CONFLICT (owner) DO UPDATE SET beat = beat + 1"


class Row(NamedTuple):
    """One recorded result, as text, with what estimates are made from."""

    key: str
    action: str
    result: str
    kind: str
    backend: str  # And its model: steps that take as long for the same work (effort.kin).
    seconds: float
    work: int  # What the time grows with (effort.work_of).
    bytes: int


class Pace(NamedTuple):
    """How long and how big a unit of work was, on the average of what is recorded."""

    seconds: float
    bytes: float


class Ledger:
    """The records and leases of one store; safe to use from several threads and processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.owner = f"{os.getpid()}-{os.urandom(6).hex()}"
        self.notes: list[str] = []  # What had to be repaired at opening.
        self._lock = threading.RLock()
        self._beating = threading.Event()
        self._alive = False
        self._seen: dict[str, tuple[int, float]] = {}  # The last beat seen of another owner, and when.
        self._db = self._open()

    def close(self) -> None:
        """Give every lease back and let go of the file."""
        self._beating.set()
        with self._lock, contextlib.suppress(sqlite3.Error):
            if self._alive:
                self._db.execute("DELETE FROM leases WHERE owner = ?", (self.owner,))
                self._db.execute("DELETE FROM owners WHERE owner = ?", (self.owner,))
            self._db.close()

    def results(self, keys: Iterable[str]) -> dict[str, str]:
        """The recorded results of those keys that have one."""
        return self._column("result", keys)

    def actions(self, keys: Iterable[str]) -> dict[str, str]:
        """The actions behind keys, as canonical text."""
        return self._column("action", keys)

    def rows(self) -> list[Row]:
        """Everything recorded, in the order of keys."""
        with self._transaction() as db:
            return [Row(*row) for row in db.execute("SELECT * FROM results ORDER BY key")]

    def paces(self) -> dict[tuple[str, str], Pace]:
        """The pace of every kind and kin that ever ran."""
        query = (
            "SELECT kind, backend, sum(seconds) / sum(work), sum(bytes) * 1.0 / sum(work) FROM results "
            "WHERE work > 0 GROUP BY kind, backend"
        )
        with self._transaction() as db:
            return {(kind, backend): Pace(*pace) for kind, backend, *pace in db.execute(query)}

    def save(self, row: Row) -> str:
        """Record a result and give its lease back in one transaction; returns the result that stands.

        Who lost the lease meanwhile (a process that slept) does not overwrite what its successor recorded.
        """
        with self._transaction("IMMEDIATE") as db:
            ours = db.execute("DELETE FROM leases WHERE key = ? AND owner = ?", (row.key, self.owner)).rowcount
            held = db.execute("SELECT result FROM results WHERE key = ?", (row.key,)).fetchone()
            if held is not None and not ours:
                return str(held[0])
            db.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        return row.result

    def forget(self, keys: Iterable[str]) -> None:
        """Remove records."""
        with self._transaction("IMMEDIATE") as db:
            db.executemany("DELETE FROM results WHERE key = ?", [(key,) for key in keys])

    def take(self, key: str) -> bool:
        """Try to become the one process that works on a key."""
        self.live()
        with self._transaction() as db:  # Whoever waits only reads, so that many who wait hinder nobody's beat.
            held = db.execute("SELECT owner FROM leases WHERE key = ?", (key,)).fetchone()
            if held is not None and held[0] != self.owner and self._lives(db, held[0]):
                return False
        with self._transaction("IMMEDIATE") as db:
            db.execute("INSERT OR IGNORE INTO leases VALUES (?, ?)", (key, self.owner))
            (holder,) = db.execute("SELECT owner FROM leases WHERE key = ?", (key,)).fetchone()
            if holder == self.owner:
                return True
            if self._lives(db, holder):
                return False
            db.execute("UPDATE leases SET owner = ? WHERE key = ?", (self.owner, key))
            return True

    def give_back(self, key: str) -> None:
        """End a lease without a result."""
        with self._transaction("IMMEDIATE") as db:
            db.execute("DELETE FROM leases WHERE key = ? AND owner = ?", (key, self.owner))

    def living(self) -> set[str]:
        """Owners that show life; the rows of dead ones are removed."""
        with self._transaction("IMMEDIATE") as db:
            owners = [owner for (owner,) in db.execute("SELECT owner FROM owners")]
            dead = [owner for owner in owners if not self._lives(db, owner)]
            db.executemany("DELETE FROM owners WHERE owner = ?", [(owner,) for owner in dead])
            db.executemany("DELETE FROM leases WHERE owner = ?", [(owner,) for owner in dead])
        return set(owners) - set(dead)

    def _lives(self, db: sqlite3.Connection, owner: str) -> bool:
        row = db.execute("SELECT pid, host, beat FROM owners WHERE owner = ?", (owner,)).fetchone()
        if row is None:
            return False
        pid, host, beat = row
        if owner != self.owner and host == _host() and not process_lives(pid):
            return False
        last, since = self._seen.get(owner, (None, 0.0))
        if last != beat:
            self._seen[owner] = (beat, time.monotonic())
            return True
        return time.monotonic() - since < DEAD

    def live(self) -> None:
        """Begin to show life, so that nobody takes what this owner works on for litter."""
        with self._lock:
            if self._alive:
                return
            self.living()
            with self._transaction("IMMEDIATE") as db:
                db.execute(_ALIVE, (self.owner, os.getpid(), _host()))
            self._alive = True
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()

    def _beat(self) -> None:
        while not self._beating.wait(BEAT):
            # A beat that fails (disk full) is not the end: others wait ten seconds before they take over.
            with contextlib.suppress(StoreError), self._transaction("IMMEDIATE") as db:
                # Whoever was stopped for so long that others took it for dead is alive again.
                db.execute(_ALIVE, (self.owner, os.getpid(), _host()))

    def _column(self, column: str, keys: Iterable[str]) -> dict[str, str]:
        wanted = list(keys)
        found: dict[str, str] = {}
        with self._transaction() as db:
            for start in range(0, len(wanted), CHUNK):
                part = wanted[start : start + CHUNK]
                marks = ",".join("?" * len(part))
                found.update(db.execute(f"SELECT key, {column} FROM results WHERE key IN ({marks})", part))  # noqa: S608
        return found

    @contextlib.contextmanager
    def _transaction(self, kind: str = "DEFERRED") -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._follow()
                self._db.execute(f"BEGIN {kind}")
                try:
                    yield self._db
                    self._db.execute("COMMIT")
                except BaseException:
                    with contextlib.suppress(sqlite3.Error):
                        self._db.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                remedy = self._remedy(error)
                if not getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_FULL")):
                    self._file = 0  # Look afresh at what is there.
                raise StoreError(f"{self.path}: {error}", remedy) from error

    def _follow(self) -> None:
        """Open the file that is there now, if ours was removed, or set aside by another process."""
        if self._beating.is_set() or (self._file and _inode(self.path) == self._file):
            return
        self._db.close()
        with contextlib.suppress(OSError):  # Not its parents: where a workspace was moved away, none is begun.
            self.path.parent.mkdir(exist_ok=True)
        try:
            self._db = self._open()
        except StoreError:
            self._file = 0
            raise
        if self._alive:
            self._db.execute(_ALIVE, (self.owner, os.getpid(), _host()))

    def _open(self) -> sqlite3.Connection:
        self._file = _inode(self.path)
        try:
            return self._connect()
        except sqlite3.OperationalError as error:
            raise StoreError(f"{self.path}: {error}", self._remedy(error)) from error
        except sqlite3.DatabaseError as error:
            aside = self._set_aside()
            if aside:
                self.notes.append(f"{self.path.name} was damaged ({error}): kept as {aside}, and started afresh")
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        db = connected(self.path)
        self._file = _inode(self.path)
        return db

    def _set_aside(self) -> str:
        """Move a damaged file out of the way; returns its new name, or "" if another process has done so."""
        if _inode(self.path) != self._file:
            return ""
        aside = self.path.with_name(f"{self.path.name}.damaged-{os.urandom(3).hex()}")
        self.path.replace(aside)
        for litter in ("-wal", "-shm"):
            self.path.with_name(self.path.name + litter).unlink(missing_ok=True)
        return aside.name

    def _remedy(self, error: sqlite3.Error) -> str:
        name = getattr(error, "sqlite_errorname", "")
        if name == "SQLITE_FULL":
            return FULL
        if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR")):
            return "make the store writable, or name another with --store"
        if not name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            return "render again"
        with contextlib.suppress(OSError):  # Windows does not rename a file that another process has open.
            self._set_aside()
        return "it was set aside: render again, and what it knew is made again"


def _host() -> str:
    import socket  # Only who holds or meets a lease needs it: looking results up does not.

    return socket.gethostname()


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def process_lives(pid: int) -> bool:
    """Whether a process of this machine may still be running."""
    if sys.platform == "win32":  # There, signal 0 would end the process: its beat alone tells.
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # Where nobody reaps the dead (a container without an init), they answer signals for ever.
    with contextlib.suppress(OSError):
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    return True
