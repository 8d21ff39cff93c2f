"""What a YAML parser complains about, said in plain words at the place that an author must look at.

libyaml (the C parser) and PyYAML's own word their complaints differently; both are understood. What git leaves
in a file when it cannot merge two versions is found before a parser sees it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

# Git writes its markers in column 1, where no text of a storyboard can stand: code that shows some is indented.
_MARKER = re.compile(r"([<|>])\1{6}(?: +(.*))?")
_DIVIDE = "======="
_QUOTES = "put the text in quotes, or write it below after >-"


class Complaint(NamedTuple):
    """Line and column count from 0, as parsers' marks do."""

    line: int
    column: int
    message: str
    hint: str


class _Meaning(NamedTuple):
    complaint: str  # A pattern over "context; problem".
    message: str
    hint: str
    at_context: bool = False  # The mistake is where the parser began, not where it gave up.


_MEANINGS = (
    _Meaning(
        r"quoted scalar; found unexpected", "this quote is never closed", "end the text with the same quote", True
    ),
    _Meaning(r"unknown escape", "this escape is unknown", "write \\\\ for a backslash, or use single quotes"),
    _Meaning(r"quoted scalar; ", "this escape is not complete", "write \\\\ for a backslash, or use single quotes"),
    _Meaning(r"found a tab", "this line is indented with a tab", "indent with spaces"),
    _Meaning(r"an alias; ", "text that begins with * must be in quotes", _QUOTES, True),
    _Meaning(r"an anchor; ", "text that begins with & must be in quotes", _QUOTES, True),
    _Meaning(r"block scalar; ", "text must begin on the line below > or |", "move the text to the next line", True),
    _Meaning(r"flow mapping; .*expected", "this { is never closed", "end the mapping with }", True),
    _Meaning(r"flow sequence; .*expected", "this [ is never closed", "end the list with ]", True),
    _Meaning(r"expected (the )?node content", "a value is missing here", _QUOTES),
    _Meaning(
        r"sequence entries are not allowed", "a list must begin on a line of its own", "move '- ' to the next line"
    ),
    _Meaning(r"mapping keys are not allowed", "no key may stand here", _QUOTES),
    _Meaning(r"could not find expected ':'", "':' is missing after this key", "write key: value", True),
    _Meaning(
        r"block collection; ",
        "this line does not belong to the list above",
        "begin it with '- ', or mend its indentation",
    ),
    _Meaning(r"document start", "this line does not fit what stands above", "indent the keys of one mapping alike"),
    _Meaning(r"directive|incompatible YAML", "this directive is not understood", "remove the line that begins with %"),
    _Meaning(r" tag|tag handle", "tags are not read", "remove the tag; text that begins with ! must be in quotes"),
)


def reword(error: Any, lines: list[str]) -> Complaint:
    """What a yaml.YAMLError means."""
    context, problem = error.context_mark, error.problem_mark or error.context_mark
    said = f"{error.context or ''}; {error.problem or ''}"
    for meaning in _MEANINGS:
        if re.search(meaning.complaint, said):
            mark = context if meaning.at_context and context is not None else problem
            column = mark.column
            if "escape" in meaning.message:  # The parser stands within or behind it; an author looks for its backslash.
                column = max(lines[mark.line].rfind("\\", 0, column + 1), 0)
            return Complaint(mark.line, column, meaning.message, meaning.hint)
    line = lines[problem.line] if problem.line < len(lines) else ""
    message, hint = _in_context(said, line, problem.column)
    text = re.match(r".*?:\s+(?=.*:)", line[: problem.column + 1]) if message.startswith("': '") else None
    return Complaint(problem.line, text.end() if text else problem.column, message, hint)


def _in_context(said: str, line: str, column: int) -> tuple[str, str]:
    """Complaints whose meaning depends on what stands in the line."""
    if "nesting depth" in said:  # PyYAML from 6.0.4 on looks ahead far enough to say so before we do.
        return "nested more than 64 levels deep", "a storyboard needs 4"
    if "cannot start any token" in said:
        return _bad_start(line, column)
    if "mapping values are not allowed" in said:
        if re.search(r":\s", line[:column]):
            return "': ' within text that is not in quotes looks like another key", _QUOTES
        return "a key cannot stand here", "indent the keys of one mapping alike; text of several lines begins with >-"
    if re.match(r"\s*(- )?[^\s:]+:\s+(\".*\"|'.*')\s*\S", line[: column + 1]):
        return "text goes on after the closing quote", "double a ' within '...', write \\\" within \"...\""
    return "this line does not fit the mapping above", "indent the keys of one mapping alike, and write key: value"


def _bad_start(line: str, column: int) -> tuple[str, str]:
    if "\t" in line[: column + 1] and not line[: column + 1].strip():
        return "this line is indented with a tab", "indent with spaces"
    shown = line[column : column + 1]
    return f"text that begins with {shown} must be in quotes", _QUOTES


def conflicts(lines: list[str]) -> Iterator[Complaint]:
    """Each conflict that git left unresolved; a line of = alone is none."""
    begun: int | None = None
    ours, markers = "", 0
    for number, line in enumerate(lines):
        marker = _MARKER.fullmatch(line.rstrip())
        sort, label = (marker.group(1), marker.group(2) or "") if marker else ("", "")
        if sort == "<" and begun is not None:
            yield _unfinished(begun, ours)
        if sort == "<":
            begun, ours, markers = number, label, 1
        elif sort == ">":
            yield _stray(number, label) if begun is None else _conflict(begun, ours, label, markers + 1)
            begun = None
        elif sort == "|" or line.rstrip() == _DIVIDE:
            markers += 1
    if begun is not None:
        yield _unfinished(begun, ours)


def _conflict(line: int, ours: str, theirs: str, markers: int) -> Complaint:
    sides = f"'{ours or 'the upper side'}' and '{theirs or 'the lower side'}' changed the same lines"
    hint = "choose one side, remove the three marker lines"
    if markers > 3:
        hint = "choose one side, remove the other, the lines from ||||||| to =======, and the other markers"
    return Complaint(line, 0, f"a merge conflict begins here: {sides}", hint)


def _unfinished(line: int, ours: str) -> Complaint:
    message = f"a merge conflict begins here and has no end: the side of '{ours or 'the upper side'}'"
    return Complaint(line, 0, message, "remove this line and what else git left of the conflict")


def _stray(line: int, theirs: str) -> Complaint:
    message = f"a merge conflict ends here and has no beginning: the side of '{theirs or 'the lower side'}'"
    return Complaint(line, 0, message, "remove this line and what else git left of the conflict")
