"""How far it is: lines that stay on one stream, one that is drawn again and again on a terminal."""

from __future__ import annotations

import time
from typing import Any, TextIO

from ..report import seconds

OFTEN = 0.2  # Seconds between two drawings.


class Shown:
    """What the making of a voice says."""

    def __init__(self, out: TextIO, live: TextIO) -> None:
        self._out, self._live = out, live if live.isatty() else None
        self._drawn = 0.0

    def __enter__(self) -> Shown:
        return self

    def __exit__(self, *_: object) -> None:
        self._wipe()

    def say(self, text: str) -> None:
        """A line that stays."""
        self._wipe()
        self._out.write(f"{text}\n")
        self._out.flush()

    def progress(self, done: int, total: int) -> None:
        """So many parts of a recording are looked at."""
        if total > 1:
            self._draw(f"        part {done} of {total}")

    def training(self, event: dict[str, Any]) -> None:
        """What the training process tells."""
        kind = event["event"]
        if kind == "begins":
            on = f" goes on at step {event['step']}" if event["resumed"] else " begins"
            self.say(f"train  {on}")
        elif kind == "step":
            left = f"  {seconds(event['left'])} left" if event["left"] is not None else ""
            best = f"  best held-out {event['best']:.3f}" if event["best"] is not None else ""
            self._draw(f"        step {event['step']}  loss {event['loss']:.3f}{best}{left}")
        elif kind == "look":
            star = "  *" if event["better"] else f"  (best: step {event['best_step']})"
            loss = f"  loss {event['loss']:.3f}" if event["loss"] is not None else ""
            self.say(f"look    step {event['step']}{loss}  held-out {event['held']:.3f}{star}  {event['sample']}")
        elif kind == "done":
            self.say(f"trained in {seconds(event['seconds'])}: {event['why']}; step {event['step']} is kept")

    def _draw(self, text: str) -> None:
        now = time.monotonic()
        if self._live is not None and now - self._drawn >= OFTEN:
            self._drawn = now
            self._live.write(f"\r\x1b[K{text}")
            self._live.flush()

    def _wipe(self) -> None:
        if self._live is not None:
            self._live.write("\r\x1b[K")
            self._live.flush()
