"""What the classes of diffusers take, read from their source: nothing is imported, so a profile is checked in no time.

Importing diffusers takes seconds and a gigabyte of torch; a class's signature is a few lines of its file.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

REQUIRED = "(required)"  # Stands for the default of an argument that has none.
MISSING = "diffusers is not installed: pip install 'mikebot[final]'"


class Source(NamedTuple):
    """A class as its file has it."""

    name: str
    bases: tuple[str, ...]
    call: Mapping[str, Any]  # Arguments of __call__, with their defaults.
    init: Mapping[str, Any]  # Arguments of __init__, or the fields of a dataclass.
    call_types: Mapping[str, str]  # The annotations of those that have one.
    init_types: Mapping[str, str]
    optional: tuple[str, ...]  # Parts that a model of it need not have.


def installed() -> Path | None:
    """The folder of diffusers; None if it is not installed."""
    spec = find_spec("diffusers")
    return Path(spec.origin).parent if spec is not None and spec.origin else None


@cache
def pipelines() -> list[str]:
    """Names of every pipeline of diffusers."""
    return _names("pipelines/__init__.py", r'"(\w+Pipeline)"')


@cache
def schedulers() -> list[str]:
    """Names of every scheduler of diffusers."""
    return _names("schedulers/__init__.py", r'"(\w+Scheduler)"')


@cache
def caches() -> list[str]:
    """Names of the configurations of feature caches."""
    return _names("hooks/__init__.py", r"\b(\w+Cache\w*Config|\w+BroadcastConfig|\w+Skip\w*Config)\b")


@cache
def attentions() -> list[str]:
    """Names of the ways to compute attention that need nothing from the hub."""
    names = _names("models/attention_dispatch.py", r'(?m)^    [A-Z0-9_]+ = "([a-z0-9_]+)"')
    return [name for name in names if "hub" not in name]


@cache
def pipeline(name: str) -> Source | None:
    """A pipeline of diffusers; None if diffusers has none of that name, or if it is no DiffusionPipeline."""
    found = _find(name, "pipelines") if name in pipelines() else None
    return found if found is not None and any(base.endswith("Pipeline") for base in found.bases) else None


def call(name: str) -> Mapping[str, Any]:
    """What the call of a pipeline takes, with defaults; nothing if there is none of that name."""
    found = pipeline(name)
    return found.call if found is not None else {}


@cache
def scheduler(name: str) -> Source | None:
    """A scheduler of diffusers."""
    return _find(name, "schedulers") if name in schedulers() else None


@cache
def cache_config(name: str) -> Source | None:
    """The configuration of a feature cache."""
    return _find(name, "hooks") if name in caches() else None


def meant(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name; an argument is also found by one of its words."""
    names = list(known)
    close = get_close_matches(word, names, 1, 0.6)
    if not close:
        words = {part: name for name in reversed(names) for part in name.strip("_").split("_")}
        close = [words[part] for part in get_close_matches(word, words, 1, 0.75)]
    return f": did you mean '{close[0]}'?" if close else ""


def _names(file: str, pattern: str) -> list[str]:
    root = installed()
    text = (root / file).read_text("utf-8") if root is not None and (root / file).is_file() else ""
    return sorted(set(re.findall(pattern, text)))


def _find(name: str, part: str) -> Source | None:
    root = installed()
    for file in sorted((root / part).rglob("*.py")) if root is not None else ():
        text = file.read_text("utf-8")
        if f"class {name}(" in text or f"class {name}:" in text:
            tree = ast.parse(text)
            made = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
            return _read(made[0]) if made else None
    return None


def _read(node: ast.ClassDef) -> Source:
    methods = {part.name: part for part in node.body if isinstance(part, ast.FunctionDef)}
    fields = [part for part in node.body if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)]
    call, init = methods.get("__call__"), methods.get("__init__")
    return Source(
        node.name,
        tuple(ast.unparse(base) for base in node.bases),
        _arguments(call) if call is not None else {},
        _arguments(init) if init is not None else {_field(part): _default(part.value) for part in fields},
        _types(call.args) if call is not None else {},
        _types(init.args) if init is not None else {_field(part): ast.unparse(part.annotation) for part in fields},
        _optional(node),
    )


def _field(part: ast.AnnAssign) -> str:
    return ast.unparse(part.target)


def _types(arguments: ast.arguments) -> dict[str, str]:
    said = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return {one.arg: ast.unparse(one.annotation) for one in said if one.annotation is not None}


def _optional(node: ast.ClassDef) -> tuple[str, ...]:
    """What a pipeline's own list of its optional parts names."""
    for part in node.body:
        if isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == "_optional_components":
            return tuple(ast.literal_eval(part.value))
    return ()


def _arguments(function: ast.FunctionDef) -> dict[str, Any]:
    said = [*function.args.posonlyargs, *function.args.args][1:]  # Without self.
    defaults = [_value(value) for value in function.args.defaults]
    without = [REQUIRED] * (len(said) - len(defaults))
    found = {argument.arg: value for argument, value in zip(said, [*without, *defaults], strict=True)}
    for argument, value in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        found[argument.arg] = _default(value)
    return found


def _default(node: ast.expr | None) -> Any:
    return REQUIRED if node is None else _value(node)


def _value(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)
