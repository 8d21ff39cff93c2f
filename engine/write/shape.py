"""Schemas for a language model: the storyboard's own, less what a model has no business to write.

Derived from schemas/storyboard.schema.json at each call: descriptions and choices are its own, and no length is above
its own. Left out are files, the persona, music, media, seeds, takes and whatever else is the author's to decide. What
follows these schemas, once `settled`, is a storyboard without mistakes. They use only keywords that grammars and
servers know: no `$ref`, no `if`; what is optional comes last.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ..schema import schema
from .settle import settled

__all__ = ("board_shape", "bounded", "opening", "scene_shape", "scenes_shape", "settled", "texts_shape", "titles_shape")

Schema = dict[str, Any]

# Characters, within what the storyboard allows: as long as a film can use, no longer.
LENGTHS: Mapping[str, int] = {
    "title": 120, "style": 300, "id": 40, "narration": 1200, "image_prompt": 800, "video_prompt": 400, "chapter": 80,
    "slide": 60, "bullet": 60, "at": 40, "label": 24,
}  # fmt: skip
MOST_BULLETS, MOST_STEPS, MOST_EDGES, CODE_LINES, CODE_WIDTH = 5, 6, 8, 16, 72
CODE = (
    "bash", "c", "console", "cpp", "csharp", "css", "docker", "go", "html", "http", "ini", "java", "javascript", "json",
    "kotlin", "lua", "make", "nginx", "php", "python", "r", "ruby", "rust", "sql", "swift", "text", "toml",
    "typescript", "xml", "yaml",
)  # fmt: skip

# Neither controls, nor what ends a line, turns the direction of writing or has no meaning that is agreed on.
BODY = r"[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ue000-\uf8ff\ufeff\ufff0-\uffff]"
_SIGNS = r"\u0000-/:-@\[-`{-\u00bf\u1680\u2000-\u206f\u2e00-\u2e7f\u3000-\u303f\ue000-\uf8ff\ufdd0-\ufdff\ufe00-\uffff"
_LETTER = f"[^{_SIGNS}]"
_QUOTES = r"""["'(\u00a1\u00ab\u00bf\u2018\u201c\u201e\u300c\u300e]?"""
_LATIN = r"A-Za-z\u00c0-\u024f\u1e00-\u1eff"
_CYRILLIC, _ARABIC, _DEVANAGARI = r"\u0400-\u052f", r"\u0620-\u064a\u066e-\u06d3", r"\u0904-\u0939\u0958-\u0961"
_HAN, _KANA, _HANGUL = r"\u3400-\u4dbf\u4e00-\u9fff", r"\u3041-\u3096\u30a1-\u30fa", r"\uac00-\ud7a3"
# The letters of languages that are not written in Latin ones.
_SCRIPTS: Mapping[str, str] = {
    **dict.fromkeys(("be", "bg", "kk", "ky", "mk", "mn", "ru", "sr", "tg", "uk"), _CYRILLIC),
    **dict.fromkeys(("ar", "fa", "ps", "ug", "ur"), _ARABIC),
    **dict.fromkeys(("hi", "mr", "ne", "sa"), _DEVANAGARI),
    "bn": r"\u0985-\u09b9", "gu": r"\u0a85-\u0ab9", "pa": r"\u0a05-\u0a39", "ta": r"\u0b85-\u0bb9",
    "te": r"\u0c05-\u0c39", "kn": r"\u0c85-\u0cb9", "ml": r"\u0d05-\u0d3a", "si": r"\u0d85-\u0dc6",
    "zh": _HAN, "yue": _HAN, "ja": _HAN + _KANA, "ko": _HANGUL, "th": r"\u0e01-\u0e30\u0e40-\u0e45",
    "el": r"\u0386-\u03ce\u1f00-\u1fff", "he": r"\u05d0-\u05ea", "yi": r"\u05d0-\u05ea",
    "hy": r"\u0531-\u0587", "ka": r"\u10d0-\u10fa", "am": r"\u1200-\u135a", "my": r"\u1000-\u102a",
    "km": r"\u1780-\u17b3",
}  # fmt: skip
# Languages that have more than one, and that name which in their tag: sr-Latn, az-Cyrl.
_NAMED: Mapping[str, str] = {"latn": _LATIN, "cyrl": _CYRILLIC, "arab": _ARABIC, "deva": _DEVANAGARI}
_UNSURE = frozenset(("az", "iu", "ks", "ku", "sd", "uz", "cu", "mul", "und", "zxx", "bo", "lo", "dv", "or", "as", "ti"))

LINE = f"^{_LETTER}{BODY}*$"
_SLUG = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
_NODE = r'"[A-Za-z0-9\u00c0-\u017f\u0391-\u03c9\u0410-\u044f\u05d0-\u05ea\u0621-\u064a\u0905-\u0939\u3041-\u30ff' + (
    r"\u4e00-\u9fff\uac00-\ud7a3][ A-Za-z0-9.,:'()/+\u00c0-\u017f\u0391-\u03c9\u0410-\u044f\u05d0-\u05ea"
    r"\u0621-\u064a\u0905-\u0939\u3041-\u30ff\u4e00-\u9fff\uac00-\ud7a3-]{0,%d}" + '"'
)
_TAIL = re.compile(r"(\^.*)(\[(?:\\.|[^\]\\])*\])\*\$")  # A pattern that ends in any number of one sort.
_INK = r"\u00a1-\u00ac\u00ae-\u017f\u0391-\u03a1\u03a3-\u03a9\u03b1-\u03c9\u0410-\u044f"


def board_shape(least: int, most: int, *, language: str = "en", longest: int | None = None) -> Schema:
    """A storyboard of `least` to `most` scenes, told in a language; no text above `longest` characters."""
    text = partial(_text, longest=longest)
    head = {
        "language": _choice(("properties", "language"), [language]),
        "title": text(("properties", "title"), "title"),
        "style": text(("properties", "style"), "style"),
    }
    scenes = _scenes(least, most, scene_shape(language=language, longest=longest))
    theme = _choice(("properties", "theme"), _part("properties", "theme")["enum"])
    return _mapping({**head, "scenes": scenes, "theme": theme}, ["theme"])


def scenes_shape(
    least: int, most: int, *, language: str = "", longest: int | None = None, ids: Sequence[str] | None = None
) -> Schema:
    """Scenes alone: to go on with, or to put in place of others."""
    return _mapping({"scenes": _scenes(least, most, scene_shape(language=language, longest=longest, ids=ids))})


def scene_shape(*, language: str = "", longest: int | None = None, ids: Sequence[str] | None = None) -> Schema:
    """One scene: a picture and its motion, or code, a slide or a diagram; its id one of `ids`, if there are any."""
    text, at = partial(_text, longest=longest), ("$defs", "scene", "properties")
    head = {
        "id": _choice((*at, "id"), ids) if ids else text((*at, "id"), "id", _SLUG),
        "on_screen": _said((*at, "on_screen"), type="boolean"),
        "narration": text((*at, "narration"), "narration", opening(language)),
    }
    tail = {
        "chapter": text((*at, "chapter"), "chapter"),
        "transition": _choice((*at, "transition"), _part(*at, "transition", "properties", "style")["enum"]),
    }
    picture = {name: text((*at, name), name) for name in ("image_prompt", "video_prompt")}
    shown = ({name: shape(longest)} for name, shape in (("code", _code), ("slide", _slide), ("diagram", _diagram)))
    bodies = [picture, *({"show": _said((*at, "show"), **_mapping(show))} for show in shown)]
    return {"anyOf": [_mapping({**head, **body, **tail}, list(tail)) for body in bodies]}


def titles_shape(count: int, *, longest: int | None = None) -> Schema:
    """So many titles to choose from."""
    title = _text(("properties", "title"), "title", longest=longest)
    return _mapping({"titles": {"type": "array", "minItems": count, "maxItems": count, "items": title}})


def texts_shape(keys: Mapping[str, int], *, language: str = "", longest: int | None = None) -> Schema:
    """A text of one line for each key, of at most so many characters."""
    pattern = opening(language)
    most = {key: min(size, longest or size) for key, size in keys.items()}
    return _mapping({key: {"type": "string", "maxLength": size, "pattern": pattern} for key, size in most.items()})


def opening(language: str) -> str:
    """The pattern of a text of one line that begins with a letter of a language, or a digit; any, where none is known.

    A model that has begun in a script goes on in it: that is as far as a grammar can see a language.
    """
    tag, *rest = language.lower().split("-")
    named = next((_NAMED[part] for part in rest if part in _NAMED), "")
    letters = named or _SCRIPTS.get(tag, "" if tag in _UNSURE or not tag else _LATIN)
    return f"^{_QUOTES}[0-9{letters}]{BODY}*$" if letters else LINE


def bounded(found: Any) -> Any:
    """The same schema with each text's length within its pattern, for engines that are slow at both, or heed but one.

    A text may come out a character shorter than it was allowed to be, never longer.
    """
    if isinstance(found, list):
        return [bounded(part) for part in found]
    if not isinstance(found, dict):
        return found
    made = {name: bounded(part) for name, part in found.items()}
    if not isinstance(made.get("pattern"), str) or not isinstance(made.get("maxLength"), int):
        return made
    within = _within(made["pattern"], made["maxLength"])
    rest = {name: part for name, part in made.items() if name != "maxLength"}
    return {**rest, "pattern": within} if within else made


def _within(text: str, most: int) -> str:
    """A pattern that lets no more than so many characters through; "" where that cannot be told."""
    if _widest(text) <= most:
        return text
    tail = _TAIL.fullmatch(text)
    begun = _widest(f"{tail[1]}$") if tail else most + 1
    return f"{tail[1]}{tail[2]}{{0,{most - int(begun)}}}$" if tail and begun <= most else ""


def _widest(text: str) -> float:
    """The most characters of what a pattern matches, if it matches whole texts."""
    parser = getattr(re, "_parser")  # noqa: B009 (What `re` itself counts by; it has no public name.)
    parsed = parser.parse(text)
    ends = [str(part[1]) for part in parsed if str(part[0]) == "AT"]
    whole = ends == ["AT_BEGINNING", "AT_END"] and {str(parsed[0][0]), str(parsed[-1][0])} == {"AT"}
    return float(parsed.getwidth()[1]) if whole else float("inf")


def _code(longest: int | None) -> Schema:
    at = ("$defs", "code", "properties")
    line = rf"[ -~{_INK}]{{0,{CODE_WIDTH}}}"
    first = rf"[!-~{_INK}][ -~{_INK}]{{0,{CODE_WIDTH - 1}}}"
    cap = {} if longest is None else {"maxLength": longest}
    step = {
        "at": _text(("$defs", "at"), "at", longest=longest),
        "highlight": {"type": "string", "pattern": "^[1-9][0-9]?(-[1-9][0-9]?)?$"},
    }
    fields = {
        "language": _choice((*at, "language"), CODE),
        "text": _said((*at, "text"), type="string", pattern=rf"^{first}(\n{line}){{0,{CODE_LINES - 1}}}$", **cap),
        "steps": _list((*at, "steps"), MOST_STEPS, _mapping(step)),
    }
    return _said(("$defs", "code"), **_mapping(fields, ["steps"]))


def _slide(longest: int | None) -> Schema:
    text, at = partial(_text, longest=longest), ("$defs", "slide", "properties")
    point = {
        "text": text((*at, "bullets", "items", "properties", "text"), "bullet"),
        "at": text(("$defs", "at"), "at"),
    }
    bullets = _list((*at, "bullets"), MOST_BULLETS, _mapping(point, ["at"]))
    return _said(("$defs", "slide"), **_mapping({"title": text((*at, "title"), "slide"), "bullets": bullets}))


def _diagram(longest: int | None) -> Schema:
    at = ("$defs", "diagram", "properties")
    node, label = _NODE % (LENGTHS["label"] - 1), _NODE % (LENGTHS["label"] // 2 - 1)
    edge = rf"  {node} -> {node}( \[label={label}\])?;\n"
    cap = {} if longest is None else {"maxLength": longest}
    nodes = {"type": "array", "minItems": 1, "maxItems": 4, "items": _text(("$defs", "at"), "label", longest=longest)}
    step = {"at": _text(("$defs", "at"), "at", longest=longest), "show": nodes}
    fields = {
        "dot": _said((*at, "dot"), type="string", pattern=rf"^digraph \{{\n({edge}){{1,{MOST_EDGES}}}\}}$", **cap),
        "steps": _list((*at, "steps"), MOST_STEPS, _mapping(step)),
    }
    return _said(("$defs", "diagram"), **_mapping(fields, ["steps"]))


def _scenes(least: int, most: int, scene: Schema) -> Schema:
    found = _part("properties", "scenes")
    if not found["minItems"] <= least <= most <= found["maxItems"]:
        raise ValueError(
            f"from {least} to {most} scenes are not possible: {found['minItems']} to {found['maxItems']} are"
        )
    return _said(("properties", "scenes"), type="array", minItems=least, maxItems=most, items=scene)


def _text(path: Sequence[str], name: str, pattern: str = LINE, *, longest: int | None = None) -> Schema:
    """A text as long as the storyboard and LENGTHS let it be."""
    own = LENGTHS[name]
    most = min(own, _part(*path).get("maxLength", own), longest or own)
    return _said(path, type="string", maxLength=most, pattern=pattern)


def _choice(path: Sequence[str], choices: Sequence[str]) -> Schema:
    return _said(path, type="string", enum=list(choices))


def _list(path: Sequence[str], most: int, items: Schema) -> Schema:
    return _said(path, type="array", maxItems=min(most, _part(*path)["maxItems"]), items=items)


def _mapping(fields: Mapping[str, Schema], optional: Sequence[str] = ()) -> Schema:
    required = [name for name in fields if name not in optional]
    return {"type": "object", "properties": dict(fields), "required": required, "additionalProperties": False}


def _said(path: Sequence[str], **rest: Any) -> Schema:
    """A part that keeps what the storyboard's schema says about it, for models that are shown the schema."""
    said = _part(*path).get("description")
    return {"description": said, **rest} if said else rest


def _part(*path: str) -> Mapping[str, Any]:
    """A part of the storyboard's schema, with what it refers to."""
    root = schema("storyboard")
    found: Mapping[str, Any] = root
    for name in path:
        found = found[name]
        if "$ref" in found:
            found = {**root["$defs"][found["$ref"].removeprefix("#/$defs/")], **found}
    return found
