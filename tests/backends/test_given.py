"""What an author brings is shown and heard as it is, brought only to the film's size and rate."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest
from media_kit import drawn, movie, sound_file, wav
from PIL import Image

from engine.backends.given import Footage, FootageParams, Picture, PictureParams, Recording, RecordingParams
from engine.errors import BackendError
from engine.kinds import Inputs


class Quiet:
    def progress(self, done: int, total: int) -> None:
        assert 0 <= done <= total


def show(tmp_path: Path, source: Path, width: int = 64, height: int = 36) -> Image.Image:
    Picture().run(PictureParams("", width, height, 0), Inputs(image=source), tmp_path, Quiet())
    with Image.open(tmp_path / "image") as shown:
        shown.load()
    return shown


def record(tmp_path: Path, source: Path, text: str = "one three five", language: str = "en") -> tuple[np.ndarray, dict]:
    facts = Recording().run(RecordingParams(text, language), Inputs(recording=source), tmp_path, Quiet())
    with wave.open(str(tmp_path / "audio")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 48000)
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    timing = json.loads((tmp_path / "timing").read_text("utf-8"))
    assert facts == {"samples": len(sound)}
    assert (timing["rate"], timing["samples"]) == (48000, len(sound))
    return sound, timing


def test_a_picture_is_scaled_to_cover_and_cut_around_its_middle(tmp_path: Path) -> None:
    source = Image.new("RGB", (300, 100), (255, 0, 0))
    source.paste((0, 0, 255), (100, 0, 200, 100))
    source.save(tmp_path / "a.png")
    shown = show(tmp_path, tmp_path / "a.png", 64, 64)
    assert (shown.size, shown.mode, shown.format) == ((64, 64), "RGB", "PNG")
    assert shown.getpixel((5, 32)) == shown.getpixel((58, 32)) == (0, 0, 255)


def test_a_photograph_stands_upright(tmp_path: Path) -> None:
    source = Image.new("RGB", (100, 100), (0, 0, 0))
    source.paste((255, 255, 255), (0, 0, 50, 100))
    exif = Image.Exif()
    exif[0x0112] = 6  # To be turned a quarter clockwise: its left is the top.
    source.save(tmp_path / "a.jpg", exif=exif)
    shown = show(tmp_path, tmp_path / "a.jpg")
    assert shown.getpixel((32, 2)) == (255, 255, 255)
    assert shown.getpixel((32, 33)) == (0, 0, 0)


def test_black_shows_through_what_is_transparent(tmp_path: Path) -> None:
    shown = show(tmp_path, drawn(tmp_path / "a.png", mode="RGBA", colour=(200, 100, 50, 128)))
    assert shown.getpixel((5, 5)) == (100, 50, 25)


def test_sixteen_bits_a_channel_are_scaled(tmp_path: Path) -> None:
    Image.fromarray(np.full((20, 20), 32768, np.uint16)).save(tmp_path / "a.png")
    assert show(tmp_path, tmp_path / "a.png").getpixel((5, 5)) == (128, 128, 128)


def test_a_video_is_kept_unchanged_and_its_last_frame_shown(tmp_path: Path) -> None:
    source = movie(tmp_path / "v.mp4", frames=30)
    params = FootageParams("", 1, 0, "25", 64, 36, 0)
    Footage().run(params, Inputs(video=source), tmp_path, Quiet())
    assert (tmp_path / "video").read_bytes() == source.read_bytes()
    with Image.open(tmp_path / "last") as last:
        last.load()
    assert (last.size, last.mode, last.format) == ((64, 36), "RGB", "PNG")
    assert last.getpixel((30, 20))[0] == pytest.approx(40 + 5 * 29, abs=4)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_a_recording_becomes_48_khz_mono(tmp_path: Path, rate: int, channels: int) -> None:
    sound, _ = record(tmp_path, wav(tmp_path / "a.wav", 1.5, rate, channels))
    assert len(sound) == pytest.approx(1.5 * 48000, abs=60)
    assert np.abs(sound).max() == pytest.approx(9000, rel=0.05)


def test_a_compressed_recording_is_heard(tmp_path: Path) -> None:
    sound, _ = record(tmp_path, sound_file(tmp_path / "a", "libmp3lame", "mp3"))
    assert np.abs(sound).max() == pytest.approx(9000, rel=0.1)


def test_words_of_a_language_that_nobody_speaks_lie_where_something_is_heard_by_their_length(tmp_path: Path) -> None:
    _, timing = record(tmp_path, wav(tmp_path / "a.wav", 1.5, 48000), "ab abcd", "tlh")
    assert timing["method"] == "spread"
    (first, middle, one), (middle_too, last, two) = timing["words"]
    assert (one, two) == ("ab ", "abcd")
    assert first == pytest.approx(0.3 * 48000, abs=1000)
    assert last == pytest.approx(1.2 * 48000, abs=1000)
    assert middle == pytest.approx(0.6 * 48000, abs=1000)
    assert middle <= middle_too


def test_silence_is_added_where_it_is_missing(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "loud.wav"), "wb") as file:
        file.setparams((1, 2, 48000, 0, "NONE", ""))
        file.writeframes(np.full(4800, 5000, "<i2").tobytes())
    sound, _ = record(tmp_path, tmp_path / "loud.wav", "a b c d e f g h i j k l m n o p")
    assert len(sound) == 3 * 4800
    assert not sound[:4800].any()
    assert not sound[-4800:].any()


def test_a_silent_recording_still_has_its_words(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "still.wav"), "wb") as file:
        file.setparams((1, 2, 48000, 0, "NONE", ""))
        file.writeframes(bytes(9600))
    _, timing = record(tmp_path, tmp_path / "still.wav", "a b")
    assert "".join(word[2] for word in timing["words"]) == "a b"


def test_what_cannot_be_read_is_refused_with_a_hint(tmp_path: Path) -> None:
    bad = tmp_path / "a"
    bad.write_text("#EXTM3U\nother.ts\n")
    with pytest.raises(BackendError) as caught:
        record(tmp_path, bad)
    assert str(caught.value) == (
        "the recording that was given: this is a list of other files, not media itself\n"
        "  Bring it as WAV, FLAC, MP3, Ogg or M4A."
    )
    with pytest.raises(BackendError) as caught:
        show(tmp_path, bad)
    assert str(caught.value) == (
        "the picture that was given: this is no picture that can be read\n"
        "  Bring it as PNG, JPEG, WebP, GIF, BMP or TIFF."
    )


@pytest.mark.parametrize(
    "form", ["CMYK.jpg", "P.png", "LA.png", "L.gif", "1.tiff", "YCbCr.jpg", "RGB.bmp", "RGBA.webp"]
)
def test_pictures_of_every_sort_keep_their_colour(tmp_path: Path, form: str) -> None:
    mode = form.partition(".")[0]
    source = Image.new("RGB", (64, 36), (204, 51, 51) if mode not in {"L", "LA", "1"} else (255, 255, 255))
    source.convert(mode).save(tmp_path / form)
    seen = show(tmp_path, tmp_path / form).getpixel((30, 18))
    assert seen == pytest.approx(source.getpixel((30, 18)), abs=6)


def test_of_an_animation_the_first_picture_is_shown(tmp_path: Path) -> None:
    colours = [(0, 0, 255), (255, 0, 0), (0, 255, 0)]
    first, *rest = [Image.new("RGB", (64, 36), colour) for colour in colours]
    first.save(tmp_path / "a.gif", save_all=True, append_images=rest, duration=100)
    assert show(tmp_path, tmp_path / "a.gif").getpixel((30, 18)) == pytest.approx((0, 0, 255), abs=3)


@pytest.mark.parametrize(("size", "place"), [((90, 180), (60, 100)), ((180, 30), (100, 60))])
def test_a_picture_that_fits_is_seen_whole_on_a_soft_dark_ground(
    tmp_path: Path, size: tuple[int, int], place: tuple[int, int]
) -> None:
    source = Image.new("RGB", size, (200, 160, 120))
    for edge in ((0, 0, size[0], 4), (0, size[1] - 4, *size), (0, 0, 4, size[1]), (size[0] - 4, 0, *size)):
        source.paste((255, 255, 255), edge)
    source.save(tmp_path / "a.png")
    params = PictureParams("", 320, 180, 0, fit="fit")
    Picture().run(params, Inputs(image=tmp_path / "a.png"), tmp_path, Quiet())
    with Image.open(tmp_path / "image") as file:
        shown = np.asarray(file.convert("L")).astype(int)
    across, down = (90, 180) if size[0] < size[1] else (320, 54)
    left, top = (320 - across) // 2, (180 - down) // 2
    whole = shown[top : top + down, left : left + across]
    for rim in (whole[1], whole[-2], whole[:, 1], whole[:, -2]):
        assert rim.min() > 220
    ground = shown[:, : left - 2] if left else shown[: top - 2]
    assert 20 < ground.min() <= ground.max() < 110
    assert np.abs(np.diff(ground, axis=0)).max() <= 5


def test_a_picture_of_the_film_s_shape_is_the_same_either_way(tmp_path: Path) -> None:
    drawn(tmp_path / "a.png", (640, 360))
    filled = show(tmp_path, tmp_path / "a.png").tobytes()
    Picture().run(PictureParams("", 64, 36, 0, fit="fit"), Inputs(image=tmp_path / "a.png"), tmp_path, Quiet())
    with Image.open(tmp_path / "image") as file:
        assert file.tobytes() == filled
    assert Picture().check(PictureParams("", 64, 36, 0, fit="squeeze")) == ["fit is 'squeeze'; it takes fill or fit"]
