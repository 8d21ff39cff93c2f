"""Music below the voice: down while someone speaks, still at every cut, and scenes made apart that join."""

from __future__ import annotations

import dataclasses
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from film_kit import Quiet, voice, write_scene, write_wav
from mix_kit import RATE, Part, chords, heard_in_a_row, level, make_music, make_sounds, placed, steady, write_stereo
from test_loudness import measured

from engine.backends import aac, duck, loudness
from engine.backends import level as levelling
from engine.backends.sound import Aac
from engine.errors import BackendError
from engine.kinds import Inputs

LENGTHS = ((61440, 1), (76801, 1), (30720, 0), (96000, 1), (61441, 0), (96000, 0))


def row(lengths: tuple[tuple[int, int], ...] = LENGTHS) -> list[Part]:
    return [Part(n, voice(n, k, 0.1) if speaks else None) for k, (n, speaks) in enumerate(lengths)]


def mixed(folder: Path, parts: list[Part], said: list[Aac.Params], music: Path) -> list[tuple[int, aac.Sound]]:
    """What each scene's encoder hears, and the film's sample at which that begins."""
    found, start = [], 0
    for number, (part, params) in enumerate(zip(parts, said, strict=True)):
        inputs = Inputs(music=music)
        if part.speech is not None:
            inputs["audio"] = write_wav(folder / f"{number}.wav", part.speech)
        made = levelling.parts(params, inputs, Quiet())
        found.append(
            (start - aac.around(params.phase, part.samples)[0], levelling._mixed(made, params, -2.3, lambda: None))
        )
        start += part.samples
    return found


def film_of(parts: list[Part], heard: list[tuple[int, aac.Sound]]) -> aac.Sound:
    """The film before it is encoded."""
    start, pieces = 0, []
    for part, (begin, sound) in zip(parts, heard, strict=True):
        pieces.append(sound[:, start - begin : start - begin + part.samples])
        start += part.samples
    return np.concatenate(pieces, axis=1)


def beds(folder: Path, parts: list[Part], said: list[Aac.Params], music: Path) -> tuple[Any, Any]:
    """Voice and what is below it of the whole film, one channel."""
    voices, below = [], []
    for number, (part, params) in enumerate(zip(parts, said, strict=True)):
        inputs = Inputs(music=music)
        if part.speech is not None:
            inputs["audio"] = write_wav(folder / f"{number}.wav", part.speech)
        made = levelling.parts(params, inputs, Quiet())
        before = aac.around(params.phase, part.samples)[0]
        voices.append(made.voice[0])
        below.append(made.bed[0, before : before + part.samples])
    return np.concatenate(voices), np.concatenate(below)


@pytest.fixture(name="music", scope="module")
def given_music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    return make_music(folder, write_stereo(folder / "given.wav", chords(7)), 30)


@pytest.fixture(name="tone", scope="module")
def given_tone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tone")
    return make_music(folder, write_stereo(folder / "given.wav", steady(30)), 30)


@pytest.mark.parametrize("room", [False, True])
def test_two_scenes_hear_the_same_at_their_joint(tmp_path: Path, music: Path, room: bool) -> None:
    parts = row()
    heard = mixed(tmp_path, parts, placed(parts, room=room), music)
    border = 0
    for part, (begin, sound), (after, entering) in zip(parts, heard, heard[1:], strict=False):
        border += part.samples
        ours, theirs = (s[:, border - 3000 - b : border + 3000 - b] for b, s in ((begin, sound), (after, entering)))
        assert level(ours) > -60
        assert np.abs(ours - theirs).max() < 1e-6


def test_scenes_encoded_apart_sound_as_if_one_encoder_had_heard_them(tmp_path: Path, music: Path) -> None:
    parts = row()
    said = placed(parts)
    film = film_of(parts, mixed(tmp_path, parts, said, music))
    made = make_sounds(tmp_path / "made", parts, music, said)
    wrong = heard_in_a_row(made, film.shape[1]) - film
    padded = np.pad(film, ((0, 0), (0, -film.shape[1] % 1024 + 3 * 1024)))
    alone = aac.decode(*aac.encode(padded, 192000, lambda *_: None), 1024, film.shape[1]) - film
    assert level(wrong) < level(alone) + 1.5
    assert level(alone) < level(film) - 30  # It is at its place to the sample.
    for border in np.cumsum([part.samples for part in parts])[:-1]:
        assert level(wrong[:, border - 2048 : border + 2048]) < level(wrong) + 1


def test_music_is_twelve_decibels_under_speech_at_least_while_it_sounds(tmp_path: Path, music: Path) -> None:
    parts = row()
    said, below = beds(tmp_path, parts, placed(parts), music)
    windows = len(said) // 19200
    pairs = [(said[k * 19200 :][:19200], below[k * 19200 :][:19200]) for k in range(windows)]
    spoken = [(level(over), level(under)) for over, under in pairs if level(over) > -25]
    assert len(spoken) > 8
    assert min(over - under for over, under in spoken) > 12
    assert np.mean([over - under for over, under in spoken]) == pytest.approx(20, abs=2.5)


def envelope(tmp_path: Path, parts: list[Part], tone: Path, **knobs: Any) -> np.ndarray[Any, Any]:
    """The level of a steady tone below the film, every 20 ms, in dBFS."""
    _, below = beds(tmp_path, parts, placed(parts, **knobs), tone)
    powers = np.square(below[: len(below) // 960 * 960].reshape(-1, 960), dtype=np.float64).mean(axis=1)
    return 10 * np.log10(powers + 1e-12)


def test_nothing_pumps(tmp_path: Path, tone: Path) -> None:
    """Down through a spoken scene and over the cut to the next; one way up, one way down in between."""
    pause = np.concatenate([voice(2 * RATE, 1), np.zeros(RATE // 2), voice(2 * RATE, 2)])
    parts = [Part(3 * RATE, None), Part(len(pause), pause), Part(2 * RATE, voice(2 * RATE, 3)), Part(4 * RATE, None)]
    found = envelope(tmp_path, parts, tone)
    cuts = np.cumsum([part.samples for part in parts]) // 960
    assert np.abs(np.diff(found[: cuts[2] + 100])).max() < 1.5
    assert np.ptp(found[cuts[0] : cuts[2]]) < 0.1
    assert found[cuts[0] : cuts[2]].mean() == pytest.approx(found[1:100].mean() - 12, abs=0.1)
    assert np.ptp(found[1:100]) < 0.1
    assert np.ptp(found[cuts[2] + 50 : cuts[2] + 90]) < 0.1
    assert (np.diff(found[cuts[2] : cuts[2] + 50]) > -0.05).all()


def test_in_a_long_pause_the_music_comes_up_and_is_down_before_the_voice(tmp_path: Path, tone: Path) -> None:
    said = np.concatenate([voice(2 * RATE, 1), np.zeros(2 * RATE), voice(2 * RATE, 2)])
    found = envelope(tmp_path, [Part(len(said), said)], tone)
    quiet = found[80:215]
    assert quiet.max() - quiet.min() == pytest.approx(12, abs=0.2)
    assert np.abs(np.diff(found[:240])).max() < 1.5
    spans = duck.spoken(said.astype(np.float32))
    assert len(spans) == 2
    down = int(spans[1][0]) // 960
    assert found[down] == pytest.approx(quiet.min(), abs=0.2)


def test_at_the_films_end_the_music_has_gone(tmp_path: Path, tone: Path) -> None:
    parts = [Part(2 * RATE, None), Part(RATE // 2, None), Part(RATE // 2, None)]
    found = envelope(tmp_path, parts, tone)
    assert found[-1] < found[50] - 40
    assert (np.diff(found[-50:]) < 0.02).all()
    assert np.ptp(found[1:99]) < 0.1


@pytest.mark.parametrize("samples", [1, 1920, 4800, 24000, 72000])
@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("after", [False, True])
def test_a_silent_scene_of_any_length_is_down_at_the_borders_of_speech(samples: int, before: bool, after: bool) -> None:
    said = {"at": 99999, "before": before, "after": after, "left": 0, "fade": 0}
    found = duck.lift(duck.down(said, None, samples), samples, -4000, samples + 8000)
    at_start, at_end = found[:4001], found[samples + 3999 :]
    if samples > 2000:
        assert set(at_start.round(6)) == {0.0 if before else 1.0}
        assert set(at_end.round(6)) == {0.0 if after else 1.0}
    if samples > 20000:
        assert np.abs(np.diff(found)).max() < 0.001


@pytest.mark.parametrize("wanted", [-14.0, -16.0, -23.0])
def test_the_films_loudness_is_that_of_the_mix_as_it_is_heard(tmp_path: Path, music: Path, wanted: float) -> None:
    parts = row(((96000, 1), (144000, 1), (48000, 0), (96000, 1)))
    made = make_sounds(tmp_path, parts, music, placed(parts, loudness=wanted))
    total, start, told = sum(part.samples for part in parts), 0, []
    for folder, part in zip(made, parts, strict=True):
        found = json.loads((folder / "levels").read_text())
        told.append(loudness.Part(start, part.samples, np.array(found["energies"])))
        start += part.samples
    sound = heard_in_a_row(made, total)
    level_of_all, peak = measured(sound)
    assert loudness.integrated(loudness.combined(told, total)) == pytest.approx(level_of_all, abs=0.1)
    assert level_of_all == pytest.approx(wanted, abs=0.7)
    assert 20 * np.log10(peak) < -1.4


def test_one_voice_in_two_channels_is_as_loud_as_in_one(tmp_path: Path) -> None:
    part = Part(96000, voice(96000, 1))
    one, two = (
        json.loads((make_sounds(tmp_path / str(n), [part], None, [said])[0] / "levels").read_text())
        for n, said in enumerate(placed([part], channels=count, music=None)[0] for count in (1, 2))
    )
    assert one["integrated"] == pytest.approx(two["integrated"], abs=0.1)
    assert one["gain"] - two["gain"] == pytest.approx(3.01, abs=0.3)


def test_the_room_is_heard_without_a_seam(tmp_path: Path) -> None:
    parts = [Part(61441, None), Part(48000, None), Part(96000, None)]
    said = [dataclasses.replace(params, music=None, room=True) for params in placed(parts)]
    made = make_sounds(tmp_path, parts, None, said)
    sound = heard_in_a_row(made, 205441)
    for at in range(0, 205441 - 9600, 4800):
        assert level(sound[:, at : at + 9600]) == pytest.approx(-62, abs=2.0)
    jumps = np.abs(np.diff(sound, axis=1)).max(axis=0)
    for border in (61441, 109441):
        assert jumps[border - 50 : border + 50].max() < jumps.max() * 1.01
        assert jumps[border - 50 : border + 50].max() < 4 * jumps.mean()


def test_the_room_does_not_depend_on_the_place_in_the_film(tmp_path: Path) -> None:
    part = Part(61440, None)
    said = dataclasses.replace(placed([part])[0], music=None, room=True)
    one, two = (make_sounds(tmp_path / name, [part], None, [said])[0] / "packets" for name in "ab")
    assert one.read_bytes() == two.read_bytes()


def footage(path: Path, sound: np.ndarray[Any, Any] | None, layout: str = "stereo", rate: int = RATE) -> Path:
    """A video of three seconds with a sound (channels x samples), or without."""
    silent = write_scene(path.with_suffix(".silent"), 75)
    if sound is None:
        return silent
    with av.open(str(silent)) as given, av.open(str(path), "w", format="matroska") as file:
        video = file.add_stream_from_template(given.streams.video[0])
        stream = file.add_stream("pcm_s16le", rate=rate, layout=layout)
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None:
                packet.stream = video
                file.mux(packet)
        data = np.rint(sound.T.reshape(1, -1) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(data, format="s16", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def own(folder: Path, video: Path, samples: int = 96000, **said: Any) -> aac.Sound:
    params = Aac.Params(samples, 0, -16.0, channels=2, own={"start": "0", "level": -6.0, **said})
    return levelling.parts(params, Inputs(footage=video), Quiet()).bed[:, aac.around(0, samples)[0] :][:, :samples]


def test_footage_is_heard_from_its_start_at_its_level(tmp_path: Path) -> None:
    sound = np.stack([voice(3 * RATE, 1, 0.02), voice(3 * RATE, 2, 0.02)])
    heard = own(tmp_path, footage(tmp_path / "v", sound), start="1/2")
    assert loudness.alone(loudness.energies(heard)) == pytest.approx(-22, abs=0.1)
    lags = [float(np.dot(heard[0, 20000:60000], sound[0, 44000 + lag : 84000 + lag])) for lag in range(-40, 41)]
    assert int(np.argmax(lags)) - 40 == 0
    assert not heard[:, :2048].any()
    assert not heard[:, -2048:].any()


def test_footage_that_ends_is_silent_then(tmp_path: Path) -> None:
    heard = own(tmp_path, footage(tmp_path / "v", steady(3).T), samples=4 * RATE, start="1.0")
    assert level(heard[:, 2 * RATE - 4800 : 2 * RATE - 1000]) > -40
    assert not heard[:, 2 * RATE :].any()


def test_footage_is_heard_no_further_than_its_end(tmp_path: Path) -> None:
    heard = own(tmp_path, footage(tmp_path / "v", steady(3).T), start="1/2", end="1.5")
    assert level(heard[:, RATE - 4800 : RATE - 1000]) > -40
    assert not heard[:, RATE:].any()


def test_footage_beside_footage_is_joined_as_cleanly(tmp_path: Path, music: Path) -> None:
    noise = np.random.default_rng(5).standard_normal((2, 3 * RATE)) * 0.1
    video, parts = footage(tmp_path / "v", noise), [Part(61441, None), Part(70000, None)]
    own_sound = {"start": "0", "level": -6.0}
    made, films, tell = [], [], Quiet()
    for number, said in enumerate(placed(parts, own=own_sound)):
        (tmp_path / str(number)).mkdir()
        inputs = Inputs(music=music, footage=video)
        Aac().run(said, inputs, tmp_path / str(number), tell)
        made.append(tmp_path / str(number))
        before = aac.around(said.phase, said.samples)[0]
        films.append(levelling.parts(said, inputs, Quiet()).bed[:, before : before + said.samples])
    film = np.concatenate(films, axis=1)
    wrong = heard_in_a_row(made, film.shape[1]) - film
    assert level(wrong[:, 61441 - 1024 : 61441 + 1024]) < level(film[:, 61441 - 1024 : 61441 + 1024]) - 20
    assert level(wrong[:, 61441 - 1024 : 61441 + 1024]) < level(wrong)
    count = len(tell.told) // 2
    assert tell.told[:count] == sorted(tell.told[:count])


def test_five_channels_are_weighed_and_another_rate_is_resampled(tmp_path: Path) -> None:
    """Left alone in 5.1 at 44.1 kHz is heard on the left, its middle on both sides 3 dB down, its LFE nowhere."""
    tone = np.sin(2 * np.pi * 440 * np.arange(44100 * 2) / 44100) * 0.1
    sound = np.zeros((6, 88200))
    sound[0, :44100], sound[2, 44100:], sound[3] = tone[:44100], tone[44100:], 0.05
    heard = own(tmp_path, footage(tmp_path / "v", sound, "5.1", 44100))
    first, second = heard[:, 10000:40000], heard[:, 55000:90000]
    assert level(first[1]) < level(first[0]) - 60
    assert level(second[0]) == pytest.approx(level(second[1]), abs=0.1)
    assert level(first[0]) - level(second[0]) == pytest.approx(3.01, abs=0.2)


def test_a_video_without_sound_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackendError) as caught:
        own(tmp_path, footage(tmp_path / "v", None))
    assert str(caught.value) == (
        "the footage's own sound cannot be heard: there is no sound in it\n"
        "  Take `sound` out of the scene's `video`, or bring a video with sound."
    )


def test_the_same_mix_gives_the_same_bytes(tmp_path: Path, music: Path) -> None:
    parts = row(LENGTHS[:2])
    one, two = (make_sounds(tmp_path / name, parts, music, placed(parts, room=True)) for name in "ab")
    for a, b in zip(one, two, strict=True):
        assert (a / "packets").read_bytes() == (b / "packets").read_bytes()


def test_loud_music_stays_under_the_peak(tmp_path: Path, music: Path) -> None:
    part = Part(96000, None)
    said = placed([part], loudness=-14.0)[0]
    loud = dataclasses.replace(said, music={**(said.music or {}), "gain": 6.0})
    found = json.loads((make_sounds(tmp_path, [part], music, [loud])[0] / "levels").read_text())
    assert 20 * np.log10(found["true_peak"]) < -1.5


def test_music_of_another_shape_is_refused(tmp_path: Path) -> None:
    part = Part(48000, None)
    with pytest.raises(BackendError) as caught:
        make_sounds(tmp_path, [part], write_wav(tmp_path / "m", np.zeros(4800)), placed([part]))
    assert str(caught.value) == (
        "the music has 1 channels of 16 bits at 48000 Hz\n  A film's music is stereo, 16 bits, 48000 Hz."
    )
