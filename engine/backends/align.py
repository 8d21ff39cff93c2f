"""When each word of a transcript is said in a recording, and with which phones.

English is aligned by pocketsphinx, where that is installed; other languages, and what it does not recognise, by
espeak-ng's times, stretched; a language that espeak-ng does not speak by the lengths of words. `method` in the
timing names what was used, and `note` says why it was not the first choice.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import BackendError
from ..kinds import SAMPLE_RATE, Tell
from . import espeak_voices, recording, stretch
from .align_words import Lost, Word, aligned, decoder
from .aligners import MISSING, sphinx_installed
from .arpabet import spelled
from .espeak import Espeak
from .espeak_text import tokens
from .heard import WINDOW, pauses, voiced
from .joining import Interval, Sound

SPHINX, ESPEAK, SPREAD = "pocketsphinx", "espeak-stretched", "spread"
UNSAID = 1.5  # Seconds in which something is heard that is not in the text: a breath is shorter.
_AUDIBLE = 30  # Of 32768.
_HINT = "Write in `narration` what is said, or set `aligner: espeak` for narration.given in the profile."


def timing(text: str, sound: Sound, language: str, aligner: str, tell: Tell) -> dict[str, Any]:
    """The timing of a narration that was recorded. Raises BackendError where the aligner that is asked for cannot."""
    if not tokens(text.strip()) or int(np.abs(sound.astype(np.int32)).max()) < _AUDIBLE:
        return recording.timing(text, sound) | {"method": SPREAD}
    if not speakable(language):
        return recording.timing(text, sound) | {"method": SPREAD, "note": f"espeak-ng does not speak {language!r}"}
    voice = Espeak()
    heard = voiced(sound)
    note, found = _wanted(aligner, language), []
    if not note:
        try:
            found = _by_ear(text, sound, language, voice, heard, tell)
        except Lost as lost:
            note, found = _lost(text, lost), lost.found
            if aligner == "pocketsphinx":
                raise BackendError(note, _HINT) from None
    told = _merged(text, found, sound, language, voice, heard, tell)
    method = ESPEAK if note or aligner == "espeak" or not found else SPHINX
    extra = {"note": note} if note and aligner == "auto" and _english(language) else {}
    return {"rate": SAMPLE_RATE, "samples": len(sound), **told, "method": method, **extra}


class Found(NamedTuple):
    """Words with their times; why the rest was not found, and the sample from which on it was not."""

    words: list[Interval]
    note: str
    until: int


def found(text: str, sound: Sound, language: str, tell: Tell) -> Found:
    """The words of a recording as far as it says its text, and nothing that is guessed; needs pocketsphinx."""
    note, until = "", len(sound)
    try:
        words = _by_ear(text, sound, language, Espeak(), voiced(sound), tell)
    except Lost as lost:
        words, note, until = lost.found, _lost(text, lost, "text"), lost.sample
    parts, numbers = tokens(text), _said(text)
    after = numbers[words[-1].number] + 1 if words else 0
    return Found(_filled(parts[:after], {numbers[word.number]: (word.start, word.end) for word in words}), note, until)


def speakable(language: str) -> bool:
    """Does espeak-ng speak a language?"""
    return espeak_voices.resolve(language) is not None


def _english(language: str) -> bool:
    return language.lower().replace("_", "-").split("-")[0] == "en"


def _wanted(aligner: str, language: str) -> str:
    """Why pocketsphinx is not used; empty if it is."""
    if aligner == "espeak" or not _english(language):
        return "not asked for"
    return "" if sphinx_installed() else MISSING


def _lost(text: str, lost: Lost, what: str = "narration") -> str:
    numbers = _said(text)
    words = tokens(text)[numbers[lost.word] :] if lost.word < len(numbers) else []
    at = f"{lost.sample / SAMPLE_RATE:.1f} s"
    if not words:
        return f"the recording goes on at {at}, where its {what} has ended"
    quoted = "".join(words[:5]).strip()
    return f"the recording does not seem to say its {what} from {quoted!r} on (at about {at})"


def _said(text: str) -> list[int]:
    """Which tokens of the text are words."""
    return [number for number, token in enumerate(tokens(text)) if any(c.isalnum() for c in token)]


def _by_ear(text: str, sound: Sound, language: str, voice: Espeak, heard: Any, tell: Tell) -> list[Word]:
    engine = decoder()
    parts = tokens(text)
    names = _named(engine, [parts[number] for number in _said(text)], language, voice, tell)
    found = aligned(engine, names, sound, pauses(heard), lambda: tell.progress(0, 1))
    _check_all(found, heard)
    return found


def _check_all(found: Sequence[Word], heard: Any) -> None:
    """Raise Lost where the recording says more than the text between two of its words."""
    end = 0
    for place, start in enumerate([*(word.start for word in found), len(heard) * WINDOW]):
        if int(heard[end // WINDOW : start // WINDOW].sum()) * WINDOW > UNSAID * SAMPLE_RATE:
            raise Lost(list(found[:place]), found[place - 1].number + 1 if place else 0, end)
        end = found[place].end if place < len(found) else end


def _named(engine: Any, words: Sequence[str], language: str, voice: Espeak, tell: Tell) -> list[str]:
    """A name in the decoder's dictionary for each word; what it does not know is spelled as espeak-ng says it."""
    known: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for word in words:
            plain = _plain(word)
            if plain not in known:
                known[plain] = plain
                if not plain.strip("'").isascii() or engine.lookup_word(plain) is None:
                    known[plain] = f"word{len(known)}x"
                    phones = _known_parts(engine, plain) or _by_voice(word, language, voice, Path(folder), tell)
                    engine.add_word(known[plain], phones, False)
    return [known[_plain(word)] for word in words]


def _plain(word: str) -> str:
    letters = word.lower().replace("’", "'")
    kept = "".join(c if c.isalnum() or c in "'-" else " " for c in letters)
    return kept.strip(" '-")


def _known_parts(engine: Any, plain: str) -> str:
    """The phones of "two-word" words whose parts are all known."""
    parts = plain.replace("-", " ").split()
    found = [engine.lookup_word(part) if part.isascii() else None for part in parts]
    return " ".join(map(str, found)) if len(parts) > 1 and all(found) else ""


def _by_voice(word: str, language: str, voice: Espeak, folder: Path, tell: Tell) -> str:
    said = stretch.say(word.strip(), language, voice, folder / "audio", tell)
    return spelled(name for _, _, name in said["phones"]) or "SIL"


def _merged(
    text: str, found: Sequence[Word], sound: Sound, language: str, voice: Espeak, heard: Any, tell: Tell
) -> dict[str, list[Interval]]:
    """Words that were found, and the rest stretched over what comes after them."""
    parts, numbers = tokens(text), _said(text)
    after = numbers[found[-1].number] + 1 if found else 0
    spans = {numbers[word.number]: (word.start, word.end) for word in found}
    words = _filled(parts[:after], spans)
    phones = [phone for word in found for phone in word.phones]
    rest = [number for number in numbers if number >= after]
    if rest:
        start = -(-found[-1].end // WINDOW) * WINDOW if found else 0
        told = stretch.spoken("".join(parts[after:]), language, voice, tell)
        more, sounds = stretch.stretched(told, heard[start // WINDOW :])
        words += [(start + a, min(start + b, len(sound)), name) for a, b, name in more]
        phones += [(start + a, min(start + b, len(sound)), name) for a, b, name in sounds if b > a]
    else:
        end = words[-1][1] if words else 0
        words += [(end, end, part) for part in parts[after:]]
    return {"words": words, "phones": phones}


def _filled(parts: Sequence[str], spans: Mapping[int, tuple[int, int]]) -> list[Interval]:
    """Words in order; those that were not heard share the time between their neighbours, marks alone take none."""
    filled: list[Interval] = []
    end, waiting = 0, list[int]()
    for number, part in enumerate(parts):
        filled.append((*spans.get(number, (end, end)), part))
        if number not in spans:
            waiting += [number] if any(c.isalnum() for c in part) else []
            continue
        each = (spans[number][0] - end) // (len(waiting) or 1)
        for place, late in enumerate(waiting):
            filled[late] = (end + place * each, end + (place + 1) * each, parts[late])
        end, waiting = spans[number][1], []
    return filled
