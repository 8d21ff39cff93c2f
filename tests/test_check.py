"""`mikebot check` speaks to people, editors, GitHub and pre-commit, of any number of files and folders."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_kit import ROOT, environment, mikebot, workspace

WRONG = """\
title: T
nonsense: 1
scenes:
  - {id: a, on_screen: false, duration: 1, image_prompt: a, video_prompt: b}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with one right and two wrong projects, a wrong persona and a wrong profile."""
    root = workspace(tmp_path / "it's, 100%: mine")
    for name in ("one", "two"):
        (root / "projects" / name).mkdir()
        (root / "projects" / name / "storyboard.yaml").write_text(WRONG)
    (root / "personas/ada").mkdir()
    (root / "personas/ada/persona.yaml").write_text("name: Ada\nvoice: loud\n")
    (root / "profiles").mkdir()
    (root / "profiles/mine.yaml").write_text("name: mine\nextends: draft\nkinds: {clip: {backend: camer}}\n")
    return root


def places(said: str) -> list[str]:
    """Where mistakes are: each line that names a place."""
    return re.findall(r"^(\S.*?:\d+:\d+): ", said, re.MULTILINE)


ALL = [
    "personas/ada/persona.yaml:2:8",
    "profiles/mine.yaml:3:25",
    "projects/one/storyboard.yaml:2:1",
    "projects/two/storyboard.yaml:2:1",
]


@pytest.mark.parametrize(
    ("paths", "wrong"),
    [
        (["projects/one", "projects/doors", "projects/two/storyboard.yaml"], ALL[2:]),
        (["projects/doors", "projects/one", "projects/two"], ALL[2:]),  # As a shell writes projects/*.
        (["projects"], ALL[2:]),
        (["personas/ada"], ALL[:1]),
        (["personas/ada/persona.yaml", "profiles/mine.yaml"], ALL[:2]),
        (["personas"], ALL[:1]),
        (["profiles"], ALL[1:2]),
        (["."], ALL),
        (["projects/one", "projects/one/storyboard.yaml", "projects"], ALL[2:]),  # Each mistake is told once.
    ],
)
def test_files_and_folders_of_them_are_checked(root: Path, paths: list[str], wrong: list[str]) -> None:
    said = mikebot(root, "check", *paths)
    assert (said.code, said.out, places(said.err)) == (2, "", wrong)


def test_a_folder_without_any_of_them_is_a_mistake(root: Path) -> None:
    message = (
        "projects/none:1:1: there is no storyboard projects/none/storyboard.yaml\n  name a storyboard or its folder\n"
    )
    (root / "projects/none").mkdir()
    assert mikebot(root, "check", "projects/none") == (2, "", message)


def test_files_are_named_from_the_current_folder(root: Path) -> None:
    """So that an editor, a task and a hook that run elsewhere in the workspace find them."""
    assert places(mikebot(root / "projects", "check", "one").err) == ["one/storyboard.yaml:2:1"]
    assert places(mikebot(root / "projects/one", "check", ".").err) == ["storyboard.yaml:2:1"]
    outside = mikebot(root / "projects/one", "check", "../two").err
    assert places(outside) == [f"{root}/projects/two/storyboard.yaml:2:1"]
    found = json.loads(mikebot(root / "projects", "check", "one", "--format", "json").out)
    assert [(m["file"], m["line"], m["column"], m["severity"]) for m in found] == [
        ("one/storyboard.yaml", 2, 1, "error")
    ]


def test_what_github_takes_for_its_own_signs_is_escaped(root: Path) -> None:
    """In properties `%`, line breaks, `:` and `,`; in the message `%` and line breaks."""
    board = root / "projects/one/storyboard.yaml"
    board.write_text(WRONG.replace("title: T", "title: T\ncaptions: '100%: a, b'"))
    said = mikebot(root.parent, "check", str(board), "--format", "github")
    file = "it's%2C 100%25%3A mine/projects/one/storyboard.yaml"
    first, second = said.out.splitlines()
    assert first == (
        f"::error file={file},line=2,col=11,endLine=2,endColumn=23::"
        "captions cannot be '100%25: a, b'%0Achoose one of: soft, burned, off"
    )
    assert second.startswith(
        f"::error file={file},line=3,col=1,endLine=3,endColumn=9::unknown key 'nonsense'%0Aknown here: "
    )
    assert (said.code, said.err) == (2, "")


def test_warnings_are_told_from_mistakes(root: Path) -> None:
    board = root / "projects/doors/storyboard.yaml"
    board.write_text(board.read_text("utf-8").replace("persona: mikebot\n", ""))
    what, hint = "on_screen is true, but the storyboard names no persona", "add persona: to the storyboard"
    place = "projects/doors/storyboard.yaml"
    text = f"{place}:5:16: warning: {what}\n      on_screen: true\n                 ^\n  {hint}\n"
    assert mikebot(root, "check", "projects/doors") == (0, "", text)
    note = f"::warning file={place},line=5,col=16,endLine=5,endColumn=20::{what}%0A{hint}\n"
    assert mikebot(root, "check", "projects/doors", "--format", "github") == (0, note, "")
    (found,) = json.loads(mikebot(root, "check", "projects/doors", "--format", "json").out)
    assert found["severity"] == "warning"


def hook() -> dict[str, Any]:
    """The hook that we offer."""
    (found,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    return dict(found)


def test_the_hook_is_one_that_pre_commit_knows() -> None:
    found = hook()
    assert (found["id"], found["entry"], found["language"], found["types"]) == (
        *("mikebot-check", "mikebot check", "python"),
        ["yaml"],
    )
    assert re.compile(found["files"])


@pytest.mark.parametrize(("wrong", "code"), [(False, 0), (True, 2)])
def test_the_hook_checks_what_is_about_to_be_committed(root: Path, wrong: bool, code: int) -> None:
    """As pre-commit does it: of the staged files, those that the pattern finds, behind the entry, at the root.

    pre-commit itself would first install this repository with all that it needs (650 MB, over a minute) into an
    environment of its own; what is left out here is that, and its own reading of our file.
    """
    if not wrong:
        for name in ("projects/one", "projects/two", "personas/ada", "profiles"):
            for file in (root / name).glob("*.yaml"):
                file.unlink()
    (root / "projects/doors/data.yaml").write_text("no: storyboard\n")
    (root / "notes.yaml").write_text("- of somebody else\n")

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=root, capture_output=True, encoding="utf-8", check=True).stdout

    git("init", "--quiet")
    git("add", "--all")
    (root / "projects/late").mkdir()
    (root / "projects/late/storyboard.yaml").write_text("not: staged\n")
    staged = git("diff", "--staged", "--name-only", "--diff-filter=ACMRTUXB", "-z").split("\0")
    files = [name for name in staged if re.search(hook()["files"], name) and name.endswith((".yaml", ".yml"))]
    assert "projects/doors/storyboard.yaml" in files
    assert "personas/mikebot/persona.yaml" in files
    assert not {"projects/doors/data.yaml", "notes.yaml", "projects/late/storyboard.yaml"} & set(files)
    program, *words = hook()["entry"].split()
    command = Path(sys.executable).with_name(program)  # Where installing this repository puts it.
    done = subprocess.run(
        [command, *words, *files], cwd=root, env=environment(), capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stdout, places(done.stderr)) == (code, "", ALL if wrong else [])
