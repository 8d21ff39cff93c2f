"""One request over HTTP, every wait of which comes to an end, and whose failures hold nothing that is secret.

httpx waits for single reads, so that a server which trickles could hold us for ever. Here the end of every wait is a
moment, kept by an event loop of our own that runs only while something is awaited.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from .address import Address, hushed, key_for
from .events import worded
from .trouble import Trouble

if TYPE_CHECKING:
    import httpx

START = "Start the server, or choose another model with --model or MIKEBOT_MODEL."
LARGEST_REFUSAL = 64 * 1024  # Bytes of an error that are read.
_T = TypeVar("_T")


class Limits(NamedTuple):
    """How long a server is waited for, in seconds, and how often it is asked."""

    connect: float = 5.0
    first: float = 300.0  # Up to the first token: a model may have to be loaded.
    between: float = 60.0
    whole: float = 3600.0
    tries: int = 4
    first_wait: float = 0.5  # Then twice as long each time, by half more or less.
    longest_wait: float = 30.0


class Clock:
    """The moments at which a wait ends."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._end = time.monotonic() + limits.whole
        self.start()

    def start(self) -> None:
        """A request goes out."""
        self._next, self._awaited = time.monotonic() + self.limits.first, "has written nothing after"
        self._patience = self.limits.first

    def piece(self, patience: float | None = None) -> None:
        """Something came, or whoever reads it was busy until now."""
        self._patience = self.limits.between if patience is None else patience
        self._next, self._awaited = time.monotonic() + self._patience, "has stopped in the middle, for"

    def left(self) -> float:
        """Seconds."""
        return min(self._next, self._end) - time.monotonic()

    def late(self) -> str:
        """What was waited for in vain."""
        if self._end < self._next:
            return f"has not come to an end after {self.limits.whole:g} s"
        return f"{self._awaited} {self._patience:g} s"


class Reply:
    """The answer to one request, while it comes."""

    def __init__(self, address: Address, clock: Clock) -> None:
        self._runner = asyncio.Runner()
        self._address = address
        self._clock = clock
        self._client: httpx.AsyncClient | None = None
        self._response: httpx.Response | None = None

    @property
    def response(self) -> httpx.Response:
        assert self._response  # noqa: S101  It was asked for.
        return self._response

    def ask(self, path: str, body: Mapping[str, Any] | None, keyed: bool) -> None:
        """Send a request, and hear the head of its answer. Raises Trouble, also for a status that is no success."""
        self._response = self._run(lambda: self._sent(path, body, keyed))
        if self._response.status_code != 200:
            raise self._refused(self._response)

    async def _sent(self, path: str, body: Mapping[str, Any] | None, keyed: bool) -> httpx.Response:
        self._client = _client(self._address, self._clock.limits)
        request = self._client.build_request(
            "GET" if body is None else "POST",
            str(self._address) + path,
            content=None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"),
            headers={"Content-Type": "application/json", "Accept": "text/event-stream, application/json"},
        )
        auth = _bearer(self._address) if keyed else None
        return await self._client.send(request, stream=True, auth=auth, follow_redirects=False)

    def chunks(self) -> Iterator[bytes]:
        """The body, as it comes."""
        coming = self.response.aiter_bytes()
        while (chunk := self._run(lambda: anext(coming, None))) is not None:
            yield chunk

    def _refused(self, response: httpx.Response) -> Trouble:
        """What a status means that is no success."""
        status = response.status_code
        if response.has_redirect_location:
            target = hushed(response.headers["location"]).split("?")[0].split("@")[-1]
            return Trouble(f"answers with a redirect ({status}) to {target}, which is not followed", status=status)
        words = hushed(_words(self._some()).rstrip(". "))
        wait = _seconds(response.headers.get("retry-after", ""))
        said = f": {words}" if words else ""
        return Trouble(f"answers with {status}{said}", status=status, wait=wait)

    def _some(self) -> bytes:
        """The beginning of a body, for as long as that takes no trouble."""
        got = bytearray()
        try:
            for chunk in self.chunks():
                got += chunk
                if len(got) > LARGEST_REFUSAL:
                    break
        except Trouble:
            pass
        return bytes(got)

    def _run(self, what: Callable[[], Awaitable[_T]]) -> _T:
        """What comes in time. Trouble is raised where no exception of httpx is at hand: those hold the request."""
        import httpx

        try:
            return self._runner.run(_within(what, self._clock.left()))
        except TimeoutError:
            trouble = Trouble(self._clock.late(), "Its own log says what it does; a smaller model answers sooner.")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError, ImportError) as error:
            trouble = _trouble(error, self._address, begun=self._response is not None)
        raise trouble

    def close(self) -> None:
        """End the connection now."""
        if self._client:
            self._runner.run(self._client.aclose())
        self._runner.close()


@contextmanager
def asked(
    address: Address, path: str, body: Mapping[str, Any] | None, clock: Clock, keyed: bool = True
) -> Iterator[Reply]:
    """An answer that begins well; leaving ends the connection. Raises Trouble, and WriterError for a bad key."""
    reply = Reply(address, clock)
    try:
        reply.ask(path, body, keyed)
        yield reply
    finally:
        reply.close()


async def _within(what: Callable[[], Awaitable[_T]], seconds: float) -> _T:
    async with asyncio.timeout(seconds):
        return await what()


def _client(address: Address, limits: Limits) -> httpx.AsyncClient:
    """Proxies of the environment are for other machines; trust in certificates is loaded where there are some."""
    import httpx

    for name in ("httpcore", "httpx"):  # They would log what a server repeats, which may be the key.
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.AsyncClient(
        verify=httpx.create_ssl_context() if address.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        trust_env=not address.loopback,
        timeout=httpx.Timeout(None, connect=limits.connect),
    )


def _bearer(address: Address) -> Callable[[httpx.Request], httpx.Request]:
    """Puts the key into a request as it leaves, so that nothing of ours ever holds it."""

    def sign(request: httpx.Request) -> httpx.Request:
        if key := key_for(address):
            request.headers["Authorization"] = f"Bearer {key}"
        return request

    return sign


def _trouble(error: Exception, address: Address, begun: bool) -> Trouble:
    """What went wrong, in words of ours: those of others may repeat what was sent."""
    import httpx

    reasons = list(_reasons(error))
    if certificate := next((found for found in reasons if isinstance(found, ssl.SSLError)), None):
        why = getattr(certificate, "verify_message", "") or certificate.reason or "no reason given"
        return Trouble(f"cannot be spoken to safely ({why.lower().replace('_', ' ')})")
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
        return Trouble(f"does not answer ({_refusal(error, reasons, address)})", START)
    if isinstance(error, httpx.DecodingError):
        return Trouble("sends what cannot be unpacked")
    if isinstance(error, httpx.TransportError | OSError):
        broken = "broke the connection off in the middle" if begun else "closed the connection without an answer"
        return Trouble(broken, again=True)
    return Trouble(f"cannot be asked ({type(error).__name__})")


def _refusal(error: Exception, reasons: list[BaseException], address: Address) -> str:
    import socket

    import httpx

    if isinstance(error, httpx.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, httpx.ProxyError):
        return "the proxy of the environment refuses"
    if any(isinstance(found, socket.gaierror) for found in reasons):
        return f"nobody knows the name {address.host}"
    if any(isinstance(found, ConnectionRefusedError) for found in reasons):
        return "nothing listens there"
    return "no connection"


def _reasons(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that led to it."""
    while error:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                yield from _reasons(inner)
        error = error.__cause__ or error.__context__


def _words(body: bytes) -> str:
    """What an error says: the words in its JSON, or its text unless that is a page."""
    text = body.decode("utf-8", "replace").strip()
    try:
        return worded(json.loads(text))
    except (ValueError, RecursionError):
        return "" if text.startswith("<") else text


def _seconds(text: str) -> float | None:
    """Retry-After: seconds, or a moment."""
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
