"""Diagrams: Graphviz's layout, drawn in the theme, revealed node by node; graphs that are not safe are refused."""

# ruff: noqa: E501 (A graph and what is said of it stand in one line.)
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from shown_kit import board, pictures, rows

from engine.backends import diagram, dot_text, graph_layout, graphviz
from engine.backends.boards import TooMuch
from engine.errors import BackendError

FIREWALL = """digraph net {
  client [shape=box];
  subgraph cluster_home { label="Home"; firewall [shape=diamond]; db [shape=cylinder]; }
  client -> firewall [label="port 443"];
  firewall -> db [style=dashed];
}"""
STEPS = [{"at": "firewall", "show": ["firewall", "db"]}, {"at": "data", "highlight": ["db"]}]


def test_nodes_appear_with_their_edges_and_cluster(tmp_path: Path) -> None:
    start, shown, lit = pictures(tmp_path, "diagram", {"dot": FIREWALL, "steps": STEPS})
    columns = np.flatnonzero((np.asarray(start) != np.asarray(shown)).any(axis=(0, 2)))
    assert columns[0] > 60  # The client stands already, left of all that comes.
    assert columns[-1] > 500
    assert rows(shown, lit)


@pytest.mark.parametrize(("size", "tall"), [((640, 360), False), ((360, 640), True)])
def test_a_graph_runs_along_the_longer_side(size: tuple[int, int], tall: bool) -> None:
    graph, _ = diagram.fitted(diagram.read("digraph { a -> b -> c -> d }"), *size, False)
    xs, ys = zip(*(node.middle for node in graph.nodes), strict=True)
    assert (max(ys) - min(ys) > max(xs) - min(xs)) is tall


def test_the_authors_direction_holds() -> None:
    graph, _ = diagram.fitted(diagram.read("digraph { rankdir=BT; a -> b -> c }"), 640, 360, False)
    ys = [node.middle[1] for node in graph.nodes]
    assert ys == sorted(ys, reverse=True)


def test_names_and_labels_never_reach_graphviz_again_and_fit_their_shapes() -> None:
    graph = diagram.read(
        'digraph { "a\\"]; evil" [label="a long label of a box", shape=box]; "a\\"]; evil" -> b; b -> b [dir=none] }'
    )
    assert [node.name for node in graph.nodes] == ['a"]; evil', "b"]
    laid = graph_layout.laid_out(graph, "LR", lambda text: len(text) * 0.5)
    assert laid.nodes[0].size[0] >= len("a long label of a box") * 0.5
    assert [len(edge.tips) for edge in laid.edges] == [1, 0]


def test_ranks_records_and_nested_clusters_are_kept() -> None:
    text = """digraph { subgraph cluster_a { label=A x; subgraph cluster_b { label=B y } }
      { rank=same; p; q } p -> q; x -> y; r [shape=record, label="{<f>head|tail}"] }"""
    graph = diagram.read(text)
    assert [sorted(cluster.nodes) for cluster in graph.clusters] == [["x", "y"], ["y"]]
    assert graph.nodes[-1].lines == ("head", "tail")
    laid = graph_layout.laid_out(graph, "TB", lambda text: len(text) * 0.5)
    outer, inner = laid.clusters
    assert outer.low[0] < inner.low[0] < inner.high[0] < outer.high[0]
    level = {node.name: round(node.middle[1], 3) for node in laid.nodes}
    assert level["p"] == level["q"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("digraph {\n a [image=\"/etc/passwd\"] }", (2, 5, "'image' is not allowed in a graph that is shown", "remove it")),
        ("digraph { a [\"ShapeFile\" = x] }", (1, 14, "'shapefile' is not allowed in a graph that is shown", "remove it")),
        ("digraph { a [shape=star] }", (1, 20, "the shape 'star' is not drawn", "drawn are box, ellipse, circle, diamond, cylinder, record and plaintext")),
        ("digraph { a [label=<<b>x</b>>] }", (1, 20, "a label of HTML is not drawn", 'write it as text: label="..."')),
        ("digraph { a [\"ima\" + \"ge\"=x] }", (1, 20, "a text in several pieces is not read", "write it as one")),
        ("digraph {" + " " * 65_536 + "}", (1, 1, "the graph has 65,546 bytes; at most 65,536 are read", "show less of it")),
    ],
)  # fmt: skip
def test_what_reads_files_is_refused_before_graphviz_sees_it(text: str, said: tuple[int, int, str, str]) -> None:
    assert dot_text.troubles(text) == [said]


@pytest.mark.parametrize(
    "text", ['digraph { a [label="image = <b> + x"] }', "digraph { // image=x\n a /* <b> */ -> b }"]
)
def test_labels_and_comments_may_say_anything(text: str) -> None:
    assert dot_text.troubles(text) == []


def test_a_short_text_cannot_ask_for_a_billion_edges() -> None:
    names = " ".join(f"n{number}" for number in range(150))
    group = f"{{ {names} }}"
    (trouble,) = dot_text.troubles(f"digraph {{ {' -> '.join([group] * 60)} }}")
    assert trouble.message == "there are too many edges between groups"
    assert dot_text.troubles("digraph { {a b} -> {c d} -> {e f} }") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("digraph {\n  a -> \n  -> b\n}", (3, 3, "Graphviz cannot read the graph from '->' on", "is a bracket or a semicolon missing before it?")),
        ('digraph { a [label="x] }', (1, 20, "a text in quotation marks does not end", "is a quotation mark missing?")),
        ("hello", (1, 1, "Graphviz cannot read the graph from 'hello' on", "is a bracket or a semicolon missing before it?")),
    ],
)  # fmt: skip
def test_syntax_errors_have_their_place(text: str, said: tuple[int, int, str, str]) -> None:
    with pytest.raises(graphviz.Refused) as caught:
        diagram.read(text)
    assert caught.value.trouble == said


def test_too_many_nodes_and_none_are_refused() -> None:
    with pytest.raises(TooMuch, match=r"^the graph has 201 nodes and 0 edges; at most 200 and 400 are drawn$"):
        diagram.read("digraph {" + " ".join(f"n{number};" for number in range(201)) + "}")
    with pytest.raises(TooMuch, match=r"^the graph has no nodes$"):
        diagram.read("digraph { }")


def test_a_graph_that_nobody_could_read_is_refused(tmp_path: Path) -> None:
    chain = " -> ".join(f"node_{number}" for number in range(60))
    with pytest.raises(BackendError, match=r"the graph is too large to be read: its type would have [0-9]+ %"):
        board(tmp_path, "diagram", {"dot": f"digraph {{ {chain} }}"})
