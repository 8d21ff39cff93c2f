"""Does a document follow its schema? Says yes fast, and explains a no.

Importing jsonschema costs more than checking a thousand scenes, and nearly every document is right. So the
keywords that our schemas use are checked here, as a chain of small functions made once for each schema;
jsonschema judges, and `explain` words its judgement, only what these refuse. Keywords, as in JSON Schema
2020-12; a `pattern` ends as ECMA-262 has it: `$` is the end of the text, not a line break before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from .document import Document
from .errors import Mistake

Check = Callable[[Any], bool]

NOTES = frozenset(("$schema", "$id", "$defs", "title", "description", "markdownDescription", "default", "examples"))
EDITORS = frozenset(("defaultSnippets", "enumDescriptions", "patternErrorMessage"))


@cache
def schema(name: str) -> dict[str, Any]:
    """A schema by name: storyboard, persona or profile; beside this file in the wheel, above it in a checkout."""
    here = Path(__file__).parent
    for folder in (here / "schemas", here.parent / "schemas"):
        file = folder / f"{name}.schema.json"
        if file.is_file():
            found: dict[str, Any] = json.loads(file.read_text("utf-8"))
            return found
    raise FileNotFoundError(f"{name}.schema.json is missing from this installation of mikebot")


def mistakes(document: Document, name: str) -> list[Mistake]:
    """Every place where a document leaves its schema; none for a document that could not be read."""
    if (document.data is None and document.mistakes) or accepts(name)(document.data):
        return []
    from .explain import explain

    return explain(document, schema(name))


@cache
def accepts(name: str) -> Check:
    """The quick check of a schema."""
    return compiled(schema(name))


def compiled(root: dict[str, Any]) -> Check:
    """The quick check of any schema that uses no other keywords than those known here."""
    made: dict[str, Check] = {}

    def make(part: Any) -> Check:
        if isinstance(part, bool):
            return lambda _: part
        checks = [KEYWORDS[word](rule, part, make) for word, rule in part.items() if word in KEYWORDS]
        if "$ref" in part:
            checks.append(refer(part["$ref"]))
        unknown = part.keys() - KEYWORDS.keys() - NOTES - EDITORS - BESIDE - {"$ref"}
        if unknown:
            raise ValueError(f"keywords that the quick check does not know: {', '.join(sorted(unknown))}")
        return checks[0] if len(checks) == 1 else lambda value: all(check(value) for check in checks)

    def refer(target: str) -> Check:
        if target not in made:
            made[target] = make(root["$defs"][target.removeprefix("#/$defs/")])
        return made[target]

    return make(root)


def pattern(text: str) -> re.Pattern[str]:
    """An ECMA-262 pattern as Python's."""
    return re.compile(text[:-1] + r"\Z" if text.endswith("$") else text)


Make = Callable[[Any], Check]
_TYPES: Mapping[str, Check] = {
    "object": lambda value: type(value) is dict,
    "array": lambda value: type(value) is list,
    "string": lambda value: type(value) is str,
    "boolean": lambda value: type(value) is bool,
    "integer": lambda value: type(value) is int or (type(value) is float and value.is_integer()),
    "number": lambda value: type(value) in {int, float},
    "null": lambda value: value is None,
}


def _type(rule: Any, *_: Any) -> Check:
    if isinstance(rule, str):
        return _TYPES[rule]
    kinds = [_TYPES[name] for name in rule]
    return lambda value: any(kind(value) for kind in kinds)


def _properties(_: Any, part: Any, make: Make) -> Check:
    """`properties`, or `additionalProperties` where there are none: the two are one loop."""
    known = {name: make(below) for name, below in part.get("properties", {}).items()}
    other = make(part.get("additionalProperties", True))
    return lambda value: (
        type(value) is not dict or all(known[key](item) if key in known else other(item) for key, item in value.items())
    )


def _beside(rule: Any, part: Any, make: Make) -> Check:
    return _properties(rule, part, make) if "properties" not in part else lambda _: True


def _conditional(rule: Any, part: Any, make: Make) -> Check:
    test, then, otherwise = make(rule), make(part.get("then", True)), make(part.get("else", True))
    return lambda value: then(value) if test(value) else otherwise(value)


def _all_of(rule: Any, _: Any, make: Make) -> Check:
    checks = [make(below) for below in rule]
    return lambda value: all(check(value) for check in checks)


def _any_of(rule: Any, _: Any, make: Make) -> Check:
    checks = [make(below) for below in rule]
    return lambda value: any(check(value) for check in checks)


def _required(rule: Any, *_: Any) -> Check:
    names = frozenset(rule)
    return lambda value: type(value) is not dict or names <= value.keys()


def _items(rule: Any, _: Any, make: Make) -> Check:
    check = make(rule)
    return lambda value: type(value) is not list or all(check(item) for item in value)


def _names(rule: Any, _: Any, make: Make) -> Check:
    check = make(rule)
    return lambda value: type(value) is not dict or all(check(key) for key in value)


def _pattern(rule: Any, *_: Any) -> Check:
    search = pattern(rule).search
    return lambda value: type(value) is not str or search(value) is not None


def _enum(rule: Any, *_: Any) -> Check:
    return lambda value: any(type(value) is type(choice) and value == choice for choice in rule)


def _size(kind: type[Any], wrong: Callable[[int, Any], bool]) -> Callable[[Any, Any, Make], Check]:
    def made(rule: Any, *_: Any) -> Check:
        return lambda value: type(value) is not kind or not wrong(len(value), rule)

    return made


def _bound(wrong: Callable[[Any, Any], bool]) -> Callable[[Any, Any, Make], Check]:
    def made(rule: Any, *_: Any) -> Check:
        return lambda value: type(value) not in {int, float} or not wrong(value, rule)

    return made


KEYWORDS: Mapping[str, Callable[[Any, Any, Make], Check]] = {
    "type": _type,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _beside,
    "propertyNames": _names,
    "maxProperties": _size(dict, lambda size, rule: size > rule),
    "items": _items,
    "minItems": _size(list, lambda size, rule: size < rule),
    "maxItems": _size(list, lambda size, rule: size > rule),
    "minLength": _size(str, lambda size, rule: size < rule),
    "maxLength": _size(str, lambda size, rule: size > rule),
    "pattern": _pattern,
    "enum": _enum,
    "minimum": _bound(lambda value, rule: value < rule),
    "maximum": _bound(lambda value, rule: value > rule),
    "exclusiveMinimum": _bound(lambda value, rule: value <= rule),
    "multipleOf": _bound(lambda value, rule: value % rule != 0),
    "if": _conditional,
    "allOf": _all_of,
    "anyOf": _any_of,
}
BESIDE = frozenset(("then", "else"))  # Read together with `if`.
