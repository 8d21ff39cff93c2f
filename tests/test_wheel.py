"""The wheel works by itself: what a checkout keeps beside the package is inside."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = (
    *("engine", "schemas", "personas/mikebot", "projects/hello"),
    *("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "NOTICE"),
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that the checkout stays as it is; with the setuptools that is here."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, folder / "source" / name)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    pip(["wheel", *options, str(folder / "source")])
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel; what it depends on is taken from this one."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    pip(["--python", str(python), "install", "--quiet", "--no-deps", "--no-index", str(wheel)])
    ours = next(folder.glob("lib/python*/site-packages"))
    (ours / "dependencies.pth").write_text("\n".join(site.getsitepackages()))
    return folder / "bin" / "mikebot"


POSES = ("happy", "pointing", "surprised", "thinking", "worried")


def test_schemas_profiles_fonts_and_licences_are_inside(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    wanted = {file: f"engine/{file.relative_to(ROOT)}" for file in sorted((ROOT / "schemas").glob("*.json"))}
    for folder in ("engine/profiles", "engine/fonts", "engine/preview/page", "engine/write/prompts"):
        wanted |= {file: str(file.relative_to(ROOT)) for file in sorted((ROOT / folder).iterdir())}
    for beside in (*(ROOT / "engine/write").glob("*.txt"), *(ROOT / "engine/train").glob("page.*")):
        wanted[beside] = str(beside.relative_to(ROOT))
    for part in ("personas/mikebot", "projects/hello"):
        files = [file for file in sorted((ROOT / part).rglob("*")) if file.is_file() and "build" not in file.parts]
        wanted |= {file: f"engine/starter/{file.relative_to(ROOT)}" for file in files}
    assert {name for file, name in wanted.items() if inside.get(name) != file.read_bytes()} == set()
    code = {str(file.relative_to(ROOT)) for file in (ROOT / "engine").rglob("*.py")}
    about = {name for name in inside if ".dist-info/" in name}
    assert set(inside) - about == code | set(wanted.values())
    assert {Path(name).name for name in about} >= {"LICENSE", "NOTICE"}


def test_init_check_and_render_anywhere(installed: Path, tmp_path: Path) -> None:
    def mikebot(*words: str) -> str:
        env = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "MIKEBOT_STORE"}}
        done = subprocess.run(
            [installed, *words], cwd=tmp_path, env=env, capture_output=True, encoding="utf-8", timeout=300, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert mikebot("init", "mine") == "made mine\nwatch it become a film: cd mine && mikebot render projects/hello\n"
    assert mikebot("check", "mine/projects/hello", "mine/personas/mikebot") == ""
    made = {str(file.relative_to(tmp_path / "mine")) for file in (tmp_path / "mine").rglob("*") if file.is_file()}
    assert made == {
        ".gitattributes",
        ".gitignore",
        "projects/hello/storyboard.yaml",
        "personas/mikebot/persona.yaml",
        *(f"personas/mikebot/poses/{pose}.png" for pose in POSES),
        "personas/mikebot/portrait.png",
        *(f"schemas/{name}.schema.json" for name in ("storyboard", "persona", "profile")),
    }
    board = tmp_path / "mine/projects/hello/storyboard.yaml"
    board.write_text(board.read_text("utf-8").replace("scenes:", "format: {width: 64, height: 36}\nscenes:", 1))
    out = mikebot("render", "mine/projects/hello")
    assert out.splitlines()[-1] == f"film    {tmp_path}/mine/projects/hello/build/hello.mp4"
    assert (tmp_path / "mine/projects/hello/build/hello.mp4").read_bytes()[4:8] == b"ftyp"
    code = "import engine, sys; print(engine.__file__.startswith(sys.prefix))"
    python = installed.with_name("python")
    inside = subprocess.run([python, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert inside.stdout == "True\n"


def test_init_leaves_what_is_there_alone(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "projects").mkdir()
    done = subprocess.run(
        [installed, "init", "."], cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    message = "mikebot: . already holds projects/\n  name another folder; nothing was changed\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)
    assert [file.name for file in tmp_path.iterdir()] == ["projects"]


def pip(words: list[str]) -> None:
    """Run this environment's pip; what it says is shown when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", *words], capture_output=True, encoding="utf-8", timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
