"""The recordings that a voice is made of: found in folders, told by their content, decoded to 48 kHz mono."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import probe
from ..document import shown
from ..errors import UsageError
from ..kinds import SAMPLE_RATE

TEXT = ".txt"
MOST_BYTES = 8_000_000_000
HINT = f"{probe.AUDIO_HINT} Of a video (MP4, MOV, MKV, WebM) the sound is taken."
NEAR, FLAT = 0.97, 0.002  # Of the highest peak: where the flat tops of clipped sound lie, and how flat they are.
_LEAST_PEAK = 0.01


class Recording(NamedTuple):
    """What is heard in one file: 48 kHz, one channel, 16 bits; and the moments at which it is clipped, in samples."""

    sound: NDArray[np.int16]
    clipped: NDArray[np.int64]


class Given(NamedTuple):
    """Files that were named: recordings, and texts by the stem of their names."""

    recordings: list[Path]
    texts: dict[str, Path]
    common: Path | None  # One text for all: the only one, and no recording is called like it.


def given(names: Sequence[Path]) -> Given:
    """Every file that is named or lies in a folder that is, texts apart. Raises UsageError where there is none."""
    found = sorted({file for name in names for file in _files(name)})
    texts = {file.with_suffix("").as_posix(): file for file in found if file.suffix.lower() == TEXT}
    recordings = [file for file in found if file.suffix.lower() != TEXT]
    if not recordings:
        where = ", ".join(shown(name) for name in names)
        raise UsageError(f"there is no recording in {where}", "name a folder of recordings, or the files themselves")
    stems = {file.with_suffix("").as_posix() for file in recordings}
    alone = [file for stem, file in texts.items() if stem not in stems]
    common = alone[0] if len(alone) == 1 and len(texts) == 1 else None
    return Given(recordings, texts, common)


def _files(name: Path) -> Iterator[Path]:
    if not name.exists():
        raise UsageError(f"there is no {shown(name)}", "name a folder of recordings, or the files themselves")
    entries = sorted(name.rglob("*")) if name.is_dir() else [name]
    for entry in entries:
        hidden = any(part.startswith(".") for part in entry.relative_to(name).parts)
        if not hidden and entry.is_file():
            yield Path(os.path.abspath(entry))  # noqa: PTH100 (Links keep the names that texts share with them.)


def seconds(path: Path) -> float:
    """How long a recording is; 0 where it cannot be read, which is told when its turn comes."""
    try:
        return float(probe.audio(path)) if path.stat().st_size else 0.0
    except probe.Unreadable:
        return 0.0


def decoded(path: Path) -> Recording:
    """All of the first sound of a file, its channels brought to one. Raises probe.Unreadable."""
    if path.stat().st_size > MOST_BYTES:
        raise probe.Unreadable(f"it has more than {MOST_BYTES / 1e9:.0f} GB", "Cut it into pieces.")
    if path.stat().st_size == 0:
        raise probe.Unreadable("it is empty", probe.CUT)
    probe.audio(path)
    sounds: list[Any] = []
    tops: list[tuple[int, Any]] = []
    with probe.open_media(path, HINT) as container:
        stream = probe.stream_of(container, "audio", HINT)
        rate, count = int(stream.codec_context.sample_rate), 0
        for own, wide in _frames(container, stream, rate):
            tops.append((count, own))
            sounds.append(wide)
            count += len(own)
    if not sum(map(len, sounds)):
        raise probe.Unreadable("it is empty: nothing in it can be heard", probe.CUT)
    return Recording(np.concatenate(sounds), _clipped(tops, rate))


def _frames(container: Any, stream: Any, rate: int) -> Iterator[tuple[Any, Any]]:
    """Sound of one channel at the file's own rate, and what comes of it at 48 kHz."""
    import av

    mono = av.AudioResampler(format="fltp", layout="mono", rate=rate)
    wide = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    empty = np.zeros(0, np.float32)
    for frame in container.decode(stream):
        for own in mono.resample(frame):
            yield own.to_ndarray()[0], _joined(wide.resample(own))
    for own in mono.resample(None):
        yield own.to_ndarray()[0], _joined(wide.resample(own))
    yield empty, _joined(wide.resample(None))


def _joined(frames: Sequence[Any]) -> Any:
    return np.concatenate([np.zeros(0, np.int16), *(frame.to_ndarray()[0] for frame in frames)])


def _clipped(pieces: Sequence[tuple[int, Any]], rate: int) -> NDArray[np.int64]:
    """Where three samples in a row lie flat at the file's highest peak, in samples at 48 kHz.

    Sound that is merely loud has round tops: at its peak neighbours differ by more than FLAT. Raises probe.Unreadable.
    """
    sound = np.concatenate([piece for _, piece in pieces])
    if not np.isfinite(sound).all():
        raise probe.Unreadable("it holds values that are no numbers", "Export it again, as 16 or 24 bits.")
    highest = float(np.abs(sound).max(initial=0))
    if highest < _LEAST_PEAK or len(sound) < 3:
        return np.zeros(0, np.int64)
    three = np.lib.stride_tricks.sliding_window_view(sound, 3)
    high = np.flatnonzero(np.abs(sound[1:-1]) > NEAR * highest)
    flat = high[np.ptp(three[high], axis=1) <= FLAT * highest]
    places: NDArray[np.int64] = (flat * SAMPLE_RATE) // rate
    return places
