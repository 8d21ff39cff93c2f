"""A folder of recordings into a dataset: what is good of it, with its words, as NeMo's trainer reads it.

The dataset's name is a digest of everything that decides it, so the same recordings are prepared once. What was made
before a break is found again, recording by recording.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import probe
from ..backends.transformers_folder import WHISPER
from ..digests import Digests
from ..errors import MikebotError, UsageError
from ..kinds import SAMPLE_RATE, Tell
from . import faults, room, texts
from .pieces import Piece, Source, Workshop, keep, pieces
from .recordings import Given, decoded, seconds

FORMAT = 1  # Raised when the same recordings give another dataset.
HELD = 10  # One utterance of so many is held out, at least one and at most MOST_HELD.
MOST_HELD = 50
CONTEXT = 5.0  # Seconds that an utterance needs to be a good example of the voice.
LEAST = 4  # Utterances without which there is nothing to train with.
BYTES = 2.1  # Of the disk for a sample: 16 bits, and what is written down about it.
GAP = SAMPLE_RATE * 7 // 10

Say = Callable[[str], None]


class Dataset(NamedTuple):
    """A dataset that is whole: its folder, its name, its utterances and what was left out."""

    folder: Path
    hash: str
    rate: int
    language: str
    kept: list[Piece]
    held: list[Piece]
    rejected: list[Piece]

    @property
    def seconds(self) -> float:
        """Of all utterances, those that are held out included."""
        return sum(piece.seconds for piece in (*self.kept, *self.held))


class Wanted(NamedTuple):
    """What a dataset is made of, and where."""

    files: Given
    below: Path  # personas/NAME/voice.
    rate: int
    language: str
    listener: texts.Listener | None
    digests: Digests


def prepare(wanted: Wanted, tell: Tell, say: Say) -> Dataset:
    """Make a dataset, or find it made. Raises MikebotError where too little of the recordings can be used."""
    sources = _sources(wanted, say)
    name = _hash(wanted, sources)
    folder = wanted.below / f"dataset-{name}"
    if (folder / "dataset.json").exists():
        say(f"dataset {folder.name} is made")
        return read(folder)
    needs = sum(seconds(source.path) for source in sources) * wanted.rate * BYTES
    room.refuse({wanted.below: needs - room.held(folder)}, "the dataset")
    (folder / "files").mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", "utf-8")  # An hour of somebody's voice belongs in no repository.
    if wanted.files.common is not None:
        sources = _all_aligned(sources, wanted, folder, tell)
    shop = Workshop(folder, wanted.rate, wanted.language, wanted.listener, tell)
    found: list[Piece] = []
    for source in sources:
        made = pieces(source, shop)
        found += made
        say(_heard(source, made))
    return _settled(folder, name, wanted, found)


def read(folder: Path) -> Dataset:
    """A dataset that was made before."""
    said = json.loads((folder / "dataset.json").read_text("utf-8"))
    lists = [[Piece(**{**one, "bars": tuple(one["bars"])}) for one in said[k]] for k in ("kept", "held", "rejected")]
    return Dataset(folder, said["hash"], said["rate"], said["language"], *lists)


def enough(dataset: Dataset, page: str) -> None:
    """Raises MikebotError where there is too little to train with."""
    count = len(dataset.kept) + len(dataset.held)
    if count < LEAST:
        reasons = _reasons(dataset.rejected)
        message = f"too little can be used: {count} of {count + len(dataset.rejected)} parts, {LEAST} are needed"
        raise NotEnough(message + reasons, f"{page} has each part with its reason")


class NotEnough(MikebotError):
    """Recordings of which too little can be used: their author's to mend."""

    exit_code = 2


def _reasons(rejected: Sequence[Piece]) -> str:
    """Up to five that were left out, a line each."""
    lines = [f"\n  {piece.file} {place(piece)}{piece.reason}" for piece in rejected[:5]]
    more = len(rejected) - len(lines)
    return "".join(lines) + (f"\n  and {more} more" if more > 0 else "")


def place(piece: Piece) -> str:
    """Where in its file a piece lies, for people."""
    return f"{piece.start:.1f}-{piece.end:.1f} s: " if piece.end else ": "


def _sources(wanted: Wanted, say: Say) -> list[Source]:
    """The recordings with their texts, each once."""
    found: dict[str, Source] = {}
    for path in wanted.files.recordings:
        digest, _ = wanted.digests.of(path)
        text = wanted.files.texts.get(path.with_suffix("").as_posix())
        if digest in found:
            say(f"same    {path.name} is {found[digest].name}, and taken once")
            continue
        found[digest] = Source(path, path.name, digest, texts.read(text) if text is not None else None)
    lacking = [source.name for source in found.values() if source.text is None]
    if lacking and wanted.files.common is None and wanted.listener is None and len(lacking) == len(found):
        some = ", ".join(lacking[:3]) + (f" and {len(lacking) - 3} more" if len(lacking) > 3 else "")
        hint = (
            f"write what is said in {Path(lacking[0]).stem}.txt beside it, or in one .txt for all, or let Whisper do so"
        )
        hint += f": mikebot fetch --model {WHISPER}"
        raise UsageError(f"there is no transcript of {some}, and no Whisper model that could write one", hint)
    return list(found.values())


def _hash(wanted: Wanted, sources: Sequence[Source]) -> str:
    """Of everything that decides a dataset."""
    common = texts.read(wanted.files.common) if wanted.files.common is not None else None
    each = [[source.digest, source.text] for source in sources]
    heard = any(source.text is None for source in sources) and common is None and wanted.listener is not None
    listener = wanted.listener.name if heard and wanted.listener is not None else ""
    said = [
        FORMAT,
        wanted.rate,
        wanted.language,
        listener,
        common,
        each if common is not None else sorted(each, key=str),
    ]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()[:12]


def _all_aligned(sources: Sequence[Source], wanted: Wanted, folder: Path, tell: Tell) -> list[Source]:
    """The one text that is given for all, aligned with all recordings in the order of their names."""
    noted = folder / "words.json"
    if not noted.exists():
        assert wanted.files.common is not None  # noqa: S101
        keep(noted, json.dumps(_parted(sources, texts.read(wanted.files.common), wanted.language, tell)))
    said: dict[str, Any] = json.loads(noted.read_text("utf-8"))
    return [
        source._replace(words=texts.Transcript(*said[source.key])) if source.key in said else source
        for source in sources
    ]


def _parted(sources: Sequence[Source], text: str, language: str, tell: Tell) -> dict[str, Any]:
    """For each recording that can be read its words, counted from its own begin."""
    sounds, starts, at = [], dict[str, tuple[int, int]](), 0
    for source in sources:
        try:
            sound = decoded(source.path).sound
        except probe.Unreadable:  # Told when its own turn comes.
            continue
        starts[source.key] = (at, at + len(sound))
        sounds += [sound, np.zeros(GAP, np.int16)]
        at += len(sound) + GAP
    found = texts.aligned(text, np.concatenate(sounds), language, tell) if sounds else texts.Transcript((), 0, "")
    parted: dict[str, Any] = {}
    for key, (start, end) in starts.items():
        words = [(a - start, b - start, word) for a, b, word in found.words if start <= (a + b) // 2 < end]
        parted[key] = (words, min(max(0, found.until - start), end - start), found.note)
    return parted


def _heard(source: Source, made: Sequence[Piece]) -> str:
    """A line for one recording."""
    good = [piece for piece in made if not piece.reason]
    if made and not any(piece.end for piece in made):
        return f"left    {source.name}  {made[0].reason}"
    return f"cut     {source.name}  {len(good)} of {len(made)} parts, {sum(p.seconds for p in good):.1f} s"


def _settled(folder: Path, name: str, wanted: Wanted, found: Sequence[Piece]) -> Dataset:
    """Leave out other voices, hold some out, write the manifests; the last file written makes the dataset whole."""
    good = [piece for piece in found if not piece.reason]
    other = faults.strangers([piece.pitch for piece in good])
    judged = [replace(piece, reason=why) for piece, why in zip(good, other, strict=True)]
    rejected = [piece for piece in [*found, *judged] if piece.reason]
    kept, held = _split([piece for piece in judged if not piece.reason], folder)
    for file, some in (("train.jsonl", kept), ("held-out.jsonl", held)):
        keep(
            folder / file,
            "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in _rows(some, kept, wanted.language)),
        )
    made = Dataset(folder, name, wanted.rate, wanted.language, kept, held, rejected)
    said = {key: value for key, value in made._asdict().items() if key != "folder"}
    keep(folder / "dataset.json", json.dumps(said, ensure_ascii=False, default=asdict, indent=1))
    return made


def _split(good: Sequence[Piece], folder: Path) -> tuple[list[Piece], list[Piece]]:
    """Which utterances are held out: by the digests of their sounds, so that one more recording moves few."""
    if len(good) < 2:
        return list(good), []
    digests = {p.wav: hashlib.sha256((folder / p.wav).read_bytes()).hexdigest() for p in good}
    count = min(MOST_HELD, max(1, len(good) // HELD))
    chosen = set(sorted(digests, key=digests.__getitem__)[:count])
    return [p for p in good if p.wav not in chosen], [p for p in good if p.wav in chosen]


def _rows(some: Sequence[Piece], kept: Sequence[Piece], language: str) -> list[dict[str, Any]]:
    """What NeMo reads of each utterance; another one is the example of the voice that it is spoken after."""
    examples = [piece for piece in kept if piece.seconds >= CONTEXT] or list(kept)
    rows = []
    for number, piece in enumerate(some):
        other = [one for one in examples if one is not piece] or [one for one in kept if one is not piece] or [piece]
        example = other[number % len(other)]
        rows.append(
            {
                "audio_filepath": piece.wav,
                "text": piece.text,
                "duration": round(piece.seconds, 3),
                "context_audio_filepath": example.wav,
                "context_audio_duration": round(example.seconds, 3),
                "language": language.lower().replace("_", "-").split("-")[0],
                "speaker": 0,
                "speaker_index": 0,  # Read where the base has speakers of its own: the first becomes this one.
            }
        )
    return rows
