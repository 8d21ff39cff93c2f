"""Graphviz's language before Graphviz reads it: what would read files, run wild or be drawn in vain is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

MOST_BYTES, MOST_NODES, MOST_EDGES = 65_536, 200, 400
SHAPES = {
    "box": "box", "rect": "box", "rectangle": "box", "square": "box", "ellipse": "ellipse", "oval": "ellipse",
    "circle": "circle", "doublecircle": "circle", "point": "circle", "diamond": "diamond", "cylinder": "cylinder",
    "plaintext": "plain", "plain": "plain", "none": "plain", "record": "record", "Mrecord": "record",
}  # fmt: skip
_DRAWN = "drawn are box, ellipse, circle, diamond, cylinder, record and plaintext"
_MOST_PAIRS = 250_000  # Edges between groups, if every name were in every group.

# Attributes that name files or addresses, or that run other layouts and programs.
FORBIDDEN = frozenset(
    [
        "image",
        "shapefile",
        "imagepath",
        "fontpath",
        "fontnames",
        "href",
        "url",
        "edgehref",
        "edgeurl",
        "headhref",
        "headurl",
        "labelhref",
        "labelurl",
        "tailhref",
        "tailurl",
        "target",
        "stylesheet",
        "layout",
        "root",
        "_background",
        "imagescale",
        "imagepos",
    ]
)
_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|\#[^\n]*|/\*.*?\*/)|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<word>[\w.]+)
    |(?P<arrow>->|--)|(?P<html><)|(?P<mark>.)""",
    re.DOTALL | re.VERBOSE,
)


class Trouble(NamedTuple):
    """What is wrong with a graph's text; line and column from 1."""

    line: int
    column: int
    message: str
    hint: str


class _Token(NamedTuple):
    sort: str
    text: str
    at: int


def troubles(text: str) -> list[Trouble]:
    """Every reason why a graph's text is not given to Graphviz."""
    size = len(text.encode())
    if size > MOST_BYTES:
        return [Trouble(1, 1, f"the graph has {size:,} bytes; at most {MOST_BYTES:,} are read", "show less of it")]
    tokens = list(_tokens(text))
    if any(token.sort == "mark" and token.text == '"' for token in tokens):
        return [_unclosed(tokens, text)]
    found = [*_attributes(tokens, text), *_shapes(tokens, text), *_groups(tokens, text), *_after(tokens, text)]
    return sorted(found)


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "space":
            yield _Token(match.lastgroup or "", match.group(), match.start())


def _unclosed(tokens: list[_Token], text: str) -> Trouble:
    """A quotation mark without its other half: the first text that runs over a line's end, or else the last mark."""
    over = [token for token in tokens if token.sort == "quoted" and "\n" in token.text]
    last = [token for token in tokens if token.text == '"'][-1]
    return _trouble(text, [*over, last][0], "a text in quotation marks does not end", "is a quotation mark missing?")


def _after(tokens: list[_Token], text: str) -> Iterator[Trouble]:
    """What Graphviz would pass over in silence: a graph after the graph, or anything else."""
    depth, ended = 0, False
    for token in tokens:
        if ended and token.text != ";":
            if token.text.lower() in {"strict", "graph", "digraph"}:
                yield _trouble(text, token, "a second graph begins here; a scene shows one", "move it to another scene")
            else:
                yield _trouble(text, token, "the graph ends before this", "remove it, or the } that ends the graph")
            return
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        ended = ended or (token.text == "}" and depth == 0)


def _attributes(tokens: list[_Token], text: str) -> Iterator[Trouble]:
    for token, following in zip(tokens, [*tokens[1:], _Token("", "", 0)], strict=True):
        name = token.text.strip('"').lower()
        if token.sort == "html":
            yield _trouble(text, token, "a label of HTML is not drawn", 'write it as text: label="..."')
            return
        if token.text == "+":
            yield _trouble(text, token, "a text in several pieces is not read", "write it as one")
        elif token.sort in {"word", "quoted"} and following.text == "=" and name in FORBIDDEN:
            yield _trouble(text, token, f"'{name}' is not allowed in a graph that is shown", "remove it")


def _shapes(tokens: list[_Token], text: str) -> Iterator[Trouble]:
    for name, sign, value in zip(tokens, tokens[1:], tokens[2:], strict=False):
        shape = value.text.strip('"')
        if name.text.strip('"').lower() == "shape" and sign.text == "=" and shape not in SHAPES:
            yield _trouble(text, value, f"the shape '{shape}' is not drawn", _DRAWN)


def _groups(tokens: list[_Token], text: str) -> Iterator[Trouble]:
    """Edges from group to group multiply: a short text can ask for a billion."""
    names = len({token.text for token in tokens if token.sort in {"word", "quoted"}})
    pairs = 0
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if token.sort == "arrow" and (before.text == "}" or after.text in {"{", "subgraph"}):
            pairs += names * names // 4 if before.text == "}" else names
            if pairs > _MOST_PAIRS:
                yield _trouble(text, token, "there are too many edges between groups", "name the edges one by one")
                return


def _trouble(text: str, token: _Token, message: str, hint: str) -> Trouble:
    line, column = place(text, token.at)
    return Trouble(line, column, message, hint)


def place(text: str, at: int) -> tuple[int, int]:
    """The line and the column of a character, from 1."""
    return text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1
