"""Music of any file: as long as wanted, as loud as wanted, without a click where it begins again."""

from __future__ import annotations

import tracemalloc
import wave
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from film_kit import Quiet, write_wav
from media_kit import movie
from mix_kit import RATE, chords, level, make_music, steady, write_stereo

from engine.backends import loudness
from engine.backends.music import Pcm
from engine.errors import BackendError, Cancelled
from engine.kinds import Inputs


def read(path: Path) -> np.ndarray[Any, Any]:
    """Channels x samples of a WAV, from -1 to 1."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
        frames = file.readframes(file.getnframes())
    return np.frombuffer(frames, "<i2").reshape(-1, 2).T.astype(np.float32) / 32767


def loud(sound: np.ndarray[Any, Any]) -> float:
    return loudness.alone(loudness.energies(sound)) or -200.0


def written(path: Path, sound: np.ndarray[Any, Any], codec: str, container: str, layout: str, rate: int = RATE) -> Path:
    """Channels x samples in any codec."""
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate, layout=layout)
        data = np.ascontiguousarray(sound, np.float32)
        frame = av.AudioFrame.from_ndarray(data, format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        resampler = av.AudioResampler(stream.format, layout, rate, frame_size=stream.frame_size or 4096)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("volume", [0.003, 0.2, 0.9])
def test_any_music_comes_out_at_minus_23_lufs(tmp_path: Path, volume: float) -> None:
    sound = read(make_music(tmp_path, write_stereo(tmp_path / "m", chords(6, 1, volume)), 6))
    assert loud(sound) == pytest.approx(-23, abs=0.1)
    assert (loudness.decibels(loudness.true_peak(sound)) or 0) <= -1


def test_a_hard_peak_is_turned_down(tmp_path: Path) -> None:
    sound = chords(6, 1, 0.02)
    sound[100000:100010] = 0.99
    heard = read(make_music(tmp_path, write_stereo(tmp_path / "m", sound), 6))
    assert -3 < (loudness.decibels(loudness.true_peak(heard)) or 0) <= -1


def test_one_second_is_repeated_without_a_click(tmp_path: Path) -> None:
    made = read(make_music(tmp_path, write_stereo(tmp_path / "m", steady(1.0, 433.7)), 5))
    assert made.shape == (2, 5 * RATE)
    steepest = np.abs(np.diff(made[:, 1000:40000])).max()
    assert np.abs(np.diff(made)).max() <= steepest * 1.05
    period = RATE - 960
    assert np.array_equal(made[:, 2 * period : 3 * period], made[:, 3 * period : 4 * period])


def test_music_that_is_not_repeated_ends(tmp_path: Path) -> None:
    given = write_stereo(tmp_path / "m", steady(1.5, 433.7)[: 72000 - 25])
    made = read(make_music(tmp_path, given, 5, loop=False))
    assert made.shape == (2, 71975)
    assert (made[:, 0] == 0).all()
    assert np.abs(np.diff(made, append=0)).max() <= np.abs(np.diff(made[:, 1000:70000])).max() * 1.05


def test_a_part_of_a_second_cannot_be_repeated(tmp_path: Path) -> None:
    assert refused(tmp_path, write_stereo(tmp_path / "m", steady(0.25))) == (
        "the music that was given lasts 0.25 s: too short to be repeated\n"
        "  Bring half a second at least, or say `loop: false` under `music`."
    )


def test_of_three_hours_only_what_is_wanted_is_decoded(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "m", chords(4)[:, 0][::6], 8000)
    size = 3 * 3600 * 8000 * 2
    with path.open("r+b") as file:
        for at, value in ((4, 36 + size), (40, size)):
            file.seek(at)
            file.write(value.to_bytes(4, "little"))
        file.truncate(44 + size)
    tell = Quiet()
    Pcm().run(Pcm.Params(seconds=10), Inputs(file=path), tmp_path, tell)
    made = read(tmp_path / "audio")
    assert made.shape == (2, 10 * RATE)
    assert level(made[:, : 4 * RATE]) > level(made[:, 5 * RATE :]) + 60
    assert len(tell.told) < 1000


def test_long_music_is_never_all_in_memory(tmp_path: Path) -> None:
    given = write_stereo(tmp_path / "m", chords(2))
    tracemalloc.start()
    made = make_music(tmp_path, given, 240)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert made.stat().st_size == 44 + 240 * RATE * 4
    assert most < 24 << 20


@pytest.mark.parametrize(
    ("codec", "container", "layout", "rate"),
    [
        ("flac", "flac", "stereo", 44100),
        ("libmp3lame", "mp3", "stereo", 44100),
        ("libopus", "ogg", "stereo", 48000),
        ("aac", "mp4", "stereo", 48000),
        ("pcm_s16le", "wav", "mono", 8000),
        ("flac", "flac", "5.1", 48000),
        ("pcm_s16le", "wav", "5.1", 96000),
    ],
)
def test_every_file_of_sound_is_music(tmp_path: Path, codec: str, container: str, layout: str, rate: int) -> None:
    count = {"mono": 1, "stereo": 2, "5.1": 6}[layout]
    tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate)
    given = written(tmp_path / "m", np.stack([tone] * count), codec, container, layout, rate)
    made = read(make_music(tmp_path, given, 2))
    assert made.shape[1] == pytest.approx(2 * RATE, abs=2500)
    assert loud(made) == pytest.approx(-23, abs=0.15)
    spectrum = np.abs(np.fft.rfft(made[0, 10000 : 10000 + RATE]))
    assert int(np.argmax(spectrum)) == 440


def test_both_sides_stay_where_they_are(tmp_path: Path) -> None:
    sound = steady(3)
    sound[:, 1] = 0
    made = read(make_music(tmp_path, write_stereo(tmp_path / "m", sound), 3))
    assert not made[1].any()
    assert loud(made) == pytest.approx(-23, abs=0.1)


def refused(folder: Path, given: Path) -> str:
    with pytest.raises(BackendError) as caught:
        make_music(folder, given, 5)
    return str(caught.value)


def test_silent_music_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, write_stereo(tmp_path / "m", np.zeros((RATE, 2)))) == (
        "the music that was given is silent: nothing in it is louder than -70 LUFS\n"
        "  Bring another file, or take `music` out."
    )


def test_what_is_no_music_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"#EXTM3U\nother.mp3\n")
    assert refused(tmp_path, tmp_path / "m") == (
        "the music that was given: this is a list of other files, not media itself\n"
        "  Bring it as WAV, FLAC, MP3, Ogg or M4A."
    )
    assert refused(tmp_path, movie(tmp_path / "v", 5)) == (
        "the music that was given: there is no sound in it\n  Bring it as WAV, FLAC, MP3, Ogg or M4A."
    )


@pytest.mark.parametrize(
    ("codec", "container", "said"),
    [
        ("flac", "flac", "something is missing in it, 2.5 s from its begin"),
        ("libopus", "ogg", "something is missing in it, 2.0 s from its begin"),
        ("aac", "mp4", "it cannot be read: Invalid data found when processing input"),
    ],
)
def test_damaged_music_is_refused(tmp_path: Path, codec: str, container: str, said: str) -> None:
    path = written(tmp_path / "m", chords(6).T, codec, container, "stereo")
    whole = bytearray(path.read_bytes())
    middle, count = len(whole) // 2, len(whole) // 5
    whole[middle : middle + count] = bytes(count)
    path.write_bytes(whole)
    assert refused(tmp_path, path) == (
        f"the music that was given: {said}\n  The file may be cut off or damaged: copy or export it again."
    )


def test_it_can_be_stopped_at_every_word(tmp_path: Path) -> None:
    class Stop(Quiet):
        limit = 0

        def progress(self, done: int, total: int) -> None:
            super().progress(done, total)
            if len(self.told) == self.limit:
                raise Cancelled

    given = write_stereo(tmp_path / "m", chords(1))
    for limit in (1, 5, 60, 150):
        tell = Stop()
        tell.limit = limit
        with pytest.raises(Cancelled):
            Pcm().run(Pcm.Params(seconds=100), Inputs(file=given), tmp_path, tell)


def test_the_same_music_gives_the_same_bytes_and_progress_only_grows(tmp_path: Path) -> None:
    given, tells = write_stereo(tmp_path / "m", chords(2)), (Quiet(), Quiet())
    for name, tell in zip("ab", tells, strict=True):
        (tmp_path / name).mkdir()
        Pcm().run(Pcm.Params(seconds=5), Inputs(file=given), tmp_path / name, tell)
        assert tell.told == sorted(tell.told)
        assert (tell.told[0], tell.told[-1]) == ((0, 100), (100, 100))
    assert (tmp_path / "a/audio").read_bytes() == (tmp_path / "b/audio").read_bytes()
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["audio"]


def test_params_are_checked() -> None:
    assert Pcm().check(Pcm.Params(seconds=0)) == ["seconds must be at least 1, not 0"]
