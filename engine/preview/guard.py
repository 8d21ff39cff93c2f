"""Turns away every request that the page itself did not make, before anything of it is looked at.

A server on loopback is reachable by every page that the author's browser has open, so an address is no proof:
names that merely resolve here (DNS rebinding), foreign origins and writes without the token are refused.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 64 * 1024
BODY_SECONDS = 10.0
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types mikebot",
    )
)
ALWAYS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)


class Refused(Exception):
    """A request that is not answered, and why."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.hint = hint

    def response(self) -> JSONResponse:
        """The refusal as an answer; what is left of the request is not waited for."""
        body = {"message": self.message, "hint": self.hint}
        return JSONResponse(body, self.status, {"connection": "close", "cache-control": "no-store"})


class Guard:
    """Lets a request through to the app if this page made it, with the headers of a strict page on every answer."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app = app
        self._token = token.encode()
        self._hosts = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost", "[::1]")}
        self._origins = {b"http://" + host for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _dressed(send)
        try:
            self._admit(scope)
            if scope["method"] == "POST":
                receive = await _whole(receive)
        except Refused as refused:
            await refused.response()(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _admit(self, scope: Scope) -> None:
        headers = scope["headers"]
        if _values(headers, b"host") not in [[host] for host in self._hosts]:
            raise Refused(421, "this address is not the page's own", "open the page where `mikebot watch` says")
        if any(origin not in self._origins for origin in _values(headers, b"origin")):
            raise Refused(403, "another page may not speak to this one")
        if _foreign(headers):
            raise Refused(403, "another page may not load what belongs to this one")
        if scope["method"] not in ("GET", "HEAD"):
            self._admit_writing(headers)
        _admit_size(headers)

    def _admit_writing(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        tokens = _values(headers, b"x-mikebot-token")
        if len(tokens) != 1 or not secrets.compare_digest(tokens[0], self._token):
            raise Refused(403, "the page's token is missing or old", "load the page again")
        kinds = [kind.split(b";")[0].strip().lower() for kind in _values(headers, b"content-type")]
        if kinds != [b"application/json"]:
            raise Refused(415, "only JSON is read here")


def _admit_size(headers: Iterable[tuple[bytes, bytes]]) -> None:
    for length in _values(headers, b"content-length"):
        if not length.isdigit() or int(length) > LARGEST_BODY:
            raise Refused(413, f"a request may hold {LARGEST_BODY // 1024} kB")


def _foreign(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the browser says that another site asks; following a link to the page is all that it may."""
    sites = _values(headers, b"sec-fetch-site")
    if all(site in (b"same-origin", b"none") for site in sites):
        return False
    return _values(headers, b"sec-fetch-mode") != [b"navigate"] or _values(headers, b"sec-fetch-dest") != [b"document"]


def _values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for key, value in headers if key == name]


async def _whole(receive: Receive) -> Receive:
    """The body, read within its bounds of size and time, as something to receive from."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _body(receive)
    except TimeoutError:
        raise Refused(408, "the request did not come to its end") from None
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "the request broke off")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LARGEST_BODY:  # Chunks say no length beforehand.
            raise Refused(413, f"a request may hold {LARGEST_BODY // 1024} kB")
    return body


def _dressed(send: Send) -> Send:
    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *ALWAYS]}
        await send(message)

    return dressed
