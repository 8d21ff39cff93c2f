"""A storyboard in git: what `mikebot diff` says of its revisions, and that nothing is rendered twice or run unasked."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import media_kit
import pytest
from command_kit import BOARD, COMMAND, ROOT, environment, lines, mikebot, workspace
from git_kit import DOORS, changed, commit, diff, edit, git, repository

PAGE = (ROOT / "docs/git.md").read_text("utf-8")
HELLO = Path("projects/hello/storyboard.yaml")
RED, BLUE = "a red door", "a blue door"


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one commit, and its film rendered."""
    root = repository(tmp_path_factory.mktemp("committed") / "workspace")
    assert mikebot(root, "render", "projects/doors").code == 0
    return root


@pytest.fixture
def root(committed: Path, tmp_path: Path) -> Path:
    """A copy of it, to do with as one likes."""
    return shutil.copytree(committed, tmp_path / "workspace", symlinks=True)


def refused(root: Path, *words: str, path: str = "projects/doors") -> str:
    """What is said to a diff that cannot be made; with --json, too."""
    said = mikebot(root, "diff", path, *words)
    assert (said.code, said.out) == (2, "")
    assert mikebot(root, "diff", "--json", path, *words) == said
    return said.err


def test_a_word_and_what_it_runs(root: Path) -> None:
    edit(root, "This door is red", "This door is crimson")
    said = mikebot(root, "diff", "projects/doors")
    assert (said.code, said.err) == (0, "")
    *told, total = re.sub(r"\d+(\.\d+)? (s|MB)", r"# \2", said.out).splitlines()
    assert told == [
        "film",
        "  may run  film # s",
        "scene red",
        "  narration: This door is [-red-]{+crimson+}.",
        "  runs     speech # s",
        "  may run  narration # s, clip # s, talk # s, scene # s, sound # s",
    ]
    assert total.replace("# s to # s", "# s") == "7 kept, 1 to run, 6 that may; about # s, # MB"


def states(found: dict[str, Any]) -> dict[str, str]:
    """The steps that a diff says run or may, each under its scene."""
    steps = [*found["film"]["steps"], *(step for scene in found["scenes"] for step in scene["steps"])]
    for scene in found["scenes"]:
        assert all(step["step"].startswith(f"{scene['id']}/") for step in scene["steps"])
    return {step["step"]: step["state"] for step in steps}


EDITS = {
    "the title": ("Two doors", "Two gates"),
    "an image prompt": (RED, "a green gate"),
    "a narration": ("This door is red.", "This door is as red as a fire engine, and it is mine."),
    "a video prompt": ("pan left", "pull back"),
    "the loudness": ("title: Two doors", "title: Two doors\nloudness: -20"),
}


@pytest.mark.parametrize("name", EDITS)
def test_what_diff_says_runs_is_what_plan_says_and_what_render_runs(root: Path, name: str) -> None:
    edit(root, *EDITS[name])
    found = diff(root)
    plan = json.loads(mikebot(root, "plan", "projects/doors", "--json").out)
    assert found["totals"] == plan["totals"]
    said = states(found)
    assert said == {step["step"]: step["state"] for step in plan["steps"] if step["state"] != "hit"}
    *events, done = lines(mikebot(root, "render", "projects/doors", "--json").out)
    built = {event["step"] for event in events if event["state"] == "built"}
    runs = {step for step, state in said.items() if state == "run"}
    assert runs
    assert runs <= built <= said.keys()
    assert found["totals"]["run"] <= done["built"] <= found["totals"]["run"] + found["totals"]["maybe"]
    after = diff(root)
    assert (states(after), changed(after)) == ({}, changed(found))


def test_what_was_never_made_is_not_laid_to_the_change(tmp_path: Path) -> None:
    """In an empty store everything runs; only the steps of the edited scene differ from those of HEAD."""
    root = repository(tmp_path / "workspace")
    edit(root, RED, "a green door")
    found = diff(root)
    steps = [*found["film"]["steps"], *(step for scene in found["scenes"] for step in scene["steps"])]
    assert {step["step"] for step in steps if not step["anyway"]} == {
        *("red/still", "red/clip", "red/talk", "red/scene", "film")
    }
    assert {step["step"] for step in steps if step["anyway"]} == {
        *("red/speech", "red/narration", "red/sound", "blue/speech", "blue/narration", "blue/still", "blue/clip"),
        *("blue/scene", "blue/sound"),
    }
    assert (
        "\n9 more steps run whatever changed, not having been made yet: " in mikebot(root, "diff", "projects/doors").out
    )


def test_a_renamed_scene_runs_nothing_and_a_moved_one_the_film(root: Path) -> None:
    edit(root, "id: red", "id: crimson")
    found = diff(root)
    assert [(scene["id"], scene["was"], scene["changes"]) for scene in found["scenes"]] == [("crimson", "red", [])]
    assert states(found) == {}
    head, red, blue = (root / DOORS).read_text().split("  - id: ")
    (root / DOORS).write_text(f"{head}  - id: {blue}  - id: {red}")
    found = diff(root)
    assert [scene["id"] for scene in found["scenes"] if scene["moved"]] == ["blue"]
    assert states(found) == {"film": "run"}


def test_formatting_alone(root: Path) -> None:
    text = (root / DOORS).read_text()
    (root / DOORS).write_text(f"# A comment.\n{text}".replace(RED, f'"{RED}"  # Quoted.'))
    edit(root, "name: Mikebot", "name: 'Mikebot'", Path("personas/mikebot/persona.yaml"))
    said = mikebot(root, "diff", "projects/doors")
    assert said.out == (
        "nothing changed in meaning\n"
        "projects/doors/storyboard.yaml is only written differently: nothing in it changed in meaning\n"
        "personas/mikebot/persona.yaml is only written differently: nothing in it changed in meaning\n"
        "14 kept, 0 to run, 0 that may: nothing to do\n"
    )
    found = diff(root)
    assert (found["changed"], found["scenes"]) == (False, [])
    assert found["formatting"] == ["projects/doors/storyboard.yaml", "personas/mikebot/persona.yaml"]


def test_nothing_at_all(root: Path) -> None:
    said = mikebot(root, "diff", "projects/doors")
    assert said == (0, "nothing changed\n14 kept, 0 to run, 0 that may: nothing to do\n", "")


def test_the_object_that_json_prints(root: Path) -> None:
    head = git(root, "rev-parse", "HEAD").strip()
    edit(root, "Two doors", "Two gates")
    found = diff(root)
    (step,) = found["film"].pop("steps")
    assert 0 <= step.pop("estimate_seconds") < 60
    assert step == {"step": "film", "kind": "film", "state": "run", "anyway": False}
    totals = found.pop("totals")
    assert (totals["hit"], totals["run"], totals["maybe"]) == (13, 1, 0)
    assert found == {
        "storyboard": "projects/doors/storyboard.yaml",
        "old": {"revision": "HEAD", "commit": head, "there": True},
        "new": {"revision": None, "commit": None, "there": True},
        "changed": True,
        "formatting": [],
        "notes": [],
        "film": {
            "changes": [
                {
                    "field": "title",
                    "form": "words",
                    "old": "Two doors",
                    "new": "Two gates",
                    "pieces": [["same", "Two "], ["old", "doors"], ["new", "gates"]],
                }
            ]
        },
        "persona": {"changes": []},
        "profile": {"changes": []},
        "scenes": [],
    }


def test_two_revisions_and_the_working_file_is_neither(root: Path) -> None:
    first = git(root, "rev-parse", "HEAD").strip()
    edit(root, RED, "a green door")
    git(root, "tag", "green", commit(root, "Green"))
    edit(root, "a green door", "a yellow door")
    yellow = commit(root, "Yellow")
    edit(root, "a yellow door", "a black door")
    edit(root, BLUE, "a white door")
    there = {
        ("HEAD~2", "green"): {"red.image_prompt": (RED, "a green door")},
        ("green", "HEAD"): {"red.image_prompt": ("a green door", "a yellow door")},
        (first[:10], yellow): {"red.image_prompt": (RED, "a yellow door")},
        ("main", "HEAD~1"): {"red.image_prompt": ("a yellow door", "a green door")},
        ("HEAD", "main"): {},
        ("HEAD",): {"red.image_prompt": ("a yellow door", "a black door"), "blue.image_prompt": (BLUE, "a white door")},
        (): {"red.image_prompt": ("a yellow door", "a black door"), "blue.image_prompt": (BLUE, "a white door")},
    }
    assert {words: changed(diff(root, *words)) for words in there} == there


def test_two_revisions_of_a_storyboard_that_is_gone(root: Path) -> None:
    edit(root, RED, "a green door")
    commit(root)
    git(root, "rm", "--quiet", "-r", "projects/doors")
    (root / "projects").mkdir(exist_ok=True)
    assert changed(diff(root, "HEAD~1", "HEAD")) == {"red.image_prompt": (RED, "a green door")}
    commit(root, "Remove it")
    assert refused(root, "HEAD~1", "HEAD") == (
        "mikebot: projects/doors/storyboard.yaml is not in HEAD\n  name a revision that has it\n"
    )
    assert refused(root) == (
        "mikebot: there is no storyboard projects/doors/storyboard.yaml\n  name a storyboard or its folder\n"
    )


def test_a_persona_and_its_picture(root: Path) -> None:
    persona = Path("personas/mikebot/persona.yaml")
    edit(root, "pitch: 45", "pitch: 60", persona)
    media_kit.drawn(root / "personas/mikebot/portrait.png", (48, 56))
    said = mikebot(root, "diff", "projects/doors").out
    assert (
        "persona\n  portrait.image: personas/mikebot/portrait.png has other bytes\n  voice.espeak.pitch: 45 -> 60\n"
    ) in said
    assert "scene blue\n  runs     speech" in said


def test_another_persona(root: Path) -> None:
    shutil.copytree(root / "personas/mikebot", root / "personas/twin")
    edit(root, "persona: mikebot", "persona: twin")
    found = diff(root)
    assert changed(found) == {"film.persona": ("mikebot", "twin")}
    assert states(found) == {}


def test_a_renamed_persona_is_compared_with_what_it_was(root: Path) -> None:
    """Its files are where it is now: they are told where they have other bytes, not because they moved."""
    git(root, "mv", "personas/mikebot", "personas/robo")
    edit(root, "persona: mikebot", "persona: robo")
    said = mikebot(root, "diff", "projects/doors").out
    assert said.startswith(
        "film\n  persona: mikebot -> robo\n  robo is mikebot under another name: nothing else in the persona changed\n"
    )
    edit(root, "pitch: 45", "pitch: 60", Path("personas/robo/persona.yaml"))
    media_kit.drawn(root / "personas/robo/portrait.png", (48, 56))
    commit(root)
    for revisions, pitches in ((("HEAD~1", "HEAD"), (45, 60)), (("HEAD", "HEAD~1"), (60, 45))):
        found = changed(diff(root, *revisions))
        assert found["persona.voice.espeak.pitch"] == pitches
        assert {field for field in found if field.startswith("persona.")} == {
            *("persona.portrait.image", "persona.voice.espeak.pitch")
        }
    said = mikebot(root, "diff", "projects/doors", "HEAD~1", "HEAD").out
    assert "\npersona\n  portrait.image: personas/robo/portrait.png has other bytes\n" in said


def test_a_profile_and_the_one_that_it_extends(root: Path) -> None:
    (root / "profiles").mkdir()
    (root / "profiles/slow.yaml").write_text("name: slow\nextends: base\n")
    (root / "profiles/base.yaml").write_text("name: base\nextends: draft\nkinds: {clip: {limits: {seconds: 6}}}\n")
    assert "profiles/slow.yaml is not in HEAD: the working file is used" in diff(root, "--profile", "slow")["notes"]
    commit(root)
    edit(root, "seconds: 6", "seconds: 1.2", Path("profiles/base.yaml"))
    assert changed(diff(root, "--profile", "slow")) == {"profile.kinds.clip.limits.seconds": (6, 1.2)}
    assert changed(diff(root)) == {}


def test_a_profile_of_ones_own_in_place_of_mikebots(root: Path) -> None:
    (root / "profiles").mkdir()
    shipped = (ROOT / "engine/profiles/draft.yaml").read_text()
    (root / "profiles/draft.yaml").write_text(shipped)
    found = diff(root)
    assert (changed(found), found["notes"]) == ({}, [])
    edit(root, "pace: 0.0004", "pace: 1", Path("profiles/draft.yaml"))
    assert changed(diff(root)) == {"profile.kinds.speech.limits.pace": (0.0004, 1)}
    assert mikebot(root, "diff", "projects/doors").out.startswith("profile\n  kinds.speech.limits.pace: 0.0004 -> 1\n")


def test_the_storyboard_was_not_there_yet(root: Path) -> None:
    (root / "projects/gates").mkdir()
    (root / "projects/gates/storyboard.yaml").write_text(BOARD)
    found = diff(root, path="projects/gates")
    assert found["notes"] == ["projects/gates/storyboard.yaml is not in HEAD: all of it is new"]
    assert found["old"]["there"] is False
    assert [(scene["id"], scene["state"]) for scene in found["scenes"]] == [("red", "added"), ("blue", "added")]


def test_a_revision_with_mistakes(root: Path) -> None:
    good = (root / DOORS).read_text()
    edit(root, "on_screen: true", "on_screen: maybe")
    edit(root, "pitch: 45", "pich: 45", Path("personas/mikebot/persona.yaml"))
    commit(root, "Broken")
    (root / DOORS).write_text(good)
    edit(root, "pich: 45", "pitch: 45", Path("personas/mikebot/persona.yaml"))
    assert refused(root) == (
        "HEAD:personas/mikebot/persona.yaml:12:26: espeak has no knob 'pich'; did you mean 'pitch'?\n"
        "    espeak: {voice: en-gb, pich: 45, rate: 165}\n"
        "                           ^\n"
        "  its knobs: voice, rate, pitch, intonation, gap\n"
        "HEAD:projects/doors/storyboard.yaml:6:16: on_screen must be true or false, not the text 'maybe'\n"
        "      on_screen: maybe\n"
        "                 ^\n"
        "  write true or false, without quotes\n"
        "  HEAD cannot be compared; name a revision without mistakes\n"
    )
    assert changed(diff(root, "HEAD~1")) == {}
    edit(root, "title: Two doors", "titel: Two doors")
    assert refused(root, "HEAD~1").startswith("projects/doors/storyboard.yaml:1:1: ")


def test_a_detached_head_and_a_worktree(root: Path, tmp_path: Path) -> None:
    edit(root, RED, "a green door")
    commit(root)
    git(root, "checkout", "--quiet", "--detach", "HEAD~1")
    edit(root, BLUE, "a white door")
    assert changed(diff(root)) == {"blue.image_prompt": (BLUE, "a white door")}
    assert changed(diff(root, "main")) == {
        "red.image_prompt": ("a green door", RED),
        "blue.image_prompt": (BLUE, "a white door"),
    }
    git(root, "worktree", "add", "--quiet", str(tmp_path / "tree"), "main")
    edit(tmp_path / "tree", "a green door", "a black door")
    assert changed(diff(tmp_path / "tree")) == {"red.image_prompt": ("a green door", "a black door")}


def test_in_a_hook_git_says_where_the_repository_is(root: Path) -> None:
    edit(root, RED, "a green door")
    said = mikebot(root, "diff", "projects/doors", "--json", env=environment() | {"GIT_DIR": ".git"})
    assert (said.code, said.err) == (0, "")
    assert changed(json.loads(said.out)) == {"red.image_prompt": (RED, "a green door")}


def test_a_repository_above_the_workspace_and_names_of_all_sorts(tmp_path: Path) -> None:
    top = tmp_path / "Filme & mehr"
    root = repository(top / "drei Türen 三", top)
    project = root / "projects" / "über [die] 'Tür' *"
    shutil.copytree(root / "projects/doors", project)
    edit(project, f"image_prompt: {BLUE}", "image: 'ein Bild é.png'", Path("storyboard.yaml"))
    media_kit.drawn(project / "ein Bild é.png")
    commit(top)
    edit(project, RED, "a green door", Path("storyboard.yaml"))
    media_kit.drawn(project / "ein Bild é.png", colour=(1, 2, 3))
    path = f"projects/{project.name}"
    assert set(changed(diff(root, path=path))) == {"red.image_prompt", "blue.image"}
    assert diff(root, path=path)["notes"] == []
    assert set(changed(diff(project, path="."))) == {"red.image_prompt", "blue.image"}
    edit(project, "on_screen: true", "on_screen: ja", Path("storyboard.yaml"))
    commit(top)
    edit(project, "on_screen: ja", "on_screen: true", Path("storyboard.yaml"))
    place = f"HEAD:drei Türen 三/projects/{project.name}/storyboard.yaml:6:16: "
    assert refused(root, path=path).startswith(place)


def test_a_repository_of_one_project(tmp_path: Path) -> None:
    """Its root lies below the workspace's: the persona is in no repository, and its working file is used."""
    root = workspace(tmp_path / "workspace")
    git(root / "projects/doors", "init")
    commit(root / "projects/doors")
    edit(root, RED, "a green door")
    found = diff(root)
    assert changed(found) == {"red.image_prompt": (RED, "a green door")}
    assert "personas/mikebot/persona.yaml is not in HEAD: the working file is used" in found["notes"]
    assert "personas/mikebot/portrait.png is not in HEAD: the working file is used" in found["notes"]


def test_a_file_that_git_ignores(root: Path) -> None:
    edit(root, f"image_prompt: {BLUE}", "image: big.png")
    media_kit.drawn(root / "projects/doors/big.png")
    (root / ".gitignore").write_text(".mikebot/\nprojects/*/build/\nbig.png\n")
    commit(root)
    media_kit.drawn(root / "projects/doors/big.png", colour=(1, 2, 3))
    found = diff(root)
    assert (found["changed"], found["notes"]) == (
        False,
        ["projects/doors/big.png is not in HEAD: the working file is used"],
    )


def test_a_picture_behind_a_link(root: Path) -> None:
    (root / "shared").mkdir()
    media_kit.drawn(root / "shared/door.png")
    (root / "projects/doors/pictures").symlink_to("../../shared")
    (root / "projects/doors/out.png").symlink_to("/etc/hostname")
    edit(root, f"image_prompt: {BLUE}", "image: pictures/door.png")
    commit(root)
    media_kit.drawn(root / "shared/door.png", colour=(1, 2, 3))
    found = diff(root)
    assert (list(changed(found)), found["notes"]) == (["blue.image"], [])
    edit(root, "pictures/door.png", "out.png")
    commit(root)
    edit(root, "out.png", "pictures/door.png")
    assert refused(root).startswith("HEAD:projects/doors/storyboard.yaml:13:12: image: there is no file 'out.png'")


def pointer(content: bytes) -> bytes:
    """What Git LFS commits in place of a file."""
    digest = hashlib.sha256(content).hexdigest()
    return f"version https://example.org/spec/v1\noid sha256:{digest}\nsize {len(content)}\n".encode()


def test_a_picture_kept_by_git_lfs(root: Path) -> None:
    edit(root, f"image_prompt: {BLUE}", "image: big.png")
    file = root / "projects/doors/big.png"
    before = media_kit.drawn(file).read_bytes()
    file.write_bytes(pointer(before))
    commit(root)
    file.write_bytes(before)
    found = diff(root)
    assert (changed(found), found["notes"]) == ({}, [])
    media_kit.drawn(file, colour=(1, 2, 3))
    found = diff(root)
    what = "is kept by Git LFS, which has not brought it as of HEAD: the working file is used"
    assert (changed(found), found["notes"]) == ({}, [f"projects/doors/big.png {what}"])
    digest = hashlib.sha256(before).hexdigest()
    kept = root / ".git/lfs/objects" / digest[:2] / digest[2:4] / digest
    kept.parent.mkdir(parents=True)
    kept.write_bytes(before)
    found = diff(root)
    assert (list(changed(found)), found["notes"]) == (["blue.image"], [])


def test_a_clone_that_lacks_old_pictures(root: Path, tmp_path: Path) -> None:
    """What git would fetch is not fetched: that runs programs which a repository may name."""
    edit(root, f"image_prompt: {BLUE}", "image: door.png")
    media_kit.drawn(root / "projects/doors/door.png")
    commit(root)
    media_kit.drawn(root / "projects/doors/door.png", colour=(1, 2, 3))
    commit(root)
    git(root, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", root.as_uri(), "clone")
    clone = tmp_path / "clone"
    assert changed(diff(clone)) == {}
    assert refused(clone, "HEAD~1") == (
        "mikebot: this clone does not hold HEAD~1:projects/doors/door.png\n"
        "  bring it with: git cat-file -e 'HEAD~1:projects/doors/door.png'\n"
    )
    git(clone, "cat-file", "-e", "HEAD~1:projects/doors/door.png")
    assert list(changed(diff(clone, "HEAD~1"))) == ["blue.image"]


def test_what_is_no_repository(tmp_path: Path) -> None:
    root = workspace(tmp_path)
    assert refused(root) == "mikebot: projects/doors is in no git repository\n  make one with: git init\n"
    git(root, "init")
    assert refused(root) == ("mikebot: this repository has no commit yet\n  commit once: git add . && git commit\n")


def test_without_git(root: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    said = mikebot(root, "diff", "projects/doors", env=environment() | {"PATH": str(tmp_path / "bin")})
    assert said == (2, "", "mikebot: git is not installed\n  install it, or put it on the PATH\n")


@pytest.mark.parametrize("name", ["nosuch", "HEAD~99", "HEAD:projects", "HEAD..HEAD", "v1^{tree}", ":/nothing", "a b"])
def test_what_names_no_revision(root: Path, name: str) -> None:
    said = f"mikebot: unknown revision '{name}'\n  see: git log --oneline, git branch, git tag\n"
    assert refused(root, name) == said
    assert refused(root, "HEAD", name) == said


@pytest.mark.parametrize("name", ["--output=x", "-x", "--upload-pack=touch x", "", "a\nb"])
def test_a_revision_that_looks_like_an_option(root: Path, name: str) -> None:
    for words in (["--", name], ["--", "HEAD", name]):
        said = mikebot(root, "diff", "projects/doors", *words)
        assert (said.code, said.out) == (2, "")
        shown = name.replace("\n", "\\n")
        assert said.err == f"mikebot: '{name}' is no revision\n  name a commit, a branch or a tag, such as HEAD~1\n", (
            shown
        )
    assert not (root / "x").exists()


def test_a_storyboard_named_like_an_option(tmp_path: Path) -> None:
    root = workspace(tmp_path / "workspace")
    project = root / "projects/doors"
    (project / "--output=x.yaml").write_text(BOARD)
    (project / ":(exclude)y.yaml").write_text(BOARD)
    git(project, "init")
    commit(project)
    for name in ("--output=x.yaml", ":(exclude)y.yaml"):
        edit(project, RED, "a green door", Path(name))
        said = mikebot(project, "diff", "--json", "--", name)
        assert (said.code, said.err) == (0, "")
        assert changed(json.loads(said.out)) == {"red.image_prompt": (RED, "a green door")}
    assert {file.name for file in project.iterdir()} == {
        *(".git", "storyboard.yaml", "--output=x.yaml", ":(exclude)y.yaml")
    }


def test_nothing_that_a_repository_names_is_run(root: Path, tmp_path: Path) -> None:
    """Each of these programs would leave a mark; git's own diff, for comparison, runs some of them."""
    mark, program = tmp_path / "mark", tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho \"$0 $*\" >> '{mark}'\ncat\n")
    program.chmod(0o755)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-checkout", "post-index-change", "fsmonitor-watchman", "reference-transaction", "pre-commit"):
        shutil.copy(program, hooks / name)
    edit(root, RED, "a green door")
    commit(root)
    edit(root, "a green door", "a black door")
    for key in (
        *("core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass", "diff.external"),
        *("diff.evil.textconv", "diff.evil.command", "filter.evil.clean", "filter.evil.smudge", "filter.evil.process"),
        *(
            "gpg.program",
            "credential.helper",
            "pager.rev-parse",
            "pager.ls-tree",
            "pager.cat-file",
            "merge.evil.driver",
        ),
    ):
        git(root, "config", key, str(program))
    git(root, "config", "core.hooksPath", str(hooks))
    git(root, "config", "alias.cat-file", f"!{program}")
    (root / ".gitattributes").write_text("* diff=evil filter=evil merge=evil\n")
    git(root, "-c", "core.fsmonitor=false", "diff", "--ext-diff", "--textconv", check=False)
    assert mark.exists()
    mark.unlink()
    for words in ((), ("HEAD~1",), ("HEAD~1", "HEAD")):
        found = diff(root, *words)
        assert set(changed(found)) == {"red.image_prompt"}
    refused(root, "nosuch")
    assert not mark.exists()


def test_nothing_is_left_behind(root: Path, tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    aside.mkdir()
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*") if ".mikebot" not in path.parts}
    env = environment() | {"TMPDIR": str(aside), "HOME": str(aside)}
    for words in ((), ("HEAD", "HEAD"), ("nosuch",)):
        mikebot(root, "diff", "projects/doors", *words, env=env)
    assert list(aside.iterdir()) == []
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*") if ".mikebot" not in path.parts} == before


@pytest.mark.parametrize(("further", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colours_are_for_terminals(root: Path, further: dict[str, str], coloured: bool) -> None:
    edit(root, RED, "a green door")
    env = {name: value for name, value in environment().items() if name != "NO_COLOR"} | {"TERM": "xterm"} | further
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "diff", "projects/doors"], cwd=root, env=env, stdin=subprocess.DEVNULL, stdout=follower
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
    assert (b"\x1b[31m[-red-]\x1b[0m\x1b[32m{+green+}\x1b[0m" in text) is coloured
    assert (b"\x1b" in text) is coloured
    assert "\x1b" not in mikebot(root, "diff", "projects/doors").out


def test_checking_an_older_version_out_renders_nothing_again(root: Path) -> None:
    first = git(root, "rev-parse", "HEAD").strip()
    film = root / "projects/doors/build/doors.mp4"
    before = hashlib.sha256(film.read_bytes()).hexdigest()
    edit(root, RED, "a green gate")
    edit(root, "That one is blue.", "The other one is as blue as the sea.")
    edit(root, "pitch: 45", "pitch: 60", Path("personas/mikebot/persona.yaml"))
    commit(root)
    *_, done = lines(mikebot(root, "render", "projects/doors", "--json").out)
    assert done["built"] > 0
    assert hashlib.sha256(film.read_bytes()).hexdigest() != before
    for version in (first, "main", first):
        git(root, "checkout", "--quiet", version)
        *events, done = lines(mikebot(root, "render", "projects/doors", "--json").out)
        assert {event["state"] for event in events} == {"hit"}
        assert (done["built"], done["hits"]) == (0, len(events))
    assert hashlib.sha256(film.read_bytes()).hexdigest() == before


def test_a_merge_that_conflicts_is_told_as_one(root: Path) -> None:
    git(root, "checkout", "--quiet", "-b", "green")
    edit(root, RED, "a green door")
    edit(root, "Two doors", "Green doors")
    commit(root)
    git(root, "checkout", "--quiet", "main")
    edit(root, RED, "a yellow door")
    edit(root, "Two doors", "Yellow doors")
    commit(root)
    git(root, "merge", "green", check=False)
    said = mikebot(root, "check", "projects/doors")
    conflict = "a merge conflict begins here: 'HEAD' and 'green' changed the same lines\n  <<<<<<< HEAD\n  ^\n"
    advice = "  choose one side, remove the three marker lines\n"
    board = "projects/doors/storyboard.yaml"
    assert said == (2, "", f"{board}:1:1: {conflict}{advice}{board}:12:1: {conflict}{advice}")
    assert refused(root) == said.err


@pytest.mark.parametrize("style", ["diff3", "zdiff3"])
def test_a_merge_that_shows_the_base_too(root: Path, style: str) -> None:
    git(root, "checkout", "--quiet", "-b", "green")
    edit(root, RED, "a green door")
    commit(root)
    git(root, "checkout", "--quiet", "main")
    edit(root, RED, "a yellow door")
    commit(root)
    git(root, "-c", f"merge.conflictStyle={style}", "merge", "green", check=False)
    said = mikebot(root, "check", "projects/doors", "--format", "json")
    assert "||||||| " in (root / DOORS).read_text()
    (found,) = json.loads(said.out)
    assert (found["line"], found["column"], found["end_line"], found["end_column"]) == (8, 1, 8, 13)
    assert found["message"] == "a merge conflict begins here: 'HEAD' and 'green' changed the same lines"


def hello(root: Path) -> Path:
    """The workspace that `mikebot init` makes, with small pictures, committed."""
    assert mikebot(root.parent, "init", root.name).code == 0
    edit(root, "scenes:", "format: {width: 64, height: 36}\nscenes:", HELLO)
    git(root, "init")
    commit(root)
    return root


def without_figures(text: str) -> str:
    return re.sub(r"# s to # s", "# s", re.sub(r"\d+(\.\d+)? (s|min|kB|MB)\b", r"# \2", text))


def test_what_the_page_shows_of_a_diff(tmp_path: Path) -> None:
    root = hello(tmp_path / "films")
    assert mikebot(root, "render", "projects/hello").code == 0
    (edits,) = re.findall(r"```diff\n(.*?)```", PAGE, re.DOTALL)
    pairs = re.findall(r"^-(.*)\n\+(.*)\n", edits, re.MULTILINE)
    assert len(pairs) == edits.count("\n") / 2
    for before, after in pairs:
        edit(root, before, after, HELLO)
    command, expected = re.findall(r"```console\n\$ mikebot (.*)\n((?s:.*?))```", PAGE)[0]
    said = mikebot(root, *shlex.split(command))
    assert (said.code, said.err) == (0, "")
    assert without_figures(said.out) == without_figures(expected)


def test_what_the_page_shows_of_a_conflict(tmp_path: Path) -> None:
    root = hello(tmp_path / "films")
    for branch, light in (("evening", "evening light"), ("main", "noon light")):
        git(root, "checkout", "--quiet", *(["-b", branch] if branch != "main" else [branch]))
        edit(root, "morning light", light, HELLO)
        commit(root)
    git(root, "merge", "evening", check=False)
    command, expected = re.findall(r"```console\n\$ mikebot (.*)\n((?s:.*?))```", PAGE)[1]
    assert mikebot(root, *shlex.split(command)) == (2, "", expected)


def test_the_page_names_every_key_of_the_object(root: Path) -> None:
    edit(root, RED, "a green door")
    media_kit.drawn(root / "personas/mikebot/portrait.png", (48, 56))
    found = diff(root)
    change, step = found["scenes"][0]["changes"][0], found["scenes"][0]["steps"][0]
    (portrait,) = found["persona"]["changes"]
    keys = {*found, *found["old"], *found["film"], *found["scenes"][0], *change, *step, *portrait["old"]}
    assert [key for key in sorted(keys) if f"`{key}`" not in PAGE] == []


def test_more_revisions_than_two(root: Path) -> None:
    said = "mikebot: 3 revisions are named\n  name one, or two to compare with each other\n"
    assert refused(root, "HEAD", "HEAD", "HEAD") == said
