"""What steps say of what they made: voices that tried again, how words were timed, where lips do not follow."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from .build import Built
from .graph import Result, Step
from .store import Store


def remarks(built: Built, store: Store, steps: Collection[str]) -> Iterator[tuple[str, str]]:
    """Of those of a build's steps that are named: the step, and what people should know of it."""
    for name in steps:
        step = built.steps[name]
        if _speaks_of_itself(step) and (note := _note(store, step.kind, built.results[name])):
            yield name, note


def _speaks_of_itself(step: Step) -> bool:
    """Whether what it made may come with a remark (`Backend.remarks`); a recording's words are always timed by us."""
    from .backends import find

    if step.kind == "narration":
        return "recording" in step.inputs
    return step.kind in {"speech", "talk"} and getattr(find(step.kind, step.backend), "remarks", False)


def _note(store: Store, kind: str, result: Result) -> str:
    """A video says nothing any more once it was freed."""
    if kind == "talk":
        from .backends import lossless

        return lossless.note(store.path(result.outputs["video"].digest))
    return str(json.loads(store.read(result.outputs["timing"])).get("note", ""))
