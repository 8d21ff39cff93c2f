"""What no grammar can see, put right without asking again: ids that are taken, words never said, what is too much.

Nothing is added. What cannot be shown as it was written is left out: a step at a word that nobody says, a line or a
node that is not there, the last point of a slide that does not fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

Scene = dict[str, Any]
_LONGEST_ID = 64
_EDGE = re.compile(r"^  .*;$", re.MULTILINE)


def settled(scene: Mapping[str, Any], taken: Collection[str], size: tuple[int, int] = (1280, 720)) -> Scene:
    """A scene as a storyboard takes it: its id none of those taken, what it shows within the picture's size."""
    found: Scene = {name: value.strip() if isinstance(value, str) else value for name, value in scene.items()}
    found["id"] = free(found["id"], taken)
    if found.get("transition") == "cut":  # As it is anyway.
        del found["transition"]
    if "show" in found:
        kind, said = next(iter(found["show"].items()))
        found["show"] = {kind: _SHOWN[kind](said, found["narration"], (*size, bool(found["on_screen"])))}
    return found


def free(name: str, taken: Collection[str]) -> str:
    """An id, or the first that is free of those numbered after it."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name[: _LONGEST_ID - len(str(number)) - 1].rstrip('-')}-{number}"
    return found


Size = tuple[int, int, bool]  # Width, height, and whether the persona's window stands beside it.


def _code(said: Mapping[str, Any], narration: str, _: Size) -> Scene:
    """Code, with the steps whose words are said and whose lines are there."""
    from ..backends import code_lines

    count = len(code_lines.lines_of(said["text"]))
    inside = [step for step in said.get("steps", ()) if _lines(step["highlight"]) <= set(range(1, count + 1))]
    return _stepped(said, [step for step in inside if _lines(step["highlight"])], narration)


def _lines(said: str) -> set[int]:
    from ..backends import code_lines

    return set(code_lines.ranges(said, range(0)))


def _slide(said: Mapping[str, Any], narration: str, size: Size) -> Scene:
    """A slide, with the points that fit; those without a word of the narration come with the one before."""
    points = [{**point, "text": point["text"].strip()} for point in said["bullets"]]
    heard = _heard([point.get("at") for point in points], narration)
    kept = [point if said_at else point["text"] for point, said_at in zip(points, heard, strict=True)]
    title = said["title"].strip()
    while not _slide_fits(title, [point["text"] for point in points[: len(kept)]], size):
        kept, title = (kept[:-1], title) if kept else (kept, title[: len(title) * 3 // 4].rstrip())
    return {"title": title, "bullets": kept} if kept else {"title": title}


def _slide_fits(title: str, points: list[str], size: Size) -> bool:
    from ..backends import boards, slide

    try:
        slide.layout(title, points, *size)
    except boards.TooMuch:
        return False
    return True


def _diagram(said: Mapping[str, Any], narration: str, size: Size) -> Scene:
    """A graph, with the edges that fit and the steps whose words are said and whose nodes are there."""
    dot = said["dot"]
    while (names := _nodes(dot, size)) is None:
        dot = _EDGE.sub(_all_but(len(_EDGE.findall(dot)) - 1), dot).replace("\n\n", "\n")
    steps = [{**step, "show": [node for node in step["show"] if node in names]} for step in said.get("steps", ())]
    return _stepped({**said, "dot": dot}, [step for step in steps if step["show"]], narration)


def _all_but(last: int) -> Callable[[re.Match[str]], str]:
    """Leaves out the match of a number, counted from 0."""
    numbers = iter(range(last + 1))
    return lambda match: "" if next(numbers) == last else match.group()


def _nodes(dot: str, size: Size) -> set[str] | None:
    """The names of a graph's nodes; None where it does not fit, unless it has but one edge."""
    from ..backends import boards, diagram

    graph = diagram.read(dot)
    try:
        diagram.fitted(graph, *size)
    except boards.TooMuch:
        if len(_EDGE.findall(dot)) > 1:
            return None
    return {node.name for node in graph.nodes}


def _stepped(said: Mapping[str, Any], steps: list[Scene], narration: str) -> Scene:
    """What is shown, with those steps whose words are said, one after the other."""
    heard = _heard([step["at"] for step in steps], narration)
    kept = [step for step, said_at in zip(steps, heard, strict=True) if said_at]
    rest = {name: value for name, value in said.items() if name != "steps"}
    return {**rest, "steps": kept} if kept else rest


def _heard(cues: list[str | None], narration: str) -> list[bool]:
    """Which cues are words of the narration, each behind the one before."""
    from ..backends.cues import found

    places = iter(found([cue for cue in cues if cue is not None], narration.split()))
    return [cue is not None and next(places) is not None for cue in cues]


_SHOWN: Mapping[str, Callable[[Mapping[str, Any], str, Size], Scene]] = {
    "code": _code,
    "slide": _slide,
    "diagram": _diagram,
}
