"""What is to be written: for whom, how long, in which language, from what; and what a model is told of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..storyboard import Persona
from .languages import language_name, unit
from .prompts import quoted

SECONDS = 10.0  # A scene, where nobody says otherwise.
MINUTES = 2.0
MOST_SCENES = 200
# What a request begins with, and what a name can do without.
_SMALL = (
    "a about an and are can could do does explain film for from give how i in is it made make makes me movie of on or "
    "please show so tell that the to us video want was were what when where which why with works work write you"
)


@dataclass(frozen=True)
class Brief:
    """Everything that decides what is asked of a model."""

    prompt: str
    persona: Persona | None = None
    language: str = "en"
    minutes: float = 2.0
    scenes: int = 10
    words: float = 30.0  # A scene.
    rate: float = 176.0  # Words (or letters, see `unit`) in a minute of film.
    seed: int = 1
    sources: Sequence[tuple[str, str]] = ()  # Names and texts.

    @property
    def unit(self) -> str:
        """What is counted."""
        return unit(self.language)

    def limits(self, words: float) -> tuple[int, int]:
        """The least and the most words of a scene that is to have so many."""
        return max(4, round(0.6 * words)), max(10, round(1.5 * words))


def sized(minutes: float | None, scenes: int | None, words: float | None, rate: float) -> tuple[float, int, float]:
    """Minutes, scenes, and words a scene: what is not asked for follows from what is."""
    usual = words or rate * SECONDS / 60
    if minutes is None:
        minutes = max(0.1, scenes * usual / rate) if scenes else MINUTES
    if scenes is None:
        scenes = min(MOST_SCENES, max(2, round(minutes * rate / usual)))
    return round(minutes, 2), scenes, words or minutes * rate / scenes


def told(brief: Brief, **more: Any) -> dict[str, Any]:
    """What every template is told; `more` goes into `film`, but for what is no field of it."""
    least, most = brief.limits(brief.words)
    film = {
        "title": "",
        "language": brief.language,
        "language_name": language_name(brief.language),
        "minutes": f"{brief.minutes:g}",
        "scenes": brief.scenes,
        "on_screen": max(1, round(brief.scenes * 0.4)),
        "rate": round(brief.rate),
        "unit": brief.unit,
        "least": least,
        "most": most,
    }
    fields = ("name", "trigger", "appearance", "wardrobe", "manner")
    persona = {field: getattr(brief.persona, field) for field in fields} if brief.persona else None
    return {"film": film | more, "persona": persona, "prompt": brief.prompt, "sources": quoted(brief.sources)}


def slug(text: str) -> str:
    """What a project is called after its subject: "Tell me about firewalls" gives firewalls; "" if nothing is left."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ß", "ss")).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", plain.replace("'", ""))
    telling = [word for word in words if word not in _SMALL.split()] or words
    return "-".join(telling[:4])[:48].strip("-")
