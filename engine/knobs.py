"""Do params fit the backend that they are for: its knobs are the fields of its Params that its kind lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, get_type_hints

from .authored import MADE_OF
from .backends import find, registered
from .document import Document
from .errors import Mistake
from .explain import did_you_mean, spoken
from .kinds import KINDS

_WORDS: Mapping[type, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def installed(kind: str) -> list[str]:
    """Names of the backends of a kind."""
    return sorted(name.split(".", 1)[1] for name in registered() if name.split(".", 1)[0] == kind)


def backend_mistakes(document: Document, path: Sequence[str | int], kind: str, name: str) -> list[Mistake]:
    """Whether a backend is there and can be imported."""
    place, there = document.place(path), installed(kind)
    if name not in there:
        message = f"there is no {kind} backend '{name}'{did_you_mean(name, there)}"
        return [document.mistake(place, message, f"installed: {', '.join(there)}")]
    try:
        find(kind, name)
    except Exception as problem:  # A stranger's module may raise anything.
        message = f"the {kind} backend '{name}' cannot be imported: {problem}"
        return [document.mistake(place, message, "install what it needs; mikebot doctor tells what is missing")]
    return []


def knob_mistakes(
    document: Document, path: Sequence[str | int], kind: str, name: str, params: Mapping[str, Any]
) -> Iterator[Mistake]:
    """Knobs that a backend does not have, and values that are not of their type."""
    cls = find(kind, name).Params
    decided = {field.name for field in fields(KINDS[kind].says)}
    knobs = [field.name for field in fields(cls) if field.name not in decided]
    types = get_type_hints(cls) if params else {}
    for key, value in params.items():
        where = (*path, key)
        if key in decided:
            message = f"'{key}' is decided by the storyboard, not here"
            yield document.mistake(document.key_place(where), message, "remove it")
        elif key not in knobs:
            message = f"{name} has no knob '{key}'{did_you_mean(key, knobs)}"
            yield document.mistake(document.key_place(where), message, f"its knobs: {', '.join(knobs) or 'none'}")
        elif not _fits(value, types[key]):
            message = f"{key} must be {_WORDS[types[key]]}, not {spoken(value)}"
            yield document.mistake(document.place(where), message, f"mikebot doctor lists the knobs of {name}")


def misfits(
    chain: Sequence[Document], path: Sequence[str | int], kind: str, name: str, params: Mapping[str, Any]
) -> Iterator[Mistake]:
    """What a backend itself finds wrong with params, at the first document of a chain that says them."""
    look = getattr(find(kind, name), "misfits", None)
    for below, message, hint in look(params) if look is not None else ():
        where = (*path, *below)
        document = next((one for one in chain if one.says((*path, *below[:1]))), chain[0])
        yield document.mistake(document.key_place(where), message, hint)


def voice_mistakes(document: Document) -> list[Mistake]:
    """What is wrong with a persona's voices."""
    voices = document.data.get("voice") if isinstance(document.data, dict) else None
    found: list[Mistake] = []
    for name, params in voices.items() if isinstance(voices, dict) else ():
        path = ("voice", name)
        there = installed("speech")
        if name not in there:
            message = f"there is no speech backend '{name}'{did_you_mean(name, there)}"
            found.append(document.mistake(document.key_place(path), message, f"installed: {', '.join(there)}"))
        elif isinstance(params, dict):
            files = brought(name)
            knobs = {key: value for key, value in params.items() if key not in files and key not in MADE_OF}
            found += knob_mistakes(document, path, "speech", name, knobs)
            for key in files.keys() & params.keys():
                if not isinstance(params[key], str):
                    message = f"{key} must be the path of a file, not {spoken(params[key])}"
                    found.append(document.mistake(document.place((*path, key)), message, "name a file in this folder"))
    return found


def brought(backend: str) -> Mapping[str, str]:
    """The files that a persona may bring for a speech backend: each with what it must be (given_files.MEDIA)."""
    try:
        files: Mapping[str, str] = getattr(find("speech", backend), "files", {})
    except Exception:  # A stranger's module may raise anything; backend_mistakes tells it.
        return {}
    return files


def _fits(value: Any, kind: Any) -> bool:
    """Only simple types are judged; the backend's own check judges the rest."""
    if kind not in _WORDS:
        return True
    if kind is float:
        return type(value) in {int, float}
    return type(value) is kind
