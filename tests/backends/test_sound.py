"""The sound of a scene: as loud as asked, and whatever its neighbours, at its place to the sample."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from film_kit import Quiet, make_sound, voice, write_wav

from engine.backends import aac
from engine.backends.sound import Aac
from engine.errors import BackendError
from engine.kinds import Inputs


def packets_of(path: Path) -> tuple[aac.Packets, list[bytes]]:
    found = aac.read(path)
    data, at, packets = path.read_bytes(), found.offset, []
    for size in [*found.sizes, found.tail]:
        packets.append(data[at : at + size])
        at += size
    return found, packets


def decoded(path: Path) -> aac.Sound:
    found, packets = packets_of(path)
    return aac.decode(found.config, packets, found.phase or 1024, found.samples)[0]


@pytest.mark.parametrize("loud", [0.008, 0.05, 0.7])
def test_any_voice_comes_out_at_the_loudness_asked_for(tmp_path: Path, loud: float) -> None:
    made = make_sound(tmp_path, voice(96000, 1, loud), 97920)
    levels = json.loads((made / "levels").read_text())
    assert levels["integrated"] == pytest.approx(-16, abs=0.3)
    assert 20 * np.log10(levels["true_peak"]) < -1.5


def test_a_faint_voice_is_raised_by_no_more_than_the_profile_allows(tmp_path: Path) -> None:
    levels = json.loads((make_sound(tmp_path, voice(96000, 1, 0.008), 97920, raise_by=10.0) / "levels").read_text())
    assert levels["gain"] == 10
    assert levels["integrated"] < -30


def test_a_hard_peak_is_turned_down(tmp_path: Path) -> None:
    sound = voice(96000, 1, 0.02)
    sound[40000:40020] = 0.95
    levels = json.loads((make_sound(tmp_path, sound, 96000) / "levels").read_text())
    assert 20 * np.log10(levels["true_peak"]) < -1.5
    assert levels["integrated"] == pytest.approx(-16, abs=0.3)


@pytest.mark.parametrize("phase", [0, 1, 511, 1023])
def test_sound_stands_at_its_sample_at_every_phase(tmp_path: Path, phase: int) -> None:
    sound = voice(72000, 2, 0.1)
    back = decoded(make_sound(tmp_path, sound, 76801, phase) / "packets")
    lags = [float(np.dot(back[20000 + lag : 50000 + lag], sound[20000:50000])) for lag in range(-50, 51)]
    assert len(back) == 76801
    assert int(np.argmax(lags)) - 50 == 0


def test_a_scene_owns_the_packets_that_start_inside_it(tmp_path: Path) -> None:
    starts, position = [], 0
    for number, samples in enumerate((15360, 20000, 33, 1024, 9999)):
        folder = make_sound(tmp_path / str(number), None, samples, position % 1024)
        starts += [position // 1024 + (position % 1024 > 0) + k for k in range(len(aac.read(folder / "packets").sizes))]
        position += samples
    assert starts == list(range(-(-position // 1024)))


def test_silence_stays_digital_silence(tmp_path: Path) -> None:
    back = decoded(make_sound(tmp_path, None, 48000) / "packets")
    levels = json.loads((tmp_path / "levels").read_text())
    assert not back.any()
    assert (levels["integrated"], levels["true_peak"], levels["gain"]) == (None, 0.0, 0.0)


def test_the_same_sound_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = (make_sound(tmp_path / name, voice(60000, 4), 61440, 7) for name in "ab")
    assert (one / "packets").read_bytes() == (two / "packets").read_bytes()
    assert (one / "levels").read_bytes() == (two / "levels").read_bytes()


def test_progress_is_told_to_the_end(tmp_path: Path) -> None:
    tell = Quiet()
    audio = write_wav(tmp_path / "a.wav", voice(96000))
    Aac().run(Aac.Params(samples=96000, phase=0, loudness=-16), Inputs(audio=audio), tmp_path, tell)
    assert tell.told == sorted(tell.told)
    assert (tell.told[0], tell.told[-1]) == ((0, 100), (100, 100))


def refused(folder: Path, audio: Path) -> str:
    with pytest.raises(BackendError) as caught:
        Aac().run(Aac.Params(samples=48000, phase=0, loudness=-16), Inputs(audio=audio), folder, Quiet())
    return str(caught.value)


def test_a_narration_longer_than_its_scene_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, write_wav(tmp_path / "a", voice(48001))) == (
        "the narration lasts 48001 samples, its scene only 48000\n  Plan the scene again."
    )


def test_a_narration_without_silence_at_its_ends_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, write_wav(tmp_path / "a", np.full(48000, 0.1))) == (
        "the narration does not begin and end with 0.1 s of digital silence\n"
        "  Scenes are joined there; the narration's backend must leave it."
    )


def test_a_narration_of_another_shape_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, write_wav(tmp_path / "a", np.zeros(44100), 44100, 2)) == (
        "the narration has 2 channels of 16 bits at 44100 Hz\n  A narration is mono, 16 bits, 48000 Hz."
    )
    (tmp_path / "b").write_bytes(b"no sound")
    assert refused(tmp_path, tmp_path / "b").startswith("the narration is not a WAV file: ")


def test_damaged_packets_are_refused(tmp_path: Path) -> None:
    path = make_sound(tmp_path, None, 48000) / "packets"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BackendError) as caught:
        aac.read(path)
    assert str(caught.value) == "a scene's sound does not hold the packets that it lists\n  Run `mikebot verify`."
    path.write_bytes(b"\xff\x00")
    with pytest.raises(BackendError) as caught:
        aac.read(path)
    assert str(caught.value) == "a scene's sound is not a file of AAC packets\n  Run `mikebot verify`."


def test_knobs_are_checked() -> None:
    params = Aac.Params(samples=1, phase=0, loudness=-16, bits=1, peak=3)
    assert Aac().check(params) == ["bits must be from 64000 to 256000, not 1", "peak must be from -20 to 0 dBTP, not 3"]
