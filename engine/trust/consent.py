"""Has the person agreed, to this, today? What a persona.yaml says of it, judged.

A persona is drawn (`drawn: true`: nobody real), or what it brings is a real person's: a portrait, a trained look, a
recording. Then `consent:` must say who agreed to what, where, from when until when, and what proves it. What is missing
is a reason, not a mistake: a persona may be written, and a draft rendered, before anybody was asked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from ..digests import Digests
from ..document import Document
from ..errors import Mistake
from .days import day_before, is_day
from .permit import Permit

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"  # Other texts are left to the schema.
_HINTS = {
    "who": "write the name of the person",
    "statement": "write what they agreed to, in their own words",
    "scope.projects": "name the projects, such as firewalls or course-*",
    "scope.purposes": "name what they agreed to: picture, voice, training",
    "from": "write the first day, such as 2026-01-31",
    "until": "write the last day, such as 2026-12-31",
    "evidence.file": "name a file in the persona's folder that proves it, such as a signed sheet",
}


@dataclass(frozen=True)
class Consent:
    """What a person agreed to; what is not written is empty. Days are texts, YYYY-MM-DD, both ends included."""

    who: str = ""
    statement: str = ""
    projects: tuple[str, ...] = ()  # Folders below projects/; * stands for anything.
    purposes: tuple[str, ...] = ()  # picture, voice, training.
    begins: str = ""
    until: str = ""
    evidence: str = ""  # From the persona's folder.
    sha256: str = ""
    revoked: str = ""  # From this day on, nothing holds.


class Reason(NamedTuple):
    """Why consent does not hold: which field of persona.yaml, what is wrong with it, what to do."""

    path: tuple[str, ...]
    message: str
    hint: str


class Standing(NamedTuple):
    """Whether consent holds, and every reason why it does not."""

    reasons: tuple[Reason, ...]

    @property
    def holds(self) -> bool:
        """Whether what was asked for may be made today."""
        return not self.reasons


def likeness(persona: Mapping[str, Any], folder: Path) -> tuple[str, ...]:
    """What of a real person a persona.yaml brings: picture, voice; nothing where all is drawn, or only words."""
    if persona.get("drawn") is True:
        return ()
    voices = [voice for voice in _mapping(persona.get("voice")).values() if isinstance(voice, dict)]
    recorded = any(_is_file(folder, value) for voice in voices for value in voice.values())
    seen = bool(persona.get("portrait") or persona.get("look"))
    return ("picture",) * seen + ("voice",) * recorded


def standing(
    persona: Mapping[str, Any],
    folder: Path,
    project: str | None,
    today: date,
    needs: tuple[str, ...],
    digests: Digests | None = None,
) -> Standing:
    """Whether a persona.yaml's consent holds for a project (None: for any) today; `needs`: what `likeness` found."""
    if not needs:
        return Standing(())
    if not isinstance(persona.get("consent"), dict):
        name = persona.get("name", "this")
        hint = "add consent: (docs/consent.md), or drawn: true where nobody real is seen or heard"
        return Standing((Reason(("consent",), f"{name} is a real person, and there is no consent:", hint),))
    consent = consent_of(persona)
    found = [*_gaps(consent), *_days(consent, today.isoformat()), *_scope(consent, project, needs)]
    return Standing((*found, *_proof(consent, folder, digests or Digests())))


def consent_mistakes(document: Document) -> list[Mistake]:
    """Days of a consent that are in no calendar, and a last day before the first."""
    said = _mapping(_mapping(document.data).get("consent"))
    days = {name: said[name] for name in ("from", "until", "revoked") if re.fullmatch(_DAY, str(said.get(name)))}
    wrong = [name for name, day in days.items() if not is_day(day)]
    found = [
        document.mistake(document.place(("consent", name)), f"{name}: there is no day {days[name]}", "look it up")
        for name in wrong
    ]
    if not wrong and days.get("from", "") > days.get("until", "9"):
        message, hint = "until lies before from", f"the first day is {days['from']}"
        found.append(document.mistake(document.place(("consent", "until")), message, hint))
    return found


def consent_of(persona: Mapping[str, Any]) -> Consent:
    """What a persona.yaml says of consent; whatever has the wrong form counts as not said."""
    said = _mapping(persona.get("consent"))
    scope, proof = _mapping(said.get("scope")), _mapping(said.get("evidence"))
    return Consent(
        who=_text(said.get("who")),
        statement=_text(said.get("statement")),
        projects=_texts(scope.get("projects")),
        purposes=_texts(scope.get("purposes")),
        begins=_text(said.get("from")),
        until=_text(said.get("until")),
        evidence=_text(proof.get("file")),
        sha256=_text(proof.get("sha256")).lower(),
        revoked=_text(said.get("revoked")),
    )


def permit(consent: Consent, file: Path, digest: str, today: date) -> Permit:
    """What a worker needs to ask again; only of consent that holds today."""
    last = min(consent.until, day_before(consent.revoked)) if consent.revoked else consent.until
    evidence = os.path.realpath(file.parent / consent.evidence)
    return Permit(str(file), digest, evidence, consent.sha256, last, today.isoformat())


def _gaps(consent: Consent) -> Iterator[Reason]:
    """Fields that say nothing."""
    said = {"who": consent.who, "statement": consent.statement}
    said |= {"scope.projects": consent.projects, "scope.purposes": consent.purposes}  # type: ignore[dict-item]
    said |= {"from": consent.begins, "until": consent.until, "evidence.file": consent.evidence}
    for name, value in said.items():
        if not value:
            yield _reason(name, f"does not say {name}", _HINTS[name])


def _days(consent: Consent, today: str) -> Iterator[Reason]:
    days = {"from": consent.begins, "until": consent.until, "revoked": consent.revoked}
    wrong = [name for name, day in days.items() if day and not is_day(day)]
    for name in wrong:
        yield _reason(name, f"{name} is no day", "write it as 2026-12-31")
    if wrong:
        return
    if consent.begins > today:
        yield _reason("from", f"begins on {consent.begins}", "wait for that day, or ask for an earlier one")
    if consent.until and consent.until < today:
        yield _reason("until", f"ended on {consent.until}", "ask again, and write the new last day")
    if consent.revoked and consent.revoked <= today:
        yield _reason("revoked", f"was revoked on {consent.revoked}", "ask again before anything more is made of them")


def _scope(consent: Consent, project: str | None, needs: tuple[str, ...]) -> Iterator[Reason]:
    covered = any(fnmatchcase(project or "", pattern) for pattern in consent.projects)
    if project is not None and consent.projects and not covered:
        hint = f"it covers {', '.join(consent.projects)}: ask for this project too"
        yield _reason("scope.projects", f"does not cover the project '{project}'", hint)
    for need in needs:
        if consent.purposes and need not in consent.purposes:
            hint = f"it covers {', '.join(consent.purposes)}: ask for their {need} too"
            yield _reason("scope.purposes", f"does not cover their {need}", hint)


def _proof(consent: Consent, folder: Path, digests: Digests) -> Iterator[Reason]:
    """What is wrong with the evidence: not there, not in the persona's folder, or another file than was named."""
    if not consent.evidence:
        return
    named, again = consent.evidence, "put it into the persona's folder"
    real = Path(os.path.realpath(folder / named))
    if not real.is_relative_to(os.path.realpath(folder)):
        yield _reason("evidence.file", f"'{named}' lies outside the persona's folder", again)
    elif not real.is_file():
        yield _reason("evidence.file", f"there is no file '{named}'", again)
    else:
        try:
            digest = digests.of(real)[0]
        except OSError as problem:
            yield _reason("evidence.file", f"'{named}' cannot be read: {problem.strerror}", "check its permissions")
            return
        if not consent.sha256:
            yield _reason("evidence.sha256", "does not say evidence.sha256", f"that of '{named}' is {digest}")
        elif digest != consent.sha256:
            hint = f"look at it again; if it is right, write sha256: {digest}"
            yield _reason("evidence.sha256", f"'{named}' is not the file that was named by its digest", hint)


def _reason(name: str, message: str, hint: str) -> Reason:
    return Reason(("consent", *name.split(".")), f"consent: {message}", hint)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(filter(None, map(_text, value))) if isinstance(value, list) else ()


def _is_file(folder: Path, value: object) -> bool:
    """Whether a setting of a voice names a file: a recording, or what was trained on one."""
    try:
        return isinstance(value, str) and bool(value.strip()) and (folder / value).exists()
    except (OSError, ValueError):
        return False
