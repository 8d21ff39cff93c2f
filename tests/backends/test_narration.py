"""Sentences are joined with even pauses; their times move with them; none depends on its neighbours."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from engine.backends import joining
from engine.backends.espeak import Espeak, EspeakParams
from engine.backends.narration import Join, JoinParams
from engine.errors import BackendError
from engine.kinds import Inputs, numbered


class Quiet:
    def progress(self, done: int, total: int) -> None:
        assert 0 <= done <= total


TEXTS = ["Every second, strangers knock.", "Should it pass?", "…", "Press it."]


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    voice, folders = Espeak(), []
    for text in TEXTS:
        folders.append(tmp_path_factory.mktemp("sentence"))
        voice.run(EspeakParams(text), Inputs(), folders[-1], Quiet())
    return folders


def join(out: Path, folders: list[Path], **knobs: float) -> tuple[np.ndarray, dict]:
    inputs = Inputs()
    for number, folder in enumerate(folders, 1):
        inputs[numbered("audio", number)] = folder / "audio"
        inputs[numbered("timing", number)] = folder / "timing"
    facts = Join().run(JoinParams(**knobs), inputs, out, Quiet())
    with wave.open(str(out / "audio")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 48000)
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    timing = json.loads((out / "timing").read_text("utf-8"))
    assert facts == {"samples": len(sound)} == {"samples": timing["samples"]}
    return sound, timing


def sentence(folder: Path, samples: np.ndarray, rate: int, words: list) -> Path:
    with wave.open(str(folder / "audio"), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    timing = {"rate": rate, "samples": len(samples), "words": words, "phones": []}
    (folder / "timing").write_text(json.dumps(timing))
    return folder


def test_digital_silence_stands_around_and_between(sentences: list[Path], tmp_path: Path) -> None:
    sound, timing = join(tmp_path, sentences[:2])
    assert not sound[:12000].any()
    assert not sound[-19200:].any()
    stops = [end for _, end, text in timing["words"] if text.startswith("knock")]
    starts = [start for start, _, text in timing["words"] if text == "Should "]
    assert not sound[stops[0] + 3100 : starts[0] - 1000].any()
    assert starts[0] - stops[0] >= 14400


def test_the_texts_are_joined_with_a_space(sentences: list[Path], tmp_path: Path) -> None:
    _, timing = join(tmp_path, sentences)
    assert "".join(text for _, _, text in timing["words"]) == " ".join(TEXTS)
    for name in ("words", "phones"):
        edges = [edge for start, end, _ in timing[name] for edge in (start, end)]
        assert edges == sorted(edges)
        assert all(0 <= edge <= timing["samples"] for edge in edges)


def test_a_sentence_sounds_the_same_among_any_neighbours(sentences: list[Path], tmp_path: Path) -> None:
    alone, _ = join(tmp_path, sentences[1:2], lead=0.1, tail=0.1)
    both, _ = join(tmp_path, sentences[:2], lead=0.1, tail=0.1)
    spoken = alone[4800:]
    assert spoken.any()
    assert np.array_equal(both[-len(spoken) :], spoken)


def test_the_silence_that_a_voice_left_is_trimmed_and_times_follow(tmp_path: Path) -> None:
    burst = np.r_[np.zeros(24000), np.full(4800, 8000), np.zeros(48000)]
    (tmp_path / "one").mkdir()
    folder = sentence(tmp_path / "one", burst, 48000, [[24000, 28800, "burst"]])
    sound, timing = join(tmp_path, [folder])
    assert len(sound) == 12000 + joining.BEFORE + 4800 + joining.AFTER + 19200
    start = 12000 + joining.BEFORE
    assert timing["words"] == [[start, start + 4800, "burst"]]
    assert (sound[start : start + 4800] == 8000).all()


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 44100, 96000])
def test_resampling_keeps_a_tone(rate: int) -> None:
    heard = joining.resample(np.rint(20000 * np.sin(2 * np.pi * 1000 * np.arange(rate) / rate)).astype(np.int16), rate)
    meant = 20000 * np.sin(2 * np.pi * 1000 * np.arange(48000) / 48000)
    assert len(heard) == 48000
    assert np.abs(heard - meant)[2000:-2000].max() < 3


def test_resampling_makes_no_images() -> None:
    at = np.arange(22050)
    heard = joining.resample(np.rint(20000 * np.sin(2 * np.pi * 9000 * at / 22050)).astype(np.int16), 22050)
    power = np.abs(np.fft.rfft(heard * np.hanning(48000)))
    assert power[12100:].max() < power.max() / 10 ** (80 / 20)


def test_two_runs_write_the_same_bytes(sentences: list[Path], tmp_path: Path) -> None:
    join(tmp_path, sentences)
    first = [(tmp_path / name).read_bytes() for name in ("audio", "timing")]
    join(tmp_path, sentences)
    assert [(tmp_path / name).read_bytes() for name in ("audio", "timing")] == first


@pytest.mark.parametrize(
    ("knobs", "reason"),
    [
        ({"lead": 0.05}, "lead is 0.05, but must be from 0.1 to 10.0 seconds"),
        ({"tail": 11.0}, "tail is 11.0, but must be from 0.1 to 10.0 seconds"),
        ({"pause": float("nan")}, "pause is nan, but must be from 0.0 to 10.0 seconds"),
    ],
)
def test_silence_has_limits(knobs: dict[str, float], reason: str) -> None:
    assert Join().check(JoinParams(**knobs)) == [reason]


def test_a_sound_of_another_shape_is_refused(tmp_path: Path) -> None:
    folder = sentence(tmp_path, np.zeros(100), 48000, [])
    (tmp_path / "audio").write_bytes(b"no sound at all")
    with pytest.raises(BackendError) as caught:
        join(tmp_path, [folder])
    assert str(caught.value) == (
        "a sentence's sound is no WAV file (file does not start with RIFF id)\n  Mend the speech backend."
    )
