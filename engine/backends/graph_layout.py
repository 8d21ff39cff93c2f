"""A graph as Graphviz reads it, and laid out with our own sizes of type."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from . import boards, graphviz
from .dot_text import MOST_EDGES, MOST_NODES, SHAPES

Measure = Callable[[str], float]  # The width of a line of type, in sizes of the type.
Point = tuple[float, float]

_RANKS = frozenset(("same", "min", "max", "source", "sink"))
_KEPT = {"dir": "forward|back|both|none", "constraint": "true|false", "minlen": r"\d{1,2}", "weight": r"\d{1,3}"}
_EM = 100.0  # Points to which one size of the type is laid out: the layout is scaled as a whole.
_LINE = 1.25  # From line to line, in sizes.
_ROOM = {"box": (1.5, 1.0), "ellipse": (2.2, 1.5), "circle": (1.3, 1.3), "diamond": (2.6, 1.9), "plain": (0.4, 0.3)}
_ROOM |= {"cylinder": (1.5, 1.7), "record": (1.5, 0.8)}  # Added to the label's width and height, in sizes.


class Node(NamedTuple):
    """A node: its label's lines, and its box by its middle."""

    name: str
    lines: tuple[str, ...]
    shape: str
    middle: Point = (0.0, 0.0)
    size: Point = (0.0, 0.0)


class Edge(NamedTuple):
    """An edge: a curve (cubic, through every third point), where its heads point to, and its label."""

    tail: str
    head: str
    lines: tuple[str, ...]
    style: str  # solid, dashed, dotted, bold or invis.
    kept: str = ""  # What else of its attributes its layout needs.
    curves: tuple[tuple[Point, ...], ...] = ()
    tips: tuple[tuple[Point, Point], ...] = ()  # From where, to where.
    middle: Point | None = None  # Of the label.


class Cluster(NamedTuple):
    """A frame around nodes: two corners, a title and where it stands."""

    lines: tuple[str, ...]
    nodes: frozenset[str]
    low: Point = (0.0, 0.0)
    high: Point = (0.0, 0.0)
    middle: Point = (0.0, 0.0)


class Graph(NamedTuple):
    """A graph; laid out, its lengths are in sizes of the type and y runs down."""

    directed: bool
    rankdir: str  # "" where the author leaves it open.
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    clusters: tuple[Cluster, ...]
    ranks: tuple[tuple[str, frozenset[str]], ...] = ()  # Nodes side by side.
    size: Point = (0.0, 0.0)


def read(text: str) -> Graph:
    """A graph of its text. Raises graphviz.Refused, or TooMuch."""
    said = graphviz.run(text, "dot_json")
    objects, groups = said.get("objects", []), said["_subgraph_cnt"]  # Subgraphs stand first.
    nodes = {item["_gvid"]: _node(item) for item in objects[groups:]}
    edges = [_edge(item, nodes) for item in said.get("edges", [])]
    if len(nodes) > MOST_NODES or len(edges) > MOST_EDGES:
        most = f"at most {MOST_NODES} and {MOST_EDGES} are drawn"
        raise boards.TooMuch(f"the graph has {len(nodes)} nodes and {len(edges)} edges; {most}")
    if not nodes:
        raise boards.TooMuch("the graph has no nodes")
    filled = [item for item in objects[:groups] if item.get("nodes")]
    clusters = tuple(_cluster(item, nodes) for item in filled if item["name"].startswith("cluster"))
    ranks = tuple((item["rank"], _cluster(item, nodes).nodes) for item in filled if item.get("rank") in _RANKS)
    rankdir = said.get("rankdir", "")
    wanted = rankdir if rankdir in {"TB", "BT", "LR", "RL"} else ""
    return Graph(said["directed"], wanted, tuple(nodes.values()), tuple(edges), clusters, ranks)


def laid_out(graph: Graph, rankdir: str, measure: Measure) -> Graph:
    """The graph with places for everything, in sizes of the type."""
    said = graphviz.run(_written(graph, rankdir, measure), "json")
    width, height = _numbers(said["bb"])[2:]
    objects = {item["name"]: item for item in said["objects"]}

    def flip(x: float, y: float) -> Point:
        return x / _EM, (height - y) / _EM

    nodes = [
        node._replace(
            middle=flip(*_numbers(objects[f"n{number}"]["pos"])),
            size=(float(objects[f"n{number}"]["width"]) * 72 / _EM, float(objects[f"n{number}"]["height"]) * 72 / _EM),
        )
        for number, node in enumerate(graph.nodes)
    ]
    placed = {int(item["id"]): item for item in said.get("edges", [])}
    edges = [_routed(edge, placed[number], flip) for number, edge in enumerate(graph.edges)]
    clusters = [_framed(cluster, objects[f"cluster_{number}"], flip) for number, cluster in enumerate(graph.clusters)]
    size = width / _EM, height / _EM
    return graph._replace(nodes=tuple(nodes), edges=tuple(edges), clusters=tuple(clusters), size=size)


def _node(item: Mapping[str, Any]) -> Node:
    name, shape = item["name"], item.get("shape", "ellipse")
    if "invis" in item.get("style", ""):
        return Node(name, (), "plain")
    label = item.get("label", "\\N")
    lines = _fields(label, name) if shape in {"record", "Mrecord"} else _lines(label, name)
    return Node(
        name, lines if shape != "point" else (), SHAPES.get(shape, "box")
    )  # A shape that is not drawn was refused before.


def _edge(item: Mapping[str, Any], nodes: Mapping[int, Node]) -> Edge:
    style = next((word for word in ("invis", "dashed", "dotted", "bold") if word in item.get("style", "")), "solid")
    tail, head = nodes[item["tail"]].name, nodes[item["head"]].name
    kept = "".join(f", {name}={item[name]}" for name, way in _KEPT.items() if re.fullmatch(way, item.get(name, "")))
    return Edge(tail, head, _lines(item.get("label", "") or item.get("xlabel", ""), ""), style, kept)


def _cluster(item: Mapping[str, Any], nodes: Mapping[int, Node]) -> Cluster:
    inside = frozenset(nodes[number].name for number in item["nodes"] if number in nodes)
    return Cluster(_lines(item.get("label", ""), item["name"]), inside)


def _lines(label: str, name: str) -> tuple[str, ...]:
    """A label's lines, its escapes resolved."""
    swaps = {"N": name, "n": "\n", "l": "\n", "r": "\n", "G": "", "E": "", "T": "", "H": "", "L": ""}
    text = re.sub(r"\\(.)", lambda match: swaps.get(match[1], match[1]), label)
    return tuple(line.strip() for line in text.strip("\n").split("\n")) if text.strip() else ()


def _fields(label: str, name: str) -> tuple[str, ...]:
    """A record's fields, one below the other: braces and the names of ports go."""
    plain = re.sub(r"(?<!\\)[{}]|(?<!\\)<[^<>]*>", "", label)
    return tuple(" ".join(_lines(field, name)) or " " for field in re.split(r"(?<!\\)\|", plain))


def extent(node: Node, measure: Measure) -> Point:
    """A node's width and height in sizes of the type."""
    wide = max((measure(line) for line in node.lines), default=0.0)
    more, above = _ROOM[node.shape]
    across, down = wide + more, len(node.lines) * _LINE + above
    if node.shape == "diamond":
        across, down = wide * 1.35 + more, down + 0.8
    return (max(across, down), max(across, down)) if node.shape == "circle" else (max(across, 2.2), down)


def _written(graph: Graph, rankdir: str, measure: Measure) -> str:
    """The graph again, with nothing of the author's text in it: numbers for names, boxes for labels."""
    gap = 1.3 * _EM / 72
    lines = [f"{'di' if graph.directed else ''}graph {{ rankdir={rankdir}; nodesep={gap:.3f}; ranksep={gap:.3f}"]
    lines.append(f'graph [margin=0, pad=0, labeljust=l, fontsize={_EM:.0f}] node [label="", fixedsize=true, shape=box]')
    lines.append(f"edge [fontsize={_EM:.0f}, arrowsize={_EM / 14:.2f}]")
    numbers = {node.name: number for number, node in enumerate(graph.nodes)}
    for number, node in enumerate(graph.nodes):
        width, height = (side * _EM / 72 for side in extent(node, measure))
        shape = node.shape if node.shape in {"ellipse", "circle", "diamond"} else "box"
        lines.append(f"n{number} [width={width:.3f}, height={height:.3f}, shape={shape}]")
    lines += _nested(graph, numbers, measure)
    lines += [f"{{ rank={rank}; {_listed(nodes, numbers)} }}" for rank, nodes in graph.ranks]
    for number, edge in enumerate(graph.edges):
        arrow = "->" if graph.directed else "--"
        label = f", label={_table(edge.lines, measure, 0.82, 0.5)}" if edge.lines else ""
        lines.append(f'n{numbers[edge.tail]} {arrow} n{numbers[edge.head]} [id="{number}"{label}{edge.kept}]')
    return "\n".join([*lines, "}"])


def _nested(graph: Graph, numbers: Mapping[str, int], measure: Measure) -> list[str]:
    """Clusters within clusters: each opens within the smallest that holds all of it."""
    order = sorted(range(len(graph.clusters)), key=lambda number: -len(graph.clusters[number].nodes))
    below: dict[int, list[int]] = {-1: []}
    for place, number in enumerate(order):
        inside = graph.clusters[number].nodes
        outer = [other for other in order[:place] if inside <= graph.clusters[other].nodes]
        below.setdefault(outer[-1] if outer else -1, []).append(number)

    def opened(number: int) -> str:
        cluster = graph.clusters[number]
        label = f"label={_table(cluster.lines, measure, 0.85, 0.6)};" if cluster.lines else ""
        inner = " ".join(opened(other) for other in below.get(number, []))
        own = _listed(cluster.nodes, numbers)
        return f"subgraph cluster_{number} {{ margin={_EM * 0.8:.0f}; {label} {inner} {own} }}"

    return [opened(number) for number in below[-1]]


def _listed(nodes: frozenset[str], numbers: Mapping[str, int]) -> str:
    return " ".join(f"n{number};" for number in sorted(numbers[name] for name in nodes))


def _table(lines: tuple[str, ...], measure: Measure, size: float, more: float) -> str:
    """A label's room as Graphviz takes it: an empty table of fixed size."""
    wide = (max(measure(line) for line in lines) * size + more) * _EM
    high = (len(lines) * _LINE * size + more / 2) * _EM
    cell = f'fixedsize="true" width="{wide:.0f}" height="{high:.0f}"'
    return f'<<table border="0" cellborder="0" cellspacing="0" cellpadding="0"><tr><td {cell}></td></tr></table>>'


def _routed(edge: Edge, item: Mapping[str, Any], flip: Callable[[float, float], Point]) -> Edge:
    curves, tips = [], []
    for spline in item.get("pos", "").split(";") if item.get("pos") else ():
        points: list[Point] = []
        ends: dict[str, Point] = {}
        for part in spline.split():
            fields = part.split(",")
            if fields[0] in {"s", "e"}:
                ends[fields[0]] = flip(float(fields[1]), float(fields[2]))
            else:
                points.append(flip(float(fields[0]), float(fields[1])))
        curves.append(tuple(points))
        tips += [(points[-1], ends["e"])] if "e" in ends else []
        tips += [(points[0], ends["s"])] if "s" in ends else []
    middle = flip(*_numbers(item["lp"])) if "lp" in item else None
    return edge._replace(curves=tuple(curves), tips=tuple(tips), middle=middle)


def _framed(cluster: Cluster, item: Mapping[str, Any], flip: Callable[[float, float], Point]) -> Cluster:
    left, bottom, right, top = _numbers(item["bb"])
    middle = flip(*_numbers(item["lp"])) if "lp" in item else (0.0, 0.0)
    return cluster._replace(low=flip(left, top), high=flip(right, bottom), middle=middle)


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]
