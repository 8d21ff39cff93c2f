"""NeMo may live in a Python of its own, which the user names; what that lacks is told with what to type.

Real environments, and programs that are none: nothing of a workspace can name one.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from python_kit import SITE, another, logged

from engine import __version__
from engine.backends import interpreter
from engine.backends.nemo import NEEDS, Nemo, NemoParams
from engine.bench import python_of
from engine.checkup import checkup
from engine.errors import AuthorError
from engine.graph import Action
from engine.profile import load_profile
from engine.train import job

NAME = "MIKEBOT_PYTHON_NEMO"
ROOT = Path(__file__).parents[2]
HINT = f"Let {NAME} name the python of an environment, or unset it."
SPEECH = Action("speech", "nemo", "1", {"text": "Hi.", "model": "magpie", "codec": "codec"}, {})


def told(monkeypatch: pytest.MonkeyPatch, python: Path | str) -> list[str]:
    """What speech.nemo says of a Python that the user named."""
    monkeypatch.setenv(NAME, str(python))
    return Nemo().doctor()


def program(file: Path, text: str) -> Path:
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def test_nobody_named_another(monkeypatch: pytest.MonkeyPatch) -> None:
    for said in ("", sys.executable):
        monkeypatch.setenv(NAME, said)
        assert python_of(SPEECH) == sys.executable
        assert (Nemo().doctor(), Nemo().advice()) == ([], [])


def test_another_that_has_all_is_told_with_its_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = another(tmp_path / "env", SITE)
    assert told(monkeypatch, python) == []
    assert python_of(SPEECH) == str(python)
    assert python_of(SPEECH._replace(backend="espeak", params={"text": "Hi."})) == sys.executable
    (said,) = Nemo().advice()
    start = f"runs in {python} ({NAME}): Python {'.'.join(map(str, sys.version_info[:3]))}, nemo_toolkit "
    assert said.startswith(start)
    params = {"model": "magpie", "codec": "codec"}
    theirs = Nemo.settled(params)
    monkeypatch.delenv(NAME)
    assert theirs == Nemo.settled(params)  # The same packages, so the same keys.


def test_one_in_a_folder_is_found_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bin").mkdir()
    program(tmp_path / "bin" / "mine", "exit")
    for path, said in (("", "bin/mine"), (str(tmp_path / "bin"), "mine")):
        monkeypatch.setenv("PATH", path)
        monkeypatch.setenv(NAME, said)
        assert interpreter.chosen(NAME) == str(tmp_path / "bin" / "mine")


def test_what_it_lacks_is_told_with_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "old" / "engine").mkdir(parents=True)
    (tmp_path / "old" / "engine" / "__init__.py").write_text('__version__ = "0.0.9"\n')
    bare, old, ours = (another(tmp_path / f"{n}", *s) for n, s in enumerate([[], [tmp_path / "old"], [ROOT]]))
    install = f"-m pip install 'mikebot[voice]=={__version__}'"
    assert told(monkeypatch, bare) == [f"{NAME} names {bare}, which has no mikebot: {bare} {install}"]
    other = f"which has mikebot 0.0.9, and this is {__version__}"
    assert told(monkeypatch, old) == [f"{NAME} names {old}, {other}: {old} {install}"]
    lacks = f"speech.nemo lacks {', '.join(NEEDS.modules)} in {ours} ({NAME}): {ours} {install}"
    assert told(monkeypatch, ours) == [lacks]
    assert Nemo().check(NemoParams(text="Hi.")) == [lacks]
    assert Nemo().advice() == []


NONE = "which is no Python 3.8 or later"
OLD = """echo '{"python": [3, 9, 2], "mikebot": "", "missing": [], "versions": {}}'"""
PROGRAMS = {
    "another program": ("echo hello", NONE),
    "fails": ("exit 3", NONE),
    "numbers": ("echo 12", NONE),
    "old": (OLD, "which is Python 3.9.2; mikebot runs in 3.11 or later"),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_what_is_no_python_that_can_be_used_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    text, why = PROGRAMS[case]
    file = program(tmp_path / "python", text)
    assert told(monkeypatch, file) == [f"{NAME} names {file}, {why}. {HINT}"]


def test_what_cannot_be_started_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absent, text = tmp_path / "absent", tmp_path / "text"
    text.write_text("hello")
    for file, why in (
        (absent, "No such file or directory"),
        (text, "Permission denied"),
        (tmp_path, "Permission denied"),
    ):
        assert told(monkeypatch, file) == [f"{NAME} names {file}, which cannot be started: {why}. {HINT}"]


VOICED = """\
name: {name}
extends: draft
kinds: {{speech: {{backend: nemo, params: {{model: magpie, codec: codec{more}}}}}}}
"""


def test_a_profile_cannot_name_one(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "mine.yaml").write_text(VOICED.format(name="mine", more=", python: /bin/sh"))
    with pytest.raises(AuthorError) as refused:
        load_profile("mine", tmp_path)
    assert str(refused.value).splitlines()[0].endswith("mine.yaml:3:71: nemo has no knob 'python'")


def test_a_checkup_tells_of_it_and_of_no_packages_that_nothing_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "mine.yaml").write_text(VOICED.format(name="mine", more=""))
    monkeypatch.setenv(NAME, str(tmp_path / "absent"))
    found = list(checkup(load_profile("mine", tmp_path), tmp_path / "store"))
    (line,) = [one.text for one in found if one.text.startswith("speech.nemo: ")]
    assert line.startswith(f"speech.nemo: {NAME} names {tmp_path / 'absent'}, which cannot be started: No such file")
    assert not any("diffusers" in one.text for one in found)
    bare = another(tmp_path / "bare one")
    monkeypatch.setenv(NAME, str(bare))
    (todo,) = [one.todo for one in checkup(load_profile("mine", tmp_path), tmp_path / "store") if "bare" in one.text]
    assert todo == (f"'{bare}' -m pip install 'mikebot[voice]=={__version__}'",)


def test_a_training_runs_in_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = logged(tmp_path / "env")
    (tmp_path / "program.py").write_text("""print('{"event": "done"}')\n""")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv(NAME, str(python))
    assert list(job.told("program", tmp_path / "job.json")) == [{"event": "done"}]
    assert f"-m program {tmp_path}/job.json\n" in python.with_suffix(".log").read_text()
    monkeypatch.setenv(NAME, str(tmp_path / "absent"))
    with pytest.raises(job.TrainingFailed) as told_why:
        list(job.told("program", tmp_path / "job.json"))
    why = f"{NAME} names {tmp_path / 'absent'}, which cannot be started: No such file or directory. {HINT}"
    assert str(told_why.value) == why
