"""Narration cut into pieces of one idea: at the borders of sentences, about as long each."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from ..sentences import sentences
from .pace import count, spaceless, words_a_minute

LONGEST = 0.2  # Minutes of a scene: some forty English words.
_END = {
    "zh": "。",
    "ja": "。",
    "yue": "。",
    "wuu": "。",
    "hi": "।",
    "ne": "।",
    "mr": "।",
    "bn": "।",
    "ur": "۔",
    "th": "",
    "lo": "",
}
_ENDED = re.compile(r"[.!?…؟۔।。！？][\"'”’»」』)\]]*$")
_CLAUSE = re.compile(r"(?<=[,;:—–،؛])\s+|(?<=[，、；：])")


def most(language: str) -> int:
    """How many words (or letters) a scene says at most, unless one sentence is longer."""
    return max(8, round(LONGEST * words_a_minute(None, language)))


def ended(text: str, language: str) -> str:
    """A text as a whole sentence: it ends as sentences do."""
    text = text.rstrip()
    if not text or _ENDED.search(text):
        return text
    return text.rstrip(" ,;:：،؛，；-–—") + _END.get(language.lower().partition("-")[0], ".")


def whole(text: str, language: str) -> list[str]:
    """The sentences of a paragraph; each of its lines ends one."""
    return [sentence for line in text.split("\n") for sentence in sentences(ended(line, language))]


def pieces(said: Sequence[str], language: str) -> list[str]:
    """Sentences in groups that make a scene each."""
    limit = most(language)
    parts = [part for sentence in said for part in _short(sentence, limit, language)]
    lengths = [count(part, language) for part in parts]
    aim = sum(lengths) / max(1, math.ceil(sum(lengths) / limit))
    found: dict[int, list[str]] = {}
    before = 0
    for part, length in zip(parts, lengths, strict=True):
        place = int((before + length / 2) / aim) if aim else 0  # The share of the whole in which its middle lies.
        found.setdefault(place, []).append(part)
        before += length
    return [joined(group, language) for group in found.values()]


def _short(sentence: str, limit: int, language: str) -> Iterator[str]:
    """A sentence, cut at its clauses if it is much too long for a scene, or between words if those are too."""
    if count(sentence, language) <= limit * 3 // 2 and len(sentence) <= 1000:
        yield sentence
        return
    held = ""
    for clause in _CLAUSE.split(sentence):
        for bit in _bits(clause, limit, language):
            both = joined([held, bit], language) if held else bit
            if held and count(both, language) > limit:
                yield held
                held = bit
            else:
                held = both
    if held:
        yield held


def _bits(clause: str, limit: int, language: str) -> Iterator[str]:
    """A clause in bits of so many words; where words have no end, of so many letters."""
    words = (
        list(clause)
        if spaceless(language)
        else [w[at : at + 200] for w in clause.split() for at in range(0, len(w), 200)]
    )
    glue = "" if spaceless(language) else " "
    for at in range(0, len(words), limit):
        yield glue.join(words[at : at + limit]).strip()


def joined(parts: Sequence[str], language: str) -> str:
    """Sentences as one text: with no space between them where the language sets none."""
    glue = "" if spaceless(language) and language.lower()[:2] in {"zh", "ja", "yu", "wu"} else " "
    return glue.join(parts)
