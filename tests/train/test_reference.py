"""A reference recording that would spoil an imitation is told of, with the figure behind it; a good one is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from speech_kit import FIREWALL, MAN, RATE, by_telephone, chords, film, mp3, noisy, said, talk, wav

from engine.probe import Unreadable
from engine.train.reference import doubts


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Ten seconds of speech in a quiet room."""
    return talk(FIREWALL, tmp_path_factory.mktemp("voice"))


def test_a_good_one_is_not_spoken_of_whatever_it_is_called_or_lies_in(voice: Any, tmp_path: Path) -> None:
    mp3(tmp_path / "voice.mp3", voice)
    (tmp_path / "voice.mp3").rename(tmp_path / "called.wav")
    for file in (wav(tmp_path / "voice.wav", voice), tmp_path / "called.wav", film(tmp_path / "voice.mp4", voice)):
        assert doubts(file) == []


def test_what_would_spoil_it_is_told(voice: Any, tmp_path: Path) -> None:
    man = said(" ".join(FIREWALL), tmp_path, voice=MAN, pitch=20)
    rest = np.zeros(RATE // 4)
    cases: dict[str, tuple[Any, int, str]] = {
        "clipped": (voice * 3, RATE, r"clipped: \d\.\d\d% of it lies flat at the loudest level, at most 0\.02% may"),
        "noisy": (noisy(voice * 0.5, 10), RATE, r"noisy: the voice is \d+ dB above the noise, 20 dB are needed"),
        "telephone": (by_telephone(voice), 8000, "8 kHz: nothing is heard above 4 kHz, as on a telephone"),
        "music": (chords(8), RATE, r"sounds like music: \d+% of its tones stand still, at most 50% may"),
        "silent": (np.zeros(RATE * 6), RATE, "silent"),
        "two": (
            np.concatenate([voice[: RATE * 3], rest, man[: RATE * 3]]),
            RATE,
            r"perhaps two speakers: its phrases lie \d+ semitones apart, at most 5 may",
        ),
        "short": (voice[: RATE * 3], RATE, r"it lasts 3\.0 s; 5 to 20 s are best"),
        "long": (np.tile(voice, 3), RATE, r"it lasts \d\d\.\d s; 5 to 20 s are best"),
    }
    for name, (sound, rate, expected) in cases.items():
        found = doubts(wav(tmp_path / f"{name}.wav", sound, rate))
        assert re.fullmatch(expected, found[0]), (name, found)


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "voice.mp3").write_bytes(b"ID3\x04nonsense" * 40)
    with pytest.raises(Unreadable):
        doubts(tmp_path / "voice.mp3")
