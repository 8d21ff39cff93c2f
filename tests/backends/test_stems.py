"""Stems: together they are the film, each of its length."""

from __future__ import annotations

import dataclasses
import wave
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from film_kit import Quiet, voice
from mix_kit import RATE, Part, chords, level, make_mixed_film, make_music, placed, write_stereo
from test_loudness import measured

from engine.backends import loudness
from engine.backends.stems import Pcm
from engine.errors import BackendError
from engine.kinds import Inputs, numbered

PARTS = [
    Part(61440, voice(61440, 1)),
    Part(76800, None),
    Part(96000, voice(90000, 2)),
    Part(RATE, None),
]


class Made(dict[str, Path]):
    """Paths of what a module's tests look at."""


@pytest.fixture(name="made", scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("stems")
    music = make_music(folder, write_stereo(folder / "given.wav", chords(3)), 10)
    said = placed(PARTS)
    film = make_mixed_film(folder / "film", PARTS, music, said)
    inputs = Inputs(film=film, music=music)
    for number, part in enumerate(PARTS, 1):
        if part.speech is not None:
            inputs[numbered("audio", number)] = film.parent / str(number - 1) / "audio.wav"
    out = folder / "stems"
    out.mkdir()
    tell = Quiet()
    Pcm().run(Pcm.Params(sounds=tuple(dataclasses.asdict(sound) for sound in said)), inputs, out, tell)
    assert tell.told == sorted(tell.told, key=lambda told: told[0] / told[1])
    return Made(film=film, **{name: out / name for name in ("narration", "music", "picture")})


def read(path: Path) -> np.ndarray[Any, Any]:
    with wave.open(str(path)) as file:
        assert (file.getsampwidth(), file.getframerate()) == (2, RATE)
        frames, channels = file.readframes(file.getnframes()), file.getnchannels()
    return np.frombuffer(frames, "<i2").reshape(-1, channels).T.astype(np.float32) / 32767


def heard(film: Path) -> np.ndarray[Any, Any]:
    with av.open(str(film)) as file:
        stream = file.streams.audio[0]
        assert (stream.codec_context.layout.name, stream.codec_context.channels) == ("stereo", 2)
        return np.concatenate([frame.to_ndarray() for frame in file.decode(stream)], axis=1)


def test_each_is_as_long_as_the_film(made: Made) -> None:
    total = sum(part.samples for part in PARTS)
    assert read(made["narration"]).shape == read(made["music"]).shape == (2, total)
    with av.open(str(made["picture"])) as file:
        assert [stream.type for stream in file.streams] == ["video"]
        assert file.streams.video[0].frames == total // 1920


def test_together_they_are_the_film(made: Made) -> None:
    both = read(made["narration"]) + read(made["music"])
    film = heard(made["film"])[:, : both.shape[1]]
    assert level(both - film) < level(film) - 25
    assert level(read(made["narration"])[:, 61440 : 61440 + 76800]) < -100


def test_a_stereo_film_is_as_loud_as_it_says(made: Made) -> None:
    found, _ = measured(heard(made["film"]))
    told = (made["film"].parent / "loudness").read_text()
    assert f'"integrated":{found:.0f}' in told or abs(float(told.split('"integrated":')[1].split(",")[0]) - found) < 0.1
    narration = loudness.alone(loudness.energies(read(made["narration"])))
    assert narration == pytest.approx(-16, abs=0.3)


def test_the_picture_is_the_films_packet_by_packet(made: Made) -> None:
    def packets(path: Path) -> list[tuple[float, float, bytes]]:
        with av.open(str(path)) as file:
            stream = file.streams.video[0]
            found = [(p, float(p.time_base or 0)) for p in file.demux(stream) if p.size]
            return [((p.pts or 0) * base, (p.dts or 0) * base, bytes(p)) for p, base in found]

    assert packets(made["picture"]) == packets(made["film"])


def test_a_film_of_other_channels_than_its_sounds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendError) as caught:
        make_mixed_film(tmp_path, PARTS[:1], None, placed(PARTS[:1], music=None), channels=1)
    assert str(caught.value) == "the scenes' sound is not of 1 channels, as the film's is\n  Plan it again."


def test_sounds_of_different_shape_are_refused(tmp_path: Path, made: Made) -> None:
    said = [dataclasses.asdict(sound) for sound in placed(PARTS[:2], music=None)]
    said[1]["channels"] = 1
    with pytest.raises(BackendError) as caught:
        Pcm().run(Pcm.Params(sounds=tuple(said)), Inputs(film=made["film"]), tmp_path, Quiet())
    assert str(caught.value) == "the scenes' sounds do not have the same channels\n  Plan the film again."
