"""What is said in each stretch of a recording: from a text that is given, aligned, or from a model that listens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..backends import align
from ..backends.aligners import MISSING, sphinx_installed
from ..backends.heard import Pause
from ..errors import MikebotError, UsageError
from ..kinds import SAMPLE_RATE, Tell
from .cutting import LONG, Span

Sound = NDArray[np.int16]
Word = tuple[int, int, str]

SLOW, FAST = 3.0, 30.0  # Letters a second: what is outside is another text, or no speech.
ENDS = 1.0  # Seconds by which the end of a sentence is a better place to cut than a pause within it.
DOUBTFUL = 3 * SAMPLE_RATE  # Before a text is lost, its words begin to be put where they are not said.
MOST_BYTES = 8_000_000


class Listener(Protocol):
    """A model that writes down what it hears."""

    name: str

    def __call__(self, sound: Sound) -> str:
        """The words of an utterance (48 kHz)."""


class Transcript(NamedTuple):
    """The words of one recording with their times, and from which sample on it does not say its text, and why."""

    words: Sequence[Word]
    until: int
    note: str

    def text(self, span: Span) -> str:
        """The words whose middle lies in a stretch."""
        said = [word for start, end, word in self.words if span.start <= (start + end) // 2 < span.end]
        return " ".join("".join(said).split())

    def weigh(self, pause: Pause) -> float:
        """How good a place a pause is to cut at."""
        before = next((word for start, _, word in reversed(self.words) if start < pause.start), "")
        ends = before.rstrip(" \n\t\"'”’»)]").endswith((".", "!", "?", "…", "。", "！", "？"))
        return (pause.end - pause.start) / SAMPLE_RATE + ENDS * ends


def read(file: Path) -> str:
    """The text of a file. Raises UsageError."""
    if file.stat().st_size > MOST_BYTES:
        raise UsageError(f"'{file.name}' has more than {MOST_BYTES / 1e6:.0f} MB of text", "split it into several")
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"'{file.name}' is not UTF-8 text", "save it again as UTF-8") from None


def aligned(text: str, sound: Sound, language: str, tell: Tell) -> Transcript:
    """Find the words of a text in its recording. Raises NoWords where nothing can align them."""
    if not text.strip():
        return Transcript((), 0, "its text file is empty")
    if language.lower().replace("_", "-").split("-")[0] == "en" and sphinx_installed():
        found = align.found(text, sound, language, tell)
        if not found.note:
            return Transcript(found.words, found.until, "")
        return Transcript(found.words, max(0, found.until - DOUBTFUL), f"its text does not match: {found.note}")
    if len(sound) <= LONG:  # One utterance, one text: its letters a second are held against it later.
        return Transcript([(0, len(sound), text)], len(sound), "")
    if sphinx_installed():
        raise NoWords(f"nothing here aligns a text of the language {language!r}: bring one file for each sentence")
    raise NoWords(MISSING)


class NoWords(MikebotError):
    """The words of a recording cannot be found."""


def unlikely(text: str, samples: int) -> str:
    """Why a text cannot be what is said in so many samples; empty if it can."""
    letters = sum(character.isalnum() for character in text)
    pace = letters * SAMPLE_RATE / max(1, samples)
    if letters and SLOW <= pace <= FAST:
        return ""
    if not letters:
        return "nothing is said in it, or nothing that its text has"
    seconds = samples / SAMPLE_RATE
    return f"its text does not match: {letters} letters are too {'many' if pace > FAST else 'few'} for {seconds:.1f} s"
