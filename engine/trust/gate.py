"""The gate that a build asks: does the person's consent hold, now?

It reads the persona's file and looks at the evidence each time that it is asked: a film takes hours, and a word that
takes consent back a moment.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from ..digests import Digests
from ..document import Document, read, shown
from ..errors import MikebotError, Mistake, Refused
from .consent import Reason, Standing, consent_of, likeness, permit, standing
from .days import today
from .permit import Permit


class Person(NamedTuple):
    """A real person whom a storyboard names, as their persona.yaml was read."""

    name: str
    file: Path
    project: str | None  # None: any, where no film is made.
    needs: tuple[str, ...]
    standing: Standing
    lacks: tuple[Mistake, ...]  # Why consent does not hold, each at its place.
    named: Mistake  # The place where the storyboard names them.
    evidence: Path | None

    def said(self, message: str, hint: str) -> Mistake:
        """Something to say where the storyboard names this person."""
        return self.named._replace(message=message, hint=hint)


class Gate:
    """Asked by whoever shows a real person or makes something of one; from any thread."""

    def __init__(self, person: Person, profile: str, refuses: bool, clock: Callable[[], date] = today) -> None:
        self.person = person
        self._told = refused(person, profile) if refuses else _ended(person)
        self._clock = clock
        self._digests = Digests()
        self._digest = ""
        self._document = Document("", "")
        self._lock = threading.Lock()

    def __call__(self) -> Permit | None:
        """A permit for what runs now; None where the persona is a drawing by now. Raises Refused."""
        with self._lock:
            document, day, file = self._read(), self._clock(), self.person.file
            if document.data.get("drawn") is True:
                return None
            needs = tuple(dict.fromkeys((*self.person.needs, *likeness(document.data, file.parent))))
            found = standing(document.data, file.parent, self.person.project, day, needs, self._digests)
            if not found.holds:
                raise Refused([*lacking(document, found.reasons), self._told])
            return permit(consent_of(document.data), file, self._digest, day)

    def holds(self) -> bool:
        """Whether this person may be shown now."""
        try:
            self()
        except Refused:
            return False
        return True

    def _read(self) -> Document:
        """The persona's file; read again where its bytes are others. Raises Refused where it says nothing."""
        file = self.person.file
        try:
            digest = self._digests.of(file)[0]
            if digest != self._digest:
                self._document, raw = read(file)
                self._digest = hashlib.sha256(raw).hexdigest()  # Of what was judged, whatever was written since.
        except (OSError, MikebotError):
            self._document, self._digest = Document("", shown(file)), ""
        if self._document.mistakes or not isinstance(self._document.data, dict):
            self._digest = ""
            message = "consent cannot be read any more"
            raise Refused([Mistake(shown(file), 1, 1, 1, 1, message, "mend this file"), self._told])
        return self._document


def person_of(persona: Document, file: Path, board: Document, project: str | None) -> Person | None:
    """The real person whom a persona.yaml shows, judged for today; None where nobody real is shown."""
    needs = likeness(persona.data, file.parent)
    if not needs:
        return None
    found = standing(persona.data, file.parent, project, today(), needs)
    lacks, proof = tuple(lacking(persona, found.reasons)), consent_of(persona.data).evidence
    named = board.mistake(board.place(("persona",)), "")
    evidence = Path(os.path.realpath(file.parent / proof))
    inside = proof and evidence.is_relative_to(os.path.realpath(file.parent))
    return Person(persona.data["name"], file, project, needs, found, lacks, named, evidence if inside else None)


def lacking(document: Document, reasons: Sequence[Reason]) -> list[Mistake]:
    """Why consent does not hold, each reason at its place in persona.yaml."""
    return [document.mistake(document.start(reason.path), reason.message, reason.hint) for reason in reasons]


def refused(person: Person, profile: str) -> Mistake:
    """What a profile says that makes somebody's likeness."""
    message = f"{person.name} is a real person, and the profile '{profile}' makes nothing of one without consent"
    return person.said(message, "mend what is said above, or render a draft: it shows a silhouette (docs/consent.md)")


def warned(person: Person) -> list[Mistake]:
    """What lacks, and what comes of it, where that is no mistake: a draft may be written before anybody was asked."""
    message = f"{person.name} is a real person without consent: drafts show a silhouette, other profiles refuse"
    told = person.said(message, "mend what is said of their consent (docs/consent.md)")
    return [found._replace(severity="warning") for found in (*person.lacks, told) if not person.standing.holds]


def _ended(person: Person) -> Mistake:
    message = f"{person.name} is a real person, and their consent does not hold any more"
    return person.said(message, "render again: a draft shows a silhouette (docs/consent.md)")
