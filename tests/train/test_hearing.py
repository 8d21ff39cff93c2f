"""Words are compared as people compare them, and a model that listens says what it hears or that it is missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import tiny_hearing
from hypothesis import given
from hypothesis import strategies as st

from engine.train.error_rate import errors, rate, words
from engine.train.hearing_models import Missing, Speaker, Whisper

WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=7)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hello, World!", "hello world"),
        ("It’s Dr. Smith — again.", "it's doctor smith again"),
        ("1,234 doors, 5%", "1234 doors 5 percent"),
        ("Café  naïve\n", "cafe naive"),
    ],
)
def test_marks_and_ways_of_writing_are_no_errors(one: str, other: str) -> None:
    assert words(one) == words(other)


def test_another_number_or_word_is_an_error() -> None:
    assert rate([("one two three four", "one too three"), ("five", "five six")]) == 3 / 5


@given(WORDS, WORDS, WORDS)
def test_errors_are_a_distance(one: list[str], other: list[str], third: list[str]) -> None:
    assert (errors(one, other) == 0) == (one == other)
    assert errors(one, other) == errors(other, one)
    assert errors(one, third) <= errors(one, other) + errors(other, third)
    assert abs(len(one) - len(other)) <= errors(one, other) <= max(len(one), len(other))


def test_a_model_says_the_same_of_the_same_sound(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIKEBOT_MODELS", str(models))
    noise = np.random.default_rng(0).normal(0, 3000, 96000).astype(np.int16)
    tone = (9000 * np.sin(np.arange(96000) / 30)).astype(np.int16)
    listener, judge = Whisper(tiny_hearing.WHISPER, "en"), Speaker(tiny_hearing.SPEAKER)
    assert listener(noise) == listener(noise)
    assert judge.alike(noise, noise) == pytest.approx(1, abs=1e-5)
    assert judge.alike(noise, tone) < 0.9999


def test_a_model_that_is_missing_damaged_or_brings_a_program_is_told(
    models: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MIKEBOT_MODELS", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "none"))
    assert _refused("openai/whisper-small") == (
        "the model openai/whisper-small is not on this machine\n"
        "  Fetch it: mikebot fetch --model openai/whisper-small, or put its folder below one that MIKEBOT_MODELS names."
    )
    shutil.copytree(models / tiny_hearing.WHISPER, tmp_path / "programmed")
    (tmp_path / "programmed" / "modeling.py").write_text("raise SystemExit\n")
    program = "the model programmed brings a program of its own, modeling.py, which is not run\n  Delete it."
    assert _refused("programmed") == program
    shutil.copytree(models / tiny_hearing.WHISPER, tmp_path / "half")
    (tmp_path / "half" / "model.safetensors").unlink()
    assert _refused("half") == "the model half is not whole: it has no weights\n  Fetch it again, whole."
    (tmp_path / "half" / "model.safetensors").write_bytes(b"\xff" * 9)
    cut = "the model half: model.safetensors is no safetensors file, or is cut off\n  Fetch or copy the file again."
    assert _refused("half") == cut


def _refused(model: str) -> str:
    with pytest.raises(Missing) as refused:
        Whisper(model, "en")
    return str(refused.value)
