"""The pieces of one recording: cut, judged, given their words, and kept once made, so that a break costs little."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import probe
from ..backends.heard import Pause, pauses, voiced
from ..kinds import SAMPLE_RATE, Tell
from . import levelled, room, texts
from .cutting import Span, cut
from .faults import Measured, fault, measured
from .recordings import Recording, decoded

LONGEST_HEARD = 60 * SAMPLE_RATE  # Of what is left out, so much can be heard on the page.


@dataclass(frozen=True)
class Piece:
    """One stretch of a recording: an utterance of the dataset, or what was left out and why."""

    file: str
    start: float  # Seconds.
    end: float
    reason: str = ""
    text: str = ""
    wav: str = ""  # Below the dataset's folder.
    seconds: float = 0.0  # Of the WAV.
    snr: int | None = None
    pitch: float | None = None
    gain: float = 0.0
    bars: tuple[int, ...] = ()


class Source(NamedTuple):
    """A recording as it was named, its digest, and the words that are given for it."""

    path: Path
    name: str
    digest: str
    text: str | None
    words: texts.Transcript | None = None  # Where one text for all was aligned with all.

    @property
    def key(self) -> str:
        return self.digest[:16]


class Workshop(NamedTuple):
    """Where pieces are written, and how."""

    folder: Path
    rate: int
    language: str
    listener: texts.Listener | None
    tell: Tell


def pieces(source: Source, shop: Workshop) -> list[Piece]:
    """All pieces of a recording, made now or before."""
    noted = shop.folder / "files" / f"{source.key}.json"
    if noted.exists():
        return [Piece(**{**one, "bars": tuple(one["bars"])}) for one in json.loads(noted.read_text("utf-8"))]
    try:
        made = list(_made(source, decoded(source.path), shop))
    except probe.Unreadable as problem:
        made = [Piece(source.name, 0, 0, f"cannot be read: {problem.message}. {problem.hint}".strip())]
    except texts.NoWords as problem:
        made = [Piece(source.name, 0, 0, problem.message)]
    keep(noted, json.dumps([asdict(piece) for piece in made], ensure_ascii=False))
    return made


def keep(path: Path, text: str) -> None:
    """Write a file: all of it or none."""
    with room.whole(path) as aside:
        aside.write_text(text, "utf-8")


def _made(source: Source, recording: Recording, shop: Workshop) -> Iterator[Piece]:
    words = source.words
    if words is None and source.text is not None:
        words = texts.aligned(source.text, recording.sound, shop.language, shop.tell)
    spans = cut(recording.sound, words.weigh) if words is not None else cut(recording.sound)
    silences = pauses(voiced(recording.sound))
    notes = _Notes(shop.folder / "heard" / f"{source.key}.jsonl")
    for number, span in enumerate(spans, 1):
        shop.tell.progress(number, len(spans))
        yield _piece(source, recording, span, silences, words, shop, notes, number)


def _piece(
    source: Source,
    recording: Recording,
    span: Span,
    silences: list[Pause],
    words: texts.Transcript | None,
    shop: Workshop,
    notes: _Notes,
    number: int,
) -> Piece:
    """One utterance, judged by its sound and then by its words."""
    found = measured(recording, span, silences)
    sound = recording.sound[span.start : span.end]
    reason, text = fault(found, span.samples), ""
    if not reason:
        text, reason = _said(sound, span, words, shop.listener, notes)
    piece = _described(source, span, found, reason, text)
    if found.peak <= 0 or span.samples > LONGEST_HEARD:
        return piece
    even, gain = levelled.level(sound)
    small = levelled.resampled(even, shop.rate)
    wav = f"wavs/{source.key}-{number:04d}.wav"
    levelled.write(shop.folder / wav, small, shop.rate)
    seconds = len(small) / shop.rate
    return replace(piece, wav=wav, seconds=seconds, gain=round(gain, 1), bars=tuple(levelled.bars(small)))


def _described(source: Source, span: Span, found: Measured, reason: str, text: str) -> Piece:
    start, end = round(span.start / SAMPLE_RATE, 2), round(span.end / SAMPLE_RATE, 2)
    snr = None if found.snr is None else round(found.snr)  # As its fault tells it.
    tone = None if found.pitch is None else round(found.pitch, 2)
    return Piece(source.name, start, end, reason, text, snr=snr, pitch=tone)


def _said(
    sound: Any, span: Span, words: texts.Transcript | None, listener: texts.Listener | None, notes: _Notes
) -> tuple[str, str]:
    """The words of an utterance, and why they cannot be used; empty if they can."""
    if words is None and listener is None:
        return "", "no transcript: no text file of its name, and no Whisper model"
    if words is None and listener is not None:
        text = notes.get(span.start) or notes.add(span.start, " ".join(listener(sound).split()))
    elif words is not None and span.end > words.until:
        return "", words.note
    else:
        text = words.text(span) if words is not None else ""
    return text, texts.unlikely(text, int(np.count_nonzero(voiced(sound))) * SAMPLE_RATE // 50)


class _Notes:
    """What a listener wrote down, each utterance as soon as it is heard: listening may take hours."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: Mapping[int, str] = dict(self._read()) if path.exists() else {}

    def _read(self) -> Iterator[tuple[int, str]]:
        for line in self._path.read_text("utf-8").splitlines():
            try:
                said = json.loads(line)
                yield int(said["start"]), str(said["text"])
            except (ValueError, KeyError):  # The last line of a process that was ended.
                continue

    def get(self, start: int) -> str:
        return self._known.get(start, "")

    def add(self, start: int, text: str) -> str:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(f"{json.dumps({'start': start, 'text': text}, ensure_ascii=False)}\n")
        return text
