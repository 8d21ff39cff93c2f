"""A server on loopback that speaks as OpenAI's does, or as badly as a test wants.

    with serving(said('{"title": "x"}')) as server:
        ServedModel(server.url) ...
        server.asked[0]["messages"]

Each request for a text takes the next answer; the last one serves for all that follow. An answer is a function of
`Talk`, so that a test may write its own: `def late(talk): talk.wait(0.2); said("{}")(talk)`. A model that reads what
it is asked is `writing(lambda body: "...")`.
"""

from __future__ import annotations

import json
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

Answer = Callable[["Talk"], None]


class Heard(NamedTuple):
    """One request; the names of headers in small letters."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


class Talk:
    """One request that is being answered."""

    def __init__(self, handler: _Handler, heard: Heard) -> None:
        self.heard = heard
        self.server = handler.server
        self._handler = handler
        self._chunked = False

    def head(self, status: int = 200, *, kind: str = "text/event-stream", chunked: bool = True, **more: str) -> None:
        """The first lines of an answer; without chunks, it ends when the connection does, or at `content_length`."""
        self._chunked = chunked
        framing = {"Transfer-Encoding": "chunked"} if chunked else {}
        self._handler.send_response(status)
        for name, value in ({"Content-Type": kind} | framing | more).items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.end_headers()

    def send(self, data: bytes) -> None:
        """Some of the body, at once."""
        self.raw(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    def event(self, payload: object) -> None:
        """One event of a stream: bytes as they are, all else as JSON."""
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.send(b"data: " + data + b"\n\n")

    def end(self) -> None:
        if self._chunked:
            self.raw(b"0\r\n\r\n")

    def raw(self, data: bytes) -> None:
        self._handler.wfile.write(data)
        self._handler.wfile.flush()

    def reset(self) -> None:
        """Break the connection as a crash does."""
        self._handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._handler.rfile.close()  # It holds the socket, too.
        self._handler.connection.close()

    def wait(self, seconds: float = 20.0) -> None:
        """Do nothing for so long; raises ConnectionError once the other side has gone, or the test is over."""
        for _ in range(round(seconds / 0.02)):
            if self.server.over.wait(0.02) or self._gone():
                raise ConnectionResetError

    def _gone(self) -> bool:
        connection = self._handler.connection
        return bool(select.select([connection], [], [], 0)[0]) and not connection.recv(1, socket.MSG_PEEK)


class Server(ThreadingHTTPServer):
    """Answers as it was told, and remembers what it heard."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host: str, answers: Sequence[Answer], models: Sequence[str] | Answer) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, 0), _Handler)
        self.scheme = "http"
        self.heard: list[Heard] = []
        self.left = threading.Event()  # Somebody went away in the middle of an answer.
        self.over = threading.Event()
        self.failures: list[BaseException] = []
        self._answers = list(answers)
        self._models = models
        self._lock = threading.Lock()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        host = str(self.server_address[0])
        return f"{self.scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def asked(self) -> list[Any]:
        """What was asked for, each time that a text was."""
        return [heard.body for heard in self.heard if heard.method == "POST"]

    def answer(self, heard: Heard) -> Answer:
        """Remember a request, and find what it gets."""
        with self._lock:
            self.heard.append(heard)
            if heard.method == "POST" and heard.path.endswith("/chat/completions"):
                return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if heard.method == "GET" and heard.path.endswith("/models"):
            return self._models if callable(self._models) else listed(self._models)
        return refused(404, "no such path")

    def handle_error(self, request: Any, client_address: Any) -> None:
        """What goes wrong in an answer of a test is told by `serving`."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self._serve(None)

    def do_POST(self) -> None:
        self._serve(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _serve(self, body: Any) -> None:
        self.close_connection = True
        headers = {name.lower(): value for name, value in self.headers.items()}
        heard = Heard(self.command, self.path, headers, body)
        try:
            self.server.answer(heard)(Talk(self, heard))
        except (ConnectionError, ssl.SSLError):
            self.server.left.set()
        except BaseException as failure:
            self.server.failures.append(failure)

    def finish(self) -> None:
        if self.connection.fileno() >= 0:  # Not where the answer broke it.
            super().finish()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(
    *answers: Answer,
    models: Sequence[str] | Answer = ("tiny",),
    host: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
) -> Iterator[Server]:
    """A server that gives these answers; `models` is what it lists, or how it answers when it is asked for the list."""
    server = Server(host, answers, models)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.scheme = "https"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
    if server.failures:
        raise server.failures[0]


def said(text: str, *, size: int = 7, finish: str | None = "stop", done: bool = True) -> Answer:
    """A text in pieces of a stream, as every server does it when all is well."""

    def answer(talk: Talk) -> None:
        talk.head()
        talk.event(chunk({"role": "assistant", "content": ""}))
        for start in range(0, len(text), size):
            talk.event(chunk({"content": text[start : start + size]}))
        if finish:
            talk.event(chunk({}, finish))
        if done:
            talk.event(b"[DONE]")
        talk.end()

    return answer


def writing(write: Callable[[Any], str]) -> Answer:
    """A model that reads what it is asked: a function from the body of the request to a text."""
    return lambda talk: said(write(talk.heard.body))(talk)


def whole(text: str, finish: str = "stop") -> Answer:
    """A text in one piece, from a server that does not stream."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    return plain(json.dumps({"object": "chat.completion", "choices": [choice]}).encode())


def refused(status: int, message: str = "", **headers: str) -> Answer:
    """An error, as OpenAI's server words it."""
    return plain(json.dumps({"error": {"message": message, "code": status}}).encode(), status, **headers)


def listed(names: Sequence[str]) -> Answer:
    """The list of models."""
    data = [{"id": name, "object": "model"} for name in names]
    return plain(json.dumps({"object": "list", "data": data}).encode())


def plain(body: bytes, status: int = 200, kind: str = "application/json", **headers: str) -> Answer:
    """Any body, in one piece."""

    def answer(talk: Talk) -> None:
        talk.head(status, kind=kind, chunked=False, Content_Length=str(len(body)), **headers)
        talk.send(body)

    return answer


def chunked(*pieces: bytes, kind: str = "text/event-stream") -> Answer:
    """Any body, cut into chunks just so."""

    def answer(talk: Talk) -> None:
        talk.head(kind=kind)
        for piece in pieces:
            talk.send(piece)
        talk.end()

    return answer


def events(*payloads: object, done: bool = True) -> Answer:
    """A stream of these events."""

    def answer(talk: Talk) -> None:
        talk.head()
        for payload in [*payloads, *([b"[DONE]"] if done else [])]:
            talk.event(payload)
        talk.end()

    return answer


def chunk(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
    """What one event of a stream says."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"object": "chat.completion.chunk", "choices": [choice]}
