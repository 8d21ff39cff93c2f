"""The seam between what asks for text and what writes it: a language model, on this machine or behind an address."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from ..errors import MikebotError


class WriterError(MikebotError):
    """A language model cannot be used, or gave nothing that could be."""


class Unfinished(WriterError):
    """A text stopped before its end, or never began: what came may be kept, and the rest be asked for again."""


class Message(NamedTuple):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    text: str


class Model(Protocol):
    """A language model that answers in JSON."""

    @property
    def name(self) -> str:
        """For people, and for the header of what it wrote."""

    @property
    def revision(self) -> str:
        """A commit or digest; "" where nobody says."""

    @property
    def constrained(self) -> bool:
        """Whether what it gives is valid under the schema by construction, if it comes to its end."""

    def stream(
        self,
        messages: Sequence[Message],
        schema: Mapping[str, Any],
        *,
        seed: int,
        most_tokens: int,
        tell: Callable[[int], None],
    ) -> Iterator[str]:
        """Pieces of one JSON text, as they are written; `tell` hears of the tokens so far.

        The same arguments give the same text, where the model can promise that. Closing the iterator stops the
        model at once. Raises WriterError.
        """

    def close(self) -> None:
        """Give its memory or its connection back."""
