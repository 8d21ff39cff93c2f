"""Where actions run: an executor takes an action and promises its result."""

from __future__ import annotations

from collections.abc import Callable

from ..graph import Action

Listen = Callable[[int, int], None]  # Progress of one action: done, total.

# What unlocks the most comes first; of the rest the longest, so that no lane is left alone at the end.
_ORDER = ("speech", "narration", "still", "clip", "talk", "sound", "scene", "film")


def urgency(action: Action) -> tuple[int, int]:
    """Sort key of actions that wait for the same model: kinds in order, then the longest."""
    rank = _ORDER.index(action.kind) if action.kind in _ORDER else len(_ORDER)
    frames = action.params.get("frames")
    return rank, -frames if isinstance(frames, int) else 0
