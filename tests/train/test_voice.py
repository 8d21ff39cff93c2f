"""A voice from recordings to persona.yaml, by the command: consent, a training that outlives what ends it, figures.

The training is one story, told by real processes of NeMo with a tiny model, forked off one that imported it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_hearing
from archive_kit import pack
from command_kit import ROOT, environment, mikebot
from consent_kit import PROOF, consent
from mount_kit import disk, mountable
from warm_kit import warmed

from engine.digests import digest
from engine.document import parse
from engine.train import error_rate

AGREED = {"projects": ["*"], "purposes": ["voice", "training"]}
LINE = re.compile(r"^voice: \{nemo: \{checkpoint: voice/ada.nemo, .*\}\}$", re.MULTILINE)
BUILD = "import sys; from pathlib import Path; import tiny_hearing, tiny_voice; folder = Path(sys.argv[1])\n"
BUILD += "tiny_voice.build(folder); tiny_hearing.build(folder)\n"
TRAIN = """\
import sys
from pathlib import Path
from engine.errors import MikebotError
from engine.train.progress import Shown
from engine.train.settings import Settings
from engine.train.voice import Request, make
from engine.train import room
room.KEEP_FREE = -10**15  # What is asked beforehand is left out: another process may fill the disk after it.
request = Request("ada", (Path("takes"),), "magpie", "codec", float(sys.argv[1]), again="again" in sys.argv)
settings = Settings(batch=2, accumulate=1, rate=1e-3, every=2, most=4)
try:
    make(Path.cwd(), request, Shown(sys.stdout, sys.stderr), settings)
except MikebotError as error:
    sys.exit(str(error))
"""


class Place:
    """A workspace with a real person, recordings of her, and tiny models."""

    def __init__(self, root: Path, takes: Path) -> None:
        self.root, self.models, self.more = root, root / "models", dict[str, str]()
        self.persona = root / "personas" / "ada" / "persona.yaml"
        self.voice = self.persona.parent / "voice"
        for folder in (self.persona.parent, root / "projects", self.models):
            folder.mkdir(parents=True)
        (self.persona.parent / "consent.txt").write_bytes(PROOF)
        shutil.copytree(takes, root / "takes")
        self.says(consent(scope=AGREED))

    def says(self, agreed: Mapping[str, Any]) -> None:
        lines = ["# Who explains.", "name: Ada  # as she is called", "consent:"]
        lines += [f"  {key}: {json.dumps(value)}" for key, value in agreed.items()]
        self.persona.write_text("\n".join([*lines, ""]), encoding="utf-8")

    def environment(self) -> dict[str, str]:
        kits = (ROOT / "tests", ROOT / "tests/train")
        own = {"MIKEBOT_MODELS": str(self.models), "HF_HUB_CACHE": str(self.root / "none")}
        return environment(ROOT, *kits) | own | self.more

    def run(self, *words: str) -> Any:
        return mikebot(self.root, "persona", "voice", *words, env=self.environment())

    def start(self, minutes: str, *more: str) -> subprocess.Popen[str]:
        python, pipe = [sys.executable, "-c", TRAIN, minutes, *more], subprocess.PIPE
        environment = self.environment()
        return subprocess.Popen(python, cwd=self.root, env=environment, stdout=pipe, stderr=pipe, encoding="utf-8")


@pytest.fixture
def place(tmp_path: Path, takes: Path) -> Place:
    return Place(tmp_path, takes)


def test_nothing_of_a_person_is_opened_without_their_consent_to_training(place: Place) -> None:
    place.says(consent(scope={"projects": ["*"], "purposes": ["voice"]}))
    for file in (place.root / "takes").iterdir():
        file.chmod(0)
    refused = place.run("ada", "--from", "takes")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == (
        "personas/ada/persona.yaml:2:7: Ada is a real person, and nothing is made of their voice without consent\n"
        "  name: Ada  # as she is called\n"
        "        ^\n"
        "  mend what is said below (docs/consent.md)\n"
        "personas/ada/persona.yaml:6:42: consent: does not cover their training\n"
        '    scope: {"projects": ["*"], "purposes": ["voice"]}\n'
        "                                           ^\n"
        "  it covers voice: ask for their training too\n"
    )
    assert not place.voice.exists()


def test_a_dataset_is_made_without_any_model(place: Place) -> None:
    made = place.run("ada", "--from", "takes")
    (folder,) = place.voice.glob("dataset-*")
    assert (made.code, made.err) == (0, "")
    assert re.sub(r"\d+\.\d s", "# s", made.out) == (
        "cut     doors.wav  3 of 3 parts, # s\n"
        "cut     firewall.wav  3 of 3 parts, # s\n"
        "dataset # s in 6 utterances, 1 held out, 0 parts left out\n"
        f"report  personas/ada/voice/{folder.name}/report.html\n"
        "        to train a voice with it, type the same again with --base MODEL (docs/voice.md)\n"
    )
    assert (folder / ".gitignore").read_text() == "*\n"
    assert list(place.voice.iterdir()) == [folder]


USAGE = {
    "nobody": (
        ["eda", "--from", "takes"],
        "mikebot: there is no persona 'eda'; did you mean 'ada'?\n  personas here: ada\n",
    ),
    "nothing": (
        ["ada"],
        "mikebot: persona voice needs --from, to make a voice, or --evaluate, to say how close one is\n"
        "  name one of them\n",
    ),
    "nowhere": (
        ["ada", "--from", "tapes"],
        "mikebot: there is no tapes\n  name a folder of recordings, or the files themselves\n",
    ),
    "no recording": (
        ["ada", "--from", "takes/doors.txt"],
        "mikebot: there is no recording in takes/doors.txt\n  name a folder of recordings, or the files themselves\n",
    ),
    "no base": (
        ["ada", "--from", "takes", "--base", "big/magpie"],
        "mikebot: --base: the model big/magpie is not on this machine\n"
        "  Put its folder below one that MIKEBOT_MODELS names, or fetch it: mikebot fetch --model big/magpie.\n",
    ),
    "no tokenizer": (
        ["ada", "--from", "takes", "--base", "models/french.nemo"],
        "mikebot: --base: it reads with google/byt5-small, which is not on this machine\n"
        "  fetch its tokenizer: mikebot fetch --model google/byt5-small\n",
    ),
    "minutes alone": (
        ["ada", "--from", "takes", "--minutes", "5"],
        "mikebot: --minutes is for training, which begins with a model\n  name one: --base MODEL\n",
    ),
    "no voice": (
        ["ada", "--evaluate"],
        "mikebot: Ada has no voice that was trained here\n"
        "  make one: mikebot persona voice ada --from RECORDINGS --base MODEL\n",
    ),
}


@pytest.mark.parametrize("name", USAGE)
def test_what_is_asked_for_wrongly_is_told(place: Place, name: str) -> None:
    words, message = USAGE[name]
    pack(place.models / "french.nemo")
    refused = place.run(*words)
    assert (refused.code, refused.out, refused.err) == (2, "", message)


@pytest.fixture
def warm(tmp_path_factory: pytest.TempPathFactory, place: Place) -> Iterator[Path]:
    with warmed(tmp_path_factory.mktemp("warm")) as python:
        place.more["MIKEBOT_PYTHON_NEMO"] = str(python)
        yield python


@pytest.fixture
def disks() -> Iterator[ExitStack]:
    """What is mounted for the length of a test."""
    with ExitStack() as stack:
        yield stack


def test_a_voice_is_trained_killed_gone_on_with_and_measured(place: Place, warm: Path, disks: ExitStack) -> None:
    subprocess.run([warm, "-c", BUILD, place.models], env=place.environment(), check=True, capture_output=True)
    before = place.persona.read_text("utf-8")
    first = place.start("10")
    run = _run_with_state(first, place.voice)
    child = _child_of(first.pid)
    first.kill()
    first.communicate()
    _gone(child)
    assert not (run / "done.json").exists()
    assert place.persona.read_text("utf-8") == before
    steps = [json.loads(line)["step"] for line in (run / "log.jsonl").read_text("utf-8").splitlines()]
    assert steps[:2] == [0, 2]

    if mountable():
        _filled_up(place, run, disks)
    last = place.start("10")
    out, errors = last.communicate(timeout=240)
    assert (last.returncode, errors) == (0, "")
    going = re.search(r"^train {3}goes on at step (\d+)$", out, re.MULTILINE)
    assert going is not None
    assert int(going[1]) >= 2
    log = [json.loads(line) for line in (run / "log.jsonl").read_text("utf-8").splitlines()]
    assert [look["step"] for look in log] == [0, 2, 4]
    assert log[-1]["held"] < log[0]["held"]
    for look in log:
        with wave.open(str(run / look["sample"])) as file:
            assert file.getnframes() > 0
    _written(place, before, log, run)
    _refused_to_overwrite(place)
    _put_in_its_place(place, run)
    _measured(place, run)


def _run_with_state(process: subprocess.Popen[str], voice: Path) -> Path:
    """The run's folder, once it has been looked at after its begin."""
    for _ in range(6000):
        logs = list(voice.glob("run-*/log.jsonl"))
        state = logs[0].with_name("state.ckpt") if logs else None
        looks = len(logs[0].read_text("utf-8").splitlines()) if logs else 0
        if state is not None and looks > 1 and state.stat().st_mtime_ns > logs[0].stat().st_mtime_ns:
            return state.parent
        assert process.poll() is None
        time.sleep(0.02)
    raise AssertionError("no state")


def _child_of(parent: int) -> int:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent:
                return int(entry.name)
    raise AssertionError("no child")


def _gone(process: int) -> None:
    """The training process ends with whoever started it, however that ended."""
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        if (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.1)
    os.kill(process, signal.SIGKILL)
    raise AssertionError("it outlived its parent")


def _filled_up(place: Place, run: Path, disks: ExitStack) -> None:
    """A disk that fills up at the next look costs what came after the last one."""
    shutil.move(run, place.root / "aside")
    disks.enter_context(disk(run, "64m"))
    shutil.copytree(place.root / "aside", run, dirs_exist_ok=True)
    state = (run / "state.ckpt").read_bytes()
    size = shutil.disk_usage(run).used + len(state) * 3 // 4  # For the best weights, and not for the state.
    subprocess.run(["mount", "-o", f"remount,size={size}", run], check=True)
    process = place.start("10")
    _, said = process.communicate(timeout=240)
    assert process.returncode == 1
    assert (
        said == f"the disk of {run} is full\n  Free some space, and type the same again: what was finished is kept.\n"
    )
    assert (run / "state.ckpt").read_bytes() == state
    subprocess.run(["mount", "-o", "remount,size=64m", run], check=True)


def _written(place: Place, before: str, log: list[Any], run: Path) -> None:
    """One line of persona.yaml, which says what the files hold."""
    text = place.persona.read_text("utf-8")
    (line,) = LINE.findall(text)
    assert text.replace(f"{line}\n", "") == before
    said = parse(text.encode(), "persona.yaml").data["voice"]["nemo"]
    (dataset,) = place.voice.glob("dataset-*")
    assert said == {
        "checkpoint": "voice/ada.nemo",
        "sha256": digest(place.voice / "ada.nemo")[0],
        "dataset": dataset.name.removeprefix("dataset-"),
        "reference": "voice/ada.wav",
    }
    known = json.loads((place.voice / "ada.json").read_text("utf-8"))
    assert (known["step"], known["held"]) == min(
        (look["step"], look["held"]) for look in log if look["held"] == known["held"]
    )
    assert str(place.root) not in (place.voice / "ada.json").read_text("utf-8")
    page = (dataset / "report.html").read_text("utf-8")
    assert all(f"../{run.name}/{look['sample']}" in page for look in log)
    checked = mikebot(place.root, "check", "personas/ada", env=place.environment())
    assert (checked.code, checked.err) == (0, "")


def _refused_to_overwrite(place: Place) -> None:
    refused = place.run("ada", "--from", "takes", "--base", "magpie")
    message = "mikebot: Ada has a voice: personas/ada/voice/ada.nemo\n  to make another in its place, add --again\n"
    assert (refused.code, refused.out, refused.err) == (2, "", message)


def _put_in_its_place(place: Place, run: Path) -> None:
    """What ended before its voice was where it belongs is not trained anew, not even where another is asked for."""
    (run / "placed").unlink()
    process = place.start("10", "again")
    out, errors = process.communicate(timeout=240)
    assert (process.returncode, errors) == (0, "")
    assert "train" not in out
    assert out.splitlines()[-1].startswith("voice   personas/ada/voice/ada.nemo, of step ")
    assert list(place.voice.glob("run-*")) == [run]


def _measured(place: Place, run: Path) -> None:
    """Figures are what the models say; what is missing is said."""
    absent = place.run("ada", "--evaluate")
    fetch = "Fetch it: mikebot fetch --model {0}, or put its folder below one that MIKEBOT_MODELS names.\n"
    assert (absent.code, absent.out, absent.err) == (
        2,
        "words   cannot be measured: the model openai/whisper-small is not on this machine\n"
        f"        {fetch.format('openai/whisper-small')}"
        "speaker cannot be measured: the model microsoft/wavlm-base-plus-sv is not on this machine\n"
        f"        {fetch.format('microsoft/wavlm-base-plus-sv')}",
        "mikebot: nothing can be measured: no model that listens is here\n  Fetch one of those named above.\n",
    )
    models = ("--whisper", tiny_hearing.WHISPER, "--speaker-model", tiny_hearing.SPEAKER)
    python, environment = place.more["MIKEBOT_PYTHON_NEMO"], place.environment()
    command = [python, "-m", "engine.cli", "persona", "voice", "ada", "--evaluate", *models]
    done = subprocess.run(command, cwd=place.root, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (0, "")
    said = done.stdout
    (one,) = json.loads((run / "evaluation.json").read_text("utf-8"))["sentences"]
    words = re.search(r"^words {3}(.+)% are heard wrong in the synthesis, (.+)% in the recordings$", said, re.M)
    alike = re.search(r"^speaker (.+) alike to the recordings, which are (.+) alike among themselves$", said, re.M)
    assert words is not None
    assert alike is not None
    assert float(words[1]) == pytest.approx(100 * error_rate.rate([(one["text"], one["heard_made"])]), abs=0.1)
    assert float(words[2]) == pytest.approx(100 * error_rate.rate([(one["text"], one["heard_recorded"])]), abs=0.1)
    assert [float(figure) for figure in alike.groups()] == pytest.approx(
        [one["alike"], one["alike_recorded"]], abs=1e-3
    )
    assert -1 <= one["alike"] <= 1
    with wave.open(str(run / "held-out" / "001.wav")) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert len(sound) > 0
    (page,) = place.voice.glob("dataset-*/report.html")
    assert "How close it is" in page.read_text("utf-8")
    shutil.rmtree(run / "held-out")
