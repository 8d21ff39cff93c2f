"""Server-sent events: one ear at the session, any number of browsers, none of which can hold up the others."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Protocol

from starlette.concurrency import run_in_threadpool

MOST_WAITING = 64  # Events that a browser may be behind; then one whole state stands for them all.
HEARTBEAT = 15.0  # Seconds; a browser that went away is noticed when something is sent.

Hear = Callable[[str, Mapping[str, Any]], None]


class Source(Protocol):
    """What has a state, and tells of its changes."""

    def snapshot(self) -> Mapping[str, Any]:
        """Everything that the page shows."""

    def subscribe(self, hear: Hear) -> Callable[[], None]:
        """Tell of each change from now on, until the returned function is called."""


class Hub:
    """Hears the source once and tells every browser; lives in one event loop, hears from any thread."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._listeners: set[_Listener] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave: Callable[[], None] = lambda: None

    def open(self) -> None:
        """Begin to hear, in the running loop."""
        self._loop = asyncio.get_running_loop()
        self._leave = self._source.subscribe(self.hear)

    def close(self) -> None:
        """Hear no more, and end every stream."""
        self._leave()
        for listener in self._listeners:
            listener.close()

    def hear(self, event: str, data: Mapping[str, Any]) -> None:
        """Take an event from any thread; it is encoded here, once, as it is now."""
        if self._listeners and self._loop:
            text = message(event, data)
            with contextlib.suppress(RuntimeError):  # The loop has ended: nobody is left to tell.
                self._loop.call_soon_threadsafe(self._tell, event, text)

    def _tell(self, event: str, text: bytes) -> None:
        for listener in self._listeners:
            listener.tell(event, text)

    async def stream(self) -> AsyncIterator[bytes]:
        """What one browser is sent: the whole state, then each change."""
        listener = _Listener()
        self._listeners.add(listener)  # Before the state is taken, or a change in between would be lost.
        try:
            yield b"retry: 500\n\n"
            while await listener.wait():
                if listener.catch_up():
                    yield await run_in_threadpool(self._state)
                yield listener.take()
        finally:
            self._listeners.discard(listener)

    def _state(self) -> bytes:
        return message("state", self._source.snapshot())


class _Listener:
    """What one browser is still to be sent."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._behind = True
        self._open = True
        self._woken = asyncio.Event()
        self._woken.set()

    def tell(self, event: str, text: bytes) -> None:
        if event == "state":  # It holds all that was said before.
            self._waiting.clear()
            self._behind = False
        elif self._behind or len(self._waiting) >= MOST_WAITING:
            self._waiting.clear()
            self._behind = True
        if not self._behind:
            self._waiting.append(text)
        self._woken.set()

    def close(self) -> None:
        self._open = False
        self._woken.set()

    async def wait(self) -> bool:
        """Wait for something to send or for the next heartbeat; False when the stream is to end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT):
                await self._woken.wait()
        self._woken.clear()
        return self._open

    def catch_up(self) -> bool:
        """Whether a whole state is to be sent; what is told from now on comes after it."""
        behind, self._behind = self._behind, False
        return behind

    def take(self) -> bytes:
        """All that waits, or a comment that keeps the connection alive."""
        text = b"".join(self._waiting) or b":\n\n"
        self._waiting.clear()
        return text


def message(event: str, data: Mapping[str, Any]) -> bytes:
    """An event as it goes over the wire; JSON has no line breaks of its own."""
    return f"event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
