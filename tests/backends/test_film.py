"""The film: every frame and sample at its place, and all that goes with it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from film_kit import HEIGHT, WIDTH, Quiet, heard, join, make_film, seen, voice, write_scene
from PIL import Image
from test_loudness import measured

from engine.backends.film import Mp4
from engine.backends.poster import draw
from engine.errors import BackendError
from engine.kinds import Inputs, first_sample, rate


def click(samples: int, at: int) -> np.ndarray[Any, Any]:
    """Silence with a short tone from one sample on."""
    sound = np.zeros(samples)
    sound[at : at + 480] = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(480) / 48000)
    return sound


WORDS = [[12000, 30000, "Ask "], [30000, 60000, "once. "]]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mp4.Params, Inputs]:
    folder = tmp_path_factory.mktemp("film")
    sounds = [voice(76800, 1), None, voice(70000, 2)]
    params, inputs = make_film(folder / "in", (40, 16, 48), sounds, words={0: WORDS, 2: WORDS})
    return join(folder / "out", params, inputs), params, inputs


RATES = [("25", (24, 32, 16, 40)), ("30000/1001", (37, 1, 41, 50)), ("24", (30, 29, 31, 28))]


@pytest.mark.parametrize(("fps", "frames"), RATES)
def test_sound_and_picture_meet_within_a_millisecond_at_every_joint(
    tmp_path: Path, fps: str, frames: tuple[int, ...]
) -> None:
    starts = [first_sample(sum(frames[:k]), rate(fps)) for k in range(len(frames) + 1)]
    lengths = np.diff(starts).tolist()
    sounds = [click(n, 9600) if n > 20000 else None for n in lengths]
    out = join(tmp_path, *make_film(tmp_path / "in", frames, sounds, fps))
    times, shades = seen(out / "film")
    assert len(times) == sum(frames)
    assert len(set(np.diff(times))) == 1
    assert times[0] == 0
    firsts = [sum(frames[:k]) for k in range(len(frames))]
    for number, first in enumerate(firsts, 1):
        assert shades[first] == pytest.approx(40 + 20 * number, abs=4)
    sound = heard(out / "film")
    for start, given in zip(starts, sounds, strict=False):
        if given is not None:
            part = sound[start + 4800 : start + 20000]
            lags = [float(np.dot(part[4800 + lag : 5280 + lag], given[9600:10080])) for lag in range(-48, 49)]
            assert abs(int(np.argmax(lags)) - 48) <= 1


def test_the_joined_sound_is_what_one_encoder_would_have_given_in_length(film: tuple[Path, Mp4.Params, Inputs]) -> None:
    out, params, _ = film
    total = sum(params.frames) * 1920
    assert total <= len(heard(out / "film")) < total + 1024
    with av.open(str(out / "film")) as file:
        video, audio = file.streams.video[0], file.streams.audio[0]
        assert video.duration * video.time_base == audio.duration * audio.time_base == sum(params.frames) / rate("25")


def test_loudness_is_that_of_the_film_as_it_is_heard(film: tuple[Path, Mp4.Params, Inputs]) -> None:
    out, _, _ = film
    told = json.loads((out / "loudness").read_text())
    level, _ = measured(heard(out / "film"))
    assert told["integrated"] == pytest.approx(level, abs=0.1)
    assert told["integrated"] == pytest.approx(-16, abs=0.5)
    assert told["true_peak"] < -1.5
    assert told["scenes"][1] == {"integrated": None, "true_peak": None}


def test_the_index_comes_first_and_holds_no_date(film: tuple[Path, Mp4.Params, Inputs]) -> None:
    data = (film[0] / "film").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert b"creation_time" not in data
    at = data.index(b"mvhd") + 8
    assert data[at : at + 8] == bytes(8)


def test_each_scene_is_a_chapter(film: tuple[Path, Mp4.Params, Inputs]) -> None:
    with av.open(str(film[0] / "film")) as file:
        chapters = file.chapters()
    assert [c["metadata"]["title"] for c in chapters] == ["Scene 1", "Scene 2", "Scene 3"]
    assert [c["start"] * c["time_base"] for c in chapters] == [0, rate("40/25"), rate("56/25")]


def test_captions_are_a_track_and_two_files(film: tuple[Path, Mp4.Params, Inputs]) -> None:
    out = film[0]
    assert (out / "vtt").read_text() == (
        "WEBVTT\n\n00:00:00.250 --> 00:00:01.600\nAsk once.\n\n00:00:02.490 --> 00:00:03.490\nAsk once.\n\n"
    )
    assert (out / "srt").read_text().startswith("1\n00:00:00,250 --> 00:00:01,600\nAsk once.\n\n2\n")
    with av.open(str(out / "film")) as file:
        packets = [(p.pts, bytes(p)[2:]) for p in file.demux(subtitles=0) if p.size]
    assert [text for _, text in packets if text] == [b"Ask once.", b"Ask once."]
    assert [pts for pts, text in packets if text] == [12000, 56 * 1920 + 12000]


@pytest.mark.parametrize("mode", ["off", "burned"])
def test_captions_not_soft_are_no_track(film: tuple[Path, Mp4.Params, Inputs], tmp_path: Path, mode: str) -> None:
    _, params, inputs = film
    out = join(tmp_path, dataclasses.replace(params, captions=mode), inputs)
    with av.open(str(out / "film")) as file:
        assert [stream.type for stream in file.streams] == ["video", "audio", "data"]
    assert "Ask once." in (out / "vtt").read_text()


def test_the_film_says_that_it_is_synthetic(film: tuple[Path, Mp4.Params, Inputs]) -> None:
    out, params, _ = film
    with av.open(str(out / "film")) as file:
        assert file.metadata["title"] == params.title
        assert file.metadata["comment"] == "This film and its voice are synthetic: made from a storyboard with mikebot."
        assert [stream.language for stream in file.streams][1:] == ["eng", "eng", "eng"]
    data = (out / "film").read_bytes()
    assert b'DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic"' in data
    assert b"What is &lt;a&gt; firewall &amp; why?" in data


def test_the_poster_is_a_frame_a_third_into_its_scene(film: tuple[Path, Mp4.Params, Inputs]) -> None:
    with Image.open(film[0] / "poster") as poster:
        assert (poster.format, poster.size) == ("JPEG", (WIDTH, HEIGHT))
        # Frame 13 of scene 1 has luma 60 + 13 * 4, which in RGB is (112 - 16) * 255 / 219.
        assert np.asarray(poster).mean() == pytest.approx((112 - 16) * 255 / 219, abs=3)


def test_the_poster_is_not_black_where_the_scene_has_light(tmp_path: Path) -> None:
    dark = write_scene(tmp_path / "dark.mp4", 24, shade=-20)  # A third in: luma 12; in the middle: 28.
    draw(dark, 24, tmp_path / "poster", 90)
    with Image.open(tmp_path / "poster") as poster:
        assert np.asarray(poster).mean() == pytest.approx((28 - 16) * 255 / 219, abs=3)


def test_the_same_inputs_give_the_same_bytes(film: tuple[Path, Mp4.Params, Inputs], tmp_path: Path) -> None:
    out, params, inputs = film
    again = join(tmp_path, params, inputs)
    for name in ("film", "vtt", "srt", "poster", "loudness"):
        assert (again / name).read_bytes() == (out / name).read_bytes()


def refused(params: Mp4.Params, inputs: Inputs, folder: Path) -> str:
    with pytest.raises(BackendError) as caught:
        Mp4().run(params, inputs, folder, Quiet())
    return str(caught.value)


def test_a_scene_encoded_otherwise_is_named(film: tuple[Path, Mp4.Params, Inputs], tmp_path: Path) -> None:
    _, params, inputs = film
    other = write_scene(tmp_path / "x", 16, options=":ref=5:cabac=0")
    assert refused(params, Inputs(inputs | {"scene.0002": other}), tmp_path) == (
        "scene 2 is not encoded like scene 1, so they cannot be joined\n"
        "  Render every scene with one version of the scene backend: raise its version to make them again."
    )


def test_a_scene_of_another_length_or_rate_is_named(film: tuple[Path, Mp4.Params, Inputs], tmp_path: Path) -> None:
    _, params, inputs = film
    short = write_scene(tmp_path / "short", 15)
    assert refused(params, Inputs(inputs | {"scene.0002": short}), tmp_path) == (
        "scene 2 has 15 frames, the film wants 16\n  Plan it again."
    )
    fast = write_scene(tmp_path / "fast", 16, "30")
    assert refused(params, Inputs(inputs | {"scene.0002": fast}), tmp_path) == (
        "scene 2 is 64x48 at 30 frames a second, the film 64x48 at 25\n"
        "  The scene's backend must make the size and rate that it is asked for."
    )


def test_sound_made_for_another_place_is_named(film: tuple[Path, Mp4.Params, Inputs], tmp_path: Path) -> None:
    _, params, inputs = film
    moved = Inputs(inputs | {"packets.0002": inputs["packets.0003"]})
    assert refused(params, moved, tmp_path) == (
        "the sound of scene 2 was made for another place or length\n  Plan it again."
    )


def test_knobs_are_checked(film: tuple[Path, Mp4.Params, Inputs]) -> None:
    params = dataclasses.replace(film[1], source='"><x', quality=0, captions="loud")
    assert Mp4().check(params) == [
        "source must be a term of IPTC's digital source types, not '\"><x'",
        "quality must be from 1 to 95, not 0",
        "captions must be soft, burned or off, not 'loud'",
    ]
