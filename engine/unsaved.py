"""Whether an editor holds changes of a file that nobody has saved yet, as far as editors leave a sign of it."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

from .ledger import process_lives

# Block 0 of a swap file (Vim's memline.c, struct block0): "b0", the process at 24, a mark of changed text at 1007.
_SWAP, _PROCESS_AT, _DIRTY_AT, _DIRTY = b"b0", 24, 1007, 0x55
_LOCK = re.compile(r".*@(?P<host>[^@]*)\.(?P<process>[0-9]+)(:[0-9]+)?")


def unsaved(file: Path) -> str:
    """The name of an editor that has unsaved changes of a file; "" if none is seen to have.

    What an editor that crashed has left is no editor's any more.
    """
    if _locked(file.with_name(f".#{file.name}")):
        return "Emacs"
    if any(_swapped(file.with_name(f".{file.name}.{suffix}")) for suffix in ("swp", "swo", "swn")):
        return "Vim"
    return ""


def _locked(link: Path) -> bool:
    """Emacs leaves a link to USER@HOST.PID:BOOT while a buffer is changed (Emacs Lisp manual, "File Locks")."""
    try:
        said = _LOCK.fullmatch(os.readlink(link))  # noqa: PTH115 (It leads nowhere.)
    except OSError:
        return False
    return said is None or said["host"] != socket.gethostname() or process_lives(int(said["process"]))


def _swapped(swap: Path) -> bool:
    try:
        with swap.open("rb") as stream:
            block = stream.read(_DIRTY_AT + 1)
    except OSError:
        return False
    if block[:2] != _SWAP or len(block) <= _DIRTY_AT or block[_DIRTY_AT] != _DIRTY:
        return False
    return process_lives(int.from_bytes(block[_PROCESS_AT : _PROCESS_AT + 4], "little"))
