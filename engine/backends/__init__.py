"""How work is done: one class for each way to make a kind, found through entry points.

A backend is registered under the group `mikebot.backends` as `KIND.NAME`, ours by the same door as a
stranger's. docs/write-a-backend.md shows one from start to end.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..kinds import Inputs, Tell

if TYPE_CHECKING:
    from .interpreter import Needs

GROUP = "mikebot.backends"


class Backend(Protocol):
    """One way to make one kind of step. Instances live in a worker and run one step at a time."""

    kind: str
    name: str
    version: str  # Raised by hand when the same params and inputs would give other bytes than before.
    exact: bool  # The same params and inputs give the same bytes each time, on the same machine.
    Params: type  # A frozen dataclass: what the plan says of the kind, extended by this backend's knobs.
    likeness: bool  # Speech, still, clip, talk: makes more of a person than it is given. Not said, it is True.
    seeded: bool  # Speech: draws random numbers, and is told a seed. Not said, it is False.
    remarks: (
        bool  # Speech, talk: timing, or video (lossless.note), may hold a note for whoever renders. Not said: False.
    )
    python: Needs  # What it wants of its Python (interpreter.py), where the user may name another. Not said: ours.
    files: Mapping[str, str]  # Speech: what a persona may bring for it, and what that must be (given_files.MEDIA).

    # many(params) -> int, and run_many(parts): how many steps with one model it does at once, and those (kinds.Part);
    # returns facts, or what went wrong, for each. Not said, it does one.

    def check(self, params: Any) -> list[str]:
        """Every reason why this cannot run here, found before any weight is loaded."""

    def model(self, params: Any) -> str:
        """What must be resident in memory to run; empty if nothing must."""

    def load(self, model: str) -> None:
        """Bring a model into memory; heavy imports belong here or in `run`."""

    def unload(self, model: str) -> None:
        """Give the memory of a model back."""

    def run(self, params: Any, inputs: Inputs, out: Path, tell: Tell) -> Mapping[str, int] | None:
        """Write each output of the kind as out/NAME; return the facts of the kind, if it has any.

        Raises BackendError for a failure that it can explain; must let Cancelled through.
        """


class Light:
    """What a backend without a model need not say."""

    exact = True

    def check(self, params: Any) -> list[str]:
        return []

    def model(self, params: Any) -> str:
        return ""

    def load(self, model: str) -> None:
        """Nothing to load."""

    def unload(self, model: str) -> None:
        """Nothing to give back."""


@cache
def registered() -> Mapping[str, EntryPoint]:
    """Every installed backend by KIND.NAME; nothing is imported."""
    return {point.name: point for point in entry_points(group=GROUP)}


@cache
def find(kind: str, name: str) -> type[Backend]:
    """The class of a backend. Raises KeyError if none of that name is installed for the kind."""
    found: type[Backend] = registered()[f"{kind}.{name}"].load()
    return found
