"""Whether a value, or a model's folder, fits what a pipeline of diffusers says of itself: told before a weight is read.

The rules are the library's own: the annotations of its arguments, and the parts that `from_pretrained` asks for
(diffusers, pipelines/pipeline_utils.py: all that `__init__` names without a default, but for `_optional_components`).
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from textwrap import shorten
from typing import Any, NamedTuple

from .model_folder import class_of, parts_of
from .signatures import REQUIRED, Source

_WORDS = {"int": "a whole number", "float": "a number", "str": "text", "bool": "true or false", "dict": "a mapping"}
_TYPES = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,), "dict": (dict,)}
_MANY = ("list", "List", "tuple", "Tuple", "Sequence", "Iterable")
_OBJECTS = ("torch", "np", "PIL", "Image", "Callable")  # No value of a profile is one of these.
_DENOISERS = ("transformer", "unet")


class Unfit(NamedTuple):
    """Why a folder does not do for a pipeline, and what to write instead."""

    message: str
    hint: str


def wrong(value: Any, annotation: str, default: Any) -> str:
    """What an argument must be that a value is not, as the rest of a sentence; empty where the library may take it."""
    if value == default:
        return ""
    if not annotation and isinstance(default, bool | int | float | str) and default != REQUIRED:
        annotation = "float" if type(default) is int else type(default).__name__
    if not annotation:
        return ""
    node = ast.parse(annotation, mode="eval").body
    if _takes(node, value):
        return ""
    told = shorten(json.dumps(value, ensure_ascii=False, default=str), 60)
    return f"must be {' or '.join(_words(node)) or 'left out'}, not {told}"


def _takes(node: ast.expr, value: Any) -> bool:
    """Whether an annotation names a type of a value; of what is not plain, it is taken to."""
    alternatives = _alternatives(node)
    if len(alternatives) > 1:
        return any(_takes(one, value) for one in alternatives)
    name, inner = _named(node)
    if isinstance(node, ast.Constant):
        return node.value is not None or value is None
    if name == "Literal":
        return value in [part.value for part in inner if isinstance(part, ast.Constant)]
    if name in _TYPES:
        return type(value) in _TYPES[name]
    if name in _MANY:
        kinds = [part for part in inner if not isinstance(part, ast.Constant)] or [ast.Name("Any")]
        return isinstance(value, list | tuple) and all(any(_takes(kind, item) for kind in kinds) for item in value)
    return name.split(".")[0] not in _OBJECTS


def _alternatives(node: ast.expr) -> list[ast.expr]:
    """The types of `A | B`, of Union[A, B], and of Optional[A] with nothing."""
    if isinstance(node, ast.BinOp):
        return [*_alternatives(node.left), *_alternatives(node.right)]
    name, inner = _named(node)
    if name in ("Union", "Optional"):
        found = [one for part in inner for one in _alternatives(part)]
        return [*found, ast.Constant(None)] if name == "Optional" else found
    return [node]


def _named(node: ast.expr) -> tuple[str, list[ast.expr]]:
    """The name of a type, and the types in its brackets."""
    if not isinstance(node, ast.Subscript):
        return ast.unparse(node), []
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return ast.unparse(node.value).replace("Dict", "dict"), inner


def _words(node: ast.expr) -> list[str]:
    """The plain types that an annotation names, as people call them."""
    found = []
    for one in _alternatives(node):
        name, inner = _named(one)
        if name == "Literal":
            found += [ast.unparse(part) for part in inner]
        elif name in _MANY:
            each = _WORDS.get(ast.unparse(inner[0]), "") if inner else ""
            found.append(f"a list (each {each})" if each else "a list")
        elif name in _WORDS:
            found.append(_WORDS[name])
    return list(dict.fromkeys(found))


def unfit(model: str, folder: Path, wanted: Source) -> Unfit | None:
    """Why a model's folder cannot be loaded as a pipeline, or None; classes that share all parts do for each other."""
    try:
        index = (folder / "model_index.json").read_bytes()
        own, parts = class_of(index), parts_of(index)
    except (OSError, ValueError, AttributeError):
        return None  # No model of diffusers: told where it is looked over.
    hint = f"Write pipeline: {own}, or name a model for {wanted.name}." if own else f"Name a model for {wanted.name}."
    own = own or "another pipeline"
    needs = [name for name, default in wanted.init.items() if default == REQUIRED and name not in wanted.optional]
    if lacking := [name for name in needs if name not in parts]:
        return Unfit(f"the model {model} is for {own}: {wanted.name} also needs {' and '.join(lacking)}", hint)
    for name, (library, cls) in parts.items() if own != wanted.name else ():
        asked = wanted.init_types.get(name, "")
        if name.startswith(_DENOISERS) and library == "diffusers" and asked and cls not in re.findall(r"\w+", asked):
            works = f"{wanted.name} works with {asked.removesuffix(' | None')}"
            return Unfit(f"the model {model} is for {own}: its {name} is {cls}, and {works}", hint)
    return None
