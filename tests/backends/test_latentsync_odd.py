"""talk.latentsync given what people really have: it gives a right film, or says what is wrong and what to do.

Right is: as many frames as the film asks for, and every pixel beside the mouth bit for bit as it was.
"""

from __future__ import annotations

import shutil
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_lips
import torch
from lips_kit import SIZE, Spoken, backend, differing, models, params
from picture_kit import decoded
from safetensors.torch import load_file, save_file
from tiny_lips import portrait

from engine.backends import lossless, sync_sound
from engine.backends.latentsync import LatentSync
from engine.errors import BackendError

HEAD = 62
MIDDLE = (SIZE[0] / 2, SIZE[1] / 2 - 2)


def still(frames: int = 8, size: tuple[int, int] = SIZE, place: tuple[float, float] = MIDDLE) -> list[Any]:
    """A head, not quite still."""
    return [portrait(*size, place[0] + number % 2, place[1], HEAD) for number in range(frames)]


def spoken_by(made: Path, pictures: list[Any], place: tuple[float, float] = MIDDLE, head: float = HEAD) -> None:
    """Each picture has a frame of its own with another mouth, and nothing else has changed."""
    shown = decoded(made)
    assert len(shown) == len(pictures)
    for frame, picture in zip(shown, pictures, strict=True):
        rows, columns = np.nonzero((frame != picture).any(-1))
        assert len(rows) > 200
        assert place[1] - 0.15 * head < rows.min() <= rows.max() < place[1] + 0.85 * head
        assert np.abs(columns - place[0]).max() < 0.75 * head


def untouched(made: Path, pictures: list[Any]) -> str:
    """What the video says of itself, if all of its frames are as they were."""
    np.testing.assert_array_equal(decoded(made), pictures)
    return lossless.note(made)


def recorded(path: Path, seconds: float, rate: int = 48000, channels: int = 1, level: float = 0.3) -> Path:
    """A chirp of up to 3 kHz."""
    at = np.arange(round(seconds * rate)) / rate
    sound = level * np.sin(2 * np.pi * (200 + 1400 * at) * at)
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(np.repeat(np.rint(sound * 32767).astype("<i2"), channels).tobytes())
    return path


def test_a_sound_that_is_longer_than_the_video(tmp_path: Path) -> None:
    said = Spoken(tmp_path, still())
    said.audio = recorded(tmp_path / "long.wav", 3)
    spoken_by(said.run(), said.pictures)


def test_a_sound_that_is_shorter_than_the_video_goes_on_as_silence(tmp_path: Path) -> None:
    said = Spoken(tmp_path, still(16))
    said.audio = recorded(tmp_path / "short.wav", 0.2)
    spoken_by(said.run(), said.pictures)
    heard = sync_sound.read(said.audio, 16 / 25)
    assert len(heard) >= 16000 * 16 / 25
    assert not heard[int(0.22 * 16000) :].any()


def test_a_video_that_is_shorter_than_the_film_holds_its_last_frame(tmp_path: Path) -> None:
    said = Spoken(tmp_path, still())
    spoken_by(said.run(12), [*said.pictures, *[said.pictures[-1]] * 4])


def test_silence_is_given_a_mouth_where_no_words_are_known(tmp_path: Path) -> None:
    said = Spoken(tmp_path, still())
    said.audio = recorded(tmp_path / "silent.wav", 1, level=0)
    spoken_by(said.run(), said.pictures)


def test_a_sound_of_no_length(tmp_path: Path) -> None:
    said = Spoken(tmp_path, still(2))
    said.audio = recorded(tmp_path / "none.wav", 0)
    with pytest.raises(BackendError) as told:
        said.run(parity=True)
    assert told.value.message == "the sound is too short: it is less than 20 ms"
    spoken_by(said.run(), said.pictures)


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (96000, 1), (44100, 2)])
def test_sounds_of_any_rate_are_heard_alike(tmp_path: Path, rate: int, channels: int) -> None:
    said = Spoken(tmp_path, still())
    usual = sync_sound.read(recorded(tmp_path / "16.wav", 1, 16000))
    said.audio = recorded(tmp_path / "odd.wav", 1, rate, channels)
    odd = sync_sound.read(said.audio)
    both = min(len(usual), len(odd)) - 200
    assert abs(len(usual) - len(odd)) < 40
    assert float((usual - odd)[200:both].abs().max()) < 0.02
    spoken_by(said.run(), said.pictures)


def test_a_film_of_one_frame(tmp_path: Path) -> None:
    said = Spoken(tmp_path, still(1))
    spoken_by(said.run(), said.pictures)


@pytest.mark.parametrize("size", [(127, 95), (96, 160)], ids=["odd", "upright"])
def test_a_video_of_another_shape(tmp_path: Path, size: tuple[int, int]) -> None:
    place = (size[0] / 2, size[1] / 2 - 2)
    said = Spoken(tmp_path, still(8, size, place))
    spoken_by(said.run(), said.pictures, place)


def test_a_film_of_fewer_frames_a_second_than_the_model_makes(tmp_path: Path) -> None:
    said = Spoken(tmp_path, still(20), fps="12")
    spoken_by(said.run(fps="12"), said.pictures)


def test_a_video_whose_frames_last_for_different_times(tmp_path: Path) -> None:
    times = [0, 4, 20, 24, 60]  # Hundredths of a second.
    said = Spoken(tmp_path, still(5))
    said.clip = tiny_lips.clip(tmp_path / "odd.mp4", said.pictures, times=times)
    due = [max(n for n, time in enumerate(times) if time <= 4 * frame + 2) for frame in range(18)]
    spoken_by(said.run(18), [said.pictures[n] for n in due])


@pytest.mark.parametrize("place", [(27, 46), (101, 46), (64, 66)], ids=["left", "right", "bottom"])
def test_a_face_at_the_edge(tmp_path: Path, place: tuple[float, float]) -> None:
    said = Spoken(tmp_path, still(8, place=place))
    spoken_by(said.run(), said.pictures, place)


def test_a_face_that_is_too_small_stays_as_it_is(tmp_path: Path) -> None:
    said = Spoken(tmp_path, [portrait(*SIZE, 64, 46, 40)] * 8)
    note = untouched(said.run(), said.pictures)
    assert note == "no lips follow the voice: 0.00-0.32 s (a face of less than 50 pixels)"


def test_a_drawn_face_stays_as_it_is_until_somebody_points_at_it(tmp_path: Path) -> None:
    said = Spoken(tmp_path, [tiny_lips.robot(number // 2) for number in range(8)])
    note = untouched(said.run(), said.pictures)
    assert note == "no lips follow the voice: 0.00-0.32 s (no face)"
    made = said.run(eyes=tiny_lips.LAMPS)
    assert all(differing(frame, picture) > 200 for frame, picture in zip(decoded(made), said.pictures, strict=True))
    assert lossless.note(made) == ""


def test_no_face_at_all(tmp_path: Path) -> None:
    rows, columns = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    said = Spoken(tmp_path, [np.stack([rows, columns, rows + columns], -1).astype(np.uint8)] * 4)
    note = untouched(said.run(), said.pictures)
    assert note == "no lips follow the voice: 0.00-0.16 s (no face)"


def changed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the tiny models, to do harm to."""
    for name in ("lips", "lips-vae"):
        shutil.copytree(models() / name, folder / name)
    monkeypatch.setenv("MIKEBOT_MODELS", str(folder))
    return folder


def refused() -> BackendError:
    """What is said when the models of MIKEBOT_MODELS are to be brought into memory."""
    said, made = params(1), LatentSync()
    assert made.check(said) == []
    with pytest.raises(BackendError) as told:
        made.load(made.model(said))
    return told.value


DAMAGED = {
    "lips/latentsync_unet.pt": (
        "latentsync_unet.pt cannot be read: it is cut off, damaged, or something else",
        "Fetch latentsync_unet.pt of LatentSync 1.5 (resolution 256) or 1.6 (512).",
    ),
    "lips/whisper/tiny.pt": (
        "tiny.pt cannot be read: it is cut off, damaged, or something else",
        "Fetch whisper/tiny.pt, which lies beside it.",
    ),
    "lips-vae/diffusion_pytorch_model.safetensors": (
        "the VAE lips-vae is cut off: it has 111,860 of 116,860 bytes",
        "Fetch or copy the file again.",
    ),
}


@pytest.mark.parametrize("file", DAMAGED)
def test_weights_that_are_cut_off(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = changed(tmp_path, monkeypatch) / file
    place.write_bytes(place.read_bytes()[:-5000])
    told = refused()
    assert (told.message, told.hint) == DAMAGED[file]


@pytest.mark.parametrize(
    ("file", "held", "named"),
    [
        ("lips/latentsync_unet.pt", "state_dict", "latentsync_unet.pt"),
        ("lips/whisper/tiny.pt", "model_state_dict", "tiny.pt"),
        ("lips-vae/diffusion_pytorch_model.safetensors", "", "the VAE lips-vae"),
    ],
)
def test_weights_that_are_no_numbers(
    file: str, held: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = changed(tmp_path, monkeypatch) / file
    saved = torch.load(place, weights_only=True) if held else load_file(place)
    tensors = saved[held] if held else saved
    name = list(tensors)[-1]
    tensors[name].view(-1)[0] = torch.nan
    (torch.save if held else save_file)(saved, place)
    assert refused().message == f"{named} is damaged: {name} has values that are no numbers"


def test_a_profile_for_512_with_a_model_for_256() -> None:
    (found,) = LatentSync.misfits({"model": "ByteDance/LatentSync-1.5", "resolution": 512})
    assert found == (
        ("resolution",),
        "ByteDance/LatentSync-1.5 is for faces of 256 x 256, not 512",
        "Remove resolution:, or name the other model: mouths would be blurred.",
    )
    assert LatentSync().check(params(1, model="ByteDance/LatentSync-1.5", resolution=512)) == [
        f"{found[1]} ({found[2]})"
    ]


def test_a_step_without_its_models_or_with_a_recipe(tmp_path: Path) -> None:
    said = Spoken(tmp_path, still(1))
    with pytest.raises(BackendError) as told:
        said.run(made=LatentSync())
    assert told.value.message == "no model is in memory"
    said.clip.write_text('{"recipe": "camera"}')
    with pytest.raises(BackendError) as told:
        said.run(made=backend())
    assert told.value.message == "talk.latentsync moves the lips of real video, and of no recipes"
    assert told.value.hint == "Use the talk backend mouth."
