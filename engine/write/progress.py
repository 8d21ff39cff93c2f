"""How far the writing is: for people a line that changes, for programs JSON lines, for a log a line a scene."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any

from ..errors import plain
from .compose import Plan
from .pace import count

EVERY = 0.1  # Seconds between two changes of the line.


class Progress:
    """Hears everything while a film is written."""

    def __init__(self, *, as_json: bool, language: str = "en") -> None:
        self._json = as_json
        self._language = language
        self._live = sys.stderr.isatty() and not as_json
        self._doing = self._line = ""
        self._begun = self._shown = 0.0
        self._tokens = 0
        self.total = 0  # Tokens of all that was asked for.

    def planned(self, plan: Plan) -> None:
        """The plan is there."""
        names = [idea.id for idea in plan.ideas]
        self._told({"event": "plan", "title": plan.title, "scenes": names}, f"plan    {plan.title}: {', '.join(names)}")

    def writing(self, number: int, scenes: int, name: str) -> None:
        """A scene is asked for."""
        self._doing = f"{number} of {scenes}  {name}"
        self.begin(f"scene   {self._doing}")

    def begin(self, doing: str) -> None:
        """Something is asked for."""
        self._line = doing
        self._begun, self._tokens = time.monotonic(), 0

    def tokens(self, tokens: int) -> None:
        """So many tokens of the answer that is coming."""
        self.total += max(0, tokens - self._tokens) if tokens >= self._tokens else tokens
        self._tokens = tokens
        now = time.monotonic()
        if self._live and now - self._shown > EVERY:
            self._shown = now
            self._write(f"\r\x1b[K{self._line}  {tokens} tokens, {self._rate(now):.0f} a second")

    def scene(self, scene: Mapping[str, Any]) -> None:
        """A scene is whole."""
        words = count(str(scene.get("narration", "")), self._language)
        took = time.monotonic() - self._begun
        event = {"event": "scene", "id": scene["id"], "words": words, "tokens": self._tokens, "seconds": round(took, 3)}
        speed = f", {self._rate(time.monotonic()):.0f} tokens a second" if self._tokens and self._live else ""
        self._told(event, f"scene   {self._doing}  {words} words{speed}")

    def note(self, text: str) -> None:
        """Something that the author should know."""
        self._told({"event": "note", "text": text}, f"note    {text}")

    def model(self, name: str, revision: str) -> None:
        """Which model writes."""
        self._told({"event": "model", "name": name, "revision": revision}, "")

    def event(self, event: Mapping[str, Any]) -> None:
        """Something for programs alone."""
        self._told(event, "")

    def done(self, event: Mapping[str, Any], text: str) -> None:
        """It is over."""
        self._clear()
        sys.stdout.write((json.dumps({"event": "done", **event}, ensure_ascii=False) if self._json else text) + "\n")

    def _told(self, event: Mapping[str, Any], text: str) -> None:
        self._clear()
        if self._json:
            sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
            sys.stdout.flush()
        elif text:
            self._write(f"{plain(text)}\n")

    def _rate(self, now: float) -> float:
        return self._tokens / max(now - self._begun, 0.001)

    def _clear(self) -> None:
        if self._live:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
