"""One making of a voice at a time, never more than the disk holds: what is refused or broken off damages nothing."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from command_kit import COMMAND, ROOT, environment, mikebot
from mount_kit import disk as small_disk

from engine.train import alone, made, room
from engine.train.allowed import allowed
from engine.train.dataset import Dataset, read
from engine.train.pieces import Piece
from engine.train.settings import Settings, disk

BUSY = "mikebot: Ada's voice is being made or measured by another mikebot\n  Wait for it, or end it.\n"
# What is asked beforehand is left out: another process may fill the disk after it.
CROWDED = "import sys; from engine import cli; from engine.train import room; room.KEEP_FREE = -10**15\n"
CROWDED += "sys.exit(cli.main(sys.argv[1:]))"
MAKE = ("persona", "voice", "ada", "--from", "takes")


@pytest.fixture
def root(takes: Path, tmp_path: Path) -> Path:
    """A workspace with a persona whom nobody real is heard in."""
    _people(tmp_path, takes)
    return tmp_path


def _people(root: Path, takes: Path) -> None:
    for folder in ("personas/ada", "projects"):
        (root / folder).mkdir(parents=True)
    (root / "personas/ada/persona.yaml").write_text("name: Ada\ndrawn: true\n")
    shutil.copytree(takes, root / "takes")


def test_who_comes_second_is_refused_and_who_dies_leaves_no_lock(root: Path) -> None:
    first = subprocess.Popen(
        [*COMMAND, *MAKE], cwd=root, env=environment(ROOT), stdout=subprocess.PIPE, encoding="utf-8"
    )
    assert first.stdout is not None
    while not first.stdout.readline().startswith("cut     doors.wav"):
        assert first.poll() is None
    first.send_signal(signal.SIGSTOP)  # In the middle of it, for as long as the second one looks.
    before = {file: file.read_bytes() for file in (root / "personas").rglob("*") if file.is_file()}
    second = mikebot(root, *MAKE)
    assert (second.code, second.err) == (1, BUSY)
    assert mikebot(root, "persona", "voice", "ada", "--evaluate").err == BUSY
    assert {file: file.read_bytes() for file in (root / "personas").rglob("*") if file.is_file()} == before
    first.kill()
    first.communicate()
    third = mikebot(root, *MAKE)
    assert (third.code, third.err) == (0, "")
    told = "persona Ada is drawn: its file says that nobody real is heard in these recordings\n"
    assert third.out.startswith(told)
    assert sorted((root / "personas/ada").iterdir()) == [
        root / "personas/ada/persona.yaml",
        root / "personas/ada/voice",
    ]


HOLD = """\
import sys, time
from pathlib import Path
from engine.train.alone import held
with held(Path(sys.argv[1]), "busy"):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def holding(lock: Path, seconds: float) -> subprocess.Popen[str]:
    """Another process that holds a lock."""
    command = [sys.executable, "-c", HOLD, str(lock), str(seconds)]
    other = subprocess.Popen(command, env=environment(ROOT), stdout=subprocess.PIPE, encoding="utf-8")
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    return other


def test_a_training_waits_for_the_last_words_of_one_that_was_ended(tmp_path: Path) -> None:
    other = holding(tmp_path / "training.lock", 0.3)
    with alone.held(tmp_path / "training.lock", "busy", 60):
        other.communicate()


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    other = holding(tmp_path / "lock", 600)
    with pytest.raises(alone.Busy), alone.held(tmp_path / "lock", "busy", 0.05):
        raise AssertionError("both hold it")
    other.kill()
    other.communicate()
    with alone.held(tmp_path / "lock", "busy"):
        pass


def test_what_the_disk_has_no_room_for_is_refused_before_anything_is_written(root: Path) -> None:
    with small_disk(root / "personas/ada/voice", "8m") as voice:
        refused = mikebot(root, *MAKE)
        assert list(voice.iterdir()) == []
    needs = r"mikebot: the dataset needs about 1\.[23] MB on the disk of personas/ada/voice, "
    has = r"which has 8\.4 MB free, and 1\.0 GB of it stay free\n  Free some space, and type the same again\.\n"
    assert refused.code == 1
    assert re.fullmatch(needs + has, refused.err)


def test_a_training_is_counted_on_each_disk_before_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By arithmetic: Magpie's archive of 1.5 GB, its codec of 0.25 GB."""
    needs = disk(1_500_000_000, 250_000_000, Settings(), 22050)
    assert needs == (12_000_000_000 + 802 * 661_500, 4_000_000_000)
    monkeypatch.chdir(tmp_path)
    with (
        small_disk(tmp_path / "run", "8m") as run,
        small_disk(tmp_path / "tmp", "16m") as other,
    ):
        monkeypatch.setattr(room, "KEEP_FREE", 0)
        with pytest.raises(room.NoRoom) as refused:
            room.refuse({run / "run-x": 4e6, run / "y": 5e6, other: 1e6}, "the training")
        message = "the training needs about 9.0 MB on the disk of run/run-x, which has 8.4 MB free, and 0.0 MB of it"
        assert str(refused.value) == f"{message} stay free\n  Free some space, and type the same again."
        room.refuse({run: 4e6, other: 9e6}, "the training")
        monkeypatch.setattr(tempfile, "tempdir", str(other))
        with pytest.raises(room.NoRoom) as refused:
            room.refuse({other: 2e7}, "the training")
        hint = "Free some space, or let TMPDIR name a folder of another, and type the same again."
        assert str(refused.value).endswith(f"\n  {hint}")


@pytest.mark.parametrize("kilobytes", [300, 700])
def test_a_disk_that_fills_up_in_the_middle_loses_nothing(root: Path, kilobytes: int) -> None:
    with small_disk(root / "personas/ada/voice", f"{kilobytes}k") as voice:
        run = _crowded(root)
        assert "Traceback" not in run.stderr
        message = "is full\n  Free some space, and type the same again: what was finished is kept.\n"
        assert (run.returncode, run.stderr.partition(" is full")[1:]) == (1, (" is full", message[7:]))
        assert list(voice.rglob(".tmp-*")) == []
        wavs = {file: file.stat().st_mtime_ns for file in voice.rglob("*.wav") if _recorded(file)}
        subprocess.run(["mount", "-o", "remount,size=64m", str(voice)], check=True)
        again = _crowded(root)
        assert (again.returncode, again.stderr) == (0, "")
        assert {file: file.stat().st_mtime_ns for file in wavs} == wavs
        (folder,) = voice.glob("dataset-*")
        assert len(read(folder).kept) == 5


def test_a_voice_that_does_not_fit_leaves_the_one_before_whole(root: Path, tmp_path: Path) -> None:
    person = allowed(root, "ada")
    learned = Dataset(root / "takes", "66508cab360a", 22050, "en", [Piece("doors.wav", 0, 9, wav="doors.wav")], [], [])
    (tmp_path / "trained.nemo").write_bytes(bytes(90_000))
    (root / "takes/doors.wav").write_bytes(bytes(9_000))
    about = {"run": "run-x", "base": "b", "codec": "c", "language": "en", "step": 2, "held": 1.0, "seconds": 3.0}
    with small_disk(root / "personas/ada/voice", "128k") as voice:
        for name in ("ada.nemo", "ada.wav", "ada.json"):
            (voice / name).write_bytes(name.encode() * 5_000)
        before = {file: file.read_bytes() for file in voice.iterdir()}
        with pytest.raises(room.NoRoom) as refused:
            made.put(person, tmp_path / "trained.nemo", learned, {**about, "speakers": 0})
        hint = "Free some space, and type the same again: what was finished is kept."
        assert str(refused.value) == f"the disk of {voice} is full\n  {hint}"
        assert {file: file.read_bytes() for file in voice.iterdir()} == before


def _recorded(wav: Path) -> bool:
    """Whether all of the recording that a WAV is of was done."""
    return (wav.parents[1] / "files" / f"{wav.name.partition('-')[0]}.json").exists()


def _crowded(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CROWDED, *MAKE]
    return subprocess.run(command, cwd=root, env=environment(ROOT), capture_output=True, encoding="utf-8", check=False)
