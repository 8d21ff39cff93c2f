"""What a schema refuses, said to an author: jsonschema's judgement in our words, each at its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from .document import Document, Span
from .errors import Mistake

_KINDS = {
    "object": "a mapping (key: value)",
    "array": "a list",
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
}
_YES = frozenset(("yes", "on", "y", "ja", "oui", "si"))
_NO = frozenset(("no", "off", "n", "nein", "non"))
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def explain(document: Document, schema: dict[str, Any]) -> list[Mistake]:
    """Every mistake of a document that its schema refuses."""
    found: dict[Mistake, None] = {}
    for error in _validator(schema).iter_errors(document.data):
        path = tuple(error.absolute_path)
        tell = _bad_key if "propertyNames" in error.absolute_schema_path else _TOLD.get(error.validator, _plainly)
        for span, message, hint in tell(document, path, error):
            found[document.mistake(span, message, hint)] = None
    return list(found)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: "; did you mean 'that'?", or nothing."""
    close = get_close_matches(str(word), list(known), 1, 0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def label(path: Sequence[str | int]) -> str:
    """How a value is called: by its key, or as an item of the list that has one."""
    if not path:
        return "the file"
    last = path[-1]
    return last if isinstance(last, str) else f"item {last + 1} of {label(path[:-1])}"


def spoken(value: Any) -> str:
    """A value as a message names it."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return f"{value}".lower()
    if isinstance(value, str):
        return f"the text '{_short(value)}'" if value else "an empty text"
    if isinstance(value, int | float):
        return f"the number {_short(str(value))}"
    return "a mapping" if isinstance(value, dict) else "a list"


_Told = Iterator[tuple[Span, str, str]]
_Path = tuple[str | int, ...]


def _validator(schema: dict[str, Any]) -> Any:
    import jsonschema

    from .schema import pattern

    def ecma(_: Any, rule: str, instance: Any, _part: Any) -> Iterator[Any]:
        if isinstance(instance, str) and not pattern(rule).search(instance):
            yield jsonschema.ValidationError(f"{instance!r} does not match")

    extend: Any = jsonschema.validators.extend
    return extend(jsonschema.Draft202012Validator, {"pattern": ecma})(schema)


def _unknown(document: Document, path: _Path, error: Any) -> _Told:
    known = error.schema.get("properties", {})
    for key in error.instance:
        if key not in known and key != "<<":  # Merge keys have been told of when the file was read.
            hint = f"known here: {', '.join(known)}"
            yield document.key_place((*path, key)), f"unknown key '{_short(key)}'{did_you_mean(key, known)}", hint


def _missing(document: Document, path: _Path, error: Any) -> _Told:
    """At the start of the mapping; of one that stands below a key, at that key, where editors show it too."""
    inner = bool(path) and isinstance(path[-1], str)
    place = document.key_place(path) if inner else document.start(path)
    for name in error.validator_value:
        if name not in error.instance:
            what = error.schema.get("title") or "a scene"
            hint = f"add {name}: to {'this scene' if what == 'a scene' else what}"
            yield place, f"missing key '{name}'", hint


def _wrong_type(document: Document, path: _Path, error: Any) -> _Told:
    wanted = [error.validator_value] if isinstance(error.validator_value, str) else error.validator_value
    value = error.instance
    if value is None and not path:
        yield (
            document.place(path),
            f"the file is empty; it must hold {error.schema['title']}",
            "write title: and scenes:",
        )
        return
    kinds = " or ".join(_KINDS[kind] for kind in wanted)
    name = error.schema.get("title", label(path)) if isinstance(path[-1] if path else 0, int) else label(path)
    value_said = spoken(value) if value is None else f"not {spoken(value)}"
    message = f"{name} must be {kinds}, {'but is empty' if value is None else value_said}"
    yield document.place(path), message, _type_hint(wanted, value)


def _type_hint(wanted: Sequence[str], value: Any) -> str:
    if isinstance(value, str):
        return _text_hint(wanted, value)
    if value is None:
        return "write a value after the colon, or remove the key"
    if "string" in wanted and isinstance(value, bool | int | float):
        return "put it in quotes"
    if "array" in wanted:
        return "begin each item with '- '"
    return "indent key: value lines below it" if "object" in wanted else ""


def _text_hint(wanted: Sequence[str], value: str) -> str:
    if "boolean" in wanted:
        if value.lower() in _YES | _NO:
            return f"in YAML 1.2 '{value}' is text; write {'true' if value.lower() in _YES else 'false'}"
        return "write true or false, without quotes"
    if {"integer", "number"} & set(wanted):
        if re.fullmatch(r"[-+]?\d+(\.\d+)?", value):
            return "remove the quotes"
        if re.fullmatch(r"[-+]?\d+,\d+", value):
            return f"write {value.replace(',', '.')}"
        return "write digits alone"
    return "begin each item with '- '" if "array" in wanted else "indent key: value lines below it"


def _text(document: Document, path: _Path, error: Any) -> _Told:
    value, name = error.instance, label(path)
    if error.validator == "minLength" or not value.strip():
        if not (error.validator == "pattern" and error.schema.get("minLength") and value == ""):
            yield document.place(path), f"{name} is empty", "write a text, or remove the key"
    elif control := _CONTROL.search(value):
        message = f"{name} holds the control character U+{ord(control.group()):04X}"
        yield document.place(path), message, "remove it"
    else:
        message = f"{name} cannot be '{_short(value)}'"
        yield document.place(path), message, error.schema.get("patternErrorMessage", "")


def _too_long(document: Document, path: _Path, error: Any) -> _Told:
    most, size = error.validator_value, len(error.instance)
    hint = "split the scene in two" if path and path[-1] == "narration" else "shorten it"
    yield document.place(path), f"{label(path)} has {size:,} characters; at most {most:,} are allowed", hint


def _bounds(document: Document, path: _Path, error: Any) -> _Told:
    rule, part = error.validator_value, error.schema
    below = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than"}[error.validator]
    least, most = part.get("minimum", part.get("exclusiveMinimum")), part.get("maximum")
    above = "exclusiveMinimum" in part
    hint = f"write a number above {least}, at most {most}" if above else f"write a number from {least} to {most}"
    yield document.place(path), f"{label(path)} must be {below} {rule}, not {error.instance}", hint


def _multiple(document: Document, path: _Path, error: Any) -> _Told:
    value = int(error.instance)
    yield document.place(path), f"{label(path)} must be even, not {value}", f"write {value - 1} or {value + 1}"


def _choice(document: Document, path: _Path, error: Any) -> _Told:
    choices, value = error.validator_value, error.instance
    if not isinstance(value, str):
        return  # Its type has been told.
    guess = did_you_mean(value, choices)
    yield (
        document.place(path),
        f"{label(path)} cannot be '{_short(value)}'{guess}",
        f"choose one of: {', '.join(choices)}",
    )


def _count(document: Document, path: _Path, error: Any) -> _Told:
    size, rule, name = len(error.instance), error.validator_value, label(path)
    if error.validator == "minItems":
        yield document.place(path), f"{name} is an empty list", "write at least one, beginning with '- '"
    else:
        yield document.place(path), f"{name} has {size:,} entries; at most {rule:,} are allowed", "split the file"


def _bad_key(document: Document, path: _Path, error: Any) -> _Told:
    """A key that `propertyNames` refuses: jsonschema gives the path of the mapping."""
    key = error.instance
    yield document.key_place((*path, key)), f"'{_short(key)}' cannot be a key of {label(path)}", "write a short name"


def _plainly(document: Document, path: _Path, error: Any) -> _Told:
    yield document.place(path), f"{label(path)}: {error.message}", ""


_TOLD: Mapping[str, Any] = {
    "additionalProperties": _unknown,
    "required": _missing,
    "type": _wrong_type,
    "pattern": _text,
    "minLength": _text,
    "maxLength": _too_long,
    "minimum": _bounds,
    "maximum": _bounds,
    "exclusiveMinimum": _bounds,
    "multipleOf": _multiple,
    "enum": _choice,
    "minItems": _count,
    "maxItems": _count,
    "maxProperties": _count,
}


def _short(text: str) -> str:
    plain = "".join(c if c.isprintable() else "�" for c in text)
    return plain if len(plain) <= 60 else plain[:59] + "…"
