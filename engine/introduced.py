"""What a persona has, and with what each part of it was made: for people, in lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .backends.memory_need import gigabytes
from .digests import Digests
from .document import Document
from .knobs import brought
from .trust.consent import consent_of, likeness, standing
from .trust.days import today

INDENT = 10  # Characters before what is said of a part.


def introduced(document: Document, folder: Path) -> Iterator[str]:
    """Lines about a persona whose file is right: how it looks, how it sounds, whether its person agreed."""
    said = document.data
    yield said["name"]
    digests = Digests()
    for part, lines in (
        ("portrait", _portrait(said.get("portrait", {}), folder)),
        ("look", _look(said.get("look", {}), folder, digests)),
        ("words", _words(said)),
        ("voice", _voice(said.get("voice", {}), folder, digests)),
        ("consent", _consent(said, folder)),
    ):
        for number, line in enumerate(lines):
            yield f"  {'' if number else part:<{INDENT}}{line}"


def _portrait(said: Mapping[str, Any], folder: Path) -> Iterator[str]:
    if not said:
        yield "none: drawn from words"
        return
    from .probe import image

    width, height = image(folder / said["image"])
    yield f"{said['image']}, {width} x {height}"
    if said.get("poses"):
        yield f"poses: {', '.join(said['poses'])}"


def _look(said: Mapping[str, Any], folder: Path, digests: Digests) -> Iterator[str]:
    if said:
        yield f"{_file(folder, said['lora'], digests)}, weight {said.get('weight', 1):g}"


def _words(said: Mapping[str, Any]) -> Iterator[str]:
    for name in ("appearance", "wardrobe", "trigger", "manner"):
        if said.get(name):
            yield f"{name}: {said[name]}"


def _voice(voices: Mapping[str, Any], folder: Path, digests: Digests) -> Iterator[str]:
    """Each backend's voice: its knobs, its files, and what a trained one was made of."""
    if not voices:
        yield "none: each backend speaks as it does by itself"
    for backend, said in voices.items():
        files = brought(backend)
        knobs = [f"{name} {value}" for name, value in said.items() if name not in {*files, "sha256", "dataset"}]
        yield f"{backend}: {', '.join(knobs) or 'as the profile has it'}"
        for name in files:
            if name in said:
                yield f"  {name} {_file(folder, said[name], digests)}"
                if files[name] == "audio":
                    yield from (f"    {doubt}" for doubt in _doubts(folder / said[name]))
        if "sha256" in said:
            yield f"  {_trained(said, folder, digests)}"


def _doubts(file: Path) -> list[str]:
    """What would spoil an imitation of a recording."""
    from .train.reference import doubts

    return doubts(file)


def _trained(said: Mapping[str, Any], folder: Path, digests: Digests) -> str:
    """What a trained voice was made of, and whether it is still the same file."""
    file = folder / str(said.get("checkpoint", ""))
    same = file.is_file() and digests.of(file)[0] == said["sha256"]
    made = _beside(file)
    what = [f"on dataset {str(said.get('dataset', '?'))[:12]}"]
    what += [f"from {made['base']}"] if made.get("base") else []
    what += [f"{made['step']} steps"] if made.get("step") else []
    return f"trained {', '.join(what)}" + ("" if same else "; the file is ANOTHER than the one that was trained")


def _beside(file: Path) -> dict[str, Any]:
    """What the training wrote beside its voice."""
    try:
        found = json.loads(file.with_suffix(".json").read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _consent(said: Mapping[str, Any], folder: Path) -> Iterator[str]:
    needs = likeness(said, folder)
    if not needs:
        yield "not needed: nobody real is seen or heard"
        return
    found, consent = standing(said, folder, None, today(), needs), consent_of(said)
    if found.holds:
        covers = f"{', '.join(consent.projects)}, for {', '.join(consent.purposes)}"
        yield f"{consent.who} agreed, until {consent.until}, to {covers}"
    for reason in found.reasons:
        yield f"{reason.message}: {reason.hint}"


def _file(folder: Path, name: str, digests: Digests) -> str:
    """A file's name, size and the beginning of its digest."""
    digest, size = digests.of(folder / name)
    shown = gigabytes(size) if size >= 1e8 else f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
    return f"{name} ({shown}, sha256 {digest[:12]})"
