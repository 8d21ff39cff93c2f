"""Another Python beside the one that runs the tests: a virtual environment that sees what it is told to see."""

from __future__ import annotations

import sysconfig
import venv
from pathlib import Path

SITE = Path(sysconfig.get_path("purelib"))


def another(folder: Path, *sees: Path) -> Path:
    """The python of a new environment without packages of its own; `sees`: folders of packages, like SITE."""
    venv.create(folder, symlinks=True)
    name = "posix_venv" if "posix_venv" in sysconfig.get_scheme_names() else sysconfig.get_default_scheme()
    site = Path(sysconfig.get_path("purelib", name, {"base": str(folder), "platbase": str(folder)}))
    lines = [f"import site; site.addsitedir({str(place)!r})\n" for place in sees]  # With the .pth files that lie there.
    (site / "seen.pth").write_text("".join(lines))
    return Path(sysconfig.get_path("scripts", name, {"base": str(folder), "platbase": str(folder)})) / "python"


def logged(folder: Path) -> Path:
    """A program that is such a python, with our packages, and writes what it is called with beside it (.log)."""
    python, file = another(folder, SITE), folder / "logged"
    file.write_text(f'#!/bin/sh\necho "$@" >> {folder}/logged.log\nexec {python} "$@"\n')
    file.chmod(0o755)
    return file
