"""A prompt's template and what it is told, to a text: jinja2 in a sandbox, which sees plain data alone.

A template of the workspace may be anybody's: it is rendered in a process of its own (this module, as a program), which
is ended when it takes too long.
"""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .apart import answer

SHIPPED = Path(__file__).parent / "prompts"
MOST_TEMPLATE = 64_000  # Bytes.
MOST_TEXT = 400_000  # Characters that a prompt may come to.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}\.j2")


class Flaw(NamedTuple):
    """Why a template came to nothing: its file, the line (0 where nobody knows), and what is wrong."""

    file: str
    line: int
    message: str


def render(folders: Sequence[str], name: str, data: Mapping[str, Any]) -> str | Flaw:
    """The text of a prompt; templates are looked for in these folders, in their order."""
    import jinja2

    try:
        pieces, length = [], 0
        for piece in _environment(folders).get_template(f"{name}.j2").generate(data):
            pieces.append(piece)
            length += len(piece)
            if length > MOST_TEXT:
                return Flaw(f"{name}.j2", 0, f"it comes to more than {MOST_TEXT:,} characters")
        return "".join(pieces).strip() + "\n"
    except jinja2.TemplateSyntaxError as problem:
        return Flaw(problem.name or f"{name}.j2", problem.lineno, problem.message or "it is no template")
    except jinja2.TemplateNotFound as problem:
        return Flaw(f"{name}.j2", _line(problem)[1], f"there is no template '{problem.name}'")
    except MemoryError:
        return Flaw(f"{name}.j2", 0, "it takes too much memory")
    except Exception as problem:  # A template may fail in any way that Python can.
        return Flaw(*_line(problem, name), str(problem) or type(problem).__name__)


def find(folders: Sequence[str], file: str) -> Path | None:
    """Where a template lies: in one of the folders itself, and nowhere that a link leads."""
    for folder in folders:
        path = Path(folder) / file
        inside = os.path.realpath(path) == os.path.join(os.path.realpath(folder), file)  # noqa: PTH118
        if _NAME.fullmatch(file) and inside and path.is_file():
            return path
    return None


def _environment(folders: Sequence[str]) -> Any:
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def source(file: str) -> tuple[str, str, None] | None:
        path = find(folders, file)
        if path is None or path.stat().st_size > MOST_TEMPLATE:
            return None
        return path.read_text("utf-8"), str(path), None

    made = ImmutableSandboxedEnvironment(
        loader=jinja2.FunctionLoader(source),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    made.globals = {"range": made.globals["range"]}  # No classes that hold state, and nothing random.
    made.filters.pop("random", None)
    return made


def _line(problem: BaseException, name: str = "") -> tuple[str, int]:
    """The template and the line in which something went wrong."""
    for frame in reversed(traceback.extract_tb(problem.__traceback__)):
        if frame.filename.endswith(".j2"):
            return Path(frame.filename).name, frame.lineno or 0
    return f"{name}.j2", 0


if __name__ == "__main__":
    answer(lambda said: render(said["folders"], said["name"], said["data"]))
