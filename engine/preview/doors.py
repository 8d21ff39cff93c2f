"""A connection that must ask within its time: uvicorn itself waits for ever for the end of a request's head."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0
MOST_OPEN = 200  # Connections; a browser makes six, and the render needs file descriptors too.


class Door(H11Protocol):
    """An HTTP connection that is closed when it takes too long to ask, or when it keeps others out by not asking."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let it in, if need be in the place of the one that has been silent longest."""
        super().connection_made(transport)
        self._mind()
        if len(self.connections) > MOST_OPEN:
            silent = [door for door in self.connections if isinstance(door, Door) and door._deadline]
            min(silent, key=Door._until, default=self).shutdown()

    def data_received(self, data: bytes) -> None:
        """Read on, and mind how long a request may still take to come."""
        super().data_received(data)
        self._mind()

    def on_response_complete(self) -> None:
        """The next request has its own time."""
        super().on_response_complete()
        self._mind()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is left to be minded."""
        self._forget()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP as strictly as all else; in the middle of an answer there is nothing to say."""
        if not self.cycle or self.cycle.response_complete:
            said = (b"connection: close", b"content-length: %d" % len(msg))
            strict = [b"%s: %s" % header for header in self.server_state.default_headers]
            self.transport.write(b"\r\n".join((b"HTTP/1.1 400 Bad Request", *said, *strict, b"", msg.encode())))
        self.transport.close()

    def shutdown(self) -> None:
        """End at once, whatever is being said: a stream of events never ends by itself."""
        self._forget()
        self.transport.abort()

    def _mind(self) -> None:
        if self.cycle and not self.cycle.response_complete:
            self._forget()
        elif not self._deadline and not self.transport.is_closing():
            # Closed, not aborted: the end of the last answer may still be on its way to a film that is paused.
            self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _until(self) -> float:
        return self._deadline.when() if self._deadline else float("inf")

    def _forget(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None
