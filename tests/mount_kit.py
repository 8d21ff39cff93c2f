"""A file system of a test's own: small, read-only, or whatever else the system mounts."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(place: Path, *arguments: str) -> Iterator[Path]:
    """Something of the system's mounted at a place; skips where only root may, and we are not."""
    place.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *arguments, str(place)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this needs to mount a file system: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def mountable() -> bool:
    """Whether a test may mount anything."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("mount") is not None


def disk(place: Path, size: str) -> AbstractContextManager[Path]:
    """An empty disk of a size such as 8m."""
    return mounted(place, "-t", "tmpfs", "-o", f"size={size}", "tmpfs")
