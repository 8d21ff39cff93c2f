"""How large a step is, and which others tell how long it takes: what estimates are made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def work_of(params: Mapping[str, Any]) -> int:
    """What the time of a step grows with: frames where it has them, else characters; of each the pixels that a
    pipeline of diffusers draws."""
    frames = params.get("frames")
    if isinstance(frames, (list, tuple)):
        return sum(frames)
    return int(frames or len(str(params.get("text", ""))) or 1) * drawn(params)


def drawn(params: Mapping[str, Any]) -> int:
    """Pixels of each picture that a pipeline of diffusers makes in a step; 1 where none does."""
    if "pipeline" not in params:
        return 1
    asked = int(params.get("width", 1)) * int(params.get("height", 1))
    return min(asked, int(params.get("pixels") or asked))


def kin(backend: str, params: Mapping[str, Any]) -> str:
    """A name for all steps of a kind that take as long for the same work: those of one backend; where it has a model,
    of that model and as many denoising steps."""
    model = params.get("model")
    return f"{backend} {model} {params.get('steps', 0)}" if model else backend
