"""Run one action here and now: the single place where a backend meets the store."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from .backends import Backend, find
from .errors import BackendError, Damaged
from .graph import Action, Result
from .kinds import KINDS, Inputs, Tell
from .store import Store, full, no_room
from .trust.permit import Permit


class Bench:
    """The backends of one process, and the one model that is resident."""

    def __init__(self) -> None:
        self.resident = ""
        self._owner: Backend | None = None

    def ready(self, action: Action) -> tuple[Backend, Any]:
        """The backend with its model loaded, and the action's params as its `Params`."""
        backend = _instance(action.kind, action.backend)
        params = params_of(backend, action.params)
        model = backend.model(params)
        if model != self.resident or (model and backend is not self._owner):
            if self._owner is not None and self.resident:
                self._owner.unload(self.resident)
            self.resident = ""
            if model:
                backend.load(model)
            self.resident, self._owner = model, backend
        return backend, params


def perform(action: Action, store: Store, tell: Tell, bench: Bench, permit: Permit | None = None) -> Result:
    """Make what an action describes, unless another process has done so by the time it is our turn.

    `permit`: where it shows a real person. Raises Damaged (an input is not what its name says), Unpermitted,
    Cancelled, or whatever the backend raises.
    """
    _check(action, store)
    with store.lease(action.key, lambda: tell.progress(0, 1)):
        if permit is not None:  # Now, not before: our turn may come late.
            permit.uphold()
        made = store.lookup([action.key]).get(action.key)
        if made is not None and all(store.holds(artifact) for artifact in made.outputs.values()):
            return made._replace(found=True)
        tell.progress(0, 1)  # Until now it waited: for its turn, or for another process.
        start = time.perf_counter()
        with store.scratch() as out:
            try:
                facts = run(action, store, out, tell, bench)
            except Exception as error:
                if full(error) or full(error.__cause__):
                    raise no_room(store.root) from error
                _check(action, store)  # Perhaps gc took an input away while it was read.
                raise
            outputs = {name: store.put(out / name) for name in KINDS[action.kind].outputs}
            return store.record(action, Result(outputs, facts, round(time.perf_counter() - start, 4)))


def _check(action: Action, store: Store) -> None:
    for digest in action.inputs.values():
        if not store.whole(digest):
            raise Damaged(digest)


def run(action: Action, store: Store, out: Path, tell: Tell, bench: Bench) -> Mapping[str, int]:
    """Let the backend write its outputs into a folder, and hold it to the contract of its kind."""
    backend, params = bench.ready(action)
    inputs = Inputs({name: store.path(digest) for name, digest in action.inputs.items()})
    facts = backend.run(params, inputs, out, tell) or {}
    kind = KINDS[action.kind]
    missing = [name for name in kind.outputs if not (out / name).is_file()]
    missing += [name for name in kind.facts if not isinstance(facts.get(name), int)]
    if missing:
        raise BackendError(f"backend {action.kind}.{action.backend} did not give {', '.join(missing)}")
    return {name: facts[name] for name in kind.facts}


def model_of(action: Action) -> str:
    """What must be resident to run an action; BackendError if it cannot run here, with every reason."""
    backend = _instance(action.kind, action.backend)
    params = params_of(backend, action.params)
    reasons = backend.check(params)
    if reasons:
        raise BackendError("; ".join(reasons))
    return backend.model(params)


def params_of(backend: Backend, params: Mapping[str, Any]) -> Any:
    """An action's params as the backend's dataclass; lists become tuples."""
    try:
        return backend.Params(**{name: _settled(value) for name, value in params.items()})
    except TypeError as error:
        raise BackendError(f"backend {backend.kind}.{backend.name}: {error}") from error


def _settled(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(_settled(item) for item in value)
    if isinstance(value, Mapping):
        return {name: _settled(item) for name, item in value.items()}
    return value


@cache
def _instance(kind: str, name: str) -> Backend:
    try:
        return find(kind, name)()
    except KeyError:
        raise BackendError(f"no backend {kind}.{name} is installed here") from None
