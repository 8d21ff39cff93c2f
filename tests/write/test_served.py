"""Any server that speaks as OpenAI's does gives a text piece by piece, in whatever odd way it does it.

Streams that differ and mean the same, thoughts, formats that it does not know. What goes wrong is in
test_served_bad.py; keys, redirects and proxies are in test_served_safety.py.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from fake_server import Answer, Server, Talk, chunk, chunked, events, plain, refused, said, serving, whole
from served_kit import ASK, SHAPE, TEXT, failure, model, notes, written

from engine.write.served import ServedModel


def test_a_text_is_asked_for_as_every_server_knows_it() -> None:
    with serving(said(TEXT)) as server:
        assert written(model(server, name="big", temperature=0.2)) == TEXT
        (heard,) = server.heard
    assert heard.path == "/v1/chat/completions"
    assert heard.headers["content-type"] == "application/json"
    assert "authorization" not in heard.headers
    assert heard.body == {
        "model": "big",
        "messages": [{"role": "system", "content": "You write."}, {"role": "user", "content": "A title."}],
        "stream": True,
        "max_tokens": 100,
        "temperature": 0.2,
        "seed": 7,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "storyboard", "schema": SHAPE, "strict": True},
        },
    }


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/", "/v1/chat/completions"])
def test_an_address_may_be_written_in_each_usual_way(end: str) -> None:
    with serving(said(TEXT)) as server:
        assert written(ServedModel(server.url + end)) == TEXT
        assert [heard.path for heard in server.heard] == ["/v1/models", "/v1/chat/completions"]


def test_another_path_is_taken_as_it_is() -> None:
    with serving(said(TEXT)) as server:
        assert written(ServedModel(f"{server.url}/api/openai/v1")) == TEXT
        assert server.heard[-1].path == "/api/openai/v1/chat/completions"


def test_a_server_on_the_other_loopback_answers_too() -> None:
    with serving(said(TEXT), host="::1") as server:
        assert written(model(server)) == TEXT


@pytest.mark.parametrize(
    ("models", "taken", "shown"),
    [
        (("first", "second"), "first", "first"),
        (("nomic-embed-text", "bge-m3", "qwen2.5:7b"), "qwen2.5:7b", "qwen2.5:7b"),
        (("only-embeddings",), "only-embeddings", "only-embeddings"),
        (("/models/tiny.gguf",), "/models/tiny.gguf", "tiny.gguf"),
        (("C:\\models\\tiny.gguf",), "C:\\models\\tiny.gguf", "tiny.gguf"),
        (("Org/Name",), "Org/Name", "Org/Name"),
        (("red\x1b[31m\nalert",), "red\x1b[31m\nalert", "red\ufffd[31m alert"),
    ],
)
def test_a_model_that_is_not_named_is_the_first_that_writes(models: tuple[str, ...], taken: str, shown: str) -> None:
    with serving(said(TEXT), models=models) as server:
        writer = model(server)
        assert writer.name == shown
        assert written(writer) == TEXT
        assert server.asked[0]["model"] == taken
        assert [heard.method for heard in server.heard] == ["GET", "POST"]


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ((), "has no model\n  Load one there, or say which: served:URL#MODEL."),
        (plain(b'{"data": 3}'), "does not list its models\n  Load one there, or say which: served:URL#MODEL."),
        (plain(b"<html>", kind="text/html"), "sends what is not JSON: '<html>'"),
        (
            refused(404, "no"),
            "answers with 404: no\n"
            "  Is the address right (it mostly ends in /v1), and the model's name: served:URL#MODEL?",
        ),
    ],
    ids=["none", "another list", "a page", "no list"],
)
def test_a_server_that_lists_no_model_is_asked_for_by_name(models: Any, message: str) -> None:
    with serving(said(TEXT), models=models) as server:
        assert failure(model(server)) == f"the server at ADDRESS {message}"
        assert written(model(server, name="known")) == TEXT


def test_pieces_are_given_away_while_the_model_still_writes() -> None:
    read = threading.Event()

    def answer(talk: Talk) -> None:
        talk.head()
        talk.event(chunk({"content": '{"title":'}))
        assert read.wait(20)  # The rest comes only after the first piece was read.
        talk.event(chunk({"content": '"x"}'}, "stop"))
        talk.end()

    with serving(answer) as server:
        pieces = model(server).stream(ASK, SHAPE, seed=1, most_tokens=9, tell=lambda _: None)
        assert next(pieces) == '{"title":'
        read.set()
        assert list(pieces) == ['"x"}']


def lines(*texts: str, end: bytes = b"\n", last: bytes = b"data: [DONE]") -> bytes:
    """A stream, with the ends of lines that are wanted."""
    payloads = [json.dumps(chunk({"content": text}), ensure_ascii=False).encode() for text in texts]
    return b"".join(b"data: " + payload + end * 2 for payload in payloads) + last + end * 2


HALF = len(TEXT) // 2
PLAIN = lines(TEXT[:HALF], TEXT[HALF:])
STOP = b"data: " + json.dumps(chunk({}, "stop")).encode() + b"\n\n"
ODD: dict[str, Answer] = {
    "one letter an event": said(TEXT, size=1),
    "all in one event": said(TEXT, size=1000),
    "whole, as if not asked to stream": whole(TEXT),
    "whole, over many lines": plain(json.dumps({"choices": [{"message": {"content": TEXT}}]}, indent=2).encode()),
    "whole, called a stream": plain(
        json.dumps({"choices": [{"message": {"content": TEXT}}]}).encode(), 200, "text/event-stream"
    ),
    "carriage returns and line feeds": chunked(lines(TEXT, end=b"\r\n")),
    "carriage returns": chunked(lines(TEXT, end=b"\r")),
    "a byte a chunk": chunked(*(bytes([byte]) for byte in PLAIN)),
    "a byte a chunk, with carriage returns": chunked(*(bytes([b]) for b in lines(TEXT[:5], TEXT[5:], end=b"\r\n"))),
    "cut in three, within letters": chunked(PLAIN[:157], PLAIN[157:158], PLAIN[158:]),
    "comments": chunked(b": hello\n\n:\n\n", PLAIN[:100] + PLAIN[100:]),
    "names, numbers and times of events": chunked(b"event: message\nid: 3\nretry: 10\n" + PLAIN),
    "no space after the colon": chunked(PLAIN.replace(b"data: ", b"data:")),
    "no empty lines": chunked(PLAIN.replace(b"\n\n", b"\n")),
    "data over several lines": chunked(PLAIN.replace(b'"choices"', b'\ndata: "choices"')),
    "data over several lines, a byte a chunk, with carriage returns": chunked(
        *(bytes([b]) for b in PLAIN.replace(b'"choices"', b'\ndata: "choices"').replace(b"\n", b"\r\n"))
    ),
    "a mark of byte order": chunked(b"\xef\xbb\xbf" + PLAIN),
    "another content type": chunked(PLAIN, kind="text/plain"),
    "no goodbye, but a reason": said(TEXT, done=False),
    "a goodbye, but no reason": said(TEXT, finish=None),
    "neither, but whole": said(TEXT, done=False, finish=None),
    "nothing after the last line": chunked(PLAIN.rstrip(b"\n")),
    "what follows the goodbye": chunked(PLAIN + b"data: {rubbish\n\n"),
    "an account at the end": events(
        chunk({"content": TEXT}, "stop"), {"choices": [], "usage": {"completion_tokens": 3}}
    ),
    "an account alone": events(chunk({"content": TEXT}, "stop"), {"usage": {"completion_tokens": 3}}),
    "parts of a content": events(chunk({"content": [{"type": "text", "text": TEXT}, {"type": "x"}]})),
    "nothing in between": events(chunk({"content": None}), chunk({"role": "assistant"}), chunk({"content": TEXT})),
    "another choice": events({"choices": [{"index": 1, "delta": {"content": "no"}}]}, chunk({"content": TEXT})),
    "an error that is none": events(chunk({"content": TEXT}) | {"error": None}),
    "packed": lambda talk: (
        talk.head(Content_Encoding="gzip"),
        talk.send(gzip.compress(PLAIN)[:40]),
        talk.send(gzip.compress(PLAIN)[40:]),
        talk.end(),
    )[0],
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_stream_gives_the_same_text(name: str) -> None:
    with serving(ODD[name]) as server:
        assert written(model(server)) == TEXT


@pytest.mark.parametrize(
    "pieces",
    [
        [{"reasoning_content": "Let me {think}"}, {"content": TEXT}],
        [{"reasoning": "Let me {think}"}, {"content": TEXT}],
        [{"content": f"<think>\nShall it be {{}}?\n</think>\n{TEXT}"}],
        [{"content": piece} for piece in f" \n<think>{{no}} < / </thin </think>{TEXT}"],
        [{"content": piece} for piece in f"<think></think><think>{'hm ' * 100}</think>{TEXT}"],
        [{"content": piece} for piece in f"Its beginning was put into its mouth.</think>\n\n{TEXT}"],
    ],
    ids=["named", "named otherwise", "at once", "by letters", "twice", "without a beginning"],
)
def test_thoughts_are_no_part_of_the_text(pieces: list[Mapping[str, Any]]) -> None:
    with serving(events(*map(chunk, pieces), chunk({}, "stop"))) as server:
        assert written(model(server)).strip() == TEXT


def test_what_looks_like_a_thought_within_the_text_stays() -> None:
    text = '{"title": "<think> is a tag </think>"}'
    with serving(said(text)) as server:
        assert written(model(server)) == text


def test_prose_and_fences_around_the_text_are_left_to_the_reader() -> None:
    text = f"Here it is:\n```json\n{TEXT}\n```\nEnjoy!"
    with serving(said(text)) as server:
        assert written(model(server)) == text


def test_a_character_in_two_halves_becomes_one_and_half_a_character_none() -> None:
    halves = [b'{"choices":[{"delta":{"content":"%b"}}]}' % half for half in (b"{\\ud83d", b"\\udc4b", b"\\ud83d!}")]
    with serving(events(*halves, chunk({}, "stop"))) as server:
        assert written(model(server)) == "{👋\ufffd!}"


def test_tokens_are_told_as_they_come_and_as_the_server_counts_them() -> None:
    told: list[int] = []
    thinking = chunk({"reasoning_content": "hm"})
    count = {"choices": [], "usage": {"completion_tokens": 41}}
    with serving(events(thinking, thinking, chunk({"content": TEXT}, "stop"), count)) as server:
        written(model(server), tell=told.append)
    assert told == [1, 2, 3, 41]


def test_a_seed_is_one_that_every_server_can_hold() -> None:
    with serving(said(TEXT)) as server:
        written(model(server), seed=2**53 - 1)
        assert server.asked[0]["seed"] == 2**31 - 1


def takes(kind: str, status: int = 400) -> Answer:
    """A server that knows response formats up to one."""
    known = ["json_schema", "json_object", "text"][["json_schema", "json_object", "text"].index(kind) :]

    def answer(talk: Talk) -> None:
        asked = talk.heard.body.get("response_format", {"type": "text"})["type"]
        (said(TEXT) if asked in known else refused(status, f"{asked} is unknown"))(talk)

    return answer


def formats(server: Server) -> list[str]:
    return [asked.get("response_format", {"type": "text"})["type"] for asked in server.asked]


@pytest.mark.parametrize("status", [400, 404, 422, 501])
def test_a_server_without_schemas_is_asked_for_json_and_told_the_shape(status: int) -> None:
    with serving(takes("json_object", status)) as server:
        writer = model(server)
        assert writer.constrained
        assert [written(writer), written(writer)] == [TEXT, TEXT]
        assert not writer.constrained
        assert formats(server) == ["json_schema", "json_object", "json_object"]  # It is not asked in vain again.
        assert server.asked[1]["messages"][1]["content"] == (
            "A title.\n\nAnswer with one JSON object and nothing else. It must be valid under this JSON Schema:\n"
            '{"type":"object","properties":{"title":{"type":"string"}},"required":["title"]}'
        )
    assert notes(writer) == [
        f"the server at ADDRESS answers with {status}: json_schema is unknown; "
        "it is asked for JSON, and the shape is told in words"
    ]


def test_a_server_without_formats_is_told_the_shape_in_words_alone() -> None:
    heard: list[str] = []
    with serving(takes("text")) as server:
        writer = model(server, note=heard.append)
        assert [written(writer), written(writer)] == [TEXT, TEXT]
        assert formats(server) == ["json_schema", "json_object", "text", "text"]
        assert "JSON Schema" in server.asked[3]["messages"][1]["content"]
    assert heard == writer.notes
    assert notes(writer)[1:] == [
        "the server at ADDRESS answers with 400: json_object is unknown; the shape is told in words alone"
    ]


def test_a_grammar_that_a_server_cannot_make_is_like_a_format_that_it_does_not_know() -> None:
    with serving(refused(500, "failed to parse grammar"), said(TEXT)) as server:
        assert written(model(server)) == TEXT
        assert formats(server) == ["json_schema", "json_object"]


def test_a_refusal_of_all_forms_is_an_error_that_changes_nothing() -> None:
    with serving(refused(404, "model 'x' not found")) as server:
        writer = model(server, name="x")
        assert failure(writer) == (
            "the server at ADDRESS answers with 404: model 'x' not found\n"
            "  Is the address right (it mostly ends in /v1), and the model's name: served:URL#MODEL?"
        )
        assert (writer.notes, writer.constrained) == ([], True)


def test_a_server_that_takes_a_schema_and_does_not_keep_to_it_is_found_out() -> None:
    with serving(said("Certainly!"), said('{"name": 3}'), said(TEXT)) as server:
        writer = model(server)
        assert written(writer) == "Certainly!"
        assert not writer.constrained
        assert written(writer) == '{"name": 3}'
        assert formats(server) == ["json_schema", "json_object"]
    assert notes(writer) == [
        "the server at ADDRESS was given a JSON schema and did not keep to it; "
        "it is asked for JSON, and the shape is told in words"
    ]


def test_prose_before_the_text_is_noticed_even_if_nobody_reads_on() -> None:
    with serving(said(f"Sure! {TEXT}")) as server:
        writer = model(server)
        pieces = writer.stream(ASK, SHAPE, seed=1, most_tokens=9, tell=lambda _: None)
        next(pieces)
        assert not writer.constrained
        pieces.close()  # type: ignore[attr-defined]
    assert len(notes(writer)) == 1


def test_what_a_model_has_no_knob_for_is_left_out() -> None:
    def answer(talk: Talk) -> None:
        for name in ("max_tokens", "temperature"):
            if name in talk.heard.body:
                return refused(400, f"Unsupported parameter: '{name}' is not supported with this model.")(talk)
        return said(TEXT)(talk)

    with serving(answer) as server:
        writer = model(server)
        assert written(writer) == TEXT
        assert written(writer) == TEXT
        assert len(server.asked) == 4
        assert {"max_completion_tokens": 100, "seed": 7}.items() <= server.asked[3].items()
    assert writer.constrained
    assert notes(writer)[1] == (
        "the server at ADDRESS answers with 400: "
        "Unsupported parameter: 'temperature' is not supported with this model; `temperature` is left out"
    )
