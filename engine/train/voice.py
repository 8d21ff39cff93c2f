"""mikebot persona voice: recordings become a dataset, a dataset a voice, a voice a line of persona.yaml."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Protocol

from ..backends.transformers_folder import SPEAKER, WHISPER
from ..digests import Digests
from ..document import shown
from ..errors import UsageError
from ..splice import write_voice
from . import archives, dataset, evaluate, hearing_models, job, made, page, pieces, room, run_page
from .allowed import TRAINING, Allowed, allowed
from .alone import alone
from .course import SAMPLES
from .recordings import given
from .settings import Job, Settings, archive_digest, disk, name_of
from .tuning import VOICE

RATE = 22_050  # Of a dataset whose model is not known yet: that of Magpie's codec.
DONE = "done.json"  # In a run's folder: it is over, and this came of it;
PLACED = "placed"  # and that is where a persona speaks with it, or did once.
Say = Callable[[str], None]


class Progress(Protocol):
    """Whoever shows how far it is."""

    def say(self, text: str) -> None:
        """A line that stays."""

    def progress(self, done: int, total: int) -> None:
        """So many parts of a recording are looked at."""

    def training(self, event: dict[str, Any]) -> None:
        """What the training process tells."""


@dataclass(frozen=True)
class Request:
    """What is asked for on the command line."""

    persona: str
    sources: tuple[Path, ...]
    base: str = ""
    codec: str = ""
    minutes: float | None = None
    language: str = "en"
    whisper: str = WHISPER
    speaker: str = SPEAKER
    again: bool = False


def make(root: Path, request: Request, show: Progress, settings: Settings | None = None) -> None:
    """Prepare a dataset, and train a voice if a base is named. Raises MikebotError."""
    persona = allowed(root, request.persona)
    with alone(root, persona.id, persona.name), room.told(persona.folder):
        _make(root, persona, request, settings or Settings(), show)


def _make(root: Path, persona: Allowed, request: Request, settings: Settings, show: Progress) -> None:
    if persona.permit is None:
        show.say(f"persona {persona.name} is drawn: its file says that nobody real is heard in these recordings")
    if request.base and not request.again:
        _free(persona)
    base = archives.readable(archives.found(request.base, "--base")) if request.base else None
    codec = archives.found(request.codec or archives.codec_of(base), "--codec") if base else None
    data = _prepared(root, persona, request, archives.rate(codec) if codec else RATE, show)
    report = page.write(data, persona.name)
    show.say(f"report  {shown(report)}")
    dataset.enough(data, shown(report))
    if base is None or codec is None:
        show.say("        to train a voice with it, type the same again with --base MODEL (docs/voice.md)")
        return
    _train(root, persona, request, data, _Archives(base, codec), settings, show)


@dataclass(frozen=True)
class _Archives:
    base: Path
    codec: Path


def _free(persona: Allowed) -> None:
    """Raises UsageError where a voice would be overwritten."""
    file = made.voice_file(persona)
    said = (persona.document.data.get("voice") or {}).get("nemo") or {}
    if file.exists() or said.get("checkpoint"):
        what = shown(file) if file.exists() else f"voice.nemo.checkpoint in {shown(persona.file)}"
        raise UsageError(f"{persona.name} has a voice: {what}", "to make another in its place, add --again")


def _prepared(root: Path, persona: Allowed, request: Request, rate: int, show: Progress) -> dataset.Dataset:
    files = given(request.sources)
    digests = Digests(root / ".mikebot" / "digests.json")
    wanted = dataset.Wanted(files, persona.folder, rate, request.language, _listener(files, request, show), digests)
    data = dataset.prepare(wanted, show, show.say)
    digests.save()
    kept = page.clock(data.seconds)
    count = len(data.kept) + len(data.held)
    show.say(f"dataset {kept} in {count} utterances, {len(data.held)} held out, {len(data.rejected)} parts left out")
    return data


def _listener(files: Any, request: Request, show: Progress) -> hearing_models.Whisper | None:
    """A model that writes down what has no text; None where all have one, or where no such model is here."""
    lacking = [file for file in files.recordings if file.with_suffix("").as_posix() not in files.texts]
    if not lacking or files.common is not None:
        return None
    try:
        return hearing_models.Whisper(request.whisper, request.language)
    except hearing_models.Missing as problem:
        show.say(f"        {len(lacking)} of {len(files.recordings)} recordings have no text, and {problem.message}")
        show.say(f"        {problem.hint}")
        return None


def _train(
    root: Path,
    persona: Allowed,
    request: Request,
    data: dataset.Dataset,
    files: _Archives,
    settings: Settings,
    show: Progress,
) -> None:
    digests = archive_digest(files.base), archive_digest(files.codec)
    run = _run(persona, name_of(data.hash, *digests, settings), request.again)
    if not (run / DONE).exists():
        seconds = request.minutes * 60 if request.minutes else None
        told = Job(
            str(data.folder.resolve()),
            data.hash,
            str(files.base),
            str(files.codec),
            str(run.resolve()),
            data.language,
            settings,
            seconds,
            persona.permit,
        )
        needs = disk(files.base.stat().st_size, files.codec.stat().st_size, settings, data.rate)
        room.refuse({run.parent: needs.run - room.held(run), Path(gettempdir()): needs.temporary}, "the training")
        pieces.keep(run / "job.json", told.written())
        pieces.keep(run / DONE, json.dumps(_trained(run, data, persona, show)))
    _settled(root, persona, request, data, files, run, digests[0], show)


def _run(persona: Allowed, name: str, again: bool) -> Path:
    """The folder of a training: one that was broken off is gone on with, one that is over begun anew if asked for."""
    run = persona.folder / name
    number = 1
    while again and (run / PLACED).exists():
        number += 1
        run = persona.folder / f"{name}-{number}"
    (run / SAMPLES).mkdir(parents=True, exist_ok=True)
    (run / ".gitignore").write_text("*\n", "utf-8")
    return run


def _trained(run: Path, data: dataset.Dataset, persona: Allowed, show: Progress) -> dict[str, Any]:
    """Wait for the training, and draw its page at each look."""
    last: dict[str, Any] = {}
    for last in job.told("engine.train.tuning", run / "job.json"):
        show.training(last)
        if last["event"] == "look":
            page.write(data, persona.name, run_page.run(run, data.held[0].text))
    return last


def _settled(
    root: Path,
    persona: Allowed,
    request: Request,
    data: dataset.Dataset,
    files: _Archives,
    run: Path,
    base: str,
    show: Progress,
) -> None:
    """The voice into its place, and a line of persona.yaml."""
    now = allowed(root, request.persona, TRAINING)  # Training takes hours: it is asked once more.
    if not request.again:
        _free(now)
    came = json.loads((run / DONE).read_text("utf-8"))
    about = {
        "run": run.name,
        "base": f"{_named(request.base)}@{base}",
        "codec": request.codec or archives.codec_of(files.base),
        "language": data.language,
    }
    about |= {name: came[name] for name in ("step", "held", "seconds", "speakers")}
    voice = made.put(now, run / VOICE, data, about)
    page.write(data, persona.name, run_page.run(run, data.held[0].text), run_page.close(run))
    said = {"checkpoint": f"voice/{now.id}.nemo", "sha256": voice.sha256, "dataset": voice.dataset}
    if not voice.speakers:
        said["reference"] = f"voice/{now.id}.wav"
    write_voice(now.file, "nemo", said, now.digest)
    pieces.keep(run / PLACED, "")
    show.say(f"voice   {shown(made.voice_file(now))}, of step {voice.step}, written into {shown(now.file)}")


def _named(base: str) -> str:
    """A base as people know it: the name of its model, or of its file, wherever that lay."""
    return Path(base).name if base.endswith(".nemo") else base


def measure(root: Path, request: Request, show: Progress) -> None:
    """Say how close a voice is. Raises MikebotError."""
    persona = allowed(root, request.persona, ("voice",))
    with alone(root, persona.id, persona.name), room.told(persona.folder):
        _measure(persona, request, show)


def _measure(persona: Allowed, request: Request, show: Progress) -> None:
    data, found = evaluate.evaluate(persona, request.whisper, request.speaker, show.say)
    run = persona.folder / made.read(persona).run
    report = page.write(data, persona.name, run_page.run(run, data.held[0].text), run_page.close(run))
    for line in evaluate.lines(found):
        show.say(line)
    show.say(f"report  {shown(report)}")
