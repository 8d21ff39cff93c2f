"""Every error that a user can cause, each able to say where, what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

MOST_SHOWN = 50


class MikebotError(Exception):
    """Root of all errors that reach the user as a message, never as a traceback."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return plain(f"{self.message}\n  {self.hint}" if self.hint else self.message)


class Mistake(NamedTuple):
    """One mistake at one place of a file; lines and columns count from 1, in characters.

    `end_line`, `end_column` name the place just after the last character concerned.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    message: str
    hint: str = ""
    source: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}:{self.column}: {self.message}"
        if self.source:
            shown, column = _window(self.source, self.column)
            text += f"\n  {shown}\n  {' ' * (column - 1)}^"
        return plain(f"{text}\n  {self.hint}" if self.hint else text)


class AuthorError(MikebotError):
    """What an author wrote cannot be used; holds every mistake found, not only the first."""

    exit_code = 2

    def __init__(self, mistakes: Sequence[Mistake], sought: Iterable[Path] = ()) -> None:
        self.sought = tuple(sought)  # Files that decided it, whether they are there or not.
        self.mistakes = sorted(mistakes, key=lambda m: (m.file, m.line, m.column, m.message))
        super().__init__(_shown(self.mistakes))


class Refused(AuthorError):
    """A real person would be shown or heard who has not agreed to it."""


class UsageError(MikebotError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class StoreError(MikebotError):
    """The store cannot be read or written."""


class BackendError(MikebotError):
    """A backend cannot do a step, for a reason that it knows."""


class OutOfMemory(BackendError):
    """A step needs more memory than there is."""


class BuildError(MikebotError):
    """Some steps failed; what did not depend on them was built and kept."""

    def __init__(self, failures: Mapping[str, BaseException]) -> None:
        self.failures = dict(failures)
        lines = [f"{name}: {failure}" for name, failure in self.failures.items()]
        super().__init__("\n".join(lines))


class Damaged(MikebotError):
    """An artifact is missing from the store, or its bytes are not those of its name."""

    def __init__(self, digest: str) -> None:
        super().__init__(f"artifact {digest} is lost or damaged")
        self.digest = digest


class Unpermitted(MikebotError):
    """What was judged of a person's consent is not so any more: whoever judged it must look again."""


class Cancelled(Exception):
    """The step that was running is not wanted any more."""


def plain(text: str) -> str:
    """A text without what a terminal would obey: names of files may hold anything."""
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)


def _shown(mistakes: Sequence[Mistake]) -> str:
    text = "\n".join(str(mistake) for mistake in mistakes[:MOST_SHOWN])
    more = len(mistakes) - MOST_SHOWN
    return f"{text}\n... and {more} more" if more > 0 else text


def _window(source: str, column: int, width: int = 100) -> tuple[str, int]:
    """The part of a long line around a column, and the column within that part."""
    plain = "".join(c if c.isprintable() else " " for c in source)
    if len(plain) <= width:
        return plain, column
    start = max(0, min(column - 1 - width // 2, len(plain) - width))
    return plain[start : start + width], column - start
