"""Files that changed: waits for a save to be over, and compares what the files hold, not what was heard of them.

The operating system tells of a save in many ways (truncate and write, write aside and rename, a backup that is
renamed away, a moment without the file), and of much that is no save. So a hint only wakes the watch up; when it has
been quiet for a moment, the digests of the files decide. A slow look at sizes and times finds what no hint told:
a network's file system, a folder that was removed and made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from .digests import Digests, mark

WRITES = frozenset({"created", "modified", "closed", "moved", "deleted"})  # Reading raises the other events.
WHOLE = frozenset({"closed", "moved"})  # After these a file is most likely whole.
SETTLE = 0.008  # Seconds of quiet after a file was closed or renamed.
UNSETTLED = 0.05  # Seconds of quiet after anything else: a writer is still at work.
LONGEST = 0.5  # Seconds that a save may be waited for; what is there then is looked at.
PATIENCE = 1.0  # Seconds that a file may be gone or empty before that is taken for the author's will.
LOOK = 1.0  # Seconds between two looks at sizes and times.


logging.getLogger("watchdog").setLevel(logging.CRITICAL)  # It tells of a folder that goes while it is let go of.


class Watch:
    """Follows some files, and waits until one of them holds something else.

    What is followed may not exist yet, and may be a folder: then the names in it count, and their sizes and times.
    """

    def __init__(self, digests: Digests) -> None:
        self._digests = digests
        self._known: dict[Path, str] = {}  # Digests; "" is a file that is not there.
        self._marks: dict[Path, list[int]] = {}
        self._ears = _Ears(self._heard)
        self._woken = threading.Condition()
        self._hint = 0.0  # When something was last heard.
        self.heard = 0.0  # When the first was heard of the change that `next` returned; on the monotonic clock.
        self._pause = SETTLE
        self._dirty = self._left = False

    def follow(self, files: Mapping[Path, str]) -> None:
        """Follow these files alone; a change is what differs from these digests ("": the file is not there)."""
        self._known = {Path(os.path.abspath(path)): digest for path, digest in files.items()}  # noqa: PTH100
        self._marks = {path: _mark(path) for path in self._known}
        self._ears.open(self._known)
        with self._woken:  # What changed between being read and being followed raised no hint.
            self._dirty, self.heard = True, time.monotonic()

    def next(self, again: Callable[[], bool] = lambda: False) -> set[Path]:
        """Wait until files changed and are whole again; returns them, or nothing once `leave` was called.

        While `again` says so, a file that was saved as it was counts as changed.
        """
        while self._wait():
            changed = self._settled(again)
            if changed and not self._left:
                return changed
        return set()

    def wake(self) -> None:
        """Have the digests compared now: a file is known to have been written."""
        with self._woken:
            self._dirty, self._pause, self.heard = True, 0.0, time.monotonic()
            self._woken.notify_all()

    def leave(self) -> None:
        """End `next`, from any thread; safe in a signal's handler."""
        self._left = True

    def close(self) -> None:
        """Follow nothing any more."""
        self._ears.close()

    def digest(self, path: Path) -> str:
        """What a file holds, as `follow` takes it."""
        try:
            return _listing(path) if path.is_dir() else self._digests.of(path)[0]
        except OSError:
            return ""

    def _heard(self, names: Iterable[str], kind: str) -> None:
        with self._woken:
            if any(Path(name) in self._known or Path(name).parent in self._known for name in names):
                self._hint = time.monotonic()
                self.heard = self.heard if self._dirty else self._hint
                self._dirty = True
                self._pause = SETTLE if kind in WHOLE else UNSETTLED
                self._woken.notify_all()

    def _wait(self) -> bool:
        """Wait for a hint; says whether to go on. In short waits, so that Ctrl-C is heard everywhere."""
        looked = time.monotonic()
        while not self._left:
            with self._woken:
                if self._dirty or self._woken.wait(0.2):
                    return True
            if time.monotonic() - looked > LOOK:
                looked = time.monotonic()
                if any(_mark(path) != seen for path, seen in self._marks.items()):
                    self.heard = looked
                    return True
        return False

    def _settled(self, again: Callable[[], bool]) -> set[Path]:
        """The files that changed, once nothing was heard for a moment and none of them is in the making."""
        begun = time.monotonic()
        while not self._left:
            with self._woken:
                self._dirty, quiet = False, self._hint + self._pause - time.monotonic()
            if quiet > 0 and time.monotonic() - begun < LONGEST:
                time.sleep(quiet)
                continue
            marks = {path: _mark(path) for path in self._known}  # First: they must be no newer than the digests.
            changed = {path for path, known in self._known.items() if self.digest(path) != known}
            if not changed and again():
                changed = {path for path, seen in self._marks.items() if marks[path] != seen}
            if not any(map(self._missing, changed)) or time.monotonic() - begun > PATIENCE:
                self._marks = marks
                return changed
            time.sleep(SETTLE)
        return set()

    def _missing(self, path: Path) -> bool:
        """Whether a file that was there is gone or empty, as it is for a moment during a save."""
        return self._known[path] != "" and not (path.is_dir() or _mark(path)[:1] > [0])


class _Ears(FileSystemEventHandler):
    """Hears of the folders that hold the files; what cannot be heard is left to the slow look."""

    def __init__(self, tell: object) -> None:
        self._tell = tell
        self._observer = Observer()
        self._observer.daemon = True
        self._open: dict[str, object] = {}

    def open(self, files: Iterable[Path]) -> None:
        """Hear of these files' folders alone."""
        wanted = {str(_existing(path)) for path in files}
        if not self._observer.is_alive():
            self._observer.start()
        for folder in self._open.keys() - wanted:
            with contextlib.suppress(KeyError, OSError):
                self._observer.unschedule(self._open.pop(folder))  # type: ignore[arg-type]
        for folder in wanted - self._open.keys():
            with contextlib.suppress(OSError):  # No more watches to be had, or gone again.
                self._open[folder] = self._observer.schedule(self, folder)

    def close(self) -> None:
        """Hear nothing any more."""
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Pass on what may be a save."""
        if event.event_type in WRITES:
            names = [os.fsdecode(name) for name in (event.src_path, event.dest_path) if name]
            self._tell(names, event.event_type)  # type: ignore[operator]


def _existing(path: Path) -> Path:
    """The folder whose events tell of a path: itself if it is one, else the nearest parent that is there."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def _mark(path: Path) -> list[int]:
    try:
        return mark(str(path))
    except OSError:
        return []


def _listing(folder: Path) -> str:
    """A digest of what lies in a folder."""
    entries = sorted((entry.name, *_mark(Path(entry.path))) for entry in os.scandir(folder))
    return hashlib.sha256(repr(entries).encode()).hexdigest()
