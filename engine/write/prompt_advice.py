"""What is worth a second thought in a prompt: what no picture can show, what is said anyway, what was shown before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .pictures import repeats


class Said(NamedTuple):
    """A remark on one field of a scene: what is wrong, and what to do."""

    field: str
    message: str
    hint: str


class _Rule(NamedTuple):
    fields: tuple[str, ...]
    pattern: re.Pattern[str]
    message: str  # With {word}, as it is written.
    hint: str


def _words(text: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(text.split('|'))})\b", re.IGNORECASE)


_IMAGE, _BOTH = ("image_prompt",), ("image_prompt", "video_prompt")
_RULES = (
    _Rule(
        _BOTH,
        _words(r"no|not|never|without|nobody|nothing|none|isn't|aren't|don't|doesn't"),
        "'{word}': picture models show what they are told to leave out",
        "say what is there instead",
    ),
    _Rule(
        _IMAGE,
        _words(
            r"(?:that |which )?(?:says|reads|saying)|signs? reading|the words?|captions?|captioned"
            r"|subtitles?|headlines?|typography|text|infographics?|flow ?charts?|spelling|spelled out"
        ),
        "'{word}': text in a made picture comes out garbled",
        "show it with show: slide or show: code, or leave it out",
    ),
    _Rule(
        _BOTH,
        _words(r"sounds?|noises?|noisy|music|melody|voices?|echo(?:es|ing)?|humming|buzzing|loud(?:ly)?|silence|heard"),
        "'{word}': a picture has no sound",
        "show what makes it, or let the narration say it",
    ),
    _Rule(
        _IMAGE,
        _words(
            r"then|later|afterwards|gradually|over time|meanwhile|suddenly|eventually|before and after"
            r"|becomes?|turn(?:s|ing) into|transform(?:s|ing)?(?: into)?|evolv(?:es|ing)|day after day"
        ),
        "'{word}': a picture is one moment",
        "show one moment here, and say what moves in video_prompt",
    ),
    _Rule(
        _IMAGE,
        _words(
            r"(?:idea|notion|essence|importance|concept) of \w+|abstract \w+|concepts?|security|freedom"
            r"|knowledge|success|progress|innovation|possibilit(?:y|ies)|privacy|complexity|efficiency|justice|truth"
            r"|quality|responsibility|awareness|solutions?|relationships?|trust|democracy|reliability|scalability"
            r"|metaphor(?:s|ical)?|symboli[sz]\w*|representing|representation|illustrat(?:es|ing|ion) of"
        ),
        "'{word}': nobody can see that",
        "name a thing that stands for it: a padlock, a scale, a handshake",
    ),
)


def remarks(scene: Mapping[str, Any]) -> Iterator[Said]:
    """Remarks on a scene's prompts, one of each sort at most."""
    for rule in _RULES:
        for field in rule.fields:
            prompt = scene.get(field)
            found = rule.pattern.search(prompt) if isinstance(prompt, str) else None
            if found:
                yield Said(field, f"{field}: {rule.message.format(word=found.group())}", rule.hint)
                break
    prompt, said = scene.get("image_prompt"), scene.get("narration")
    if isinstance(prompt, str) and isinstance(said, str) and repeats(prompt, said):
        message = "image_prompt: it repeats the narration word for word"
        yield Said("image_prompt", message, "show what is not said: a thing, a place, a gesture")


def folded(prompt: str) -> tuple[str, ...]:
    """A prompt as it is compared with others."""
    return tuple(re.findall(r"\w+", prompt.casefold()))
