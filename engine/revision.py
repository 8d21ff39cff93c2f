"""A revision of a workspace: what a storyboard needs of it, laid out in a folder of its own."""

from __future__ import annotations

import os
import posixpath
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .digests import digest
from .document import parse, read
from .errors import AuthorError, UsageError
from .git import Blobs, Entry, Repository
from .profile import SHIPPED

_POINTER = re.compile(rb"version https?://\S+/spec/v1\n(?:ext[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize \d+\n")
_MOST_POINTER = 1024  # Bytes: Git LFS's own bound.
_LINK = "120000"
_MOST_LINKS = 40


class Past:
    """A workspace as it was: laid out below `root`, with the working files where git has none."""

    def __init__(self, repository: Repository, revision: str, now: Path, root: Path) -> None:
        self.revision = revision
        self.commit = repository.commit(revision)
        self.root = Path(os.path.realpath(root))
        self.borrowed: dict[Path, str] = {}  # The file here, and what is to be said of it.
        self._repository = repository
        self._now = Path(os.path.realpath(now))
        self._tree = repository.tree(self.commit, self._now)
        self._targets: dict[str, str] = {}
        for folder in ("personas", "projects"):
            (self.root / folder).mkdir(parents=True)

    def lay_out(self, storyboard: str, profile: str) -> Path | None:
        """Bring a storyboard and all that it needs; None if this revision does not have it."""
        with self._repository.blobs() as blobs:
            if not self._take(storyboard, blobs):
                return None
            data = self._named_in(storyboard, blobs)
            persona = data.get("persona") if isinstance(data, dict) else None
            if isinstance(persona, str) and persona.replace("-", "").isalnum():
                about = f"personas/{persona}/persona.yaml"
                if self._bring(about, blobs):
                    self._named_in(about, blobs)
            self._profiles(profile, blobs)
            for name in self._tree:
                if name.startswith("fonts/"):
                    self._take(name, blobs)
        return self.root / storyboard

    def error(self, problem: AuthorError) -> AuthorError:
        """An error about files here, as one about the revision that they are from."""
        told = AuthorError([mistake._replace(file=self._file(mistake.file)) for mistake in problem.mistakes])
        told.hint = f"{self.revision} cannot be compared; name a revision without mistakes"
        return told

    def _file(self, named: str) -> str:
        """A file here as git names it."""
        path = Path(named).absolute()
        if not path.is_relative_to(self.root):
            return named
        within, top = self._now / path.relative_to(self.root), self._repository.top
        return f"{self.revision}:{within.relative_to(top).as_posix() if within.is_relative_to(top) else within}"

    def _profiles(self, name: str, blobs: Blobs) -> None:
        """A profile and those that it extends; where the workspace had none, mikebot's own was meant."""
        seen: set[str] = set()
        while name not in seen and name.replace("-", "").isalnum():
            seen.add(name)
            own, shipped = f"profiles/{name}.yaml", SHIPPED / f"{name}.yaml"
            if not self._take(own, blobs) and not shipped.is_file() and not self._borrow(own):
                return
            file = self.root / own
            data = read(file if file.is_file() else shipped)[0].data
            name = str(data.get("extends") or "") if isinstance(data, dict) else ""

    def _named_in(self, name: str, blobs: Blobs) -> Any:
        """Bring every file that some text of a document names; returns its data."""
        data = parse((self.root / name).read_bytes(), name).data
        for text in dict.fromkeys(_texts(data)):
            if 0 < len(text) <= 1000 and text.isprintable() and "\\" not in text and text[0] not in "/~":
                self._bring(posixpath.normpath(posixpath.join(posixpath.dirname(name), text)), blobs)
        return data

    def _bring(self, name: str, blobs: Blobs) -> bool:
        return not name.startswith("../") and (self._take(name, blobs) or self._borrow(name))

    def _take(self, name: str, blobs: Blobs) -> bool:
        """Write a file of the revision; False if it has none of that name."""
        to = self.root / name
        if to.is_file():
            return True
        entry = self._entry(name, blobs)
        if entry is None:
            return False
        if not blobs.write(entry.blob, to):
            named = self._file(str(to))
            raise UsageError(f"this clone does not hold {named}", f"bring it with: git cat-file -e '{named}'")
        pointer = _POINTER.match(to.read_bytes()) if to.stat().st_size <= _MOST_POINTER else None
        if pointer is not None:
            self._fetch(name, pointer.group(1).decode("ascii"))
        return True

    def _entry(self, name: str, blobs: Blobs, followed: int = 0) -> Entry | None:
        """The file of a name, behind links that stay in the workspace."""
        parts = name.split("/")
        for size in range(1, len(parts) + 1):
            head, rest = "/".join(parts[:size]), parts[size:]
            entry = self._tree.get(head)
            if entry is not None and entry.mode == _LINK:
                target = self._target(head, entry, blobs)
                led = posixpath.normpath(posixpath.join(posixpath.dirname(head), target, *rest))
                outside = led.startswith(("/", "../")) or followed == _MOST_LINKS
                return None if outside else self._entry(led, blobs, followed + 1)
        return self._tree.get(name)

    def _target(self, name: str, entry: Entry, blobs: Blobs) -> str:
        if name not in self._targets:
            aside = self.root / "link"
            self._targets[name] = os.fsdecode(aside.read_bytes()) if blobs.write(entry.blob, aside) else "/"
            aside.unlink(missing_ok=True)
        return self._targets[name]

    def _borrow(self, name: str, why: str = "is not in {}: the working file is used") -> bool:
        """Use the working file in place of one that git does not have."""
        real = Path(os.path.realpath(self._now / name))
        if not real.is_file() or not real.is_relative_to(self._now):
            return False
        to = self.root / name
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(real, to)
        self.borrowed[to] = f"{name} {why.format(self.revision)}"
        return True

    def _fetch(self, name: str, wanted: str) -> None:
        """Put what Git LFS keeps in the place of its pointer."""
        working = Path(os.path.realpath(self._now / name))
        for file in (working, self._repository.kept_by_lfs(wanted)):
            if file.is_file() and digest(file)[0] == wanted:
                shutil.copyfile(file, self.root / name)
                return
        self._borrow(name, "is kept by Git LFS, which has not brought it as of {}: the working file is used")


def used(borrowed: Mapping[Path, str], files: Sequence[Path]) -> list[str]:
    """What is to be said of the borrowed files that a storyboard really reads."""
    return [said for path, said in borrowed.items() if path in files]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for below in value.values() if isinstance(value, dict) else value:
            yield from _texts(below)
