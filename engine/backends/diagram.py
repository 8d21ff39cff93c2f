"""still.diagram: a graph that Graphviz lays out and the theme draws, its nodes appearing and lighting up in step.

Graphviz decides where things stand; shapes, labels, clusters, line styles, ranks and directions are the author's,
colours and type the theme's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BackendError
from ..frame import board
from ..kinds import Inputs, Still, Tell
from . import Light, boards, dot_text, graph_layout, graphviz

if TYPE_CHECKING:
    from .graph_layout import Graph


@dataclass(frozen=True)
class DiagramParams(Still):
    """Nothing to turn: the theme decides how a diagram looks."""


class Diagram(Light):
    """Draws a graph as large as it fits; every state is drawn at the film's size."""

    kind = "still"
    name = "diagram"
    version = "2"
    Params = DiagramParams

    def check(self, params: DiagramParams) -> list[str]:
        wrong = boards.refusals(params)
        try:
            graphviz.program()
        except BackendError as missing:
            wrong.append(f"still.diagram: {missing.message} ({missing.hint})")
        return wrong

    def run(self, params: DiagramParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        from . import fonts, graph_draw, states

        tell.progress(0, 3)
        fonts.use(inputs.many("font"))
        said: Mapping[str, Any] = params.show or {}
        try:
            text = inputs["source"].read_text("utf-8-sig") if "source" in inputs else said["dot"]
            graph, size = fitted(read(text), params.width, params.height, params.beside)
        except (boards.TooMuch, graphviz.Refused, UnicodeDecodeError, KeyError) as problem:
            raise BackendError(f"the diagram cannot be shown: {problem}") from None
        tell.progress(1, 3)
        steps = list(said.get("steps", ()))
        place, theme = graph_draw.centred(graph, boards.room_of(params), size), boards.theme_of(params)
        everything = {node.name for node in graph.nodes}
        waiting = [set(step.get("show", ())) for step in steps]
        pictures = []
        for number in range(len(steps) + 2):
            later = set().union(*waiting[number:]) - set().union(*waiting[:number])
            lit = steps[number - 1].get("highlight", ()) if 0 < number <= len(steps) else ()
            pictures.append(boards.ground(params))
            graph_draw.paint(pictures[-1], graph, place, theme, everything - later, lit)
        tell.progress(2, 3)
        states.write(pictures[:-1], pictures[-1], out / "image")
        tell.progress(3, 3)


def read(text: str) -> Graph:
    """A graph of an author's text. Raises graphviz.Refused where it is not one, or one that is not safe."""
    for trouble in dot_text.troubles(text):
        raise graphviz.Refused(trouble)
    return graph_layout.read(text)


def fitted(graph: Graph, width: int, height: int, beside: bool) -> tuple[Graph, float]:
    """The graph laid out in the direction in which it is largest, and the size of its type. Raises TooMuch."""
    from .fonts import length

    room, one = board(width, height, beside), boards.unit(width, height)
    found = []
    for rankdir in (graph.rankdir,) if graph.rankdir else ("LR", "TB"):
        laid = graph_layout.laid_out(graph, rankdir, lambda text: length(text, 100) / 100)
        fitting = min(room.width / laid.size[0], room.height / laid.size[1])
        found.append((fitting, rankdir, laid))
    fitting, _, laid = max(found, key=lambda one: one[0])
    least = max(1.0, (boards.LEAST - 4) * one)
    if fitting < least:
        share = round(100 * fitting / least)
        raise boards.TooMuch(
            f"the graph is too large to be read: its type would have {share} % of the least legible size"
        )
    return laid, min(fitting, boards.MOST * 0.85 * one)
