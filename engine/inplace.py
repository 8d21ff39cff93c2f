"""A new text in the place of an old one: all or nothing, and only while the old one is what stands there."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from .errors import MikebotError
from .unsaved import unsaved

_CHANGED = "the {} was changed meanwhile"
CHANGED = _CHANGED.format("storyboard")
AGAIN = "look at what it says now, and try again"


def digest(raw: bytes) -> str:
    """What a text is known by."""
    return hashlib.sha256(raw).hexdigest()


def held(file: Path, what: str = "storyboard") -> bytes:
    """The bytes that a file holds; `what` it is for people. Raises MikebotError."""
    try:
        return file.read_bytes()
    except OSError as problem:
        raise MikebotError(f"the {what} cannot be read: {problem.strerror}", "check its permissions") from None


def current(file: Path, base: str, what: str = "storyboard") -> bytes:
    """The bytes of a file, if their SHA-256 is `base` and no editor holds unsaved changes. Raises MikebotError."""
    raw = held(file, what)
    if digest(raw) != base:
        raise MikebotError(_CHANGED.format(what), AGAIN)
    editor = unsaved(file)
    if editor:
        raise MikebotError(f"{editor} has unsaved changes of the {what}", "save them, and try again")
    return raw


def replace(target: Path, made: bytes, raw: bytes, what: str = "storyboard") -> None:
    """Put the new bytes in the place of the old ones, if the old ones are still there. Raises MikebotError."""
    try:
        with _aside(target, made) as aside:
            aside.chmod(stat.S_IMODE(target.stat().st_mode))
            if target.read_bytes() != raw:
                raise MikebotError(_CHANGED.format(what), AGAIN)
            aside.replace(target)
    except OSError as problem:
        raise MikebotError(f"the {what} cannot be written: {problem.strerror}", "make it writable") from None


def create(target: Path, made: bytes) -> None:
    """Write a file that is not there yet. Raises FileExistsError if it is by now, MikebotError for other reasons."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _aside(target, made) as aside:
            _name(aside, target)
    except FileExistsError:
        raise
    except OSError as problem:
        raise MikebotError(f"{target.name} cannot be written: {problem.strerror}", "make its folder writable") from None


def _name(aside: Path, target: Path) -> None:
    """A link takes no name that is taken, a renaming would on most systems."""
    try:
        os.link(aside, target)
    except FileExistsError:
        raise
    except OSError:  # A file system without links.
        if target.exists():
            raise FileExistsError(target) from None
        aside.rename(target)


@contextlib.contextmanager
def _aside(target: Path, made: bytes) -> Iterator[Path]:
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with aside.open("xb") as stream:
            stream.write(made)
            stream.flush()
            os.fsync(stream.fileno())
        yield aside
    finally:
        aside.unlink(missing_ok=True)
