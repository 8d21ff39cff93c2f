"""mikebot gc: free what neither the workspace's storyboards nor the renders of late reach."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from ..delivery import exact
from ..errors import AuthorError, UsageError
from ..forecast import forecast
from ..places import store_folder, workspace
from ..profile import profiles
from ..project import open_project
from ..store import Store
from ..sweep import Sweep, recent_renders


def run(args: argparse.Namespace) -> int:
    """Sweep, and say what that came to."""
    root = workspace(Path(args.path))
    folder = store_folder(root, args.store)
    if not folder.exists():
        print("the store is empty")
        return 0
    store = Store(folder)
    try:
        keys, recent = recent_renders(store, args.days)
        keys.update(_reached(root, args.store, store))
        for build in root.glob("projects/*/build/**/"):
            store.sweep_parts(build)
        swept = Sweep(store, keys, recent).run(args.cap * 1e9, args.free * 1e9)
    finally:
        store.close()
    print(f"freed {swept.freed / 1e6:.1f} MB: {swept.artifacts} artifacts, {swept.records} records")
    print(f"kept {swept.kept / 1e6:.1f} MB in {folder}")
    return 0


def _reached(root: Path, store_name: str | None, store: Store) -> Iterator[str]:
    """Keys that the storyboards of the workspace have as they stand, with every profile there is."""
    for file in sorted(root.glob("projects/*/*.yaml")):
        for profile in profiles(root):
            try:
                project = open_project(str(file), profile, store_name)
            except (AuthorError, UsageError):
                continue  # A storyboard with mistakes reaches nothing; its last render is kept all the same.
            look = forecast(project.planner(), store, exact)
            yield from (look.actions[name].key for name in look.actions)
