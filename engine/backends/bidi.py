"""Which letters of a line run from right to left: the Unicode Bidirectional Algorithm (UAX #9, revision 50).

Implicit rules and paired brackets; explicit embeddings and isolates are not obeyed, and count as nothing.
python-bidi and FriBidi give a whole line in visual order, which cannot be shaped; what is shaped here is a run of
one font, in the order in which it is read, so that levels are what is needed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import TypeVar

_PAIRS = "()[]{}⁅⁆⁽⁾₍₎⌈⌉⌊⌋❨❩❪❫❬❭❮❯❰❱❲❳❴❵⟦⟧⟨⟩⟪⟫⟬⟭⟮⟯〈〉《》「」『』【】〔〕〖〗〘〙〚〛（）［］｛｝｟｠｢｣"
_CLOSING = dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True))
_DEPTH = 63  # Brackets that may be open at once (BD16).
MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # Explicit embeddings and isolates.
_NEUTRAL = {"B", "S", "WS", "ON"}
_SIDE = {"L": "L", "R": "R", "EN": "R", "AN": "R"}  # Which way a letter pulls its neighbours: numbers as R (N1).
Part = TypeVar("Part")


def rightmost_first(text: str) -> bool:
    """Whether a paragraph is read from right to left: its first letter says so (P2, P3)."""
    strong = (unicodedata.bidirectional(letter) for letter in text)
    return next((kind in {"R", "AL"} for kind in strong if kind in {"L", "R", "AL"}), False)


def levels(text: str, leftward: bool) -> list[int]:
    """Each letter's level in a line whose paragraph runs leftward or not: odd ones run from right to left."""
    kinds = ["BN" if letter in MARKS else unicodedata.bidirectional(letter) or "L" for letter in text]
    base = int(leftward)
    if not leftward and not {"R", "AL", "AN"} & set(kinds):
        return [0] * len(text)
    seen = [at for at, kind in enumerate(kinds) if kind != "BN"]
    first = [kinds[at] for at in seen]
    sides = _neutrals(_brackets([text[at] for at in seen], first, _weak(first, "LR"[base]), "LR"[base]), "LR"[base])
    found = dict(zip(seen, (_level(side, base) for side in sides), strict=True))
    before, resolved = base, []
    for at in range(len(text)):
        before = found.get(at, before)  # What counts as nothing goes with what it follows.
        resolved.append(before)
    end = next((at + 1 for at in reversed(seen) if kinds[at] not in {"WS", "S", "B"}), 0)
    return resolved[:end] + [base] * (len(text) - end)  # L1: spaces at the end of a line.


def ordered(parts: Sequence[tuple[int, Part]]) -> list[Part]:
    """Parts of a line with their levels, from the order in which they are read to that from left to right (L2)."""
    line = list(parts)
    for level in range(max((level for level, _ in line), default=0), 0, -1):
        groups = [(high, list(group)) for high, group in groupby(line, lambda part: part[0] >= level)]  # noqa: B023
        line = [part for high, group in groups for part in (group[::-1] if high else group)]
    return list(map(itemgetter(1), line))


def _level(side: str, base: int) -> int:
    """Rules I1 and I2."""
    return {"L": 2, "R": 1}.get(side, 2) if base else {"L": 0, "R": 1}.get(side, 2)


def _weak(first: list[str], base: str) -> list[str]:
    """Rules W1 to W7: marks go with their letters, separators with their numbers, numbers with what is before them."""
    kinds: list[str] = []
    strong = base
    for kind in first:
        now = (kinds[-1] if kinds else base) if kind == "NSM" else kind
        if now in {"L", "R", "AL"}:
            strong = now
        kinds.append("AN" if now == "EN" and strong == "AL" else now)
    kinds = ["R" if kind == "AL" else kind for kind in kinds]
    for at in range(1, len(kinds) - 1):
        before, kind, after = kinds[at - 1 : at + 2]
        if before == after and ((kind in {"ES", "CS"} and after == "EN") or (kind == "CS" and after == "AN")):
            kinds[at] = after
    return _numbers(kinds, base)


def _numbers(kinds: list[str], base: str) -> list[str]:
    """Rules W5 to W7: a percent sign goes with its number, a number with the Latin before it."""
    joined: list[str] = []
    for terminator, group in groupby(kinds, lambda kind: kind == "ET"):
        stretch = list(group)
        after = kinds[len(joined) + len(stretch) :][:1]
        beside = terminator and "EN" in (*joined[-1:], *after)
        joined += ["EN"] * len(stretch) if beside else stretch
    strong = base
    for at, kind in enumerate(joined):
        if kind in {"L", "R"}:
            strong = kind
        elif kind in {"ES", "ET", "CS"}:
            joined[at] = "ON"
        elif kind == "EN" and strong == "L":
            joined[at] = "L"
    return joined


def _brackets(text: list[str], first: list[str], kinds: list[str], base: str) -> list[str]:
    """Rule N0: a pair of brackets goes with the line if anything in it does, else with what is before and in it."""
    for start, end in _pairs(text, kinds):
        inside = {_SIDE[kind] for kind in kinds[start + 1 : end] if kind in _SIDE}
        if not inside:
            continue
        before = next((_SIDE[kind] for kind in reversed(kinds[:start]) if kind in _SIDE), base)
        side = base if base in inside else before
        for at in (start, end):
            kinds[at] = side
            while at + 1 < len(kinds) and first[at + 1] == "NSM":
                at += 1  # noqa: PLW2901 (Marks on a bracket go with it.)
                kinds[at] = side
    return kinds


def _pairs(text: list[str], kinds: list[str]) -> list[tuple[int, int]]:
    """Where brackets open and close that belong together (BD16)."""
    found: list[tuple[int, int]] = []
    waiting: list[tuple[str, int]] = []
    for at, letter in enumerate(text):
        if kinds[at] != "ON":
            continue
        if letter in _CLOSING:
            if len(waiting) == _DEPTH:
                return []
            waiting.append((_CLOSING[letter], at))
        place = next((n for n in reversed(range(len(waiting))) if waiting[n][0] == letter), None)
        if place is not None:
            found.append((waiting[place][1], at))
            del waiting[place:]
    return sorted(found)


def _neutrals(kinds: list[str], base: str) -> list[str]:
    """Rules N1 and N2: what is neutral goes with its neighbours if they agree, else with the line."""
    sides: list[str] = []
    for neutral, group in groupby(kinds, lambda kind: kind in _NEUTRAL):
        stretch = list(group)
        if neutral:
            after = kinds[len(sides) + len(stretch) :][:1]
            around = {_SIDE.get(kind, base) for kind in (*(sides[-1:] or [base]), *(after or [base]))}
            stretch = [around.pop() if len(around) == 1 else base] * len(stretch)
        sides += stretch
    return sides
