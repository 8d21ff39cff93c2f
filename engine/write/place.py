"""Where a new storyboard goes, who speaks in it, and what its first lines tell of how it came about."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..digests import Digests
from ..document import read, shown
from ..errors import AuthorError, UsageError
from ..explain import did_you_mean
from ..load import persona_mistakes
from ..storyboard import Persona
from .brief import Brief

MOST_PROMPT = 4000  # Characters.
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_PROMPT = re.compile(r"^# prompt: (.*(?:\n# .*)*?)\n# model: ", re.MULTILINE)
_ASKED = re.compile(r"^# asked for: (?P<minutes>[0-9.]+) minutes, (?P<scenes>[0-9]+) scenes", re.MULTILINE)


def new_file(root: Path, name: str) -> Path:
    """The storyboard of a project that has none. Raises UsageError."""
    if not _ID.fullmatch(name):
        hint = "small letters, digits and hyphens: --name firewalls"
        raise UsageError(f"'{name}' cannot be a project's name" if name else "the project needs a name", hint)
    file = root / "projects" / name / "storyboard.yaml"
    if file.exists():
        hint = f"go on with it: mikebot write --continue {shown(file.parent)}; or give the new one another --name"
        raise UsageError(f"{shown(file)} is there already", hint)
    return file


def persona_of(root: Path, name: str | None) -> Persona | None:
    """The persona of a name; without one, the only one that the workspace has, or nobody. Raises AuthorError."""
    there = sorted(file.parent.name for file in root.glob("personas/*/persona.yaml"))
    if name is None:
        name = there[0] if len(there) == 1 else ""
    if not name:
        return None
    if name not in there:
        hint = f"personas here: {', '.join(there) or 'none'}"
        raise UsageError(f"unknown persona '{name}'{did_you_mean(name, there)}", hint)
    file = root / "personas" / name / "persona.yaml"
    wrong = persona_mistakes(file, root, Digests())
    if wrong:
        raise AuthorError(wrong)
    data = read(file)[0].data
    said = {field: data.get(field, "") for field in ("trigger", "appearance", "wardrobe", "manner")}
    return Persona(name=data["name"], id=name, **said, voice=data.get("voice", {}))


def language_tag(text: str) -> str:
    """A language as a storyboard has it. Raises UsageError."""
    if len(text) > 35 or not _LANGUAGE.fullmatch(text):
        raise UsageError(f"'{text}' is no language", "write a language tag such as en, en-GB, de or zh")
    return text


def one_line(prompt: str) -> str:
    """A request without line breaks. Raises UsageError."""
    text = " ".join("".join(char if char.isprintable() else " " for char in prompt).split())
    if not text:
        raise UsageError("the prompt is empty", 'say what the film is about: mikebot write "Tell me about firewalls"')
    if len(text) > MOST_PROMPT:
        hint = "give the long part as a file, with --source"
        raise UsageError(f"the prompt has {len(text):,} characters; at most {MOST_PROMPT:,} are read", hint)
    return text


def head_of(brief: Brief, title: str, style: str) -> dict[str, Any]:
    """What stands above the scenes."""
    head: dict[str, Any] = {"title": title}
    if brief.persona is not None:
        head["persona"] = brief.persona.id
    if brief.language != "en":
        head["language"] = brief.language
    return head | {"seed": brief.seed} | ({"style": style} if style else {})


def comment_of(brief: Brief, name: str, revision: str) -> list[str]:
    """How a storyboard came about; nothing in it depends on the day."""
    lines = [f"prompt: {brief.prompt}", f"model: {name}{f' {revision}' if revision else ''}, seed {brief.seed}"]
    lines.append(f"asked for: {brief.minutes:g} minutes, {brief.scenes} scenes")
    for source, text in brief.sources:
        lines.append(f"source: {source}, sha256 {hashlib.sha256(text.encode()).hexdigest()[:16]}")
    return lines


def remembered(text: str) -> Mapping[str, str]:
    """What a storyboard's first lines tell of how it came about: prompt, minutes, scenes; nothing where they do not."""
    top = text.replace("\r\n", "\n").split("\nscenes:", 1)[0]
    prompt, asked = _PROMPT.search(top), _ASKED.search(top)
    found = {"prompt": " ".join(prompt[1].replace("\n# ", " ").split())} if prompt else {}
    return found | (asked.groupdict() if asked else {})


def scaffold(persona: Persona | None) -> Sequence[dict[str, Any]]:
    """An arc without contents: what each scene is for stands in brackets, and not one fact is made up."""
    name = persona.name if persona else ""
    seen = f"{name} [does what, with which thing, where]" if name else "[the thing itself: where, in which light]"
    arc = (
        ("cold-open", True, "[Something happens, to the viewer or before their eyes. No greeting.]"),
        ("question", False, "[What nobody expected: so why is that? The question that the film answers.]"),
        ("first-idea", False, "[The first thing to see: an example, then its name.]"),
        ("second-idea", False, "[Therefore: the second thing, which follows from the first.]"),
        ("third-idea", False, "[Therefore: the third thing, and now the question is nearly answered.]"),
        ("turn", True, "[But: what it cannot do, or where everybody goes wrong.]"),
        ("close", True, "[Back to the first picture, which is different now. No summary.]"),
    )
    scenes = []
    for number, (scene, on_screen, text) in enumerate(arc, 1):
        picture = f"[picture {number}] {seen if on_screen else '[what is seen, where, in which light]'}"
        fields = {"id": scene, "on_screen": on_screen and bool(name), "narration": text}
        scenes.append(fields | {"image_prompt": picture, "video_prompt": "[what moves], slow push in"})
    return scenes
