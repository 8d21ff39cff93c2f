"""What git knows, asked by its plumbing: commits, trees and blobs.

Nothing that a repository's configuration names is run: no hook, no filter, no textconv, no pager, no monitor, and
no transport of a partial clone.
"""

from __future__ import annotations

import os
import posixpath
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NamedTuple

from .document import shown
from .errors import UsageError

_QUIET = ("--no-pager", "--literal-pathspecs", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")
_CLOSED = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "none", "LC_ALL": "C"}


class Entry(NamedTuple):
    """A file of a tree: its mode, and the name of its blob."""

    mode: str
    blob: str


class Repository:
    """The git repository that a folder lies in. Raises UsageError where there is none, or no git."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("git")
        if program is None:
            raise UsageError("git is not installed", "install it, or put it on the PATH")
        self._program = program
        if "GIT_DIR" in os.environ:
            folder = Path.cwd()  # In a hook, it is meant from where git started us.
        self._folder = next(place for place in (folder, *folder.parents) if place.is_dir())
        top = self._ask("rev-parse", "--show-toplevel")
        if b"not a git repository" in top.stderr:
            raise UsageError(f"{shown(folder)} is in no git repository", "make one with: git init")
        self.top = Path(os.path.realpath(os.fsdecode(self._answer(top).removesuffix(b"\n"))))

    def commit(self, revision: str) -> str:
        """The full name of a commit. Raises UsageError for what names none."""
        if revision.startswith("-") or not revision.isprintable() or not revision:
            raise UsageError(f"'{revision}' is no revision", "name a commit, a branch or a tag, such as HEAD~1")
        found = self._ask("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        if found.returncode == 0:
            return found.stdout.decode("ascii").strip()
        if revision == "HEAD":
            raise UsageError("this repository has no commit yet", "commit once: git add . && git commit")
        raise UsageError(f"unknown revision '{revision}'", "see: git log --oneline, git branch, git tag")

    def tree(self, commit: str, root: Path) -> dict[str, Entry]:
        """The files of a commit below a folder, by their paths from there."""
        inside = root.relative_to(self.top).as_posix() if root.is_relative_to(self.top) else "."
        before = self.top.relative_to(root).as_posix() if self.top.is_relative_to(root) else "."
        pathspec = [] if inside == "." else ["--", f"{inside}/"]
        listed = self._answer(self._ask("ls-tree", "-r", "-z", "--full-tree", commit, *pathspec))
        found: dict[str, Entry] = {}
        for line in filter(None, listed.split(b"\0")):
            about, _, path = line.partition(b"\t")
            mode, sort, blob = about.decode("ascii").split()
            name = posixpath.normpath(posixpath.join(before, os.fsdecode(path).removeprefix(f"{inside}/")))
            if sort == "blob" and not (os.name == "nt" and set(name) & set("\\:")):
                found[name] = Entry(mode, blob)
        return found

    def blobs(self) -> Blobs:
        """A reader of blobs; close it."""
        return Blobs(self._command("cat-file", "--batch"), self._folder)

    def kept_by_lfs(self, digest: str) -> Path:
        """Where Git LFS keeps a file, if it has brought it."""
        common = os.fsdecode(self._answer(self._ask("rev-parse", "--git-common-dir")).removesuffix(b"\n"))
        return self._folder / common / "lfs" / "objects" / digest[:2] / digest[2:4] / digest

    def _command(self, *words: str) -> list[str]:
        return [self._program, *_QUIET, *words]

    def _ask(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self._command(*words),
            cwd=self._folder,
            env={**os.environ, **_CLOSED},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )

    def _answer(self, said: subprocess.CompletedProcess[bytes]) -> bytes:
        if said.returncode:
            complaint = said.stderr.decode("utf-8", "replace").strip().split("\n")[0]
            raise UsageError(f"git cannot be asked about {shown(self._folder)}", complaint.removeprefix("fatal: "))
        return said.stdout


class Blobs:
    """Contents out of a repository, one after another, by one process; large ones are never held whole."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **_CLOSED},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> Blobs:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe(self._process.stdin).close()
        self._pipe(self._process.stdout).close()
        self._process.kill()  # It has been told to end; in the middle of a large blob it would not hear.
        self._process.wait()

    def write(self, blob: str, into: Path) -> bool:
        """Write a blob into a file; False if the repository lacks it, as a partial clone may."""
        asked, said = self._pipe(self._process.stdin), self._pipe(self._process.stdout)
        asked.write(f"{blob}\n".encode("ascii"))
        asked.flush()
        head = said.readline().split()
        if len(head) != 3 or head[1] != b"blob":
            return False
        into.parent.mkdir(parents=True, exist_ok=True)
        left = int(head[2])
        with into.open("wb") as file:
            while left and (piece := said.read(min(left, 1 << 20))):
                file.write(piece)
                left -= len(piece)
        return left == 0 and said.read(1) == b"\n"

    def _pipe(self, pipe: IO[bytes] | None) -> IO[bytes]:
        if pipe is None:
            raise ValueError("the process was started without this pipe")
        return pipe
