"""What one process has at hand: its backends, and the models that stay in memory from one step to the next.

Each model in memory has an instance of its backend to itself. A step whose model is there goes on at once; for
another, those used least recently go until it fits.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

from .backends import Backend, find, interpreter, memory
from .errors import BackendError
from .graph import Action
from .kinds import Tell

GIGABYTE = 10**9
_SHARE = 0.5  # Of the machine's free memory, where models live in that: the lanes encode and draw beside them.


class Moved(NamedTuple):
    """A model came into memory, or went."""

    state: Literal["loaded", "evicted"]
    model: str  # As `model_of` names it.


@dataclass
class _Held:
    backend: Backend
    model: str
    device: int  # Bytes that it keeps where models compute, between steps.
    host: int  # Bytes that it keeps in the machine's memory, beside a GPU.


class Bench:
    """The backends of one process. `vram`: gigabytes that models may take, 0 for what is free; `hear`: of each move."""

    def __init__(self, vram: float = 0.0, hear: Callable[[Moved], None] = lambda _: None) -> None:
        self._limit = int(vram * GIGABYTE)
        self._spare = 0  # Bytes of the machine's memory that were free before the first model.
        self._hear = hear
        self._held: dict[str, _Held] = {}  # The least recently used first.
        self._needs: dict[str, int] = {}  # Bytes of the device that a step with a model took at most.
        self._last = ""  # The model of the step before, if one was used.

    def ready(self, action: Action, tell: Tell) -> tuple[Backend, Any]:
        """The backend with its model loaded, and the action's params as its `Params`."""
        backend = instance(action.kind, action.backend)
        params = params_of(backend, action.params)
        model = backend.model(params)
        if not model:
            return backend, params
        self._learn()
        name = _named(backend, model)
        held = self._held.pop(name, None)
        if held is None:
            tell.progress(0, 0)  # It is loading: how far, no library says.
            held = self._load(name, model, find(action.kind, action.backend)())
        else:
            self._make_room(max(held.device, self._needs.get(name, 0)))
        self._held[name] = held
        tell.progress(0, 1)  # Loaded: whoever does not want the step any more is heard, and the model stays.
        self._last = name
        memory.taken()
        return held.backend, params

    def alone(self, action: Action) -> None:
        """Let go of all but what an action needs: it ran out of memory beside the others, and would again."""
        backend = instance(action.kind, action.backend)
        name = _named(backend, backend.model(params_of(backend, action.params)))
        for other in [held for held in self._held if held != name]:
            self._evict(other)
        self._needs[name], self._last = sys.maxsize, ""
        memory.tidy()

    def _load(self, name: str, model: str, backend: Backend) -> _Held:
        size = int(getattr(backend, "size", lambda _: 0)(model))
        self._spare = self._spare or memory.spare()
        self._make_room(self._needs.get(name, size))
        while size > memory.spare() and any(held.host for held in self._held.values()):
            self._evict(next(other for other, held in self._held.items() if held.host))
        before = memory.taken()
        backend.load(model)
        if memory.card() is None:
            held = _Held(backend, model, size, 0)
        else:
            device = memory.taken() - before
            held = _Held(backend, model, device, max(0, size - device))
        self._hear(Moved("loaded", name))
        return held

    def _make_room(self, need: int) -> None:
        """Evict the least recently used until so many bytes fit beside what stays on the device."""
        while self._kept() + need > self._budget() and self._kept():
            self._evict(next(other for other, held in self._held.items() if held.device))

    def _kept(self) -> int:
        return sum(held.device for held in self._held.values())

    def _budget(self) -> int:
        """Bytes that models may take. What is free on a GPU is asked once torch is here: after the first has loaded."""
        if not self._limit and self._held:
            self._limit = memory.free() if memory.card() is not None else int(self._spare * _SHARE)
        return self._limit

    def _learn(self) -> None:
        """What the step before took at most, its model included, is what the next with that model will need."""
        if self._last in self._held and memory.card() is not None:
            others = self._kept() - self._held[self._last].device
            self._needs[self._last] = max(self._needs.get(self._last, 0), memory.peak() - others)
        self._last = ""

    def _evict(self, name: str) -> None:
        held = self._held.pop(name)
        held.backend.unload(held.model)
        self._hear(Moved("evicted", name))


def model_of(action: Action) -> str:
    """What must be resident to run an action, "" if nothing; BackendError if it cannot run here, with every reason."""
    backend = instance(action.kind, action.backend)
    params = params_of(backend, action.params)
    reasons = backend.check(params)
    if reasons:
        raise BackendError("; ".join(reasons))
    return _named(backend, backend.model(params))


def many_of(action: Action) -> int:
    """How many actions with the same model its backend takes at once."""
    backend = instance(action.kind, action.backend)
    many = getattr(backend, "many", None)
    return int(many(params_of(backend, action.params))) if many is not None else 1


def python_of(action: Action) -> str:
    """The Python that runs an action: the one that the user names for its backend, or this one."""
    needs = getattr(instance(action.kind, action.backend), "python", None)
    return interpreter.chosen(needs.variable) if needs is not None else sys.executable


def params_of(backend: Backend, params: Mapping[str, Any]) -> Any:
    """An action's params as the backend's dataclass; lists become tuples."""
    try:
        return backend.Params(**{name: _settled(value) for name, value in params.items()})
    except TypeError as error:
        raise BackendError(f"backend {backend.kind}.{backend.name}: {error}") from error


@cache
def instance(kind: str, name: str) -> Backend:
    """A backend that has no model in memory; BackendError if none of that name is installed."""
    try:
        return find(kind, name)()
    except KeyError:
        raise BackendError(f"no backend {kind}.{name} is installed here") from None


def _named(backend: Backend, model: str) -> str:
    return f"{backend.kind}.{backend.name} {model}" if model else ""


def _settled(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(_settled(item) for item in value)
    if isinstance(value, Mapping):
        return {name: _settled(item) for name, item in value.items()}
    return value
