"""A JSON object is found in whatever a model writes, as soon as it is whole, wherever the pieces are cut."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.write.gather import Gathering, objects

SCENE = {"id": "a", "narration": 'He said: "}{" \\ and left.', "show": {"slide": {"title": "[", "bullets": ["]"]}}}
TEXT = json.dumps(SCENE)


def gathered(text: str, dice: random.Random | None = None) -> Gathering:
    made, at = Gathering(), 0
    while at < len(text):
        size = dice.randrange(1, 9) if dice else len(text)
        if made.add(text[at : at + size]):
            break
        at += size
    return made


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"Here is the scene that you asked for:\n\n```json\n{TEXT}\n```\nDo you like it?",
        f'<think>Perhaps {{"id": "no"}}? Let me see.</think>{TEXT}',
        f"\n \n<think>\n</think>\n\n{TEXT}",
        f"I use {{braces}} and {{ more }} first. {TEXT}",
        f'Set theory: {{1, 2}}. "Quoted {{" {TEXT}',
        json.dumps(SCENE, indent=2),
        f"{TEXT}{TEXT}",
    ],
)
def test_one_object_is_found_wherever_it_is_cut(text: str) -> None:
    for seed in range(20):
        assert gathered(text, random.Random(seed)).value == SCENE


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the answer is empty"),
        (" \n", "the answer is empty"),
        ("I am sorry, but I cannot.", "there is no JSON object in the answer"),
        ("<think>So", "there is no JSON object in the answer"),
        (TEXT[:-1], "the answer ends before its JSON does"),
        ('{"a": NaN}', "there is no JSON object in the answer"),
        ('{"a": ' + "[" * 10_000, "there is no JSON object in the answer"),
        ("[1, 2]", "there is no JSON object in the answer"),
    ],
)
def test_why_there_is_none(text: str, why: str) -> None:
    made = gathered(text, random.Random(1))
    assert (made.value, made.why()) == (None, why)


@settings(max_examples=50, deadline=None)
@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_object_is_found_behind_prose(value: object) -> None:
    if json.dumps(value).count("[") + json.dumps(value).count("{") < 30:
        whole = {"value": value}
        text = "Well: " + json.dumps(whole) + " }{"
        assert gathered(text, random.Random(2)).value == whole


def test_what_follows_is_not_waited_for() -> None:
    drawn = []

    def pieces() -> Iterator[str]:
        for piece in ("So: ", '{"a"', ": 1}", " and", " on"):
            drawn.append(piece)
            yield piece

    *_, last = objects(pieces())
    assert (last.value, drawn) == ({"a": 1}, ["So: ", '{"a"', ": 1}"])
