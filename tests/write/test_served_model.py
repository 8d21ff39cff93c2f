"""A real language model behind a real server writes what it writes here, and stops when nobody reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny_models
from fake_server import Answer, Talk, chunk, refused, serving
from served_kit import ASK, PATIENT

from engine.write.choose import choose
from engine.write.local import LocalModel
from engine.write.model import Message
from engine.write.served import ServedModel

TITLES = {
    "type": "object",
    "properties": {
        "titles": {"type": "array", "items": {"type": "string", "maxLength": 20}, "minItems": 9, "maxItems": 9}
    },
    "required": ["titles"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalModel]:
    """Random weights: what holds them to the schema is the server's grammar alone."""
    writer = LocalModel(str(tiny_models.folder(tmp_path_factory.mktemp("models") / "tiny")))
    yield writer
    writer.close()


def behind(writer: LocalModel) -> Answer:
    """What a server with a grammar does: it reads the request, and sends each piece as it is written."""

    def answer(talk: Talk) -> None:
        asked = talk.heard.body
        schema = asked["response_format"]["json_schema"]["schema"]
        messages = [Message(said["role"], said["content"]) for said in asked["messages"]]
        talk.head()
        count = [0]
        most = asked["max_tokens"]
        for piece in writer.stream(messages, schema, seed=asked["seed"], most_tokens=most, tell=count.append):
            talk.event(chunk({"content": piece}))
        talk.event(chunk({}, "stop") | {"usage": {"completion_tokens": count[-1]}})
        talk.event(b"[DONE]")
        talk.end()

    return answer


def text(writer: Any, told: list[int]) -> str:
    return "".join(writer.stream(ASK, TITLES, seed=11, most_tokens=2000, tell=told.append))


def test_a_model_writes_the_same_behind_a_server_as_here(local: LocalModel) -> None:
    here: list[int] = []
    there: list[int] = []
    with serving(behind(local), models=["tiny"]) as server:
        served = choose(f"served:{server.url}", lambda _: None)
        assert served is not None
        written = text(served, there)
    assert written == text(local, here)
    assert len(json.loads(written)["titles"]) == 9
    assert there[-1] == here[-1]
    assert served.constrained


def test_a_model_stops_where_it_is_when_nobody_reads_any_more(local: LocalModel, tmp_path: Path) -> None:
    with serving(behind(local)) as server:
        pieces = ServedModel(server.url, limits=PATIENT).stream(
            ASK, TITLES, seed=11, most_tokens=2000, tell=lambda _: None
        )
        next(pieces)
        pieces.close()  # type: ignore[attr-defined]
        assert server.left.wait(20)


def test_a_server_whose_model_needs_another_way_gets_the_schema_in_words(local: LocalModel) -> None:
    with serving(refused(400, "no"), refused(400, "no"), lambda talk: plainly(local, talk)) as server:
        served = ServedModel(server.url, limits=PATIENT)
        assert len(json.loads(text(served, []))["titles"]) == 9


def plainly(writer: LocalModel, talk: Talk) -> None:
    """A model that does as it is told: the schema stands at the end of the last message."""
    schema = json.loads(talk.heard.body["messages"][-1]["content"].splitlines()[-1])
    asked = {**talk.heard.body, "response_format": {"json_schema": {"schema": schema}}}
    talk.heard = talk.heard._replace(body=asked)
    behind(writer)(talk)
