"""How close a voice is to its person: words that are heard wrong, and how alike speakers are, on held-out sentences.

Each figure of the synthesis stands beside that of the recording itself: Whisper mishears people too, and no two
recordings of one person are the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import UsageError
from . import archives, error_rate, job, made, pieces
from .allowed import Allowed
from .dataset import Dataset, read
from .hearing_models import Missing, Speaker, Whisper
from .recordings import decoded

NAME = "evaluation.json"
MOST = 20  # Sentences.
Say = Callable[[str], None]


class Measured(NamedTuple):
    """One sentence; None where the model that tells is missing."""

    text: str
    recorded: str  # WAVs, from the dataset's folder.
    made: str
    heard_recorded: str | None
    heard_made: str | None
    alike: float | None  # Recording and synthesis.
    alike_recorded: float | None  # Recording and another recording of the person.


def evaluate(persona: Allowed, whisper: str, speaker: str, say: Say) -> tuple[Dataset, list[Measured]]:
    """Measure a voice. Raises UsageError, or Missing where no model that listens is here."""
    known = made.read(persona)
    folder = persona.folder / f"dataset-{known.dataset}"
    if not (folder / "dataset.json").exists():
        hint = "bring the recordings again: mikebot persona voice NAME --from RECORDINGS"
        raise UsageError(f"the sentences that were held out are gone: there is no {folder.name}", hint)
    data = read(folder)
    listener, judge = _models(whisper, speaker, data.language, say)
    rows = [json.loads(line) for line in (folder / "held-out.jsonl").read_text("utf-8").splitlines()][:MOST]
    run = persona.folder / known.run
    _said(persona, known, folder, run, rows, say)
    found = [_measured(folder, known.run, number, row, listener, judge) for number, row in enumerate(rows, 1)]
    names = {"whisper": listener.name if listener else None, "speaker": judge.name if judge else None}
    text = json.dumps({"models": names, "sentences": [one._asdict() for one in found]}, ensure_ascii=False, indent=1)
    pieces.keep(run / NAME, text)
    return data, found


def _models(whisper: str, speaker: str, language: str, say: Say) -> tuple[Whisper | None, Speaker | None]:
    """Those that are here; what cannot be measured is said. Raises Missing where nothing can."""
    lacks: list[Missing] = []
    found: list[Any] = []
    for load, what in ((lambda: Whisper(whisper, language), "words"), (lambda: Speaker(speaker), "speaker")):
        try:
            found.append(load())
        except Missing as problem:
            found.append(None)
            lacks.append(problem)
            say(f"{what:<8}cannot be measured: {problem.message}\n        {problem.hint}")
    if len(lacks) == len(found):
        raise Missing("nothing can be measured: no model that listens is here", "Fetch one of those named above.")
    return found[0], found[1]


def _said(
    persona: Allowed, known: made.Made, folder: Path, run: Path, rows: Sequence[dict[str, Any]], say: Say
) -> None:
    """Every held-out sentence in the voice."""
    (run / "held-out").mkdir(exist_ok=True)
    sentences = [
        {
            "text": row["text"],
            "example": str(folder / row["context_audio_filepath"]),
            "out": str(run / "held-out" / f"{number:03d}.wav"),
        }
        for number, row in enumerate(rows, 1)
    ]
    request = {
        "voice": str(made.voice_file(persona)),
        "codec": str(archives.found(known.codec, "codec")),
        "language": known.language,
    }
    pieces.keep(run / "say.json", json.dumps({**request, "seed": 7, "sentences": sentences}))
    for event in job.told("engine.train.synthesis", run / "say.json"):
        if event["event"] == "said":
            say(f"said    {event['number']} of {len(rows)}")


def _measured(
    folder: Path, run: str, number: int, row: dict[str, Any], listener: Whisper | None, judge: Speaker | None
) -> Measured:
    wav = f"../{run}/held-out/{number:03d}.wav"
    names = (row["audio_filepath"], wav, row["context_audio_filepath"])
    recorded, synthesis, other = (decoded(folder / name).sound for name in names)
    return Measured(
        row["text"],
        row["audio_filepath"],
        wav,
        listener(recorded) if listener else None,
        listener(synthesis) if listener else None,
        round(judge.alike(recorded, synthesis), 4) if judge else None,
        round(judge.alike(recorded, other), 4) if judge else None,
    )


def lines(found: Sequence[Measured]) -> list[str]:
    """What came of it, for the terminal."""
    told = []
    if found and found[0].heard_made is not None:
        made, recorded = (
            error_rate.rate([(one.text, str(getattr(one, which))) for one in found])
            for which in ("heard_made", "heard_recorded")
        )
        told.append(f"words   {made:.1%} are heard wrong in the synthesis, {recorded:.1%} in the recordings")
    if found and found[0].alike is not None:
        mean = [sum(getattr(one, which) for one in found) / len(found) for which in ("alike", "alike_recorded")]
        told.append(f"speaker {mean[0]:.3f} alike to the recordings, which are {mean[1]:.3f} alike among themselves")
    return told
