"""How fast a voice speaks, and how long narrations last: to write to a length, and to say how long a script is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..sentences import sentences
from ..storyboard import Persona

RATE = 165  # The draft's voice, where a persona has no `rate` of its own: what espeak-ng calls words a minute.

# Words (of the last five: letters) a minute that speech.espeak speaks at that rate, pauses between sentences left out.
# Measured with the backend itself, from the first phone of each sentence to the end of its last: English over the
# narrations of projects/ (253 words, 201.0), the others over translations of their beginning (tests/write/test_pace.py
# measures again). At other rates it is in proportion: 80 gives 103, 250 gives 304, 450 gives 547.
_SPOKEN: Mapping[str, float] = {
    "en": 201,
    "de": 184,
    "fr": 226,
    "es": 186,
    "ru": 173,
    "ar": 136,
    "ko": 80,
    "hi": 184,
    "zh": 208,
    "cmn": 208,
    "yue": 208,
    "ja": 157,
    "th": 416,
}
_ELSE, _ELSE_LETTERS = 185.0, 300.0
_SPACELESS = frozenset(("zh", "cmn", "yue", "wuu", "ja", "th", "lo", "km", "my"))  # No spaces between words.
_SENTENCE, _SCENE = 11, 30  # Words that one usually has.
_BETWEEN, _AROUND = 0.30, 0.65  # Seconds of silence between two sentences, and around a narration (narration.join).


def spaceless(language: str) -> bool:
    """Whether a language sets no spaces between words: its letters are counted in their place."""
    return _base(language) in _SPACELESS


def count(text: str, language: str = "en") -> int:
    """The words of a text, or its letters where a language sets no spaces."""
    if spaceless(language):
        return sum(char.isalnum() for char in text)
    return sum(any(char.isalnum() for char in word) for word in text.split())


def words_a_minute(persona: Persona | Mapping[str, Any] | None, language: str = "en") -> float:
    """How many words (or letters, where there are no spaces) a persona's voice speaks in a minute without a pause.

    `persona` may be the data of a persona.yaml; None is the voice of the language.
    """
    voice = persona.get("voice") if isinstance(persona, Mapping) else persona.voice if persona else None
    knobs = voice.get("espeak") if isinstance(voice, Mapping) else None
    rate, gap = (_number(knobs, "rate", RATE), _number(knobs, "gap", 0)) if isinstance(knobs, Mapping) else (RATE, 0)
    spoken = _SPOKEN.get(_base(language), _ELSE_LETTERS if spaceless(language) else _ELSE) * rate / RATE
    return spoken if not gap or spaceless(language) else 60 / (60 / spoken + gap / 100)  # It is in 10 ms.


def in_film(spoken: float) -> float:
    """Words in a minute of film, of words in a minute of speech: sentences and scenes have pauses between them."""
    return 60 / (60 / spoken + _BETWEEN / _SENTENCE + (_AROUND - _BETWEEN) / _SCENE)


def seconds(narration: str, persona: Persona | Mapping[str, Any] | None = None, language: str = "en") -> float:
    """About how long a narration lasts, with its pauses."""
    parts = sentences(narration)
    if not parts:
        return 0.0
    spoken = sum(count(part, language) for part in parts) / words_a_minute(persona, language) * 60
    return spoken + _BETWEEN * (len(parts) - 1) + _AROUND


def minutes(
    scenes: Iterable[Mapping[str, Any]], persona: Persona | Mapping[str, Any] | None = None, language: str = "en"
) -> float:
    """About how long scenes last, as the storyboard has them; those that are held are left out."""
    return sum(length(scene, persona, language) for scene in scenes) / 60


def length(scene: Mapping[str, Any], persona: Persona | Mapping[str, Any] | None = None, language: str = "en") -> float:
    """About how many seconds a scene lasts in the film."""
    if scene.get("hold") is True:
        return 0.0
    said, least = scene.get("narration"), scene.get("duration")
    spoken = seconds(said, persona, language) if isinstance(said, str) else 0.0
    return max(spoken, float(least) if isinstance(least, int | float) else 0.0)


def _base(language: str) -> str:
    return language.lower().partition("-")[0]


def _number(knobs: Mapping[str, Any], name: str, default: float) -> float:
    value = knobs.get(name, default)
    return float(value) if isinstance(value, int | float) and value >= 0 else default
