"""In the pauses of a narration the room of the persona's recording is heard, where it has one: as loud as there."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_narration import Quiet, sentence

from engine.backends.ambience import room_of
from engine.backends.narration import Join, JoinParams
from engine.errors import BackendError
from engine.kinds import SAMPLE_RATE, Inputs, numbered

Sound = np.ndarray[Any, Any]
LEVEL = 14.0  # Root mean square of the room, in steps of 16 bits: -67 dB.
LEAD, PAUSE, TAIL = 12000, 14400, 19200  # Samples, as the profile has it.


def hiss(seconds: float, level: float, seed: int = 0) -> Sound:
    """Noise that is louder at the bottom, as a room is."""
    drawn = np.random.Generator(np.random.PCG64(seed)).standard_normal(int(seconds * SAMPLE_RATE) + 63)
    made = np.convolve(drawn, np.hanning(64), "valid")
    return made * level / np.sqrt(np.mean(made**2))


def voice(seconds: float, level: float = 4000.0) -> Sound:
    at = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.sin(2 * np.pi * 180 * at) * np.sqrt(2) * level * np.minimum(1, np.minimum(at, at[::-1]) / 0.02)


def recorded(file: Path, rest: Callable[[int], Sound], rate: int = SAMPLE_RATE) -> Path:
    """Five words of a second each; `rest` is what is heard after each of them."""
    sound = np.concatenate([part for number in range(5) for part in (voice(1.0), rest(number))])
    return wav(file, sound, rate)


def wav(file: Path, sound: Sound, rate: int = SAMPLE_RATE) -> Path:
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, rate, 0, "NONE", ""))
        out.writeframes(np.rint(sound).astype("<i2").tobytes())
    return file


def room(number: int) -> Sound:
    return hiss(0.6, LEVEL, number)


def narration(folder: Path, recording: Path | None, count: int = 3, **knobs: Any) -> Sound:
    """Sentences of a second and a half, joined."""
    inputs = Inputs() if recording is None else Inputs(room=recording)
    for number in range(1, count + 1):
        (said := folder / f"{number}").mkdir(parents=True, exist_ok=True)
        sentence(said, voice(1.5) if number != 2 else np.zeros(14400), SAMPLE_RATE, [])
        inputs |= {numbered(name, number): said / name for name in ("audio", "timing")}
    Join().run(JoinParams(**knobs), inputs, folder, Quiet())
    with wave.open(str(folder / "audio")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)


def level(sound: Sound) -> float:
    return float(np.sqrt(np.mean(sound**2)))


def decibels(ratio: float) -> float:
    return 20 * float(np.log10(ratio))


def gaps(without: Sound) -> list[tuple[int, int]]:
    """Where a narration without a room is silent for longer than within a wave."""
    loud = np.flatnonzero(without)
    inner = [edge for at in np.flatnonzero(np.diff(loud) > 400) for edge in (loud[at], loud[at + 1])]
    edges = [0, int(loud[0]), *inner, int(loud[-1]), len(without)]
    return list(zip(edges[::2], edges[1::2], strict=True))


def test_a_pause_is_as_loud_as_the_recording_is_between_words(tmp_path: Path) -> None:
    """A sentence with nothing to say is a pause, too. Both ends of a narration stay digital silence."""
    recording = recorded(tmp_path / "voice.wav", room)
    plain, made = narration(tmp_path / "plain", None), narration(tmp_path / "made", recording)
    assert len(plain) == len(made)
    found = gaps(plain)
    assert len(found) == 3
    assert found[1][1] - found[1][0] > 2 * PAUSE + 14400 - 2
    for start, end in found[1:-1]:
        assert abs(decibels(level(made[start + 300 : end - 300]) / LEVEL)) < 1
    for end in (made[:4800], made[-4800:]):
        assert not end.any()
    assert abs(decibels(level(made[7500 : LEAD - 300]) / LEVEL)) < 1.5
    said = np.flatnonzero(np.abs(plain) > 3000)
    assert np.abs(made - plain)[said].max() <= 1  # Where somebody speaks, nothing is added.


def test_every_scene_has_it_at_the_same_level(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "voice.wav", room)
    found = []
    for count in (1, 3, 6):
        made = narration(tmp_path / str(count), recording, count)
        found.append(level(made[-TAIL + 300 : -7500]))
    assert max(map(abs, map(decibels, np.array(found) / LEVEL))) < 1


def test_no_join_clicks(tmp_path: Path) -> None:
    """From sample to sample there is no larger step where a sentence meets the room than inside of either."""
    made = narration(tmp_path / "made", recorded(tmp_path / "voice.wav", room))
    plain = narration(tmp_path / "plain", None)
    steps, own = np.abs(np.diff(made)), np.abs(np.diff(plain))
    for start, end in gaps(plain)[1:-1]:
        inside = steps[start + 300 : end - 300].max()
        for join in (start, end):
            around = slice(join - 24, join + 24)
            assert steps[around].max() <= inside + own[around].max() + 1
    for at in (4800, len(made) - 4800):
        assert steps[at - 24 : at + 24].max() <= 1


def test_it_is_the_same_each_time_and_repeats_nothing(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "voice.wav", room)
    first, again = (narration(tmp_path / name, recording, pause=3.0) for name in ("first", "again"))
    assert np.array_equal(first, again)
    found = room_of(recording, Quiet())
    assert found is not None
    tone = found.tone(4 * SAMPLE_RATE, 1)
    assert not np.array_equal(tone, found.tone(4 * SAMPLE_RATE, 2))
    power = np.abs(np.fft.rfft(tone, 2 * len(tone))) ** 2
    alike = np.fft.irfft(power)[: len(tone)]
    assert np.abs(alike[SAMPLE_RATE // 4 :]).max() < 0.2 * alike[0]  # No loop.


def test_a_click_in_a_pause_is_not_of_the_room(tmp_path: Path) -> None:
    def knocked(number: int) -> Sound:
        sound = room(number)
        sound[14000:14200] += 300
        return sound

    made = narration(tmp_path / "made", recorded(tmp_path / "voice.wav", knocked), pause=3.0)
    plain = narration(tmp_path / "plain", None, pause=3.0)
    assert all(np.abs(made[start + 300 : end - 300]).max() < 8 * LEVEL for start, end in gaps(plain)[1:-1])


WITHOUT: dict[str, Callable[[int], Sound]] = {
    "digital silence": lambda number: np.zeros(30000),
    "no pauses": lambda number: np.zeros(0),
    "a noisy street": lambda number: hiss(0.6, 900.0, number),
    "too little": lambda number: hiss(0.2, LEVEL, number),
}


@pytest.mark.parametrize("case", WITHOUT)
def test_a_recording_without_a_room_leaves_the_pauses_silent(tmp_path: Path, case: str) -> None:
    recording = recorded(tmp_path / "voice.wav", WITHOUT[case])
    assert np.array_equal(narration(tmp_path / "made", recording), narration(tmp_path / "plain", None))


def test_a_profile_may_want_silence(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "voice.wav", room)
    made = narration(tmp_path / "made", recording, room=False)
    assert np.array_equal(made, narration(tmp_path / "plain", None))


def test_another_rate_is_brought_to_ours(tmp_path: Path) -> None:
    found = room_of(recorded(tmp_path / "voice.wav", room, 44100), Quiet())
    assert found is not None
    assert abs(decibels(found.level / LEVEL)) < 1


def test_what_is_no_recording_is_told(tmp_path: Path) -> None:
    (tmp_path / "voice.wav").write_bytes(b"RIFF, perhaps")
    with pytest.raises(BackendError, match=r"^the reference recording: "):
        room_of(tmp_path / "voice.wav", Quiet())
