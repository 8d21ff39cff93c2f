"""Word error rate: substitutions, insertions and deletions of words, over the words that should have been said."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_ALIKE = {"mr": "mister", "mrs": "missus", "dr": "doctor", "st": "saint", "okay": "ok", "%": "percent", "&": "and"}


def words(text: str) -> list[str]:
    """The words of a text as they are compared: small letters, no marks, no accents, a few ways of writing made one."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("’", "'"))
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    letters = re.sub(r"(?<=\d),(?=\d{3})", "", letters)  # 1,234 is one number.
    found = re.findall(r"[^\W_]+(?:'[^\W_]+)*|[%&]", letters)
    return [_ALIKE.get(word, word) for word in found]


def errors(wanted: Sequence[str], heard: Sequence[str]) -> int:
    """The least number of words to change, add or leave out to make one of the other (Levenshtein 1965)."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(wanted, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(heard, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (word != other))
    return row[-1]


def rate(pairs: Sequence[tuple[str, str]]) -> float:
    """Of pairs of what should have been said and what was heard: all errors over all words."""
    split = [(words(wanted), words(heard)) for wanted, heard in pairs]
    return sum(errors(*pair) for pair in split) / max(1, sum(len(wanted) for wanted, _ in split))
