"""From written text to the words that Magpie is told, and which written words each of them is for.

Numbers, dates and abbreviations are written out by nemo_text_processing (Zhang, Bakhturina, Ginsburg: "NeMo (Inverse)
Text Normalization", Interspeech 2021); respellings and acronyms are ours. Words that are not as they were written
share the time of what is said for them.
"""

from __future__ import annotations

import os
import re
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from . import espeak_text

MISSING = "nemo_text_processing is not installed: pip install 'mikebot[voice]'"
# Where nothing of these stands, nothing is written out: a normalizer takes most of a minute to make.
_UNUSUAL = re.compile(r"\d|[$€£¥%°&@#+=]|\b(?:[A-Z]?[a-z]{1,3}|[A-Z])\.(?=\s+\S|[a-z])")
_ACRONYM = re.compile(r"(\W*)([A-Z]{2,5})(s?)(\W*)")


class Word(NamedTuple):
    """A word that is said, and the written tokens that it is for: the first, and the one after the last."""

    said: str
    first: int
    after: int


class Prepared(NamedTuple):
    """Words to say for a text, and what people should know of them."""

    tokens: list[str]  # Of the written text, as captions have them.
    words: list[Word]
    notes: list[str]

    @property
    def text(self) -> str:
        """What the model is told."""
        return " ".join(word.said for word in self.words)


def prepared(text: str, pronunciation: Mapping[str, str], language: str, knows: Callable[[str], bool]) -> Prepared:
    """The words to say. `knows` tells whether a word of capitals is in the model's dictionary: others are spelled."""
    notes = []
    phonemes = sorted(word for word, how in pronunciation.items() if espeak_text.is_phonemes(how))
    if phonemes:
        notes.append(f"[[phonemes]] are espeak-ng's, so the model said {', '.join(phonemes)} in its own way")
    said = espeak_text.said(text, {word: how for word, how in pronunciation.items() if word not in phonemes})
    words = list(_parted(text, said))
    if _UNUSUAL.search(" ".join(word.said for word in words)):
        words, note = _written_out(words, language)
        notes += [note] if note else []
    spelled = [part for word in words for part in _spelled(word, knows)]
    return Prepared(espeak_text.tokens(text), [part for word in spelled for part in _plain(word)], notes)


def normalizer_version() -> str:
    """Which nemo_text_processing writes numbers out here; empty if none does."""
    try:
        return version("nemo_text_processing") if find_spec("pynini") is not None else ""
    except PackageNotFoundError:
        return ""


def _parted(text: str, said: espeak_text.Said) -> Iterator[Word]:
    owner = [number for number, token in enumerate(espeak_text.tokens(text)) for _ in token]
    for match in re.finditer(r"\S+", said.text):
        places = [owner[said.origin[at]] for at in range(match.start(), match.end())]
        yield Word(match.group(), min(places), max(places) + 1)


def _written_out(words: Sequence[Word], language: str) -> tuple[list[Word], str]:
    """The words with numbers, dates and abbreviations as they are said."""
    if not normalizer_version():
        return list(words), MISSING
    normalizer = _normalizer(language.lower().replace("_", "-").split("-")[0])
    if normalizer is None:
        return list(words), f"nemo_text_processing does not know {language!r}: numbers are as they were written"
    before = [word.said for word in words]
    after = str(normalizer.normalize(" ".join(before), verbose=False)).split()
    return list(_matched(words, before, after)), ""


def _matched(words: Sequence[Word], before: Sequence[str], after: Sequence[str]) -> Iterator[Word]:
    """What is said, each word with the place of those that it stands for."""
    same = SequenceMatcher(None, [word.lower() for word in before], [word.lower() for word in after], autojunk=False)
    for _, start, end, first, last in same.get_opcodes():
        for number, said in enumerate(after[first:last]):
            if end - start == last - first:
                yield words[start + number]._replace(said=said)
            else:
                place = words[start:end] or words[max(0, start - 1) :][:1]
                yield Word(said, place[0].first, place[-1].after)


@cache
def _normalizer(language: str) -> Any:
    """Made once in a process, of grammars that are kept in the temporary folder; None for a language it lacks."""
    import logging

    from nemo_text_processing.text_normalization.normalize import Normalizer

    logging.getLogger("NeMo-text-processing").setLevel(logging.ERROR)
    try:
        return Normalizer(input_case="cased", lang=language, cache_dir=_kept())
    except (NotImplementedError, ValueError, ImportError, OSError):
        return None


def _kept() -> str | None:
    """A folder of this user alone: grammars are read as they lie there."""
    folder = Path(tempfile.gettempdir()) / f"mikebot-text-{normalizer_version()}-{getattr(os, 'getuid', int)()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    about = folder.lstat()
    own = not hasattr(os, "getuid") or (about.st_uid == os.getuid() and not about.st_mode & 0o077)
    return str(folder) if own and not folder.is_symlink() else None


def _spelled(word: Word, knows: Callable[[str], bool]) -> Iterator[Word]:
    """An acronym that is no word of the model's, letter by letter."""
    match = _ACRONYM.fullmatch(word.said)
    if match is None or knows(match[2]):
        yield word
        return
    before, letters, plural, after = match.groups()
    for number, letter in enumerate(letters):
        last = number == len(letters) - 1
        said = f"{'' if number else before}{letter}{(chr(39) + plural if plural else '') + after if last else ''}"
        yield word._replace(said=said)


def _plain(word: Word) -> Iterator[Word]:
    """A word without emoji and signs that nobody reads aloud; nothing where nothing is left."""
    kept = "".join(" " if unicodedata.category(c)[0] in "SC" else c for c in word.said)
    for part in kept.split():
        yield word._replace(said=part)
