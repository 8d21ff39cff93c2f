"""Boards made by their backends, and a timing, for the tests of what a scene shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from picture_kit import Quiet
from PIL import Image

from engine.backends import find, states
from engine.kinds import Inputs


def board(out: Path, kind: str, show: dict[str, Any], size: tuple[int, int] = (640, 360), **more: Any) -> Path:
    """The file that a backend writes."""
    out.mkdir(parents=True, exist_ok=True)
    backend = find("still", kind)()
    inputs = Inputs({"source": more.pop("source")} if "source" in more else {})
    params = backend.Params(prompt="", width=size[0], height=size[1], seed=0, show=show, **more)
    assert backend.check(params) == []
    backend.run(params, inputs, out, Quiet())
    return out / "image"


def pictures(out: Path, kind: str, show: dict[str, Any], size: tuple[int, int] = (640, 360), **more: Any) -> list[Any]:
    """The states that a backend draws."""
    return list(states.States(board(out, kind, show, size, **more)))


def rows(one: Image.Image, other: Image.Image) -> list[int]:
    """The rows of pixels in which two pictures differ."""
    import numpy as np

    return [int(row) for row in np.flatnonzero((np.asarray(one) != np.asarray(other)).any(axis=(1, 2)))]


def timing(path: Path, text: str, each: int = 12_000) -> Path:
    """Every word for a quarter of a second."""
    words = [[number * each, (number + 1) * each - 100, word] for number, word in enumerate(text.split())]
    said = {"rate": 48000, "samples": len(words) * each, "words": words, "phones": []}
    path.write_text(json.dumps(said), encoding="utf-8")
    return path
