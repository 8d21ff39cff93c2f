"""Bytes of any kind, cut anywhere, are a text or a clear trouble; where they are cut makes no difference."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.write.events import DONE, Speech, said
from engine.write.trouble import Trouble

WORDS = st.sampled_from([b"data:", b" ", b"\n", b"\r", b"{", b"}", b'"', b"choices", b"[DONE]", b":", b"\xff", b"\xe4"])
RUBBISH = st.lists(WORDS | st.binary(max_size=4), max_size=30).map(b"".join)
TEXTS = st.lists(st.text(max_size=8), max_size=8)
ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])
CUTS = st.lists(st.integers(0, 2000), max_size=20)


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    at = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(at)]


def outcome(chunks: Sequence[bytes]) -> object:
    try:
        return list(said(chunks))
    except Trouble as trouble:
        return str(trouble)


@given(RUBBISH, CUTS)
@settings(deadline=None)
def test_rubbish_is_a_trouble_wherever_it_is_cut(data: bytes, places: list[int]) -> None:
    assert outcome(cut(data, places)) == outcome([data])


@given(TEXTS, ENDS, CUTS, st.booleans())
@settings(deadline=None)
def test_texts_come_through_wherever_they_are_cut(texts: list[str], end: bytes, places: list[int], safe: bool) -> None:
    payloads = [json.dumps({"choices": [{"delta": {"content": text}}]}, ensure_ascii=safe) for text in texts]
    stream = b"".join(b"data: " + text.encode() + end * 2 for text in [*payloads, "[DONE]"])
    heard = list(said(cut(stream, places)))
    assert heard.pop() is DONE
    assert [event.text for event in heard] == texts


@given(st.text(), st.text(), CUTS)
def test_a_text_is_the_same_behind_its_thoughts(thoughts: str, text: str, places: list[int]) -> None:
    thoughts = thoughts.replace("</think>", "")
    data = f"<think>{thoughts}</think>{{{text}"
    at = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    speech = Speech()
    heard = [speech.hear(data[start:end]) for start, end in pairwise(at)]
    assert "".join([*heard, speech.end()]) == f"{{{text}"
