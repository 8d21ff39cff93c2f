"""Imports run one way, in no circle, and what is heavy is imported by those alone who need it."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# A module imports from its own row and from those above. `backends` is all that is in that folder, and so on.
LAYERS = (
    {
        "errors",
        "storyboard",
        "kinds",
        "sentences",
        "seal",
        "syntax",
        "compose",
        "probe",
        "likeness",
        "frame",
        "words",
        "__init__",
    },
    {"graph", "document", "digests", "disk", "effort", "ledger", "ledger_file", "implied", "formats", "diff", "models"},
    {"naming", "authored"},
    {"schema", "explain", "given_files", "meaning", "places", "plan_picture", "store", "backends", "trust"},
    {"plan_sound"},
    {"plan"},
    {"glyphs"},
    {"show_mistakes", "lettering"},
    {"knobs", "profile", "load", "resolve", "wanted"},
    {"hub"},
    {"bench", "fetch", "perform", "build", "forecast", "why", "estimate", "sweep", "recall", "project", "git"},
    {"revision", "diff_steps"},
    {"executors", "worker"},
    {"links", "unsaved", "inplace", "splice", "view"},
    {
        "report",
        "checkout",
        "remarks",
        "delivery",
        "diff_report",
        "introduced",
        "preview",
        "watch",
        "saves",
        "news",
        "session",
        "write",
        "train",
        "checkup",
    },
    {"commands", "cli"},
)

# These may import less than their row would let them: all that they may is here.
NARROW = {
    "errors": set(),
    "storyboard": set(),
    "kinds": set(),
    "graph": set(),
    "plan": {"graph", "implied", "kinds", "sentences", "storyboard", "naming", "plan_picture", "plan_sound"},
    "plan_picture": {"frame", "graph", "implied", "kinds", "naming", "storyboard"},
    "plan_sound": {"graph", "implied", "kinds", "naming", "plan_picture", "storyboard"},
    "implied": {"kinds", "sentences", "storyboard"},
    "build": {"errors", "graph", "resolve", "store"},
    "backends": {"__init__", "errors", "frame", "kinds", "models", "probe", "backends"},
    "models": {"errors", "models"},
    "worker": {"bench", "errors", "graph", "perform", "store", "trust"},
    "executors": {"bench", "errors", "graph", "perform", "store", "worker", "trust", "executors"},
    "trust": {"backends", "digests", "document", "errors", "probe", "storyboard", "trust"},
    "cli": {"errors", "__init__"},
    "preview": {"errors", "preview"},
    "watch": {"digests"},
}

# Who may import what is not in the standard library.
OUTSIDE = {
    "yaml": {"compose", "document", "backends"},
    "jsonschema": {"explain"},
    "av": {"backends", "probe", "likeness", "train"},
    "numpy": {"backends", "likeness", "models", "train", "write"},
    "cv2": {"backends", "models"},
    "PIL": {"backends", "probe"},
    "espeakng_loader": {"backends"},
    "moviepy": {"backends"},
    "pocketsphinx": {"backends"},
    "pygments": {"backends"},
    "budoux": {"backends"},
    "nemo_text_processing": {"backends"},
    "regex": {"backends"},
    "starlette": {"preview"},
    "uvicorn": {"preview"},
    "watchdog": {"watch"},
    "httpx": {"write"},
    "huggingface_hub": {"hub"},
    "jinja2": {"write", "backends", "train"},
    "llguidance": {"write"},
    "markdown_it": {"write"},
    "pypdf": {"write"},
    "torch": {"write", "backends", "models"},
    "psutil": {"backends"},
    "transformers": {"write", "backends", "models"},
    "safetensors": {"models"},
    "diffusers": {"backends", "models"},
}


def test_every_module_has_its_layer() -> None:
    listed = [part for layer in LAYERS for part in layer]
    assert sorted(listed) == sorted({part_of(module) for module in modules()})


def test_imports_run_one_way() -> None:
    rank = {part: number for number, layer in enumerate(LAYERS) for part in layer}
    wrong = [
        f"{module} imports {other}"
        for module, node in imports()
        for other in own(module, node)
        if rank[part_of(other)] > rank[part_of(module)]
    ]
    assert wrong == []


def test_some_import_less_than_they_may() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, node in imports()
        for other in own(module, node)
        if part_of(other) not in NARROW.get(part_of(module), {part_of(other)})
    ]
    assert wrong == []


def test_no_module_imports_itself_in_a_circle() -> None:
    """Imports inside functions count too; those for the type checker do not."""
    needs = {module: set[str]() for module in modules()}
    for module, node in imports():
        needs[module] |= {other for other in own(module, node) if other != module}
    needs["schema"].discard("explain")  # Words for a failure: imported when there is one.
    while leaves := {module for module, others in needs.items() if not others}:
        needs = {module: others - leaves for module, others in needs.items() if module not in leaves}
    assert needs == {}


def test_packages_are_imported_where_they_belong() -> None:
    wrong = [
        f"{module} imports {package}"
        for module, node in imports()
        for package in foreign(node)
        if part_of(module) not in OUTSIDE.get(package, set())
    ]
    assert wrong == []


def test_networks_are_imported_only_where_they_run() -> None:
    """They are classes of torch, so their modules import it at once."""
    wrong = [
        f"{module} imports {other}"
        for module, node in imports()
        for other in own(module, node)
        if part_of(other) == "models" != part_of(module) and not node.col_offset
    ]
    assert wrong == []


HEAVY = ("numpy", "cv2", "jsonschema")
LOADED = """
import contextlib, sys
from engine.cli import main
with contextlib.suppress(SystemExit):
    main(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
"""
BOARD = "title: T\nscenes: [{id: a, narration: Hi., image_prompt: p, video_prompt: p, on_screen: false}]\n"


@pytest.mark.parametrize(
    ("command", "absent"),
    [
        (["--help"], (*HEAVY, "PIL", "av", "yaml", "sqlite3", "subprocess")),
        (["check", "projects/bare"], (*HEAVY, "PIL", "av", "sqlite3", "engine.store")),
        (["check", "projects/hello"], (*HEAVY, "av", "sqlite3", "engine.store")),  # Looks into the portrait.
    ],
    ids=["help", "check", "check with a picture"],
)
def test_a_command_imports_only_what_it_needs(command: list[str], absent: tuple[str, ...], tmp_path: Path) -> None:
    shutil.copytree(ROOT / "personas", tmp_path / "personas")
    shutil.copytree(ROOT / "projects" / "hello", tmp_path / "projects" / "hello")
    (tmp_path / "projects" / "bare").mkdir()
    (tmp_path / "projects" / "bare" / "storyboard.yaml").write_text(BOARD)
    python = [sys.executable, "-c", LOADED, *command]
    place = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(python, cwd=tmp_path, env=place, capture_output=True, text=True, timeout=60, check=True)
    loaded = done.stderr.split()
    assert f"engine.commands.{command[0]}" in loaded or command[0] == "--help"
    assert "engine.cli" in loaded
    assert [name for name in absent if name in loaded] == []


@cache
def modules() -> dict[str, Path]:
    """Every module of the engine, by its name without the `engine.` in front."""
    files = sorted((ROOT / "engine").rglob("*.py"))
    return {".".join(file.relative_to(ROOT / "engine").with_suffix("").parts): file for file in files}


def part_of(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


@cache
def imports() -> Sequence[tuple[str, ast.Import | ast.ImportFrom]]:
    """Every line that imports, with its module; lines for the type checker are left out."""
    found = []
    for module, file in modules().items():
        tree = ast.parse(file.read_text("utf-8"))
        typing = {id(node) for block in ast.walk(tree) if checked(block) for node in ast.walk(block)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in typing:
                found.append((module, node))
    return found


def checked(block: ast.AST) -> bool:
    return isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"


def own(module: str, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """The modules of the engine that a line imports."""
    if isinstance(node, ast.Import) or not node.level:
        return
    package = module.split(".")[: -node.level]
    for alias in node.names:
        path = [*package, *(node.module or "").split("."), alias.name]
        name = ".".join(part for part in path if part)
        while name and name not in modules() and f"{name}.__init__" not in modules():
            name = name.rpartition(".")[0]
        yield name if name in modules() else f"{name}.__init__".lstrip(".")


def foreign(node: ast.Import | ast.ImportFrom) -> set[str]:
    if isinstance(node, ast.ImportFrom):
        names = set() if node.level else {node.module or ""}
    else:
        names = {alias.name for alias in node.names}
    tops = {name.split(".", maxsplit=1)[0] for name in names}
    return {top for top in tops if top not in sys.stdlib_module_names}
