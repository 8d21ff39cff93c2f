"""The shortest answer: nothing changed since the last render, so nothing is to be done.

A render leaves a note: the digests of every file that decided it, the state of the program itself, and
what it delivered. If the bytes of those files are the same, the program is the same and what was delivered
is where it was put, the answer is known before anything else is imported. Whatever is in doubt (a note that
cannot be read, a file that is gone) is answered by the ordinary way.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .digests import Digests, mark
from .seal import seal, unseal


class Request(NamedTuple):
    """What was asked for; one note each."""

    storyboard: str
    profile: str
    until: str
    scenes: Sequence[str]
    out: str
    shape: str


class Note(NamedTuple):
    """What the last render of a request was."""

    summary: Mapping[str, Any]  # As under "done".
    warnings: Sequence[str]
    steps: str  # JSON of [[step, kind, scene], ...]; parsed only by who wants it.


def recall(store: Path, request: Request) -> Note | None:
    """The last render of a request, if it still is the answer."""
    try:
        head, _, steps = unseal(_place(store, request).read_text("utf-8")).partition("\n")
        said = json.loads(head)
        if said["program"] != program() or not _same(said["files"], Digests(store / "digests.json")):
            return None
        if any(os.path.lexists(path) for path in said["absent"]):
            return None
        if any(mark(path) != seen for path, seen in said["delivered"]):
            return None
        return Note(said["summary"], said["warnings"], steps)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(
    store: Path,
    request: Request,
    note: Note,
    files: Iterable[tuple[Path, str]],
    absent: Iterable[Path],
    delivered: Iterable[tuple[Path, list[int]]],
    program: str,
) -> None:
    """Leave a note for the next time.

    `absent`: files that would have changed the answer by being there. Digests, marks and `program` are as they
    were when they were used, not as they are now. A note that cannot be written costs time, not the render.
    """
    said = {
        "program": program,
        "files": [[str(path), digest] for path, digest in files],
        "absent": [str(path) for path in absent],
        "delivered": [[str(path), seen] for path, seen in delivered],
        "summary": note.summary,
        "warnings": list(note.warnings),
    }
    place = _place(store, request)
    aside = place.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        place.parent.mkdir(exist_ok=True)
        aside.write_text(seal(f"{json.dumps(said)}\n{note.steps}"), encoding="utf-8")
        aside.replace(place)


def _place(store: Path, request: Request) -> Path:
    name = hashlib.sha256(json.dumps(request).encode()).hexdigest()[:32]
    return store / "notes" / f"{name}.json"


def _same(files: Iterable[Sequence[str]], digests: Digests) -> bool:
    return all(digests.of(Path(path))[0] == digest for path, digest in files)


def program() -> str:
    """The state of our own code, and of every place where another backend could come from."""
    own = Path(__file__).parent
    marks = [[entry, *mark(entry)] for entry in sorted(_sources(str(own)))]
    marks += [[place, *mark(place)] for place in sys.path if os.path.exists(place)]  # noqa: PTH110
    return hashlib.sha256(json.dumps([sys.version, marks]).encode()).hexdigest()


def _sources(folder: str) -> Iterable[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name != "__pycache__":
                    yield from _sources(entry.path)
            else:
                yield entry.path
