"""Words and phones of a recording in any language that espeak-ng speaks: its times of the same text, stretched.

Two scales leave silence out: how much espeak-ng has spoken, and how much the recording has. Pauses that both make
at about the same place tie the scales together; between two of them words are stretched evenly.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kinds import SAMPLE_RATE, Tell
from . import espeak_text
from .espeak import Espeak, EspeakParams
from .heard import PAUSE, WINDOW, pauses
from .joining import Interval

_ENDS = re.compile(r"[.!?…。！？]+[\"'”’»)\]]*\s*$")
_LONGEST = 40  # Words that are spoken at once.
_BACK = 8  # Pauses that may lie between two that are tied.
_LOOSE = 0.25  # How far the paces of two stretches may differ before tying them costs something.


class Told(NamedTuple):
    """What espeak-ng says: words and phones on the scale of what it has spoken (samples), and where it pauses."""

    words: list[Interval]
    phones: list[Interval]
    rests: list[int]
    whole: int


def spoken(text: str, language: str, voice: Espeak, tell: Tell) -> Told:
    """The text as espeak-ng speaks it, a sentence at a time."""
    words: list[Interval] = []
    phones: list[Interval] = []
    rests: list[int] = []
    whole = 0
    with tempfile.TemporaryDirectory() as folder:
        for part in _sentences(text):
            timing = say(part, language, voice, Path(folder) / "audio", tell)
            scale, gaps, length = _without_rests(timing)
            words += [(whole + scale(start), whole + scale(end), name) for start, end, name in timing["words"]]
            phones += [(whole + scale(start), whole + scale(end), name) for start, end, name in timing["phones"]]
            rests += [whole + gap for gap in gaps]
            whole += length
            rests.append(whole)
    return Told(words, phones, rests[:-1], whole)


def say(text: str, language: str, voice: Espeak, out: Path, tell: Tell) -> dict[str, Any]:
    """Timing of a text, at 48 kHz."""
    params = EspeakParams(text, language)
    told = espeak_text.said(text, {})
    timing = espeak_text.timing(text, told, voice.answer(params, told, out, tell))
    factor = SAMPLE_RATE / timing["rate"]
    for name in ("words", "phones"):
        timing[name] = [(round(a * factor), round(b * factor), what) for a, b, what in timing[name]]
    return timing


def stretched(told: Told, heard: NDArray[np.bool_]) -> tuple[list[Interval], list[Interval]]:
    """Words and phones where the recording has them."""
    count = np.concatenate([[0], np.cumsum(heard)]) * WINDOW  # Samples heard before each window.
    silences = pauses(heard)
    whole = max(1, int(count[-1]))
    places = [int(count[pause.start // WINDOW]) for pause in silences]
    lengths = [(pause.end - pause.start) / SAMPLE_RATE for pause in silences]
    scale = whole / max(1, told.whole)
    ties = _tied([rest * scale for rest in told.rests], places, lengths, whole)
    rests = np.array([0, *(told.rests[i] * scale for i, _ in ties), whole])
    at = np.array([0, *(places[j] for _, j in ties), whole])

    def place(sample: int, side: str) -> int:
        """A start lies after a pause, an end before it."""
        spent = float(np.interp(sample * scale, rests, at))
        if side == "right":
            window = int(np.searchsorted(count, spent + 0.5, side="right")) - 1
        else:
            window = int(np.searchsorted(count, max(spent - 0.5, 0.0), side="right")) - 1
        window = min(max(window, 0), len(heard) - 1)
        return int(window * WINDOW + min(WINDOW, max(0.0, spent - count[window])))

    def moved(intervals: Sequence[Interval]) -> Iterator[Interval]:
        for start, end, name in intervals:
            first = place(start, "right")
            yield first, max(first, place(end, "left")) if end > start else first, name

    return list(moved(told.words)), list(moved(told.phones))


def _tied(rests: Sequence[float], places: Sequence[int], lengths: Sequence[float], whole: int) -> list[tuple[int, int]]:
    """Pairs of a rest and a pause, in order: long pauses are tied, unless the pace would change much at them."""
    best: dict[tuple[int, int], tuple[float, tuple[int, int] | None]] = {}
    for i, rest in enumerate(rests):
        for j, place in enumerate(places):
            value, before = -_cost(rest, place), None
            for a, b in product(range(max(0, i - _BACK), i), range(max(0, j - _BACK), j)):
                if (a, b) in best:
                    tied = best[a, b][0] - _cost(rest - rests[a], place - places[b])
                    value, before = max((value, before), (tied, (a, b)), key=lambda option: option[0])
            value += 0.3 + min(lengths[j], 0.7)
            if value > 0:
                best[i, j] = value, before
    ended = {(i, j): best[i, j][0] - _cost(whole - rests[i], whole - places[j]) for i, j in best}
    last = max(ended, key=lambda pair: ended[pair], default=None)
    found: list[tuple[int, int]] = []
    while last is not None and (found or ended[last] > 0):
        found.append(last)
        last = best[last][1]
    return found[::-1]


def _cost(said: float, heard: float) -> float:
    """Of two stretches being the same words."""
    if said <= 0 or heard <= 0:
        return 9.0
    seconds = min(said, heard) / SAMPLE_RATE
    return max(0.0, abs(float(np.log(heard / said))) - _LOOSE / (1 + seconds)) * (0.5 + seconds)


def _sentences(text: str) -> Iterator[str]:
    """Slices of the text that end where a sentence does; together they are the text."""
    part: list[str] = []
    for token in espeak_text.tokens(text):
        part.append(token)
        if _ENDS.search(token) or len(part) >= _LONGEST:
            yield "".join(part)
            part = []
    if part:
        yield "".join(part)


def _without_rests(timing: dict[str, Any]) -> tuple[Any, list[int], int]:
    """A scale of what is spoken without what is silent, the places of its rests, and its length."""
    edges, spent, gaps = [0], [0], []
    last = timing["phones"][0][0] if timing["phones"] else 0
    for start, end, _ in timing["phones"]:
        if start - last >= PAUSE / 2 * SAMPLE_RATE:
            gaps.append(spent[-1])
        edges += [start, end]
        spent += [spent[-1], spent[-1] + end - start]
        last = end

    def scale(sample: int) -> int:
        return round(float(np.interp(sample, edges, spent)))

    return scale, gaps, spent[-1]
