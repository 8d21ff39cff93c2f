"""A session that does as it is told, and a client that says over its socket what no browser would."""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from engine.preview.server import Server

PATIENCE = 20.0  # Seconds; only what hangs takes them.
EDIT = {"scene": "hook", "field": "take", "value": 2, "base": "ab"}


class Told:
    """A session whose state, files and refusals a test sets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state: dict[str, Any] = {"session": "s1", "count": 0}
        self.files: dict[str, Path] = {}
        self.hears: list[Callable[[str, Mapping[str, Any]], None]] = []
        self.edits: list[tuple[object, ...]] = []
        self.failure: Exception | None = None
        self._lock = threading.RLock()

    def snapshot(self) -> Mapping[str, Any]:
        if self.failure:
            raise self.failure
        return dict(self.state)

    def subscribe(self, hear: Callable[[str, Mapping[str, Any]], None]) -> Callable[[], None]:
        self.hears.append(hear)
        return lambda: self.hears.remove(hear)

    def media(self, name: str) -> Path | None:
        if self.failure:
            raise self.failure
        return self.files.get(name)

    def edit(self, scene: str, field: str, value: int | bool, base: str) -> Mapping[str, Any]:
        if self.failure:
            raise self.failure
        self.edits.append((scene, field, value, base))
        return {"written": True}

    def count(self, **more: object) -> int:
        """Count on, and tell of it in the order of counting."""
        with self._lock:
            self.state = {**self.state, "count": self.state["count"] + 1}
            for hear in list(self.hears):
                hear("patch", {"top": {"count": self.state["count"], **more}})
            return int(self.state["count"])

    def show(self, content: bytes, suffix: str = "mp4") -> str:
        """A file of the film, by the name that the page knows."""
        name = f"{hashlib.sha256(content).hexdigest()}.{suffix}"
        self.files[name] = self.folder / name
        self.files[name].write_bytes(content)
        return name


class Answer(NamedTuple):
    """What came back: the names of headers in small letters, and those that came twice joined."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)


class Kept:
    """What comes over a connection, which the end of an answer does not close."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def makefile(self, _: str) -> Kept:
        return self

    def close(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)


class Line:
    """One connection to a server."""

    def __init__(self, server: Server, buffer: int = 0) -> None:
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", server.port))
        self.reader = self.socket.makefile("rb")

    def say(self, raw: bytes) -> None:
        with suppress(ConnectionError):  # It may have been refused before all of it was said.
            self.socket.sendall(raw)

    def answer(self, method: str = "GET") -> Answer | None:
        """The next answer; None if the connection ends without one."""
        with http.client.HTTPResponse(Kept(self.reader), method=method) as response:
            try:
                response.begin()
            except (http.client.RemoteDisconnected, ConnectionError):
                return None
            headers: dict[str, str] = {}
            for name, value in response.getheaders():
                headers[name.lower()] = ", ".join([*filter(None, [headers.get(name.lower())]), value])
            return Answer(response.status, headers, response.read())

    def rest(self) -> bytes:
        """All that still comes, until the other side ends."""
        got = bytearray()
        with suppress(ConnectionError):
            while piece := self.reader.read1():
                got += piece
        return bytes(got)

    def close(self) -> None:
        self.reader.close()
        self.socket.close()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Ear(Line):
    """A browser that hears events."""

    def __init__(self, server: Server, buffer: int = 0) -> None:
        super().__init__(server, buffer)
        self.say(request(server, "/events"))
        self.response = http.client.HTTPResponse(Kept(self.reader))
        self.response.begin()

    def line(self) -> str:
        return self.response.readline().decode().rstrip("\n")

    def event(self) -> tuple[str, Any]:
        """The next event and what it says; comments are skipped."""
        while not (line := self.line()).startswith("event: "):
            assert line == "" or line.startswith((":", "retry: "))
        return line.removeprefix("event: "), json.loads(self.line().removeprefix("data: "))

    def close(self) -> None:
        self.response.close()
        super().close()


def request(
    server: Server, path: str = "/state", method: str = "GET", body: bytes = b"", **changed: str | None
) -> bytes:
    """A request as the page makes it, but for the headers that are changed, or left out with None."""
    headers: dict[str, str | None] = {"Host": f"127.0.0.1:{server.port}"}
    if method not in ("GET", "HEAD"):
        headers |= {"X-Mikebot-Token": server.token, "Content-Type": "application/json"}
        headers |= {"Content-Length": str(len(body))}
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items() if value is not None)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def editing(server: Server, *, said: object = EDIT, **changed: str | None) -> bytes:
    """An edit as the page makes it, but for what is changed."""
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return request(server, "/edit", "POST", body, **changed)


def ask(server: Server, raw: bytes, method: str = "GET") -> Answer | None:
    """Say something over a new connection, and hear the first answer."""
    with Line(server) as line:
        line.say(raw)
        return line.answer(method)


def get(server: Server, path: str = "/state", method: str = "GET", **changed: str | None) -> Answer:
    """What is answered to a request as the page makes it."""
    found = ask(server, request(server, path, method, **changed), method)
    assert found is not None
    return found


def edit(server: Server, *, said: object = EDIT, **changed: str | None) -> Answer:
    """What is answered to an edit as the page makes it."""
    found = ask(server, editing(server, said=said, **changed))
    assert found is not None
    return found


def lives(server: Server) -> bool:
    """Whether it still answers the page as it should."""
    return get(server, "/state").status == 200


def doors(server: Server) -> list[Any]:
    """The connections that the server holds."""
    return list(server._uvicorn.server_state.connections)


def soon(what: Callable[[], object]) -> bool:
    """Whether something comes true."""
    end = time.monotonic() + PATIENCE
    while not what() and time.monotonic() < end:
        time.sleep(0.005)
    return bool(what())


@contextmanager
def among(server: Server, count: int, kind: type[Line] = Line) -> Iterator[list[Any]]:
    """So many other connections."""
    lines: list[Line] = []
    try:
        lines.extend(kind(server) for _ in range(count))
        yield lines
    finally:
        for line in lines:
            line.close()
