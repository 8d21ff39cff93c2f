"""A language model of a few lines: it reads what it is asked over HTTP, and answers with a film about doors."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from command_kit import Said, environment
from fake_server import Answer, Server, serving, writing

from engine.cli import main

IDS = ("knock", "corridor", "guard", "list", "memory", "close", "lamp", "moat", "roof", "cellar", "yard", "gate")
SPOKEN = (
    "Somebody knocks at the door of your computer tonight, and it is nobody that you know.",
    "Behind it lies a corridor with thousands of doors, and most of them should stay shut.",
    "So there is a guard at the gate, who stops every letter and looks it up on a list.",
    "But the list is read from the top, and the first line that fits decides it all.",
    "It remembers whom you asked, therefore the answer may come in, and no one else.",
    "The knocking goes on as before, and you sleep, because somebody is at the gate.",
)


def asked(body: Any) -> str:
    """The last thing that a model was asked, or asked again."""
    return str(body["messages"][-1]["content"])


def first(body: Any) -> str:
    """What it was asked to begin with."""
    return next(str(said["content"]) for said in body["messages"] if said["role"] == "user")


def plan(count: int, ids: Sequence[str] = IDS, title: str = "Who is at the door?") -> dict[str, Any]:
    ideas = [{"id": ids[n], "idea": f"The idea of {ids[n]}.", "on_screen": n in {0, count - 1}} for n in range(count)]
    return {"title": title, "style": "lamplight, brass and paper", "scenes": ideas}


def scene(name: str, on_screen: bool = False) -> dict[str, Any]:
    number = IDS.index(name) if name in IDS else len(name)
    who = "Mikebot" if on_screen else "a brass door"
    return {
        "id": name,
        "on_screen": on_screen,
        "narration": SPOKEN[number % len(SPOKEN)],
        "image_prompt": f"{who} beside lamp number {number + 1} in a dark hall, close up",
        "video_prompt": "the flame flickers, slow push in",
    }


def written(body: Any) -> Any:
    """What a good model answers."""
    text = first(body)
    if "Answer with the film's title" in text:
        return plan(int(re.search(r"(\d+) scenes", text)[1]))  # type: ignore[index]
    if more := re.search(r"Plan the (\d+) scenes", text):
        return {"scenes": plan(int(more[1]), IDS[3:])["scenes"]}
    if titles := re.search(r"Propose (\d+) titles", text):
        return {"titles": [f"Door number {n + 1}" for n in range(int(titles[1]))]}
    name = re.search(r'Write scene \d+, "([^"]+)"', text)
    assert name, text
    return scene(name[1], "on_screen is true" in text)


def model(answer: Callable[[Any], Any] = written) -> Answer:
    """A server's answer: JSON of what a function makes of the request, or its text as it is."""

    def text(body: Any) -> str:
        made = answer(body)
        return made if isinstance(made, str) else json.dumps(made, ensure_ascii=False)

    return writing(text)


@contextmanager
def served(*answers: Answer, **more: Any) -> Iterator[Server]:
    with serving(*(answers or (model(),)), **more) as server:
        yield server


def write(root: Path, server: Server, *words: str, command: str = "write") -> Said:
    """Run a command with a served model."""
    return here(root, command, *words, "--model", f"served:{server.url}")


def here(root: Path, *words: str) -> Said:
    """Run a command in this process, which is faster: those that are stopped or at a terminal have their own."""
    out, err = io.StringIO(), io.StringIO()
    before = signal.getsignal(signal.SIGTERM)
    with contextlib.chdir(root), mock.patch.dict(os.environ, quiet(), clear=True):
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = main(words)
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            signal.signal(signal.SIGTERM, before)
    return Said(code, out.getvalue(), err.getvalue())


def quiet(**more: str) -> dict[str, str]:
    """An environment that names no model and no key."""
    dropped = ("MIKEBOT_MODEL", "OPENAI_API_KEY")
    return {name: value for name, value in environment().items() if name not in dropped} | more
