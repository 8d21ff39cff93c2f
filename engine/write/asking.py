"""What a server is asked, and how else if it refuses: each knows another part of OpenAI's interface."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .model import Message

SCHEMA, OBJECT, TEXT = "json_schema", "json_object", "text"
_LOWER = {SCHEMA: OBJECT, OBJECT: TEXT}
_REFUSED = (400, 404, 422, 501)  # How servers say that they do not know a format.
_GRAMMAR = re.compile(r"grammar|schema|response_format", re.IGNORECASE)  # llama.cpp says so with 500.
_OPTIONAL = ("max_tokens", "temperature", "seed")  # OpenAI's thinking models refuse the first two.
_TOLD = "Answer with one JSON object and nothing else. It must be valid under this JSON Schema:\n"
_INSTEAD = {
    OBJECT: "it is asked for JSON, and the shape is told in words",
    TEXT: "the shape is told in words alone",
}


class Form(NamedTuple):
    """How a server is asked; what it would not take is left out."""

    kind: str = SCHEMA
    without: tuple[str, ...] = ()
    why: tuple[str, ...] = ()  # For people: what the server said, and what is done instead.


class Request(NamedTuple):
    """What is wanted of a model, whichever way it is asked."""

    model: str
    messages: Sequence[Message]
    schema: Mapping[str, Any]
    seed: int
    most_tokens: int
    temperature: float


def body(form: Form, wanted: Request) -> dict[str, Any]:
    """The JSON of a request."""
    messages = list(wanted.messages) if form.kind == SCHEMA else _told(wanted.messages, wanted.schema)
    asked: dict[str, Any] = {
        "model": wanted.model,
        "messages": [{"role": message.role, "content": message.text} for message in messages],
        "stream": True,
        "max_tokens": wanted.most_tokens,
        "temperature": wanted.temperature,
        "seed": wanted.seed % 2**31,  # What every server can hold.
    }
    for name in form.without:
        value = asked.pop(name)
        if name == "max_tokens":
            asked["max_completion_tokens"] = value
    return asked | _format(form.kind, wanted.schema)


def _format(kind: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    if kind == SCHEMA:
        named = {"name": "storyboard", "schema": schema, "strict": True}
        return {"response_format": {"type": SCHEMA, "json_schema": named}}
    return {"response_format": {"type": OBJECT}} if kind == OBJECT else {}


def _told(messages: Sequence[Message], schema: Mapping[str, Any]) -> list[Message]:
    """The messages, with the schema at the end of the last: some models have no system messages."""
    words = _TOLD + json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    if messages and messages[-1].role == "user":
        return [*messages[:-1], Message("user", f"{messages[-1].text}\n\n{words}")]
    return [*messages, Message("user", words)]


def lower(form: Form, status: int, words: str) -> Form | None:
    """The way to ask next, after a server refused this one; None if there is none, or if it is not the way."""
    if status not in _REFUSED and not (status == 500 and _GRAMMAR.search(words)):
        return None
    for name in _OPTIONAL:
        if name not in form.without and re.search(rf"['\"`]{name}['\"`]", words):
            return Form(form.kind, (*form.without, name), (*form.why, f"{words}; `{name}` is left out"))
    return looser(form, words)


def looser(form: Form, words: str) -> Form | None:
    """The same with less of a format; None if there was none."""
    if not (kind := _LOWER.get(form.kind)):
        return None
    return Form(kind, form.without, (*form.why, f"{words}; {_INSTEAD[kind]}"))
