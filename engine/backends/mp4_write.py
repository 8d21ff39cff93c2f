"""Writes an MP4 from sample tables and pieces of other files: the index first, the bytes copied as they are.

The boxes, in the file's order (ISO/IEC 14496-12; sections in brackets):

    ftyp (4.3)
    moov (8.2)
      mvhd                          times count from 0; no date anywhere
      trak (8.3), for each track
        tkhd, tref (8.3.3)          the video names its chapters
        edts/elst (8.6.6)           showing begins at `early`: what a codec needs before is not shown
        mdia (8.4)                  mdhd with the language, hdlr, minf
          stbl (8.5)                stsd, stts, ctts, stss, stsc, stsz, stco (co64 above 4 GB)
      udta                          names, comment, chapters once more (see mp4_words.py)
    uuid                            XMP
    mdat (8.1.1)                    chunks of about a second, those of all tracks side by side

A reader that plays while it loads needs the index first and what belongs together near each other.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .boxes import LIMIT, box, full, wide

Numbers = NDArray[np.int64]

MATRIX = struct.pack(">9I", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)  # Shown as it is.
ENABLED, IN_MOVIE = 1, 2
PIECE = 1 << 20  # Bytes copied at a time.
TELL_EACH = 16 << 20
BRAND = box(b"ftyp", b"isom", struct.pack(">I", 0x200), b"isomiso2avc1mp41")


class Chunk(NamedTuple):
    """Samples of one track that lie in a row: bytes of a file (`runs` of offset and size), or `data`."""

    track: int  # Counted from 0.
    samples: int
    size: int
    path: Path | None = None
    runs: tuple[tuple[int, int], ...] = ()
    data: bytes = b""


@dataclass
class Track:
    """One track's table; `lasts` and `shifts` are in ticks of its timescale."""

    handler: bytes
    header: bytes  # vmhd, smhd, nmhd or gmhd (12.1.2 to 12.6.2).
    entry: bytes  # The sample entry.
    timescale: int
    shown: int  # Ticks that are shown.
    early: int = 0  # Ticks decoded before the first that is shown.
    sizes: list[Numbers] = field(default_factory=list)
    lasts: list[Numbers] = field(default_factory=list)
    shifts: list[Numbers] = field(default_factory=list)
    sync: list[Numbers] = field(default_factory=list)
    language: str = "und"  # ISO 639-2/T.
    tongue: str = ""  # BCP 47 (8.4.6).
    flags: int = ENABLED | IN_MOVIE
    group: int = 0
    place: tuple[int, int, int, int] = (0, 0, 0, 0)  # x, y, width, height in pixels.
    chapters: int = 0  # The number of the track that holds this one's chapters.


def write(
    path: Path,
    tracks: Sequence[Track],
    chunks: Sequence[Chunk],
    timescale: int,
    extras: tuple[bytes, bytes],
    said: Callable[[int, int], None],
) -> None:
    """Write the file; `extras` are the payload of udta, and what stands between index and media."""
    total = sum(chunk.size for chunk in chunks)
    large = total + (1 << 26) >= LIMIT
    head = (
        len(BRAND) + len(_index(tracks, chunks, timescale, extras[0], 0, large)) + len(extras[1]) + (16, 8)[not large]
    )
    mdat = struct.pack(">I4sQ", 1, b"mdat", total + 16) if large else struct.pack(">I4s", total + 8, b"mdat")
    with path.open("wb") as film:
        film.write(BRAND + _index(tracks, chunks, timescale, extras[0], head, large) + extras[1] + mdat)
        _copy(film, chunks, total, said)


def _copy(film: BinaryIO, chunks: Sequence[Chunk], total: int, said: Callable[[int, int], None]) -> None:
    done, told = 0, -TELL_EACH
    for chunk in chunks:
        film.write(chunk.data)
        if chunk.path is not None:
            _piece(film, chunk)
        done += chunk.size
        if done - told >= TELL_EACH:
            said(done, total)
            told = done


def _piece(film: BinaryIO, chunk: Chunk) -> None:
    assert chunk.path is not None  # noqa: S101
    with chunk.path.open("rb", buffering=0) as file:
        for offset, size in chunk.runs:
            file.seek(offset)
            left = size
            while left:
                data = file.read(min(left, PIECE))
                if not data:
                    raise EOFError(chunk.path.name)
                film.write(data)
                left -= len(data)


def _index(
    tracks: Sequence[Track], chunks: Sequence[Chunk], timescale: int, udta: bytes, first: int, large: bool
) -> bytes:
    places = _places(tracks, chunks, first)
    lasts = max(_moved(track.shown, track.timescale, timescale) for track in tracks)
    version, wide_ = wide(lasts)
    times = struct.pack(f">{wide_}{wide_}I{wide_}", 0, 0, timescale, lasts)
    mvhd = full(
        b"mvhd", version, 0, times, struct.pack(">IH10x", 1 << 16, 1 << 8), MATRIX, bytes(24), _u4(len(tracks) + 1)
    )
    traks = [
        _trak(number, track, timescale, held, where, large)
        for number, (track, (held, where)) in enumerate(zip(tracks, places, strict=True), 1)
    ]
    return box(b"moov", mvhd, *traks, box(b"udta", udta))


def _places(tracks: Sequence[Track], chunks: Sequence[Chunk], first: int) -> list[tuple[Numbers, Numbers]]:
    """For each track, how many samples each of its chunks holds, and where it begins."""
    whose = np.array([chunk.track for chunk in chunks])
    held = np.array([chunk.samples for chunk in chunks], np.int64)
    sizes = np.array([chunk.size for chunk in chunks], np.int64)
    where = first + np.cumsum(sizes) - sizes
    return [(held[whose == track], where[whose == track]) for track in range(len(tracks))]


def _trak(number: int, track: Track, timescale: int, held: Numbers, where: Numbers, large: bool) -> bytes:
    lasts = _moved(track.shown, track.timescale, timescale)
    version, wide_ = wide(lasts, track.early)
    x, y, width, height = track.place
    matrix = MATRIX[:24] + struct.pack(">II", x << 16, y << 16) + MATRIX[32:]
    volume = 0x100 if track.handler == b"soun" else 0
    tkhd = full(
        b"tkhd",
        version,
        track.flags,
        struct.pack(f">{wide_}{wide_}II{wide_}8x", 0, 0, number, 0, lasts),
        struct.pack(">HHHH", 0, track.group, volume, 0),
        matrix,
        struct.pack(">II", width << 16, height << 16),
    )
    edit = struct.pack(f">I{wide_}{wide_}HH", 1, lasts, track.early, 1, 0)
    chapters = [box(b"tref", box(b"chap", _u4(track.chapters)))] if track.chapters else []
    return box(
        b"trak", tkhd, *chapters, box(b"edts", full(b"elst", version, 0, edit)), _media(track, held, where, large)
    )


def _media(track: Track, held: Numbers, where: Numbers, large: bool) -> bytes:
    lasts = int(sum(int(part.sum()) for part in track.lasts))
    version, wide_ = wide(lasts)
    mdhd = full(
        b"mdhd",
        version,
        0,
        struct.pack(f">{wide_}{wide_}I{wide_}HH", 0, 0, track.timescale, lasts, _packed(track.language), 0),
    )
    tongue = [full(b"elng", 0, 0, track.tongue.encode("ascii", "ignore") + b"\0")] if track.tongue else []
    hdlr = full(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, track.handler), b"mikebot\0")
    dinf = box(b"dinf", full(b"dref", 0, 0, _u4(1), full(b"url ", 0, 1)))
    return box(
        b"mdia", mdhd, hdlr, *tongue, box(b"minf", track.header, dinf, box(b"stbl", *_table(track, held, where, large)))
    )


def _table(track: Track, held: Numbers, where: Numbers, large: bool) -> list[bytes]:
    sizes = np.concatenate(track.sizes)
    table = [full(b"stsd", 0, 0, _u4(1), track.entry), _runs(b"stts", np.concatenate(track.lasts))]
    if any(part.any() for part in track.shifts):
        table.append(_runs(b"ctts", np.concatenate(track.shifts)))
    if track.sync:
        sync = np.concatenate(track.sync) + 1
        table.append(full(b"stss", 0, 0, _u4(len(sync)), _row(sync)))
    first = np.flatnonzero(np.diff(held, prepend=-1))
    rows = np.stack([first + 1, held[first], np.ones_like(first)], axis=1)
    table.append(full(b"stsc", 0, 0, _u4(len(rows)), _row(rows)))
    table.append(full(b"stsz", 0, 0, _u4(0), _u4(len(sizes)), _row(sizes)))
    table.append(full(b"co64" if large else b"stco", 0, 0, _u4(len(where)), _row(where, ">u8" if large else ">u4")))
    return table


def _runs(kind: bytes, values: Numbers) -> bytes:
    """A table that says how often each value stands in a row."""
    first = np.flatnonzero(np.diff(values, prepend=-1))
    rows = np.stack([np.diff(first, append=len(values)), values[first]], axis=1)
    return full(kind, 0, 0, _u4(len(rows)), _row(rows))


def _row(numbers: Numbers, shape: str = ">u4") -> bytes:
    return numbers.astype(shape).tobytes()


def _u4(value: int) -> bytes:
    return struct.pack(">I", value)


def _moved(ticks: int, timescale: int, to: int) -> int:
    """Ticks of one timescale in another."""
    return (ticks * to + timescale // 2) // timescale


def _packed(language: str) -> int:
    """Three letters in 15 bits (8.4.2)."""
    first, second, third = (ord(letter) - 0x60 for letter in language)
    return first << 10 | second << 5 | third
