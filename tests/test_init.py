"""`mikebot init` makes a workspace that git and editors understand, and never writes over a file that is there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from command_kit import mikebot

from engine.commands.watch import Lines
from engine.errors import Mistake

VSCODE = {".vscode/settings.json", ".vscode/tasks.json", ".vscode/extensions.json"}
MATCH = """
const [pattern, text] = JSON.parse(require('fs').readFileSync(0, 'utf-8'));
const found = text.split('\\n').map((line) => new RegExp(pattern).exec(line)).filter(Boolean);
console.log(JSON.stringify(found.map((match) => match.slice(1))));
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    assert mikebot(tmp_path, "init", "mine", "--vscode").code == 0
    return tmp_path / "mine"


def files(root: Path) -> set[str]:
    return {
        file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file() and ".git" not in file.parts
    }


def data(root: Path, name: str) -> Any:
    return json.loads((root / f".vscode/{name}.json").read_text("utf-8"))


def test_a_folder_for_an_editor_is_made_only_where_it_is_asked_for(tmp_path: Path) -> None:
    words = "watch it become a film: cd {0} && mikebot render projects/hello\n"
    assert mikebot(tmp_path, "init", "plain") == (0, "made plain\n" + words.format("plain"), "")
    assert mikebot(tmp_path, "init", "more", "--vscode") == (0, "made more\n" + words.format("more"), "")
    assert files(tmp_path / "more") - files(tmp_path / "plain") == VSCODE
    assert data(tmp_path / "more", "extensions") == {"recommendations": ["redhat.vscode-yaml"]}


def test_a_workspace_gets_the_folder_later(tmp_path: Path) -> None:
    mikebot(tmp_path, "init", "mine")
    board = tmp_path / "mine/projects/hello/storyboard.yaml"
    board.write_text(text := board.read_text("utf-8").replace("Hello", "Mine", 1), "utf-8")
    before = files(tmp_path / "mine")
    assert mikebot(tmp_path / "mine", "init", ".", "--vscode") == (0, "made .vscode\n", "")
    assert files(tmp_path / "mine") - before == VSCODE
    assert board.read_text("utf-8") == text
    message = "mikebot: . already holds projects/ and personas/\n  name another folder; nothing was changed\n"
    assert mikebot(tmp_path / "mine", "init", ".") == (2, "", message)


def test_what_is_there_is_left_alone_and_what_it_lacks_is_said(tmp_path: Path) -> None:
    there = {
        ".gitignore": "*.log\n.mikebot/\n",
        ".gitattributes": "* text=auto\n",
        ".vscode/settings.json": "{}\n",
        "schemas/profile.schema.json": "{}\n",
    }
    for name, text in there.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    said = mikebot(tmp_path, "init", ".", "--vscode")
    assert {name: (tmp_path / name).read_text("utf-8") for name in there} == there
    lines = said.out.splitlines()
    assert lines[:3] == ["made .", "left as it is: .gitignore; add to it:", "  projects/*/build/"]
    assert lines[3:6] == ["left as it is: .gitattributes; add to it:", "  *.yaml text eol=lf", "  *.json text eol=lf"]
    assert lines[-3:-1] == ["left as it is: schemas/profile.schema.json", "left as it is: .vscode/settings.json"]
    assert (said.code, said.err) == (0, "")


def test_nothing_is_said_of_files_that_lack_nothing(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("projects/*/build/\n.mikebot/\nmore\n")
    assert mikebot(tmp_path, "init", ".").out.count("\n") == 2


def test_git_keeps_text_by_line_and_media_whole_and_leaves_out_what_can_be_made_again(workspace: Path) -> None:
    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=workspace, capture_output=True, encoding="utf-8", check=True)
        return done.stdout

    git("init", "--quiet")
    made = ["projects/hello/build/hello.mp4", ".mikebot/store.db"]
    for name in made:
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / name).write_bytes(b"\0")
    board = workspace / "projects/hello/storyboard.yaml"
    text = board.read_bytes()
    board.write_bytes(text.replace(b"\n", b"\r\n"))  # As some editors of Windows save it.
    git("-c", "core.safecrlf=false", "add", ".")
    assert set(git("ls-files").splitlines()) == files(workspace) - set(made)
    assert git("show", ":projects/hello/storyboard.yaml").encode() == text
    asked = ["projects/hello/storyboard.yaml", "personas/mikebot/portrait.png", "projects/hello/a.wav"]
    said = git("check-attr", "text", "diff", "eol", "--", *asked).splitlines()
    assert said[0::3] == [f"{asked[0]}: text: set", f"{asked[1]}: text: unset", f"{asked[2]}: text: unset"]
    assert said[1::3] == [f"{asked[0]}: diff: unspecified", f"{asked[1]}: diff: unset", f"{asked[2]}: diff: unset"]
    assert said[2] == f"{asked[0]}: eol: lf"


def test_every_yaml_file_names_a_schema_that_is_there_and_settings_name_the_same(workspace: Path) -> None:
    named = {}
    for file in workspace.rglob("*.yaml"):
        first = file.read_text("utf-8").splitlines()[0]
        link = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
        assert link is not None, file
        named[file] = (file.parent / link[1]).resolve()
        assert named[file].is_file()
    assert len(named) == 2
    settings = data(workspace, "settings")["yaml.schemas"]
    for schema, pattern in settings.items():
        assert (workspace / schema).is_file()
        for file in workspace.glob(pattern):
            assert named.pop(file) == (workspace / schema).resolve()
    assert (named, len(settings)) == ({}, 3)


def test_the_problem_matcher_finds_what_mikebot_check_says(workspace: Path) -> None:
    """By JavaScript's own regular expressions, as VS Code has them."""
    board = workspace / "projects/hello/storyboard.yaml"
    text = board.read_text("utf-8")
    board.write_text(text.replace("narration:", "naration:", 1).replace("seed: 3", "seed: three"), "utf-8")
    other = workspace / "projects/other/storyboard.yaml"
    other.parent.mkdir()
    other.write_text(text.replace("persona: mikebot\n", ""), "utf-8")
    task = next(task for task in data(workspace, "tasks")["tasks"] if task["label"] == "mikebot check")
    assert task["command"] == "mikebot"
    said = mikebot(workspace, *task["args"])
    assert said.code == 2
    pattern = task["problemMatcher"]["pattern"]
    parts = [pattern[name] - 1 for name in ("file", "line", "column", "severity", "message")]
    found = [[groups[part] for part in parts] for groups in matches(pattern["regexp"], said.out + said.err)]
    hello, lone = "projects/hello/storyboard.yaml", "projects/other/storyboard.yaml"
    assert found == [
        [hello, "4", "7", None, "seed must be a whole number, not the text 'three'"],
        [hello, "9", "5", None, "unknown key 'naration'; did you mean 'narration'?"],
        [lone, "7", "16", "warning", "on_screen is true, but the storyboard names no persona"],
    ]
    assert task["problemMatcher"]["severity"] == "error"  # Of lines whose group is empty.


def test_the_matcher_of_watch_knows_where_one_save_ends(workspace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Its lines come from what `watch` says them with."""
    task = next(task for task in data(workspace, "tasks")["tasks"] if task["isBackground"])
    matcher = task["problemMatcher"]
    begins, ends = (re.compile(matcher["background"][name]) for name in ("beginsPattern", "endsPattern"))
    lines = Lines()
    lines.mistakes([Mistake("a.yaml", 1, 2, 1, 3, "no")], stays=True)
    first = capfd.readouterr()
    assert (first.out, first.err) == (
        "saved   with mistakes\nwrong   1 mistake; the last good film stays\n",
        "a.yaml:1:2: no\n",
    )
    lines.saved(["one"], 1, 0, 3)
    lines.film(workspace / "a.mp4", 1.0, 1, 3)
    second = capfd.readouterr().out
    for said in (first.out, second):
        begin, end = said.splitlines()
        assert begins.match(begin)
        assert ends.match(end)
        assert not ends.match(begin)
        assert not begins.match(end)
    assert matches(matcher["pattern"]["regexp"], first.err) == [["a.yaml", "1", "2", None, "no"]]
    assert matches(matcher["pattern"]["regexp"], first.out + second) == []


def matches(pattern: str, text: str) -> list[list[str | None]]:
    """What JavaScript captures in each line of a text that a pattern matches."""
    node = shutil.which("node")
    assert node is not None
    done = subprocess.run(
        [node, "-e", MATCH], input=json.dumps([pattern, text]), capture_output=True, encoding="utf-8", check=True
    )
    found: list[list[str | None]] = json.loads(done.stdout)
    return found
