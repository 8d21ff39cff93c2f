"""One YAML file as plain data, with the place of every key and value and every mistake in its making."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .errors import MOST_SHOWN, Mistake, UsageError

MOST_BYTES = 4_000_000

# YAML 1.2 section 5.1 (c-printable), less the characters that some programs take for the end of a line.
_REFUSED = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_BREAK = re.compile(r"\r\n|\n|\r")


class Span(NamedTuple):
    """A stretch of text: lines and columns from 1, in characters; the end is just after the last one."""

    line: int
    column: int
    end_line: int
    end_column: int


class Document:
    """What was read: `data` is None where nothing could be; `mistakes` tells why."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.text = text
        self.data: Any = None
        self.mistakes: list[Mistake] = []
        self._node: Any = None
        self._lines: list[str] | None = None

    @property
    def lines(self) -> list[str]:
        """The text's lines without their ends."""
        if self._lines is None:
            self._lines = _BREAK.split(self.text)
        return self._lines

    def place(self, path: Sequence[str | int]) -> Span:
        """Where the value at a path stands."""
        return self._span(self._find(path)[1])

    def key_place(self, path: Sequence[str | int]) -> Span:
        """Where the key of the value at a path stands; of a list's item, the item itself."""
        key, node = self._find(path)
        return self._span(node if key is None else key)

    def start(self, path: Sequence[str | int]) -> Span:
        """The first character of the value at a path."""
        span = self.place(path)
        return Span(span.line, span.column, span.line, span.column + 1)

    def says(self, path: Sequence[str | int]) -> bool:
        """Whether there is something at a path."""
        data: Any = self.data
        for part in path:
            there = isinstance(part, int) and isinstance(data, list) and part < len(data)
            if not there and not (isinstance(data, dict) and part in data):
                return False
            data = data[part]
        return True

    def written(self, path: Sequence[str | int]) -> str:
        """A scalar as it is written, before anything became a number."""
        node = self._find(path)[1]
        return str(getattr(getattr(node, "node", node), "value", ""))

    def flowing(self, path: Sequence[str | int]) -> bool:
        """Whether the mapping or list at a path is written with braces or brackets."""
        return bool(getattr(self._find(path)[1], "flow", False))

    def mistake(self, span: Span, message: str, hint: str = "", severity: str = "error") -> Mistake:
        """A mistake at a place of this document."""
        source = self.lines[span.line - 1] if 0 < span.line <= len(self.lines) else ""
        return Mistake(self.file, *span, message, hint, source, severity)

    def say(self, span: Span, message: str, hint: str = "") -> None:
        """Note a mistake."""
        self.mistakes.append(self.mistake(span, message, hint))

    def _find(self, path: Sequence[str | int]) -> tuple[Any, Any]:
        """The key's event (None for an item) and the node of a value; the deepest that exists."""
        key, node = None, self._node
        for part in path:
            marks = getattr(getattr(node, "node", node), "marks", None)
            if isinstance(marks, dict) and part in marks:
                key, node = marks[part]
            elif isinstance(marks, list) and isinstance(part, int):
                key, node = None, marks[part]
            else:
                break
        return key, node

    def _span(self, node: Any) -> Span:
        if node is None:
            return Span(1, 1, 1, 1)
        start = getattr(node, "start", None) or node.start_mark
        line, column = self._end(node)
        if (line, column) == (start.line, start.column):  # Nothing is written: where it would be, as editors show it.
            rest = self.lines[line][column:]
            column += len(rest) - len(rest.lstrip(" "))
            return Span(line + 1, column + 1, line + 1, column + 1)
        return Span(start.line + 1, start.column + 1, line + 1, column + 1)

    def _end(self, node: Any) -> tuple[int, int]:
        """The end of a node, without the blank lines and comments that parsers count in (from 0)."""
        if hasattr(node, "marks"):
            if not node.flow and node.marks:
                last = node.marks[-1] if isinstance(node.marks, list) else list(node.marks.values())[-1][1]
                return self._end(last)
            return node.end.line, node.end.column
        line, column = node.end_mark.line, node.end_mark.column
        while line > node.start_mark.line and not self.lines[line][:column].strip():
            line -= 1
            column = len(self.lines[line].rstrip())
        return line, column


def shown(path: Path) -> str:
    """A path as messages name it: from the current folder where it lies below that."""
    full = Path(os.path.abspath(path))  # noqa: PTH100 (Links stay as they are written.)
    with contextlib.suppress(OSError, ValueError):  # It lies elsewhere; or the current folder was removed.
        return full.relative_to(Path.cwd()).as_posix()
    return full.as_posix()


def read(path: Path) -> tuple[Document, bytes]:
    """Read a file that an author wrote. A pipe or device is never opened, a large file never read.

    Raises UsageError if there is no such file, or none that can be read.
    """
    document = Document("", shown(path))
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise UsageError(f"{shown(path)} is not a file", "name a file of text")
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1) if about.st_size <= MOST_BYTES else b""
    except OSError as problem:
        raise UsageError(
            f"{shown(path)} cannot be read: {problem.strerror}", "check its name and permissions"
        ) from None
    if about.st_size > MOST_BYTES or len(raw) > MOST_BYTES:
        size = f"{about.st_size / 1e6:,.1f} MB"
        document.say(Span(1, 1, 1, 1), f"the file has {size}; at most 4 MB are read", "split it into several")
        return document, b""
    return parse(raw, shown(path)), raw


def parse(raw: bytes, file: str, *, pure: bool = False) -> Document:
    """Read YAML 1.2 text; `pure` does without the C parser, as on machines that lack it."""
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        document = Document(raw.decode("utf-8"), file)
    except UnicodeDecodeError as problem:
        return _undecodable(raw, problem.start, file)
    for match in _REFUSED.finditer(document.text):
        _refuse(document, match)
        if len(document.mistakes) > MOST_SHOWN or match.group() == "\0":
            return document
    if not document.mistakes:
        _refuse_conflicts(document)
    if not document.mistakes:
        _compose(document, pure)
    return document


def _refuse_conflicts(document: Document) -> None:
    """Tell of what git could not merge: to a parser it would be one puzzling line."""
    if "<<<<<<<" not in document.text and ">>>>>>>" not in document.text:
        return
    from .syntax import conflicts

    for found in conflicts(document.lines):
        width = len(document.lines[found.line].rstrip())
        document.say(Span(found.line + 1, 1, found.line + 1, width + 1), found.message, found.hint)


def _undecodable(raw: bytes, offset: int, file: str) -> Document:
    document = Document(raw.decode("utf-8", errors="replace"), file)
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        document.say(Span(1, 1, 1, 1), "the file is UTF-16, not UTF-8", "save it as UTF-8")
        return document
    span = _at(document.text, len(raw[:offset].decode("utf-8")))
    document.say(span, f"byte 0x{raw[offset]:02x} is not UTF-8", "save the file as UTF-8")
    return document


def _at(text: str, index: int) -> Span:
    """The one character at an index."""
    before = _BREAK.split(text[:index])
    return Span(len(before), len(before[-1]) + 1, len(before), len(before[-1]) + 2)


def _refuse(document: Document, match: re.Match[str]) -> None:
    span, code = _at(document.text, match.start()), ord(match.group())
    if code == 0:
        document.say(span, "the file holds a NUL character: it is not text", "is this the right file?")
    elif code in {0x2028, 0x2029}:
        document.say(span, f"U+{code:04X} looks like the end of a line to some programs", "write a line break")
    else:
        document.say(span, f"the control character U+{code:04X} is not allowed", "remove it")


def _compose(document: Document, pure: bool) -> None:
    import yaml

    from .compose import Composer, Stop

    def tell(start: Any, end: Any, message: str, hint: str) -> None:
        last = end if end.line == start.line else start
        document.say(Span(start.line + 1, start.column + 1, last.line + 1, last.column + 1), message, hint)

    composer = Composer(tell)
    try:
        composer.read(_events(document.text, pure))
    except Stop:
        return
    except yaml.MarkedYAMLError as problem:
        _complain(document, problem)
        return
    document.data, document._node = composer.data, composer.node


def _events(text: str, pure: bool) -> Callable[[], Any]:
    """A function that gives one event after another, and None after the last."""
    import yaml

    parser = getattr(yaml, "CLoader", yaml.Loader) if not pure else yaml.Loader
    following: Callable[[], Any] = parser(text).get_event
    return following


def _complain(document: Document, problem: Any) -> None:
    from .syntax import reword

    complaint = reword(problem, document.lines)
    line, column = complaint.line + 1, complaint.column + 1
    hint = complaint.hint
    if "tab" in complaint.message:
        tabbed = sum(1 for text in document.lines[line:] if "\t" in text[: len(text) - len(text.lstrip())])
        hint += f" ({tabbed} more below)" if tabbed else ""
    document.say(Span(line, column, line, column + 1), complaint.message, hint)
