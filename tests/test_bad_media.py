"""Whatever file an author brings as media, the answer is a message: the whole of it is in tests/golden/errors/."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from media_kit import drawn, movie, sound_file, wav
from PIL import Image
from test_bad_input import BOARD, golden, message

MP4_LIST = b"ffconcat version 1.0\nfile /etc/passwd\n"
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"


def written(data: bytes) -> Callable[[Path], object]:
    return lambda file: file.write_bytes(data)


def lying_wav(file: Path) -> None:
    """Speaks of two gigabytes of sound and has a second and a half."""
    data = bytearray(wav(file).read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = struct.pack("<I", 2_000_000_000)
    file.write_bytes(data)


def silent_wav(file: Path) -> None:
    """A header, and not one sample."""
    data = bytearray(wav(file).read_bytes()[:44])
    data[40:44] = bytes(4)
    file.write_bytes(data)


def huge_png(file: Path) -> None:
    """A whole PNG of 60,000 x 60,000 pixels, as far as its chunks tell."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(1_000_000))), (b"IEND", b"")]
    packed = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks]
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(packed))


def saved(form: str) -> Callable[[Path], object]:
    """A picture with something in it."""
    return lambda file: Image.effect_noise((320, 200), 60).convert("RGB").save(file, form)


def cut(make: Callable[[Path], object], share: float) -> Callable[[Path], object]:
    """A file whose end is missing."""

    def made(file: Path) -> None:
        make(file)
        data = file.read_bytes()
        file.write_bytes(data[: int(len(data) * share)])

    return made


def index_first(file: Path) -> None:
    """A film with its index at the head, as the web wants it."""
    plain, options = movie(file.with_suffix(".tmp"), 200), {"movflags": "faststart"}
    with av.open(str(plain)) as source, av.open(str(file), "w", format="mp4", options=options) as copy:
        track = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = track
                copy.mux(packet)
    plain.unlink()


def spoiled(make: Callable[[Path], object]) -> Callable[[Path], object]:
    """A file whose tables are whole and whose content is noise."""

    def made(file: Path) -> None:
        make(file)
        data = bytearray(file.read_bytes())
        at = data.index(b"mdat") + 4
        size = struct.unpack_from(">I", data, at - 8)[0] - 8
        data[at : at + size] = bytes(7 * place % 251 for place in range(size))
        file.write_bytes(data)

    return made


MADE: dict[str, tuple[str, str, Callable[[Path], object]]] = {
    "media-playlist-as-mp4": ("video", "film.mp4", written(PLAYLIST)),
    "media-concat-as-mp4": ("video", "film.mp4", written(MP4_LIST)),
    "media-concat-as-wav": ("audio", "voice.wav", written(b"file '/etc/passwd'\n")),
    "media-svg-as-png": ("image", "door.png", written(b"<svg xmlns='http://www.w3.org/2000/svg'/>")),
    "media-text-as-png": ("image", "door.png", written(b"a door, drawn with words\n" * 40)),
    "media-noise-as-mp4": ("video", "film.mp4", written(bytes(range(256)) * 64)),
    "media-sound-as-video": ("video", "film.mp4", lambda file: sound_file(file, "aac", "mp4")),
    "media-video-as-sound": ("audio", "voice.m4a", movie),
    "media-picture-as-video": ("video", "film.mp4", lambda file: drawn(file.with_suffix(".png")).rename(file)),
    "media-video-as-picture": ("image", "door.png", movie),
    "media-huge-png": ("image", "door.png", huge_png),
    "media-lying-wav": ("audio", "voice.wav", lying_wav),
    "media-silent-wav": ("audio", "voice.wav", silent_wav),
    "media-cut-mp4": ("video", "film.mp4", cut(movie, 0.5)),
    "media-cut-web-mp4": ("video", "film.mp4", cut(index_first, 0.6)),
    "media-cut-png": ("image", "door.png", cut(saved("PNG"), 0.7)),
    "media-cut-jpeg": ("image", "door.jpg", cut(saved("JPEG"), 0.7)),
    "media-cut-webp": ("image", "door.webp", cut(saved("WEBP"), 0.7)),
    "media-cut-flac": ("audio", "voice.flac", cut(lambda file: sound_file(file, "flac", "flac", 8.0), 0.01)),
    "media-spoiled-mp4": ("video", "film.mp4", spoiled(movie)),
    "media-spoiled-m4a": ("audio", "voice.m4a", spoiled(lambda file: sound_file(file, "aac", "mp4"))),
    "media-film-without-picture": ("video", "{file: film.mp4, sound: -6}", lambda file: sound_file(file, "aac", "mp4")),
    "media-silent-film-heard": ("video", "{file: film.mp4, sound: -6}", movie),
    "media-music-without-sound": ("music", "song.mp4", movie),
    "media-music-text": ("music", "{file: song.mp3, gain: -10}", written(b"la la la\n" * 40)),
    "media-music-playlist": ("music", "song.m3u", written(PLAYLIST)),
    "media-music-cut": ("music", "song.flac", cut(lambda file: sound_file(file, "flac", "flac", 8.0), 0.01)),
    "media-pipe": ("video", "film.mp4", os.mkfifo),
    "media-endless": ("audio", "voice.wav", lambda file: file.symlink_to("/dev/zero")),
    "media-outside": ("image", "door.png", lambda file: file.symlink_to("/etc/passwd")),
    "media-empty": ("video", "film.mp4", Path.touch),
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "projects/p").mkdir(parents=True)
    (tmp_path / "personas").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.skipif(os.name == "nt", reason="pipes and links are made as POSIX has them")
@pytest.mark.parametrize("name", MADE)
def test_media_that_cannot_be_taken(root: Path, name: str) -> None:
    field, said, make = MADE[name]
    make(root / "projects/p" / said.removeprefix("{file: ").partition(",")[0])
    place = "" if field == "music" else "    "
    (root / "projects/p/storyboard.yaml").write_text(f"{BOARD}{place}{field}: {said}\n")
    golden(name, message(root))
