"""Turns away every request that the page itself did not make, before anything of it is looked at.

A server on loopback is reachable by every page that the author's browser has open, so an address is no proof:
names that merely resolve here (DNS rebinding), foreign origins and writes without the token are refused.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterable
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LARGEST_BODY = 64 * 1024
BODY_SECONDS = 10.0
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
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
ALWAYS = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-frame-options", "DENY"),
]  # Headers of every answer.

Headers = Iterable[tuple[bytes, bytes]]


class Json(JSONResponse):
    """An answer for this moment, in ASCII: the name of a file may hold what UTF-8 cannot say."""

    def __init__(self, content: Any, status: int = 200) -> None:
        super().__init__(content, status, {"cache-control": "no-store"})

    def render(self, content: Any) -> bytes:
        """JSON as it goes over the wire."""
        return json.dumps(content, separators=(",", ":")).encode()


class Refused(Exception):
    """A request that is not answered, and why."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.hint = hint


class Guard:
    """Lets a request through to the app if this page made it, and says why another is refused."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        end = "" if port == 80 else f":{port}"  # As browsers write it.
        self._app = app
        self._token = token.encode()
        self._hosts = [[f"{name}{end}".encode()] for name in ("127.0.0.1", "localhost")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._admit(scope)
            await self._app(scope, receive, send)
        except Refused as refused:
            answer = Json({"message": refused.message, "hint": refused.hint}, refused.status)
            answer.headers["connection"] = "close"  # What is left of the request is not waited for.
            await answer(scope, receive, send)

    def _admit(self, scope: Scope) -> None:
        headers = scope["headers"]
        host = _values(headers, b"host")
        if host not in self._hosts:
            raise Refused(421, "this address is not the page's own", "open the page where `mikebot watch` says")
        if _values(headers, b"origin") not in ([], [b"http://" + host[0]]):
            raise Refused(403, "another page may not speak to this one")
        if _foreign(headers) and not _following(scope):
            raise Refused(403, "another page may not load what belongs to this one")
        writing = scope["method"] not in ("GET", "HEAD")
        if writing:
            self._admit_writing(headers)
        _admit_body(headers, LARGEST_BODY if writing else 0)

    def _admit_writing(self, headers: Headers) -> None:
        tokens = _values(headers, b"x-mikebot-token")
        if len(tokens) != 1 or not secrets.compare_digest(tokens[0], self._token):
            raise Refused(403, "the page's token is missing or old", "load the page again")
        kinds = [kind.split(b";")[0].strip().lower() for kind in _values(headers, b"content-type")]
        if kinds != [b"application/json"]:
            raise Refused(415, "only JSON is read here")


def _admit_body(headers: Headers, largest: int) -> None:
    if _values(headers, b"transfer-encoding"):
        raise Refused(411, "a request says beforehand how long it is")
    if any(int(length) > largest for length in _values(headers, b"content-length")):
        raise Refused(413, f"this request may hold {largest} bytes, not more")


def _foreign(headers: Headers) -> bool:
    """Whether the browser says that another site asks."""
    return any(site not in (b"same-origin", b"none") for site in _values(headers, b"sec-fetch-site"))


def _following(scope: Scope) -> bool:
    """Whether a link to the page is followed, which is all that another site may do."""
    headers = scope["headers"]
    how = (_values(headers, b"sec-fetch-mode"), _values(headers, b"sec-fetch-dest"))
    return scope["path"] == "/" and how == ([b"navigate"], [b"document"])


def _values(headers: Headers, name: bytes) -> list[bytes]:
    return [value for key, value in headers if key == name]


async def body_of(request: Request) -> bytes:
    """The body of a request that was let through, if it comes in time; how long it is was said in its head."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.body()
    except TimeoutError:
        raise Refused(408, "the request did not come to its end") from None
    except ClientDisconnect:
        raise Refused(400, "the request broke off") from None
