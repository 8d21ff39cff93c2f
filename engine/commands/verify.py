"""mikebot verify: hash every artifact again, and make a sample of results again."""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

from ..backends import find, registered
from ..bench import Bench
from ..errors import MikebotError
from ..graph import Action, Result
from ..perform import run as make
from ..places import store_folder, workspace
from ..store import Store, hash_of
from ..worker import told

LEAST_PSNR = 30.0  # Decibels between two makings of a backend that is not exact.


def run(args: argparse.Namespace) -> int:
    """Print what is wrong; 1 if anything is. Damaged artifacts are removed: the next render makes them again."""
    root = workspace(Path(args.path))
    folder = store_folder(root, args.store)
    if not folder.exists():
        print("the store is empty")
        return 0
    store = Store(folder)
    try:
        here = store.artifacts()
        damaged = [digest for digest in here if not store.whole(digest)]
        for digest in damaged:
            store.discard(digest)
            print(f"damaged: artifact {digest}; removed, the next render that needs it makes it again")
        records = list(_records(store))
        differing = [line for action, result in _sample(records, args.sample) for line in _again(action, result, store)]
    finally:
        store.close()
    for line in differing:
        print(line)
    made = min(args.sample, len(records))
    print(f"{len(here)} artifacts hashed, {len(damaged)} damaged; {made} results made again, {len(differing)} differ")
    return 1 if damaged or differing else 0


def _records(store: Store) -> Iterator[tuple[Action, Result]]:
    """Results whose inputs and outputs are all here, of backends as they are installed."""
    rows = store.ledger.rows()
    results = store.lookup(row.key for row in rows)
    actions = store.actions(results)
    for key, result in results.items():
        inputs = key in actions and all(store.path(digest).exists() for digest in actions[key].inputs.values())
        if inputs and _installed(actions[key]) and all(store.holds(artifact) for artifact in result.outputs.values()):
            yield actions[key], result


def _installed(action: Action) -> bool:
    """Another version of a backend may give other bytes, and says so by its version."""
    known = f"{action.kind}.{action.backend}" in registered()
    return known and find(action.kind, action.backend).version == action.version


def _sample(records: list[tuple[Action, Result]], count: int) -> list[tuple[Action, Result]]:
    return random.SystemRandom().sample(records, min(count, len(records)))


def _again(action: Action, result: Result, store: Store) -> Iterator[str]:
    """Make an action again, and say how the outcome differs from what is recorded."""
    bench = Bench()
    name = f"{action.kind} with {action.backend}, key {action.key[:12]}"
    with store.scratch() as out:
        try:
            facts = make(action, store, out, _Silent(), bench)
        except MikebotError as error:
            yield f"failed: {name}: {error}"
            return
        except Exception as error:
            yield f"failed: {name}: {told(action, error)[0]}"
            return
        if dict(facts) != dict(result.facts):
            yield f"differs: {name}: {dict(facts)} where {dict(result.facts)} is recorded"
        for output, artifact in result.outputs.items():
            if hash_of(out / output) == artifact.digest:
                continue
            if find(action.kind, action.backend).exact:
                yield f"differs: {name}: {output} has other bytes"
            else:
                yield from _close(name, output, out / output, store.path(artifact.digest))


def _close(name: str, output: str, new: Path, old: Path) -> Iterator[str]:
    from ..likeness import psnr

    found = psnr(new, old)
    if found < LEAST_PSNR:
        yield f"differs: {name}: {output} is {found:.1f} dB from what is recorded (at least {LEAST_PSNR:.0f})"


class _Silent:
    def progress(self, done: int, total: int) -> None:
        """Nobody waits."""
