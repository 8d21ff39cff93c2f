"""Captions from the times of words: what to show together, in which lines, from when to when.

The rules are a subtitler's: at most two lines of 42 cells (a Chinese or Japanese character takes two), sentences
kept apart, breaks after punctuation or before a conjunction rather than inside a phrase, lines of like length,
20 cells a second at most and a second at least where the speech leaves room, never two captions at once. Text stays
in the order in which it is written; right-to-left scripts are reordered by whoever draws them.

The limit of 20 cells a second, exactly. A caption is there from its first word (EARLY before it at most, and never
before the last word of the one before ends) until its last word (LINGER after it at most, or half a second more if
that closes a hole), with GAP between two. A stretch of sentences that can be cut so that each caption can be read
between its first word and the next one's is cut so; where speech is too fast for that, phrases stay whole. No times
are better for a cut: a caption is too fast only if it, or a row of captions that follow each other without a free
moment, fills all the time that there is by these rules, and that time is too short for its cells: the words between
two captions are spoken faster. Words are taken to follow each other and to last two milliseconds or longer.
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
LEAST = CLOCK * 5 // 6  # A caption that is gone sooner cannot be read, however short it is.
GAP = CLOCK * 2 // 25  # Between captions that follow each other.
LINGER = CLOCK * 3 // 2  # The longest that a caption stays after its last word.
REST = CLOCK * 7 // 10  # A silence that parts captions.
MOST_WORDS = 40  # In one caption: two full lines of the shortest words.
EARLY = CLOCK // 4  # The longest that a caption is there before its first word: only to be read in time.
JOINING_WORDS = {
    "en": "and but or nor so because that which who when where while if than then as for with to from into by though",
    "de": "und aber oder denn weil dass wenn sondern sowie damit obwohl während bevor sobald",
    "fr": "et mais ou donc car que qui parce lorsque quand puis",
    "es": "y e o pero porque que sino aunque cuando mientras",
    "it": "e ed o ma perché che quando mentre oppure quindi",
}  # All at once: a timing does not say its language.
CONJUNCTIONS = frozenset(" ".join(JOINING_WORDS.values()).split())
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
    limit = samples * CLOCK // rate
    groups = _readable(_groups(_units(words, rate), limit), limit)
    found: list[Cue] = []
    for number in range(len(groups) - 1, -1, -1):  # From the end, so that staying on comes before beginning early.
        group = groups[number]
        free = groups[number - 1][-1].end + GAP if number else 0
        found.append(_cue(group, free, limit))
        before = groups[number - 1][0].start if number else 0
        limit = found[-1].start - min(GAP, (found[-1].start - before) // 2)
    return found[::-1]


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


def _readable(groups: list[list[_Word]], limit: int) -> list[list[_Word]]:
    """The groups, with stretches of sentences cut anew where one is too fast and another cut has none that is."""
    found: list[list[_Word]] = []
    stretch: list[list[_Word]] = []
    for number, group in enumerate(groups, 1):
        stretch.append(group)
        if group[-1].cost and number < len(groups):
            continue
        until = groups[number][0].start - GAP if number < len(groups) else limit
        if _fast(stretch, until):
            anew = _groups([word for part in stretch for word in part], until, strict=True)
            stretch = stretch if _fast(anew, until) else anew
        found += stretch
        stretch = []
    return found


def _fast(groups: list[list[_Word]], limit: int) -> bool:
    """Whether one of the groups cannot be read between its first word and the next one's."""
    limits = [group[0].start - GAP for group in groups[1:]] + [limit]
    ends = [min(limit, group[-1].end + LINGER) for group, limit in zip(groups, limits, strict=True)]
    return any(_short(end - group[0].start, _width(group)) for group, end in zip(groups, ends, strict=True))


def _short(room: int, width: int) -> bool:
    return room < max(LEAST, _needed(width))


def _groups(words: list[_Word], limit: int, strict: bool = False) -> list[list[_Word]]:
    """Words that are shown together, so that the sum of what is bad is least (as TeX breaks a paragraph).

    Nothing is as bad as a group that is too fast, if `strict`.
    """
    starts = [0, *accumulate(word.cells + word.space for word in words)]
    ends = [0, *(start - word.space for start, word in zip(starts[1:], words, strict=True))]
    best: list[tuple[int, float, int]] = [(0, 0, 0)]  # Words that are too fast, what is bad, where the last begins.
    for end, last in enumerate(words, 1):
        until = min(words[end].start - GAP if end < len(words) else limit, last.end + LINGER)
        options = []
        inside = 0
        for start in range(end - 1, max(-1, end - 1 - MOST_WORDS), -1):
            inside += start < end - 1 and words[start].cost < 1
            width = ends[end] - starts[start]
            if start < end - 1 and not _fits(starts, ends, start, end):
                break
            room = until - words[start].start
            bad = 6 + 3 * last.cost + 12 * inside + _hurry(room, width)
            fast = strict and _short(room, width)
            options.append((best[start][0] + fast, best[start][1] + bad, start))
        best.append(min(options))
    return _cut(words, best)


def _fits(starts: list[int], ends: list[int], start: int, end: int) -> bool:
    """Whether words fit into two lines: as many as can into the first, the others into the second."""
    if ends[end] - starts[start] <= WIDTH:
        return True
    second = min(end, bisect_right(ends, starts[start] + WIDTH) - 1)
    return second > start and ends[end] - starts[second] <= WIDTH


def _cut(words: list[_Word], best: list[tuple[int, float, int]]) -> list[list[_Word]]:
    groups, end = [], len(words)
    while end:
        start = best[end][2]
        groups.append(words[start:end])
        end = start
    return groups[::-1]


def _hurry(room: int, width: int) -> float:
    """How bad it is that a caption of so many cells has so many samples."""
    short = max(0.0, 1 - room / SHORTEST)
    fast = max(0.0, width * CLOCK / CELLS_A_SECOND / max(room, 1) - 1)
    return 60 * short + 10 * min(fast, 3)


def _needed(width: int) -> int:
    """The samples in which so many cells can be read."""
    return -(-width * CLOCK // CELLS_A_SECOND)


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


def _cue(words: list[_Word], free: int, limit: int) -> Cue:
    """A caption that stays until it can be read, or the next one comes, and begins early if that is not enough."""
    start, spoken = words[0].start, words[-1].end
    wanted = max(SHORTEST, _needed(_width(words)))
    end = min(max(spoken, min(start + wanted, spoken + LINGER)), limit)
    if limit - end < CLOCK // 2:
        end = limit
    start = max(0, min(start, max(end - wanted, start - EARLY, free)))
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
