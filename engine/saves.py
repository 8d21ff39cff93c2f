"""A storyboard as it was just saved: what it says or what is wrong with it, and the files that decided that."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from .document import shown
from .errors import AuthorError, Mistake, UsageError
from .profile import profiles
from .project import Project, open_project
from .watch import Watch

LOOKS = 5  # How often a save with mistakes is read again because files changed while it was read.
UNSEEN = "?"  # No digest: a file that is followed as this is looked at.


class Request(NamedTuple):
    """What is watched, and how it is rendered."""

    file: Path
    root: Path
    store: Path
    profile: str = "draft"
    shape: str = ""
    lanes: int = 0
    vram: float = 0.0  # Gigabytes that models may take; 0: what is free.


class Saves:
    """Reads one storyboard again and again; has the watch follow whatever decided the answer."""

    def __init__(self, request: Request, watch: Watch) -> None:
        self._request = request
        self._watch = watch
        self._files: dict[Path, str] = {}  # What is followed.

    @property
    def base(self) -> str:
        """The digest of the text that was read last."""
        return self._files.get(self._request.file, "")

    def read(self) -> Project | AuthorError:
        """The storyboard as it is, or every mistake in it."""
        seen: dict[Path, str] = {}
        for _ in range(LOOKS):
            found = self._open()
            if isinstance(found, Project):
                self._follow(self._behind(found))
                return found
            before, seen = seen, {path: self._watch.digest(path) for path in self._sought(found)}
            if seen == before:  # Else it is read once more: what is followed must be no newer than what was read.
                break
        self._follow({path: before.get(path, UNSEEN) for path in seen})
        return found

    def _open(self) -> Project | AuthorError:
        request = self._request
        try:
            return open_project(str(request.file), request.profile, str(request.store), request.shape)
        except AuthorError as error:
            return error.with_traceback(None)  # Which holds all that was read, in a circle.
        except UsageError as problem:
            return _mistake(request.file, problem.message, problem.hint)
        except OSError as problem:
            name = shown(Path(problem.filename)) if problem.filename else "a file"
            return _mistake(request.file, f"{name} cannot be read: {problem.strerror}", "check its permissions")

    def _follow(self, files: dict[Path, str]) -> None:
        self._files = files
        self._watch.follow(files)

    def _behind(self, project: Project) -> dict[Path, str]:
        """Every file that decided a project, with the digest that it had."""
        files = {source.path: source.digest for source in project.loaded.files}
        files |= dict(project.profile_files.read)
        files |= dict.fromkeys(project.profile_files.absent, "")
        if project.loaded.lacking:
            files[project.root / "fonts"] = self._watch.digest(project.root / "fonts")
        return files

    def _sought(self, error: AuthorError) -> set[Path]:
        """Every file that may have to do with a mistake: those of the last good save are among them."""
        request, folder = self._request, self._request.root / "profiles"
        own = {folder / f"{name}.yaml" for name in (request.profile, *profiles(request.root))}
        return {request.file, folder, *own, *self._files, *error.sought}


def _mistake(file: Path, message: str, hint: str) -> AuthorError:
    """What is wrong with the file as a whole."""
    return AuthorError([Mistake(shown(file), 1, 1, 1, 1, message, hint)])
