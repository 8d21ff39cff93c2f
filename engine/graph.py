"""The graph of work: a Step names its inputs, an Action knows their contents.

The difference is the whole caching story. A step becomes an action only once the digests of its inputs
are known, so a step whose inputs come out with the same bytes has the same key as before and is not run
again, whatever happened upstream: a constructive trace with early cutoff (Mokhov, Mitchell, Peyton Jones,
"Build systems a la carte", ICFP 2018, section 4.2).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

FORMAT = 1  # Part of every key: raise it to forget everything ever built.


class Ref(NamedTuple):
    """One output of another step."""

    step: str
    output: str


class Artifact(NamedTuple):
    """An immutable file: the SHA-256 of its bytes, and how many there are."""

    digest: str
    size: int


class Result(NamedTuple):
    """What an action made: its outputs, numbers that the plan reads, and how long it took."""

    outputs: Mapping[str, Artifact]
    facts: Mapping[str, int]
    seconds: float
    found: bool = False  # Another process had made it by the time we came to run it.


class Action(NamedTuple):
    """Everything that decides what comes out, and nothing else."""

    kind: str
    backend: str
    version: str
    params: Mapping[str, Any]
    inputs: Mapping[str, str]  # Digests.

    @property
    def key(self) -> str:
        """SHA-256 of the action's canonical JSON."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    def canonical(self) -> str:
        """The one text that stands for this action: sorted keys, no spaces."""
        return _canonical([FORMAT, *self])


class Step(NamedTuple):
    """One planned piece of work. Its name and scene are for people; they never reach the key."""

    name: str
    kind: str
    scene: str
    backend: str
    version: str
    params: Mapping[str, Any]
    inputs: Mapping[str, Ref | Artifact]  # An Artifact is a file that the author brought.

    def resolve(self, results: Mapping[str, Result]) -> Action:
        """The action that this step is, now that what it reads is known."""
        digests = {
            name: source.digest if type(source) is Artifact else results[source.step].outputs[source.output].digest  # type: ignore[union-attr]
            for name, source in self.inputs.items()
        }
        return Action(self.kind, self.backend, self.version, self.params, digests)

    def needs(self) -> list[str]:
        """Names of the steps that this one reads."""
        return list({source.step: None for source in self.inputs.values() if isinstance(source, Ref)})


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
