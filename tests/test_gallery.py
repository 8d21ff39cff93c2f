"""docs/gallery.md shows what this version renders."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_frame_is_current() -> None:
    done = subprocess.run(
        [sys.executable, "tools/gallery.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_frame_is_shown() -> None:
    shown = set(re.findall(r"\(gallery/(\S+\.jpg)\)", (ROOT / "docs/gallery.md").read_text("utf-8")))
    assert shown == {path.name for path in (ROOT / "docs/gallery").iterdir()}
