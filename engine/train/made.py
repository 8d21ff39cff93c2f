"""What is known of a voice that was made: a small file beside it, which persona.yaml's digest points to."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ..digests import digest
from ..errors import UsageError
from . import room
from .allowed import Allowed
from .dataset import Dataset
from .pieces import Piece, keep

BEST_LENGTH = (5.0, 12.0)  # Seconds of an utterance that is a good example of a voice.


@dataclass(frozen=True)
class Made:
    """A voice: its digest, and what it was made of."""

    sha256: str
    dataset: str
    run: str
    base: str
    codec: str  # The model or archive that it was trained with, as it was named.
    language: str
    step: int
    held: float  # Loss of what is held out.
    seconds: float  # Of training.
    speakers: int  # Of its own; 0: it speaks as its reference does.


def voice_file(persona: Allowed) -> Path:
    """Where a persona's trained voice lies."""
    return persona.folder / f"{persona.id}.nemo"


def reference_file(persona: Allowed) -> Path:
    """Where the recording lies that a trained voice speaks after."""
    return persona.folder / f"{persona.id}.wav"


def put(persona: Allowed, trained: Path, dataset: Dataset, about: dict[str, Any]) -> Made:
    """Put a trained voice, its example and what is known of it into the persona's folder."""
    file, reference = voice_file(persona), reference_file(persona)
    with room.whole(file) as voice, room.whole(reference) as example:  # Copied both before either is put.
        shutil.copyfile(trained, voice)
        shutil.copyfile(dataset.folder / best(dataset.kept).wav, example)
        made = Made(digest(voice)[0], dataset.hash, **about)
        keep(file.with_suffix(".json"), json.dumps(asdict(made), indent=1, ensure_ascii=False) + "\n")
    return made


def best(kept: list[Piece]) -> Piece:
    """The utterance that lets a voice be heard best: long enough, and the least noise."""
    least, most = BEST_LENGTH
    return max(kept, key=lambda p: (least <= p.seconds <= most, p.snr if p.snr is not None else 99, p.seconds))


def read(persona: Allowed) -> Made:
    """What is known of a persona's voice. Raises UsageError where there is none, or it is another than was made."""
    file = voice_file(persona)
    hint = f"make one: mikebot persona voice {persona.id} --from RECORDINGS --base MODEL"
    try:
        said = json.loads(file.with_suffix(".json").read_text("utf-8"))
        made = Made(**{field.name: said[field.name] for field in fields(Made)})
        same = digest(file)[0] == made.sha256
    except (OSError, ValueError, KeyError):
        raise UsageError(f"{persona.name} has no voice that was trained here", hint) from None
    if not same:
        raise UsageError(f"{file.name} is not the voice that was trained here", hint)
    return made
