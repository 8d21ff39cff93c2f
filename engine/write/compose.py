"""A brief and a model to a film: head and plan first, then scene by scene, each checked before the next is asked for.

One scene at a time is what small models do best: each call is short, sees the whole plan and what was said so far, and
what is wrong with a scene is mended without touching the others. What is said first is the same in every call, so that
servers read it once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from . import checks
from .brief import Brief, slug, told
from .checks import Flaws
from .dialogue import Dialogue, Limits, Unusable
from .languages import plausible
from .model import Model, WriterError
from .pace import count
from .prompts import Prompts
from .settle import free
from .shape import LINE, opening, scene_shape, titles_shape

SHOWN_BEFORE = 12  # Scenes whose narration a model is shown when it writes the next.
GIVE_UP = 2  # Scenes in a row that came to nothing: so will the others.
MOST_ID = 40
PICTURE, SHOWS = {"image_prompt", "video_prompt"}, {"code", "slide", "diagram"}
MOST_TOKENS = 4000  # Of an answer: more than any that keeps to its shape.


@dataclass(frozen=True)
class Idea:
    """One scene of the plan."""

    id: str
    idea: str
    on_screen: bool


@dataclass(frozen=True)
class Plan:
    """The head of a film, and what its scenes are to be."""

    title: str
    style: str
    ideas: Sequence[Idea]


class Say(Protocol):
    """Hears how far the writing is."""

    def planned(self, plan: Plan) -> None:
        """The plan is there."""

    def writing(self, number: int, scenes: int, name: str) -> None:
        """A scene is asked for."""

    def scene(self, scene: Mapping[str, Any]) -> None:
        """It is whole."""

    def tokens(self, tokens: int) -> None:
        """So many tokens of the answer that is coming."""

    def note(self, text: str) -> None:
        """Something is less than was asked for."""


class Desk(NamedTuple):
    """What a film is written with."""

    talk: Dialogue
    brief: Brief
    prompts: Prompts
    say: Say

    def prompt(self, name: str, about: Mapping[str, Any], **film: Any) -> str:
        """A prompt about this film."""
        return self.prompts.text(name, told(self.brief, **film) | dict(about))

    def useless(self, problem: Unusable) -> WriterError:
        """What an author is told of a model that gives nothing."""
        return WriterError(
            f"{self.talk.model.name} gives nothing that can be used, after {problem.tries} tries: {problem}",
            "try another model with --model, or --seed with another number",
        )


def desk(
    brief: Brief, model: Model, prompts: Prompts, limits: Limits, say: Say, system: str = "system", **about: Any
) -> Desk:
    """All that is needed to write one film; `system` is what is said first, told `about` what it asks for."""

    def repair(reasons: Sequence[str]) -> str:
        return prompts.text("repair", {"reasons": list(reasons)})

    talk = Dialogue(model, prompts.text(system, told(brief) | about), repair, limits, brief.seed, say.tokens)
    return Desk(talk, brief, prompts, say)


def titles(at: Desk, number: int) -> list[str]:
    """Proposals. Raises WriterError."""
    shape = titles_shape(number)

    def check(value: Any) -> tuple[Any, Flaws]:
        made = checks.pruned(value, shape)
        found = list(dict.fromkeys(" ".join(text.split()) for text in _texts(made.get("titles")) if text.strip()))
        wrong = [f"there are {len(found)} different titles: write {number}"] if len(found) != number else []
        return found, Flaws(soft=wrong) if found else Flaws(hard=wrong)

    try:
        return list(at.talk.ask(at.prompt("titles", {"count": number}), shape, MOST_TOKENS, check).value)
    except Unusable as problem:
        raise at.useless(problem) from None


def plan(at: Desk, done: Sequence[Mapping[str, Any]] = (), title: str = "") -> Plan:
    """Title, style and the scenes to come; of a film that is half written, the rest of them. Raises WriterError."""
    brief = at.brief
    shape = plan_shape(brief.scenes, brief.language, head=not done)
    above = [{"id": s["id"], "on_screen": s["on_screen"], "narration": s.get("narration", "")} for s in done]
    taken = {str(scene["id"]) for scene in done}

    def check(value: Any) -> tuple[Any, Flaws]:
        return _planned(checks.pruned(value, shape), brief, taken, title)

    text = at.prompt("plan", {"done": above}, title=title)
    try:
        got = at.talk.ask(text, shape, MOST_TOKENS + 300 * brief.scenes, check)
    except Unusable as problem:
        raise at.useless(problem) from None
    for reason in got.soft:
        at.say.note(f"plan: {reason}")
    found: Plan = got.value
    return found


def plan_shape(scenes: int, language: str, *, head: bool = True) -> dict[str, Any]:
    """What a plan is to look like."""
    line = {"type": "string", "pattern": LINE}
    idea = {
        "id": {"type": "string", "maxLength": 30, "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"},
        "idea": {**line, "maxLength": 200},
        "on_screen": {"type": "boolean"},
    }
    title = {"type": "string", "maxLength": 100, "pattern": opening(language)}
    above = {"title": title, "style": {**line, "maxLength": 160}} if head else {}
    listed = {"type": "array", "minItems": scenes, "maxItems": scenes, "items": _mapping(idea)}
    return _mapping({**above, "scenes": listed})


def _mapping(fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def scenes(
    at: Desk, film: Plan, head: Mapping[str, Any], done: Sequence[Mapping[str, Any]] = ()
) -> Iterator[dict[str, Any]]:
    """The scenes of a plan, each as soon as it is whole; one that comes to nothing is told of and left out."""
    written = [str(scene.get("narration", "")) for scene in done]
    failed, words = 0, at.brief.words
    wanted = words * len(film.ideas)
    for number, idea in enumerate(film.ideas):
        at.say.writing(number + 1, len(film.ideas), idea.id)
        share = min(1.4 * words, max(0.7 * words, wanted / (len(film.ideas) - number)))
        try:
            scene = _scene(at, film, head, number, len(done), share, written)
        except Unusable as problem:
            failed += 1
            at.say.note(f"scene '{idea.id}' is left out, after {problem.tries} tries: {problem}")
            if failed == GIVE_UP:
                raise at.useless(problem) from None
            continue
        failed = 0
        wanted -= count(scene["narration"], at.brief.language)
        written.append(scene["narration"])
        yield scene


def _scene(
    at: Desk, film: Plan, head: Mapping[str, Any], place: int, above: int, share: float, written: Sequence[str]
) -> dict[str, Any]:
    """The scene at a place of a plan, below so many that were there, with a share of the words. Raises Unusable."""
    idea, (least, most) = film.ideas[place], at.brief.limits(share)
    listed = [{"id": one.id, "idea": one.idea, "number": above + n} for n, one in enumerate(film.ideas, 1)]
    about = {**listed[place], "on_screen": idea.on_screen, "least": least, "most": most}
    data = {"plan": listed, "scene": about, "before": list(written[-SHOWN_BEFORE:])}
    text = at.prompt("scene", data, title=film.title, scenes_in_all=above + len(listed))
    return written_scene(at, text, idea.id, idea.on_screen, head, (least, most))


def written_scene(
    at: Desk, text: str, name: str, on_screen: bool | None, head: Mapping[str, Any], words: tuple[int, int]
) -> dict[str, Any]:
    """One scene that a model was asked for; `on_screen` is fixed, unless it is None. Raises Unusable."""
    shape = scene_shape(language=at.brief.language, ids=[name])
    stray: list[str] = []

    def check(value: Any) -> tuple[Any, Flaws]:
        value = unwrapped(value)
        stray[:] = checks.strays(value, shape)
        made = checks.pruned(value, shape) | {"id": name}
        if on_screen is not None or "persona" not in head:
            made["on_screen"] = bool(on_screen) and "persona" in head
        made, shown = checks.put_right(made, shape, head)
        spoken = checks.of_words(made, at.brief.language, *words)
        return made, Flaws([*spoken.hard, *shown.hard], [*spoken.soft, *shown.soft])

    got = at.talk.ask(text, shape, MOST_TOKENS, check)
    if stray:
        at.say.note(f"scene '{name}': what no model may write is left out: {', '.join(dict.fromkeys(stray))}")
    for reason in got.soft:
        at.say.note(f"scene '{name}': {reason}")
    return dict(got.value)


def unwrapped(value: Any) -> Any:
    """A scene out of what a model may have put around it, {"scene": {...}} or {"scenes": [{...}]}, with one picture."""
    inner = value.get("scene", value.get("scenes")) if "id" not in value and "narration" not in value else None
    inner = inner[0] if isinstance(inner, list) and inner else inner
    scene = inner if isinstance(inner, dict) else value
    show = scene.get("show")
    needless = (
        PICTURE if isinstance(show, dict) and show.keys() & SHOWS else {"show"} if "image_prompt" in scene else set()
    )
    return {key: made for key, made in scene.items() if key not in needless}


def _planned(value: Mapping[str, Any], brief: Brief, taken: set[str], title: str) -> tuple[Plan | None, Flaws]:
    """A plan with ids of its own for every scene."""
    ideas = []
    for item in value.get("scenes", ()) if isinstance(value.get("scenes"), list) else ():
        if isinstance(item, dict) and str(item.get("idea", "")).strip():
            name = unique(str(item.get("id", "")), taken)
            taken = taken | {name}
            shown = item.get("on_screen") is True and brief.persona is not None
            ideas.append(Idea(name, " ".join(str(item["idea"]).split())[:200], shown))
    title = title or " ".join(str(value.get("title", "")).split())[:100]
    style = " ".join(str(value.get("style", "")).split())[:160]
    hard = [] if title else ["title is missing"]
    hard += [] if ideas else ["scenes are missing: each has an id, an idea, and on_screen"]
    soft = (
        [] if plausible(f"{title} {title}", brief.language) else [f"the title is not in the language {brief.language}"]
    )
    soft += [] if len(ideas) == brief.scenes else [f"there are {len(ideas)} scenes: plan {brief.scenes}"]
    return Plan(title, style, ideas[: brief.scenes]), Flaws(hard, soft)


def unique(name: str, taken: Collection[str]) -> str:
    """An id like the one that is wished for, and unlike those that are taken."""
    plain = slug(name.replace("-", " "))[:MOST_ID].strip("-") or "scene"
    return free(plain, taken)


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
