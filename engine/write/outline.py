"""From notes to a storyboard without a model: scenes of one idea each, good enough to start from.

Nothing is made up: each sentence that is said stands in the notes. Headings start chapters, paragraphs become
narration, lists and tables slides, code and graphs scenes that show them. The same notes give the same storyboard.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..errors import UsageError
from ..storyboard import Persona
from .cut import ended, most, pieces, whole
from .notes import Block, read
from .pace import count
from .pictures import Painter
from .shown import code, diagram, long_points, short, slides, wrong

MOST_SCENES = 2000
SHARE = 0.42  # Of the scenes, in which the persona is seen.
SEED = 7
_STYLES = (
    (
        "soft paper textures, morning light",
        "history story garden forest animal plant tailor sewing thread fabric cloth",
    ),
    ("chalk drawing on a dark board, warm lamp", "mathematics math number theorem proof equation school algebra"),
    ("warm studio light, shallow depth of field, miniature model world", ""),
)
_GRAPHS = frozenset(("dot", "graphviz", "gv"))


class Outline(NamedTuple):
    """A storyboard: the fields of the film, its scenes, and what of the notes was left out, and why."""

    head: dict[str, Any]
    scenes: list[dict[str, Any]]
    notes: list[str]


@dataclass
class _Draft:
    """A scene before it has a name and a picture."""

    said: str
    line: int
    chapter: str = ""  # Of the first scene of a chapter.
    level: int = 0
    within: str = ""  # The chapter that it is in.
    fields: dict[str, Any] = field(default_factory=dict)


def outline(text: str, *, name: str = "", persona: Persona | None = None, language: str = "en") -> Outline:
    """The storyboard of some notes; `name` is its title where the notes have none.

    Raises UsageError where there is nothing to say.
    """
    notes = read(text)
    remarks = list(notes.remarks)
    title, sections = _sections(notes.title, notes.blocks)
    drafts: list[_Draft] = []
    for draft in _drafts(sections, title, language, remarks):
        if len(drafts) == MOST_SCENES:
            remarks.append(f"line {draft.line}: a film has {MOST_SCENES:,} scenes at most; the rest is left out")
            break
        drafts.append(draft)
    if not drafts:
        raise UsageError("there is nothing to say in these notes", "write some sentences, a list or a piece of code")
    title = short(title or name or next((draft.said for draft in drafts if draft.said), "") or "Code", 90)
    head: dict[str, Any] = {"title": title.rstrip(".。") or title}
    head |= {"persona": persona.id} if persona is not None else {}
    head |= {"language": language} if language != "en" else {}
    head |= {"seed": SEED, "style": _style(draft.said for draft in drafts)}
    return Outline(head, _finished(drafts, persona, language), remarks)


class _Section(NamedTuple):
    heading: str
    level: int
    line: int
    blocks: list[Block]


def _sections(title: str, blocks: Sequence[Block]) -> tuple[str, list[_Section]]:
    """The title, and the chapters; a heading without a text of its own is put before the one below it."""
    found = [_Section("", 0, 1, [])]
    for block in blocks:
        if block.sort == "heading":
            found.append(_Section(block.text, block.level, block.line, []))
        else:
            found[-1].blocks.append(block)
    found = [section for section in found if section.heading or section.blocks]
    first = next((section for section in found if section.heading), None)
    own = not title and first is not None
    title = title or (first.heading if first else "")
    made: list[_Section] = []
    for number, section in enumerate(found):
        below = found[number + 1] if number + 1 < len(found) else None
        if not section.blocks and below and below.level > section.level:
            if not (own and section is first):
                found[number + 1] = below._replace(heading=f"{section.heading}: {below.heading}")
            continue
        made.append(section)
    return title, made


def _drafts(sections: Sequence[_Section], title: str, language: str, remarks: list[str]) -> Iterator[_Draft]:
    for section in sections:
        first = True
        for draft in _within(section, title, language, remarks):
            draft.within = section.heading
            if first and section.heading:
                draft.chapter, draft.level = short(section.heading, 120), section.level
            first = False
            yield draft


def _within(section: _Section, title: str, language: str, remarks: list[str]) -> Iterator[_Draft]:
    """A chapter's scenes in order."""

    def note(what: str, line: int) -> None:
        remarks.append(f"line {line}: {what}")

    if not section.blocks:
        yield _Draft(ended(section.heading, language), section.line)
        return
    slide_title, held = section.heading or title, _Held(language)
    blocks = list(section.blocks)
    for number, block in enumerate(blocks):
        if block.sort == "text":
            yield from held.take(whole(block.text, language), block.line)
        elif block.sort == "code":
            yield from held.all_but_last(keep=True)
            said = held.last() or _taken(blocks, number + 1, language)
            for scene in _code(block, said, note):
                yield _Draft(scene.pop("narration", ""), block.line, fields=scene)
        elif block.sort in {"points", "table"} and long_points(block.points, language):
            for point in block.points:
                yield from held.take(whole(point.text, language), block.line)
        else:
            intro = held.intro(blocks[number - 1] if number else None)
            yield from held.all_but_last(keep=False)
            for scene in slides(block.points, slide_title or intro or block.points[0].text, intro, language):
                yield _Draft(scene.pop("narration"), block.line, fields=scene)
            slide_title = intro.rstrip(".:：") or slide_title
    yield from held.all_but_last(keep=False)


def _taken(blocks: list[Block], number: int, language: str) -> list[str]:
    """The first piece of the paragraph at a place, which then lacks it; nothing if none stands there."""
    if number >= len(blocks) or blocks[number].sort != "text":
        return []
    first, *others = pieces(whole(blocks[number].text, language), language) or [""]
    blocks[number] = blocks[number]._replace(text="\n".join(others))
    return [first] if first else []


class _Held:
    """Sentences of a paragraph that may yet belong to what stands below it."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._parts: list[tuple[str, int]] = []  # Pieces, each with its line.

    def take(self, sentences: Sequence[str], line: int) -> Iterator[_Draft]:
        """A paragraph; what was held before it is a scene, unless it is a mere remark."""
        found = [piece for piece in pieces(sentences, self._language) if any(char.isalnum() for char in piece)]
        if self._parts and found:
            before, size = self._parts[-1][0], count(self._parts[-1][0], self._language)
            limit = most(self._language)
            if size * 5 <= limit and size + count(found[0], self._language) <= limit:
                found[0] = f"{before} {found[0]}"
                self._parts.pop()
        yield from self.all_but_last(keep=False)
        self._parts = [(piece, line) for piece in found]

    def all_but_last(self, keep: bool) -> Iterator[_Draft]:
        """What is held as scenes; `keep` holds on to the last piece."""
        end = len(self._parts) - 1 if keep else len(self._parts)
        for said, line in self._parts[: max(0, end)]:
            yield _Draft(said, line)
        self._parts = self._parts[max(0, end) :]

    def last(self) -> list[str]:
        """The last piece that is held, given away."""
        return [self._parts.pop()[0]] if self._parts else []

    def intro(self, before: Block | None) -> str:
        """The sentence that announces a list: the last one, if it ends with a colon or stands alone and is short."""
        if before is None or before.sort != "text" or not self._parts:
            return ""
        said, line = self._parts[-1]
        sentences = whole(said, self._language)
        colon = before.text.rstrip().endswith((":", "："))
        if not colon and (len(self._parts) > 1 or len(sentences) > 1 or count(said, self._language) > 12):
            return ""
        self._parts.pop()
        rest = " ".join(sentences[:-1])
        if count(rest, self._language) * 3 <= most(self._language):
            return said
        self._parts.append((rest, line))
        return sentences[-1]


def _code(block: Block, said: Sequence[str], note: Any) -> Iterator[dict[str, Any]]:
    if block.language in _GRAPHS:
        scene = diagram(block, said)
        if scene is not None:
            yield scene
            return
        note("this graph cannot be drawn, so its text is shown", block.line)
    if block.language == "mermaid":
        note("Mermaid is not drawn, so its text is shown; write the graph in Graphviz's language (```dot)", block.line)
    yield from code(block, said, note)


def _finished(drafts: Sequence[_Draft], persona: Persona | None, language: str) -> list[dict[str, Any]]:
    """Names, pictures and who is seen."""
    seen = _seen(drafts) if persona is not None else [False] * len(drafts)
    painter = Painter(language, [draft.said for draft in drafts], persona.name if persona is not None else "")
    named: Counter[str] = Counter()
    top = min((draft.level for draft in drafts[1:] if draft.chapter), default=0)
    levels = len({draft.level for draft in drafts[1:] if draft.chapter})
    scenes = []
    for number, (draft, on_screen) in enumerate(zip(drafts, seen, strict=True)):
        scene: dict[str, Any] = {"id": _named(draft, painter, number, named)}
        scene |= {"chapter": draft.chapter} if draft.chapter else {}
        scene |= {"on_screen": on_screen}
        scene |= {"narration": draft.said} if draft.said else {}
        if draft.chapter and number:
            scene["transition"] = "dip" if levels > 1 and draft.level == top else "crossfade"
        if on_screen or "show" not in draft.fields:
            scene["image_prompt"] = painter.image(draft.said, draft.within, on_screen)
            scene["video_prompt"] = painter.move(on_screen, number == len(drafts) - 1)
        scenes.append(scene | draft.fields)
    return scenes


def _seen(drafts: Sequence[_Draft]) -> list[bool]:
    """Where the persona is seen: first, last, and in between so often that it comes to their share."""
    last = len(drafts) - 1
    between = [number for number in range(1, last) if "show" not in drafts[number].fields]
    more = min(len(between), max(0, round(SHARE * len(drafts)) - 2))
    seen = {between[(2 * turn + 1) * len(between) // (2 * more)] for turn in range(more)}
    return [number in seen or (number in {0, last} and _fits(draft)) for number, draft in enumerate(drafts)]


def _fits(draft: _Draft) -> bool:
    """Whether the persona has something to say, and a place beside what is shown."""
    scene = {**draft.fields, "narration": draft.said, "on_screen": True}
    return bool(draft.said) and ("show" not in draft.fields or not wrong(scene))


def _named(draft: _Draft, painter: Painter, number: int, named: Counter[str]) -> str:
    """A short name that no other scene has: what it shows, or what it is most about."""
    show: Mapping[str, Any] = draft.fields.get("show", {})
    kind = next(iter(show), "")
    said = painter.subjects(draft.said) if not show else [show["slide"]["title"] if kind == "slide" else kind]
    slugs = [slug for slug in (_slug(word)[:32].strip("-") for word in said[:4]) if slug] or [f"scene-{number + 1}"]
    name = next((slug for slug in slugs if slug not in named), slugs[0])
    while name in named:
        named[slugs[0]] += 1
        name = f"{slugs[0]}-{named[slugs[0]]}"
    named[name] = 1
    return name


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    letters = sum(char.isalpha() for char in text)
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].strip("-") if len(plain) * 2 > letters else ""


def _style(said: Iterator[str]) -> str:
    """The look that fits what is talked about."""
    words = Counter(word for text in said for word in re.findall(r"\w+", text.lower()))
    total = sum(words.values())
    for style, about in _STYLES:
        if not about or sum(words[word] + words[f"{word}s"] for word in about.split()) * 40 > total:
            return style
    return ""
