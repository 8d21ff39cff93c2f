"""How a voice is trained: what fits a card of 24 GB, by arithmetic.

Magpie has 357 million weights: 1.4 GB in 32 bits, as much for gradients, twice that for AdamW's moments: 5.7 GB,
whatever the batch. A batch of 8 utterances of 15 s keeps about 430 frames of each (21.5 a second, and 5 s of context)
for 18 layers of 768 features: at some 34 values of two bytes for a frame and feature that is 3.2 GB, and as much again
for what attention and the codec hold for a moment. About 12 GB of 24 leave room for longer texts. No measurements.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Settings:
    """Of the training: utterances in a batch, batches before a step, the rate, and when it is looked at and ended."""

    batch: int = 8
    accumulate: int = 4
    rate: float = 2e-5  # Low: the base speaks already, it shall only sound otherwise.
    clip: float = 2.5
    every: int = 25  # Steps from one look at what is held out to the next.
    patience: int = 6  # Looks without a better loss, after which it ends.
    most: int = 20_000  # Steps, at last.
    seed: int = 7


@dataclass(frozen=True)
class Job:
    """What the training process is told."""

    dataset: str  # Folder.
    dataset_hash: str
    base: str  # .nemo archives.
    codec: str
    run: str  # Folder.
    language: str
    settings: Settings
    seconds: float | None = None  # Of training, at most.
    permit: tuple[str, ...] | None = None  # Of engine.trust.permit; None where nobody real is heard.

    def written(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @staticmethod
    def read(text: str) -> Job:
        """Of JSON."""
        said = json.loads(text)
        permit = tuple(said["permit"]) if said["permit"] else None
        return Job(**{**said, "settings": Settings(**said["settings"]), "permit": permit})


class Disk(NamedTuple):
    """Bytes that a training writes at most: into its run's folder, and into the temporary one."""

    run: float
    temporary: float


def disk(base: int, codec: int, settings: Settings, rate: int) -> Disk:
    """Of the sizes of both archives: how much is on the disk at once, while a file is written beside the one before.

    The state is the weights with AdamW's two moments; beside it lie the best weights. A sample may last 15 s. Both
    archives are unpacked once to train and once to see that the voice can be restored, and each codec is packed anew.
    """
    samples = (settings.most // settings.every + 2) * 15 * rate * 2
    return Disk(2 * (3 + 1) * base + samples, 2 * (base + 2 * codec))


def name_of(dataset: str, base: str, codec: str, settings: Settings) -> str:
    """What a run is called: by all that decides what comes of it, but for how long it may take."""
    said: Mapping[str, Any] = {"dataset": dataset, "base": base, "codec": codec, **asdict(settings)}
    return f"run-{hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]}"


def archive_digest(path: Path) -> str:
    """Tells an archive from another without reading all of it."""
    from ..backends import model_folder

    return model_folder.digest(path.parent, [path])
