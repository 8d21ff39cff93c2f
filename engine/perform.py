"""Run one action here and now: the single place where a backend meets the store."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from .backends.memory import ran_out
from .bench import Bench
from .errors import BackendError, Damaged, MikebotError, OutOfMemory
from .graph import Action, Result
from .kinds import KINDS, Inputs, Tell
from .store import Store, full, no_room
from .trust.permit import Permit


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
    """Let the backend write its outputs into a folder, and hold it to the contract of its kind.

    Where memory runs out, once more, with nothing else in it: raises OutOfMemory where that is not enough.
    """
    try:
        return _made(action, store, out, tell, bench)
    except Exception as error:
        if not ran_out(error):
            raise
    bench.alone(action)  # The error is gone, and with it what its frames held.
    shutil.rmtree(out)
    out.mkdir()
    try:
        return _made(action, store, out, tell, bench)
    except Exception as error:
        if isinstance(error, MikebotError) or not ran_out(error):
            raise
        message = f"there is too little memory for a {action.kind} with {action.backend}"
        raise OutOfMemory(message, "Close other programs, or choose a smaller size.") from None


def _made(action: Action, store: Store, out: Path, tell: Tell, bench: Bench) -> Mapping[str, int]:
    backend, params = bench.ready(action, tell)
    inputs = Inputs({name: store.path(digest) for name, digest in action.inputs.items()})
    facts = backend.run(params, inputs, out, tell) or {}
    kind = KINDS[action.kind]
    missing = [name for name in kind.outputs if not (out / name).is_file()]
    missing += [name for name in kind.facts if not isinstance(facts.get(name), int)]
    if missing:
        raise BackendError(f"backend {action.kind}.{action.backend} did not give {', '.join(missing)}")
    return {name: facts[name] for name in kind.facts}
