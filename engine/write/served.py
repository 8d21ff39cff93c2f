"""A language model behind an address: any server that speaks as OpenAI's does (vLLM, llama.cpp, Ollama, LM Studio)."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from ..errors import plain
from . import address as addresses
from . import asking
from .events import Said, said, whole
from .hearing import Hearing
from .model import Message, Unfinished, WriterError
from .trouble import Trouble
from .wire import Clock, Limits, asked

_BUSY = (429, 500, 502, 503, 504)
_GRACE = 2.0  # Seconds that a server has to say goodbye, once the text is whole.
_NO_WRITERS = re.compile(r"embed|rerank|\bbge-|whisper|\btts\b", re.IGNORECASE)  # Ollama lists these too.
_LIST = 10.0  # Seconds in which a server lists its models.
_NAME = "Load one there, or say which: served:URL#MODEL."
_HINTS = {
    429: "It has too much to do, or your quota is used up: wait, or choose another model.",
    **dict.fromkeys((500, 502, 503, 504), "Its own log may say more."),
}


class ServedModel:
    """A model that another process serves."""

    revision = ""  # Nobody says.

    def __init__(
        self,
        url: str,
        name: str = "",
        *,
        note: Callable[[str], None] | None = None,
        temperature: float = 0.7,
        limits: Limits | None = None,
        keyed: bool = True,
    ) -> None:
        """`note` hears what is done in another way than asked for, as `notes` keeps it.

        `keyed` is for an address that the author named: no other is sent a key. Nothing is sent at all before a text
        or the name is wanted. Raises UsageError for what is no address.
        """
        self.address = addresses.parse(url)
        self.notes: list[str] = []
        self._id = name
        self._hear = note
        self._temperature = temperature
        self._limits = limits or Limits()
        self._keyed = keyed
        self._form = asking.Form()

    def __repr__(self) -> str:
        return f"ServedModel({str(self.address)!r}, {self._id!r})"

    @property
    def constrained(self) -> bool:
        """Whether the server holds the model to the schema; it is taken to, until it is seen not to."""
        return self._form.kind == asking.SCHEMA

    @property
    def name(self) -> str:
        """What people call the model, without the folder that it lies in. Raises WriterError."""
        found = self._identifier()
        path = PureWindowsPath(found) if re.match(r"[A-Za-z]:[\\/]", found) else PurePosixPath(found)
        return plain(" ".join((path.name if path.is_absolute() else found).split()))[:120]

    def close(self) -> None:
        """Nothing is held between two texts."""

    def stream(
        self,
        messages: Sequence[Message],
        schema: Mapping[str, Any],
        *,
        seed: int,
        most_tokens: int,
        tell: Callable[[int], None],
    ) -> Iterator[str]:
        """Pieces of a text; what fails before the first is tried again. Raises WriterError.

        After the first piece it is Unfinished: who reads keeps what came, and may ask for the rest.
        """
        clock, chance, form, tries = Clock(self._limits), random.Random(seed), self._form, 1  # noqa: S311
        wanted = asking.Request(self._identifier(), messages, schema, seed, most_tokens, self._temperature)
        while True:
            hearing = Hearing(most_tokens, tell)
            try:
                yield from self._text(form, wanted, clock, hearing)
            except Trouble as caught:
                trouble = caught
            else:
                return
            if hearing.began or hearing.judged:
                raise self._error(trouble, kind=Unfinished)
            if lower := asking.lower(form, trouble.status, trouble.message):
                form = lower
            else:
                self._rest(trouble, tries, chance)
                tries += 1
            clock.start()

    def _text(self, form: asking.Form, wanted: asking.Request, clock: Clock, hearing: Hearing) -> Iterator[str]:
        """The pieces of one answer. Raises Trouble."""
        with asked(self.address, "/chat/completions", asking.body(form, wanted), clock, self._keyed) as reply:
            coming = said(reply.chunks())
            while (event := _next(coming, hearing)) is not None:
                self._settle(form)
                if piece := hearing.hear(event):
                    form = self._doubted(form, hearing.strays)
                    yield piece
                if event.text or event.thought or event.finish:  # A comment is no sign of progress.
                    clock.piece(_GRACE if hearing.finish else None)
            if piece := hearing.end():
                yield piece
        hearing.judge()
        self._doubted(form, not hearing.keeps_to(wanted.schema))

    def _doubted(self, form: asking.Form, strays: bool) -> asking.Form:
        """How to ask, now that a text is seen to keep to its schema or not: some servers take one and forget it."""
        if strays and form.kind == asking.SCHEMA:
            form = asking.looser(form, "was given a JSON schema and did not keep to it") or form
            self._settle(form)
        return form

    def _settle(self, form: asking.Form) -> None:
        """A server took this way of asking: it is kept, and what was given up for it is said."""
        for why in form.why[len(self._form.why) :]:
            self._say(why)
        self._form = form

    def _rest(self, trouble: Trouble, tries: int, chance: random.Random) -> None:
        """Wait before a request is sent again. Raises WriterError if that is no use."""
        limits = self._limits
        if not (trouble.again or trouble.status in _BUSY) or tries >= limits.tries:
            raise self._error(trouble, tries)
        wait = limits.first_wait * 2 ** (tries - 1) * (0.5 + chance.random())
        if trouble.wait is not None:
            wait = trouble.wait
        if wait > limits.longest_wait:
            raise self._error(trouble, tries)
        self._say(f"{trouble.message}; it is asked again in {wait:.3g} s")
        time.sleep(wait)

    def _identifier(self) -> str:
        """The model's name as the server knows it: where none was given, the first that it lists."""
        clock, chance, tries = Clock(self._limits._replace(first=_LIST)), random.Random(0), 1  # noqa: S311
        while not self._id:
            try:
                self._id = first_writer(listed(self.address, clock, self._keyed))
            except Trouble as caught:
                trouble = caught
            else:
                break
            self._rest(trouble, tries, chance)
            tries += 1
            clock.start()
        return self._id

    def _say(self, what: str) -> None:
        self.notes.append(f"the server at {self.address} {what}")
        if self._hear:
            self._hear(self.notes[-1])

    def _error(self, trouble: Trouble, tries: int = 1, kind: type[WriterError] = WriterError) -> WriterError:
        times = f" ({tries} times)" if tries > 1 else ""
        hint = trouble.hint or self._hint(trouble)
        return kind(f"the server at {self.address} {trouble.message}{times}", hint)

    def _hint(self, trouble: Trouble) -> str:
        """What to do about a status."""
        if trouble.wait and trouble.wait > self._limits.longest_wait:
            return f"It asks to be left alone for {trouble.wait:.0f} s."
        if trouble.status in (401, 403):
            return self._key_hint()
        if trouble.status == 404:
            return "Is the address right (it mostly ends in /v1), and the model's name: served:URL#MODEL?"
        return _HINTS.get(trouble.status, "")

    def _key_hint(self) -> str:
        name = addresses.KEY
        if not self._keyed:
            return f"Name the server with --model served:{self.address}: then {name} of the environment is sent to it."
        if addresses.exposed(self.address):
            return f"{name} is not sent over a line that others can read: give an https address, or a tunnel to it."
        return f"It takes no request without a key that it knows: set {name} in the environment."


def _next(coming: Iterator[Said], hearing: Hearing) -> Said | None:
    """The next event; once the text is whole, how the connection ends is no matter."""
    try:
        return next(coming, None)
    except Trouble:
        if not hearing.finish:
            raise
        return None


def listed(address: addresses.Address, clock: Clock, keyed: bool) -> list[str]:
    """The models that a server has. Raises Trouble."""
    with asked(address, "/models", None, clock, keyed) as reply:
        data = whole(reply.chunks()).get("data")
    if not isinstance(data, list):
        raise Trouble("does not list its models", _NAME)
    names = [entry.get("id") for entry in data if isinstance(entry, dict)]
    return [name for name in names if isinstance(name, str) and name]


def first_writer(names: Sequence[str]) -> str:
    """The first model that writes: others turn text into numbers, or speech into text. Raises Trouble."""
    if not names:
        raise Trouble("has no model", _NAME)
    return next((name for name in names if not _NO_WRITERS.search(name)), names[0])
