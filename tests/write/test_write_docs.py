"""docs/write.md tells what is so: its session runs as it stands there, and it names every template."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

from command_kit import ROOT, workspace
from script_kit import first, here, model, scene, served, written

from engine.write.rendering import SHIPPED
from engine.write.sources import MOST_ALL, MOST_FILE

PAGE = (ROOT / "docs/write.md").read_text("utf-8")
SAID = "So there is a guard at the gate. We call it a firewall, and it looks every letter up on a list."
TITLES = ["Who is at the door?", "The guard that reads envelopes", "Your computer has 65,536 doors"]
GERMAN = {
    "Who": "Wer ist da an der Tür?",
    "Som": "Jemand klopft heute Nacht an die Tür deines Rechners, und es ist niemand, den du kennst.",
    "Beh": "Dahinter liegt ein Gang mit Tausenden von Türen, und die meisten sollten zu bleiben.",
    "So ": "Also steht am Tor ein Wächter. Er heißt Firewall und sieht jeden Brief auf einer Liste nach.",
}


def answer(body: Any) -> Any:
    """What the page's model answers."""
    text = first(body)
    if "Propose" in text:
        return {"titles": TITLES}
    if "Answer with the operations" in text:
        idea = "It says what the guard is called."
        return {"operations": [{"do": "change", "scene": "guard", "idea": idea}]}
    if "is to be changed" in text:
        return {**scene("guard", True), "narration": SAID}
    if "The texts, to be translated" in text:
        return {key: GERMAN[said[:3]] for key, said in json.loads("{" + text.rpartition(":\n{")[2]).items()}
    return written(body)


def test_the_session_says_what_the_page_says(tmp_path: Path) -> None:
    root = workspace(tmp_path)
    session = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)[0]
    told = ""
    with served(model(answer), models=["demo"]) as server:
        for command in re.findall(r"^\$ (.*)$", session, re.MULTILINE):
            program, *words = shlex.split(command)
            assert program == "mikebot"
            done = here(root, *words, "--model", f"served:{server.url}")
            assert done.code == 0
            told += f"$ {command}\n{done.err}{done.out}".replace(server.url, "http://127.0.0.1:8080")
    assert told == session
    shown = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]
    assert (root / "projects/firewalls/storyboard.yaml").read_text("utf-8").startswith(shown)


def test_every_template_is_told_of() -> None:
    assert set(re.findall(r"`([a-z]+\.j2)`", PAGE)) == {file.name for file in SHIPPED.glob("*.j2")}


def test_limits_are_those_of_the_page() -> None:
    assert f"({MOST_FILE:,} characters of each, {MOST_ALL:,} in all)" in PAGE
