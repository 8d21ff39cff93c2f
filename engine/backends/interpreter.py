"""Another Python for a backend whose packages do not fit beside ours: the user names it, and it is asked what it has.

A variable of the environment names it. A profile, a storyboard or a persona cannot: whoever sends one must not choose
what runs here.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from .. import __version__
from ..errors import BackendError

OLDEST = (3, 11)
WAIT = 60.0  # Seconds for an answer.
# Written for any Python 3, so that one that is too old can be told from what is none. Nothing is imported.
_ASKED = """
import sys
sys.path[:1] = []
import importlib.metadata, importlib.util, json
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
modules, packages = (said.split() for said in sys.argv[1:])
try:
    from engine import __version__ as ours
except Exception:
    ours = ""
print(json.dumps({
    "python": sys.version_info[:3],
    "mikebot": ours,
    "missing": [name for name in modules if importlib.util.find_spec(name) is None],
    "versions": {name: version(name) for name in packages},
}))
"""


class Needs(NamedTuple):
    """What a backend wants of its Python."""

    variable: str  # Which may name another one.
    modules: tuple[str, ...]
    packages: tuple[str, ...]  # Whose versions are told.
    extra: str  # Of ours, which installs them.


class Has(NamedTuple):
    """What a Python has."""

    python: str  # Its version.
    mikebot: str  # Likewise; empty where there is none.
    missing: tuple[str, ...]  # Modules.
    versions: Mapping[str, str]  # Of packages, empty for those that are not there.


def chosen(variable: str) -> str:
    """The Python that the user names for a backend, or this one."""
    said = os.environ.get(variable, "")
    return str(Path(shutil.which(said) or said).absolute()) if said else sys.executable


def own(python: str) -> bool:
    """Whether it is the Python that runs us."""
    return python == sys.executable


def troubles(needs: Needs, user: str) -> list[str]:
    """Why the Python of a backend cannot run it, with what to type."""
    python = chosen(needs.variable)
    install = f"pip install 'mikebot[{needs.extra}]'"
    if own(python):
        lacks = [name for name in needs.modules if find_spec(name) is None]
        return [f"{user} lacks {', '.join(lacks)}: {install}"] if lacks else []
    try:
        has = asked(python, needs)
    except BackendError as error:
        return [f"{needs.variable} names {error.message}. {error.hint}"]
    there = f"{shlex.quote(python)} -m pip install 'mikebot[{needs.extra}]=={__version__}'"
    if has.mikebot != __version__:
        other = f"has mikebot {has.mikebot}, and this is {__version__}" if has.mikebot else "has no mikebot"
        return [f"{needs.variable} names {python}, which {other}: {there}"]
    if has.missing:
        return [f"{user} lacks {', '.join(has.missing)} in {python} ({needs.variable}): {there}"]
    return []


def told(needs: Needs) -> str:
    """Which other Python a backend runs in, and what that has; empty where it is ours, or of no use."""
    python = chosen(needs.variable)
    if own(python) or troubles(needs, ""):
        return ""
    has = asked(python, needs)
    found = ", ".join(f"{name} {version}" for name, version in has.versions.items() if version)
    return f"runs in {python} ({needs.variable}): Python {has.python}, {found}"


@cache
def asked(python: str, needs: Needs) -> Has:
    """Ask another Python what it has; once. Raises BackendError where it does not answer as one."""
    import subprocess

    command = [python, "-c", _ASKED, " ".join(needs.modules), " ".join(needs.packages)]
    hint = f"Let {needs.variable} name the python of an environment, or unset it."
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=WAIT, check=False)
    except (OSError, ValueError) as problem:
        raise BackendError(f"{python}, which cannot be started: {_reason(problem)}", hint) from None
    except subprocess.TimeoutExpired:
        raise BackendError(f"{python}, which said nothing for {WAIT:.0f} s", hint) from None
    try:
        said: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        version = tuple(said["python"])
        has = Has(".".join(map(str, version)), said["mikebot"], tuple(said["missing"]), said["versions"])
    except (ValueError, LookupError, TypeError):
        raise BackendError(f"{python}, which is no Python 3.8 or later", hint) from None
    if version < OLDEST:
        raise BackendError(f"{python}, which is Python {has.python}; mikebot runs in 3.11 or later", hint)
    return has


def _reason(problem: Exception) -> str:
    return getattr(problem, "strerror", None) or str(problem)
