"""What the operating system says of a disk, told so that a person can do something about it."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from .errors import StoreError

KEEP_FREE = 1_000_000_000  # Bytes of a disk that are left alone, whatever is to be written.
FULL = "the disk is full: free some space, or run `mikebot gc`"


def standing(folder: Path) -> Path:
    """The folder, or the nearest above it that there is: its disk is where the folder will be."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def free(folder: Path) -> int:
    """Bytes that are free on the disk where a folder is, or will be."""
    return shutil.disk_usage(standing(folder)).free


@contextlib.contextmanager
def explained(place: Path) -> Iterator[None]:
    """Errors of the operating system as StoreError, with what can be done."""
    try:
        yield
    except OSError as error:
        remedy = FULL if full(error) else "make it writable, or name another place with --store or --out"
        raise StoreError(f"{place}: {error.strerror or error}", remedy) from error


def full(error: BaseException | None) -> bool:
    """Whether an error says that the disk is full."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def no_room(root: Path) -> StoreError:
    """What to say when it is."""
    return StoreError(f"{root}: {os.strerror(errno.ENOSPC)}", FULL)
