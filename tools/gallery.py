"""The frames of docs/gallery.md, taken out of projects/firewalls as this version renders it.

python tools/gallery.py          renders, takes the frames and writes docs/gallery/
python tools/gallery.py --check  exits 1 when a frame is no longer what this version renders
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import yaml
from PIL import Image

ROOT = Path(__file__).parents[1]
GALLERY = ROOT / "docs" / "gallery"
LIKE = 30.0  # Decibels: what another version of x264 or a font's hinting may differ.


class Shot(NamedTuple):
    """A frame: which film, which scene, how far into it (0 to 1, or frames from its head when negative)."""

    name: str
    scene: str
    share: float
    shape: str = ""
    burned: bool = False


SHOTS = (
    Shot("card", "doors", 0.5),
    Shot("persona", "guard", 0.35),
    Shot("code", "rules", 0.6),
    Shot("diagram", "memory", 0.8),
    Shot("crossfade", "doors", -6),
    Shot("caption", "hook", 0.5, burned=True),
    Shot("shorts", "hook", 0.4, "shorts"),
    Shot("shorts-code", "rules", 0.95, "shorts"),
    Shot("square", "memory", 0.95, "square"),
)


def main() -> int:
    fresh = {shot.name: picture for shot, picture in taken()}
    if "--check" in sys.argv:
        stale = [name for name, picture in fresh.items() if not like(picture, GALLERY / f"{name}.jpg")]
        for name in stale:
            sys.stderr.write(f"docs/gallery/{name}.jpg is stale: run python tools/gallery.py\n")
        return 1 if stale else 0
    GALLERY.mkdir(exist_ok=True)
    for name, picture in fresh.items():
        picture.save(GALLERY / f"{name}.jpg", quality=88, optimize=True)
    return 0


def taken() -> list[tuple[Shot, Image.Image]]:
    """Every frame, from as few films as they need."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for part in ("personas/mikebot", "projects/firewalls"):
            shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("build"))
        board = root / "projects/firewalls/storyboard.yaml"
        plain = board.read_text("utf-8")
        for burned, shape in sorted({(shot.burned, shot.shape) for shot in SHOTS}):
            board.write_text(plain + ("captions: burned\n" if burned else ""), "utf-8")
            film, starts = rendered(root, shape)
            shots = [shot for shot in SHOTS if (shot.burned, shot.shape) == (burned, shape)]
            frames = dict(decoded(film, {at(shot, starts) for shot in shots}))
            found += [(shot, small(frames[at(shot, starts)])) for shot in shots]
    return found


def rendered(root: Path, shape: str) -> tuple[Path, dict[str, tuple[int, int]]]:
    """A film, and first frame and length of each of its scenes: every scene is a chapter."""
    project = root / "projects/firewalls"
    form = ["--format", shape] if shape else []
    command = [sys.executable, "-m", "engine.cli", "render", str(project), *form]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    film = project / "build" / (f"firewalls.{shape}.mp4" if shape else "firewalls.mp4")
    ids = [scene["id"] for scene in yaml.safe_load((project / "storyboard.yaml").read_text("utf-8"))["scenes"]]
    with av.open(str(film)) as container:
        rate = container.streams.video[0].average_rate
        spans = [[float(c[end] * c["time_base"]) for end in ("start", "end")] for c in container.chapters()]
    frames = [(round(start * rate), round((end - start) * rate)) for start, end in spans]
    return film, dict(zip(ids, frames, strict=True))


def at(shot: Shot, starts: dict[str, tuple[int, int]]) -> int:
    """The number of a shot's frame in its film."""
    start, length = starts[shot.scene]
    return start + (int(-shot.share) if shot.share < 0 else int(length * shot.share))


def decoded(film: Path, wanted: set[int]) -> list[tuple[int, Image.Image]]:
    """Some frames of a film by number."""
    with av.open(str(film)) as container:
        return [(n, frame.to_image()) for n, frame in enumerate(container.decode(video=0)) if n in wanted]


def small(picture: Image.Image) -> Image.Image:
    """640 pixels along the longer side."""
    share = 640 / max(picture.size)
    size = round(picture.width * share), round(picture.height * share)
    return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)


def like(picture: Image.Image, path: Path) -> bool:
    """Whether a committed frame still is what is rendered, as JPEG sees it."""
    if not path.exists():
        return False
    packed = io.BytesIO()
    picture.save(packed, "JPEG", quality=88)
    with Image.open(path) as old, Image.open(packed) as new:
        if old.size != new.size:
            return False
        one, other = np.asarray(old, np.float64), np.asarray(new, np.float64)
    error = float(np.mean((one - other) ** 2))
    return error == 0 or 10 * np.log10(255**2 / error) >= LIKE


if __name__ == "__main__":
    raise SystemExit(main())
