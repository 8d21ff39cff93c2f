"""Backends that keep something in memory: as large as they are told, real bytes, and a log of what came and went."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import odd_kit

from engine.errors import BackendError, Cancelled
from engine.kinds import KINDS, Inputs, Part, Tell

MEGABYTE = 10**6
BESIDE = 1000  # Megabytes that a worker may have beside what it has before its first model.


@dataclass(frozen=True)
class Orders:
    """`do`: commands between semicolons; `model`: a name and its megabytes; `many`: how many at once."""

    do: str
    model: str
    many: int = 1


class Heavy:
    """Each instance holds one model, as they may."""

    name = "heavy"
    version = "1"
    exact = True
    likeness = False
    Params = Orders
    kind = ""

    def __init__(self) -> None:
        self.held: dict[str, bytearray] = {}

    def check(self, params: Orders) -> list[str]:
        return []

    def model(self, params: Orders) -> str:
        return params.model

    def size(self, model: str) -> int:
        return int(model.split()[1]) * MEGABYTE

    def load(self, model: str) -> None:
        log(f"load {model}")
        _limit()
        assert not self.held
        for wait in model.split()[2:]:
            odd_kit.until(Path(wait).exists, wait)
        self.held[model] = bytearray(self.size(model))

    def unload(self, model: str) -> None:
        log(f"unload {model}")
        del self.held[model]

    def run(self, params: Orders, inputs: Inputs, out: Path, tell: Tell) -> None:
        assert list(self.held) == [params.model]
        log(f"run {params.do}")
        for order in params.do.split(";"):
            word, _, rest = order.strip().partition(" ")
            ORDERS.get(word, lambda _rest, _tell: None)(rest, tell)
        for output in KINDS[self.kind].outputs:
            (out / output).write_text(f"{params}")

    def many(self, params: Orders) -> int:
        return params.many

    def run_many(self, parts: Sequence[Part]) -> list[Mapping[str, int] | Exception]:
        log(f"together {' + '.join(part.params.do for part in parts)}")
        ends: list[Mapping[str, int] | Exception] = []
        for part in parts:
            try:
                self.run(*part)
                ends.append({})
            except (BackendError, Cancelled) as error:
                ends.append(error)
        return ends


class HeavyStill(Heavy):
    kind = "still"


class HeavyClip(Heavy):
    kind = "clip"


def log(line: str) -> None:
    with Path(os.environ[odd_kit.LOG]).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


@cache
def _limit() -> None:
    """From the first model on, the worker cannot have more: what asks for it meets a true MemoryError."""
    if Path(sys.argv[0]).name != "worker.py":
        return  # These are the tests themselves.
    has = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    most = has + BESIDE * MEGABYTE
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _take(megabytes: str, tell: Tell) -> None:
    bytearray(int(megabytes) * MEGABYTE)


def _slow(seconds: str, tell: Tell) -> None:
    """One denoising step that takes so long, in which nothing can be heard."""
    tell.progress(0, 2)
    mark, _, length = seconds.partition(" ")
    Path(f"{mark}.begun").touch()
    time.sleep(float(length))
    tell.progress(1, 2)


def _card(file: str, tell: Tell) -> None:
    Path(file).write_text(f"{os.getpid()} {os.environ.get('CUDA_VISIBLE_DEVICES')}")


ORDERS: Mapping[str, Callable[[str, Tell], Any]] = {**odd_kit.ORDERS, "take": _take, "slow": _slow, "card": _card}


def install(folder: Path, monkeypatch: Any) -> Path:
    """Register these beside the odd backends, here and in workers; returns the log."""
    found = odd_kit.install(folder, monkeypatch)
    points = folder / "doors" / "odd-1.dist-info" / "entry_points.txt"
    own = "".join(f"{kind}.heavy = heavy_kit:Heavy{kind.title()}\n" for kind in ("still", "clip"))
    points.write_text(points.read_text() + own)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.environ["PYTHONPATH"], str(Path(__file__).parent)]))
    odd_kit.forget()
    return found
