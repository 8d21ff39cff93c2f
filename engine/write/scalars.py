"""One text as YAML writes it: plain where that can be, folded, literal or in quotes where it cannot.

Each way gives back exactly the same text when it is read again (YAML 1.2, as engine.document reads it). What YAML 1.1
would take for a number, a date or a boolean is put in quotes, too: other programs still read it so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST = 100  # Columns of a line.
WIDTH = 96  # Of one that is filled with words.

# What engine.document refuses unless it is escaped, and the ends of lines.
_ESCAPED = re.compile("[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_HARD = re.compile("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_INDICATOR = re.compile(r"[-?:,\[\]{}#&*!|>'\"%@`~=<]")
_INSIDE = re.compile(r":( |$)| #")
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))
_NUMBER = re.compile(
    r"[-+.0-9][-+.0-9_:,/TZ ]*|[-+]?[0-9][0-9_.]*[eE][-+]?[0-9]+|0[xob][0-9a-fA-F_]+|[-+]?\.(inf|nan)", re.IGNORECASE
)
_NAMES = {"\0": "\\0", "\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_BREAKS = re.compile(r"(?<=[^ \t]) (?=[^ \t])")  # Single spaces: the only ones at which a line may end.
_SENTENCE = (".", "!", "?", "…")


def scalar(text: str, *, flow: bool = False) -> str:
    """A text on one line; inside `[...]` or `{...}` some that may stand plain elsewhere need quotes."""
    if plain(text, flow=flow):
        return text
    return f"'{text}'" if _single(text) else f'"{_quoted(text)}"'


def block(text: str, indent: int, used: int, *, prose: bool = False) -> str:
    """A text that begins in column `used`, behind a key or a dash that stands `indent` spaces in.

    Prose is folded, and so is what is too long for a line, unless that would change it.
    """
    line = scalar(text)
    if prose or used + len(line) > LONGEST:
        folded = _folded(text, indent + 2)
        if folded is not None:
            return folded
    return line if used + len(line) <= LONGEST else _wrapped(text, indent + 2, used)


def plain(text: str, *, flow: bool = False) -> bool:
    """Whether a text can stand without quotes."""
    if not text or text != text.strip() or _INDICATOR.match(text) or _INSIDE.search(text) or _ESCAPED.search(text):
        return False
    if flow and re.search(r"[,\[\]{}?]|:\S", text):
        return False
    return text.lower() not in _WORDS and not _NUMBER.fullmatch(text) and not text.startswith("...")


def literal(text: str, indent: int, used: int) -> str:
    """Code as it is, line by line; in quotes where YAML would change it."""
    body = text.removesuffix("\n")
    if _HARD.search(text) or not body.strip() or body.endswith("\n"):
        return _wrapped(text, indent + 2, used)
    lines = body.split("\n")
    lead = "2" if lines[0][:1] in {" ", "\t"} or not lines[0] else ""
    pad = " " * (indent + 2)
    header = f"|{lead}" if text.endswith("\n") else f"|{lead}-"
    return "\n".join([header, *(pad + line if line else "" for line in lines)])


def comment(text: str) -> Iterator[str]:
    """A text as lines of a comment, none of which an editor takes for one of its own."""
    for line in re.split(r"\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]", text):
        clean = _HARD.sub(" ", line).replace("\t", " ").replace("yaml-language-server", "yaml language server")
        words = clean.split(" ") if clean.strip() else []
        yield from (f"# {part}".rstrip() for part in _filled(words, WIDTH - 2)) if words else ("#",)


def _single(text: str) -> bool:
    """Single quotes are kinder to text that holds double ones."""
    return ('"' in text or "\\" in text) and "'" not in text and not _ESCAPED.search(text)


def _quoted(text: str) -> str:
    return re.sub(rf'{_ESCAPED.pattern}|["\\]', lambda match: _escape(match.group()), text)


def _escape(char: str) -> str:
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:  # Half a character, which no file in UTF-8 can hold.
        return "\ufffd"
    return _NAMES.get(char) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def _folded(text: str, indent: int) -> str | None:
    """Below `>-`; None where folding would change the text."""
    parts = text.split("\n")
    if _HARD.search(text) or any(part != part.strip(" \t") for part in parts) or not (parts[0] and parts[-1]):
        return None
    pad = " " * indent
    lines: list[str] = []
    for number, part in enumerate(parts):  # Each line break of the text is a blank line.
        lines += [""] if number else []
        lines += [pad + line for line in _sentences(part, WIDTH - indent)] if part else []
    if any(len(line) > LONGEST and "  " in line.strip() for line in lines):
        return None  # Between two spaces no line may end; in quotes it may.
    return "\n".join([">-", *lines])


def _sentences(text: str, width: int) -> Iterator[str]:
    """Filled lines, ending with a sentence where one ends in their second half: so changes of one stay small."""
    words = _BREAKS.split(text)
    while words:
        count = _count(words, width)
        rest = len(" ".join(words[count:]))
        ends = _SENTENCE if rest >= width / 4 else (*_SENTENCE, ",")  # No line of a word or two at the end.
        fitting = (n for n in range(count, 0, -1) if words[n - 1].endswith(ends))
        nice = next(fitting, 0) if rest else 0
        if len(" ".join(words[:nice])) * 2 >= width:
            count = nice
        yield " ".join(words[:count])
        words = words[count:]


def _filled(words: list[str], width: int) -> Iterator[str]:
    while words:
        count = _count(words, width)
        yield " ".join(words[:count])
        words = words[count:]


def _count(words: list[str], width: int) -> int:
    """How many words fit a line: one at least."""
    used = len(words[0])
    for number, word in enumerate(words[1:], 1):
        used += 1 + len(word)
        if used > width:
            return number
    return len(words)


def _wrapped(text: str, indent: int, used: int) -> str:
    """In double quotes over several lines, which end at a space, or behind an escaped line break."""
    lines: list[str] = []
    line = '"'
    for glue, piece in _pieces(text):
        room = WIDTH - (indent if lines else used)
        if len(line) + len(glue) + len(piece) >= room and line != '"':
            lines.append(line + ("" if glue else "\\"))
            line = f"\\{piece}" if piece.startswith(" ") else piece
        else:
            line += glue + piece
    return f"\n{' ' * indent}".join([*lines, line + '"'])


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Words with what stands before each: a space, or nothing behind a line break."""
    parts = text.split("\n")
    for number, part in enumerate(parts):
        line = part + ("\n" if number < len(parts) - 1 else "")
        for place, word in enumerate(_BREAKS.split(line)):
            first, *others = re.split(r"(?<=[^ ])(?=  )", word)
            yield "" if place == 0 else " ", _quoted(first)
            yield from (("", _quoted(other)) for other in others)
