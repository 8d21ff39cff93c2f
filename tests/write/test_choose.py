"""The model that writes is the one that is named, or the first that this machine serves; which it is, is said."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fake_server import Answer, Talk, plain, refused, said, serving
from served_kit import TEXT, written

from engine.errors import UsageError
from engine.write.choose import Found, choose, find_served, three_ways
from engine.write.model import WriterError
from engine.write.served import ServedModel

WAYS = "\n  Write served:http://127.0.0.1:8000, served:URL#MODEL, local:FOLDER or local:ORG/NAME@REVISION."
LONG = 5.0  # Seconds: an answer that comes is not to be missed on a busy machine.


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MIKEBOT_MODEL", "MIKEBOT_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def free() -> Iterator[int]:
    """A port where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_a_server_is_chosen_by_its_address() -> None:
    heard: list[str] = []
    with serving(said(TEXT)) as server:
        chosen = choose(f"served:{server.url}", heard.append)
        assert isinstance(chosen, ServedModel)
        assert written(chosen) == TEXT
        assert heard == [f"writing with tiny at {server.url}/v1"]


def test_a_model_of_a_server_is_chosen_by_its_name() -> None:
    heard: list[str] = []
    with serving(said(TEXT)) as server:
        chosen = choose(f"served:{server.url}/v1#Org/Name:7b", heard.append)
        assert chosen is not None
        assert written(chosen) == TEXT
        assert server.asked[0]["model"] == "Org/Name:7b"
        assert heard == [f"writing with Org/Name:7b at {server.url}/v1"]


def test_the_environment_chooses_where_the_command_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    with serving(said(TEXT)) as server:
        monkeypatch.setenv("MIKEBOT_MODEL", f"served:{server.url}#of-environment")
        choose(None, heard.append, ports=[])
        choose(f"served:{server.url}#named", heard.append, ports=[])
        assert heard == [
            f"writing with of-environment at {server.url}/v1 (MIKEBOT_MODEL)",
            f"writing with named at {server.url}/v1",
        ]


def test_what_a_server_does_otherwise_is_said_too() -> None:
    heard: list[str] = []
    with serving(refused(400, "no schemas"), said(TEXT)) as server:
        chosen = choose(f"served:{server.url}", heard.append)
        assert chosen is not None
        written(chosen)
        assert heard[1:] == [
            f"the server at {server.url}/v1 answers with 400: no schemas; "
            "it is asked for JSON, and the shape is told in words"
        ]


def test_a_server_of_this_machine_is_found_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIKEBOT_API_KEY", "secret")
    heard: list[str] = []
    with serving(said(TEXT)) as server, serving(said(TEXT), models=["other"]) as second, free() as nobody:
        chosen = choose(None, heard.append, ports=[nobody, server.port, second.port], patience=LONG)
        assert chosen is not None
        assert written(chosen) == TEXT
        assert heard == [
            f"writing with tiny, found on this machine at {server.url}; {second.url} would write, too",
        ]
        assert [request.path for request in server.heard] == ["/v1/models", "/v1/chat/completions"]
        assert {request.headers.get("authorization") for request in server.heard + second.heard} == {None}


def test_the_usual_ports_are_those_of_the_usual_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    with serving(said(TEXT)) as server:
        monkeypatch.setattr("engine.write.choose.PORTS", {"Ollama": server.port})
        chosen = choose(None, heard.append, patience=LONG)
        assert chosen is not None
        assert heard == [f"writing with tiny, found on this machine at {server.url} (the usual port of Ollama)"]


def test_a_server_on_the_other_loopback_is_found() -> None:
    with serving(said(TEXT), host="::1") as server:
        assert find_served([server.port], LONG) == [Found("", server.url, "tiny")]


def silent(talk: Talk) -> None:
    talk.wait()


STRANGERS: dict[str, Answer] = {
    "a page": plain(b"<!doctype html><title>It works!</title>", kind="text/html"),
    "a teapot": refused(418, "short and stout"),
    "a locked door": refused(401, "who are you?"),
    "another JSON": plain(b'{"data": {"id": "x"}}'),
    "no model": plain(b'{"object": "list", "data": []}'),
    "names that are none": plain(b'{"data": [{"id": 3}, null, {}]}'),
    "rubbish": lambda talk: talk.raw(b"220 mail.example ESMTP\r\n\r\n"),
    "a redirect": plain(b"", 302, Location="https://models.example/v1/models"),
    "silence": silent,
    "a reset": lambda talk: talk.reset(),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_what_else_answers_there_is_no_model(name: str) -> None:
    heard: list[str] = []
    with serving(said(TEXT), models=STRANGERS[name]) as server:
        assert choose(None, heard.append, ports=[server.port]) is None
    assert heard == []


def test_a_socket_that_never_answers_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert find_served([server.getsockname()[1]]) == []


def test_a_machine_without_a_server_has_no_model() -> None:
    with free() as nobody:
        assert choose(None, pytest.fail, ports=[nobody]) is None
    assert find_served([]) == []


def test_a_server_that_is_named_and_not_there_is_an_error() -> None:
    with free() as nobody, pytest.raises(WriterError) as caught:
        choose(f"served:http://127.0.0.1:{nobody}", pytest.fail)
    assert str(caught.value) == (
        f"the server at http://127.0.0.1:{nobody}/v1 does not answer (nothing listens there)\n"
        "  Start the server, or choose another model with --model or MIKEBOT_MODEL."
    )


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", f"'' is no model{WAYS}"),
        ("gpt-5", f"'gpt-5' is no model{WAYS}"),
        ("http://127.0.0.1:8000", f"'http://127.0.0.1:8000' is no model{WAYS}"),
        ("https://someone:secret@models.example", f"that is no model{WAYS}"),
        ("remote:x", f"'remote:x' is no model{WAYS}"),
        ("SERVED:http://x", f"'SERVED:http://x' is no model{WAYS}"),
        ("served:", f"served: names no model{WAYS}"),
        ("local:", f"local: names no model{WAYS}"),
        ("local:@main", f"local:@main names no model, or no revision{WAYS}"),
        ("local:org/name@", f"local:org/name@ names no model, or no revision{WAYS}"),
        ("red\x1b[31m", f"'red\ufffd[31m' is no model{WAYS}"),
        (
            "served:ftp://x",
            "the address of a model's server begins with http:// or https://, not ftp://\n"
            "  Write it like http://127.0.0.1:8000, or https://HOST/v1.",
        ),
    ],
)
def test_a_bad_spec_is_the_author_s_mistake(spec: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose(spec, pytest.fail)
    assert str(caught.value) == message
    assert caught.value.exit_code == 2


def test_without_a_model_three_ways_to_one_are_told() -> None:
    assert three_ways().splitlines() == [
        "there is no language model to write with: nothing answers on this machine's ports "
        "11434 (Ollama), 8080 (llama.cpp), 8000 (vLLM), 1234 (LM Studio)",
        "  Three ways to get one:",
        "  1. Ollama: install it, and run `ollama pull qwen2.5:7b`. It is found by itself.",
        "  2. llama.cpp or LM Studio: run `llama-server -m MODEL.gguf`, or start the server in LM Studio. "
        "They are found, too.",
        "     Any other server, here or elsewhere: `--model served:http://HOST:PORT`.",
        "  3. Without a server: `pip install 'mikebot[write]'`, then `--model local:FOLDER` with a model's folder.",
    ]
