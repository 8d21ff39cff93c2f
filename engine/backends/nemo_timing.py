"""When each written word is said, and with which phones, from where the model looked while it spoke.

Magpie attends to the text in order: `generate_speech` keeps, for each frame, the token that it attended to most. Words
have their times from there, and inside of each word espeak-ng's phones, stretched. Where a model does not tell, or
looked elsewhere, times are espeak-ng's, stretched over what is heard; `method` in the timing names which.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..kinds import SAMPLE_RATE, Tell
from . import align, espeak_text, joining, stretch
from .espeak import Espeak
from .joining import Interval
from .nemo_speak import Spoken
from .nemo_text import Prepared

ATTENTION = "attention"
LEAST = 0.6  # Of the words that must have been attended to.
_HEARD = 0.02  # Of the loudest sample.
Spans = list[tuple[int, int]]


def spans(spoken: Spoken, said: Prepared, encode: Callable[[str], list[int]], hop: int) -> Spans:
    """First sample and last of each word that is said; nothing where the model does not tell; (0, 0) if left out."""
    owners = _owners(spoken, said, encode)
    if not spoken.attended or not owners:
        return []
    found: dict[int, tuple[int, int]] = {}
    for frame, token in enumerate(spoken.attended):
        word = owners[token] if token < len(owners) else -1
        if word >= 0:
            found[word] = (found.get(word, (frame * hop, 0))[0], (frame + 1) * hop)
    return [found.get(number, (0, 0)) for number in range(len(said.words))]


def timing(
    said: Prepared, spoken: Spoken, words: Spans, rate: int, phones: Sequence[Interval]
) -> dict[str, Any] | None:
    """Times from the model's attention; None where it is not to be trusted. `phones` are espeak-ng's: see `phoned`."""
    if not words or sum(end > 0 for _, end in words) < LEAST * len(words):
        return None
    inside = _audible(spoken)
    told = [(max(inside[0], start), min(inside[1], end)) if end else (0, 0) for start, end in words]
    told[-1] = (told[-1][0] if told[-1][1] else inside[1], inside[1])  # What rings after a word is the word's.
    told = _filled(told)
    return {
        "rate": rate,
        "samples": len(spoken.sound),
        "words": _written(said, told, inside),
        "phones": _placed(phones, told),
        "method": ATTENTION,
    }


def stretched(text: str, sound: joining.Sound, language: str, rate: int, tell: Tell) -> dict[str, Any]:
    """Times by espeak-ng's synthesis of the same words, at the rate of the sound."""
    at48 = joining.resample(sound, rate)
    told = align.timing(text, at48, language, "espeak", tell)

    def moved(intervals: Sequence[Interval]) -> list[Interval]:
        scale = rate / SAMPLE_RATE
        return [(min(int(a * scale), len(sound)), min(int(b * scale), len(sound)), name) for a, b, name in intervals]

    words, phones = moved(told["words"]), moved(told["phones"])
    return {**told, "rate": rate, "samples": len(sound), "words": words, "phones": phones}


def phoned(said: Prepared, language: str, voice: Espeak, tell: Tell) -> tuple[list[Interval], float | None]:
    """espeak-ng's phones, each in thousandths of its word (word * 1000 + ...), and the seconds that it takes for all.

    Nothing, and None, for a language that it does not speak.
    """
    if not align.speakable(language) or not said.words:
        return [], None
    with tempfile.TemporaryDirectory() as folder:
        told = stretch.say(said.text, language, voice, Path(folder) / "audio", tell)
    if len(told["words"]) != len(said.words):  # Where a script sets no spaces, its tokens are not ours.
        return [], told["samples"] / SAMPLE_RATE
    found: list[Interval] = []
    for number, (start, end, _) in enumerate(told["words"]):
        scale = 1000 / max(1, end - start)
        for first, after, name in told["phones"]:
            if start <= first < end:
                place = [number * 1000 + min(1000, round((at - start) * scale)) for at in (first, after)]
                found.append((place[0], place[1], name))
    return found, told["samples"] / SAMPLE_RATE


def _owners(spoken: Spoken, said: Prepared, encode: Callable[[str], list[int]]) -> list[int]:
    """For each token of all chunks, the word that it is of (-1: of none); nothing where that cannot be told."""
    owners: list[int] = []
    number = 0
    for chunk in spoken.chunks:
        made: list[int] = []
        for place, word in enumerate(chunk.text.split()):
            if number >= len(said.words) or said.words[number].said != word:
                return []
            tokens = encode(word)
            gap = 1 if place else 0
            owners += [-1] * gap + [number] * len(tokens)
            made += chunk.tokens[len(made) : len(made) + gap] + tokens
            number += 1
        if made != chunk.tokens[: len(made)] or len(chunk.tokens) - len(made) != 1:
            return []
        owners.append(-1)  # The end of the text.
    return owners if number == len(said.words) else []


def _audible(spoken: Spoken) -> tuple[int, int]:
    loud = np.abs(spoken.sound)
    heard = np.flatnonzero(loud > float(loud.max(initial=0.0)) * _HEARD)
    return (int(heard[0]), int(heard[-1]) + 1) if len(heard) else (0, len(loud))


def _filled(told: Spans) -> Spans:
    """Words that the model passed by share what lies between their neighbours."""
    filled: Spans = []
    waiting, last = 0, 0
    for start, end in told:
        if not end:
            waiting += 1
            continue
        each = max(0, start - last) // (waiting or 1)
        filled += [(last + each * place, last + each * (place + 1)) for place in range(waiting)]
        filled.append((max(start, last), max(end, last)))
        waiting, last = 0, max(end, last)
    return filled


def _written(said: Prepared, told: Spans, inside: tuple[int, int]) -> list[Interval]:
    """All written tokens in order. Those that are said by the same words share their time by their letters."""
    filled: list[Interval] = []
    end, number = inside[0], 0
    while number < len(said.tokens):
        after, own = _group(said, number)
        times = [told[word] for word in own]
        start = max(end, times[0][0]) if times else end
        stop = max(start, times[-1][1]) if times else end
        filled += espeak_text.share(said.tokens[number:after], start, stop)
        end, number = stop, after
    return filled


def _group(said: Prepared, number: int) -> tuple[int, list[int]]:
    """Where the tokens end that are said together with one, and the words that say them."""
    after, own = number + 1, list[int]()
    for place, word in enumerate(said.words):
        if word.first < after and word.after > number:
            own.append(place)
            after = max(after, word.after)
    return after, own


def _placed(phones: Sequence[Interval], told: Spans) -> list[Interval]:
    """Phones inside of their words."""
    placed: list[Interval] = []
    end = 0
    for first, after, name in phones:
        start, stop = told[first // 1000]
        each = (stop - start) / 1000
        begin = max(end, round(start + first % 1000 * each))
        end = max(begin, min(stop, round(start + (after - first // 1000 * 1000) * each)))
        if end > begin:
            placed.append((begin, end, name))
    return placed
