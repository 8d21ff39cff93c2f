"""What Magpie is told for a written text, which written words that is for, and when a sentence is said again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.backends import nemo_guard, nemo_text, nemo_timing
from engine.backends.nemo_speak import Chunk, Spoken
from engine.backends.nemo_text import Word

RATE, HOP = 22050, 1024


def prepared(text: str, pronunciation: dict[str, str] | None = None, **known: bool) -> nemo_text.Prepared:
    return nemo_text.prepared(text, pronunciation or {}, "en", lambda word: known.get(word, False))


def test_plain_words_are_told_as_they_are_written() -> None:
    found = prepared("This door, that one.")
    assert found.text == "This door, that one."
    assert found.words == [Word(said, at, at + 1) for at, said in enumerate(("This", "door,", "that", "one."))]
    assert found.tokens == ["This ", "door, ", "that ", "one."]
    assert found.notes == []


def test_a_respelling_is_told_for_its_word_whatever_its_case() -> None:
    found = prepared("Nginx is red.", {"nginx": "engine ex"})
    assert found.words == [Word("engine", 0, 1), Word("ex", 0, 1), Word("is", 1, 2), Word("red.", 2, 3)]


def test_phonemes_of_espeak_are_left_to_the_model_and_that_is_told() -> None:
    found = prepared("Nginx is red.", {"nginx": "[[End3InEks]]"})
    assert found.text == "Nginx is red."
    assert found.notes == ["[[phonemes]] are espeak-ng's, so the model said nginx in its own way"]


def test_acronyms_that_are_in_no_dictionary_are_spelled() -> None:
    found = prepared("(NATO CPUs, too)", NATO=True)
    assert found.text == "(NATO C P U's, too)"
    assert [word.first for word in found.words] == [0, 1, 1, 1, 2]


def test_emoji_and_markup_are_not_read_aloud() -> None:
    found = prepared("A <b>red</b> 😀 door")
    assert found.text == "A b red /b door"
    assert [(word.said, word.first) for word in found.words] == [
        ("A", 0),
        ("b", 1),
        ("red", 1),
        ("/b", 1),
        ("door", 3),
    ]


@pytest.mark.parametrize("text", ["…", "😀 🎉", "--- !"])
def test_a_text_with_nothing_to_say_has_no_letters(text: str) -> None:
    assert not any(c.isalnum() for c in prepared(text).text)


def test_numbers_are_written_out_for_the_words_that_they_are() -> None:
    """Written out by nemo_text_processing, whose Arabic is made soonest."""
    found = nemo_text.prepared("a 21 b 3 c", {}, "ar", lambda _: True)
    assert found.words == [
        Word("a", 0, 1),
        Word("واحد", 1, 2),
        Word("وعشرون", 1, 2),
        Word("b", 2, 3),
        Word("ثلاثة", 3, 4),
        Word("c", 4, 5),
    ]


def test_a_language_that_nobody_writes_out_is_told() -> None:
    found = nemo_text.prepared("Mam 3 psy.", {}, "pl", lambda _: True)
    assert found.text == "Mam 3 psy."
    assert found.notes == ["nemo_text_processing does not know 'pl': numbers are as they were written"]


def spoken(seconds: float = 2.0, frames: int = 43, ended: bool = True, **changes: Any) -> Spoken:
    """A sentence that was said well: sound all along, and no two frames alike."""
    sound = (0.3 * np.sin(np.arange(int(seconds * RATE)) * 0.05)).astype(np.float32)
    codes = np.arange(8 * frames).reshape(8, frames)
    return Spoken(sound, codes, [], [], ended)._replace(**changes)


def faults(said: Spoken, expected: float | None = 2.0, attended: tuple[str, ...] = ("a",) * 8) -> list[str]:
    return nemo_guard.faults(said, expected, RATE, HOP, attended)


def with_rest(seconds: float) -> np.ndarray[Any, Any]:
    whole = spoken(4.0).sound.copy()
    whole[RATE : RATE + int(seconds * RATE)] = 0
    return whole


def looped(turns: int) -> np.ndarray[Any, Any]:
    own, run = np.arange(8 * 20).reshape(8, 20), np.arange(1000, 1000 + 8 * 7).reshape(8, 7)
    return np.concatenate([own, *[run] * turns], axis=1)


def test_a_sentence_that_was_said_well_has_no_faults() -> None:
    assert faults(spoken()) == []
    assert faults(spoken(), expected=None, attended=()) == []
    assert faults(spoken(4.0, sound=with_rest(0.9)), 4.0) == []
    assert faults(spoken(codes=looped(2))) == []


CASES: dict[str, tuple[Callable[[], list[str]], list[str]]] = {
    "endless": (lambda: faults(spoken(ended=False)), ["it did not end within 2.0 s"]),
    "long": (lambda: faults(spoken(9.0)), ["it lasts 9.0 s, where about 2.0 s are expected"]),
    "short": (lambda: faults(spoken(0.5)), ["it lasts 0.5 s, where about 2.0 s are expected"]),
    "early": (lambda: faults(spoken(), attended=("a",) * 5 + ("",) * 5), ["it stops after 5 of 10 words"]),
    "skips": (lambda: faults(spoken(), attended=("a", "", "", "", "a", "", "a", "a")), ["it says 4 of 8 words"]),
    "rests": (lambda: faults(spoken(sound=with_rest(1.5)), 4.0), ["it is silent for 1.5 s in the middle"]),
    "silent": (lambda: faults(spoken(sound=np.zeros(2 * RATE, np.float32))), ["it is silent"]),
    "loops": (lambda: faults(spoken(codes=looped(3))), ["it repeats itself from 0.9 s on"]),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_with_a_sentence_is_told(case: str) -> None:
    made, expected = CASES[case]
    assert made() == expected


def test_words_have_the_times_at_which_the_model_looked_at_them() -> None:
    """Tokens: two for each word, one between them, the end. Of five words, the fourth is passed by."""
    said = prepared("aa bb cc dd ee")
    tokens = [1, 1, 0, 2, 2, 0, 3, 3, 0, 4, 4, 0, 5, 5, 9]
    encode = {"aa": [1, 1], "bb": [2, 2], "cc": [3, 3], "dd": [4, 4], "ee": [5, 5]}
    looked = [0, 0, 1, 3, 4, 4, 6, 7, 8, 8, 8, 12, 13, 13]
    found = spoken(len(looked) * HOP / RATE, attended=looked, chunks=[Chunk(said.text, tokens)])
    spans = nemo_timing.spans(found, said, lambda word: encode[word], HOP)
    assert spans == [(0, 3 * HOP), (3 * HOP, 6 * HOP), (6 * HOP, 8 * HOP), (0, 0), (11 * HOP, 14 * HOP)]
    phones = [(0, 500, "a"), (500, 1000, "b"), (3000, 4000, "d"), (4000, 5000, "e")]
    told = nemo_timing.timing(said, found, spans, RATE, phones)
    assert told is not None
    words, sounds = told.pop("words"), told.pop("phones")
    assert told == {"rate": RATE, "samples": len(found.sound), "method": "attention"}
    assert [(name, start // HOP, round(end / HOP)) for start, end, name in words] == [
        ("aa ", 0, 3),
        ("bb ", 3, 6),
        ("cc ", 6, 8),
        ("dd ", 8, 11),
        ("ee", 11, 14),
    ]
    assert [(name, round(start / HOP, 1), round(end / HOP, 1)) for start, end, name in sounds] == [
        ("a", 0.0, 1.5),
        ("b", 1.5, 3.0),
        ("d", 8.0, 11.0),
        ("e", 11.0, 14.0),
    ]


def test_a_model_that_looked_elsewhere_is_not_believed() -> None:
    said = prepared("aa bb cc")
    found = spoken(attended=[0] * 40, chunks=[Chunk(said.text, [1, 0, 2, 0, 3, 9])])
    spans = nemo_timing.spans(found, said, lambda word: [{"aa": 1, "bb": 2, "cc": 3}[word]], HOP)
    assert nemo_timing.timing(said, found, spans, RATE, []) is None
    other = found._replace(chunks=[Chunk(said.text, [7, 7, 7, 9])])  # Tokens that are not those of its words.
    assert nemo_timing.spans(other, said, lambda word: [{"aa": 1, "bb": 2, "cc": 3}[word]], HOP) == []
