"""From written text to what espeak-ng is told, and from its events back to the written words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Interval = tuple[int, int, str]

# A word with the white space after it. Where a script sets no spaces, each character with the marks after it is
# a token of its own, so that captions can break between any two.
_SPACELESS = r"\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_CLOSING = r"\u3001\u3002\u300d\u300f\u3011\uff01\uff09\uff0c\uff1a\uff1b\uff1f\u2019\u201d\u2026\u30fc\u30fb"
_TOKEN = (
    rf"\s*(?:[{_SPACELESS}][{_CLOSING}\u3041\u3043\u3045\u3047\u3049\u3063\u3083\u3085\u3087]*"
    rf"|[^\s{_SPACELESS}]+)\s*|\s+"
)
_STRESS = "'',%="


class Said(NamedTuple):
    """What is spoken for a written text; `origin[i]` is the written character that spoken character i is for."""

    text: str
    origin: Sequence[int]
    phonemes: bool  # The text holds [[phonemes]].


def tokens(text: str) -> list[str]:
    """Slices of the text, each with the white space that follows; together they are the text."""
    return [match.group() for match in re.finditer(_TOKEN, text)]


def said(text: str, pronunciation: Mapping[str, str]) -> Said:
    """Put respellings in place of words, and keep the text itself from being taken for commands.

    The narration is read as plain text: SSML is switched off, control characters (espeak-ng's embedded
    commands) become spaces, and so does `[[`, which only a pronunciation may bring.
    """
    spoken: list[str] = []
    origin: list[int] = []
    phonemes = False
    position = 0
    for match in _words(pronunciation).finditer(text) if pronunciation else ():
        how = _how(pronunciation, match.group())
        phonemes = phonemes or how.startswith(" [[")
        for piece, start, step in ((_plain(text[position : match.start()]), position, 1), (how, match.start(), 0)):
            spoken.append(piece)
            origin.extend(start + step * index for index in range(len(piece)))
        position = match.end()
    rest = _plain(text[position:])
    return Said("".join([*spoken, rest]), [*origin, *range(position, position + len(rest))], phonemes)


def is_phonemes(how: str) -> bool:
    """Is this [[phonemes]], not a respelling?"""
    return re.fullmatch(r"\s*\[\[[!-Z^-~\\ ]+\]\]\s*", how) is not None


def timing(text: str, spoken: Said, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Times of the written words and of the phones, in samples."""
    samples = answer["samples"]
    phones = _phones(answer["events"], samples)
    starts = [(sample, position) for what, sample, position, _ in answer["events"] if what == "word"]
    words = _written(tokens(text), _heard(text, spoken, starts), phones, samples)
    return {"rate": answer["rate"], "samples": samples, "words": words, "phones": phones}


def _words(pronunciation: Mapping[str, str]) -> re.Pattern[str]:
    longest = sorted(pronunciation, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?!\w)", re.IGNORECASE)


def _how(pronunciation: Mapping[str, str], word: str) -> str:
    exact = pronunciation.get(word)
    how = exact if exact is not None else next(h for w, h in pronunciation.items() if w.lower() == word.lower())
    # Only after a space does espeak-ng see phonemes.
    return f" {how.strip()} " if is_phonemes(how) else _plain(how)


def _plain(text: str) -> str:
    """The same number of characters, none of which espeak-ng takes for a command."""
    text = "".join(" " if unicodedata.category(c) in {"Cc", "Cs"} else c for c in text)
    return re.sub(r"\[(?=\[)", " ", text)


def _phones(events: Iterable[tuple[str, int, int, str]], samples: int) -> list[Interval]:
    """What sounds, each until the next begins; names that begin with _ are pauses."""
    starts = [(min(sample, samples), name.lstrip(_STRESS)) for what, sample, _, name in events if what == "phone"]
    ends = [*(start for start, _ in starts[1:]), samples]
    pairs = zip(starts, ends, strict=False)
    return [(start, end, name) for (start, name), end in pairs if name and name[0] != "_" and end > start]


def _heard(text: str, spoken: Said, starts: Sequence[tuple[int, int]]) -> dict[int, int]:
    """The first sample of each written token that has a word event; "1,234" has several, the first counts."""
    owner = [index for index, token in enumerate(tokens(text)) for _ in token]
    first: dict[int, int] = {}
    for sample, position in starts:
        if owner:
            written = spoken.origin[min(position, len(spoken.origin) - 1)]
            index = max([owner[written], *first])  # Never back: words are in order.
            first.setdefault(index, sample)
    return first


def _written(texts: list[str], first: Mapping[int, int], phones: list[Interval], samples: int) -> list[Interval]:
    """Intervals of all tokens: those that espeak-ng ran together ("has been") share by their letters."""
    if not phones:
        return share(texts, 0, samples)
    heads = sorted(first) or [0]
    found: list[Interval] = []
    for head, following in zip(heads, [*heads[1:], len(texts)], strict=True):
        group = texts[0 if head == heads[0] else head : following]
        end = first.get(following, samples)
        within = [phone for phone in phones if first.get(head, 0) <= phone[0] < end]
        found += share(group, within[0][0], within[-1][1]) if within else share(group, first.get(head, 0), end)
    return found


def share(texts: list[str], start: int, end: int) -> list[Interval]:
    """Divide an interval among tokens by their letters; marks alone get no time, unless there is nothing else."""
    weights = [sum(c.isalnum() for c in text) for text in texts]
    if not any(weights):
        weights = [1] * len(texts)
    shared, total, done = [], sum(weights), 0
    for text, weight in zip(texts, weights, strict=True):
        begin = start + (end - start) * done // total
        done += weight
        shared.append((begin, start + (end - start) * done // total, text))
    return shared
