"""What is around a render can be hostile or odd: the folder, the numbers, the places, the moment."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_kit import BOARD, environment, mikebot, workspace

from engine import ledger
from engine.project import open_project
from engine.store import Store

SILENT = """\
title: Quiet
format: {width: 64, height: 36}
scenes:
  - {id: rest, on_screen: false, duration: 0.64, image_prompt: a lake, video_prompt: hold}
"""


def test_what_lies_in_the_current_folder_is_not_run(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w")
    for name in ("json", "sqlite3", "numpy", "av"):
        (root / f"{name}.py").write_text("open('run', 'w').close()\nraise SystemExit('mine now')\n")
    command = [sys.executable, "-P", "-m", "engine.cli", "render", "projects/doors"]
    done = subprocess.run(command, cwd=root, env=environment(), capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert not (root / "run").exists()


def test_a_profile_that_changes_during_a_render_is_noticed_by_the_next(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w", SILENT)
    (root / "profiles").mkdir()
    profile = root / "profiles" / "mine.yaml"
    profile.write_text("name: mine\nextends: draft\n")
    project = open_project(str(root / "projects" / "doors"), "mine", None)
    read = dict(project.profile_files.read)[profile]
    profile.write_text("name: mine\nextends: draft\nkinds: {scene: {params: {crf: 40}}}\n")
    assert dict(project.profile_files.read)[profile] == read
    again = open_project(str(root / "projects" / "doors"), "mine", None)
    assert dict(again.profile_files.read)[profile] != read


def test_a_second_render_that_makes_nothing_says_so(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w", SILENT)
    assert mikebot(root, "render", "projects/doors", "--until", "talk").code == 0
    assert mikebot(root, "render", "projects/doors", "--until", "talk") == (0, "nothing changed: 2 kept\n", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("render", "projects/doors", "--lanes", "-1"),
            "argument --lanes: must be a whole number of at least 1, not -1",
        ),
        (
            ("render", "projects/doors", "--max-minutes", "nan"),
            "argument --max-minutes: must be a number above 0, not nan",
        ),
        (("verify", "--sample", "-1"), "argument --sample: must be a whole number of at least 0, not -1"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    said = mikebot(workspace(tmp_path / "w"), *words)
    assert (said.code, said.err.splitlines()[-1]) == (2, f"mikebot {words[0]}: error: {message}")


@pytest.mark.parametrize("duration", ["0x1", "0o1", "1", "1.0"])
def test_a_duration_may_be_written_as_yaml_writes_numbers(tmp_path: Path, duration: str) -> None:
    root = workspace(tmp_path / "w", SILENT.replace("0.64", duration))
    scene = open_project(str(root / "projects" / "doors"), "draft", None).loaded.board.scenes[0]
    assert scene.duration == 1


def test_files_before_the_film_never_share_a_name(tmp_path: Path) -> None:
    board = BOARD.replace("This door is red.", "This door is red. And old.").replace("id: blue", "id: red-2")
    root = workspace(tmp_path / "w", board)
    assert mikebot(root, "render", "projects/doors", "--until", "speech").code == 0
    made = sorted(file.name for file in (root / "projects/doors/build/speech").glob("*.wav"))
    assert made == ["red-2.wav", "red.2.wav", "red.wav"]


def test_a_link_in_a_project_leads_no_film_out_of_the_workspace(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w", SILENT)
    (tmp_path / "outside").mkdir()
    (root / "projects" / "doors" / "build").symlink_to(tmp_path / "outside", target_is_directory=True)
    assert mikebot(root, "render", "projects/doors") == (
        2,
        "",
        "mikebot: projects/doors/build leads out of the workspace\n"
        "  remove the link, or name another place with --out\n",
    )
    assert not list((tmp_path / "outside").iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--out", "projects/doors/storyboard.yaml"),
            "--out projects/doors/storyboard.yaml would overwrite projects/doors/storyboard.yaml, "
            "which the film is made of\n  name another file",
        ),
        (("--out", "film.vtt"), "--out film.vtt does not name a film\n  name a file such as film.mp4"),
        (("--out", "/"), "--out / does not name a film\n  name a file such as film.mp4"),
        (
            ("--out", "a.mp4", "--until", "still"),
            "--out names a film, --until still makes none\n  leave one of them out",
        ),
    ],
)
def test_a_place_that_cannot_be_right_is_refused(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    root = workspace(tmp_path / "w", SILENT)
    assert mikebot(root, "render", "projects/doors", *words) == (2, "", f"mikebot: {message}\n")
    assert (root / "projects/doors/storyboard.yaml").read_text() == SILENT


def test_many_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from engine.store import Store; Store(Path(sys.argv[1])).close()"
    for number in range(6):
        command = [sys.executable, "-c", code, str(tmp_path / f"store-{number}")]
        opened = [subprocess.Popen(command, env=environment()) for _ in range(4)]
        assert [process.wait() for process in opened] == [0, 0, 0, 0]


def test_a_process_that_slept_is_alive_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "BEAT", 0.02)
    store, other = Store(tmp_path), Store(tmp_path)
    store.ledger.live()
    other.ledger._db.execute("DELETE FROM owners")  # As one does that took it for dead.
    for _ in range(500):
        if store.ledger.owner in other.ledger.living():
            break
        time.sleep(0.02)
    else:
        pytest.fail("it never showed life again")
    store.close()
    other.close()


def test_names_of_files_say_nothing_to_the_terminal(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w", BOARD.replace("persona: mikebot", "persona: mikebo"))
    (root / "personas" / "mikebot").rename(root / "personas" / "e\x1b]0;vil\x07")
    said = mikebot(root, "check", "projects/doors")
    assert said.code == 2
    assert said.err.endswith("personas here: e\ufffd]0;vil\ufffd\n")


def test_a_path_that_is_not_there_hides_no_mistake_in_another(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w", SILENT.replace("on_screen: false", "on_screen: no"))
    said = mikebot(root, "check", "nowhere", "projects/doors")
    assert said.code == 2
    assert [line.split(": ")[0] for line in said.err.splitlines() if not line.startswith(" ")] == [
        "nowhere:1:1",
        "projects/doors/storyboard.yaml:4:27",
    ]
