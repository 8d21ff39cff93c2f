"""What a server sends, as the pieces of a text: server-sent events, or one JSON object where it does not stream."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

from .address import hushed
from .trouble import Trouble

LONGEST_LINE = 4 * 1024 * 1024  # Bytes; also of an answer in one piece.
MOST_BYTES = 256 * 1024 * 1024  # Of a whole stream: a piece of four letters comes in an envelope of 300 bytes.
_BREAK = re.compile(rb"\r\n|\n|\r")
_HELD = 20_000  # Characters before a text's first brace that may be thoughts.


class Said(NamedTuple):
    """What one event says."""

    text: str = ""
    thought: bool = False  # A token was written that is not part of the text.
    finish: str = ""
    tokens: int = 0  # As the server counts them, where it does.


DONE = Said(finish="[DONE]")


def said(chunks: Iterable[bytes]) -> Iterator[Said]:
    """What the bytes of an answer say, event by event. Raises Trouble."""
    lines = _lines(chunks)
    first = next((line for line in lines if line.strip()), b"")
    if first.lstrip().startswith((b"{", b"[")):
        yield _read(_object(_joined(first, lines)))
        return
    for payload in _payloads(first, lines):
        if payload == b"[DONE]":
            yield DONE
            return
        yield from map(_read, _objects(payload))


def whole(chunks: Iterable[bytes]) -> Mapping[str, Any]:
    """The JSON object that an answer is. Raises Trouble."""
    return _object(_joined(b"", _lines(chunks)))


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines, whichever of the three ways they end in, and however they are cut."""
    held, total, after_return = bytearray(), 0, False
    for chunk in filter(None, chunks):
        total += len(chunk)
        fresh = chunk[1:] if after_return and chunk.startswith(b"\n") else chunk
        after_return = chunk.endswith(b"\r")
        *ended, last = _BREAK.split(fresh)
        for line in ended:
            held += line
            _bound(len(held), total)
            yield bytes(held)
            held.clear()
        held += last
        _bound(len(held), total)
    if held:
        yield bytes(held)


def _bound(line: int, total: int) -> None:
    if line > LONGEST_LINE:
        raise Trouble(f"sends a line of more than {LONGEST_LINE // 1024**2} MB")
    if total > MOST_BYTES:
        raise Trouble(f"sends more than {MOST_BYTES // 1024**2} MB and does not end")


def _joined(first: bytes, lines: Iterable[bytes]) -> bytes:
    whole = bytearray(first)
    for line in lines:
        whole += b"\n" + line
        _bound(len(whole), 0)
    return bytes(whole)


def _payloads(first: bytes, lines: Iterator[bytes]) -> Iterator[bytes]:
    """The data of each event; comments, names and numbers of events are nothing to us."""
    data = bytearray()
    for line in chain([first.removeprefix(b"\xef\xbb\xbf")], lines):
        field, colon, value = line.partition(b":")
        if field in (b"data", b"error") and colon:  # llama.cpp once called it error.
            data += value.strip() + b"\n"
            _bound(len(data), 0)
        elif field not in (b"", b"event", b"id", b"retry"):
            raise Trouble("answers with what is no stream of events", sample=line)
        elif not line and data.strip():
            yield bytes(data.strip())
            data.clear()
    if data.strip():
        yield bytes(data.strip())


def _objects(payload: bytes) -> Iterator[Mapping[str, Any]]:
    """One object, or one in each line where a server leaves out the empty lines between events."""
    try:
        found = [_object(payload)]
    except Trouble:
        if b"\n" not in payload:
            raise
        found = [_object(line) for line in payload.split(b"\n") if line != b"[DONE]"]
    yield from found


def _object(payload: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(payload.decode("utf-8"))
    except UnicodeDecodeError:
        raise Trouble("sends what is not UTF-8", sample=payload) from None
    except (ValueError, RecursionError):
        raise Trouble("sends what is not JSON", sample=payload) from None
    if not isinstance(found, dict):
        raise Trouble("sends JSON that is no answer", sample=payload)
    return found


def _read(event: Mapping[str, Any]) -> Said:
    """What an event says of the first choice; others were not asked for."""
    if error := event.get("error"):
        raise _refused(error, event)
    if event.get("object") == "error":  # As vLLM words it.
        raise _refused(event, event)
    usage = event.get("usage")
    tokens = usage.get("completion_tokens") if isinstance(usage, dict) else None
    counted = tokens if isinstance(tokens, int) and tokens > 0 else 0
    choices = event.get("choices")
    if not isinstance(choices, list):
        if counted or "object" in event:
            return Said(tokens=counted)
        raise Trouble("sends JSON that is no answer", sample=json.dumps(event).encode())
    for choice in choices:
        if isinstance(choice, dict) and choice.get("index", 0) == 0:
            return _chosen(choice, counted)
    return Said(tokens=counted)


def _chosen(choice: Mapping[str, Any], tokens: int) -> Said:
    found = choice.get("delta") or choice.get("message")
    delta = found if isinstance(found, dict) else {}
    finish = choice.get("finish_reason")
    if refusal := delta.get("refusal"):
        raise Trouble(f"refuses to write this: {hushed(str(refusal))}", "Word it otherwise, or try another model.")
    thought = any(delta.get(name) for name in ("reasoning_content", "reasoning", "tool_calls"))
    return Said(_text(delta.get("content")), thought, finish if isinstance(finish, str) else "", tokens)


def _text(content: object) -> str:
    """A text, or the texts of several parts."""
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _refused(error: object, event: Mapping[str, Any]) -> Trouble:
    """An error that comes in a stream; where it has no status, it is the server's."""
    code = error.get("code") if isinstance(error, dict) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else 500
    return Trouble(f"says that something is wrong: {hushed(worded(event))}", status=status)


def worded(answer: object) -> str:
    """The words of an error, which each server keeps elsewhere; "" if there are none."""
    while isinstance(answer, dict):
        answer = next((answer[name] for name in ("error", "message", "detail") if answer.get(name)), "")
    return answer if isinstance(answer, str) else json.dumps(answer)


class Speech:
    """A text as it comes, without the thoughts before it and without halves of characters.

    A model that thinks aloud does so before it answers: between <think> and </think>, or up to a </think> alone, whose
    beginning was put into its mouth. What comes before the first brace is therefore held back for a moment.
    """

    def __init__(self) -> None:
        self._held = ""
        self._half = ""
        self._speaking = False

    def hear(self, piece: str) -> str:
        """What of the text can be said by now."""
        piece = self._whole(piece)
        if self._speaking:
            return piece
        self._held = _thoughtless(self._held + piece)
        thinking = self._held.lstrip().startswith("<think>")
        if thinking or ("{" not in self._held and len(self._held) < _HELD):
            return ""
        self._speaking = True
        return self.end()

    def end(self) -> str:
        """What is left, once no more comes."""
        rest, self._held = self._held, ""
        return "" if rest.lstrip().startswith("<think>") else rest

    def _whole(self, piece: str) -> str:
        """A character may come as two surrogates, in two pieces; a lone one is none."""
        text = self._half + piece
        self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        text = text[: len(text) - len(self._half)]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _thoughtless(text: str) -> str:
    """A text behind its thoughts; of thoughts that go on, what is needed to see their end."""
    while True:
        start, close = text.lstrip().startswith("<think>"), text.find("</think>")
        if close >= 0 and (start or "{" not in text[:close]):
            text = text[close + len("</think>") :]
        elif start:
            return "<think>" + text[-len("</think") :] if len(text) > 64 else text
        else:
            return text
