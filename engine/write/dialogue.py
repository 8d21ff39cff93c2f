"""Asks a model within limits: what comes is checked, and asked for again with the reasons, a few times at most."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .checks import Flaws
from .gather import Gathering, objects
from .model import Message, Model, Unfinished, WriterError

CHARACTERS = 16  # More than these for a token that was allowed, and the server does not heed its limit.
Check = Callable[[Any], tuple[Any, Flaws]]


@dataclass(frozen=True)
class Limits:
    """How much may be asked for in all."""

    tries: int = 2  # How often one answer is asked for again.
    calls: int = 2000
    tokens: int = 200_000
    seconds: float = 3600.0


@dataclass
class Spent:
    """What was asked for so far."""

    calls: int = 0
    tokens: int = 0
    begun: float = field(default_factory=time.monotonic)


class Got(NamedTuple):
    """An answer that can be used, and what is less than was asked for."""

    value: Any
    soft: Sequence[str] = ()


class Unusable(Exception):
    """No try gave an answer that can be used; says why the last did not."""

    def __init__(self, reasons: Sequence[str], tries: int) -> None:
        super().__init__("; ".join(reasons))
        self.tries = tries


class Dialogue:
    """A model, what is said to it first, and the limits; `tell` hears of the tokens of the answer that is coming."""

    def __init__(
        self,
        model: Model,
        system: str,
        repair: Callable[[Sequence[str]], str],
        limits: Limits,
        seed: int,
        tell: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.model = model
        self.spent = Spent()
        self._system = Message("system", system)
        self._repair = repair
        self._limits = limits
        self._seed = seed
        self._tell = tell

    def ask(self, text: str, shape: Mapping[str, Any], most_tokens: int, check: Check) -> Got:
        """The first answer that is as it should be, or the last that can be used. Raises Unusable, WriterError."""
        asked = [self._system, Message("user", text)]
        usable: Got | None = None
        reasons: Sequence[str] = ()
        for attempt in range(self._limits.tries + 1):
            answer = self._answer(asked, shape, most_tokens, self._seed + attempt)
            if answer.value is None:
                reasons = [answer.why()]
            else:
                value, flaws = check(answer.value)
                if not flaws.hard:
                    usable = Got(value, flaws.soft)
                if not flaws.hard and not flaws.soft:
                    return Got(value)
                reasons = [*flaws.hard, *flaws.soft]
            said = answer.text[: most_tokens * CHARACTERS] if answer.value is None else _compact(answer.value)
            asked = [*asked[:2], Message("assistant", said or "{}"), Message("user", self._repair(reasons))]
        if usable is not None:
            return usable
        raise Unusable(reasons, self._limits.tries + 1)

    def _answer(self, asked: Sequence[Message], shape: Mapping[str, Any], most: int, seed: int) -> Gathering:
        """What one call gives; the model is stopped as soon as its object is whole, or a limit is reached."""
        self.spent.calls += 1
        before = self.spent.tokens
        self._heed()

        def tell(tokens: int) -> None:
            self.spent.tokens = before + tokens
            self._tell(tokens)

        pieces = self.model.stream(asked, shape, seed=seed, most_tokens=most, tell=tell)
        gathering = Gathering()
        try:
            for gathering in objects(iter(pieces)):
                self._heed()
                if len(gathering.text) > most * CHARACTERS:
                    break
        except Unfinished:
            pass  # What came is looked at: it is asked for again, as anything else that is not whole.
        finally:
            _close(pieces)
        self.spent.tokens = max(self.spent.tokens, before + 1)
        return gathering

    def _heed(self) -> None:
        """Raises WriterError once a limit is passed."""
        spent, limits = self.spent, self._limits
        hint = "what is whole is kept; --continue goes on"
        if spent.calls > limits.calls:
            raise WriterError(f"{self.model.name} was asked {limits.calls} times, which is the limit", hint)
        if spent.tokens > limits.tokens:
            raise WriterError(f"{self.model.name} wrote {limits.tokens:,} tokens, which is the limit", hint)
        if time.monotonic() - spent.begun > limits.seconds:
            raise WriterError(f"{self.model.name} took {limits.seconds:g} seconds, which is the limit", hint)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _close(pieces: Iterator[str]) -> None:
    """Stop a model that is still writing."""
    close = getattr(pieces, "close", None)
    if close is not None:
        close()
