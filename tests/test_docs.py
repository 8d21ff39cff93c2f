"""What the pages say is so: their commands run, their examples work, their links lead somewhere."""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_kit import ROOT, environment, mikebot, stranger

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text("utf-8")
BACKEND_PAGE = (ROOT / "docs/write-a-backend.md").read_text("utf-8")
SMALL = "format: {width: 64, height: 36}\nscenes:"


def test_readme_shows_the_storyboard_of_hello() -> None:
    hello = (ROOT / "projects/hello/storyboard.yaml").read_text("utf-8").split("\n", 1)[1]
    assert hello == re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)[0]


def test_readmes_commands_say_what_readme_says(tmp_path: Path) -> None:
    """Figures aside, and with small pictures, which changes nothing else that is said."""
    root = tmp_path / "workspace"
    assert mikebot(tmp_path, "init", "workspace").code == 0
    board = root / "projects/hello/storyboard.yaml"
    board.write_text(board.read_text("utf-8").replace("scenes:", SMALL))
    assert mikebot(root, "render", "projects/hello").code == 0
    before, after = re.search(r'change "(Change .*?)" to "(Change .*?)"', README).groups()  # type: ignore[union-attr]
    board.write_text(board.read_text("utf-8").replace(before, after))
    session = only(README, "console")
    said = ""
    for command in re.findall(r"^\$ (.*)$", session, re.MULTILINE):
        words = shlex.split(command)
        assert words[0] == "mikebot"
        answer = mikebot(root, *words[1:])
        assert (answer.code, answer.err) == (0, "")
        said += f"$ {command}\n{answer.out.replace(f'{root}/', '')}"
    assert without_figures(said) == without_figures(session)


def test_readme_names_every_command_and_no_other() -> None:
    named = set(re.findall(r"^    mikebot (\S+)", README, re.MULTILINE))
    named |= set(re.findall(r"\| (\w+)", re.search(r"^    mikebot (gc .*?)   ", README, re.MULTILINE)[1]))  # type: ignore[index]
    there = {file.stem for file in (ROOT / "engine/commands").glob("*.py")} - {"__init__"}
    assert named == there
    for name in sorted(there):
        assert mikebot(ROOT, name, "--help").out.startswith(f"usage: mikebot {name} ")


@pytest.mark.parametrize("target", ["demo", "test", "check", "bench", "bench-gpu", "clean"])
def test_make_knows_what_the_pages_name(target: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_every_make_target_that_pages_name_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"(?:^    |`)make ([a-z-]+)", page.read_text("utf-8"), re.M)}
    assert {"demo", "test"} <= named <= targets


def test_a_strangers_backend_as_the_page_writes_it(tmp_path: Path) -> None:
    """Its files are taken from the page, installed as pip would, and used by the page's own commands."""
    root, packages = tmp_path / "workspace", tmp_path / "packages"
    assert mikebot(tmp_path, "init", "workspace").code == 0
    board = root / "projects/hello/storyboard.yaml"
    board.write_text(board.read_text("utf-8").replace("scenes:", SMALL))
    files = dict(re.findall(r"^`([^`\n]+)`[^`]*?:\n\n```\w+\n(.*?)```", BACKEND_PAGE, re.M | re.S))
    assert set(files) == {"stripes.py", "pyproject.toml", "profiles/stripes.yaml"}
    (root / "profiles").mkdir()
    (root / "profiles/stripes.yaml").write_text(files["profiles/stripes.yaml"])
    install(files, packages)
    env = environment(packages)
    for command in re.findall(r"^\$ mikebot (.*)$", BACKEND_PAGE, re.MULTILINE):
        said = mikebot(root, *shlex.split(command), env=env)
        assert (said.code, said.err) == (0, "")
    assert (root / "projects/hello/build/still/hello.png").read_bytes()[:4] == b"\x89PNG"
    assert (root / "projects/hello/build/hello.mp4").read_bytes()[4:8] == b"ftyp"
    listed = mikebot(root, "doctor", "--profile", "stripes", env=env).out
    assert "ok      still.stripes version 1 (writes image; knobs: stripes)\n" in listed


def test_the_strangers_backend_keeps_the_contract(tmp_path: Path) -> None:
    source = re.search(r"```python\n(.*?)```", BACKEND_PAGE, re.DOTALL)[1]  # type: ignore[index]
    entry = re.search(r"^\"still.stripes\" = .*$", BACKEND_PAGE, re.MULTILINE)[0]  # type: ignore[index]
    install({"stripes.py": source, "pyproject.toml": entry}, tmp_path)
    python = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(
        [*python, "tests/backends/test_contract.py", "-k", "stripes"],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d+ passed, \d+ deselected", done.stdout)


def test_the_page_of_the_language_follows_the_schemas() -> None:
    done = subprocess.run(
        [sys.executable, "tools/storyboard_docs.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_links_lead_somewhere() -> None:
    links = [(page, link) for page in PAGES for link in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))]
    assert (ROOT / "README.md", "docs/frame.jpg") in links
    broken = [(page.name, link) for page, link in links if "://" not in link and not (page.parent / link).exists()]
    assert broken == []


def test_files_that_pages_name_exist() -> None:
    named = [
        (page.name, name)
        for page in PAGES
        for name in re.findall(r"`((?:engine|docs|tests|tools|schemas|projects|personas)/[\w./-]+)`", page.read_text())
    ]
    assert ("architecture.md", "engine/plan.py") in named
    assert [(page, name) for page, name in named if not (ROOT / name).exists()] == []


def test_decisions_are_numbered_without_a_gap() -> None:
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        title, *paragraphs = page.read_text("utf-8").strip().split("\n\n")
        assert re.fullmatch(rf"# {page.name[:4]} \S.*", title)
        assert len(paragraphs) == 3  # Context, decision, consequence.


def test_the_frame_is_small_enough_to_load_at_once() -> None:
    frame = (ROOT / "docs/frame.jpg").read_bytes()
    assert frame[:3] == b"\xff\xd8\xff"
    assert len(frame) <= 150_000


def test_no_file_knows_the_machine_that_it_was_written_on() -> None:
    """No path of a home or a checkout, no name of a host."""
    host = socket.gethostname()
    marks = [rf"/{place}/\w" for place in ("home", "Users", "root", "work")]
    marks += [rf"\b{re.escape(host)}\b"] if re.search(r"\d", host) else []  # Others are words like any other.
    found = [
        f"{name}: {line.strip()}"
        for name, text in tracked()
        for line in text.splitlines()
        if any(re.search(mark, line) for mark in marks)
    ]
    assert found == []


def tracked() -> Iterator[tuple[str, str]]:
    """The files that belong to the repository, as text; what is not text is left out."""
    git = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(git, cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stdout.splitlines()
    assert "README.md" in names
    for name in names:
        if (ROOT / name).is_file() and (text := (ROOT / name).read_bytes()).count(b"\0") == 0:
            yield name, text.decode("utf-8", "replace")


def install(files: dict[str, str], packages: Path) -> None:
    """Lay the page's package out as pip does."""
    (entry,) = re.findall(r'^"([\w.]+)" = "([\w.]+:\w+)"$', files["pyproject.toml"], re.MULTILINE)
    stranger(packages, " = ".join(entry), "stripes", files["stripes.py"])


def only(page: str, language: str) -> str:
    """The one block of a language on a page."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    return str(block)


def without_figures(text: str) -> str:
    """Times, sizes and levels as #; what is built at the same time in one order."""
    text = re.sub(r"-?\d+(\.\d+)? (s|min|GB|MB|kB|LUFS|dBTP)\b", r"# \2", text)
    text = re.sub(r"# s to # s", "# s", re.sub(r" +", " ", text))
    return "\n".join(line for _, line in sorted(map(ranked, enumerate(text.splitlines()))))


def ranked(numbered: tuple[int, str]) -> tuple[tuple[int, str], str]:
    """Lines stay where they are, but those of one run that say what was built."""
    number, line = numbered
    return ((10_000, line) if line.startswith("built ") else (number, "")), line
