"""Run one action here and now: the single place where a backend meets the store."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple

from .backends import Backend
from .backends.memory import ran_out
from .bench import Bench, params_of
from .disk import full, no_room
from .errors import BackendError, Damaged, MikebotError, OutOfMemory
from .graph import Action, Result
from .kinds import KINDS, Inputs, Part, Tell
from .store import Store
from .trust.permit import Permit


def perform(action: Action, store: Store, tell: Tell, bench: Bench, permit: Permit | None = None) -> Result:
    """Make what an action describes, unless another process has done so by the time it is our turn.

    `permit`: where it shows a real person. Raises Damaged (an input is not what its name says), Unpermitted,
    Cancelled, or whatever the backend raises.
    """
    _check(action, store)
    with store.lease(action.key, lambda: tell.progress(0, 1)):
        made = _meanwhile(action, store, tell, permit)
        if made is not None:
            return made
        start = time.perf_counter()
        with store.scratch() as out:
            try:
                facts = run(action, store, out, tell, bench)
            except Exception as error:
                why = _because(error, action, store)
                if why is error:
                    raise
                raise why from error
            return _kept(action, store, out, facts, time.perf_counter() - start)


class Asked(NamedTuple):
    """One of several actions: what `perform` is given of one."""

    action: Action
    tell: Tell
    permit: Permit | None


def perform_many(asked: Sequence[Asked], store: Store, bench: Bench) -> Iterator[tuple[int, Result | Exception]]:
    """Make what actions of one model describe, in one run of its backend; yields what came of each, by its place.

    What is wrong with all of them at once is looked for one by one, so that each has an end of its own.
    """
    with ExitStack() as held:
        # In this order everywhere: no two processes wait for a lease of each other's.
        order = sorted(range(len(asked)), key=lambda place: asked[place].action.key)
        begun = {place: _begun(asked[place], store, held) for place in order}
        yield from ((place, end) for place, end in begun.items() if end is not None)
        places = [place for place in range(len(asked)) if begun[place] is None]
        ours = [asked[place] for place in places]
        rooms = [held.enter_context(store.scratch()) for _ in ours]
        start = time.perf_counter()
        ends = _run_many(ours, store, rooms, bench) if ours else []
        each = (time.perf_counter() - start) / max(1, len(ours))
        for place, room, end in zip(places, rooms, ends, strict=True):
            yield place, _ended(asked[place].action, store, room, end, each)


def _begun(one: Asked, store: Store, held: ExitStack) -> Result | Exception | None:
    """What has become of an action before it was run, if anything has; else its lease is held."""
    try:
        _check(one.action, store)
        held.enter_context(store.lease(one.action.key, lambda: one.tell.progress(0, 1)))
        return _meanwhile(one.action, store, one.tell, one.permit)
    except Exception as error:
        return error


def _run_many(asked: Sequence[Asked], store: Store, rooms: Sequence[Path], bench: Bench) -> Sequence[Any]:
    """Facts or an exception for each."""
    first = asked[0]
    with suppress(Exception):  # Each of them is about to meet it.
        backend, _ = bench.ready(first.action, first.tell)
        parts = [_part(one, store, room, backend) for one, room in zip(asked, rooms, strict=True)]
        return [end or {} for end in backend.run_many(parts)]  # type: ignore[attr-defined]
    return [_attempt(one, store, room, bench) for one, room in zip(asked, rooms, strict=True)]


def _part(one: Asked, store: Store, room: Path, backend: Backend) -> Part:
    inputs = Inputs({name: store.path(digest) for name, digest in one.action.inputs.items()})
    return Part(params_of(backend, one.action.params), inputs, room, one.tell)


def _attempt(one: Asked, store: Store, room: Path, bench: Bench) -> Mapping[str, int] | Exception:
    try:
        return run(one.action, store, room, one.tell, bench)
    except Exception as error:
        return error


def _ended(action: Action, store: Store, room: Path, end: Any, seconds: float) -> Result | Exception:
    try:
        if isinstance(end, Exception):
            return _because(end, action, store)
        return _kept(action, store, room, _whole(action, end, room), seconds)
    except Exception as error:
        return error


def _meanwhile(action: Action, store: Store, tell: Tell, permit: Permit | None) -> Result | None:
    """What another process has made of an action before its turn came. Raises Unpermitted, Cancelled."""
    if permit is not None:  # Now, not before: our turn may come late.
        permit.uphold()
    made = store.lookup([action.key]).get(action.key)
    if made is not None and all(store.holds(artifact) for artifact in made.outputs.values()):
        return made._replace(found=True)
    tell.progress(0, 1)  # Until now it waited: for its turn, or for another process.
    return None


def _because(error: Exception, action: Action, store: Store) -> Exception:
    """Why a run failed: what lies below the error, where that can be told. Raises Damaged."""
    if full(error) or full(error.__cause__):
        return no_room(store.root)
    _check(action, store)  # Perhaps gc took an input away while it was read.
    return error


def _kept(action: Action, store: Store, out: Path, facts: Mapping[str, int], seconds: float) -> Result:
    outputs = {name: store.put(out / name) for name in KINDS[action.kind].outputs}
    return store.record(action, Result(outputs, facts, round(seconds, 4)))


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
    return _whole(action, backend.run(params, inputs, out, tell) or {}, out)


def _whole(action: Action, facts: Mapping[str, int], out: Path) -> Mapping[str, int]:
    """The facts of a kind. Raises BackendError where a backend did not keep to its contract."""
    kind = KINDS[action.kind]
    missing = [name for name in kind.outputs if not (out / name).is_file()]
    missing += [name for name in kind.facts if not isinstance(facts.get(name), int)]
    if missing:
        raise BackendError(f"backend {action.kind}.{action.backend} did not give {', '.join(missing)}")
    return {name: facts[name] for name in kind.facts}
