"""Whether a persona's voice may be made today: asked before any recording is opened, and again while it is trained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from ..digests import Digests
from ..document import Document, read
from ..errors import AuthorError, Refused, UsageError
from ..explain import did_you_mean
from ..load import persona_mistakes
from ..trust.consent import consent_of, permit, standing
from ..trust.days import today
from ..trust.gate import lacking
from ..trust.permit import Permit

TRAINING = ("voice", "training")


class Allowed(NamedTuple):
    """A persona whose voice may be made: its name, its file, and what a process needs to ask again."""

    id: str
    name: str
    file: Path
    document: Document
    permit: Permit | None  # None where nobody real is heard.
    digest: str  # Of the text that was judged.

    @property
    def folder(self) -> Path:
        """Where a voice lies."""
        return self.file.parent / "voice"


def allowed(root: Path, name: str, needs: tuple[str, ...] = TRAINING) -> Allowed:
    """The persona, if its consent holds for what is needed. Raises UsageError, AuthorError, Refused."""
    file = root / "personas" / name / "persona.yaml"
    if not re.fullmatch("[a-z0-9][a-z0-9-]{0,63}", name) or not file.is_file():
        there = sorted(entry.parent.name for entry in root.glob("personas/*/persona.yaml"))
        hint = f"personas here: {', '.join(there) or 'none'}"
        raise UsageError(f"there is no persona '{name}'{did_you_mean(name, there)}", hint)
    digests = Digests()
    wrong = [found for found in persona_mistakes(file, root, digests) if found.severity == "error"]
    if wrong:
        raise AuthorError(wrong)
    document, _ = read(file)
    digest = digests.of(file)[0]
    said = document.data["name"]
    if document.data.get("drawn") is True:
        return Allowed(name, said, file, document, None, digest)
    found = standing(document.data, file.parent, None, today(), needs, digests)
    if not found.holds:
        message = f"{said} is a real person, and nothing is made of their voice without consent"
        told = document.mistake(document.place(("name",)), message, "mend what is said below (docs/consent.md)")
        raise Refused([told, *lacking(document, found.reasons)])
    return Allowed(name, said, file, document, permit(consent_of(document.data), file, digest, today()), digest)
