"""mikebot diff: what changed in meaning since a revision, scene by scene, and what that would run."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..delivery import exact
from ..diff import Change, Comparison, Namer, compare, compare_profiles
from ..diff_report import Told, as_lines, as_object, harmless, painter
from ..diff_steps import due
from ..document import shown
from ..errors import AuthorError, UsageError
from ..estimate import Estimator
from ..executors.local import cores
from ..forecast import forecast
from ..git import Repository
from ..places import store_folder, storyboard_file, workspace
from ..project import Project, open_project
from ..revision import Past, used
from ..store import Store
from .plan import ending


class _Side(NamedTuple):
    """One of the two that are compared."""

    about: Mapping[str, Any]
    project: Project | None
    notes: list[str]


def run(args: argparse.Namespace) -> int:
    """Print what changed as text or as one JSON object; differences are no failure."""
    if len(args.revisions) > 2:
        raise UsageError(f"{len(args.revisions)} revisions are named", "name one, or two to compare with each other")
    before = args.revisions[0] if args.revisions else "HEAD"
    after = args.revisions[1] if len(args.revisions) == 2 else None
    file = _file(args.path, there=after is None)
    root = workspace(file.parent)
    repository = Repository(file.parent)
    with tempfile.TemporaryDirectory(prefix="mikebot-diff-") as aside:
        folder = Path(aside)
        for revision in filter(None, (before, after)):
            repository.commit(revision)  # A wrong name is told of before anything is read.
        if after is None:
            project = open_project(args.path, args.profile, args.store, args.format, judged=False)
            new = _Side(_about(None, ""), project, [])
        else:
            new = _side(Past(repository, after, root, folder / "new"), root, file, args)
        if new.project is None:
            raise UsageError(f"{shown(file)} is not in {after}", "name a revision that has it")
        told = _told(_side(Past(repository, before, root, folder / "old"), root, file, args), new, new.project)
    if args.json:
        print(json.dumps(as_object(told), ensure_ascii=False))
        return 0
    paint = painter(_coloured())
    for line in as_lines(told, paint):
        print(harmless(line))
    print(ending(told.totals))
    return 0


def _coloured() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _file(path: str, there: bool) -> Path:
    """The storyboard that is compared; between two revisions, it need not be there any more."""
    named = Path(path)
    if there or named.is_file():
        return storyboard_file(named).absolute()
    return (named if named.suffix in {".yaml", ".yml"} else named / "storyboard.yaml").absolute()


def _about(revision: str | None, commit: str, there: bool = True) -> dict[str, Any]:
    return {"revision": revision, "commit": commit or None, "there": there}


def _side(past: Past, root: Path, file: Path, args: argparse.Namespace) -> _Side:
    """A storyboard as a revision has it. Raises AuthorError, with places in that revision, where it has mistakes."""
    name = file.relative_to(root).as_posix()
    at = past.lay_out(name, args.profile)
    if at is None:
        note = f"{name} is not in {past.revision}: all of it is new"
        return _Side(_about(past.revision, past.commit, False), None, [note])
    try:
        store = str(store_folder(root, args.store))
        project = open_project(str(at), args.profile, store, args.format, judged=False)
    except AuthorError as problem:
        raise past.error(problem) from None
    read = [source.path for source in project.loaded.files] + [path for path, _ in project.profile_files.read]
    return _Side(_about(past.revision, past.commit), project, used(past.borrowed, read))


def _told(old: _Side, new: _Side, project: Project) -> Told:
    """Compare, and forecast both against one store."""
    before = old.project
    names = (_namer(before or project), _namer(project))
    comparison = compare(before.loaded.board if before else None, project.loaded.board, names)
    profile = compare_profiles(before.profile, project.profile) if before else []
    store = Store(project.store)
    try:
        look = forecast(project.planner(), store, exact)
        was = forecast(before.planner(), store, exact) if before else None
        estimator = Estimator(store.paces(), project.profile)
        steps, totals = due(look, was, estimator.seconds), estimator.totals(look, cores())
    finally:
        store.close()
    formatting = _formatting(before, project, comparison, profile) if before else []
    return Told(
        project.id, old.about, new.about, comparison, profile, steps, totals, formatting, [*old.notes, *new.notes]
    )


def _namer(project: Project) -> Namer:
    root = os.path.realpath(project.root)
    return lambda path: Path(os.path.relpath(os.path.realpath(path), root)).as_posix()


def _formatting(old: Project, new: Project, comparison: Comparison, profile: list[Change]) -> list[str]:
    """Files of YAML that have other bytes though nothing that they say is different."""
    board = bool(comparison.film) or any(scene.differs for scene in comparison.scenes)
    parts: list[tuple[bool, Callable[[str], bool]]] = [
        (board, lambda name: name == new.id),
        (bool(comparison.persona), lambda name: name.startswith("personas/") and name.endswith("/persona.yaml")),
        (bool(profile), lambda name: name.startswith("profiles/")),
    ]
    were, are = _written(old), _written(new)
    changed = [name for name in are if name in were and are[name] != were[name]]
    return [name for differs, mine in parts if not differs for name in changed if mine(name)]


def _written(project: Project) -> dict[str, str]:
    name = _namer(project)
    files = [(source.path, source.digest) for source in project.loaded.files] + project.profile_files.read
    return {name(path): digest for path, digest in files}
