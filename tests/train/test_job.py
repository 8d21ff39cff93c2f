"""What a process of NeMo tells is handed on; how it ends is told, and it never outlives who started it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.train.job import TrainingFailed, told

BEGIN = "import json, os, sys\ndef tell(**said): print(json.dumps(said), flush=True)\n"


def started(folder: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> list[dict[str, object]]:
    (folder / "program.py").write_text(BEGIN + program)
    (folder / "job.json").write_text("{}")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return list(told("program", folder / "job.json"))


def test_lines_are_handed_on_and_what_libraries_print_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = "print('a warning')\ntell(event='look', step=2)\nprint('{}')\ntell(event='done')\n"
    assert started(tmp_path, monkeypatch, program) == [{"event": "look", "step": 2}, {"event": "done"}]


@pytest.mark.parametrize("code", [1, 2])
def test_what_went_wrong_is_told_with_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    program = f"tell(event='failed', message='no', hint='Do so.', code={code})\nsys.exit({code})\n"
    with pytest.raises(TrainingFailed) as failed:
        started(tmp_path, monkeypatch, program)
    assert (str(failed.value), failed.value.exit_code) == ("no\n  Do so.", code)


def test_a_process_that_dies_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrainingFailed) as failed:
        started(tmp_path, monkeypatch, "tell(event='look')\nprint('why', file=sys.stderr)\nos._exit(7)\n")
    message = f"the training process ended with code 7\n  nemo.log in {tmp_path} has the rest."
    assert (str(failed.value), failed.value.exit_code) == (message, 1)
    assert (tmp_path / "nemo.log").read_text() == "why\n"


def test_it_ends_with_who_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "program.py").write_text(f"{BEGIN}tell(event='begins', pid=os.getpid())\nos.read(0, 1)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told_so_far = told("program", tmp_path / "job.json")
    process = int(next(told_so_far)["pid"])
    told_so_far.close()  # type: ignore[attr-defined]
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
