"""Artifacts by digest, results by key.

A record outlives its bytes: keys are resolved from digests alone, and bytes are asked for only by a step
that runs, or by a checkout. Both hash what they read, so an artifact that was cut, swapped or flipped on
the disk is found before it can reach a film.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from .digests import mark
from .disk import explained
from .effort import kin, work_of
from .errors import Damaged, StoreError
from .graph import Action, Artifact, Result
from .ledger import Ledger, Pace, Row
from .seal import seal, unseal

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
POLL = 0.05  # Seconds between two looks at a lease that another process holds.


class Render(NamedTuple):
    """One render as it was: which key every step had. Numbered from 1, for ever."""

    number: int
    storyboard: str  # Relative to the workspace.
    profile: str
    time: float
    steps: Mapping[str, str]


class Store:
    """The folder `.mikebot`: everything ever made, until gc frees it.

    `remembering`: results that were found stay in memory, for a process that looks the same keys up again and again.
    A record that is freed meanwhile harms nobody: its digests are as right as before, and bytes are always looked for.
    """

    def __init__(self, root: Path, remembering: bool = False) -> None:
        self.root = root
        self._found: dict[str, Result] | None = {} if remembering else None
        with explained(root):
            for part in ("artifacts", "renders", "tmp"):
                (root / part).mkdir(parents=True, exist_ok=True)
            self.ledger = Ledger(root / "results.db")

    def close(self) -> None:
        """Give leases back; the store can be opened again."""
        self.ledger.close()

    def path(self, digest: str) -> Path:
        """Where an artifact is, or would be."""
        return self.root / "artifacts" / digest[:2] / digest

    def holds(self, artifact: Artifact) -> bool:
        """Whether an artifact is here and has its size; its bytes are hashed when they are read."""
        digest = artifact.digest
        try:  # A film asks for thousands: text, where a Path takes longer than the question.
            return os.stat(f"{self.root}/artifacts/{digest[:2]}/{digest}").st_size == artifact.size  # noqa: PTH116
        except OSError:
            return False

    def whole(self, digest: str) -> bool:
        """Whether an artifact is here with the bytes of its name."""
        try:
            return hash_of(self.path(digest)) == digest
        except OSError:
            return False

    def read(self, artifact: Artifact) -> bytes:
        """The bytes of an artifact that fits into memory. Raises Damaged if it is not whole."""
        try:
            found = self.path(artifact.digest).read_bytes()
        except FileNotFoundError as error:
            raise Damaged(artifact.digest) from error
        if hashlib.sha256(found).hexdigest() != artifact.digest:
            raise Damaged(artifact.digest)
        return found

    def discard(self, digest: str) -> None:
        """Remove an artifact unless it is whole after all."""
        if not self.whole(digest):
            with explained(self.root):
                self.path(digest).unlink(missing_ok=True)

    def put(self, file: Path) -> Artifact:
        """Move a file of this store's scratch space to its place; heals what was damaged there."""
        with explained(self.root):
            _flush(file)
            artifact = Artifact(hash_of(file), file.stat().st_size)
            target = self.path(artifact.digest)
            target.parent.mkdir(parents=True, exist_ok=True)
            self._settle(file, target)
        return artifact

    def adopt(self, source: Path, artifact: Artifact) -> None:
        """Copy a file that the author brought; StoreError if it is not any more what it was when it was read."""
        with explained(self.root), self.scratch() as room:
            try:
                digest = _copy(source, room / "copy")
            except FileNotFoundError:
                digest = ""
            if digest != artifact.digest:
                raise StoreError(f"{source} changed while it was being rendered", "render again")
            self.put(room / "copy")

    def checkout(self, artifact: Artifact, to: Path) -> list[int]:
        """Copy an artifact to where a person wants it, all or nothing; returns the copy's mark.

        Raises Damaged if the artifact is not whole.
        """
        aside = to.with_name(f".{to.name}.{self.ledger.owner}.part")
        self.ledger.live()
        try:
            with explained(to.parent):
                to.parent.mkdir(parents=True, exist_ok=True)
                self.sweep_parts(to.parent, to.name)
                try:
                    if _copy(self.path(artifact.digest), aside) != artifact.digest:
                        raise Damaged(artifact.digest)
                except FileNotFoundError as error:
                    raise Damaged(artifact.digest) from error
                _flush(aside)
                copied = mark(str(aside))  # It stays what it is through the renaming.
                aside.replace(to)
                return copied
        finally:
            with contextlib.suppress(OSError):  # Even what is not there cannot be removed from a read-only place.
                aside.unlink()

    def sweep_parts(self, folder: Path, name: str = "") -> None:
        """Remove what checkouts of processes that are gone left half copied in a folder."""
        parts = [(part, part.name.split(".")[-2]) for part in folder.glob(f".{glob.escape(name) or '*'}.*-*.part")]
        living = self.ledger.living() if parts else set()
        for part, owner in parts:
            if owner not in living:
                part.unlink(missing_ok=True)

    def lookup(self, keys: Iterable[str]) -> dict[str, Result]:
        """The recorded results of those keys that have one; a record that makes no sense is as good as none."""
        if self._found is None:
            return self._recorded(keys)
        wanted = set(keys)
        self._found |= self._recorded(wanted - self._found.keys())
        return {key: self._found[key] for key in wanted & self._found.keys()}

    def learn(self, key: str, result: Result) -> None:
        """Remember what was made just now: perhaps it was made before, with other bytes."""
        if self._found is not None:
            self._found[key] = result._replace(found=False)

    def _recorded(self, keys: Iterable[str]) -> dict[str, Result]:
        texts = self.ledger.results(keys)
        return {key: result for key, text in texts.items() if (result := _result(key, text)) is not None}

    def actions(self, keys: Iterable[str]) -> dict[str, Action]:
        """The actions behind keys, for whoever asks why; those whose text is damaged are left out."""
        texts = self.ledger.actions(keys)
        return {key: Action(*json.loads(text)[1:]) for key, text in texts.items() if _names(key, text)}

    def paces(self) -> dict[tuple[str, str], Pace]:
        """How long, and how big, a unit of work of each kind and kin was so far (engine/effort.py)."""
        return self.ledger.paces()

    def record(self, action: Action, result: Result) -> Result:
        """Remember a result and end the lease; returns the result that stands."""
        size = sum(artifact.size for artifact in result.outputs.values())
        key = action.key
        said = json.dumps([{name: list(a) for name, a in result.outputs.items()}, result.facts, result.seconds])
        text, work, alike = seal(said, key), work_of(action.params), kin(action.backend, action.params)
        row = Row(key, action.canonical(), text, action.kind, alike, result.seconds, work, size)
        stands = _result(key, self.ledger.save(row))
        return stands if stands is not None and stands != result else result

    @contextlib.contextmanager
    def lease(self, key: str, waiting: Callable[[], None]) -> Iterator[None]:
        """Be the only process that works on a key; `waiting` is called while another does, and may raise."""
        while not self.ledger.take(key):
            waiting()
            time.sleep(POLL)
        try:
            yield
        finally:
            self.ledger.give_back(key)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder on the store's file system, so that moving out of it is atomic."""
        self.ledger.live()
        room = self.root / "tmp" / f"{self.ledger.owner}-{os.urandom(4).hex()}"
        with explained(self.root):
            room.parent.mkdir(exist_ok=True)  # Whoever removed a store that is in use finds it begun anew.
            room.mkdir()
        try:
            yield room
        finally:
            shutil.rmtree(room, ignore_errors=True)

    def abandon(self) -> None:
        """Remove what this process left half done: it is about to end in the middle of it."""
        with contextlib.suppress(OSError):
            for room in (self.root / "tmp").glob(f"{self.ledger.owner}-*"):
                shutil.rmtree(room, ignore_errors=True)

    def remember(self, storyboard: str, profile: str, steps: Mapping[str, str]) -> None:
        """Write down a render; one that did what the last one did is not written again."""
        last = self.last_render(storyboard, profile)
        if last is not None and dict(last.steps) == dict(steps):
            return
        text = json.dumps({"storyboard": storyboard, "profile": profile, "time": time.time(), "steps": dict(steps)})
        with self.scratch() as room, explained(self.root):
            (room / "render").write_text(text, encoding="utf-8")
            (self.root / "renders").mkdir(exist_ok=True)
            (room / "render").replace(self._next_render())

    def renders(self) -> Iterator[Render]:
        """Every render, the newest first; unreadable ones are left out."""
        for number in sorted(self._numbers(), reverse=True):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                said = json.loads((self.root / "renders" / f"{number}.json").read_text(encoding="utf-8"))
                yield Render(number, said["storyboard"], said["profile"], float(said["time"]), dict(said["steps"]))

    def last_render(self, storyboard: str, profile: str) -> Render | None:
        """The newest render of a storyboard with a profile."""
        same = (r for r in self.renders() if (r.storyboard, r.profile) == (storyboard, profile))
        return next(same, None)

    def forget_render(self, number: int) -> None:
        """Remove what was written down of a render."""
        (self.root / "renders" / f"{number}.json").unlink(missing_ok=True)

    def artifacts(self) -> dict[str, int]:
        """Every artifact that is here, with its size as it is on the disk."""
        files = (self.root / "artifacts").glob("??/*")
        return {file.name: file.stat().st_size for file in sorted(files) if _DIGEST.match(file.name)}

    def _next_render(self) -> Path:
        """A number that no other process has."""
        number = max(self._numbers(), default=0) + 1
        while True:
            place = self.root / "renders" / f"{number}.json"
            with contextlib.suppress(FileExistsError):
                place.touch(exist_ok=False)
                return place
            number += 1

    def _numbers(self) -> list[int]:
        return [int(file.stem) for file in (self.root / "renders").glob("*.json") if file.stem.isdecimal()]

    def _settle(self, file: Path, target: Path) -> None:
        try:
            file.replace(target)
        except PermissionError:
            # Windows does not replace a file that another process reads; if it is whole, ours is not needed.
            if not self.whole(target.name):
                raise
            file.unlink()


def hash_of(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _names(key: str, text: object) -> bool:
    return isinstance(text, str) and hashlib.sha256(text.encode()).hexdigest() == key


def _result(key: str, text: str) -> Result | None:
    try:
        outputs, facts, seconds = json.loads(unseal(text, key))
        found = {name: Artifact(digest, size) for name, (digest, size) in outputs.items()}
        sound = all(_DIGEST.match(a.digest) and isinstance(a.size, int) for a in found.values())
        return Result(found, {str(k): int(v) for k, v in facts.items()}, float(seconds)) if sound else None
    except (ValueError, TypeError, AttributeError):
        return None


def _copy(source: Path, target: Path) -> str:
    """Copy a file; returns the digest of what was copied."""
    digest = hashlib.sha256()
    with source.open("rb") as reader, target.open("xb") as writer:
        while piece := reader.read(1 << 20):
            digest.update(piece)
            writer.write(piece)
    return digest.hexdigest()


def _flush(file: Path) -> None:
    with file.open("rb+") as stream:
        os.fsync(stream.fileno())
