"""mikebot write: a storyboard from a prompt, from notes, or an empty one to fill in."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..digests import Digests
from ..document import shown
from ..errors import MikebotError, UsageError
from ..load import load
from ..places import storyboard_file, workspace
from ..storyboard import Storyboard
from ..write import brief as briefs
from ..write import compose, place
from ..write.brief import Brief
from ..write.choose import choose, three_ways
from ..write.dialogue import Limits
from ..write.growing import Growing, growing_from
from ..write.model import Model, WriterError
from ..write.pace import count, in_film, minutes, words_a_minute
from ..write.progress import Progress
from ..write.prompts import Prompts
from ..write.sources import read_source, read_sources

NOTES = frozenset((".md", ".markdown", ".txt"))
STYLE = "[light, material, colours that all pictures share]"


def run(args: argparse.Namespace) -> int:
    """Write a storyboard, or propose titles for one."""
    notes = args.outline or _notes(args)
    ways = [bool(notes), args.scaffold, bool(args.titles), bool(args.continued)]
    if sum(ways) > 1:
        raise UsageError("--outline, --scaffold, --titles and --continue are different things", "choose one")
    if not args.prompt and not notes and not args.continued:
        raise UsageError("there is nothing to write about", 'mikebot write "Tell me about firewalls"')
    say = Progress(as_json=args.json)
    if args.continued:
        return _go_on(args, say)
    root = workspace(Path.cwd())
    asked = _brief(args, root, say)
    if args.titles:
        return _titles(args, root, asked, say)
    if args.scaffold:
        file = place.new_file(root, args.name or briefs.slug(asked.prompt))
        head = place.head_of(asked, asked.prompt[:1].upper() + asked.prompt[1:200], STYLE)
        return _at_once(Growing(file, head, (), say.note), place.scaffold(asked.persona), asked, say)
    return _outlined(args, root, Path(notes), asked, say) if notes else _written(args, root, asked, say)


def _notes(args: argparse.Namespace) -> str:
    """The prompt, where it names a file of notes."""
    prompt = args.prompt or ""
    named = Path(prompt).suffix.lower() in NOTES and len(prompt) < 500 and Path(prompt).is_file()
    return prompt if named and not args.continued else ""


def _brief(args: argparse.Namespace, root: Path, say: Progress) -> Brief:
    """What is asked for, as the command line says it."""
    language = place.language_tag(args.language or "en")
    persona = place.persona_of(root, args.persona)
    rate = in_film(words_a_minute(persona, language))
    length, scenes, words = briefs.sized(args.minutes, args.scenes, args.words_a_scene, rate)
    sources, notes = read_sources(args.source)
    for note in notes:
        say.note(note)
    prompt = place.one_line(args.prompt) if args.prompt else ""
    seed = 1 if args.seed is None else args.seed
    return Brief(prompt, persona, language, length, scenes, words, rate, seed, sources)


def brief_of(board: Storyboard, prompt: str, seed: int | None, language: str = "") -> Brief:
    """What is asked for where a storyboard is there already; in another language, where one is named."""
    language = language or board.language
    said = [scene.narration for scene in board.scenes if scene.narration]
    words = sum(count(text, board.language) for text in said) / max(1, len(said))
    rate = in_film(words_a_minute(board.persona, language))
    lasts = round(max(0.1, words * len(said) / rate), 2)
    seed = board.seed if seed is None else seed
    return Brief(prompt, board.persona, language, lasts, len(board.scenes), max(10.0, words), rate, seed)


def _titles(args: argparse.Namespace, root: Path, asked: Brief, say: Progress) -> int:
    with chosen(args, say) as model:
        at = compose.desk(asked, model, own_prompts(root, say), limits(args), say)
        say.begin("titles")
        found = compose.titles(at, args.titles)
    say.done({"titles": found}, "\n".join(found))
    return 0


def _outlined(args: argparse.Namespace, root: Path, notes: Path, asked: Brief, say: Progress) -> int:
    """From notes, without a model."""
    from ..write.outline import outline

    found = outline(read_source(notes), name=notes.stem, persona=asked.persona, language=asked.language)
    for remark in found.notes:
        say.note(f"{shown(notes)}: {remark}")
    name = args.name or briefs.slug(str(found.head["title"])) or briefs.slug(notes.stem)
    head = found.head if args.seed is None else {**found.head, "seed": args.seed}
    growing = Growing(place.new_file(root, name), head, [f"outline of: {notes.name}"], say.note)
    return _at_once(growing, found.scenes, asked, say)


def _at_once(growing: Growing, scenes: Sequence[Mapping[str, Any]], asked: Brief, say: Progress) -> int:
    """Scenes that are there already, written together."""
    growing.whole(scenes)
    return _finished(growing, scenes, replace(asked, minutes=0), say)


def _written(args: argparse.Namespace, root: Path, asked: Brief, say: Progress) -> int:
    """From a prompt, with a model."""
    name = args.name or briefs.slug(asked.prompt)
    file = place.new_file(root, name) if name else None  # Told before the model is asked, if it can be.
    with chosen(args, say) as model:
        at = compose.desk(asked, model, own_prompts(root, say), limits(args), say)
        say.begin("plan")
        plan = compose.plan(at)
        say.planned(plan)
        file = file or place.new_file(root, briefs.slug(plan.title) or "film")
        head = place.head_of(asked, plan.title, plan.style)
        growing = Growing(file, head, place.comment_of(asked, model.name, model.revision), say.note)
        made = _grown(growing, compose.scenes(at, plan, head), say)
    return _finished(growing, made, asked, say)


def _go_on(args: argparse.Namespace, say: Progress) -> int:
    """More scenes for a storyboard that is there."""
    file = storyboard_file(Path(args.continued)).absolute()
    root = workspace(file.parent)
    board = load(file, root, Digests()).board
    raw, data = growing_from(file)
    before = place.remembered(raw.decode("utf-8-sig"))
    prompt = args.prompt or before.get("prompt", "")
    args.language, args.persona = data.get("language", "en"), data.get("persona", "")
    args.prompt, args.seed = prompt or board.title, int(data.get("seed", 0)) if args.seed is None else args.seed
    asked = replace(_brief(args, root, say), prompt=place.one_line(prompt) if prompt else "")
    asked = _rest(args, asked, before, data["scenes"], file)
    with chosen(args, say) as model:
        at = compose.desk(asked, model, own_prompts(root, say), limits(args), say)
        say.begin("plan")
        plan = compose.plan(at, data["scenes"], board.title)
        say.planned(plan)
        head = {key: value for key, value in data.items() if key in {"title", "persona", "language", "seed", "style"}}
        growing = Growing(file, head, place.comment_of(asked, model.name, model.revision), say.note, raw)
        made = _grown(growing, compose.scenes(at, plan, head, data["scenes"]), say)
    return _finished(growing, made, asked, say, more=True)


def _rest(
    args: argparse.Namespace, asked: Brief, before: Mapping[str, str], scenes: Sequence[Mapping[str, Any]], file: Path
) -> Brief:
    """What is still to come: as many scenes as are asked for, else what the storyboard lacks of what it was to be."""
    length = args.minutes or float(before.get("minutes", briefs.MINUTES))
    left = round(length - minutes(scenes, asked.persona, asked.language), 2)
    usual = args.words_a_scene or asked.rate * briefs.SECONDS / 60
    number = args.scenes or int(before.get("scenes", 0)) - len(scenes)
    if not args.scenes and "scenes" not in before:
        number = round(left * asked.rate / usual)
    if number < 1:
        has = f"{shown(file)} has its {len(scenes)} scenes"
        raise UsageError(has, "say how many more are to follow: --scenes 3")
    words = args.words_a_scene or (max(0.5 * usual, left * asked.rate / number) if left > 0 else usual)
    return replace(asked, minutes=round(max(left, number * words / asked.rate), 2), scenes=number, words=words)


@contextlib.contextmanager
def chosen(args: argparse.Namespace, say: Progress) -> Iterator[Model]:
    """The model that writes, until it is done. Raises UsageError where there is none."""
    model = choose(args.model, say.note)
    if model is None:
        raise UsageError(three_ways(), "without a model: --outline NOTES.md, or --scaffold for an empty arc to fill in")
    try:
        say.model(model.name, model.revision)
        yield model
    finally:
        model.close()


def own_prompts(root: Path, say: Progress) -> Prompts:
    """The workspace's prompts and ours; what is odd about the former is said."""
    prompts = Prompts(root)
    for note in prompts.notes:
        say.note(note)
    return prompts


def limits(args: argparse.Namespace) -> Limits:
    """How much may be asked for, as the command line says it."""
    return Limits(args.tries, tokens=args.max_tokens, seconds=args.max_seconds)


def _grown(growing: Growing, scenes: Iterator[dict[str, Any]], say: Progress) -> list[dict[str, Any]]:
    """Put each scene into the file as it comes. What stops the writing leaves what is whole, and says so."""
    made = []
    try:
        for scene in scenes:
            growing.add(scene)
            say.scene(scene)
            made.append(scene)
    except (KeyboardInterrupt, MikebotError):
        if made:
            kept = f"{len(made)} scene{'s' * (len(made) > 1)}"
            files = ", ".join(map(shown, growing.files))
            where = shown(growing.file.parent if growing.file.name == "storyboard.yaml" else growing.file)
            say.note(f"kept {kept} in {files}; to go on: mikebot write --continue {where}")
        raise
    if not made:
        raise WriterError("no scene came out whole, and nothing was written", "try another model with --model")
    return made


def _finished(
    growing: Growing, made: Sequence[Mapping[str, Any]], asked: Brief, say: Progress, more: bool = False
) -> int:
    lasts = minutes(made, asked.persona, asked.language)
    if asked.minutes and not 0.75 <= lasts / asked.minutes <= 1.33:
        say.note(f"it lasts about {lasts:.1f} minutes, not {asked.minutes:g}")
    files = ", ".join(map(shown, growing.files))
    event = {
        "file": str(growing.file),
        "files": list(map(str, growing.files)),
        "scenes": len(made),
        "minutes": round(lasts, 2),
        "tokens": say.total,
    }
    text = f"{'added to' if more else 'wrote'} {files}: {len(made)} scenes, about {lasts:.1f} minutes"
    where = shown(growing.file.parent if growing.file.name == "storyboard.yaml" else growing.file)
    say.done(event, f"{text}\nlook at it, change it, watch it become a film: mikebot watch {where}")
    return 0
