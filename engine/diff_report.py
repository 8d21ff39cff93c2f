"""What differs between two storyboards, to people and to programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from .diff import Change, Comparison, File, SceneChange, plain
from .diff_steps import Due
from .estimate import Totals
from .report import seconds
from .words import stretches

AROUND = 30  # Characters of what stayed that are shown on each side of a changed word.
_ALONE = "\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"  # Scripts that put no space between words.
_STOPS = ',.;:!?"”’)…'
_WORD = re.compile(rf"\s*(?:[{_ALONE}]|[{_STOPS}]{{1,9}}(?=\s|$)|(?:(?![{_ALONE}]|[{_STOPS}]{{1,9}}(?:\s|$))\S)+)")
_COLOURS = {"old": "31", "new": "32", "head": "1"}

_OBEYED = re.compile(r"(?!\x1b\[(?:0|1|31|32)m)[\x00-\x1f\x7f-\x9f]")

Paint = Callable[[str, str], str]  # A text, and what it is: old, new or head.


class Piece(NamedTuple):
    """A piece of a text: `same` in both, `old` or `new`."""

    sort: str
    text: str


@dataclass(frozen=True)
class Told:
    """Everything that a diff tells."""

    storyboard: str
    old: Mapping[str, Any]  # Its revision (None: the working file), commit, and whether the storyboard is there.
    new: Mapping[str, Any]
    comparison: Comparison
    profile: Sequence[Change]
    due: Sequence[Due]
    totals: Totals
    formatting: Sequence[str] = ()  # Files that are only written differently.
    notes: Sequence[str] = ()
    steps: Mapping[str, list[Due]] = field(init=False)  # By scene; the film's own under "".

    def __post_init__(self) -> None:
        steps: dict[str, list[Due]] = {}
        for one in self.due:
            steps.setdefault(one.step.scene, []).append(one)
        object.__setattr__(self, "steps", steps)

    @property
    def differs(self) -> bool:
        """Whether anything does, in meaning."""
        return self.comparison.differs or bool(self.profile)


def as_object(told: Told) -> dict[str, Any]:
    """One JSON object; docs/git.md tells its shape."""
    comparison = told.comparison
    return {
        "storyboard": told.storyboard,
        "old": told.old,
        "new": told.new,
        "changed": told.differs,
        "formatting": told.formatting,
        "notes": told.notes,
        "film": {"changes": list(map(_change, comparison.film)), "steps": _steps(told.steps.get("", ()))},
        "persona": {"changes": list(map(_change, comparison.persona))},
        "profile": {"changes": list(map(_change, told.profile))},
        "scenes": [
            {
                **scene._asdict(),
                "state": "changed" if scene.state == "kept" and scene.differs else scene.state,
                "changes": list(map(_change, scene.changes)),
                "steps": _steps(_of(scene, told)),
            }
            for scene in comparison.scenes
            if scene.differs or _of(scene, told)
        ],
        "totals": told.totals._asdict(),
    }


def _steps(due: Sequence[Due]) -> list[dict[str, Any]]:
    return [
        {"step": step.name, "kind": step.kind, "state": state, "estimate_seconds": round(cost, 3), "anyway": anyway}
        for step, state, cost, anyway in due
    ]


def _change(change: Change) -> dict[str, Any]:
    form, pieces = taken_apart(change)
    said = {"field": change.field, "form": form, "old": _value(change.old), "new": _value(change.new)}
    return said | {"pieces": [list(piece) for piece in pieces]} if pieces else said


def _value(value: Any) -> Any:
    if isinstance(value, File):
        return {"file": value.name, "sha256": value.digest}
    return float(value) if isinstance(value, Fraction) else value


def taken_apart(change: Change) -> tuple[str, list[Piece]]:
    """How a change is told (value, file, words, lines), and for words and lines, piece by piece."""
    _, old, new = change
    if isinstance(old, File) or isinstance(new, File):
        return "file", []
    if isinstance(old, tuple) and isinstance(new, tuple):
        return "lines", list(_lines(old, new))
    if not (isinstance(old, str) and isinstance(new, str)):
        return "value", []
    if change.field.startswith("show.") and "\n" in old + new:
        return "lines", list(_lines(old.splitlines(), new.splitlines()))
    return ("words", _words(old, new)) if re.search(r"\s", old + new) else ("value", [])


def _lines(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    for same, was, now in stretches(old, new):
        if same:
            yield from (Piece("same", line) for line in now)
        else:
            yield from (Piece("old", line) for line in was)
            yield from (Piece("new", line) for line in now)


def _words(old: str, new: str) -> list[Piece]:
    """White space belongs to the word behind it and is compared with nothing."""
    was, now = _WORD.findall(old), _WORD.findall(new)
    pieces = [Piece("same", "")]
    for same, gone, come in stretches([word.strip() for word in was], [word.strip() for word in now]):
        before, after = "".join(was[: len(gone)]), "".join(now[: len(come)])
        was, now = was[len(gone) :], now[len(come) :]
        either = after or before
        stayed = either if same else either[: len(either) - len(either.lstrip())]
        if pieces[-1].sort == "same":
            stayed = pieces.pop().text + stayed
        pieces.append(Piece("same", stayed))
        if not same:
            pieces += [Piece("old", before.lstrip()), Piece("new", after.lstrip())]
    return [piece for piece in pieces if piece.text]


def painter(colour: bool) -> Paint:
    """How texts are set off: by colours on a terminal, else not at all."""
    return lambda text, sort: f"\x1b[{_COLOURS[sort]}m{text}\x1b[0m" if colour and text else text


def harmless(line: str) -> str:
    """A line without what a terminal would obey, but for colours."""
    return _OBEYED.sub("\ufffd", line)


def as_lines(told: Told, paint: Paint) -> Iterator[str]:
    """What people read, but for the totals."""
    sections = (("film", told.comparison.film), ("persona", told.comparison.persona), ("profile", told.profile))
    for name, changes in sections:
        due = [one for one in told.steps.get("", ()) if not one.anyway] if name == "film" else []
        if changes or due:
            yield paint(name, "head")
            yield from _told(changes, due, "", paint)
            yield from _renamed(told.comparison) if name == "film" else ()
    for scene in told.comparison.scenes:
        due = [one for one in _of(scene, told) if not one.anyway]
        if scene.differs or due:
            yield " ".join((paint(f"scene {scene.id}", "head"), *_fate(scene)))
            yield from _told(scene.changes, due, scene.id, paint, scene.state)
    if not told.differs:
        yield "nothing changed in meaning" if told.formatting else "nothing changed"
    for name in told.formatting:
        yield f"{name} is only written differently: nothing in it changed in meaning"
    yield from told.notes
    yield from _anyway([one for one in told.due if one.anyway])


def _renamed(comparison: Comparison) -> Iterator[str]:
    """Where a film has another persona who is the same but for the name."""
    change = next((change for change in comparison.film if change.field == "persona"), None)
    if change is not None and change.old and change.new and not comparison.persona:
        yield f"  {change.new} is {change.old} under another name: nothing else in the persona changed"


def _of(scene: SceneChange, told: Told) -> Sequence[Due]:
    return told.steps.get(scene.id, ()) if scene.state != "removed" else ()


def _fate(scene: SceneChange) -> Iterator[str]:
    """What became of a scene as a whole."""
    if scene.state != "kept":
        yield f"({scene.state})"
    elif scene.id != scene.was:
        yield f"(was {scene.was})"
    if scene.moved:
        yield f"(moved from place {scene.old_place} to {scene.new_place})"


def _told(
    changes: Sequence[Change], due: Sequence[Due], scene: str, paint: Paint, state: str = "kept"
) -> Iterator[str]:
    for change in changes if state != "removed" else ():
        yield from (_said(change) if state == "added" else _compared(change, paint))
    for sort, verb in (("run", "runs    "), ("maybe", "may run ")):
        steps = [
            f"{one.step.name.removeprefix(f'{scene}/')} {seconds(one.seconds)}" for one in due if one.state == sort
        ]
        if steps:
            yield f"  {verb} {', '.join(steps)}"


def _said(change: Change) -> Iterator[str]:
    """A field of a scene that is new."""
    value = change.new.name if isinstance(change.new, File) else change.new
    lines = value if isinstance(value, tuple) else plain(value).splitlines()
    if len(lines) > 1:
        yield f"  {change.field}:"
        yield from (f"    {line}" for line in lines)
    else:
        yield f"  {change.field}: {' '.join(lines)}"


def _compared(change: Change, paint: Paint) -> Iterator[str]:
    form, pieces = taken_apart(change)
    if form == "lines":
        yield f"  {change.field}:"
        yield from _marked(pieces, paint)
        return
    if form == "file":
        text = _files(change.old, change.new)
    elif form == "words":
        text = _bracketed(pieces, paint)
    else:
        text = f": {paint(_quoted(change.old), 'old')} -> {paint(_quoted(change.new), 'new')}"
    yield f"  {change.field}{text}"


def _files(old: Any, new: Any) -> str:
    if not (isinstance(old, File) and isinstance(new, File)):
        return f": {_quoted(old)} -> {_quoted(new)}"
    if old.name == new.name:
        return f": {new.name} has other bytes"
    return f": {old.name} -> {new.name}{' (the same bytes)' if old.digest == new.digest else ''}"


def _quoted(value: Any) -> str:
    if isinstance(value, File):
        return value.name
    if isinstance(value, tuple):
        return f"[{', '.join(value)}]"
    return f'"{value}"' if isinstance(value, str) and (re.search(r"\s", value) or not value) else plain(value)


def _bracketed(pieces: Sequence[Piece], paint: Paint) -> str:
    """Words as git's word diff has them, and of what stayed only what stands beside them."""
    if all(piece.sort == "same" for piece in pieces):
        return ": only white space"
    marks = {"old": ("[-", "-]"), "new": ("{+", "+}")}
    text = ""
    for number, (sort, words) in enumerate(pieces):
        folded = " ".join(f"|{words}|".split())[1:-1]
        if sort == "same":
            text += _shortened(folded, number > 0, number < len(pieces) - 1)
        else:
            before, after = marks[sort]
            text += paint(f"{before}{folded}{after}", sort)
    return f": {text}"


def _shortened(text: str, follows: bool, goes_on: bool) -> str:
    """A stretch that stayed: its ends where a change is beside them."""
    head, tail = AROUND * follows, AROUND * goes_on
    if len(text) <= head + tail + 2:
        return text
    first = text[:head].rsplit(" ", 1)[0] if head else ""
    last = text[len(text) - tail :].split(" ", 1)[-1] if tail else ""
    return f"{first}{' ' * bool(first)}…{' ' * bool(last)}{last}"


def _marked(pieces: Sequence[Piece], paint: Paint) -> Iterator[str]:
    """Lines as a unified diff has them, with one line that stayed on each side of those that changed."""
    marks = {"old": "-", "new": "+", "same": " "}
    gap = False
    for number, (sort, line) in enumerate(pieces):
        beside = any(piece.sort != "same" for piece in pieces[max(0, number - 1) : number + 2])
        if beside:
            shown = f"{marks[sort]} {line.expandtabs(4)}".rstrip()
            yield f"    {shown if sort == 'same' else paint(shown, sort)}"
        elif not gap:
            yield "      …"
        gap = not beside


def _anyway(due: Sequence[Due]) -> Iterator[str]:
    if due:
        verb = "runs" if len(due) == 1 else "run"
        cost = seconds(sum(one.seconds for one in due))
        steps = f"{len(due)} more step{'s' * (len(due) != 1)}"
        yield f"{steps} {verb} whatever changed, not having been made yet: {cost} of work"
