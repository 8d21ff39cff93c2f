"""Backends that do as they are told (fail, wait, die, print ...), plans made of them, and damage done by hand."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import backends, bench
from engine.backends import Light
from engine.errors import BackendError
from engine.graph import Ref, Result, Step
from engine.kinds import KINDS, Inputs, Tell
from engine.store import Store

LOG = "ODD_LOG"  # Names the file that gets a line for each run.


@dataclass(frozen=True)
class Told:
    """What to do: commands between semicolons, and words that only make one action differ from another."""

    do: str


class Odd(Light):
    """Writes its orders and what it read into each output, so that a wrong input shows in what comes out.

    "same" makes one that does not: the same bytes from different actions.
    """

    name = "odd"
    version = "1"
    Params = Told
    kind = ""

    def check(self, params: Told) -> list[str]:
        return ["it is not in the mood", "it is a Monday"] if params.do == "refuse" else []

    def run(self, params: Told, inputs: Inputs, out: Path, tell: Tell) -> Mapping[str, int]:
        with Path(os.environ[LOG]).open("a", encoding="utf-8") as log:
            log.write(f"{self.kind} {params.do}\n")
        facts, salt = {"samples": 48000}, ""
        for order in params.do.split(";"):
            word, _, rest = order.strip().partition(" ")
            if word == "dice":
                salt = str(random.SystemRandom().random())
            elif word == "samples":
                facts = {"samples": int(Path(rest).read_text() if "/" in rest else rest)}
            elif word == "rob" and not Path(rest).exists():
                Path(rest).touch()
                for path in inputs.values():
                    path.unlink()
            else:
                ORDERS.get(word, lambda _rest, _tell: None)(rest, tell)
        read = hashlib.sha256(b"".join(inputs[name].read_bytes() for name in sorted(inputs))).hexdigest()
        for output in KINDS[self.kind].outputs:
            told = "" if params.do.startswith("same") else f"{params.do} of {read} {salt}"
            (out / output).write_text(f"{self.kind} {output}: {told}")
        return facts


class OddSpeech(Odd):
    kind = "speech"


class OddNarration(Odd):
    kind = "narration"


class OddScene(Odd):
    kind = "scene"


class OddFilm(Odd):
    kind = "film"


def _fail(rest: str, tell: Tell) -> None:
    raise BackendError(rest or "as it was told", "tell it something else")


def _wait(mark: str, tell: Tell) -> None:
    """Until a file is there, hearing cancels."""
    Path(f"{mark}.begun").touch()
    while not Path(mark).exists():
        tell.progress(1, 2)
        time.sleep(0.01)


def _deaf(mark: str, tell: Tell) -> None:
    Path(f"{mark}.begun").touch()
    while True:
        time.sleep(0.05)


def _print(rest: str, tell: Tell) -> None:
    """Through every door there is: Python's, the descriptor's, a child's."""
    print('{"id": 1, "result": "nonsense"}')
    sys.stdout.write("no end of line")
    os.write(1, b'\xff\xfe not even text {"id":\n' * 2000)
    os.write(2, b"\xff\xfe not even text\n" * 8000)
    subprocess.run([sys.executable, "-c", "import sys; print(len(sys.stdin.read()))"], check=True)


def _die(rest: str, tell: Tell) -> None:
    os.write(2, b"these were its last words\n")
    os._exit(int(rest or 3))


def _need(file: str, tell: Tell) -> None:
    if not Path(file).exists():
        raise BackendError("what it needs is not there")


ORDERS: Mapping[str, Callable[[str, Tell], None]] = {
    "fail": _fail,
    "bug": lambda rest, tell: print(1 // 0),
    "wait": _wait,
    "deaf": _deaf,
    "print": _print,
    "die": _die,
    "need": _need,
    "disk": lambda rest, tell: Path("/dev/full").write_text("x" * 10) and None,
}


def install(folder: Path, monkeypatch: Any) -> Path:
    """Register the odd backends by the door that strangers use, here and in workers; returns the log of runs."""
    about = folder / "doors" / "odd-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1\n")
    points = "".join(f"{kind}.odd = odd_kit:Odd{kind.title()}\n" for kind in ("speech", "narration", "scene", "film"))
    (about / "entry_points.txt").write_text(f"[mikebot.backends]\n{points}")
    monkeypatch.syspath_prepend(str(about.parent))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(about.parent), str(Path(__file__).parent)]))
    monkeypatch.setenv(LOG, str(folder / "log"))
    (folder / "log").touch()
    forget()
    return folder / "log"


def forget() -> None:
    """Look for backends afresh."""
    for cached in (backends.registered, backends.find, bench.instance):
        cached.cache_clear()


def odd(name: str, kind: str, do: str, *reads: str) -> Step:
    """A step of an odd backend; `reads`: INPUT=STEP.OUTPUT."""
    refs = {}
    for read in reads:
        into, _, source = read.partition("=")
        refs[into] = Ref(*source.rsplit(".", 1))
    return Step(name, kind, name.split("/", maxsplit=1)[0], "odd", "1", {"do": do}, refs)


class TinyPlan:
    """A plan of given steps; `learned` says which steps follow from a step's facts."""

    def __init__(
        self,
        steps: Iterable[Step],
        goals: Sequence[str],
        learned: Mapping[str, Callable[[Mapping[str, int]], list[Step]]] | None = None,
    ) -> None:
        self.steps = list(steps)
        self.wanted = goals
        self.learned = learned or {}

    def begin(self) -> list[Step]:
        return self.steps

    def learn(self, step: str, facts: Mapping[str, int]) -> list[Step]:
        return self.learned[step](facts) if step in self.learned else []

    def guess(self, step: str) -> Mapping[str, int]:
        return {"samples": 1}

    def goals(self, steps: Mapping[str, Step]) -> list[str]:
        return [goal for goal in self.wanted if goal in steps]


def flip(store: Store, result: Result, output: str) -> None:
    """Damage an artifact: other bytes, same size."""
    path = store.path(result.outputs[output].digest)
    path.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))


def lose(store: Store, result: Result) -> None:
    """Remove what a step made."""
    for artifact in result.outputs.values():
        store.path(artifact.digest).unlink(missing_ok=True)


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for something that must come; a minute is far more than it takes."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.01)
