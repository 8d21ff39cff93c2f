"""What a file that an author brings really holds: told by its content, never by its name.

Nothing here lets a file reach another one. Containers are opened through a Python file object with the demuxer
chosen from the first bytes, out of a short list, so playlists, concat lists and images of sequences are never
tried; and no protocol is available to what such a file names.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

PICTURES = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
MOST_PIXELS = 100_000_000
MOST_SIDE = 20_000
MOST_HOURS = 4
VIDEO_HINT = "Bring it as MP4, MOV, MKV or WebM."
AUDIO_HINT = "Bring it as WAV, FLAC, MP3, Ogg or M4A."
IMAGE_HINT = "Bring it as PNG, JPEG, WebP, GIF, BMP or TIFF."
CUT = "The file may be cut off or damaged: copy or export it again."


class Unreadable(Exception):
    """A file is not media that can be read; `message` says why, `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Facts(NamedTuple):
    """Size in pixels as shown (turned, if it is to be turned), and length in seconds."""

    width: int
    height: int
    seconds: Fraction


def image(path: Path) -> tuple[int, int]:
    """Width and height of a picture; refuses before decoding what would be too large."""
    import warnings

    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=PICTURES) as picture:
                width, height = picture.size
                turned = _orientation(picture) in {5, 6, 7, 8}
                _check_size_of(width, height)
                _check_whole(picture)
    except Unreadable:
        raise
    except Image.DecompressionBombError:
        raise Unreadable("the picture is far too large", f"At most {MOST_PIXELS:,} pixels are read.") from None
    except Exception:  # Pillow's readers raise nearly anything on a damaged header.
        raise Unreadable("this is no picture that can be read", IMAGE_HINT) from None
    return (height, width) if turned else (width, height)


def _check_size_of(width: int, height: int) -> None:
    if width * height > MOST_PIXELS or max(width, height) > MOST_SIDE:
        limits = f"At most {MOST_PIXELS:,} pixels and {MOST_SIDE:,} a side are read: make it smaller."
        raise Unreadable(f"the picture has {width} x {height} pixels", limits)


def _check_whole(picture: Any) -> None:
    """Refuse a picture whose end is missing, as cheaply as its format allows: a PNG by the sums of its chunks."""
    try:
        if picture.format == "PNG":
            picture.verify()
        else:
            picture.draft("L", (1, 1))  # A JPEG is decoded at an eighth.
            picture.load()
    except Exception:
        raise Unreadable("the picture is cut off or damaged", "Copy or export it again.") from None


def _orientation(picture: Any) -> int:
    """EXIF's; a PNG is not asked unless it says so at its head, because asking it decodes it."""
    if picture.format == "PNG" and "exif" not in picture.info:
        return 1
    return int(picture.getexif().get(0x0112, 1))


def video(path: Path) -> Facts:
    """Size and length of a video, whose first frame must decode."""
    with open_media(path, VIDEO_HINT) as container:
        stream = stream_of(container, "video", VIDEO_HINT)
        frame = _first(container, stream)
        if max(frame.width, frame.height) > MOST_SIDE:
            raise Unreadable(f"the video has {frame.width} x {frame.height} pixels", "Make it smaller.")
        seconds = _length(container, stream)
        _check_end(container, stream, seconds)
        turned = round(frame.rotation / 90) % 2
        width, height = (frame.height, frame.width) if turned else (frame.width, frame.height)
        return Facts(width, height, seconds)


def audio(path: Path) -> Fraction:
    """Length of a recording in seconds; its first samples must decode."""
    with open_media(path, AUDIO_HINT) as container:
        stream = stream_of(container, "audio", AUDIO_HINT)
        _first(container, stream)
        seconds = _length(container, stream)
        _check_end(container, stream, seconds)
        return seconds


def heard(path: Path) -> bool:
    """Whether there is a stream of sound in a video."""
    with open_media(path, VIDEO_HINT) as container:
        return bool(container.streams.audio)


@contextmanager
def open_media(path: Path, hint: str = f"{VIDEO_HINT} {AUDIO_HINT}") -> Iterator[Any]:
    """Open a container for reading (PyAV), by its content. Raises Unreadable, also for what is read within."""
    import av

    with path.open("rb") as file:
        name = _demuxer(file.read(64), hint)
        _check_size(file, name)
        file.seek(0)
        options = {"protocol_whitelist": "", "enable_drefs": "0", "use_absolute_path": "0"}
        try:
            with av.open(file, "r", format=name, options=options if name == "mov" else {}) as container:
                yield container
        except (av.FFmpegError, ValueError, IndexError) as error:
            raise Unreadable(f"it cannot be read: {getattr(error, 'strerror', None) or error}", CUT) from None


def _demuxer(head: bytes, hint: str) -> str:
    """Which demuxer reads a file that begins like this."""
    if head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"}:
        return "mov"
    if head[:4] in {b"RIFF", b"RF64"} and head[8:12] == b"WAVE":
        return "wav"
    for start, name in ((b"\x1aE\xdf\xa3", "matroska"), (b"fLaC", "flac"), (b"OggS", "ogg"), (b"ID3", "mp3")):
        if head.startswith(start):
            return name
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06:
        return "mp3"
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith((b"#EXTM3U", b"ffconcat", b"file ", b"[playlist]", b"<")):
        raise Unreadable("this is a list of other files, not media itself", hint)
    raise Unreadable("this is no video or sound that can be read", hint)


def _check_size(file: Any, name: str) -> None:
    """Refuse a WAV that claims more sound than the file has."""
    if name != "wav":
        return
    size = file.seek(0, 2)
    at = 12
    while at + 8 <= size:
        file.seek(at)
        kind, length = struct.unpack("<4sI", file.read(8))
        if kind == b"data":
            if at + 8 + length > size and length != 0xFFFFFFFF:
                has = f"its header speaks of {length:,} bytes of sound, but {size - at - 8:,} are there"
                raise Unreadable(has, CUT)
            return
        at += 8 + length + length % 2


def stream_of(container: Any, kind: str, hint: str) -> Any:
    """The first video or sound of a container, a cover's picture aside. Raises Unreadable."""
    streams = [s for s in getattr(container.streams, kind) if not _cover(s)]
    if not streams:
        raise Unreadable(f"there is no {'sound' if kind == 'audio' else 'video'} in it", hint)
    stream = streams[0]
    if stream.codec_context is None:
        raise Unreadable("its codec is not known here", hint)
    stream.codec_context.thread_count = 1
    return stream


def _cover(stream: Any) -> bool:
    """A picture of a record's cover is no video."""
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def _first(container: Any, stream: Any) -> Any:
    for count, packet in enumerate(container.demux(stream)):
        for frame in packet.decode():
            return frame
        if count > 500:
            break
    raise Unreadable("nothing in it can be decoded", CUT)


def _length(container: Any, stream: Any) -> Fraction:
    if stream.duration:
        seconds = Fraction(stream.duration) * Fraction(stream.time_base)
    elif container.duration:
        seconds = Fraction(container.duration, 1_000_000)
    else:
        seconds = _counted(container, stream)
    if seconds <= 0:
        raise Unreadable("it is empty: nothing in it has a length", CUT)
    if seconds > MOST_HOURS * 3600:
        raise Unreadable(f"it lasts longer than {MOST_HOURS} hours", "Cut it into pieces.")
    return seconds


def _counted(container: Any, stream: Any) -> Fraction:
    """Where the last packet ends, for containers that do not say (WebM as browsers record it)."""
    container.seek(0)
    end = 0
    for packet in container.demux(stream):
        if packet.pts is not None:
            end = max(end, packet.pts + (packet.duration or 0))
    return Fraction(end) * Fraction(stream.time_base)


def _check_end(container: Any, stream: Any, seconds: Fraction) -> None:
    """Refuse a file whose last packets are missing: an index at the head outlives a cut."""
    start = stream.start_time or 0
    end = start + int(seconds / Fraction(stream.time_base))
    container.seek(max(start, end - int(2 / Fraction(stream.time_base))), stream=stream)
    last = start
    for packet in container.demux(stream):
        if packet.is_corrupt:
            raise Unreadable("its end is missing", CUT)
        if packet.size and packet.pts is not None:
            last = max(last, packet.pts + (packet.duration or 0))
    if (end - last) * Fraction(stream.time_base) > max(Fraction(1), seconds / 20):
        raise Unreadable("its end is missing", CUT)
