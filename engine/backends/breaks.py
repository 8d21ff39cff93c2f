"""Where a line may end: after spaces, between ideographs, between Thai words; never inside what is read as one letter.

Letters are grapheme clusters (UAX #29, as `regex` has them), so that a mark stays on its base and a family of emoji
stays one. Thai sets no spaces: BudouX knows its words. What else is forbidden follows UAX #14 and JLREQ.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache

import regex

NO_END = "([{〈《「『【〔〖〘〚（［｛｟｢“‘«＄￥￡เแโใไ"  # What no line ends with; Thai sets these vowels first.
NO_START = (  # What no line starts with.
    ")]}〉》」』】〕〗〙〛）］｝｠｣”’»、。，．：；？！｡､!?,.:;…‥ー々〻ゝゞヽヾ・･〜％%"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶｧｨｩｪｫｬｭｮｯｰﾞﾟฯะาำๅๆ"
)
SOFT = "\u00ad"
_BLANK = " \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u200b\u205f\u3000"
_GLUE = "\u00a0\u2007\u202f\u2060\ufeff"
_WHITE = re.compile(r"[ \t\n\r\f\v\x1c-\x1f\x85\u2028\u2029]+")  # Not the no-break spaces, which \s has.
_THAI = re.compile(r"[\u0e01-\u0e3a\u0e40-\u0e4e]+")
_SEAM = re.compile(rf"(?<=[^\W_][-/\\_‐–—=&{SOFT}])(?=\w)")


def clusters(text: str) -> list[str]:
    """A text as the letters that a reader sees."""
    return list(text) if text.isascii() else regex.findall(r"\X", text)


def pieces(text: str) -> list[str]:
    """A text cut wherever a line may end; white space, line breaks included, is one space each time."""
    return words(_WHITE.sub(" ", text).strip(" "))


def words(text: str) -> list[str]:
    """The same of a text whose white space is as it should be."""
    thai, at = _thai(text), 0
    parts: list[str] = []
    before = ""
    for letter in clusters(text):
        if before and (at in thai or _parts(before, letter)) and not _holds(before, letter):
            parts.append(letter)
        elif parts:
            parts[-1] += letter
        else:
            parts.append(letter)
        before, at = letter, at + len(letter)
    return parts


def fitting(part: str, fits: Callable[[str], bool]) -> list[str]:
    """A piece cut until each bit fits: behind hyphens and slashes if that is enough, else between letters."""
    if fits(bare(part)):
        return [part]
    seams = _SEAM.split(part)
    return [bit for seam in seams for bit in ([seam] if fits(bare(seam)) else clusters(seam))]


def bare(line: str) -> str:
    """A line without the spaces at its end; a soft hyphen there is seen."""
    line = line.rstrip(_BLANK)
    return line[:-1] + "-" if line.endswith(SOFT) else line


def _parts(before: str, after: str) -> bool:
    """Whether a line may end between two letters."""
    return before[0] in _BLANK or _wide(before) or _wide(after)


def _holds(before: str, after: str) -> bool:
    """Whether two letters hold together whatever they are."""
    if after[0] in _BLANK or after[0] in NO_START:
        return True
    return before[0] in NO_END or before[-1] in _GLUE or after[0] in _GLUE


def _wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter[0]) in {"W", "F"}


def _thai(text: str) -> set[int]:
    """Where Thai words begin."""
    starts: set[int] = set()
    for stretch in _THAI.finditer(text):
        at = stretch.start()
        for word in _thai_words()(stretch.group()):
            starts |= {at} if at > stretch.start() else set()
            at += len(word)
    return starts


@cache
def _thai_words() -> Callable[[str], list[str]]:
    import budoux  # Only where there is Thai.

    return budoux.load_default_thai_parser().parse
