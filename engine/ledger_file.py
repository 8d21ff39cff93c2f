"""The SQLite file of a ledger: its tables, and how it is opened beside others who do the same."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

BUSY = 250  # Times that the file is asked again while another process opens it.

_TABLES = """
CREATE TABLE IF NOT EXISTS results (
    key TEXT PRIMARY KEY, action TEXT, result TEXT,
    kind TEXT, backend TEXT, seconds REAL, work INTEGER, bytes INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS leases (key TEXT PRIMARY KEY, owner TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS owners (owner TEXT PRIMARY KEY, pid INTEGER, host TEXT, beat INTEGER) WITHOUT ROWID;
"""


def connected(path: Path) -> sqlite3.Connection:
    """Connect, waiting for others: SQLite itself does not wait when two processes begin a log at once."""
    for _ in range(BUSY):
        try:
            return _connect(path)
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorname", "") not in ("SQLITE_BUSY", "SQLITE_BUSY_RECOVERY"):
                raise
            time.sleep(0.02)
    return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    db.text_factory = _text
    try:
        if db.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
            raise sqlite3.OperationalError("this file system cannot keep a write-ahead log")
        db.execute("PRAGMA synchronous = NORMAL")
        db.executescript(_TABLES)
    except sqlite3.Error:
        db.close()
        raise
    return db


def _text(held: bytes) -> str:
    """Text as it is; what is no UTF-8 any more is noticed by its seal."""
    return held.decode("utf-8", "replace")
