"""The film's tracks, and the order in which their bytes lie: the chapters' names, then a second of each, side by side.

Readers go through all chapters before they show a frame (libavformat's do, and with it browsers'): strewn over a film
of a hundred scenes, they would be a hundred places to look at.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import BackendError
from ..kinds import PACKET, SAMPLE_RATE
from . import aac, mp4_read, mp4_words, mp4_write
from .boxes import box, full
from .captions import Cue
from .mp4_write import Chunk, Track

VIDEO, SOUND, CHAPTERS, SUBTITLES = range(4)  # The tracks, in the film's order.


class Part(NamedTuple):
    """One scene of the film: its picture, sound and captions."""

    start: int  # The film's frame at which it starts.
    begin: int  # The film's sample at which it starts.
    end: int  # The sample after its last.
    videos: tuple[mp4_read.Video, ...]  # The way into it, if it has one, and its own.
    sound: aac.Packets
    packets: Path
    title: str
    cues: list[Cue]  # In the film's samples.


def tracks(params: Any, parts: Sequence[Part], soft: bool) -> list[Track]:
    """The tables of all tracks; `soft` says whether there are subtitles."""
    total = parts[-1].end
    found = [_picture(params, parts), _sound(params, parts, total), _chapters(params, parts)]
    return [*found, _subtitles(params, parts, total)] if soft else found


def chunks(parts: Sequence[Part], second: int, soft: bool) -> Iterator[Chunk]:
    """The film's bytes; `second` is how many frames of a scene lie in a row."""
    titles = [mp4_words.chapter_sample(part.title) for part in parts]
    yield Chunk(CHAPTERS, len(titles), sum(map(len, titles)), data=b"".join(titles))
    for part in parts:
        yield from _scene(part, second, soft, part is parts[-1])


def _scene(part: Part, second: int, soft: bool, last: bool) -> Iterator[Chunk]:
    """The bytes of one scene: its captions first, then picture and sound."""
    if soft:
        texts = [data for _, data in _texts(part)]
        yield Chunk(SUBTITLES, len(texts), sum(map(len, texts)), data=b"".join(texts))
    spans = [
        (video, start, min(start + second, len(video.sizes)))
        for video in part.videos
        for start in range(0, len(video.sizes), second)
    ]
    frames, packets = sum(len(video.sizes) for video in part.videos), len(part.sound.sizes)
    sizes = [*part.sound.sizes, part.sound.tail] if last else part.sound.sizes
    heard, offset, done = 0, part.sound.offset, 0
    for video, start, end in spans:
        yield _footage(video, start, end)
        done += end - start
        until = packets * done // frames if done < frames else len(sizes)
        if until > heard:
            size = sum(sizes[heard:until])
            yield Chunk(SOUND, until - heard, size, part.packets, ((offset, size),))
            heard, offset = until, offset + size


def _picture(params: Any, parts: Sequence[Part]) -> Track:
    """Each frame is shown `early` ticks later than the sum of what was before, as the most reordered scene needs."""
    video = parts[0].videos[-1]
    early = max(-int(each.shifts.min()) for part in parts for each in part.videos)
    header = full(b"vmhd", 0, 1, bytes(8))
    track = Track(b"vide", header, video.entry, video.timescale, sum(params.frames) * video.delta, early)
    track.place, track.chapters = (0, 0, params.width, params.height), CHAPTERS + 1
    for part in parts:
        start = part.start
        for each in part.videos:
            track.sizes.append(each.sizes)
            track.lasts.append(np.full(len(each.sizes), video.delta))
            track.shifts.append(each.shifts + early)
            track.sync.append(each.sync + start)
            start += len(each.sizes)
    return track


def _sound(params: Any, parts: Sequence[Part], total: int) -> Track:
    """The film's packets; the first 1,024 samples that they give are from before the film."""
    if any(part.sound.config != parts[0].sound.config for part in parts):
        raise BackendError("the scenes' sound is not encoded alike, so it cannot be joined", "Make the sound again.")
    if aac.channels(parts[0].sound.config) != params.channels:
        raise BackendError(
            f"the scenes' sound is not of {params.channels} channels, as the film's is", "Plan it again."
        )
    track = Track(b"soun", full(b"smhd", 0, 0, bytes(4)), _sound_entry(parts[0].sound.config), SAMPLE_RATE, total)
    track.early, track.group = PACKET, 1
    track.language, track.tongue = mp4_words.language(params.language), params.language
    sizes = [size for part in parts for size in part.sound.sizes] + [parts[-1].sound.tail]
    track.sizes = [np.array(sizes, np.int64)]
    track.lasts = [np.full(len(sizes), PACKET)]
    return track


def _sound_entry(config: bytes) -> bytes:
    """mp4a with its elementary stream descriptor (ISO/IEC 14496-14, 5.6; 14496-1, 7.2.6)."""
    decoder = _descriptor(4, struct.pack(">BBHBII", 0x40, 0x15, 0, 0, 0, 0) + _descriptor(5, config))
    stream = _descriptor(3, struct.pack(">HB", 2, 0) + decoder + _descriptor(6, b"\x02"))
    fixed = struct.pack(">6xH8xHHIHH", 1, aac.channels(config), 16, 0, SAMPLE_RATE, 0)
    return box(b"mp4a", fixed, full(b"esds", 0, 0, stream))


def _descriptor(tag: int, payload: bytes) -> bytes:
    return bytes([tag, len(payload)]) + payload


def _chapters(params: Any, parts: Sequence[Part]) -> Track:
    video = parts[0].videos[-1]
    lasts = np.array(params.frames, np.int64) * video.delta
    track = Track(b"text", mp4_words.TEXT_HEADER, mp4_words.chapter_entry(), video.timescale, int(lasts.sum()))
    track.flags = mp4_write.IN_MOVIE
    track.sizes = [np.array([len(mp4_words.chapter_sample(part.title)) for part in parts])]
    track.lasts = [lasts]
    track.language, track.tongue = mp4_words.language(params.language), params.language
    return track


def _subtitles(params: Any, parts: Sequence[Part], total: int) -> Track:
    """Captions and the gaps between them, without a hole, to the film's last sample."""
    tall = params.height // 5
    track = Track(b"sbtl", mp4_words.NO_HEADER, mp4_words.subtitle_entry(params.height), SAMPLE_RATE, total)
    track.place, track.group = (0, params.height - tall, params.width, tall), 3
    track.language, track.tongue = mp4_words.language(params.language), params.language
    rows = [row for part in parts for row in _texts(part)]
    track.sizes = [np.array([len(data) for _, data in rows])]
    track.lasts = [np.array([lasts for lasts, _ in rows], np.int64)]
    return track


def _texts(part: Part) -> list[tuple[int, bytes]]:
    """How long each caption and each gap of a scene lasts, and its sample."""
    rows, at = [], part.begin
    for cue in part.cues:
        rows += [(cue.start - at, ""), (cue.end - cue.start, "\n".join(cue.lines))]
        at = cue.end
    rows.append((part.end - at, ""))
    return [(lasts, mp4_words.text_sample(text)) for lasts, text in rows if lasts > 0]


def _footage(video: mp4_read.Video, start: int, end: int) -> Chunk:
    """Frames of a scene; those that lie in a row in its file are one run."""
    offsets, sizes = video.offsets[start:end], video.sizes[start:end]
    breaks = np.flatnonzero(offsets[1:] != offsets[:-1] + sizes[:-1]) + 1
    starts = np.concatenate([[0], breaks])
    runs = zip(offsets[starts].tolist(), np.add.reduceat(sizes, starts).tolist(), strict=True)
    return Chunk(VIDEO, end - start, int(sizes.sum()), video.path, tuple(runs))
