"""Serves the live page on loopback: the page, what the session knows, its media, and three edits."""

from __future__ import annotations

import asyncio
import html
import json
import re
import secrets
import socket
import stat
import sys
import threading
from collections.abc import Callable, Mapping
from os import stat_result
from pathlib import Path
from typing import Any, Protocol

import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route, Router

from ..errors import MikebotError
from .doors import Door
from .guard import ALWAYS, Guard, Json, Refused, body_of
from .stream import Events, Hear, Hub

PAGE = Path(__file__).with_name("page")
FONTS = Path(__file__).parents[1] / "fonts"
LETTERS = ("Inter-Medium.otf", "Inter-Bold.otf", "JetBrainsMono-Regular.ttf")  # The films' own, for the page.
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".otf": "font/otf",
    ".ttf": "font/ttf",
}
MEDIA = {
    "mp4": "video/mp4",
    "wav": "audio/wav",
    "vtt": "text/vtt",
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
}
NAME = re.compile(r"[0-9a-f]{64}\.([a-z0-9]{2,4})")
LARGEST_NUMBER = 2**53


class Live(Protocol):
    """What the page is about: has a state, tells of changes, gives media and takes edits; all from any thread."""

    def snapshot(self) -> Mapping[str, Any]:
        """Everything that the page shows, ready for JSON."""

    def subscribe(self, hear: Hear) -> Callable[[], None]:
        """Call `hear(event, data)` at each change, until the returned function is called."""

    def media(self, name: str) -> Path | None:
        """The file behind a name that the state mentions."""

    def edit(self, scene: str, field: str, value: int | bool, base: str) -> Mapping[str, Any]:
        """Write one value into the storyboard, if it still is the text whose digest is `base`."""


def _page(live: Live, hub: Hub, token: str) -> Router:
    routes = [
        *(Route(path, _answer(response)) for path, response in _assets(token).items()),
        Route("/state", _state(live)),
        Route("/events", _events(hub)),
        Route("/media/{name}", _media(live)),
        Route("/edit", _edit(live), methods=["POST"]),
    ]
    return Router(routes, redirect_slashes=False)


def _assets(token: str) -> dict[str, Response]:
    found = {}
    for file in sorted([*PAGE.iterdir(), *(FONTS / name for name in LETTERS)]):
        if kind := TYPES.get(file.suffix):
            path = "/" if file.name == "page.html" else f"/{file.name}"
            body = file.read_bytes()
            if path == "/":
                body = body.replace(b"{token}", html.escape(token).encode())
            found[path] = Response(body, headers={"cache-control": "no-store"}, media_type=kind)
    return found


def _answer(response: Response) -> Callable[[Request], Any]:
    async def answer(_: Request) -> Response:
        return response

    return answer


def _state(live: Live) -> Callable[[Request], Response]:
    def state(_: Request) -> Response:
        return Json(live.snapshot())

    return state


def _events(hub: Hub) -> Callable[[Request], Any]:
    async def events(request: Request) -> Response:
        return Events(hub) if request.method == "GET" else Response(media_type=Events.media_type)

    return events


def _media(live: Live) -> Callable[[Request], Response]:
    def media(request: Request) -> Response:
        name = request.path_params["name"]
        match = NAME.fullmatch(name)
        kind = MEDIA.get(match[1]) if match else None
        path = live.media(name) if kind else None
        found = _regular(path) if path else None
        if path is None or found is None:
            raise Refused(404, "there is no such file here")
        kept = {"cache-control": "private, max-age=31536000, immutable", "etag": f'"{name}"'}
        if kept["etag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=kept)
        return FileResponse(path, headers=kept, media_type=kind, stat_result=found)

    return media


def _regular(path: Path) -> stat_result | None:
    """What is known of a file; of a link, a folder or nothing at all: None."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _edit(live: Live) -> Callable[[Request], Any]:
    async def edit(request: Request) -> Response:
        wanted = _wanted(await body_of(request))
        try:
            return Json(dict(await run_in_threadpool(live.edit, *wanted)))
        except MikebotError as error:
            raise Refused(409, error.message, error.hint) from None

    return edit


def _wanted(body: bytes) -> tuple[str, str, int | bool, str]:
    """What an edit asks for: scene, field, value, and the digest of the text that it is about."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "this is not JSON") from None
    if not isinstance(said, dict) or sorted(said) != ["base", "field", "scene", "value"]:
        raise Refused(400, "an edit has a scene, a field, a value and a base")
    scene, field, value, base = said["scene"], said["field"], said["value"], said["base"]
    if not all(isinstance(text, str) for text in (scene, field, base)):
        raise Refused(400, "scene, field and base of an edit are text")
    if not _fits(field, value):
        raise Refused(400, "an edit sets take or seed to a number, or hold to true or false")
    return scene, field, value, base


def _fits(field: str, value: object) -> bool:
    if field == "hold":
        return isinstance(value, bool)
    if field not in ("take", "seed") or not isinstance(value, int) or isinstance(value, bool):
        return False
    return (field == "take") <= value <= LARGEST_NUMBER


class Server:
    """The page of a session, served from a thread of its own."""

    def __init__(self, live: Live, port: int = 0, token: str = "") -> None:
        self.token = token or secrets.token_urlsafe(32)
        self._hub = Hub(live)
        page = _page(live, self._hub, self.token)
        self._socket = _listening(port)
        self.port: int = self._socket.getsockname()[1]
        self._uvicorn = _Uvicorn(_config(Guard(page, self.token, self.port)))
        self._thread = threading.Thread(target=self._run, name="mikebot page", daemon=True)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Serve from now on; returns when requests are answered."""
        try:
            self._hub.open()
            self._thread.start()
            self._uvicorn.ready.wait()
            if not self._uvicorn.started:
                raise MikebotError("the page cannot be served", "run `mikebot doctor`, or watch without the page")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Serve no more; whoever still listens is cut off."""
        self._hub.close()
        self._uvicorn.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        try:
            self._uvicorn.run(sockets=[self._socket])
        finally:
            self._uvicorn.ready.set()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Uvicorn(uvicorn.Server):
    """uvicorn, saying when it serves, and ending at once."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let nobody in any more, and end when those who just came are known."""
        for server in self.servers:
            server.close()
        await asyncio.sleep(0.05)
        await super().shutdown(sockets)


def _config(app: Guard) -> uvicorn.Config:
    """uvicorn with nothing on that is not needed: no logs, no proxies, no websockets, no other loop or parser."""
    return uvicorn.Config(
        app,
        http=Door,
        ws="none",
        loop="asyncio",
        interface="asgi3",
        lifespan="off",
        workers=1,
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        headers=ALWAYS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=64 * 1024,  # Browsers send here the cookies of every server on this machine.
    )


def _listening(port: int) -> socket.socket:
    """A socket on loopback alone; port 0 is any that is free."""
    ours = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform == "win32":  # There, SO_REUSEADDR would let others take the port from us.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        ours.bind(("127.0.0.1", port))
        ours.listen()  # Only now is the port ours.
    except (OSError, OverflowError):
        ours.close()
        hint = "name another with --port; 0 takes one that is free"
        raise MikebotError(f"port {port} cannot be used", hint) from None
    return ours
