"""The command line: exit codes, what is said where, JSON to the letter, and where things land."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import re
import shutil
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from command_kit import BOARD, COMMAND, ROOT, environment, lines, mikebot, stranger, workspace

from engine.report import seconds

PROFILES = ", ".join(sorted(file.stem for file in (ROOT / "engine" / "profiles").glob("*.yaml")))
GOLDEN = ROOT / "tests" / "golden" / "plan.json"
STEPS = {
    *("red/speech", "red/narration", "red/still", "red/clip", "red/talk", "red/scene", "red/sound"),
    *("blue/speech", "blue/narration", "blue/still", "blue/clip", "blue/scene", "blue/sound", "film"),
}
BROKEN = """
from engine.backends import Light
from engine.errors import BackendError
from engine.kinds import Still


class Dry(Light):
    kind, name, version, Params = "still", "dry", "1", Still

    def run(self, params, inputs, out, tell):
        raise BackendError("the paint has dried", "buy some more")
"""


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A workspace whose film is made, and what was said."""
    root = workspace(tmp_path_factory.mktemp("rendered"))
    said = mikebot(root, "render", "projects/doors", "--json")
    assert (said.code, said.err) == (0, "")
    return root, said.out


@pytest.fixture
def root(rendered: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of that workspace, to do with as one likes."""
    return shutil.copytree(rendered[0], tmp_path / "workspace")


def test_json_lines_tell_every_step_and_the_film(rendered: tuple[Path, str]) -> None:
    root, out = rendered
    *told, done = lines(out)
    assert {line["step"] for line in told} == STEPS
    for line in told:
        scene, _, kind = line["step"].rpartition("/")
        assert (line["event"], line["scene"], line["kind"]) == ("step", scene, kind)
        more = {"progress": {"done", "total"}, "built": {"seconds"}}.get(line["state"], set())
        assert line.keys() == {"event", "step", "kind", "scene", "state"} | more
    ends = Counter(line["step"] for line in told if line["state"] not in {"started", "progress"})
    assert set(ends.values()) == {1}
    film = root / "projects/doors/build/doors.mp4"
    assert done.keys() == {"event", "film", "digest", "built", "hits", "failed", "seconds", "loudness"}
    assert (done["event"], done["film"], done["failed"]) == ("done", str(film), 0)
    assert (done["built"], done["hits"]) == (len(STEPS), 0)
    assert done["digest"] == f"sha256:{hashlib.sha256(film.read_bytes()).hexdigest()}"
    assert len(list((root / ".mikebot").rglob(done["digest"].removeprefix("sha256:")))) == 1
    beside = {file.name for file in film.parent.iterdir()}
    assert beside == {"doors.mp4", "doors.vtt", "doors.srt", "doors.jpg", "doors.youtube.txt"}


def test_a_render_again_hits_every_step(root: Path, rendered: tuple[Path, str]) -> None:
    """Once by the ordinary way, since the workspace moved, and once by the note that this left."""
    first = lines(rendered[1])[-1]
    for _ in range(2):
        *told, done = lines(mikebot(root, "render", "projects/doors", "--json").out)
        assert {(line["step"], line["state"]) for line in told} == {(step, "hit") for step in STEPS}
        assert (done["built"], done["hits"], done["failed"]) == (0, len(STEPS), 0)
        assert done["digest"] == first["digest"]


def test_plain_lines_go_into_a_pipe(tmp_path: Path) -> None:
    said = mikebot(workspace(tmp_path), "render", "projects/doors")
    assert (said.code, said.err) == (0, "")
    *made, count, sound, film = said.out.splitlines()
    assert {re.fullmatch(r"built   (\S+)  \d+\.\d s", line)[1] for line in made} == STEPS  # type: ignore[index]
    assert re.fullmatch(rf"{len(STEPS)} made, 0 kept, in [\d.]+ s", count)
    assert re.fullmatch(r"sound   -1\d\.\d LUFS, true peak -\d\.\d dBTP", sound)
    assert film == f"film    {tmp_path}/projects/doors/build/doors.mp4"
    again = mikebot(tmp_path, "render", "projects/doors")
    assert again.out == f"nothing changed: {len(STEPS)} kept\n{tmp_path}/projects/doors/build/doors.mp4\n"


def test_a_film_in_which_nothing_is_heard_says_so(tmp_path: Path) -> None:
    scene = "{id: a, duration: 1, on_screen: false, image_prompt: a door, video_prompt: pan left}"
    board = f"title: Quiet\nformat: {{width: 64, height: 36}}\nscenes: [{scene}]\n"
    said = mikebot(workspace(tmp_path, board), "render", "projects/doors")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[-2:] == ["sound   silent", f"film    {tmp_path}/projects/doors/build/doors.mp4"]


def test_a_terminal_shows_how_far_it_is(tmp_path: Path) -> None:
    """One line is drawn over and over; what was made stays above it."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "render", "projects/doors"],
        cwd=workspace(tmp_path),
        env=environment() | {"COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    text = b""
    try:
        while piece := os.read(leader, 4096):
            text += piece
    except OSError:  # On Linux, this is how the other end of a terminal says that it is closed.
        pass
    os.close(leader)
    assert process.wait(60) == 0
    drawn = text.decode().split("\r\x1b[K")
    status = [line for line in drawn if re.match(r"\d+ of \d+ steps, about [\d.]+ (s|min) left  ", line)]
    assert status
    assert all(len(line) < 100 and "\n" not in line for line in status)
    assert {line.split()[1] for line in drawn if line.startswith("built ")} == STEPS
    assert drawn[-1].endswith("build/doors.mp4\r\n")


def test_until_stops_after_a_kind_and_says_where_its_files_are(tmp_path: Path) -> None:
    root = workspace(tmp_path)
    *told, done = lines(mikebot(root, "render", "projects/doors", "--until", "speech", "--json").out)
    assert {line["step"] for line in told} == {"red/speech", "blue/speech"}
    assert done["files"] == str(root / "projects/doors/build/speech")
    assert "film" not in done
    names = {file.name for file in Path(done["files"]).iterdir()}
    assert names == {"red.wav", "red.json", "blue.wav", "blue.json"}
    said = mikebot(root, "render", "projects/doors", "--until", "narration")
    assert said.out.splitlines()[-1] == f"files   {root}/projects/doors/build/narration"
    assert (root / "projects/doors/build/narration/red.wav").read_bytes()[:4] == b"RIFF"


def test_a_scene_alone_is_a_film_beside_the_film(root: Path) -> None:
    build = root / "projects/doors/build"
    *_, done = lines(mikebot(root, "render", "projects/doors", "--scene", "blue", "--json").out)
    film = build / "doors.blue.mp4"
    assert (done["film"], done["failed"]) == (str(film), 0)
    assert done["digest"] == f"sha256:{hashlib.sha256(film.read_bytes()).hexdigest()}"
    assert {file.name for file in build.glob("doors.blue.*")} == {
        f"doors.blue.{x}" for x in ("mp4", "vtt", "srt", "jpg", "youtube.txt")
    }
    both = mikebot(root, "render", "projects/doors", "--scene", "blue", "--scene", "red")
    assert both.out.splitlines()[-2:] == [f"film    {build}/doors.red.mp4", f"film    {build}/doors.blue.mp4"]


def test_out_replaces_the_place_of_the_film(root: Path, tmp_path: Path) -> None:
    shutil.rmtree(root / "projects/doors/build")
    *_, done = lines(mikebot(root, "render", "projects/doors", "--out", "../there/mine.mp4", "--json").out)
    assert Path(done["film"]).resolve() == tmp_path / "there/mine.mp4"
    names = {file.name for file in (tmp_path / "there").iterdir()}
    assert names == {"mine.mp4", "mine.vtt", "mine.srt", "mine.jpg", "mine.youtube.txt"}
    assert not (root / "projects/doors/build").exists()


def test_a_store_can_be_named_in_two_ways(root: Path, tmp_path: Path) -> None:
    (root / ".mikebot").rename(tmp_path / "elsewhere")
    named = mikebot(root, "plan", "projects/doors", "--store", "../elsewhere")
    meant = mikebot(root, "plan", "projects/doors", env=environment() | {"MIKEBOT_STORE": "../elsewhere"})
    assert named.out == meant.out == f"{len(STEPS)} kept, 0 to run, 0 that may: nothing to do\n"
    assert not (root / ".mikebot").exists()


def test_max_minutes_refuses_before_anything_runs(tmp_path: Path) -> None:
    root = workspace(tmp_path)
    totals = json.loads(mikebot(root, "plan", "projects/doors", "--json").out)["totals"]
    said = mikebot(root, "render", "projects/doors", "--max-minutes", "0.001")
    assert said == (
        2,
        "",
        f"mikebot: this may take {seconds(totals['most_seconds'])}, more than --max-minutes 0.001\n"
        "  see mikebot plan projects/doors/storyboard.yaml\n",
    )
    assert list((root / ".mikebot/artifacts").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["render", "projects/doors", "--scene", "rde"], "there is no scene 'rde'\n  scenes: red, blue"),
        (
            ["render", "projects/doors", "--scene", "red", "--out", "a.mp4"],
            "--out names one film, --scene makes one of each scene\n  leave one of them out",
        ),
        (["render", "projects/door"], "there is no storyboard projects/door\n  name a storyboard or its folder"),
        (
            ["plan", "projects/doors", "--profile", "darft"],
            f"there is no profile 'darft'; did you mean 'draft'?\n  profiles: {PROFILES}",
        ),
        (["why", "projects/doors", "rd"], "there is no scene or step 'rd'; did you mean 'red'?\n  see mikebot plan"),
    ],
    ids=["scene", "scene and out", "storyboard", "profile", "why"],
)
def test_an_authors_mistake_is_told_with_what_to_do(words: list[str], message: str, tmp_path: Path) -> None:
    assert mikebot(workspace(tmp_path), *words) == (2, "", f"mikebot: {message}\n")


def test_outside_of_a_workspace_it_says_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "storyboard.yaml").write_text(BOARD)
    said = mikebot(tmp_path, "render", "storyboard.yaml")
    assert said == (2, "", "mikebot: . is in no workspace\n  make one with: mikebot init DIR\n")


def test_an_unknown_command_is_a_mistake(tmp_path: Path) -> None:
    said = mikebot(tmp_path, "rendr")
    assert said.code == 2
    assert said.err.startswith("usage: mikebot [-h] [--version] COMMAND ...\nmikebot: error: argument COMMAND: invalid")


def test_what_does_not_depend_on_a_failed_step_is_kept(tmp_path: Path) -> None:
    root = workspace(tmp_path / "here")
    (root / "profiles").mkdir()
    (root / "profiles/dry.yaml").write_text("name: dry\nextends: draft\nkinds: {still: {backend: dry}}\n")
    env = environment(stranger(tmp_path / "packages", "still.dry = dry_paint:Dry", "dry_paint", BROKEN))
    said = mikebot(root, "render", "projects/doors", "--profile", "dry", "--json", env=env)
    assert said.code == 1
    *told, done = lines(said.out)
    ends = {line["step"]: line["state"] for line in told if line["state"] not in {"started", "progress"}}
    kept = {step for step in STEPS if step.endswith(("speech", "narration", "sound"))}
    assert {step for step, state in ends.items() if state == "built"} == kept
    assert {step for step, state in ends.items() if state == "failed"} == {"red/still", "blue/still"}
    assert {step for step, state in ends.items() if state == "cancelled"} == STEPS - kept - {"red/still", "blue/still"}
    errors = {line["error"] for line in told if line["state"] == "failed"}
    assert errors == {"the paint has dried\n  buy some more"}
    assert done.keys() == {"event", "built", "hits", "failed", "seconds"}
    assert (done["built"], done["hits"], done["failed"]) == (len(kept), 0, 2)
    plain = mikebot(root, "render", "projects/doors", "--profile", "dry", env=env)
    assert plain.code == 1
    assert plain.err == "".join(
        f"failed  {step}\n  the paint has dried\n    buy some more\n" for step in failed_in(plain.err)
    )
    ending = f"0 made, {len(kept)} kept, 2 failed, {len(STEPS) - len(kept) - 2} not made because of that, in "
    assert plain.out.startswith(ending)


def failed_in(text: str) -> list[str]:
    """Both of the steps that failed, in the order in which they were told."""
    found = re.findall(r"^failed  (\S+)$", text, re.MULTILINE)
    assert sorted(found) == ["blue/still", "red/still"]
    return found


def test_an_interrupt_stops_cleanly_and_the_next_run_goes_on(tmp_path: Path) -> None:
    root = workspace(tmp_path)
    command = [*COMMAND, "render", "projects/doors", "--json"]
    pipe = subprocess.PIPE
    told = []
    interrupted = False
    with subprocess.Popen(command, cwd=root, env=environment(), stdout=pipe, stderr=pipe, encoding="utf-8") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            told.append(json.loads(line))
            if told[-1].get("state") == "built" and not interrupted:
                interrupted = True
                process.send_signal(signal.SIGINT)
        err = process.stderr.read()
    assert process.returncode == 130
    assert err == "mikebot: interrupted; what was finished is kept, and the next run goes on from there\n"
    ends = {line["step"]: line["state"] for line in told[:-1] if line["state"] not in {"started", "progress"}}
    assert "cancelled" in ends.values()
    finished = {step for step, state in ends.items() if state == "built"}
    *again, done = lines(mikebot(root, "render", "projects/doors", "--json").out)
    assert {line["step"] for line in again if line["state"] == "hit"} == finished
    assert done["built"] == len(STEPS) - len(finished)


def test_a_plan_is_one_object_of_this_shape(tmp_path: Path) -> None:
    """In tests/golden/plan.json, with figures as 0: what they are is measured elsewhere."""
    said = mikebot(workspace(tmp_path), "plan", "projects/doors", "--json")
    assert (said.code, said.err, said.out.count("\n")) == (0, "", 1)
    text = re.sub(r'("\w+_seconds"|"gigabytes"): [\d.e-]+', r"\1: 0", said.out)
    shape = json.dumps(json.loads(text), indent=1) + "\n"
    if os.environ.get("MIKEBOT_GOLDEN") == "write":
        GOLDEN.write_text(shape, encoding="utf-8")
    assert shape == GOLDEN.read_text("utf-8")


def test_a_plan_of_an_edit_says_what_changed(root: Path) -> None:
    board = root / "projects/doors/storyboard.yaml"
    board.write_text(BOARD.replace("pan left", "pan right"))
    plan = json.loads(mikebot(root, "plan", "projects/doors", "--json").out)
    states = {step["step"]: step["state"] for step in plan["steps"] if step["state"] != "hit"}
    assert states == {"blue/clip": "run", "blue/scene": "maybe", "film": "maybe"}
    reasons = {step["step"]: step["reasons"] for step in plan["steps"] if step["state"] != "hit"}
    assert reasons["blue/clip"] == ['prompt: "pan left" -> "pan right"']
    assert (plan["totals"]["hit"], plan["totals"]["run"], plan["totals"]["maybe"]) == (len(STEPS) - 3, 1, 2)
    assert mikebot(root, "why", "projects/doors", "blue/clip").out == (
        'blue/clip runs: prompt: "pan left" -> "pan right"\n'
    )


WRONG = BOARD.replace("blue door", "blue door\n    naration: x")
PLACE = {"file": "projects/doors/storyboard.yaml", "line": 14, "column": 5, "end_line": 14, "end_column": 13}


def test_check_speaks_to_people_to_editors_and_to_github(tmp_path: Path) -> None:
    root = workspace(tmp_path, WRONG)
    hint = (
        "known here: id, on_screen, narration, image_prompt, video_prompt, seed, take, hold, chapter, duration, "
        "pose, transition, show, image, video, audio"
    )
    message = "unknown key 'naration'; did you mean 'narration'?"
    text = f"{PLACE['file']}:14:5: {message}\n      naration: x\n      ^\n  {hint}\n"
    assert mikebot(root, "check", "projects/doors") == (2, "", text)
    objects = json.dumps([{**PLACE, "severity": "error", "message": message, "hint": hint}]) + "\n"
    assert mikebot(root, "check", "projects/doors", "--format", "json") == (2, objects, text)
    place = "line=14,col=5,endLine=14,endColumn=13"
    note = f"::error file={PLACE['file']},{place}::{message}%0A{hint}\n"
    assert mikebot(root, "check", "projects/doors", "--format", "github") == (2, note, "")


def test_check_is_silent_where_nothing_is_wrong_and_touches_no_store(tmp_path: Path) -> None:
    root = workspace(tmp_path)
    assert mikebot(root, "check", "projects/doors", "personas/mikebot") == (0, "", "")
    assert mikebot(root, "check", "projects/doors", "--format", "json") == (0, "[]\n", "")
    assert not (root / ".mikebot").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("render . --lanes x", "argument --lanes: must be a whole number of at least 1, not x"),
        ("render . --vram 0", "argument --vram: must be a number above 0, not 0"),
        ("watch . --port 70000", "argument --port: must be a whole number from 0 to 65535, not 70000"),
        ("gc --days -1", "argument --days: must be a number of at least 0, not -1"),
        ("gc --cap nan", "argument --cap: must be a number of at least 0, not nan"),
        ("verify --sample 1.5", "argument --sample: must be a whole number of at least 0, not 1.5"),
    ],
)
def test_a_number_that_cannot_be_is_refused_in_words(tmp_path: Path, words: str, said: str) -> None:
    answer = mikebot(tmp_path, *words.split())
    assert answer.code == 2
    assert answer.err.splitlines()[-1] == f"mikebot {words.split(maxsplit=1)[0]}: error: {said}"
