"""Which voices espeak-ng has: read from the files of its data, so that checking a storyboard starts nothing."""

from __future__ import annotations

import difflib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

ALIASES = {"iw": "he", "in": "id", "nb-no": "nb", "nn": "nb"}  # Tags that people write and espeak-ng has not.


class Voice(NamedTuple):
    """One voice: what espeak-ng calls it, and the languages it speaks, best first (small numbers)."""

    identifier: str
    name: str
    languages: tuple[tuple[int, str], ...]


def resolve(asked: str) -> str | None:
    """The identifier of the voice for a name or language tag; None if there is none.

    A tag is shortened from its end until a voice speaks it (RFC 4647, 3.4): de-AT is spoken by de. A variant
    follows a plus sign: en-gb+f3.
    """
    wanted, plus, variant = asked.strip().partition("+")
    if plus and variant not in variants():
        return None
    tag = wanted.lower().replace("_", "-")
    while tag:
        found = _table().get(ALIASES.get(tag, tag))
        if found:
            return found + plus + variant
        tag = tag.rpartition("-")[0]
    return None


def close(asked: str) -> list[str]:
    """Up to five names that may have been meant; each can be resolved."""
    tag, plus, variant = asked.strip().lower().partition("+")
    if plus and resolve(tag):
        return [f"{tag}+{name}" for name in difflib.get_close_matches(variant, sorted(variants()), 5, 0)]
    return difflib.get_close_matches(tag, sorted(_table()), 5, 0.4) or ["en", "en-us", "de", "fr", "es"]


@cache
def variants() -> frozenset[str]:
    """Names of the ways in which a voice can be altered."""
    return frozenset(path.name for path in (_data() / "voices" / "!v").iterdir())


@cache
def _table() -> dict[str, str]:
    """Identifier by language tag, identifier and name, all in small letters; the best voice of a tag wins."""
    voices = [_read(path) for path in sorted((_data() / "lang").rglob("*")) if path.is_file()]
    ranked = sorted((rank, voice.identifier, tag) for voice in voices for rank, tag in voice.languages)
    table: dict[str, str] = {}
    for _, identifier, tag in ranked:
        table.setdefault(tag, identifier)
    for voice in voices:
        table.setdefault(voice.identifier.lower(), voice.identifier)
        table.setdefault(voice.name.lower(), voice.identifier)
    return table


def _read(path: Path) -> Voice:
    name, languages = "", []
    for line in path.read_text("utf-8", "replace").splitlines():
        key, _, value = line.partition(" ")
        if key == "name":
            name = value.strip()
        elif key == "language":
            tag, *rank = value.split()
            languages.append((int(rank[0]) if rank else 5, tag.lower()))
    return Voice(path.relative_to(_data() / "lang").as_posix(), name, tuple(languages))


@cache
def _data() -> Path:
    spec = find_spec("espeakng_loader")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("espeakng_loader")
    return Path(spec.origin).parent / "espeak-ng-data"
