"""What a given file is, is told by its content; what it names is never opened; every refusal says what to do."""

from __future__ import annotations

import struct
import wave
import zlib
from fractions import Fraction
from pathlib import Path

import pytest
from media_kit import drawn, movie, sound_file, wav
from PIL import Image

from engine import probe

CUT = probe.CUT


def refused(look, path: Path) -> tuple[str, str]:
    with pytest.raises(probe.Unreadable) as caught:
        look(path)
    return caught.value.message, caught.value.hint


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.gif", "a.bmp", "a.tiff"])
def test_a_picture_has_a_size_whatever_its_name(tmp_path: Path, name: str) -> None:
    path = drawn(tmp_path / name).rename(tmp_path / "a.txt")
    assert probe.image(path) == (80, 60)


def test_a_photograph_on_its_side_is_told_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (80, 60)).save(tmp_path / "a.jpg", exif=exif)
    assert probe.image(tmp_path / "a.jpg") == (60, 80)


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    bomb = tmp_path / "a.png"
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    limit = "At most 100,000,000 pixels are read."
    assert refused(probe.image, bomb) == ("the picture is far too large", limit)


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    message = ("this is no picture that can be read", probe.IMAGE_HINT)
    assert refused(probe.image, tmp_path / "a.png") == message
    assert refused(probe.image, movie(tmp_path / "a.jpg", 2)) == message


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska"])
def test_a_video_has_a_size_and_a_length(tmp_path: Path, container: str) -> None:
    assert probe.video(movie(tmp_path / "v", container=container)) == (64, 48, Fraction(3))


@pytest.mark.parametrize(
    ("codec", "container"), [("flac", "flac"), ("libmp3lame", "mp3"), ("libopus", "ogg"), ("aac", "mp4")]
)
def test_a_recording_has_a_length(tmp_path: Path, codec: str, container: str) -> None:
    assert float(probe.audio(sound_file(tmp_path / "a", codec, container))) == pytest.approx(1.5, abs=0.06)


def test_a_wav_has_an_exact_length(tmp_path: Path) -> None:
    assert probe.audio(wav(tmp_path / "a.wav", 1.5)) == Fraction(3, 2)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXTINF:1,\n/etc/passwd\n",
        "ffconcat version 1.0\nfile /etc/passwd\n",
        "file '/etc/passwd'\n",
        "<MPD><BaseURL>file:///etc/passwd</BaseURL></MPD>",
    ],
)
def test_a_list_of_files_named_like_a_video_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.mp4"
    path.write_text(text)
    message = "this is a list of other files, not media itself"
    assert refused(probe.video, path) == (message, probe.VIDEO_HINT)
    assert refused(probe.audio, path) == (message, probe.AUDIO_HINT)


def test_anything_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"0123456789" * 50)
    assert refused(probe.video, path) == ("this is no video or sound that can be read", probe.VIDEO_HINT)


def test_a_wav_that_promises_more_than_it_has_is_refused(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", 1.5)
    whole = path.read_bytes()
    path.write_bytes(whole[:40] + struct.pack("<I", 2_000_000_000) + whole[44:])
    message = "its header speaks of 2,000,000,000 bytes of sound, but 132,300 are there"
    assert refused(probe.audio, path) == (message, CUT)


def test_a_recording_without_a_sample_is_refused(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 48000, 0, "NONE", ""))
    assert refused(probe.audio, tmp_path / "a.wav")[1] == CUT


def test_the_wrong_sort_of_stream_is_refused(tmp_path: Path) -> None:
    assert refused(probe.audio, movie(tmp_path / "v", 2)) == ("there is no sound in it", probe.AUDIO_HINT)
    assert refused(probe.video, wav(tmp_path / "a")) == ("there is no video in it", probe.VIDEO_HINT)


@pytest.mark.parametrize("faststart", [False, True])
def test_a_video_that_was_cut_off_is_refused(tmp_path: Path, faststart: bool) -> None:
    path = movie(tmp_path / "v", 100, (320, 240))
    if faststart:
        import av

        with av.open(str(path)) as source, av.open(str(tmp_path / "f"), "w", "mp4", {"movflags": "faststart"}) as to:
            stream = to.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.size:
                    packet.stream = stream
                    to.mux(packet)
        path = tmp_path / "f"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert refused(probe.video, path)[1] == CUT


def test_a_movie_that_keeps_its_pictures_elsewhere_opens_nothing(tmp_path: Path) -> None:
    """An MP4 may name another file as the place of its samples (ISO/IEC 14496-12, 8.7.2)."""
    whole = movie(tmp_path / "secret.mp4")
    data = whole.read_bytes()
    inside = struct.pack(">I4sI", 12, b"url ", 1)
    assert data.count(inside) == 1
    where = b"file://" + str(whole).encode() + b"\0"
    outside = struct.pack(">I4sI", 12 + len(where), b"url ", 0) + where
    at = data.index(inside)
    grown = bytearray(data[:at] + outside + data[at + 12 :])
    for name in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        head = grown.index(name) - 4
        size = struct.unpack_from(">I", grown, head)[0]
        struct.pack_into(">I", grown, head, size + len(where))
    for place in range(grown.index(b"mdat") + 4, grown.index(b"moov")):
        grown[place] = 0  # Its own samples are gone: only the other file has them.
    path = tmp_path / "outside.mp4"
    path.write_bytes(bytes(grown))
    with pytest.raises(probe.Unreadable):
        probe.video(path)
