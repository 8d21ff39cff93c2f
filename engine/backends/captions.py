"""Captions from the times of words: what to show together, in which lines, from when to when.

The rules are a subtitler's: at most two lines of 42 cells (a Chinese or Japanese character takes two), sentences
kept apart, breaks after punctuation or before a conjunction rather than inside a phrase, lines of like length,
about 20 cells a second and a second at least where the speech leaves room, never two captions at once. Text stays
in the order in which it is written; right-to-left scripts are reordered by whoever draws them.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

CLOCK = 48000
WIDTH = 42  # Cells in a line.
CELLS_A_SECOND = 20
SHORTEST = CLOCK
GAP = CLOCK * 2 // 25  # Between captions that follow each other.
LINGER = CLOCK * 3 // 2  # The longest that a caption stays after its last word.
REST = CLOCK * 7 // 10  # A silence that parts captions.
MOST_WORDS = 40  # In one caption: two full lines of the shortest words.
JOINING_WORDS = """
and but or nor so because that which who when where while if than then as for with to from into by
und aber oder denn weil dass wenn et mais ou donc car que qui y pero o porque e ma perché
"""
CONJUNCTIONS = frozenset(JOINING_WORDS.split())
SENTENCE_END = re.compile(r"[.!?…。！？؟۔।][\"'”’»)\]」』）]*$")
PHRASE_END = re.compile(r"[,;:—–、，；：،؛][\"'”’»)\]」』）]*$")
NO_START = "、。，．！？；：）」』】〉》”’ー…々ぁぃぅぇぉっゃゅょァィゥェォッャュョ"


class Cue(NamedTuple):
    """One caption: samples at 48 kHz from the start of the scene (or film), and one or two lines."""

    start: int
    end: int
    lines: tuple[str, ...]


class _Word(NamedTuple):
    start: int
    end: int
    text: str  # With the white space that follows.
    cells: int  # Without it.
    space: int  # Cells of the white space.
    cost: float  # Of a break after it.


def cues(words: Sequence[Sequence[int | str]], rate: int, samples: int) -> list[Cue]:
    """The captions of one scene; `words` are [start, end, text], in samples of `rate`; `samples` is its length."""
    units = _units(words, rate)
    groups = _groups(units)
    limits = [group[0].start - GAP for group in groups[1:]] + [samples * CLOCK // rate]
    return [_cue(group, limit) for group, limit in zip(groups, limits, strict=False)]  # No words: no caption.


def vtt(shown: Iterable[Cue]) -> str:
    """WebVTT (W3C): `&`, `<` and `>` escaped, which leaves no `-->` in a text."""
    return "WEBVTT\n\n" + "".join(f"{_span(cue, '.')}\n{_escaped(cue.lines)}\n\n" for cue in shown)


def srt(shown: Iterable[Cue]) -> str:
    """SubRip: it knows no escapes, so a word joiner after `<`, `{` and `--` keeps text from being read as markup."""
    return "".join(f"{n}\n{_span(cue, ',')}\n{_joined(cue.lines)}\n\n" for n, cue in enumerate(shown, 1))


def cells(text: str) -> int:
    """How many columns a text takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.category(c) in ("Mn", "Me", "Cf") for c in text)


def _units(words: Sequence[Sequence[int | str]], rate: int) -> list[_Word]:
    """Words on the captions' clock; text without spaces, and what is longer than a line, cut into characters."""
    pieces: list[tuple[int, int, str]] = []
    for start, end, text in words:
        parts = _parts("".join(c if c.isprintable() else " " for c in str(text)))
        first, length = int(start), int(end) - int(start)
        for number, part in enumerate(parts):
            pieces.append((first + length * number // len(parts), first + length * (number + 1) // len(parts), part))
    found = []
    for number, (start, end, text) in enumerate(pieces):
        after = pieces[number + 1] if number + 1 < len(pieces) else None
        bare = text.rstrip()
        cost = _cost(bare, text, after, rate, end)
        found.append(_Word(start * CLOCK // rate, end * CLOCK // rate, text, cells(bare), text != bare, cost))
    return [word for word in found if word.text]


def _parts(text: str) -> list[str]:
    if cells(text.rstrip()) <= WIDTH and cells(text) == len(text):
        return [text]
    step = 1 if cells(text) > len(text) else WIDTH // 2
    parts: list[str] = []
    for letter in text:
        held = parts[-1] if parts else ""
        stays = letter.isspace() or letter in NO_START or unicodedata.combining(letter) or letter in "\u200d\ufe0f"
        narrow = (
            cells(letter) < 2
            and bool(held)
            and cells(held[-1]) < 2
            and not held[-1].isspace()
            and len(held) < WIDTH // 2
        )
        if held and (stays or held[-1] == "\u200d" or narrow or len(held) < step):
            parts[-1] += letter
        else:
            parts.append(letter)
    return parts or [""]


def _cost(bare: str, text: str, after: tuple[int, int, str] | None, rate: int, end: int) -> float:
    """How bad it is to part a caption or a line after a word."""
    if after is None or SENTENCE_END.search(bare):
        return 0
    if (after[0] - end) * CLOCK > REST * rate:
        return 1
    if PHRASE_END.search(bare):
        return 4
    if text == bare:
        return 30 if bare and cells(bare[-1]) < 2 else 16  # Inside a word; between two characters of Chinese.
    return 8 if after[2].strip().lower() in CONJUNCTIONS else 14


def _groups(words: list[_Word]) -> list[list[_Word]]:
    """Words that are shown together, so that the sum of what is bad is least (as TeX breaks a paragraph)."""
    starts = [0, *accumulate(word.cells + word.space for word in words)]
    ends = [0, *(start - word.space for start, word in zip(starts[1:], words, strict=True))]
    best: list[tuple[float, int]] = [(0, 0)]
    for end, last in enumerate(words, 1):
        until = words[end].start if end < len(words) else last.end + LINGER
        options = []
        inside = 0
        for start in range(end - 1, max(-1, end - 1 - MOST_WORDS), -1):
            inside += start < end - 1 and words[start].cost < 1
            width = ends[end] - starts[start]
            if start < end - 1 and not _fits(starts, ends, start, end):
                break
            bad = 6 + 3 * last.cost + 12 * inside + _hurry(until - words[start].start, width)
            options.append((best[start][0] + bad, start))
        best.append(min(options))
    return _cut(words, best)


def _fits(starts: list[int], ends: list[int], start: int, end: int) -> bool:
    """Whether words fit into two lines: as many as can into the first, the others into the second."""
    if ends[end] - starts[start] <= WIDTH:
        return True
    second = min(end, bisect_right(ends, starts[start] + WIDTH) - 1)
    return second > start and ends[end] - starts[second] <= WIDTH


def _cut(words: list[_Word], best: list[tuple[float, int]]) -> list[list[_Word]]:
    groups, end = [], len(words)
    while end:
        start = best[end][1]
        groups.append(words[start:end])
        end = start
    return groups[::-1]


def _hurry(room: int, width: int) -> float:
    """How bad it is that a caption of so many cells has so many samples."""
    short = max(0.0, 1 - room / SHORTEST)
    fast = max(0.0, width * CLOCK / CELLS_A_SECOND / max(room, 1) - 1)
    return 60 * short + 10 * min(fast, 3)


def _width(words: Sequence[_Word]) -> int:
    return sum(word.cells + word.space for word in words) - words[-1].space


def _lines(words: Sequence[_Word]) -> int | None:
    """Where the second line begins: len(words) if one line is enough, None if two are not."""
    total = _width(words)
    if total <= WIDTH:
        return len(words)
    best: tuple[float, int] | None = None
    above = 0
    for number, word in enumerate(words[:-1], 1):
        above += word.cells
        below = total - above - word.space
        above_is_longer = above > below
        if above <= WIDTH and below <= WIDTH:
            bad = word.cost + abs(above - below) * (0.6 if above_is_longer else 0.5)
            best = min(best or (bad, number), (bad, number))
        above += word.space
    return None if best is None else best[1]


def _cue(words: list[_Word], limit: int) -> Cue:
    """A caption that stays until it can be read, or the next one comes."""
    start, spoken = words[0].start, words[-1].end
    wanted = max(SHORTEST, _width(words) * CLOCK // CELLS_A_SECOND)
    end = min(max(spoken, min(start + wanted, spoken + LINGER)), limit)
    if limit - end < CLOCK // 2:
        end = limit
    at = _lines(words) or len(words)
    texts = (_line(words[:at]), _line(words[at:]))
    return Cue(start, max(end, start + 1), tuple(text for text in texts if text))


def _line(words: Iterable[_Word]) -> str:
    return " ".join("".join(word.text for word in words).split())


def _escaped(lines: Iterable[str]) -> str:
    return "\n".join(line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for line in lines)


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(re.sub(r"<|\{|--(?=>)", "\\g<0>\u2060", line) for line in lines)


def _span(cue: Cue, point: str) -> str:
    start, end = cue.start // 48, cue.end // 48
    return f"{_time(start, point)} --> {_time(max(end, start + 1), point)}"


def _time(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{rest:03}"
