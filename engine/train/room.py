"""Room on the disk: asked for before it is needed, and where it ends in the middle, what was whole stays so."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir

from ..backends.memory_need import gigabytes
from ..disk import KEEP_FREE, free, full, standing
from ..document import shown
from ..errors import MikebotError

SCARCE = 4096 * 16  # Bytes: with less, a write that failed failed for that, whatever a library makes of it.


class NoRoom(MikebotError):
    """The disk has no room for what is to be written."""


def refuse(needs: Mapping[Path, float], what: str) -> None:
    """Refuse what the disks have no room for; `needs` are bytes by folder, added up by disk. Raises NoRoom."""
    disks: dict[int, tuple[Path, float]] = {}
    for folder, size in needs.items():
        device = standing(folder).stat().st_dev
        first, before = disks.get(device, (folder, 0.0))
        disks[device] = (first, before + max(0.0, size))
    for folder, size in disks.values():
        left = free(folder)
        if size and size + KEEP_FREE > left:
            message = f"{what} needs about {gigabytes(size)} on the disk of {shown(folder)}"
            has = f"which has {gigabytes(left)} free, and {gigabytes(KEEP_FREE)} of it stay free"
            elsewhere = ", or let TMPDIR name a folder of another" if folder == Path(gettempdir()) else ""
            raise NoRoom(f"{message}, {has}", f"Free some space{elsewhere}, and type the same again.")


def held(folder: Path) -> int:
    """Bytes of all that lies in a folder; 0 where there is none."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Where to write a file, so that it is there whole or as it was before. Raises NoRoom."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".tmp-{path.name}")
    try:
        yield aside
        with aside.open("rb+") as stream:
            os.fsync(stream.fileno())
        aside.replace(path)
    except Exception as problem:  # Libraries that write have names of their own for a full disk.
        filled = full(problem) or free(path.parent) < SCARCE
        aside.unlink(missing_ok=True)
        if filled:
            raise _no_room(path.parent) from problem
        raise


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """A disk that fills up while something is written there, in words. Raises NoRoom."""
    try:
        yield
    except OSError as problem:
        if full(problem):
            raise _no_room(folder) from problem
        raise


def _no_room(folder: Path) -> NoRoom:
    name = shown(folder)
    message = f"the disk of {folder if name == '.' else name} is full"  # A training process is in its run's folder.
    return NoRoom(message, "Free some space, and type the same again: what was finished is kept.")
