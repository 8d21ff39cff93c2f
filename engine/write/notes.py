"""Notes in Markdown, or none at all, as blocks of plain text: what can be said and shown, and what was left out.

Nothing of it is followed: addresses are not opened, paths are not read, HTML is dropped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from markdown_it.token import Token

MOST_CHARACTERS = 2_000_000
_CONTROL = re.compile(
    "\x1b\\[[0-9;?]*[ -/]*[@-~]"  # What colours a terminal.
    "|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_LINE_END = re.compile("\r\n|[\r\x85\u2028\u2029]")
_FRONT = re.compile(r"(---|\+\+\+)[ \t]*\n(.*?)\n\1[ \t]*(?:\n|\Z)", re.DOTALL)
_FRONT_TITLE = re.compile(r"^title[ \t]*[:=][ \t]*(.+?)[ \t]*$", re.MULTILINE | re.IGNORECASE)
_ADDRESS = re.compile(r"<?\b(?:https?|ftp)://([\w.-]+)[^\s<>]*?(?=[.,;:!?)\]]*(?:[\s>]|$))>?")
_FOOTNOTE = re.compile(r"\[\^[^\]\s]+\](:?)")
_TASK = re.compile(r"\[[ xX]\]\s+")
_STOPS = ".!?…:;؟۔।。！？：；"

Sort = Literal["heading", "text", "points", "code", "table"]


class Point(NamedTuple):
    """A point of a list, or a row of a table: what it says, and the words in bold that it begins with."""

    text: str
    lead: str = ""


class Block(NamedTuple):
    """A stretch of the notes; which fields count depends on its sort."""

    sort: Sort
    line: int  # Where it begins, from 1.
    text: str = ""  # Of headings, text and code.
    level: int = 0  # Of headings: 1 is the highest.
    points: tuple[Point, ...] = ()
    language: str = ""  # Of code, as the notes name it.


class Notes(NamedTuple):
    """What notes hold: blocks in order, the title that they give themselves, and remarks on what was left out."""

    title: str
    blocks: Sequence[Block]
    remarks: Sequence[str]


def read(text: str) -> Notes:
    """Notes as blocks."""
    from markdown_it import MarkdownIt

    left = _Left()
    clean = _clean(text, left)
    title, body, skipped = _front(clean)
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(body)
    blocks = list(_blocks(tokens, skipped, left))
    return Notes(title, blocks, left.remarks())


class _Left:
    """What is left out: how often, and the line where it was first."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.first: dict[str, int] = {}

    def note(self, what: str, line: int, count: int = 1) -> None:
        self.counts[what] += count
        self.first.setdefault(what, line)

    def remarks(self) -> list[str]:
        return [
            f"line {self.first[what]}: {what}" + (f" ({count} times)" if count > 1 else "")
            for what, count in sorted(self.counts.items(), key=lambda item: self.first[item[0]])
        ]


def _clean(text: str, left: _Left) -> str:
    """Line ends as one sort, and no character that YAML or a terminal would stumble over."""
    text = _LINE_END.sub("\n", text.removeprefix("\ufeff"))
    if len(text) > MOST_CHARACTERS:
        text = text[:MOST_CHARACTERS]
        what = f"notes of more than {MOST_CHARACTERS:,} characters are read up to here; split them"
        left.note(what, text.count("\n") + 1)
    odd = _CONTROL.search(text)
    if odd:
        cleaned, count = _CONTROL.subn("", text)
        left.note("an invisible control character is dropped", text.count("\n", 0, odd.start()) + 1, count)
        text = cleaned
    return text


def _front(text: str) -> tuple[str, str, int]:
    """The title that stands in front matter, the text behind that, and how many lines it took."""
    found = _FRONT.match(text)
    if found is None or not re.match(r"\s*[\w\"'-]+\s*[:=]", found.group(2)):
        return "", text, 0
    title = _FRONT_TITLE.search(found.group(2))
    name = re.sub(r"^(['\"])(.*)\1$", r"\2", title.group(1)) if title else ""
    return " ".join(name.split()), text[found.end() :], found.group().count("\n")


def _blocks(tokens: Sequence[Token], skipped: int, left: _Left) -> Iterator[Block]:
    """The blocks of a document, those within quotes as if they stood alone."""
    at = 0
    while at < len(tokens):
        token, line = tokens[at], _line(tokens[at], skipped)
        if token.type in {"bullet_list_open", "ordered_list_open", "table_open"}:
            end = _closing(tokens, at)
            yield from _gathered(tokens[at : end + 1], line, skipped, left)
            at = end
        elif token.type == "heading_open":
            text = " ".join(_said(tokens[at + 1], line, left).split())
            if text:
                yield Block("heading", line, text, level=int(token.tag[1:]))
        elif token.type == "paragraph_open":
            text = _paragraph(_said(tokens[at + 1], line, left))
            if text:
                yield Block("text", line, text)
        elif token.type in {"fence", "code_block"} and token.content.strip():
            yield Block("code", line, token.content, language=_language(token.info))
        elif token.type == "html_block":
            left.note("HTML is left out", line)
        at += 1


def _gathered(tokens: Sequence[Token], line: int, skipped: int, left: _Left) -> Iterator[Block]:
    """A list or a table, and behind it the code that stands within its points."""
    if tokens[0].type == "table_open":
        rows = tuple(_rows(tokens, line, left))
        if rows:
            yield Block("table", line, points=rows)
        return
    points: list[Point] = []
    for token in tokens:
        if token.type == "inline":
            text = _TASK.sub("", _paragraph(_said(token, _line(token, skipped), left)), count=1)
            points += [Point(text, _lead(token, text))] if text else []
    if points:
        yield Block("points", line, points=tuple(points))
    for token in tokens:
        if token.type in {"fence", "code_block"} and token.content.strip():
            yield Block("code", _line(token, skipped), token.content, language=_language(token.info))
        elif token.type == "html_block":
            left.note("HTML is left out", _line(token, skipped))


def _rows(tokens: Sequence[Token], line: int, left: _Left) -> Iterator[Point]:
    """The rows of a table, each read out: the first cell, then the others with the names of their columns."""
    head: list[str] = []
    cells: list[str] = []
    for token in tokens:
        if token.type == "inline":
            cells.append(" ".join(_said(token, line, left).split()))
        elif token.type == "tr_close":
            if not head:
                head, cells = cells, []
                continue
            named = zip(head[1:], cells[1:], strict=False)
            rest = [f"{name} {cell}" if name and len(head) > 2 else cell for name, cell in named if cell]
            text = ": ".join(part for part in (cells[0], ", ".join(rest)) if part) if cells else ""
            if text:
                yield Point(text, cells[0])
            cells = []


def _said(token: Token, line: int, left: _Left) -> str:
    """What of a line can be said: the text of links and emphasis, no picture and no HTML."""
    parts: list[str] = []
    struck, opened = 0, False
    for child in token.children or ():
        if child.type in {"s_open", "s_close"}:
            struck += 1 if child.type == "s_open" else -1
            left.note("text that is struck out is left out", line, int(child.type == "s_open"))
        elif child.type == "image":
            left.note(f"the picture {str(child.attrGet('src'))[:80]} is left out; bring it with image:", line)
        elif child.type == "html_inline":
            left.note("HTML is left out", line)
        elif child.type in {"softbreak", "hardbreak"} and not struck:
            parts.append("\n")
        elif opened and child.content.startswith("^"):
            left.note("footnotes are left out", line)
        elif child.type in {"text", "code_inline"} and not struck:
            parts.append(child.content.replace("\n", " "))
        opened = child.type == "link_open"
    return _spoken("".join(parts), line, left)


def _spoken(text: str, line: int, left: _Left) -> str:
    """Addresses by the name of their host, no marks of footnotes."""
    note = _FOOTNOTE.match(text)
    if note and note.group(1):
        left.note("footnotes are left out", line)
        return ""
    if _ADDRESS.search(text):
        left.note("an address is said by its host's name alone", line, len(_ADDRESS.findall(text)))
        text = _ADDRESS.sub(lambda match: match.group(1), text)
    return _FOOTNOTE.sub("", text)


def _paragraph(text: str) -> str:
    """Lines joined; short ones that do not go on are notes, each a sentence of its own."""
    lines = [" ".join(line.split()) for line in text.split("\n")]
    lines = [line for line in lines if line]
    apart = max(map(len, lines), default=0) <= 60
    joined = ""
    for line in lines:
        if joined and apart and not line[0].islower() and joined[-1].isalnum():
            joined += "\n"
        joined += (" " if joined and joined[-1] != "\n" and not _unspaced(joined[-1], line[0]) else "") + line
    return joined


def _unspaced(before: str, after: str) -> bool:
    """Whether a line break between two characters is no space: Chinese and Japanese set none."""
    return all("\u3000" <= char <= "\u9fff" or "\uff00" <= char <= "\uffef" for char in (before, after))


def _lead(token: Token, text: str) -> str:
    """The words in bold that a point begins with."""
    children: Mapping[int, Token] = dict(enumerate(token.children or ()))
    first = [child for child in children.values() if child.type != "text" or child.content][:3]
    if [child.type for child in first] != ["strong_open", "text", "strong_close"]:
        return ""
    lead = " ".join(first[1].content.split())
    return lead.rstrip(_STOPS) if text.startswith(lead) else ""


def _language(info: str) -> str:
    return (info.split() or [""])[0].strip("{}.").lower()


def _closing(tokens: Sequence[Token], at: int) -> int:
    """Where what opens at a token closes."""
    level = tokens[at].level
    return next(n for n in range(at + 1, len(tokens)) if tokens[n].level == level and tokens[n].nesting == -1)


def _line(token: Token, skipped: int) -> int:
    return (token.map[0] if token.map else 0) + 1 + skipped
