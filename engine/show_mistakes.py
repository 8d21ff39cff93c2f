"""Mistakes in what a scene shows: words that are not spoken, lines and nodes that are not there, what does not fit.

What a schema cannot hold. The languages' names, the fonts and Graphviz are asked only where a scene shows something.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .authored import at_words
from .document import Document, Span
from .errors import BackendError, Mistake
from .explain import did_you_mean
from .formats import size

Path = tuple[str | int, ...]
_STOPS = ".,;:!?…\"'“”‘’()"
_LANGUAGES = "any name from https://pygments.org/languages will do"


class _Shown(NamedTuple):
    """One scene's `show`: where it stands, what it says, its text, and the picture that it must fit."""

    document: Document
    path: Path
    said: Mapping[str, Any]
    text: str
    size: tuple[int, int, bool]  # Width, height, and whether the persona's window stands beside it.

    def wrong(self, path: Path, message: str, hint: str = "") -> Mistake:
        return self.document.mistake(self.document.place((*self.path, *path)), message, hint)


def mistakes(
    document: Document, index: int, scene: Mapping[str, Any], text_of: str | None, shape: str = ""
) -> list[Mistake]:
    """Everything wrong with what a scene shows, in a film of a shape (engine.formats) or of the storyboard's own.

    `text_of` is the text of the file that the scene names.
    """
    show = scene.get("show")
    if not isinstance(show, dict) or len(show) != 1:
        return []
    found = list(_unspoken(document, index, scene))
    kind, said = next(iter(show.items()))
    text = said.get({"code": "text", "diagram": "dot"}.get(kind, ""), text_of)
    form = document.data.get("format", {})
    width, height = size(int(form.get("width", 1280)), int(form.get("height", 720)), shape)
    room = width, height, scene.get("on_screen") is True
    if text is not None or kind == "slide":
        look = {"code": _code, "slide": _slide, "diagram": _diagram}[kind]
        found += look(_Shown(document, ("scenes", index, "show", kind), said, text or "", room))
    return found


def _unspoken(document: Document, index: int, scene: Mapping[str, Any]) -> Iterator[Mistake]:
    """Words that are waited for and never said, or not in this order."""
    from .backends.cues import found

    waits = at_words(scene["show"])
    spoken = str(scene.get("narration") or "")
    silent = not spoken.strip()
    places = found([word for _, word in waits], spoken.split())
    before = ""
    for (path, word), place in zip(waits, places, strict=True):
        span = document.place(("scenes", index, "show", *path))
        if silent:
            yield document.mistake(
                span, f"at: nothing is said in this scene, so '{word}' never comes", "add narration:"
            )
        elif place is None:
            said_at_all = found([word], spoken.split())[0] is not None
            where = f" after '{before}'" if said_at_all and before else ""
            guess = "" if said_at_all else did_you_mean(word, [part.strip(_STOPS) for part in spoken.split()])
            hint = "the words of steps come in the order of the narration" if said_at_all else "copy it from narration:"
            yield document.mistake(span, f"at: '{word}' is not said{where} in this scene's narration{guess}", hint)
        else:
            before = word


def _code(shown: _Shown) -> Iterator[Mistake]:
    from .backends import code_lines

    names, language = code_lines.lexer_names(), shown.said["language"].strip().lower()
    if language not in names:
        message = f"language: '{shown.said['language']}' is not known{did_you_mean(language, names)}"
        yield shown.wrong(("language",), message, _LANGUAGES)
    field = ("text",) if "text" in shown.said else ("file",)
    if len(shown.text.encode()) > code_lines.MOST_BYTES:
        message = f"the code has {len(shown.text.encode()):,} bytes; at most {code_lines.MOST_BYTES:,} are read"
        yield shown.wrong(field, message, "show a part of it from a smaller file")
        return
    lines = code_lines.lines_of(shown.text)
    if len(lines) > code_lines.MOST_LINES:
        message = f"the code has {len(lines):,} lines; at most {code_lines.MOST_LINES:,} are read"
        yield shown.wrong(field, message, "show a part of it from a smaller file")
        return
    outside = list(_outside(shown, len(lines)))
    yield from outside or _fitting(shown, field, lines)


def _outside(shown: _Shown, count: int) -> Iterator[Mistake]:
    """Line numbers that are not there, or not shown."""
    from .backends import code_lines

    if not count:
        yield shown.wrong(("text",) if "text" in shown.said else ("file",), "there is no code in it", "write some")
        return
    wanted = code_lines.window(shown.said.get("lines"), count)
    where: Path = ("lines",) if "lines" in shown.said else ("text",) if "text" in shown.said else ("file",)
    if "lines" in shown.said and (not wanted or not set(wanted) <= set(range(1, count + 1))):
        yield shown.wrong(where, f"lines: '{shown.said['lines']}' is not within the code's {count} lines", f"1-{count}")
        return
    if len(wanted) > code_lines.MOST_SHOWN:
        message = f"{len(wanted):,} lines are shown at once; at most {code_lines.MOST_SHOWN} can be"
        yield shown.wrong(where, message, "choose some with lines:")
        return
    for number, step in enumerate(shown.said.get("steps", ())):
        for name in ("show", "highlight"):
            lines = code_lines.ranges(step.get(name), range(0))
            if name in step and (not lines or not set(lines) <= set(wanted)):
                message = f"{name}: '{step[name]}' is not within the lines that are shown"
                yield shown.wrong(("steps", number, name), message, f"shown are {_listed(wanted)}")


def _fitting(shown: _Shown, field: Path, lines: list[str]) -> Iterator[Mistake]:
    """Lines that are too long, or too many, at the least size that can be read."""
    from .backends import boards, code_lines, code_set

    wanted = code_lines.window(shown.said.get("lines"), len(lines))
    texts = [lines[line - 1] for line in wanted]
    skip = code_set.indent(texts)
    texts = [text[skip:] for text in texts]
    least = code_set.room(*shown.size, len(str(max(wanted))))
    if len(texts) > least.lines:
        yield shown.wrong(field, code_set.trouble(texts, least), "choose fewer with lines:")
        return
    for line, text in zip(wanted, texts, strict=True):
        if code_set.too_wide(text, least):
            where = f"{shown.said['file']}:{line}" if "file" in shown.said else f"line {line}"
            message = f"{where} has {len(text)} characters: {least.characters} can be read at this size"
            yield shown.document.mistake(_line(shown, field, line, 1, text), message, "break the line")
            return
    try:
        code_set.setting(texts, *shown.size, len(str(max(wanted))))
    except boards.TooMuch as problem:
        yield shown.wrong(field, str(problem), "show less of it")


def _slide(shown: _Shown) -> Iterator[Mistake]:
    from .backends import boards, slide

    points = [point["text"] if isinstance(point, dict) else point for point in shown.said.get("bullets", ())]
    try:
        slide.layout(shown.said["title"], points, *shown.size)
    except boards.TooMuch as problem:
        yield shown.wrong((), str(problem), "say it in fewer words, or in two scenes")


def _diagram(shown: _Shown) -> Iterator[Mistake]:
    from .backends import boards, diagram, dot_text, graphviz

    field: Path = ("dot",) if "dot" in shown.said else ("file",)
    wrong = dot_text.troubles(shown.text)
    try:
        graph = None if wrong else diagram.read(shown.text)
        if graph is not None:
            yield from _nodes(shown, [node.name for node in graph.nodes])
            diagram.fitted(graph, *shown.size)
    except graphviz.Refused as problem:
        wrong = [problem.trouble]
    except boards.TooMuch as problem:
        yield shown.wrong(field, str(problem), "show less of it, or draw two diagrams")
    except BackendError as problem:
        yield shown.wrong((), problem.message, problem.hint)
    for trouble in wrong:
        where = f"{shown.said['file']}:{trouble.line}:{trouble.column}: " if "file" in shown.said else ""
        span = _line(shown, field, trouble.line, trouble.column)
        yield shown.document.mistake(span, f"{where}{trouble.message}", trouble.hint)


def _nodes(shown: _Shown, known: list[str]) -> Iterator[Mistake]:
    """Nodes that a step names and the graph does not."""
    for number, step in enumerate(shown.said.get("steps", ())):
        for name in ("show", "highlight"):
            for place, node in enumerate(step.get(name, ())):
                if node not in known:
                    message = f"{name}: the graph has no node '{node}'{did_you_mean(node, known)}"
                    hint = f"its nodes: {', '.join(known[:20])}{', ...' if len(known) > 20 else ''}"
                    yield shown.wrong(("steps", number, name, place), message, hint)


def _line(shown: _Shown, field: Path, line: int, column: int, text: str = "") -> Span:
    """Where a line of a block of text stands in the storyboard; of a file, or of text in quotes, where that is."""
    span = shown.document.place((*shown.path, *field))
    lines = shown.document.lines
    if shown.document.lines[span.line - 1][span.column - 1 : span.column] != "|":
        return span
    number = span.line + line
    own = shown.text.split("\n")[line - 1] if line <= shown.text.count("\n") + 1 else ""
    if number > len(lines) or not lines[number - 1].endswith(own):
        return span
    start = len(lines[number - 1]) - len(own) + column
    return Span(number, start, number, start + max(1, len(text)))


def _listed(lines: list[int]) -> str:
    return f"{lines[0]}-{lines[-1]}" if lines == list(range(lines[0], lines[-1] + 1)) else ", ".join(map(str, lines))
