"""Free what nothing reaches: the one place where artifacts are deleted."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .graph import Artifact
from .ledger import process_lives
from .store import Store

DAY = 86400.0
HEAVY = ("clip", "talk")  # What a cap frees first: large, and only scenes are made of it.


class Swept(NamedTuple):
    """What a sweep did."""

    records: int
    artifacts: int
    freed: int  # Bytes.
    kept: int  # Bytes.


class Sweep:
    """Frees all but what `reached` keys made, and of that what is over the cap, least recently used first.

    Safe beside renders: a step whose bytes vanish is made again, and a render's scratch space is left alone
    while its process lives.
    """

    def __init__(self, store: Store, reached: Iterable[str], recent: Mapping[str, int]) -> None:
        self._store = store
        self._reached = set(reached)
        self._recent = recent  # Number of the last render that had a key.
        self._kinds = {row.key: row.kind for row in store.ledger.rows()}
        self._results = store.lookup(self._kinds)

    def run(self, cap: float, free: float) -> Swept:
        """Sweep; `cap` and `free` in bytes: most that the store holds, least that stays free on the disk."""
        gone = [key for key in self._kinds if key not in self._reached]
        self._store.ledger.forget(gone)
        kept = {artifact.digest for key in self._reached for artifact in self._outputs(key)}
        kept |= {d for action in self._store.actions(self._reached).values() for d in action.inputs.values()}
        here = self._store.artifacts()
        size = sum(here.values())
        doomed = {digest for digest in here if digest not in kept}
        doomed |= self._over(cap, free, {d: n for d, n in here.items() if d in kept}, size)
        freed = sum(here[digest] for digest in doomed)
        for digest in doomed:
            self._store.path(digest).unlink(missing_ok=True)
        self._litter()
        return Swept(len(gone), len(doomed), freed, size - freed)

    def _outputs(self, key: str) -> Iterable[Artifact]:
        return self._results[key].outputs.values() if key in self._results else ()

    def _over(self, cap: float, free: float, here: Mapping[str, int], size: int) -> set[str]:
        """What must go to come under the cap; never a byte of speech, stills or scenes."""
        disk = shutil.disk_usage(self._store.root).free
        left = sum(here.values())
        too_much = max(left - cap, free - disk - (size - left), 0.0)
        light = {a.digest for k, kind in self._kinds.items() if kind not in HEAVY for a in self._outputs(k)}
        heavy = [key for key, kind in self._kinds.items() if kind in HEAVY and key in self._reached]
        doomed: set[str] = set()
        for key in sorted(heavy, key=lambda key: self._recent.get(key, 0)):
            for artifact in self._outputs(key):
                if too_much <= 0:
                    return doomed
                if artifact.digest in here and artifact.digest not in light | doomed:
                    doomed.add(artifact.digest)
                    too_much -= here[artifact.digest]
        return doomed

    def _litter(self) -> None:
        """What processes that are gone left half done."""
        living = self._store.ledger.living()
        for room in (self._store.root / "tmp").iterdir():
            owner = "-".join(room.name.split("-")[:2])
            if owner not in living:
                shutil.rmtree(room, ignore_errors=True)
        for aside in (*self._store.root.glob("notes/*.*"), *self._store.root.glob("digests.json.*.tmp")):
            pid = aside.name.removesuffix(".tmp").rpartition(".")[2]
            if pid.isdecimal() and not process_lives(int(pid)):
                aside.unlink(missing_ok=True)


def recent_renders(store: Store, days: float) -> tuple[set[str], dict[str, int]]:
    """Keys of the renders of the last days, and of each storyboard's last; and when each key was last had.

    Older renders are forgotten. A time in the future (a clock was set back) counts as now.
    """
    keys: set[str] = set()
    recent: dict[str, int] = {}
    boards: set[tuple[str, str]] = set()
    for render in store.renders():
        board = (render.storyboard, render.profile)
        if board in boards and time.time() - render.time > days * DAY:
            store.forget_render(render.number)
            continue
        boards.add(board)
        keys.update(render.steps.values())
        for key in render.steps.values():
            recent.setdefault(key, render.number)
    return keys, recent
