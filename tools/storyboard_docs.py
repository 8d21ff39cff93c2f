"""Writes docs/storyboard.md from the schemas; `--check` exits 1 when the page is stale."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/storyboard.md"
BLANK = re.compile(r"\$\{\d+(?::((?:\\}|[^}])*)|\|([^,|]*)[^|]*\|)\}")  # ${1:text} or ${1|text,other|}
INTRODUCTION = """\
# The language

What an author writes, field by field. This page is made from `schemas/` by `python tools/storyboard_docs.py`;
editors show the same words. Files are YAML 1.2: `yes` is text, and duplicate keys, tags and merge keys are mistakes.
Paths are relative to the file that names them and stay inside the workspace.
"""


def page() -> str:
    """The whole page; what is the same in two places is told once."""
    told: list[Any] = []
    parts = [INTRODUCTION]
    for name in ("storyboard", "persona", "profile"):
        root = json.loads((ROOT / f"schemas/{name}.schema.json").read_text("utf-8"))
        parts += [f"## {name}.yaml\n" if name != "profile" else "## profiles/NAME.yaml\n", *_mapping(root, root, told)]
    return "\n".join(parts).rstrip() + "\n"


def _mapping(root: dict[str, Any], part: dict[str, Any], told: list[Any]) -> Iterator[str]:
    if "description" in part:
        yield f"{part['description']}\n"
    yield "| field | value | default | |\n|---|---|---|---|"
    below = []
    for name, said in part["properties"].items():
        field = _resolved(root, said)
        must = "" if name not in part.get("required", ()) else "**required**"
        default = f"`{json.dumps(field['default'])}`" if "default" in field else must
        examples = [*field.get("examples", ()), *(body for body in _written(field) if body not in told)]
        told += examples
        example = f" Example: `{_shown(examples[0])}`" if examples else ""
        yield f"| `{name}` | {_value(field)} | {default} | {field['description']}{example} |"
        inner = _resolved(root, field["items"]) if "items" in field else field
        if "properties" in inner:
            below.append((name, inner))
    yield ""
    for name, inner in below:
        if inner["properties"] in told:
            continue
        told.append(inner["properties"])
        yield f"### {inner.get('title', name)}\n"
        yield from _mapping(root, inner, told)


def _resolved(root: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """A schema with what it refers to; its own words win."""
    if "$ref" not in part:
        return part
    return {**root["$defs"][part["$ref"].removeprefix("#/$defs/")], **part}


def _value(field: dict[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{choice}`" for choice in field["enum"])
    kinds = [field["type"]] if isinstance(field["type"], str) else field["type"]
    words = {
        "string": "text",
        "integer": "whole number",
        "boolean": "`true`, `false`",
        "array": "list",
        "object": "mapping",
    }
    text = " or ".join(words.get(kind, kind) for kind in kinds)
    least, most = field.get("minimum", field.get("exclusiveMinimum")), field.get("maximum")
    if most is not None:
        return f"{text}, {'above ' if 'exclusiveMinimum' in field else ''}{least} to {most}"
    return f"{text}, up to {field['maxLength']:,} characters" if "maxLength" in field else text


def _written(field: dict[str, Any]) -> Iterator[Any]:
    """What an editor's snippets write, where the first choice of every blank is taken."""
    for snippet in field.get("defaultSnippets", ()):
        body = _filled(snippet["body"])
        yield [body] if field["type"] == "array" else body


def _filled(body: Any) -> Any:
    if isinstance(body, dict):
        return {_filled(key): _filled(value) for key, value in body.items()}
    if isinstance(body, list):
        return [_filled(item) for item in body]
    if not isinstance(body, str):
        return body
    text = BLANK.sub(lambda blank: (blank[1] or blank[2]).replace("\\}", "}"), body.removeprefix("^"))
    return json.loads(text) if body.startswith("^") else text


def _shown(example: Any) -> str:
    return example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)


def main() -> int:
    text = page()
    if "--check" in sys.argv[1:]:
        fresh = PAGE.exists() and PAGE.read_text("utf-8") == text
        if not fresh:
            print("docs/storyboard.md is stale: run python tools/storyboard_docs.py", file=sys.stderr)  # noqa: T201
        return 0 if fresh else 1
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
