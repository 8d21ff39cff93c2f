"""The page that shows a dataset, and what was trained on it: one file, no server, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .dataset import Dataset
from .pieces import Piece, keep

NAME = "report.html"
Shown = Mapping[str, Any] | None
_HERE = Path(__file__).parent
_WIDTH, _TALL = 520, 150  # Of the histogram.
_SECONDS = 15


def write(
    data: Dataset, name: str, run: Mapping[str, Any] | None = None, close: Mapping[str, Any] | None = None
) -> Path:
    """Write the page into the dataset's folder; `run` and `close` are told by run_page.py."""
    style, script = ((_HERE / f"page.{ending}").read_text("utf-8") for ending in ("css", "js"))
    said = {"name": name, "data": data, "run": run, "close": close, "style": style, "script": script}
    said |= {"style_hash": _hash(style), "script_hash": _hash(script)}
    page = data.folder / NAME
    keep(page, _template().render(**said, **_figures(data)))
    return page


def clock(seconds: float) -> str:
    """A length for people: 9.4 s, 3:05 min, 1:02:10 h."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d} h" if hours else f"{rest // 60}:{rest % 60:02d} min"


def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    space = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined)
    space.filters["wave"] = wave
    return space.get_template("page.html")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def wave(bars: Sequence[int]) -> str:
    """The outline of a sound as a path, 144 by 26."""
    step = 144 / max(1, len(bars))
    tall = [max(0.5, bar * 0.12) for bar in bars]
    return "".join(f"M{step * (n + 0.5):.1f} {13 - half:.1f}v{2 * half:.1f}" for n, half in enumerate(tall))


def _figures(data: Dataset) -> dict[str, Any]:
    kept, held = _seconds(data.kept), _seconds(data.held)
    lost = sum(piece.end - piece.start for piece in data.rejected)
    good = [piece.seconds for piece in (*data.kept, *data.held)]
    times = {"kept_time": clock(kept), "held_time": clock(held), "lost_time": clock(lost)}
    return {
        **times,
        "median": statistics.median(good) if good else 0.0,
        "shares": _shares({"kept": kept, "held": held, "lost": lost}),
        "histogram": _histogram(good),
        "reasons": _reasons(data.rejected),
    }


def _seconds(pieces: Iterable[Piece]) -> float:
    return sum(piece.seconds for piece in pieces)


def _shares(parts: Mapping[str, float]) -> list[dict[str, Any]]:
    whole, at, found = sum(parts.values()) or 1.0, 0.0, []
    for name, seconds in parts.items():
        width = 1000 * seconds / whole
        found.append({"name": name, "at": round(at, 1), "width": round(width, 1)})
        at += width
    return found


def _histogram(lengths: Sequence[float]) -> list[dict[str, Any]]:
    """A bar for each second from 0 to 15."""
    counts = [0] * _SECONDS
    for length in lengths:
        counts[min(_SECONDS - 1, int(length))] += 1
    most, wide = max([*counts, 1]), _WIDTH / _SECONDS
    bars = []
    for second, count in enumerate(counts):
        height = round((_TALL - 24) * count / most, 1)
        x = round(second * wide + 2, 1)
        place = {"x": x, "y": 160 - height, "width": round(wide - 4, 1), "height": height, "middle": x + wide / 2 - 2}
        bars.append({"second": second, "count": count, **place})
    return bars


def _reasons(rejected: Sequence[Piece]) -> list[dict[str, Any]]:
    """Each sort of reason: how often, how long in all; the longest first."""
    sorts: dict[str, list[float]] = {}
    for piece in rejected:
        sorts.setdefault(piece.reason.partition(":")[0], []).append(piece.end - piece.start)
    most = max((math.fsum(lengths) for lengths in sorts.values()), default=0.0) or 1.0
    found = sorted(sorts.items(), key=lambda item: -math.fsum(item[1]))
    return [
        {
            "name": name[:1].upper() + name[1:],
            "count": f"{len(lengths)} part{'s' * (len(lengths) != 1)}",
            "time": clock(sum(lengths)),
            "share": round(100 * sum(lengths) / most, 1),
        }
        for name, lengths in found
    ]
