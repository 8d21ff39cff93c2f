"""Which language model writes: the one that the author names, or the first that this machine serves."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from ..errors import UsageError, plain
from . import address as addresses
from .model import Model
from .served import ServedModel, first_writer, listed
from .trouble import Trouble
from .wire import Clock, Limits

VARIABLE = "MIKEBOT_MODEL"
PORTS = {"Ollama": 11434, "llama.cpp": 8080, "vLLM": 8000, "LM Studio": 1234}
PATIENCE = 0.4  # Seconds in which a server of this machine says what it has.
_WAYS = "Write served:http://127.0.0.1:8000, served:URL#MODEL, local:FOLDER or local:ORG/NAME@REVISION."
_HOSTS = ("127.0.0.1", "[::1]")


class Found(NamedTuple):
    """A server that answers on this machine."""

    usual: str  # Whose port it is; another may sit there.
    url: str
    model: str


def choose(
    spec: str | None, say: Callable[[str], None], *, ports: Sequence[int] | None = None, patience: float = PATIENCE
) -> Model | None:
    """The model that a spec names, or MIKEBOT_MODEL, or one that is served here; None if there is none.

    `say` hears which it is, and later what its server does otherwise than asked. Raises UsageError and WriterError.
    """
    named = spec if spec is not None else os.environ.get(VARIABLE) or None
    if named is not None:
        model = _named(named.strip(), say)
        where = f" at {model.address}" if isinstance(model, ServedModel) else ""
        say(f"writing with {model.name}{where}{'' if spec is not None else f' ({VARIABLE})'}")
        return model
    found = find_served(ports, patience)
    if not found:
        return None
    first, *others = found
    served = ServedModel(first.url, first.model, note=say, keyed=False)
    usual = f" (the usual port of {first.usual})" if first.usual else ""
    more = f"; {', '.join(other.url for other in others)} would write, too" if others else ""
    say(f"writing with {served.name}, found on this machine at {first.url}{usual}{more}")
    return served


def _named(spec: str, say: Callable[[str], None]) -> Model:
    scheme, colon, rest = spec.partition(":")
    if not colon or scheme not in ("served", "local"):
        raise UsageError(f"{_shown(spec)} is no model", _WAYS)
    if not rest:
        raise UsageError(f"{scheme}: names no model", _WAYS)
    if scheme == "local":
        return _local(rest)
    url, _, name = rest.partition("#")
    return ServedModel(url, name, note=say)


def _shown(spec: str) -> str:
    """A spec as a message may repeat it: what looks like an address with a password in it is left out."""
    return "that" if "@" in spec and "/" in spec else repr(plain(spec[:100]))


def _local(name: str) -> Model:
    """A folder, or an id with its revision behind the last @."""
    folder = "@" not in name or Path(name).exists()
    identifier, _, revision = (name, "", "") if folder else name.rpartition("@")
    if not identifier or not (folder or revision):
        raise UsageError(f"local:{plain(name)} names no model, or no revision", _WAYS)
    from .local import LocalModel

    return LocalModel(identifier, revision)


def find_served(ports: Sequence[int] | None = None, patience: float = PATIENCE) -> list[Found]:
    """The servers that answer on the usual ports of this machine, in their order; all are asked at once, with no key.

    What sits on both kinds of loopback address is told once. What is no model's server is passed over in silence.
    """
    asked = ports if ports is not None else tuple(PORTS.values())
    places = [(port, host) for port in asked for host in _HOSTS]
    if not places:
        return []
    with ThreadPoolExecutor(len(places)) as pool:
        answers = list(pool.map(lambda place: _answer(place[0], place[1], patience), places))
    found: dict[int, Found] = {}
    for answer, (port, _) in zip(answers, places, strict=True):
        if answer:
            found.setdefault(port, answer)
    return list(found.values())


def _answer(port: int, host: str, patience: float) -> Found | None:
    url = f"http://{host}:{port}"
    limits = Limits(connect=patience, first=patience, between=patience, whole=patience)
    try:
        model = first_writer(listed(addresses.parse(url), Clock(limits), keyed=False))
    except Trouble:
        return None
    usual = next((name for name, known in PORTS.items() if known == port), "")
    return Found(usual, url, model)


def three_ways() -> str:
    """What to do where there is a prompt and no model."""
    ports = ", ".join(f"{port} ({name})" for name, port in PORTS.items())
    return f"""\
there is no language model to write with: nothing answers on this machine's ports {ports}
  Three ways to get one:
  1. Ollama: install it, and run `ollama pull qwen2.5:7b`. It is found by itself.
  2. llama.cpp or LM Studio: run `llama-server -m MODEL.gguf`, or start the server in LM Studio. They are found, too.
     Any other server, here or elsewhere: `--model served:http://HOST:PORT`.
  3. Without a server: `pip install 'mikebot[write]'`, then `--model local:FOLDER` with a model's folder."""
