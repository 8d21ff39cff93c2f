"""What the page shows of a training and of its measurement, made of the files that a run leaves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import error_rate
from .course import LOG
from .evaluate import NAME as EVALUATION

_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 980, 12, 188
_MARKS = 4


def run(folder: Path, sentence: str) -> dict[str, Any] | None:
    """The training as the page shows it; None where nothing was looked at yet."""
    looks = _lines(folder / LOG)
    if not looks:
        return None
    best = min(looks, key=lambda look: look["held"])
    samples = [
        {"wav": f"../{folder.name}/{look['sample']}", "step": look["step"], "loss": f"{look['held']:.3f}"}
        for look in _some(looks, best)
    ]
    told = f"{looks[-1]['step']:,} steps in {_clock(looks[-1]['seconds'])}; best at step {best['step']:,}"
    return {"name": folder.name, "told": told, "curve": _curve(looks, best), "samples": samples, "sentence": sentence}


def _lines(log: Path) -> list[dict[str, Any]]:
    if not log.exists():
        return []
    return [json.loads(line) for line in log.read_text("utf-8").splitlines() if line.endswith("}")]


def _some(looks: Sequence[dict[str, Any]], best: dict[str, Any]) -> list[dict[str, Any]]:
    """At most twelve looks, evenly; the first, the best and the last among them."""
    step = max(1, -(-len(looks) // 10))
    return [look for number, look in enumerate(looks) if number % step == 0 or look in (best, looks[-1])]


def _clock(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"


def _curve(looks: Sequence[dict[str, Any]], best: dict[str, Any]) -> dict[str, Any] | None:
    """Both losses as paths; None where there is nothing to draw a line through."""
    if len(looks) < 2:
        return None
    values = [look[name] for look in looks for name in ("loss", "held") if look[name] is not None]
    low, high = float(min(values)), float(max(values))
    first, last = int(looks[0]["step"]), int(looks[-1]["step"])

    def x(step: int) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * (step - first) / max(1, last - first), 1)

    def y(value: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * (value - low) / max(1e-9, high - low), 1)

    def path(name: str) -> str:
        points = [f"{x(look['step'])} {y(look[name])}" for look in looks if look[name] is not None]
        return "M" + "L".join(points) if points else ""

    marks = [low + (high - low) * part / (_MARKS - 1) for part in range(_MARKS)]
    steps = sorted({first, last, looks[len(looks) // 2]["step"]})
    return {
        "trained": path("loss"),
        "held": path("held"),
        "best": {"x": x(best["step"]), "y": y(best["held"])},
        "marks": [{"y": y(mark), "text": f"{mark:.2f}"} for mark in marks],
        "steps": [{"x": x(step), "text": f"step {step:,}" if step == first else f"{step:,}"} for step in steps],
    }


def close(folder: Path) -> dict[str, Any] | None:
    """The measurement as the page shows it; None where there is none."""
    file = folder / EVALUATION
    if not file.exists():
        return None
    said = json.loads(file.read_text("utf-8"))
    models = " and ".join(name.partition("@")[0] for name in said["models"].values() if name)
    rows = [
        {
            "text": one["text"],
            "recorded": one["recorded"],
            "made": one["made"],
            "error_recorded": _wrong(one["text"], one["heard_recorded"]),
            "error_made": _wrong(one["text"], one["heard_made"]),
            "likeness": "–" if one["alike"] is None else f"{one['alike']:.2f}, recordings {one['alike_recorded']:.2f}",
        }
        for one in said["sentences"]
    ]
    return {"told": f"by {models}; sentences that it never learned", "rows": rows}


def _wrong(text: str, heard: str | None) -> str:
    return "–" if heard is None else f"{error_rate.rate([(text, heard)]):.0%}"
