"""Reads where the frames of a scene's MP4 lie, and when they are shown; never a frame itself.

A track's sample table (ISO/IEC 14496-12, 8.5 to 8.7) says: stsz, the bytes of each frame; stsc and stco or co64,
which frames make a chunk, and where it begins; stts, how long a frame lasts; ctts, how much later than decoded it
is shown; stss, which frames can be decoded by themselves; stsd, the codec and its parameters (14496-15). An edit
list (8.6.6) says at which time showing begins.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .boxes import Box, Malformed, box, children, fields, find, header, need

Numbers = NDArray[np.int64]

LARGEST_INDEX = 1 << 26  # Bytes of moov: a scene of ten minutes at 120 frames a second has 2 MB.
VISUAL = 78  # Bytes of a visual sample entry before its boxes (14496-12, 12.1.3).
ABOUT_THE_FILE = {b"btrt"}  # Bit rates: true of one scene, not of the film.


class Video(NamedTuple):
    """The picture of one scene: frames in the order of decoding."""

    path: Path
    width: int
    height: int
    entry: bytes  # The sample entry: what a decoder must know, the same for all scenes of a film.
    timescale: int  # Ticks a second.
    delta: int  # Ticks that a frame lasts.
    sizes: Numbers  # Bytes of each frame.
    offsets: Numbers  # Where in the file each frame begins.
    shifts: Numbers  # Ticks from the time of decoding to that of showing, less those of the first frame shown.
    sync: Numbers  # Frames, counted from 0, that can be decoded by themselves.


def read(path: Path) -> Video:
    """The video of an MP4. Raises Malformed, saying what is wrong with it."""
    with path.open("rb") as file:
        length = file.seek(0, 2)
        data = _index(file, length)
    for trak in children(data, 0, len(data)):
        if trak.kind == b"trak":
            media = need(data, trak, b"mdia")
            if data[(at := need(data, media, b"hdlr").start + 8) : at + 4] == b"vide":
                return _video(path, data, trak, length)
    raise Malformed("there is no video in it")


def _index(file: BinaryIO, length: int) -> bytes:
    """The payload of moov."""
    place = 0
    while place < length:
        file.seek(place)
        kind, head, size = header(file.read(16), length - place)
        if kind == b"moov":
            if size > LARGEST_INDEX:
                raise Malformed("its index is too large")
            file.seek(place + head)
            return file.read(size - head)
        place += size
    raise Malformed("it has no index")


def _video(path: Path, data: bytes, trak: Box, length: int) -> Video:
    table = need(data, trak, b"mdia", b"minf", b"stbl")
    sizes = _sizes(data, need(data, table, b"stsz"), length)
    delta = _delta(data, need(data, table, b"stts"), len(sizes))
    timescale = _timescale(data, need(data, trak, b"mdia", b"mdhd"))
    entry, width, height = _entry(data, need(data, table, b"stsd"))
    shown = _shifts(data, find(data, table, b"ctts"), len(sizes))
    start = _start(data, find(data, trak, b"edts", b"elst"))
    times = np.sort(np.arange(len(sizes)) * delta + shown)
    if not np.array_equal(times, start + np.arange(len(sizes)) * delta):
        raise Malformed("its frames do not follow each other evenly")
    offsets = _offsets(data, table, sizes, length)
    sync = _sync(data, find(data, table, b"stss"), len(sizes))
    return Video(path, width, height, entry, timescale, delta, sizes, offsets, shown - start, sync)


def _column(data: bytes, inside: Box, at: int, count: int, shape: str = ">u4") -> NDArray[Any]:
    """Numbers in a row, `at` bytes into a box. Raises Malformed if the box holds fewer."""
    kind = np.dtype(shape)
    if inside.start + at + count * kind.itemsize > inside.end:
        raise Malformed(f"box {inside.kind!r} is shorter than it says")
    return np.frombuffer(data, kind, count, inside.start + at).astype(np.int64)


def _pairs(data: bytes, inside: Box, second: str = ">u4") -> tuple[Numbers, Numbers]:
    (count,) = fields(data, inside, 4, ">I")
    both = _column(data, inside, 8, 2 * count), _column(data, inside, 8, 2 * count, second)
    return both[0][0::2], both[1][1::2]


def _sizes(data: bytes, inside: Box, length: int) -> Numbers:
    same, count = fields(data, inside, 4, ">II")
    if not 0 < count <= length:
        raise Malformed("it has no frames")
    sizes = np.full(count, same, np.int64) if same else _column(data, inside, 12, count)
    if int(sizes.sum()) > length:
        raise Malformed("its frames are larger than the file")
    return sizes


def _delta(data: bytes, inside: Box, count: int) -> int:
    counts, deltas = _pairs(data, inside)
    if int(counts.sum()) != count or len(set(deltas.tolist())) != 1 or deltas[0] < 1:
        raise Malformed("its frames do not last equally long")
    return int(deltas[0])


def _timescale(data: bytes, inside: Box) -> int:
    (version,) = fields(data, inside, 0, ">B")
    (timescale,) = fields(data, inside, 20 if version else 12, ">I")
    return timescale


def _entry(data: bytes, inside: Box) -> tuple[bytes, int, int]:
    """The sample entry without what is true of this file alone, and the picture's size."""
    (count,) = fields(data, inside, 4, ">I")
    entry = next(children(data, inside.start + 8, inside.end), None)
    if count != 1 or entry is None or entry.end - entry.start < VISUAL:
        raise Malformed("it is not one video of one kind")
    fixed = bytearray(data[entry.start : entry.start + VISUAL])
    fixed[42:74] = bytes(32)  # The encoder's name.
    inner = [child for child in children(data, entry.start + VISUAL, entry.end) if child.kind not in ABOUT_THE_FILE]
    parts = [box(child.kind, data[child.start : child.end]) for child in inner]
    width, height = fields(data, entry, 24, ">HH")
    return box(entry.kind, bytes(fixed), *parts), width, height


def _shifts(data: bytes, inside: Box | None, count: int) -> Numbers:
    """For each frame, how much later than decoded it is shown; version 1 may say earlier."""
    if inside is None:
        return np.zeros(count, np.int64)
    counts, shifts = _pairs(data, inside, ">i4")
    if int(counts.sum()) != count:
        raise Malformed("it does not say of each frame when it is shown")
    shown: Numbers = np.repeat(shifts, counts)
    return shown


def _start(data: bytes, inside: Box | None) -> int:
    """The time at which showing begins."""
    if inside is None:
        return 0
    version, count = fields(data, inside, 0, ">B")[0], fields(data, inside, 4, ">I")[0]
    start = fields(data, inside, 8, ">Qq" if version else ">Ii")[1] if count == 1 else -1
    if start < 0:
        raise Malformed("it is cut by an edit list")
    return start


def _offsets(data: bytes, table: Box, sizes: Numbers, length: int) -> Numbers:
    """Where each frame begins: its chunk's place, and the sizes of the frames before it in the chunk."""
    places = find(data, table, b"stco")
    shape = ">u4" if places else ">u8"
    places = places or need(data, table, b"co64")
    chunks = _column(data, places, 8, fields(data, places, 4, ">I")[0], shape)
    held = _held(data, need(data, table, b"stsc"), len(chunks))
    if int(held.sum()) != len(sizes):
        raise Malformed("its chunks do not hold its frames")
    ends = np.cumsum(sizes)
    first = np.concatenate([[0], np.cumsum(held)[:-1]])
    before = ends - sizes
    offsets: Numbers = before + np.repeat(chunks - before[first], held)
    if int(offsets.min()) < 0 or int((offsets + sizes).max()) > length:
        raise Malformed("its frames lie outside the file")
    return offsets


def _held(data: bytes, inside: Box, chunks: int) -> Numbers:
    """How many frames each chunk holds."""
    (count,) = fields(data, inside, 4, ">I")
    rows = _column(data, inside, 8, 3 * count).reshape(-1, 3)
    starts = np.concatenate([rows[:, 0], [chunks + 1]])
    if count < 1 or starts[0] != 1 or (np.diff(starts) < 1).any() or (rows[:, 1] < 1).any():
        raise Malformed("its chunks are out of order")
    held: Numbers = np.repeat(rows[:, 1], np.diff(starts))
    return held


def _sync(data: bytes, inside: Box | None, count: int) -> Numbers:
    if inside is None:
        return np.arange(count)
    frames = _column(data, inside, 8, fields(data, inside, 4, ">I")[0]) - 1
    if not len(frames) or frames[0] != 0 or int(frames.max()) >= count:
        raise Malformed("it does not begin with a frame that can be decoded by itself")
    return frames
