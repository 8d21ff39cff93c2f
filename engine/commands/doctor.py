"""mikebot doctor: what this machine has, what a profile needs, and what to type where something is missing."""

from __future__ import annotations

import argparse
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..backends import find
from ..executors.local import cores
from ..kinds import KINDS
from ..places import store_folder, workspace
from ..profile import load_profile
from ..store import Store
from ..storyboard import Choice

PACKAGES = ("av", "espeakng-loader", "jsonschema", "numpy", "opencv-python-headless", "pillow", "pyyaml")


def run(args: argparse.Namespace) -> int:
    """Print one line a finding; 1 if something is missing."""
    root = workspace(Path(args.path))
    folder = store_folder(root, args.store)
    profile = load_profile(args.profile, root)
    found = [*_machine(folder), *_packages()]
    choices = [(kind, choice) for part in (profile.kinds, profile.given) for kind, choice in part.items()]
    found += [line for kind, choice in choices for line in _backend(kind, choice)]
    for good, line in found:
        print(f"{'ok     ' if good else 'MISSING'} {line}")
    return 0 if all(good for good, _ in found) else 1


def _machine(folder: Path) -> Iterator[tuple[bool, str]]:
    yield sys.version_info >= (3, 11), f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    yield True, f"{cores()} cores: as many steps at once (render --lanes N for another number)"
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free / 1e9
    yield free > 1, f"{free:.0f} GB free for the store {folder}" + ("" if free > 1 else ": run mikebot gc")
    if folder.exists():
        store = Store(folder)
        size = sum(store.artifacts().values()) / 1e9
        store.close()
        yield True, f"{size:.2f} GB in the store"


def _packages() -> Iterator[tuple[bool, str]]:
    for name in PACKAGES:
        try:
            yield True, f"{name} {version(name)}"
        except PackageNotFoundError:
            yield False, f"{name}: pip install {name}"


def _backend(kind: str, choice: Choice) -> Iterator[tuple[bool, str]]:
    """Whether a backend can be loaded, and what its module says of this machine."""
    name = f"{kind}.{choice.backend}"
    try:
        backend = find(kind, choice.backend)()
    except (ImportError, KeyError) as error:
        yield False, f"{name}: {error}"
        return
    for line in getattr(backend, "doctor", list)():
        yield False, f"{name}: {line}"
    decided = {field.name for field in fields(KINDS[kind].says)}
    knobs = [field.name for field in fields(backend.Params) if field.name not in decided]
    writes = ", ".join(KINDS[kind].outputs) + (f"; knobs: {', '.join(knobs)}" if knobs else "")
    yield True, f"{name} version {choice.version} (writes {writes})"
