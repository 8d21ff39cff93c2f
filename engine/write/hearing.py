"""One text as it comes from a server: its pieces, its tokens, and whether it came to its end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from .events import DONE, Said, Speech
from .trouble import Trouble

_ROOM = 4096  # Characters that any text may have.
_LETTERS = 16  # Of a token; four are usual.


class Hearing:
    """Hears one text, and judges it when it ends."""

    def __init__(self, most_tokens: int, tell: Callable[[int], None]) -> None:
        self.began = False  # Something of the text was given away.
        self.judged = False  # The server did its part: it is the text that is at fault.
        self.finish = ""
        self._most_tokens = most_tokens
        self._tell = tell
        self._speech = Speech()
        self._tokens = 0
        self._pieces: list[str] = []
        self._length = 0

    def hear(self, said: Said) -> str:
        """What can be given away now; "" if it is nothing. Raises Trouble for a text that does not end."""
        if said.text or said.thought:
            self._tokens += 1
        if said.tokens:
            self._tokens = said.tokens
        if said.text or said.thought or said.tokens:
            self._tell(self._tokens)
        if said.finish and not (said is DONE and self.finish):
            self.finish = said.finish
        return self._kept(self._speech.hear(said.text)) if said.text else ""

    def end(self) -> str:
        """What was held back."""
        return self._kept(self._speech.end())

    def _kept(self, piece: str) -> str:
        self._pieces.append(piece)
        self._length += len(piece)
        self.began = self.began or bool(piece)
        if self._length > _ROOM + _LETTERS * self._most_tokens:
            raise Trouble(f"goes on and on: {self._length} characters, where {self._most_tokens} tokens were asked for")
        return piece

    def judge(self) -> None:
        """Raises Trouble unless the text came to its end."""
        self.judged = True
        if self.finish == "length":
            raise Trouble(
                f"stopped in the middle, at the limit of {self._most_tokens} tokens or of its memory",
                "Ask for less at a time, or give the server a longer context.",
            )
        if self.finish == "content_filter":
            raise Trouble("stopped, because a filter of the server did not let the text pass", "Word it otherwise.")
        if not "".join(self._pieces).strip():
            calls = self.finish in ("tool_calls", "function_call")
            raise Trouble("calls a tool in place of writing" if calls else "wrote nothing", "Try another model.")
        if not self.finish and self._object() is None:
            raise Trouble("broke off in the middle", "What came is kept; ask for the rest.")

    @property
    def strays(self) -> bool:
        """Whether it begins with what is no JSON object."""
        return self.began and not "".join(self._pieces[:1]).lstrip().startswith("{")

    def keeps_to(self, schema: Mapping[str, Any]) -> bool:
        """Whether it is one JSON object and nothing else, with the fields that it must have."""
        found = self._object()
        return found is not None and found.keys() >= set(schema.get("required", ()))

    def _object(self) -> dict[str, Any] | None:
        try:
            found = json.loads("".join(self._pieces))
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None
