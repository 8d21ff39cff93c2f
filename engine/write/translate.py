"""The same film in another language: its texts translated scene by scene, and every other byte of it kept.

Ids, prompts, numbers, code and comments stay, so that pictures are hits. Words at which something appears follow the
new narration; where a model names one that it does not say, the point or step loses its moment, and that is told.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..authored import at_words
from ..backends.cues import found
from ..document import parse
from . import checks, edits
from .checks import Flaws
from .compose import GIVE_UP, MOST_TOKENS, Desk
from .dialogue import Unusable
from .languages import plausible
from .shape import texts_shape

Path = tuple[str | int, ...]
_MOST: Mapping[str, int] = {"title": 120, "chapter": 200, "bullet": 160, "at": 100, "label": 40, "narration": 5000}
_LABEL = re.compile(r'(?<=label=")[^"\\\r\n]*[^\W\d_][^"\\\r\n]*(?=")')
_SPOKEN = frozenset(("narration", "chapter"))


class Text(NamedTuple):
    """One text of a scene: how a model is told of it, where it stands, what it says."""

    key: str
    path: Path
    said: str


class Translated(NamedTuple):
    """A storyboard in another language, and how many scenes were left as they were."""

    raw: bytes
    left: int


def translate(at: Desk, raw: bytes, name: str) -> Translated:
    """The text of a storyboard in the brief's language. Raises WriterError."""
    data = parse(raw, name).data
    raw = edits.put(raw, name, ("title",), _title(at, data["title"]))
    raw = edits.put(raw, name, ("language",), at.brief.language)
    before, failed, left = "", 0, 0
    for index, scene in enumerate(data["scenes"]):
        texts = {text.key: text for text in texts_of(scene)}
        if not texts:
            continue
        at.say.writing(index + 1, len(data["scenes"]), scene["id"])
        try:
            made = _scene(at, scene, texts, before)
        except Unusable as problem:
            failed, left = failed + 1, left + 1
            at.say.note(f"scene '{scene['id']}' stays as it is, after {problem.tries} tries: {problem}")
            if failed == GIVE_UP:
                raise at.useless(problem) from None
            continue
        failed, before = 0, made.get("narration", before)
        raw = _put(raw, name, index, scene, made, texts)
        at.say.scene({**scene, **made})
    return Translated(raw, left)


def texts_of(scene: Mapping[str, Any]) -> Iterator[Text]:
    """What of a scene is said or read; of a diagram, the labels in quotes."""
    for key in ("narration", "chapter"):
        if isinstance(scene.get(key), str) and scene[key].strip():
            yield Text(key, (key,), " ".join(scene[key].split()))
    show = scene.get("show", {})
    slide = show.get("slide", {})
    if "title" in slide:
        yield Text("title", ("show", "slide", "title"), slide["title"])
    for number, bullet in enumerate(slide.get("bullets", ()), 1):
        path: Path = ("show", "slide", "bullets", number - 1)
        yield (
            Text(f"bullet_{number}", path, bullet)
            if isinstance(bullet, str)
            else Text(f"bullet_{number}", (*path, "text"), bullet["text"])
        )
    labels = dict.fromkeys(_LABEL.findall(show.get("diagram", {}).get("dot", "")))
    for number, label in enumerate(labels, 1):
        yield Text(f"label_{number}", ("show", "diagram", "dot"), label)
    for number, (path, cue) in enumerate(at_words(show), 1):
        yield Text(f"at_{number}", ("show", *path), cue)


def shape_of(texts: Mapping[str, Text], language: str) -> dict[str, Any]:
    """What the translations of some texts are to look like: none more than about twice as long."""
    most = {key: min(_MOST[key.partition("_")[0]], 2 * len(text.said) + 30) for key, text in texts.items()}
    spoken = texts_shape({key: size for key, size in most.items() if key in _SPOKEN}, language=language)
    read = texts_shape({key: size for key, size in most.items() if key not in _SPOKEN})
    fields = spoken["properties"] | read["properties"]
    return {**read, "properties": {key: fields[key] for key in texts}, "required": list(texts)}


def _title(at: Desk, title: str) -> str:
    try:
        return _ask(at, {"title": Text("title", ("title",), title)}, "", lambda _: Flaws())["title"]
    except Unusable as problem:
        raise at.useless(problem) from None


def _ask(at: Desk, texts: Mapping[str, Text], before: str, flaws: Any) -> dict[str, str]:
    shape = shape_of(texts, at.brief.language)
    about = {
        "texts": json.dumps({key: text.said for key, text in texts.items()}, ensure_ascii=False, indent=1),
        "cues": [key for key in texts if key.startswith("at_")],
        "before": before,
    }

    def check(value: Any) -> tuple[Any, Flaws]:
        made = {
            key: " ".join(text.split()) for key, text in checks.pruned(value, shape).items() if isinstance(text, str)
        }
        hard = [f"'{key}' is missing" for key in texts if not made.get(key)]
        fields = shape["properties"]
        hard += [
            f"'{key}' has {len(text)} characters: write at most {fields[key]['maxLength']}"
            for key, text in made.items()
            if len(text) > fields[key]["maxLength"]
        ]
        hard += [
            f"'{key}' is not in the language {at.brief.language}"
            for key in made
            if key in _SPOKEN and not plausible(made[key], at.brief.language)
        ]
        return made, Flaws(hard) if hard else flaws(made)

    got = at.talk.ask(at.prompt("translate", about), shape, MOST_TOKENS, check)
    return dict(got.value)


def _scene(at: Desk, scene: Mapping[str, Any], texts: Mapping[str, Text], before: str) -> dict[str, str]:
    """The texts of a scene in the other language; cues that are not said are empty. Raises Unusable."""
    cues = [key for key in texts if key.startswith("at_")]
    old = set(checks.checked(scene, {}))

    def unsaid(made: Mapping[str, str]) -> list[str]:
        places = found([made[key] for key in cues], made.get("narration", "").split())
        return [key for key, place in zip(cues, places, strict=True) if place is None]

    def flaws(made: Mapping[str, str]) -> Flaws:
        whole = applied(scene, {**made, **dict.fromkeys(unsaid(made), "")}, texts)
        wrong = [reason for reason in checks.checked(whole, {}) if reason not in old]
        return Flaws(wrong, [f"'{key}': '{made[key]}' is not in your narration, in this order" for key in unsaid(made)])

    made = _ask(at, texts, before, flaws)
    for key in unsaid(made):
        at.say.note(
            f"scene '{scene['id']}': '{made[key]}' is not said, so '{texts[key].said}' has no moment of its own"
        )
        made[key] = ""
    return made


def applied(scene: Mapping[str, Any], made: Mapping[str, str], texts: Mapping[str, Text]) -> dict[str, Any]:
    """A scene with its translations; a cue without words is left out, with the step that it was for."""
    new = copy.deepcopy(dict(scene))
    for key, text in texts.items():
        if key.startswith("label_"):
            _at(new, text.path[:-1])[text.path[-1]] = _relabelled(_at(new, text.path), {text.said: made[key]})
        elif not key.startswith("at_") or made[key]:
            _at(new, text.path[:-1])[text.path[-1]] = made[key]
    for key in reversed([key for key in texts if key.startswith("at_") and not made[key]]):
        path = texts[key].path
        steps = _at(new, path[:-2])
        if path[-3] == "bullets":
            steps[path[-2]] = steps[path[-2]]["text"]
        else:
            steps.pop(path[-2])
            if not steps:
                _at(new, path[:-3]).pop(path[-3])
    return new


def _put(
    raw: bytes, name: str, index: int, scene: Mapping[str, Any], made: Mapping[str, str], texts: Mapping[str, Text]
) -> bytes:
    """The text of a storyboard with one scene's translations in their places."""
    whole = applied(scene, made, texts)
    if any(key.startswith("at_") and not made[key] for key in texts):
        spoken = {key: text for key, text in texts.items() if text.path[0] != "show"}
        raw = edits.put(raw, name, ("scenes", index, "show"), whole["show"])
        return _put(raw, name, index, whole, made, spoken)
    for key, text in texts.items():
        if not key.startswith("label_"):
            raw = edits.put(raw, name, ("scenes", index, *text.path), made[key])
    labels = {text.said: made[key] for key, text in texts.items() if key.startswith("label_")}
    if labels:
        raw = edits.rework(raw, name, ("scenes", index, "show", "diagram", "dot"), lambda dot: _relabelled(dot, labels))
    return raw


def _relabelled(dot: str, labels: Mapping[str, str]) -> str:
    """A graph with other labels, which have no sign that ends them."""
    clean = {old: re.sub(r'["\\\r\n]', " ", new) for old, new in labels.items()}
    return _LABEL.sub(lambda match: clean.get(match.group(), match.group()), dot)


def _at(data: Any, path: Path) -> Any:
    for part in path:
        data = data[part]
    return data
