"""Server-sent events: one ear at the session, any number of browsers, none of which can hold up the others."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

MOST_WAITING = 256 * 1024  # Bytes that a browser may be behind; then one whole state stands for them all.
HEARTBEAT = 15.0  # Seconds; a browser that went away is noticed when something is sent.

Hear = Callable[[str, Mapping[str, Any]], None]


class Source(Protocol):
    """What has a state, and tells of its changes."""

    def snapshot(self) -> Mapping[str, Any]:
        """Everything that the page shows."""

    def subscribe(self, hear: Hear) -> Callable[[], None]:
        """Tell of each change from now on, until the returned function is called."""


class Hub:
    """Hears the source once, from any thread, and tells every browser, in the one loop that serves them."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._listeners: set[_Listener] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave: Callable[[], None] | None = None

    def open(self) -> None:
        """Begin to hear."""
        self._leave = self._source.subscribe(self.hear)

    def close(self) -> None:
        """Hear no more."""
        leave, self._leave = self._leave, None
        if leave:
            leave()

    def hear(self, event: str, data: Mapping[str, Any]) -> None:
        """Take an event from any thread; it is encoded here, once, as it is now."""
        if self._listeners and self._loop:
            text = message(event, data)
            with contextlib.suppress(RuntimeError):  # The loop has ended: nobody is left to tell.
                self._loop.call_soon_threadsafe(self._tell, event, text)

    def _tell(self, event: str, text: bytes) -> None:
        for listener in self._listeners:
            listener.tell(event, text)

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """What one browser is sent: the whole state, then each change."""
        self._loop = asyncio.get_running_loop()
        listener = _Listener()
        self._listeners.add(listener)  # Before the state is taken, or a change in between would be lost.
        try:
            yield b"retry: 500\n\n"
            while True:
                await listener.wait()
                if listener.catch_up():
                    yield await run_in_threadpool(self._state)
                yield listener.take()
        finally:
            self._listeners.discard(listener)

    def _state(self) -> bytes:
        return message("state", self._source.snapshot())


class Events(StreamingResponse):
    """A stream of events as an answer; its listener is gone when the browser is."""

    def __init__(self, hub: Hub) -> None:
        self._stream = hub.stream()
        super().__init__(self._stream, media_type="text/event-stream", headers={"cache-control": "no-store"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        old = {**scope, "asgi": {"spec_version": "2.3"}}  # By a newer one, who left is noticed at the next event only.
        async with contextlib.aclosing(self._stream):
            await super().__call__(old, receive, send)


class _Listener:
    """What one browser is still to be sent."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._behind = True
        self._woken = asyncio.Event()
        self._woken.set()

    def tell(self, event: str, text: bytes) -> None:
        if event == "state":  # It holds all that was said before.
            self._waiting.clear()
            self._behind = False
        elif len(self._waiting) + len(text) > MOST_WAITING:
            self._waiting.clear()
            self._behind = True
        if not self._behind:
            self._waiting += text
        self._woken.set()

    async def wait(self) -> None:
        """Wait for something to send, or for the next heartbeat."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT):
                await self._woken.wait()
        self._woken.clear()

    def catch_up(self) -> bool:
        """Whether a whole state is to be sent; what is told from now on comes after it."""
        behind, self._behind = self._behind, False
        return behind

    def take(self) -> bytes:
        """All that waits, or a comment that keeps the connection alive."""
        text = bytes(self._waiting) or b":\n\n"
        self._waiting.clear()
        return text


def message(event: str, data: Mapping[str, Any]) -> bytes:
    """An event as it goes over the wire; JSON has no line breaks of its own."""
    return f"event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
