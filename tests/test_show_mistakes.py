"""Mistakes in what a scene shows, each whole: place, message, the line, the hint."""

from __future__ import annotations

import pytest

from engine.backends import code_set
from engine.document import parse
from engine.show_mistakes import mistakes

PART = "show a part of it from a smaller file"
HEAD = """\
title: T
format: {width: 1280, height: 720}
scenes:
  - id: a
    on_screen: false
    narration: The first rule that matches wins. No rule, no entry.
    show:
"""


def found(show: str, text_of: str | None = None, head: str = HEAD) -> str:
    document = parse((head + show).encode(), "s.yaml")
    assert document.mistakes == []
    wrong = mistakes(document, 0, document.data["scenes"][0], text_of)
    return "\n".join(str(mistake) for mistake in wrong)


CODE = """\
      code:
        language: python
        text: |
          for rule in rules:
              if rule.fits(packet):
                  return rule
        steps:
          - {at: rule, show: 2-3}
          - {at: wins, highlight: 3}
"""
DIAGRAM = """\
      diagram:
        dot: |
          digraph {
            client -> firewall -> server
          }
        steps:
          - {at: first, show: [firewall, server]}
"""


@pytest.mark.parametrize("show", [CODE, DIAGRAM, "      slide: {title: Rules, bullets: [One, {text: Two, at: no}]}\n"])
def test_nothing_is_wrong_with_what_is_right(show: str) -> None:
    assert found(show) == ""


@pytest.mark.parametrize(
    ("swap", "message"),
    [
        (
            ("language: python", "language: pyhton"),
            """\
s.yaml:9:19: language: 'pyhton' is not known; did you mean 'python'?
          language: pyhton
                    ^
  any name from https://pygments.org/languages will do""",
        ),
        (
            ("at: wins", "at: winds"),
            """\
s.yaml:16:18: at: 'winds' is not said in this scene's narration; did you mean 'wins'?
            - {at: winds, highlight: 3}
                   ^
  copy it from narration:""",
        ),
        (
            ("at: wins", "at: the first"),
            """\
s.yaml:16:18: at: 'the first' is not said after 'rule' in this scene's narration
            - {at: the first, highlight: 3}
                   ^
  the words of steps come in the order of the narration""",
        ),
        (
            ("highlight: 3", "highlight: 3-4"),
            """\
s.yaml:16:35: highlight: '3-4' is not within the lines that are shown
            - {at: wins, highlight: 3-4}
                                    ^
  shown are 1-3""",
        ),
        (
            ("show: 2-3", "show: 3-2"),
            """\
s.yaml:15:30: show: '3-2' is not within the lines that are shown
            - {at: rule, show: 3-2}
                               ^
  shown are 1-3""",
        ),
        (
            ("        text:", "        lines: 2-9\n        text:"),
            """\
s.yaml:10:16: lines: '2-9' is not within the code's 3 lines
          lines: 2-9
                 ^
  1-3""",
        ),
    ],
    ids=["language", "word", "order", "highlight", "backwards", "window"],
)
def test_mistakes_in_code(swap: tuple[str, str], message: str) -> None:
    assert swap[0] in CODE
    assert found(CODE.replace(*swap)) == message


def test_a_silent_scene_has_no_words() -> None:
    head = HEAD.replace("narration: The first rule that matches wins. No rule, no entry.", "duration: 3")
    assert (
        found(CODE.replace("          - {at: wins, highlight: 3}\n", ""), head=head)
        == """\
s.yaml:15:18: at: nothing is said in this scene, so 'rule' never comes
            - {at: rule, show: 2-3}
                   ^
  add narration:"""
    )


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("x = 1\n" * 10_000, "the code has 10,000 lines; at most 2,000 are read", PART),
        ("x = 1 # 234567890\n" * 4_000, "the code has 72,000 bytes; at most 65,536 are read", PART),
        ("x = 1\n" * 41, "41 lines are shown at once; at most 40 can be", "choose some with lines:"),
        ("x = 1\n" * 40, "40 lines of code do not fit: 20 can be read at this size", "choose fewer with lines:"),
        ("\n\n", "there is no code in it", "write some"),
    ],
)  # fmt: skip
def test_mistakes_in_a_file_of_code(text: str, message: str, hint: str) -> None:
    show = "      code: {language: python, file: a.py}\n"
    source = f"        {show.strip()}\n{' ' * 39}^"
    assert found(show, text) == f"s.yaml:8:38: {message}\n{source}\n  {hint}"


def test_a_line_that_is_too_long_is_named_with_what_fits() -> None:
    fit = code_set.room(1280, 720, False, 1).characters
    message = f"has 300 characters: {fit} can be read at this size"
    shown = found(CODE.replace("return rule", "y" * 292)).splitlines()
    assert shown[0] == f"s.yaml:13:11: line 3 {message}"
    assert shown[2] == " " * 12 + "^"
    show = "      code: {language: python, file: a.py}\n"
    assert found(show, f"x = 1\n{'y' * 300}\n").splitlines()[0] == f"s.yaml:8:38: a.py:2 {message}"
    assert found(show, f"x = 1\n{'y' * fit}\n") == ""


def test_a_long_file_may_be_shown_in_part() -> None:
    assert found("      code: {language: python, file: a.py, lines: 1990-2000}\n", "x = 1\n" * 2000) == ""


@pytest.mark.parametrize(
    ("swap", "message"),
    [
        (
            ("client -> firewall", "client -> -> firewall"),
            """\
s.yaml:11:23: Graphviz cannot read the graph from '->' on
              client -> -> firewall -> server
                        ^
  is a bracket or a semicolon missing before it?""",
        ),
        (
            ("client ->", "client [image=x]; client ->"),
            """\
s.yaml:11:21: 'image' is not allowed in a graph that is shown
              client [image=x]; client -> firewall -> server
                      ^
  remove it""",
        ),
        (
            ("[firewall, server]", "[firewal]"),
            """\
s.yaml:14:32: show: the graph has no node 'firewal'; did you mean 'firewall'?
            - {at: first, show: [firewal]}
                                 ^
  its nodes: client, firewall, server""",
        ),
    ],
    ids=["syntax", "attribute", "node"],
)
def test_mistakes_in_a_diagram(swap: tuple[str, str], message: str) -> None:
    assert swap[0] in DIAGRAM
    assert found(DIAGRAM.replace(*swap)) == message


def test_a_mistake_in_a_file_of_a_graph_names_its_line() -> None:
    show = "      diagram: {file: net.dot}\n"
    assert (
        found(show, "digraph {\n  a -> ;\n}")
        == """\
s.yaml:8:23: net.dot:2:8: Graphviz cannot read the graph from ';' on
        diagram: {file: net.dot}
                        ^
  is a bracket or a semicolon missing before it?"""
    )


def test_a_slide_with_too_much_text_says_how_much_fits() -> None:
    show = f"      slide: {{title: All, bullets: [{', '.join(['word ' * 31] * 7)}]}}\n"
    message = found(show, head=HEAD.replace("1280", "720")).splitlines()[0]
    assert message.startswith("s.yaml:8:14: 1081 characters in 7 points do not fit: about ")
