"""Starts a process of NeMo's, hands on what it tells, and ends it with whoever waits for it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..backends import interpreter
from ..backends.nemo import NEEDS
from ..errors import MikebotError

OUTPUT = "nemo.log"  # What NeMo has to say, for whoever looks for a fault.


class TrainingFailed(MikebotError):
    """The training ended with an error; what it had kept is there."""


def told(module: str, job: Path) -> Iterator[dict[str, Any]]:
    """What the process of a module says of a job, line by line. Raises TrainingFailed.

    The process ends with this one, however that ends: its standard input is closed then.
    """
    python = interpreter.chosen(NEEDS.variable)
    for trouble in interpreter.troubles(NEEDS, "NeMo's trainer"):
        raise TrainingFailed(trouble)
    command, place = [python, "-m", module, str(job)], dict(os.environ)
    if interpreter.own(python):
        place["PYTHONPATH"] = os.pathsep.join(filter(None, [_root(), os.environ.get("PYTHONPATH", "")]))
    with (job.parent / OUTPUT).open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output, env=place, cwd=job.parent
        )
    assert process.stdout is not None  # noqa: S101
    last: dict[str, Any] = {}
    try:
        for line in process.stdout:
            if line.startswith(b'{"event": '):  # The rest is what libraries print.
                last = json.loads(line)
                yield last
        code = process.wait()
    finally:
        _ended(process)
    if last.get("event") == "failed":
        problem = TrainingFailed(last["message"], last["hint"])
        problem.exit_code = last.get("code", 1)
        raise problem
    if code or last.get("event") != "done":
        raise TrainingFailed(f"the training process ended with code {code}", f"{OUTPUT} in {job.parent} has the rest.")


def _root() -> str:
    return str(Path(__file__).resolve().parents[2])


def _ended(process: subprocess.Popen[bytes]) -> None:
    """Close its input, wait a moment, and end it."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
