"""Files that an author names: found inside the workspace, looked at before they are opened, digested."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from .digests import Digests
from .document import Document
from .errors import BackendError, Mistake
from .explain import did_you_mean, label
from .storyboard import Source


class _Media(NamedTuple):
    most: int  # Bytes.
    probe: Callable[[Path], Fraction | None] | None


class Given:
    """Takes in the files of one storyboard: `sources` by digest, and what was wrong with the others."""

    def __init__(self, root: Path, digests: Digests) -> None:
        self.root = Path(os.path.realpath(root))
        self.digests = digests
        self.mistakes: list[Mistake] = []
        self.taken: dict[Path, Source] = {}
        self.sought: list[Path] = []  # Every file that was looked for inside the workspace.

    def take(self, document: Document, path: Sequence[str | int], folder: Path, media: str) -> Source | None:
        """The file named at a path of a document; None, and a mistake, if it cannot be used.

        `folder` is that of the document's file; `media` is a name of MEDIA.
        """
        named = document.data
        for part in path:
            named = named[part]
        try:
            return self._source(self._inside(named, folder), media)
        except OSError as problem:
            fault = _Fault(f"'{named}' cannot be read: {problem.strerror}", "check its permissions")
        except _Fault as found:
            fault = found
        message = f"{label(path)}: {fault.message}"
        self.mistakes.append(document.mistake(document.place(path), message, fault.hint))
        return None

    def _inside(self, named: str, folder: Path) -> Path:
        """The real path of a file, which lies in the workspace."""
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+:", named):
            raise _Fault(f"'{named}' is an address, not a file", "put the file into the project's folder and name it")
        if "\\" in named:
            raise _Fault(f"'{named}' holds a backslash", "write / between folders")
        inside = "name a file of the workspace, from the folder of this file"
        if named.startswith(("/", "~")) or re.match("[a-zA-Z]:", named):
            raise _Fault(f"'{named}' is an absolute path", inside)
        real = Path(os.path.realpath(folder / named))
        if not real.is_relative_to(self.root):
            within = Path(os.path.realpath(folder)) / named
            left = not Path(os.path.normpath(within)).is_relative_to(self.root)
            how = "leaves the workspace" if left else "leaves the workspace through a symbolic link"
            raise _Fault(f"'{named}' {how}", inside)
        return real

    def _source(self, real: Path, media: str) -> Source:
        self.sought.append(real)
        if real in self.taken:
            return self.taken[real]
        try:
            about = real.stat()
        except FileNotFoundError:
            raise _missing(real) from None
        if not stat.S_ISREG(about.st_mode):
            raise _Fault(f"'{real.name}' is {_sort(about.st_mode)}, not a file", "name a file")
        most, probe = MEDIA[media]
        if about.st_size == 0:
            raise _Fault(f"'{real.name}' is empty", "bring it again")
        if about.st_size > most:
            has = f"{about.st_size / 1e6:,.0f} MB"
            raise _Fault(f"'{real.name}' has {has}; at most {most / 1e6:,.0f} MB are read", "make it smaller")
        digest, size = self.digests.of(real)
        self.taken[real] = source = Source(real, digest, size, probe(real) if probe else None)
        return source


class _Fault(Exception):
    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def _missing(path: Path) -> _Fault:
    try:
        there = sorted(entry.name for entry in path.parent.iterdir())
    except OSError:
        return _Fault(f"there is no folder '{path.parent.name}' with '{path.name}' in it", "check the path")
    guess = did_you_mean(path.name, there)
    return _Fault(f"there is no file '{path.name}'{guess}", f"it is looked for in {path.parent.name}/")


def _sort(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


def _probed(look: str) -> Callable[[Path], Fraction | None]:
    """A probe that is imported when the first file is named."""

    def probe(path: Path) -> Fraction | None:
        from . import probe as probing

        try:
            return _seconds(getattr(probing, look)(path))
        except probing.Unreadable as problem:
            raise _Fault(f"'{path.name}': {problem.message}", problem.hint) from None

    return probe


def _weights(path: Path) -> None:
    """Weights are safetensors: all else that is called so can run any program when it is read."""
    from .backends.model_folder import PICKLED, header

    if path.suffix in PICKLED:
        message = f"'{path.name}' is a pickle by its name: such a file can run any program, and is not read"
        raise _Fault(message, "export the LoRA as *.safetensors")
    try:
        header(path, f"'{path.name}'")
    except BackendError as problem:
        raise _Fault(problem.message, "export the LoRA again, as *.safetensors") from None


def _voice(path: Path) -> None:
    """A trained voice: looked into before anything of it is used."""
    from .backends.nemo_archive import MODEL, looked_over

    try:
        looked_over(path, MODEL)
    except BackendError as problem:
        raise _Fault(problem.message, problem.hint) from None


def _seconds(found: Any) -> Fraction | None:
    """The length in what a probe tells: of a recording, the fact itself; of a picture, none."""
    if isinstance(found, Fraction):
        return found
    seconds: Fraction | None = getattr(found, "seconds", None)
    return seconds


MEDIA = {
    "image": _Media(64_000_000, _probed("image")),
    "video": _Media(2_000_000_000, _probed("video")),
    "audio": _Media(2_000_000_000, _probed("audio")),
    "text": _Media(65_536, None),
    "weights": _Media(2_000_000_000, _weights),
    "voice": _Media(8_000_000_000, _voice),
}
