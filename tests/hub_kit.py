"""A hub on this machine's loopback: the few answers of Hugging Face's that a download needs, served from a folder.

Models lie at FOLDER/OWNER/NAME. What is asked is kept in `asked`, so that a test can say that nothing was.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

COMMIT = "3de623fc3c33e44ffbe2bad470d0f45bccf2eb21"
TOKEN = "hf_one_who_accepted"


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    range: str


class Hub:
    """What is served, and how it misbehaves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[Asked] = []
        self.commits: dict[str, str] = {}  # Of models that have another than COMMIT.
        self.gated: set[str] = set()  # Models whose terms must be accepted.
        self.breaks: dict[str, int] = {}  # File: after so many bytes the connection is cut, once.
        self.hangs: dict[str, int] = {}  # File: after so many bytes nothing more comes.
        self.portal = False  # Whether a page of some wireless network answers in its stead.
        self.spoils: set[str] = set()  # Files that come with other bytes than were told.
        self.hung = threading.Event()
        self.released = threading.Event()
        self.address = ""

    def env(self, home: Path) -> dict[str, str]:
        """Where the library finds this hub, and nothing of whoever runs the tests."""
        return {
            "HF_ENDPOINT": self.address,
            "HF_HOME": str(home),
            "HF_HUB_CACHE": str(home / "hub"),
            "HF_TOKEN": "",
            "MIKEBOT_MODELS": "",
        }

    def commit(self, model: str) -> str:
        """What `main` of a model means."""
        return self.commits.get(model, COMMIT)

    def ranges(self, file: str) -> list[str]:
        """With which Range a file was asked for, each time that it was."""
        return [one.range for one in self.asked if one.method == "GET" and one.path.endswith(f"/{file}")]


@contextmanager
def serving(folder: Path) -> Iterator[Hub]:
    """A hub for as long as the block runs."""
    hub = Hub(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Desk", (_Desk,), {"hub": hub}))
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hub
    finally:
        hub.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Desk(BaseHTTPRequestHandler):
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: Any) -> None:
        """Tests look into `asked`."""

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(Asked(self.command, path, self.headers.get("Range", "")))
        parts = path.strip("/").split("/")
        if self.hub.portal:
            self._head(200, {"Content-Type": "text/html", "Content-Length": "6"})
            self.wfile.write(b"<html>")
            return
        if parts[:2] == ["api", "models"] and parts[4:5] == ["revision"]:
            self._about("/".join(parts[2:4]), "/".join(parts[5:]))
        elif parts[2:3] == ["resolve"]:
            self._file("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        else:
            self._refuse(404, "RepoNotFound")

    def _known(self, model: str, revision: str) -> bool:
        if not (self.hub.folder / model).is_dir():
            self._refuse(401, "RepoNotFound")
        elif revision not in {"main", self.hub.commit(model)}:
            self._refuse(404, "RevisionNotFound")
        else:
            return True
        return False

    def _about(self, model: str, revision: str) -> None:
        if not self._known(model, revision):
            return
        files = sorted(file for file in (self.hub.folder / model).rglob("*") if file.is_file())
        siblings = [_told(file, file.relative_to(self.hub.folder / model).as_posix()) for file in files]
        said = json.dumps({"id": model, "sha": self.hub.commit(model), "siblings": siblings}).encode()
        self._head(200, {"Content-Type": "application/json", "Content-Length": str(len(said))})
        self.wfile.write(said)

    def _file(self, model: str, revision: str, name: str) -> None:
        if not self._known(model, revision):
            return
        file = self.hub.folder / model / name
        if model in self.hub.gated and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._refuse(403 if self.headers.get("Authorization") else 401, "GatedRepo")
        elif not file.is_file():
            self._refuse(404, "EntryNotFound")
        else:
            self._send(file, name, self.hub.commit(model))

    def _send(self, file: Path, name: str, commit: str) -> None:
        data, begin = file.read_bytes(), 0
        told = _told(file, name)
        headers = {"X-Repo-Commit": commit, "ETag": f'"{told["blobId"]}"', "Accept-Ranges": "bytes"}
        if "lfs" in told:
            headers |= {"X-Linked-Etag": f'"{told["lfs"]["sha256"]}"', "X-Linked-Size": str(len(data))}
        if self.headers.get("Range"):
            begin = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        body = data[begin:] if name not in self.hub.spoils else bytes(len(data) - begin)
        self._head(206 if begin else 200, headers | {"Content-Length": str(len(body))})
        if self.command == "GET":
            self._body(body, name)

    def _body(self, body: bytes, name: str) -> None:
        cut = self.hub.breaks.pop(name, None)
        hang = self.hub.hangs.pop(name, None)
        self.wfile.write(body[: cut if cut is not None else hang])
        self.wfile.flush()
        if hang is not None:
            self.hub.hung.set()
            self.hub.released.wait(60)
        if cut is not None or hang is not None:
            self.close_connection = True

    def _refuse(self, status: int, code: str) -> None:
        self._head(status, {"X-Error-Code": code, "X-Error-Message": code, "Content-Length": "0"})

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def _told(file: Path, name: str) -> dict[str, Any]:
    """What the hub says of a file: weights are in LFS, by their SHA-256, and all else in git."""
    data = file.read_bytes()
    git = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    told: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": git}
    if file.suffix in {".safetensors", ".bin"}:
        told["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
    return told
