"""What the tests of a served model share: a model, a question, and all that comes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fake_server import Server

from engine.write.model import Message, Model, WriterError
from engine.write.served import ServedModel
from engine.write.wire import Limits

SHAPE = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
TEXT = '{"title": "Grüße, 世界 👋"}'
ASK = [Message("system", "You write."), Message("user", "A title.")]
PATIENT = Limits(first_wait=0.001, longest_wait=2)


def model(server: Server, **more: Any) -> ServedModel:
    return ServedModel(server.url, **{"limits": PATIENT} | more)


def written(writer: Model, *, seed: int = 7, most: int = 100, tell: Callable[[int], None] = lambda _: None) -> str:
    return "".join(writer.stream(ASK, SHAPE, seed=seed, most_tokens=most, tell=tell))


def failure(writer: ServedModel, **more: Any) -> str:
    """The whole message, with the address left out."""
    with pytest.raises(WriterError) as caught:
        written(writer, **more)
    return str(caught.value).replace(str(writer.address), "ADDRESS")


def notes(writer: ServedModel) -> list[str]:
    return [note.replace(str(writer.address), "ADDRESS") for note in writer.notes]
