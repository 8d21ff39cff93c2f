"""A step's name, and who makes it with which knobs, as a profile says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .graph import Artifact, Ref, Step
from .storyboard import Choice, Source

Inputs = Mapping[str, Ref | Artifact]


def made(choice: Choice, kind: str, owner: str, params: Mapping[str, Any], inputs: Inputs, number: int = 1) -> Step:
    """A step of a scene (or of the film, without an owner); what the plan says goes over what the profile says."""
    name = f"{owner}/{kind}" if owner else kind
    if number > 1:
        name = f"{name}/{number}"
    return Step(name, kind, owner, choice.backend, choice.version, {**choice.params, **params}, dict(inputs))


def artifact(source: Source) -> Artifact:
    """A file that the author brings, as a step's input."""
    return Artifact(source.digest, source.size)


def only(mapping: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """A mapping's entries of some names, where it has them."""
    return {name: mapping[name] for name in names if name in mapping}
