"""Why a server gave no text: in words that follow "the server at ADDRESS", and what may be tried then."""

from __future__ import annotations

from .address import hushed


class Trouble(Exception):
    """A request failed; it holds nothing of what was sent."""

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        sample: bytes | None = None,
        status: int = 0,
        again: bool = False,
        wait: float | None = None,
    ) -> None:
        shown = "" if sample is None else f": {_quoted(sample)}"
        super().__init__(message + shown)
        self.message = message + shown
        self.hint = hint
        self.status = status
        self.again = again  # It may be otherwise the next time.
        self.wait = wait  # Seconds that the server asks for.


def _quoted(sample: bytes) -> str:
    text = hushed(sample.decode("utf-8", "replace"))
    return repr(text if len(text) <= 80 else f"{text[:77]}...")
