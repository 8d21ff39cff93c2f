"""A workspace whose persona is a real person, who agrees and takes it back."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from command_kit import BOARD as DOORS
from command_kit import ROOT, environment, mikebot, stranger
from watch_kit import replaced
from workshop import SHORT

from engine.project import Project, open_project
from engine.trust.days import today

BOARD = DOORS.replace("persona: mikebot", "persona: ada")
PROOF = b"I agree. Ada\n"
PAINTER = """\
from engine.backends.card import Card


class Painter(Card):
    name, likeness = "painter", True
"""
SHARP = "name: sharp\nextends: short\nkinds: {still: {backend: painter}}\n"


class Place:
    """A workspace whose persona is a real person."""

    def __init__(self, root: Path) -> None:
        self.root, self.store = root, root / ".mikebot"
        self.persona, self.folder = root / "personas" / "ada" / "persona.yaml", root / "projects" / "doors"
        self.board = self.folder / "storyboard.yaml"
        for folder in (self.persona.parent, self.folder, root / "profiles"):
            folder.mkdir(parents=True)
        shutil.copy(ROOT / "personas" / "mikebot" / "portrait.png", self.persona.parent / "portrait.png")
        (self.persona.parent / "consent.txt").write_bytes(PROOF)
        (root / "profiles" / "short.yaml").write_text(SHORT)
        (root / "profiles" / "sharp.yaml").write_text(SHARP)
        self.board.write_text(BOARD)
        self.doors = stranger(root / "packages", "still.painter = painter:Painter", "painter", PAINTER)
        self.says()

    def says(self, consent: Mapping[str, Any] | None = None, **more: Any) -> None:
        """Write persona.yaml (as JSON, which is YAML)."""
        said = {
            "name": "Ada",
            "appearance": "an engineer",
            "portrait": {"image": "portrait.png", "mouth": {"x": 0.5, "y": 0.6, "width": 0.4, "height": 0.12}},
            "voice": {"espeak": {"voice": "en-gb-scotland", "pitch": 70}},
            **({"consent": dict(consent)} if consent is not None else {}),
            **more,
        }
        replaced(self.persona, json.dumps(said, indent=1) + "\n")

    def run(self, *words: str) -> Any:
        return mikebot(self.root, *words, env=environment(self.doors))

    def open(self, profile: str = "short", **how: Any) -> Project:
        return open_project(str(self.folder), profile, str(self.store), **how)


def consent(**changes: Any) -> dict[str, Any]:
    """A consent that holds, around today."""
    said: dict[str, Any] = {
        "who": "Ada Example",
        "statement": "I agree.",
        "scope": {"projects": ["doors"], "purposes": ["picture"]},
        "from": (today() - timedelta(days=30)).isoformat(),
        "until": (today() + timedelta(days=30)).isoformat(),
        "evidence": {"file": "consent.txt", "sha256": hashlib.sha256(PROOF).hexdigest()},
    }
    return {**said, **changes}


REVOKED = (today() - timedelta(days=5)).isoformat()


def revoked() -> dict[str, Any]:
    return consent(revoked=REVOKED)
