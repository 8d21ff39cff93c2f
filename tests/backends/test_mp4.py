"""Reading a scene's MP4: what is told of its frames is true, and a file that lies is refused."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from film_kit import HEIGHT, WIDTH, write_scene

from engine.backends import mp4_read, mp4_words, mp4_write
from engine.backends.boxes import Malformed, box, children, full, wide


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scene(tmp_path_factory.mktemp("scene") / "scene.mp4", 30)


def test_frames_are_where_a_demuxer_finds_them(scene: Path) -> None:
    video = mp4_read.read(scene)
    with av.open(str(scene)) as file:
        packets = [p for p in file.demux(video=0) if p.size]
    assert (video.width, video.height, video.timescale / video.delta) == (WIDTH, HEIGHT, 25)
    assert video.sizes.tolist() == [p.size for p in packets]
    assert video.offsets.tolist() == [p.pos for p in packets]
    assert (np.arange(30) * video.delta + video.shifts).tolist() == [p.pts for p in packets]
    assert video.sync.tolist() == [n for n, p in enumerate(packets) if p.is_keyframe]


def test_a_single_frame_is_a_scene(tmp_path: Path) -> None:
    assert mp4_read.read(write_scene(tmp_path / "x", 1)).shifts.tolist() == [0]


def spoilt(scene: Path, folder: Path, kind: bytes, at: int, data: bytes) -> str:
    """What is said of the scene with bytes of one box changed."""
    whole = bytearray(scene.read_bytes())
    place = whole.index(kind) + 4 + at
    whole[place : place + len(data)] = data
    (folder / "x").write_bytes(whole)
    with pytest.raises(Malformed) as caught:
        mp4_read.read(folder / "x")
    return str(caught.value)


HUGE = struct.pack(">I", 0xFFFFFFF0)


@pytest.mark.parametrize(
    ("kind", "at", "data", "message"),
    [
        (b"moov", -8, HUGE, "the size of box b'moov' is wrong"),
        (b"trak", -8, struct.pack(">I", 7), "the size of box b'trak' is wrong"),
        (b"stsz", 8, HUGE, "it has no frames"),
        (b"stsz", 4, HUGE, "its frames are larger than the file"),
        (b"stsz", 12, HUGE, "its frames are larger than the file"),
        (b"stsz", 8, struct.pack(">I", 31), "box b'stsz' is shorter than it says"),
        (b"stts", 4, HUGE, "box b'stts' is shorter than it says"),
        (b"stts", 8, HUGE, "its frames do not last equally long"),
        (b"ctts", 8, HUGE, "it does not say of each frame when it is shown"),
        (b"ctts", 12, HUGE, "its frames do not follow each other evenly"),
        (b"stsc", 12, HUGE, "its chunks do not hold its frames"),
        (b"stsc", 8, HUGE, "its chunks are out of order"),
        (b"stco", 8, HUGE, "its frames lie outside the file"),
        (b"stco", 4, HUGE, "box b'stco' is shorter than it says"),
        (b"stss", 8, HUGE, "it does not begin with a frame that can be decoded by itself"),
        (b"elst", 4, struct.pack(">I", 2), "it is cut by an edit list"),
        (b"hdlr", 8, b"soun", "there is no video in it"),
        (b"stsd", 4, struct.pack(">I", 2), "it is not one video of one kind"),
        (b"stbl", 0, b"\0\0\0\x08free", "the size of box b'mdia' is wrong"),
    ],
)
def test_a_lie_is_refused(scene: Path, tmp_path: Path, kind: bytes, at: int, data: bytes, message: str) -> None:
    if kind == b"stbl":
        message = spoilt(scene, tmp_path, kind, at, data)
        assert message.startswith(("there is no box", "the size of box"))
    else:
        assert spoilt(scene, tmp_path, kind, at, data) == message


def test_garbage_is_refused_and_nothing_else_happens(scene: Path, tmp_path: Path) -> None:
    random.seed(3)
    whole = scene.read_bytes()
    start = whole.index(b"moov")
    for _ in range(300):
        spoiled = bytearray(whole)
        for _ in range(3):
            spoiled[random.randrange(start, len(whole))] = random.randrange(256)
        (tmp_path / "x").write_bytes(spoiled)
        try:
            found = mp4_read.read(tmp_path / "x")
        except Malformed:
            continue
        assert int((found.offsets + found.sizes).max()) <= len(whole)


@pytest.mark.parametrize("data", [b"", b"RIFF", b"#EXTM3U\n/etc/passwd\n" * 9, bytes(64)])
def test_what_is_no_mp4_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(Malformed):
        mp4_read.read(tmp_path / "x")


def test_boxes_nest_and_say_their_size() -> None:
    data = box(b"outr", full(b"innr", 1, 2, b"abc"))
    (outer,) = children(data, 0, len(data))
    (inner,) = children(data, outer.start, outer.end)
    assert (outer.kind, inner.kind, data[inner.start : inner.end]) == (b"outr", b"innr", b"\1\0\0\2abc")


def test_numbers_above_four_gigabytes_take_version_one() -> None:
    assert (wide(1, (1 << 32) - 1), wide(1, 1 << 32)) == ((0, "I"), (1, "Q"))


def test_a_film_above_four_gigabytes_has_wide_offsets(tmp_path: Path) -> None:
    sizes, hole = np.array([1 << 31, 1 << 31, 5]), tmp_path / "hole"
    track = mp4_write.Track(b"vide", full(b"vmhd", 0, 1, bytes(8)), box(b"avc1", bytes(78)), 25, 3)
    track.sizes, track.lasts = [sizes], [np.ones(3, np.int64)]
    chunks = [mp4_write.Chunk(0, 1, int(size), hole, ((0, int(size)),)) for size in sizes]
    index = mp4_write._index([track], chunks, 25, b"", 1000, True)
    at = index.index(b"co64") + 8
    assert struct.unpack_from(">I3Q", index, at) == (3, 1000, 1000 + (1 << 31), 1000 + (1 << 32))


TAGS = [("en", "eng"), ("de-AT", "deu"), ("zh-Hans", "zho"), ("ita", "ita"), ("x-own", "und"), ("", "und")]


@pytest.mark.parametrize(("tag", "code"), TAGS)
def test_languages_have_three_letters(tag: str, code: str) -> None:
    assert mp4_words.language(tag) == code


def test_many_chapters_leave_the_short_list_out() -> None:
    titles = ["é" * 200] * 256
    assert b"chpl" not in mp4_words.udta("t", titles, range(256))
    assert ("é" * 127).encode() in mp4_words.udta("t", titles[:2], range(2))
    assert ("é" * 128).encode() not in mp4_words.udta("t", titles[:2], range(2))


def test_control_characters_do_not_reach_the_xml() -> None:
    data = mp4_words.xmp("a\x00\x1b]]>&<b>", "en", "compositeSynthetic")
    assert b"a ]]&gt;&amp;&lt;b&gt;" in data
