"""A small client of a language server: JSON-RPC with Content-Length framing over its standard input and output."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

MODULES = Path(sys.prefix, "node/node_modules")  # Where `make test` puts what package.json names.
PATIENCE = 60.0  # Seconds until a silent server fails the test; it usually answers within one.
SETTINGS = {"yaml": {"validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}}}
ABLE = {
    "workspace": {"configuration": True},
    "textDocument": {
        "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown", "plaintext"]}},
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "publishDiagnostics": {"versionSupport": True},
    },
}


class LanguageServer:
    """A running server. Positions are as the protocol has them: lines and UTF-16 units from 0."""

    def __init__(self, command: list[str], root: Path, settings: Mapping[str, Any]) -> None:
        self._process = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._answers: dict[int, queue.Queue[Any]] = {}
        self._published: queue.Queue[Any] = queue.Queue()
        self._lock = threading.Lock()
        self._settings = settings
        self._sent = 0
        threading.Thread(target=self._listen, daemon=True).start()
        about = {"processId": None, "rootUri": root.as_uri(), "capabilities": ABLE}
        about["workspaceFolders"] = [{"uri": root.as_uri(), "name": root.name}]
        self.capabilities = self.ask("initialize", about)["capabilities"]
        self.tell("initialized", {})
        self.tell("workspace/didChangeConfiguration", {"settings": settings})

    def ask(self, method: str, params: Any) -> Any:
        """Send a request and wait for its answer; raises RuntimeError with what the server complains of."""
        self._sent += 1
        self._answers[self._sent] = answers = queue.Queue()
        self._send({"id": self._sent, "method": method, "params": params})
        answer = answers.get(timeout=PATIENCE)
        if answer is None:
            raise RuntimeError("the language server has ended")
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def tell(self, method: str, params: Any) -> None:
        """Send what has no answer."""
        self._send({"method": method, "params": params})

    def open(self, file: Path, text: str) -> list[dict[str, Any]]:
        """Show the server a file, as an editor that opens it, and wait for its diagnostics."""
        about = {"uri": file.as_uri(), "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": about})
        while (published := self._published.get(timeout=PATIENCE)) is not None:
            if published["uri"] == file.as_uri():
                found: list[dict[str, Any]] = published["diagnostics"]
                return found
        raise RuntimeError("the language server has ended")

    def completions(self, file: Path, line: int, column: int) -> list[dict[str, Any]]:
        """What is offered at a place."""
        answer = self.ask("textDocument/completion", _at(file, line, column))
        items: list[dict[str, Any]] = answer["items"] if isinstance(answer, dict) else answer or []
        return items

    def hover(self, file: Path, line: int, column: int) -> str:
        """What is told of a place; nothing if there is nothing to tell."""
        answer = self.ask("textDocument/hover", _at(file, line, column))
        return str(answer["contents"]["value"]) if answer else ""

    def close(self) -> None:
        """End the server as an editor does; kill it if it does not end."""
        try:
            self.ask("shutdown", None)
            self.tell("exit", None)
            self._process.wait(timeout=PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        stream = self._process.stdin
        assert stream is not None
        with self._lock:
            stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            stream.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for message in _messages(self._process.stdout):
            if "method" not in message:
                self._answers.pop(message["id"]).put(message)
            elif message["method"] == "textDocument/publishDiagnostics":
                self._published.put(message["params"])
            elif "id" in message:
                self._send({"id": message["id"], "result": self._reply(message)})
        for waiting in (self._published, *self._answers.values()):
            waiting.put(None)

    def _reply(self, request: dict[str, Any]) -> Any:
        """What an editor answers a server that asks: its settings, section by section; to the rest, nothing."""
        if request["method"] != "workspace/configuration":
            return None
        return [self._settings.get(item.get("section", ""), {}) for item in request["params"]["items"]]


@contextmanager
def yaml_server(root: Path, schemas: Mapping[str, str] | None = None) -> Iterator[LanguageServer]:
    """yaml-language-server as npm installed it: all that it is told is to leave the network alone.

    And, if they are given, the editor's own setting of schemas for patterns of files.
    """
    node = shutil.which("node")
    assert node is not None, "node is missing: python tools/system_packages.py says how to install it"
    program = MODULES / "yaml-language-server/bin/yaml-language-server"
    assert program.is_file(), "yaml-language-server is missing: make test brings it"
    settings = {"yaml": {**SETTINGS["yaml"], "schemas": schemas or {}}}
    server = LanguageServer([node, str(program), "--stdio"], root, settings)
    try:
        yield server
    finally:
        server.close()


def _messages(stream: BinaryIO) -> Iterator[dict[str, Any]]:
    while line := stream.readline():
        size = 0
        while line.strip():
            name, _, value = line.decode("ascii").partition(":")
            size = int(value) if name.lower() == "content-length" else size
            line = stream.readline()
        yield json.loads(stream.read(size))


def _at(file: Path, line: int, column: int) -> dict[str, Any]:
    return {"textDocument": {"uri": file.as_uri()}, "position": {"line": line, "character": column}}
