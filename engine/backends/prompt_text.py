"""What a picture model is told: a template of the profile, filled with the scene, its style and the persona.

A template comes from a file of the workspace, so it can do no more than put words beside words: it has no loops,
no calls, no assignments, and what it writes is bounded by what it reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from ..errors import BackendError

DEFAULT = (
    "{% if persona %}{{ persona.trigger or persona.name }}"
    "{% if persona.appearance %}, {{ persona.appearance }}{% endif %}"
    "{% if persona.wardrobe %}, wearing {{ persona.wardrobe }}{% endif %}. {% endif %}"
    "{{ prompt }}{% if style %}. {{ style }}{% endif %}"
)
MOST = 4_000  # Characters of a template; more than any text encoder reads.
MOST_WRITTEN = 20_000
FILTERS = ("capitalize", "default", "first", "last", "lower", "title", "trim", "upper")
NAMES = ("persona", "prompt", "style", "theme")
PARTS = ("name", "trigger", "appearance", "wardrobe")  # Of a persona; all else is text, and has none.
_NODES = frozenset(("Template", "Output", "TemplateData", "Name", "Getattr", "Getitem", "Const", "If", "CondExpr"))
_NODES |= {"Concat", "Filter", "Compare", "Operand", "And", "Or", "Not"}


def wrong(template: str) -> str:
    """What a template does that it must not; empty if nothing."""
    if len(template) > MOST:
        return f"the template has {len(template):,} characters; at most {MOST:,} are read"
    jinja = import_module("jinja2")
    try:
        tree = jinja.Environment().parse(template)
    except jinja.TemplateSyntaxError as problem:
        return f"the template cannot be read: {problem.message}, in its line {problem.lineno}"
    strange = next(filter(None, map(_strange, _all(tree))), "")
    return strange or _broken(template)


def _strange(node: Any) -> str:
    """What a node of a template does that it must not; empty if nothing."""
    kind = type(node).__name__
    if kind not in _NODES:
        return f"a template cannot hold {_called(kind)}: it puts words beside words"
    if kind == "Filter" and node.name not in FILTERS:
        return f"a template has no filter '{node.name}'; it has {', '.join(FILTERS)}"
    if kind == "Name" and node.name not in NAMES:
        return f"a template knows no '{node.name}'; it knows {', '.join(NAMES)}"
    if kind in ("Getattr", "Getitem") and (part := _stray(node)):
        return f"a template reads no {part} there: a persona has {', '.join(PARTS)}, and all else is text"
    return ""


def _stray(node: Any) -> str:
    """What a node reads that is no part of a persona; empty if it is one."""
    part = node.attr if hasattr(node, "attr") else getattr(node.arg, "value", None)
    if getattr(node.node, "name", "") == "persona" and part in PARTS:
        return ""
    return f"'{part}'" if part is not None else "part that a word names"


def _broken(template: str) -> str:
    """How a template that can be read fails for one scene or another: `prompt < 1` holds a word against a number."""
    full = dict.fromkeys(PARTS, "word")
    for persona in (None, {"name": "word"}, full):
        for style in ("", "word"):
            try:
                _compiled(template).render(persona=persona, prompt="word", style=style, theme="word")
            except Exception as problem:  # Whatever Python says of such operands.
                return f"the template fails where a scene has {_had(persona, style)}: {problem}"
    return ""


def _had(persona: Mapping[str, str] | None, style: str) -> str:
    return f"{'no persona' if persona is None else 'a persona'} and {'a' if style else 'no'} style"


def filled(template: str, said: Mapping[str, Any]) -> str:
    """The prompt of a scene. Raises BackendError."""
    problem = wrong(template)
    if problem:
        raise BackendError(problem, "Change template: in the profile.")
    text = " ".join(_compiled(template).render(**said).split())
    if not text:
        raise BackendError("the prompt is empty", "Write an image_prompt, or a template that says something without.")
    if len(text) > MOST_WRITTEN:
        raise BackendError(f"the prompt has {len(text):,} characters; at most {MOST_WRITTEN:,} are given to a model")
    return text


@cache
def _compiled(template: str) -> Any:
    environment = import_module("jinja2.sandbox").ImmutableSandboxedEnvironment(autoescape=False)
    return environment.from_string(template)


def _all(node: Any) -> list[Any]:
    """Every node of a template's tree, itself too."""
    found = [node]
    for child in node.iter_child_nodes():
        found += _all(child)
    return found


def _called(kind: str) -> str:
    words = {"For": "a loop", "Call": "a call", "Assign": "an assignment", "Macro": "a macro", "Include": "an include"}
    return words.get(kind, f"'{kind.lower()}'")


def read(pipe: Any, text: str, longest: int) -> list[str]:
    """What the tokenizers of a pipeline leave out of a text, one note each; CLIP reads 77 tokens whatever is asked."""
    notes = []
    for name in ("tokenizer", "tokenizer_2", "tokenizer_3"):
        tokenizer = getattr(pipe, name, None)
        if tokenizer is None:
            continue
        clip = type(tokenizer).__name__.startswith("CLIP")
        most = min(int(tokenizer.model_max_length), 77) if clip else longest
        count = len(tokenizer(text, verbose=False).input_ids)
        if count > most:
            who = "CLIP" if clip else "the text encoder"
            notes.append(f"{who} read {most} of the prompt's {count} tokens")
    return notes
