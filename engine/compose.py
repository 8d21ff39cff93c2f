"""A YAML parser's events into plain data, with the mark of every key and value beside it.

Read as YAML 1.2, core schema (section 10.3.2): `yes` and `on` are text, `1:30` is text, `0o17` is 15. What
would let a file grow or act when it is read (tags, merge keys, anchors without end) is refused. The work
is a loop over events with a stack of its own, so that no depth of nesting reaches Python's recursion.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from yaml import events

MOST_LEVELS = 64
MOST_VALUES = 50_000
MOST_DIGITS = 400

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER = re.compile(
    r"(?P<int>[-+]?[0-9]+)|0o(?P<octal>[0-7]+)|0x(?P<hex>[0-9a-fA-F]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<endless>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)
_STARTS = frozenset("-+.0123456789")


class Branch:
    """A mapping or list: where it is, and the marks of what it holds."""

    __slots__ = ("end", "flow", "marks", "start")

    def __init__(self, event: Any, marks: Any) -> None:
        self.start = self.end = event.start_mark
        self.flow = bool(event.flow_style)
        self.marks: Any = marks  # Of a mapping: key -> (its event, its value's node); of a list: nodes.


class Alias(NamedTuple):
    """A place where `*name` stands for a value written elsewhere."""

    start_mark: Any
    end_mark: Any
    node: Any


class Stop(Exception):
    """Nothing after this place can be read."""


class _Frame:
    __slots__ = ("anchor", "before", "branch", "data", "height", "key")

    def __init__(self, data: Any, branch: Branch, anchor: str | None, before: int) -> None:
        self.data, self.branch, self.anchor, self.before = data, branch, anchor, before
        self.key: Any = None  # The event of the key whose value comes next.
        self.height = 1


class _Anchored(NamedTuple):
    data: Any
    node: Any
    values: int
    height: int


class Composer:
    """Reads one document; `tell(start mark, end mark, message, hint)` hears of every mistake."""

    def __init__(self, tell: Callable[[Any, Any, str, str], None]) -> None:
        self.tell = tell
        self.data: Any = None
        self.node: Any = None
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Anchored] = {}
        self._values = 0
        self._documents = 0

    def read(self, following: Callable[[], Any]) -> None:
        """Take events up to the end of the stream; raises Stop where reading on makes no sense."""
        handlers: dict[type, Callable[[Any], None]] = {
            events.ScalarEvent: self._scalar,
            events.AliasEvent: self._alias,
            events.MappingStartEvent: self._open_mapping,
            events.SequenceStartEvent: self._open_list,
            events.MappingEndEvent: self._close,
            events.SequenceEndEvent: self._close,
            events.DocumentStartEvent: self._document,
        }
        while (event := following()) is not None:
            handler = handlers.get(type(event))
            if handler is not None:
                handler(event)

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self._stop(event, "a second document begins here", "a file holds one document; remove '---'")

    def _scalar(self, event: Any) -> None:
        if self._stack:
            frame = self._stack[-1]
            if frame.key is None and type(frame.data) is dict:
                self._key(frame, event)
                return
        if event.tag:
            self._tag(event)
        value = event.value
        if event.implicit[0]:
            if value in _WORDS:
                value = _WORDS[value]
            elif value[0] in _STARTS:
                value = self._number(event)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(value, event, 1, 0)
        self._add(value, event, event)

    def _key(self, frame: _Frame, event: Any) -> None:
        frame.key = event
        if event.tag:
            self._tag(event)
        first = frame.branch.marks.get(event.value)
        if first is not None:
            where = f"the first is in line {first[0].start_mark.line + 1}"
            self._say(event, f"duplicate key '{event.value}'", f"{where}; keep one of the two")
        elif event.value == "<<" and event.implicit[0]:
            self._say(event, "merge keys (<<) are not read", "write the fields out")
        if event.anchor:
            self._say(event, "an anchor cannot name a key", f"remove &{event.anchor}")

    def _add(self, value: Any, node: Any, event: Any) -> None:
        self._values += 1
        if self._values > MOST_VALUES:
            self._too_many(event)
        if not self._stack:
            self.data, self.node = value, node
            return
        frame = self._stack[-1]
        if type(frame.data) is dict:
            key = frame.key
            frame.data[key.value] = value
            frame.branch.marks[key.value] = (key, node)
            frame.key = None
        else:
            frame.data.append(value)
            frame.branch.marks.append(node)

    def _open_mapping(self, event: Any) -> None:
        self._open(event, {}, {})

    def _open_list(self, event: Any) -> None:
        self._open(event, [], [])

    def _open(self, event: Any, data: Any, marks: Any) -> None:
        if event.tag:
            self._tag(event)
        if self._stack and type(self._stack[-1].data) is dict and self._stack[-1].key is None:
            self._stop(
                event, "a key must be plain text, not a list or mapping", "put text that begins with [ or { in quotes"
            )
        if len(self._stack) >= MOST_LEVELS:
            self._too_deep(event)
        self._anchors.pop(event.anchor, None)
        self._stack.append(_Frame(data, Branch(event, marks), event.anchor, self._values))

    def _close(self, event: Any) -> None:
        frame = self._stack.pop()
        frame.branch.end = event.end_mark
        if self._stack:
            self._stack[-1].height = max(self._stack[-1].height, frame.height + 1)
        self._add(frame.data, frame.branch, event)
        if frame.anchor:
            values = self._values - frame.before
            self._anchors[frame.anchor] = _Anchored(frame.data, frame.branch, values, frame.height)

    def _alias(self, event: Any) -> None:
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is None and type(frame.data) is dict:
            self._stop(event, "an alias cannot be a key", "write the key out")
        anchored = self._anchors.get(event.anchor)
        if anchored is None:
            inside = any(event.anchor == frame.anchor for frame in self._stack)
            what = "holds itself" if inside else "is not defined above"
            self._stop(event, f"the anchor '{event.anchor}' {what}", "text that begins with * must be in quotes")
            return
        if len(self._stack) + anchored.height > MOST_LEVELS:
            self._too_deep(event)
        self._values += anchored.values - 1
        if frame is not None:
            frame.height = max(frame.height, anchored.height + 1)
        self._add(anchored.data, Alias(event.start_mark, event.end_mark, anchored.node), event)

    def _number(self, event: Any) -> Any:
        """The number that a plain text is, or the text."""
        text = event.value
        match = _NUMBER.fullmatch(text)
        if match is None:
            return text
        if len(text) > MOST_DIGITS or match["endless"]:
            self._say(
                event, f"{text[:20]} is not a number that can be used here", "write a finite number of few digits"
            )
            return 0
        if match["float"]:
            number = float(text)
            if math.isinf(number):
                self._say(event, f"{text} is too large a number", "write a smaller one")
                return 0
            return number
        if match["int"]:
            return int(text)
        return int(match["octal"], 8) if match["octal"] else int(match["hex"], 16)

    def _tag(self, event: Any) -> None:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        self._say(event, f"the tag {tag} is not read", "remove it; text that begins with ! must be in quotes")

    def _too_many(self, event: Any) -> None:
        what = "with its aliases written out, " if self._anchors else ""
        message = f"{what}the file holds more than {MOST_VALUES:,} values"
        self._stop(event, message, "split it, or write fewer aliases" if what else "split it")

    def _too_deep(self, event: Any) -> None:
        self._stop(event, f"nested more than {MOST_LEVELS} levels deep", "a storyboard needs 4")

    def _stop(self, event: Any, message: str, hint: str) -> None:
        self._say(event, message, hint)
        raise Stop

    def _say(self, event: Any, message: str, hint: str) -> None:
        self.tell(event.start_mark, event.end_mark, message, hint)
