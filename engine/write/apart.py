"""Runs what nobody vouches for, a template or a PDF, in a process that is ended when it takes too long or too much."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

MOST_MEMORY = 1_000_000_000  # Bytes of address space, where the system can hold a process to that.


class TooLong(Exception):
    """The process did not come to its end in time."""


class Broken(Exception):
    """The process ended without an answer: for memory, mostly."""


def ask(module: str, request: Mapping[str, Any], seconds: float) -> Any:
    """The answer of a module of this package that calls `answer`. Raises TooLong or Broken."""
    command = [sys.executable, "-P", "-m", f"engine.write.{module}"]  # -P: what lies in the current folder is not ours.
    sent = json.dumps(request).encode()
    try:
        done = subprocess.run(command, input=sent, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise TooLong from None
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise Broken from None


def answer(make: Callable[[Mapping[str, Any]], Any]) -> None:
    """Be such a process: read a request, answer it, within the memory that is allowed."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    except (ImportError, OSError, ValueError):
        pass  # Windows, or a system that has another limit: there is still the time.
    sys.stdout.write(json.dumps(make(json.load(sys.stdin))))
