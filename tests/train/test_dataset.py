"""Recordings become a dataset: good utterances with their own words, the rest left out with a reason and a figure."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from speech_kit import (
    DOORS,
    FIREWALL,
    MAN,
    RATE,
    Quiet,
    by_telephone,
    chords,
    film,
    floats,
    mp3,
    noisy,
    said,
    take,
    talk,
    wav,
)

from engine.backends import loudness
from engine.digests import Digests
from engine.errors import UsageError
from engine.train import dataset
from engine.train.dataset import Dataset, NotEnough, Wanted, prepare
from engine.train.recordings import given


@pytest.fixture(scope="module")
def made(takes: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, list[str]]:
    return prepared(takes, tmp_path_factory.mktemp("voice"))


def prepared(folder: Path, below: Path, listener: Any = None, language: str = "en") -> tuple[Dataset, list[str]]:
    lines: list[str] = []
    wanted = Wanted(given([folder]), below, RATE, language, listener, Digests())
    return prepare(wanted, Quiet(), lines.append), lines


def all_of(data: Dataset) -> list[Any]:
    return sorted([*data.kept, *data.held], key=lambda piece: (piece.file, piece.start))


def reasons(data: Dataset) -> list[tuple[str, str]]:
    return [(piece.file, piece.reason) for piece in data.rejected]


def test_every_sentence_stands_with_its_own_words(made: tuple[Dataset, list[str]]) -> None:
    data, lines = made
    joined = f"{FIREWALL[0]} {FIREWALL[1]}"  # A question of one second is too short alone.
    assert [piece.text for piece in all_of(data)] == [*DOORS, joined, *FIREWALL[2:]]
    assert data.rejected == []
    told = [line.rpartition(",")[0] for line in lines]
    assert told == ["cut     doors.wav  3 of 3 parts", "cut     firewall.wav  3 of 3 parts"]


def test_utterances_have_one_loudness_and_the_models_rate(made: tuple[Dataset, list[str]]) -> None:
    from engine.train.recordings import decoded

    data, _ = made
    for piece in all_of(data):
        with wave.open(str(data.folder / piece.wav)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        sound = decoded(data.folder / piece.wav).sound.astype(np.float32) / np.float32(32768)
        assert loudness.alone(loudness.energies(sound)) == pytest.approx(-23, abs=0.3)


def test_the_manifests_are_as_nemo_reads_them(made: tuple[Dataset, list[str]]) -> None:
    data, _ = made
    rows = {
        name: [json.loads(line) for line in (data.folder / name).read_text("utf-8").splitlines()]
        for name in ("train.jsonl", "held-out.jsonl")
    }
    assert [len(rows["train.jsonl"]), len(rows["held-out.jsonl"])] == [5, 1]
    for row in [*rows["train.jsonl"], *rows["held-out.jsonl"]]:
        assert list(row) == FIELDS
        assert row["audio_filepath"] != row["context_audio_filepath"]
        with wave.open(str(data.folder / row["context_audio_filepath"])) as file:
            assert file.getnframes() / RATE == pytest.approx(row["context_audio_duration"], abs=0.001)
    learned = {row["audio_filepath"] for row in rows["train.jsonl"]}
    assert not learned & {row["audio_filepath"] for row in rows["held-out.jsonl"]}
    assert {row["context_audio_filepath"] for row in rows["held-out.jsonl"]} <= learned


def test_the_same_recordings_are_prepared_once_wherever_they_lie(
    takes: Path, made: tuple[Dataset, list[str]], tmp_path: Path
) -> None:
    data, _ = made
    shutil.copytree(takes, tmp_path / "moved")
    (tmp_path / "moved" / "doors.wav").rename(tmp_path / "moved" / "second.wav")
    (tmp_path / "moved" / "doors.txt").rename(tmp_path / "moved" / "second.txt")
    before = {file: file.stat().st_mtime_ns for file in data.folder.rglob("*")}
    again, lines = prepared(tmp_path / "moved", data.folder.parent)
    assert lines == [f"dataset {data.folder.name} is made"]
    assert again == data
    assert {file: file.stat().st_mtime_ns for file in data.folder.rglob("*")} == before


def test_another_word_in_a_text_is_another_dataset(
    takes: Path, made: tuple[Dataset, list[str]], tmp_path: Path
) -> None:
    shutil.copytree(takes, tmp_path / "takes")
    text = tmp_path / "takes" / "doors.txt"
    text.write_text(text.read_text("utf-8").replace("street", "straight"), "utf-8")
    assert prepared(tmp_path / "takes", tmp_path)[0].hash != made[0].hash


def test_what_was_made_before_a_break_is_not_made_again(
    takes: Path, made: tuple[Dataset, list[str]], tmp_path: Path
) -> None:
    """As a kill leaves it: one recording done, one half written, nothing settled."""
    data, _ = made
    half = tmp_path / data.folder.name
    shutil.copytree(data.folder, half)
    for name in ("dataset.json", "train.jsonl", "held-out.jsonl"):
        (half / name).unlink()
    firewall = hashlib.sha256((takes / "firewall.wav").read_bytes()).hexdigest()[:16]
    (half / "files" / f"{firewall}.json").unlink()
    (half / "wavs" / f"{firewall}-0002.wav").unlink()
    doors = sorted(set(half.glob("wavs/*.wav")) - set(half.glob(f"wavs/{firewall}*")))
    before = [file.stat().st_mtime_ns for file in doors]
    again, _ = prepared(takes, tmp_path)
    assert again._replace(folder=data.folder) == data
    assert [file.stat().st_mtime_ns for file in doors] == before
    assert {f.name: f.read_bytes() for f in half.glob("wavs/*")} == {
        f.name: f.read_bytes() for f in data.folder.glob("wavs/*")
    }


def test_one_text_for_all_is_spread_over_all(takes: Path, made: tuple[Dataset, list[str]], tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    shutil.copytree(takes, folder, ignore=shutil.ignore_patterns("*.txt"))
    (folder / "all.txt").write_text(" ".join([*DOORS, *FIREWALL]), "utf-8")
    data, _ = prepared(folder, tmp_path)
    assert [piece.text for piece in all_of(data)] == [piece.text for piece in all_of(made[0])]


def test_a_text_that_stops_to_match_is_used_as_far_as_it_does(tmp_path: Path) -> None:
    sound = talk([*DOORS, *FIREWALL], tmp_path)
    other = "Nobody ever said these words here, they belong to quite another film about gardening and the weather."
    folder = tmp_path / "takes"
    folder.mkdir()
    wav(folder / "long.wav", sound)
    (folder / "long.txt").write_text(" ".join([*DOORS, other, other]), "utf-8")
    data, _ = prepared(folder, tmp_path)
    assert {piece.text for piece in all_of(data)} <= set(DOORS)
    assert len(data.rejected) >= 3
    lost = "its text does not match: the recording does not seem to say its text from "
    assert all(reason.startswith(lost) for _, reason in reasons(data))


FIELDS = ["audio_filepath", "text", "duration", "context_audio_filepath", "context_audio_duration"]
FIELDS += ["language", "speaker", "speaker_index"]
BAD = {
    "clipped": "clipped: 0.5#% of it lies flat at the loudest level, at most 0.02% may",
    "noisy": "noisy: the voice is 13 dB above the noise, 20 dB are needed",
    "telephone": "8 kHz: nothing is heard above 4 kHz, as on a telephone",
    "music": "sounds like music: 98% of its tones stand still, at most 50% may",
    "silent": "silent",
    "short": "too short: 1.0 s, 2 s are needed",
    "two": "perhaps two speakers: its phrases lie 16 semitones apart, at most 5 may",
    "visitor": "perhaps another speaker: its pitch is 14 semitones below that of most",
    "other": "its text does not match: the recording does not seem to say its text "
    "from 'Whatever you listen for in' on (at about 0.0 s)",
}


def test_each_bad_recording_is_left_out_with_its_reason(takes: Path, tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    shutil.copytree(takes, folder)
    words = " ".join(FIREWALL[2:])  # Aligning takes as long as the words do.
    sound = said(words, tmp_path)
    man = said(" ".join(DOORS[:2]), tmp_path, voice=MAN, pitch=20)
    sounds = {
        "clipped": sound * 3,
        "noisy": noisy(sound * 0.5, 10),
        "music": chords(6),
        "silent": np.zeros(RATE * 4),
        "short": sound[:RATE],
        "two": np.concatenate([sound[: RATE * 3], np.zeros(RATE // 4), man[: RATE * 3]]),
        "visitor": man,
        "other": sound,
    }
    for name, one in sounds.items():
        wav(folder / f"{name}.wav", one)
        (folder / f"{name}.txt").write_text(" ".join(DOORS[:2]) if name == "visitor" else words, "utf-8")
    wav(folder / "telephone.wav", by_telephone(sound), 8000)
    (folder / "telephone.txt").write_text(words, "utf-8")
    other = "Whatever you listen for in this recording, these words are not in it at all."
    (folder / "other.txt").write_text(other, "utf-8")
    data, _ = prepared(folder, tmp_path)
    found = {file.partition(".")[0]: reason for file, reason in reasons(data)}
    found["clipped"] = re.sub(r"0\.5\d%", "0.5#%", found["clipped"])  # This voice of espeak-ng's breathes at random.
    assert found == BAD
    assert {piece.file for piece in all_of(data)} == {"doors.wav", "firewall.wav"}


def test_a_text_with_too_many_letters_is_found_in_any_language(tmp_path: Path) -> None:
    """Nothing aligns German here: a recording of one utterance is held against the length of its text."""
    folder = tmp_path / "takes"
    folder.mkdir()
    wav(folder / "a.wav", said(FIREWALL[0], tmp_path)[: int(RATE * 2.9)])
    text = "Das hat hier niemand gesagt, und so schnell spricht auch keiner. "
    (folder / "a.txt").write_text(text * 4, "utf-8")
    data, _ = prepared(folder, tmp_path, language="de")
    assert reasons(data) == [("a.wav", "its text does not match: 208 letters are too many for 2.6 s")]


def test_the_sound_of_a_video_is_taken(tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    folder.mkdir()
    film(folder / "interview.mp4", talk(DOORS, tmp_path))
    (folder / "interview.txt").write_text(" ".join(DOORS), "utf-8")
    data, _ = prepared(folder, tmp_path)
    assert [(piece.file, piece.text) for piece in all_of(data)] == [("interview.mp4", text) for text in DOORS]


def test_a_recording_is_what_it_holds_whatever_it_is_called(tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    folder.mkdir()
    take(folder, "door", DOORS[:1])
    (folder / "door.wav").rename(folder / "door.mp3")
    mp3(folder / "street.wav", talk(DOORS[2:], tmp_path))
    (folder / "street.txt").write_text(DOORS[2], "utf-8")
    data, _ = prepared(folder, tmp_path)
    assert [(piece.file, piece.text) for piece in all_of(data)] == [("door.mp3", DOORS[0]), ("street.wav", DOORS[2])]


def test_what_cannot_be_read_is_told_and_the_rest_is_made(takes: Path, tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    shutil.copytree(takes, folder)
    (folder / "broken.mp3").write_bytes(b"RIFFnonsense" * 40)
    (folder / "list.wav").write_bytes(b"#EXTM3U\nfirewall.wav\n")
    (folder / "empty.wav").write_bytes(b"")
    sound = said(DOORS[0], tmp_path)
    sounding = mp3(tmp_path / "sounding.mp3", sound)
    (folder / "half.mp3").write_bytes(sounding[: len(sounding) // 2])
    count = (sounding.index(b"Xing") if b"Xing" in sounding else sounding.index(b"Info")) + 8
    (folder / "long.mp3").write_bytes(sounding[:count] + b"\x00\x7f\xff\xff" + sounding[count + 4 :])
    sound[1000:1010] = np.nan
    (folder / "nan.wav").write_bytes(floats(sound))
    for name in ("broken", "list", "empty", "half", "long", "nan"):
        (folder / f"{name}.txt").write_text("Hello.", "utf-8")
    shutil.copy(folder / "doors.wav", folder / "twice.wav")
    shutil.copy(folder / "doors.txt", folder / "twice.txt")
    data, lines = prepared(folder, tmp_path)
    bring = "Bring it as WAV, FLAC, MP3, Ogg or M4A."
    again = "The file may be cut off or damaged: copy or export it again."
    assert reasons(data) == [
        ("broken.mp3", f"cannot be read: this is no video or sound that can be read. {bring}"),
        ("empty.wav", f"cannot be read: it is empty. {again}"),
        ("half.mp3", f"cannot be read: its end is missing. {again}"),
        ("list.wav", f"cannot be read: this is a list of other files, not media itself. {bring}"),
        ("long.mp3", "cannot be read: it lasts longer than 4 hours. Cut it into pieces."),
        ("nan.wav", "cannot be read: it holds values that are no numbers. Export it again, as 16 or 24 bits."),
    ]
    assert "same    twice.wav is doors.wav, and taken once" in lines
    assert len(all_of(data)) == 6


def test_three_seconds_are_too_little(tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    folder.mkdir()
    take(folder, "short", FIREWALL[:1])
    data, _ = prepared(folder, tmp_path)
    with pytest.raises(NotEnough) as refused:
        dataset.enough(data, "report.html")
    message = "too little can be used: 1 of 1 parts, 4 are needed\n  report.html has each part with its reason"
    assert (str(refused.value), refused.value.exit_code) == (message, 2)


def test_recordings_without_any_text_need_a_model_that_listens(takes: Path, tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    shutil.copytree(takes, folder, ignore=shutil.ignore_patterns("*.txt"))
    with pytest.raises(UsageError) as refused:
        prepared(folder, tmp_path)
    assert str(refused.value) == (
        "there is no transcript of doors.wav, firewall.wav, and no Whisper model that could write one\n"
        "  write what is said in doors.txt beside it, or in one .txt for all, or let Whisper do so: "
        "mikebot fetch --model openai/whisper-small"
    )


def test_what_a_model_hears_is_kept_utterance_by_utterance(takes: Path, tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    shutil.copytree(takes, folder, ignore=shutil.ignore_patterns("*.txt"))
    first = Listener(stops=4)
    with pytest.raises(KeyboardInterrupt):
        prepared(folder, tmp_path, first)
    second = Listener(stops=100)
    data, _ = prepared(folder, tmp_path, second)
    assert (first.heard, second.heard) == (4, 3)  # One was cut off while it was heard.
    assert {piece.text for piece in all_of(data)} == {"the same words each time, about as many as are said"}


class Listener:
    """Writes down the same each time, and is interrupted at a call."""

    name = "listener@1"

    def __init__(self, stops: int) -> None:
        self.heard, self._stops = 0, stops

    def __call__(self, sound: Any) -> str:
        self.heard += 1
        if self.heard == self._stops:
            raise KeyboardInterrupt
        return "the same words each time, about as many as are said"
