"""mikebot, with its whole process group killed at one point of its work. Run as a program by tests.

killer.py POINT NUMBER MARK ARGUMENT...: the NUMBER-th time that a process comes through POINT, it writes the
point's name to MARK and sends SIGKILL to its process group, workers and leader alike.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine import cli, ledger, ledger_file, store, worker
from engine.executors.local import LocalExecutor


class Trap:
    """Snaps shut the n-th time."""

    def __init__(self, number: int, mark: Path, point: str) -> None:
        self.left = number
        self.mark = mark
        self.point = point

    def spring(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.mark.write_text(self.point)
            os.killpg(0, signal.SIGKILL)


def put(trap: Trap, after: bool = False) -> None:
    settle = store.Store._settle

    def trapped(self: store.Store, file: Path, target: Path) -> None:
        if not after:
            trap.spring()
        settle(self, file, target)
        if after:
            trap.spring()

    store.Store._settle = trapped  # type: ignore[method-assign]


def record(trap: Trap, statement: str) -> None:
    """SQLite tells each statement before it runs it; of the commits, only those of a result count."""
    connect = ledger_file._connect
    writing = False

    def hear(sql: str) -> None:
        nonlocal writing
        writing = writing or sql.startswith("INSERT OR REPLACE INTO results")
        if writing and sql.startswith(statement):
            trap.spring()
        writing = writing and not sql.startswith(("COMMIT", "ROLLBACK"))

    def trapped(path: Path) -> Any:
        db = connect(path)
        db.set_trace_callback(hear)
        return db

    ledger_file._connect = trapped


def recorded(trap: Trap) -> None:
    save = ledger.Ledger.save

    def trapped(self: ledger.Ledger, row: ledger.Row) -> str:
        stands = save(self, row)
        trap.spring()
        return stands

    ledger.Ledger.save = trapped  # type: ignore[method-assign]


def checkout(trap: Trap, half: bool) -> None:
    copy = store._copy

    def trapped(source: Path, target: Path) -> str:
        if not target.name.endswith(".part"):
            return copy(source, target)
        if half:
            target.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
            trap.spring()
            target.unlink()
        digest = copy(source, target)
        if not half:
            trap.spring()
        return digest

    store._copy = trapped


def encode(trap: Trap) -> None:
    from engine.backends.encode import Encoder

    add = Encoder.add

    def trapped(self: Encoder) -> None:
        trap.spring()
        add(self)

    Encoder.add = trapped  # type: ignore[method-assign]


def mouths(trap: Trap) -> None:
    """Each window of the mouth model, before it is made."""
    from engine.backends.sync_film import Mouths

    synced = Mouths._synced

    def trapped(self: Mouths, *given: Any) -> Any:
        trap.spring()
        return synced(self, *given)

    Mouths._synced = trapped  # type: ignore[method-assign]


def note(trap: Trap) -> None:
    """Between a note's writing and its renaming; the film is delivered by then."""
    from engine import recall

    seal = recall.seal

    def trapped(text: str) -> str:
        trap.spring()
        return seal(text)

    recall.seal = trapped


POINTS: dict[str, Callable[[Trap], None]] = {
    "put": put,
    "put, moved": lambda trap: put(trap, after=True),
    "record": lambda trap: record(trap, "INSERT OR REPLACE INTO results"),
    "record, committing": lambda trap: record(trap, "COMMIT"),
    "record, committed": recorded,
    "checkout, half copied": lambda trap: checkout(trap, half=True),
    "checkout, copied": lambda trap: checkout(trap, half=False),
    "encode": encode,
    "mouths": mouths,
    "note": note,
}


def main() -> None:
    point, number, mark, *arguments = sys.argv[1:]
    POINTS[point](Trap(int(number), Path(mark), point))
    command = LocalExecutor.command

    def trapped(self: LocalExecutor, *named: str) -> list[str]:
        python, *_, folder, vram = command(self, *named)
        return [python, __file__, point, number, mark, "worker", folder, vram]

    LocalExecutor.command = trapped  # type: ignore[method-assign]
    if arguments[0] == "worker":
        sys.argv = arguments
        worker.main()
    else:
        sys.exit(cli.main(arguments))


if __name__ == "__main__":
    main()
