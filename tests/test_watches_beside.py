"""Two watches of one storyboard, with `gc` and `render` beside them: each ends with the film of the last save."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import random
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from command_kit import BOARD, COMMAND, environment, lines, mikebot, workspace
from watch_kit import replaced, settled

WORDS = ("red", "green", "yellow", "blue", "white", "black")
SAVES = 8
PROJECT = "projects/doors"


def test_two_watches_with_gc_and_renders_beside_them_end_alike(tmp_path: Path) -> None:
    room = workspace(tmp_path / "here")
    file, chance = room / PROJECT / "storyboard.yaml", random.Random(5)
    with watch(room) as first, watch(room) as second:
        for _ in range(SAVES):
            said = BOARD.replace("This door is red", f"This door is {chance.choice(WORDS)}")
            replaced(file, said.replace("a blue door", f"a {chance.choice(WORDS)} door"))
            beside = mikebot(room, *chance.choice((["gc"], ["gc", "--days", "0"], ["render", PROJECT, "--json"])))
            assert (beside.code, beside.err) == (0, "")
        replaced(file, BOARD.replace("a red door", "a door that is the last"))
        for page in (first, second):
            until_shown(page, file.read_text())
    film = (room / PROJECT / "build" / "doors.mp4").read_bytes()
    rendered = lines(mikebot(room, "render", PROJECT, "--json").out)[-1]  # What gc freed on the way is made again.
    assert rendered["digest"] == f"sha256:{hashlib.sha256(film).hexdigest()}"
    other = workspace(tmp_path / "clean", file.read_text())
    assert mikebot(other, "render", PROJECT).code == 0
    assert film == (other / PROJECT / "build" / "doors.mp4").read_bytes()
    assert mikebot(room, "verify").code == 0


@contextlib.contextmanager
def watch(room: Path) -> Iterator[str]:
    """The address of a `mikebot watch`, a process of its own, which must end well."""
    words = [*COMMAND, "watch", PROJECT, "--port", "0"]
    with subprocess.Popen(
        words, cwd=room, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        try:
            yield next(found[1] for line in process.stdout if (found := re.search(r"http://(\S+?)/?$", line.strip())))
        finally:
            process.terminate()
            try:
                _, errors = process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        assert errors == "mikebot: interrupted; what was finished is kept, and the next run goes on from there\n"


def until_shown(page: str, text: str) -> None:
    """Wait until the page shows the film of a text."""
    end = time.monotonic() + 120
    while not settled(text)(SimpleNamespace(top=state(page))):  # type: ignore[arg-type]
        assert time.monotonic() < end, state(page)
        time.sleep(0.2)


def state(page: str) -> dict[str, Any]:
    """What the page is told when it opens."""
    connection = http.client.HTTPConnection(page, timeout=20)
    try:
        connection.request("GET", "/events")
        told = next(line for line in connection.getresponse() if line.startswith(b"data: "))
        return json.loads(told[6:])
    finally:
        connection.close()
