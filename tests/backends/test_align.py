"""Words of a recording are found where they are said, whoever says them; what is not said is told."""

from __future__ import annotations

import json
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from voice_kit import FIREWALL, TUER, Deaf, spoken

from engine.backends import align, aligners
from engine.backends.arpabet import mnemonic, spelled
from engine.backends.given import Recording, RecordingParams
from engine.errors import BackendError
from engine.kinds import Inputs

pytestmark = pytest.mark.skipif(not aligners.sphinx_installed(), reason="the extra `align` is not installed")
TEXT = " ".join(FIREWALL)


def late(timing: dict[str, Any], truth: dict[str, Any]) -> Any:
    """By how many milliseconds the start of each word is missed."""
    pairs = zip(timing["words"], truth["words"], strict=True)
    return np.array([abs(a[0] - b[0]) / 48 for a, b in pairs if any(c.isalnum() for c in a[2])])


def check_shape(timing: dict[str, Any], text: str, samples: int) -> None:
    assert "".join(name for _, _, name in timing["words"]) == text
    for intervals in (timing["words"], timing["phones"]):
        at = 0
        for start, end, _ in intervals:
            assert at <= start <= end
            at = end
        assert at <= samples
    assert timing["samples"] == samples


@pytest.mark.parametrize(
    "voice", [{}, {"voice": "en-gb", "rate": 150}, {"voice": "en-us+f3", "rate": 190}], ids=["us", "slow", "quick"]
)
def test_english_words_are_found_where_they_are_said(tmp_path: Path, voice: dict[str, Any]) -> None:
    sound, truth = spoken(tmp_path, FIREWALL, **voice)
    timing = align.timing(TEXT, sound, "en-GB", "auto", Deaf())
    assert (timing["method"], timing.get("note")) == ("pocketsphinx", None)
    check_shape(timing, TEXT, len(sound))
    missed = late(timing, truth)
    assert np.median(missed) < 25
    assert np.mean(missed < 150) > 0.97
    assert np.mean(missed < 60) > 0.9


def test_phones_of_closed_lips_are_found(tmp_path: Path) -> None:
    sound, truth = spoken(tmp_path, FIREWALL)
    timing = align.timing(TEXT, sound, "en", "pocketsphinx", Deaf())

    def lips(phones: Sequence[Any]) -> list[tuple[int, str]]:
        return [(int(start), name) for start, _, name in phones if name in {"m", "b", "p"}]

    found, true = lips(timing["phones"]), lips(truth["phones"])
    assert [name for _, name in found] == [name for _, name in true]
    assert np.median([abs(a[0] - b[0]) / 48 for a, b in zip(found, true, strict=True)]) < 40  # A frame of the film.


@pytest.mark.parametrize(("language", "sentences"), [("en", FIREWALL), ("de", TUER)])
def test_espeak_is_stretched_over_another_voice_and_its_pauses(
    tmp_path: Path, language: str, sentences: tuple[str, ...]
) -> None:
    voice = {"en": "en-gb+f3", "de": "de+f2"}[language]
    sound, truth = spoken(tmp_path, sentences, 0.9, language=language, voice=voice, rate=135)
    timing = align.timing(" ".join(sentences), sound, language, "espeak", Deaf())
    assert (timing["method"], timing.get("note")) == ("espeak-stretched", None)
    check_shape(timing, " ".join(sentences), len(sound))
    missed = late(timing, truth)
    assert np.median(missed) < 60
    assert np.mean(missed < 150) > 0.9
    assert timing["phones"]


def test_a_long_recording_is_aligned_piece_by_piece(tmp_path: Path) -> None:
    sentences = FIREWALL * 4
    sound, truth = spoken(tmp_path, sentences)
    assert len(sound) > 90 * 48000
    timing = align.timing(" ".join(sentences), sound, "en", "auto", Deaf())
    assert timing["method"] == "pocketsphinx"
    check_shape(timing, " ".join(sentences), len(sound))
    missed = late(timing, truth)
    assert np.mean(missed < 60) > 0.9
    assert missed.max() < 400


def test_the_same_recording_gives_the_same_times(tmp_path: Path) -> None:
    sound, _ = spoken(tmp_path, FIREWALL[:2])
    text = " ".join(FIREWALL[:2])
    assert align.timing(text, sound, "en", "auto", Deaf()) == align.timing(text, sound, "en", "auto", Deaf())


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (
            f"{FIREWALL[0]} Once upon a time a little girl with a red hood lived near the dark forest, all alone.",
            "the recording does not seem to say its narration from 'Every second, strangers knock on' on "
            "(at about 0.0 s)",
        ),
        (FIREWALL[0], "the recording goes on at 3.5 s, where its narration has ended"),
    ],
    ids=["other", "less"],
)
def test_a_text_that_is_not_what_is_said_is_told(tmp_path: Path, text: str, note: str) -> None:
    sound, _ = spoken(tmp_path, FIREWALL[:2])
    timing = align.timing(text, sound, "en", "auto", Deaf())
    assert (timing["method"], timing["note"]) == ("espeak-stretched", note)
    check_shape(timing, text, len(sound))
    with pytest.raises(BackendError) as caught:
        align.timing(text, sound, "en", "pocketsphinx", Deaf())
    assert str(caught.value).startswith(note)


def test_one_sentence_that_was_not_said_is_found(tmp_path: Path) -> None:
    said = [*FIREWALL[:2], "Once upon a time a girl in a red hood lived here.", *FIREWALL[3:]]
    sound, _ = spoken(tmp_path, FIREWALL)
    timing = align.timing(" ".join(said), sound, "en", "auto", Deaf())
    assert timing["method"] == "espeak-stretched"
    assert "may you come in? Once" in timing["note"]
    check_shape(timing, " ".join(said), len(sound))


def test_where_the_aligner_is_missing_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aligners, "find_spec", lambda name: None)
    sound, _ = spoken(tmp_path, FIREWALL[:1])
    timing = align.timing(FIREWALL[0], sound, "en", "auto", Deaf())
    assert (timing["method"], timing["note"]) == ("espeak-stretched", aligners.MISSING)
    assert Recording().check(RecordingParams(aligner="pocketsphinx")) == [aligners.MISSING]


def test_a_language_that_nobody_speaks_is_spread(tmp_path: Path) -> None:
    sound, _ = spoken(tmp_path, FIREWALL[:1])
    timing = align.timing(FIREWALL[0], sound, "tlh-x", "auto", Deaf())
    assert (timing["method"], timing["note"]) == ("spread", "espeak-ng does not speak 'tlh-x'")
    check_shape(timing, FIREWALL[0], len(sound))


def test_the_backend_writes_how_it_knows(tmp_path: Path) -> None:
    sound, _ = spoken(tmp_path, FIREWALL[:1])
    with wave.open(str(tmp_path / "r.wav"), "wb") as file:
        file.setparams((1, 2, 48000, 0, "NONE", ""))
        file.writeframes(sound.astype("<i2").tobytes())
    Recording().run(RecordingParams(FIREWALL[0]), Inputs(recording=tmp_path / "r.wav"), tmp_path, Deaf())
    timing = json.loads((tmp_path / "timing").read_bytes())
    assert timing["method"] == "pocketsphinx"
    assert [name for _, _, name in timing["words"]][:2] == ["Every ", "second, "]
    assert Recording().check(RecordingParams(aligner="whisper")) == [
        "aligner is 'whisper'; it takes one of auto, pocketsphinx, espeak"
    ]


def test_words_that_no_dictionary_has_are_spelled_in_its_phones() -> None:
    assert spelled(["k", "u:", "b", "3", "n", "E", "t", "i:", "z"]) == "K UW B ER N EH T IY Z"
    assert spelled(["w", "aI@", "S", "A@", "k"]) == "W AY ER SH AA R K"
    assert [mnemonic(phone) for phone in ("M", "B", "P", "SH", "SIL")] == ["m", "b", "p", "S", ""]
