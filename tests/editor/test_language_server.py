"""With the modeline alone, an editor completes, explains and checks: yaml-language-server itself, over stdio.

It must offer keys, choices and whole scenes; tell of every key what the schema says of it; find nothing wrong in
what is right; and show each mistake at the place where `mikebot check` puts it.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from command_kit import ROOT, mikebot
from language_client import LanguageServer, yaml_server

from engine.digests import Digests
from engine.document import Document, parse
from engine.load import load
from engine.schema import mistakes, schema

PLACES = {"storyboard": "projects/p/{}.yaml", "persona": "personas/{}/persona.yaml", "profile": "profiles/{}.yaml"}
CURSOR = "¦"


class Editor:
    """An editor with one file after another: each text is opened under a name of its own."""

    def __init__(self, server: LanguageServer, root: Path) -> None:
        self.server, self.root = server, root
        self._opened = 0

    def place(self, kind: str, name: str = "") -> Path:
        """A file of a kind in the workspace."""
        self._opened += 1
        return self.root / PLACES[kind].format(name or f"file-{self._opened}")

    def completions(self, text: str, kind: str = "storyboard") -> dict[str, dict[str, Any]]:
        """What is offered at the cursor, by label; of two with one label, the snippet, which comes first."""
        file, (line, column) = self.place(kind), cursor(modeline(kind) + text)
        self.server.open(file, (modeline(kind) + text).replace(CURSOR, ""))
        found: dict[str, dict[str, Any]] = {}
        for item in self.server.completions(file, line, column):
            found.setdefault(item["label"], item)
        return found


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    root = tmp_path_factory.mktemp("workspace")
    shutil.copytree(ROOT / "schemas", root / "schemas")
    for folder in ("projects/p", "personas/mike", "profiles"):
        (root / folder).mkdir(parents=True)
    (root / "personas/mike/persona.yaml").write_text("name: Mike\n")
    with yaml_server(root) as server:
        yield Editor(server, root)


def modeline(kind: str) -> str:
    """The first line of a file: all that an editor is told."""
    up = "../" * PLACES[kind].count("/")
    return f"# yaml-language-server: $schema={up}schemas/{kind}.schema.json\n"


def cursor(text: str) -> tuple[int, int]:
    """Line and column of the cursor in a text, from 0."""
    before = text[: text.index(CURSOR)]
    return before.count("\n"), len(before) - before.rfind("\n") - 1


SHIPPED = ("projects/*/storyboard.yaml", "personas/*/persona.yaml", "engine/profiles/*.yaml")


@pytest.mark.parametrize("file", [file for pattern in SHIPPED for file in sorted(ROOT.glob(pattern))], ids=str)
def test_nothing_is_wrong_with_what_we_ship(editor: Editor, file: Path) -> None:
    text = file.read_text("utf-8")
    assert text.startswith("# yaml-language-server: $schema=../../schemas/")
    assert editor.server.open(file, text) == []
    spoiled = f"{text}nonsense: true\n"  # The schema was found, then: what is not in it is seen.
    (found,) = editor.server.open(file.with_name("spoiled.yaml"), spoiled)
    assert found["message"] == "Property nonsense is not allowed."


SCENE = "title: T\nscenes:\n  - id: one\n    "
OFFERED = {
    f"{CURSOR}": "storyboard title persona language seed style theme format captions loudness music scenes",
    f"title: T\n{CURSOR}": "persona captions scenes",
    f"title: T\ncapt{CURSOR}": "captions",
    f"{SCENE}{CURSOR}": "on_screen narration image_prompt video_prompt take hold chapter transition show image video",
    f"{SCENE}show:\n      {CURSOR}": "code slide diagram",
    f"{SCENE}show:\n      code:\n        {CURSOR}": "language text file lines steps",
    f"{SCENE}show:\n      diagram:\n        steps:\n          - {CURSOR}": "at show highlight step",
    f"format:\n  {CURSOR}": "width height fps",
    f"captions: {CURSOR}": 'soft burned "off"',
    f"theme: {CURSOR}": "studio paper chalk blueprint night",
    f"loudness: {CURSOR}": "podcast youtube broadcast -16",
    f"{SCENE}transition: {CURSOR}": "cut crossfade fade dip",
    f"{SCENE}transition:\n      style: {CURSOR}": "cut crossfade fade dip",
    f"{SCENE}on_screen: {CURSOR}": "true false",
    f"{SCENE}hold: {CURSOR}": "true false",
    f"{SCENE}image: {{file: a.png, fit: {CURSOR}}}": "fill fit",
}


@pytest.mark.parametrize("text", OFFERED)
def test_keys_and_choices_are_offered(editor: Editor, text: str) -> None:
    offered = editor.completions(text)
    assert set(OFFERED[text].split()) <= offered.keys()
    assert "[object Object]" not in offered  # An example that the server cannot write.


def test_what_is_there_already_is_not_offered_again(editor: Editor) -> None:
    assert "title" not in editor.completions(f"title: T\n{CURSOR}")
    assert "id" not in editor.completions(f"{SCENE}{CURSOR}")


def test_a_choice_is_offered_with_what_it_means(editor: Editor) -> None:
    offered = editor.completions(f"captions: {CURSOR}")
    assert offered["soft"]["documentation"] == "A track in the film that the viewer switches on; and files beside it."
    assert editor.completions(f"{SCENE}transition: {CURSOR}")["fade"]["documentation"] == "Through black."


def test_the_key_of_the_scenes_brings_a_list_for_a_scene_to_be_put_in(editor: Editor) -> None:
    """And no skeleton of a scene that lacks what scenes need: `scene` is offered next."""
    key = editor.completions(f"title: T\n{CURSOR}")["scenes"]
    text = apply(f"title: T\n{CURSOR}", key) + CURSOR
    assert text == f"title: T\nscenes:\n  - {CURSOR}"
    assert "scene" in editor.completions(text)


class Snippets(NamedTuple):
    """Where snippets are offered, and which must be."""

    kind: str
    text: str
    labels: tuple[str, ...]


BOARD = """\
title: T
persona: mike
scenes:
  - id: one
    on_screen: true
    narration: The firewall reads what comes first.
    image_prompt: a door
    video_prompt: slow push in
"""
SCENES = ("scene", "scene: code", "scene: slide", "scene: diagram")
SHOWN = ("show: code", "show: slide", "show: diagram")
SHOW = f"{BOARD}    show:\n"
SLIDE = f"{SHOW}      slide:\n        title: T\n"
DIAGRAM = f"{SHOW}      diagram:\n        dot: graph {{ firewall }}\n"
CHOICE = "name: x\nextends: draft\nkinds:\n  speech:\n    "
WAYS = ("cut", "crossfade", "fade", "dip", "style and seconds")
SNIPPETS = (
    Snippets("storyboard", CURSOR, ("storyboard",)),
    Snippets("storyboard", f"sto{CURSOR}", ("storyboard",)),
    Snippets("storyboard", f"title: T\npersona: mike\nscenes: {CURSOR}\n", SCENES),
    Snippets("storyboard", f"title: T\npersona: mike\nscenes:\n  {CURSOR}\n", SCENES),
    Snippets("storyboard", f"title: T\npersona: mike\nscenes:\n  - {CURSOR}\n", SCENES),
    Snippets("storyboard", f"title: T\npersona: mike\nscenes:\n  - sc{CURSOR}\n", SCENES),
    Snippets("storyboard", f"{BOARD}  - {CURSOR}\n", SCENES),
    Snippets("storyboard", f"{BOARD}  {CURSOR}\n", SCENES),
    Snippets("storyboard", f"{BOARD}    show: {CURSOR}\n", SHOWN),
    Snippets("storyboard", f"{BOARD}    show:\n      {CURSOR}\n", SHOWN),
    Snippets("storyboard", f"{SHOW}      code:\n        {CURSOR}\n", ("code",)),
    Snippets("storyboard", f"{SHOW}      slide:\n        {CURSOR}\n", ("slide",)),
    Snippets("storyboard", f"{SHOW}      diagram:\n        {CURSOR}\n", ("diagram",)),
    Snippets("storyboard", f"{SLIDE}        bullets:\n          - {CURSOR}\n", ("bullet in step",)),
    Snippets("storyboard", f"{DIAGRAM}        steps:\n          - {CURSOR}\n", ("step",)),
    Snippets("storyboard", f"{BOARD}    transition: {CURSOR}\n", WAYS),
    Snippets("storyboard", f"{BOARD}    image: {CURSOR}\n", ("file and fit",)),
    Snippets("storyboard", f"{BOARD}    video: {CURSOR}\n", ("file and part",)),
    Snippets("storyboard", f"{BOARD}format: {CURSOR}\n", ("1920 x 1080", "1080 x 1920", "1080 x 1080")),
    Snippets("storyboard", f"{BOARD}music: {CURSOR}\n", ("music with its settings",)),
    Snippets("storyboard", f"{BOARD}loudness: {CURSOR}\n", ("podcast", "youtube", "broadcast")),
    Snippets("storyboard", f"{BOARD}pronunciation:\n  {CURSOR}\n", ("a pronunciation",)),
    Snippets("persona", CURSOR, ("persona",)),
    Snippets("persona", f"name: Ada\nconsent: {CURSOR}\n", ("consent",)),
    Snippets("persona", f"name: Ada\nconsent:\n  scope: {CURSOR}\n", ("scope",)),
    Snippets("persona", f"name: Ada\nconsent:\n  evidence: {CURSOR}\n", ("evidence",)),
    Snippets("persona", f"name: Ada\nlook: {CURSOR}\n", ("look",)),
    Snippets("persona", f"name: Ada\nportrait:\n  {CURSOR}\n", ("portrait",)),
    Snippets("persona", f"name: Ada\nportrait:\n  image: a.png\n  mouth: {CURSOR}\n", ("mouth",)),
    Snippets("persona", f"name: Ada\nportrait:\n  image: a.png\n  eyes:\n    - {CURSOR}\n", ("eye",)),
    Snippets("persona", f"name: Ada\nportrait:\n  image: a.png\n  poses:\n    {CURSOR}\n", ("a pose",)),
    Snippets("persona", f"name: Ada\nvoice:\n  {CURSOR}\n", ("espeak", "nemo")),
    Snippets("profile", CURSOR, ("profile",)),
    Snippets("profile", f"{CHOICE}{CURSOR}\n", ("backend and params", "params alone")),
)


@pytest.mark.parametrize("case", SNIPPETS, ids=lambda case: f"{case.kind}-{case.text[-30:]!r}")
def test_what_a_snippet_writes_is_right_as_it_stands(editor: Editor, case: Snippets) -> None:
    offered = editor.completions(case.text, case.kind)
    for label in case.labels:
        assert offered[label]["documentation"], label
        text = apply(case.text, offered[label])
        assert editor.server.open(editor.place(case.kind), modeline(case.kind) + text) == [], text
        document = parse(text.encode(), "x.yaml")
        assert [*document.mistakes, *mistakes(document, case.kind)] == [], text


@pytest.mark.parametrize("label", ["storyboard", *SCENES])
def test_a_storyboard_made_of_snippets_can_be_rendered(editor: Editor, label: str) -> None:
    """Words that steps wait for are said, and nothing else is missing."""
    place = CURSOR if label == "storyboard" else f"{BOARD}  - {CURSOR}"
    text = apply(place, editor.completions(place)[label]).replace("persona: mikebot", "persona: mike")
    file = editor.place("storyboard")
    file.write_text(text, "utf-8")
    assert load(file, editor.root, Digests()).warnings == []


def test_every_snippet_is_tried() -> None:
    tried = {label for case in SNIPPETS for label in case.labels}
    assert {snippet["label"] for kind in PLACES for snippet in snippets(schema(kind))} == tried


def snippets(part: Any) -> Iterator[dict[str, Any]]:
    """Every snippet below a part of a schema."""
    if isinstance(part, dict):
        yield from part.get("defaultSnippets", ())
        for below in part.values():
            yield from snippets(below)


def apply(text: str, item: dict[str, Any]) -> str:
    """The text after an editor inserted an item at the cursor and its author kept the first choice of every blank."""
    plain = text.replace(CURSOR, "")
    lines = plain.split("\n")
    number, _ = cursor(text)
    line, edit = lines[number], item["textEdit"]
    indent = line[: len(line) - len(line.lstrip(" "))]
    made = re.sub(r"\$\{\d+\|([^,|]*)[^|]*\|\}", r"\1", edit["newText"])
    made = re.sub(r"\$\{\d+:((?:\\.|[^}\\])*)\}", r"\1", made)
    made = re.sub(r"\\([}$\\])", r"\1", re.sub(r"\$\d+", "", made)).replace("\n", f"\n{indent}")
    start, end = edit["range"]["start"]["character"], edit["range"]["end"]["character"]
    lines[number] = line[:start] + made + line[end:]
    return "\n".join(lines)


EVERYTHING = {
    "storyboard": """\
title: T
persona: mike
language: en
seed: 7
style: warm
theme: paper
format: {width: 64, height: 36, fps: 25}
captions: soft
loudness: podcast
music: {file: a.flac, gain: -8, duck: 12, fade: 3, loop: true}
room_tone: false
poster: one
pronunciation: {nginx: engine ex}
scenes:
  - id: one
    on_screen: true
    narration: Hello.
    image_prompt: a door
    video_prompt: slow push in
    seed: 7
    take: 1
    hold: false
    chapter: One
    duration: 2.5
    pose: happy
    transition: {style: fade, seconds: 1}
    image: {file: a.png, fit: fit}
    video: {file: a.mp4, start: 1, end: 2, fit: fill, sound: -6}
    audio: a.wav
    show:
      code: {text: a, file: a.py, language: python, lines: 1, steps: [{at: a, show: 1, highlight: 1}]}
      slide: {title: T, bullets: [{text: a, at: a}]}
      diagram: {dot: "graph {}", file: a.dot, steps: [{at: a, show: [a], highlight: [a]}]}
""",
    "persona": """\
name: Ada
drawn: false
consent:
  who: Ada Example
  statement: I agree.
  scope: {projects: [a], purposes: [picture]}
  from: 2026-01-01
  until: 2026-12-31
  evidence: {file: a.pdf, sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08}
  revoked: 2026-06-30
trigger: ada
appearance: grey hair
wardrobe: a jacket
manner: short sentences
look: {lora: a.bin, weight: 1}
portrait:
  image: a.png
  poses: {happy: b.png}
  mouth: {x: 0.5, y: 0.5, width: 0.2, height: 0.1}
  eyes: [{x: 0.5, y: 0.5, width: 0.2, height: 0.1}]
pronunciation: {nginx: engine ex}
voice: {espeak: {pitch: 4}}
""",
    "profile": """\
name: mine
extends: draft
kinds:
  speech: {backend: espeak, params: {rate: 150}}
  narration: {}
  still: {}
  clip:
    limits: {scale: 1, seconds: 5, frames: 81, fps: 16, recipe: true, anchor: false, pace: 1, bytes: 1, gpu: false}
  talk: {}
  scene: {}
  joint: {}
  music: {}
  sound: {}
  film: {}
  stems: {}
show: {code: {}, slide: {}, diagram: {}}
given: {still: {}, clip: {}, narration: {}}
""",
}


@pytest.mark.parametrize("kind", PLACES)
def test_hovering_over_a_key_tells_what_the_schema_says_of_it(editor: Editor, kind: str) -> None:
    text = modeline(kind) + EVERYTHING[kind]
    document = parse(text.encode(), "x.yaml")
    file = editor.place(kind)
    editor.server.open(file, text)
    told = set()
    for path, field in fields(document, schema(kind), schema(kind)):
        span = document.key_place(path)
        shown = editor.server.hover(file, span.line - 1, span.column)
        wanted = field.get("markdownDescription") or field["description"]
        assert wanted in shown or wanted in re.sub(r"\\(.)", r"\1", shown), (path, shown)
        for meaning in field.get("enumDescriptions", ()):
            assert meaning in re.sub(r"\\(.)", r"\1", shown), path
        told.add(id(field))
    every = {id(field) for part in parts(schema(kind)) for field in part.get("properties", {}).values()}
    assert every == told  # EVERYTHING names every field that there is.


Keys = tuple[str | int, ...]


def fields(
    document: Document, root: dict[str, Any], part: dict[str, Any], path: Keys = ()
) -> Iterator[tuple[Keys, dict[str, Any]]]:
    """The path of every key of a document that is a field, with what its schema says of it, as written there."""
    part = {**root["$defs"].get(part.get("$ref", "").removeprefix("#/$defs/"), {}), **part}
    value: Any = document.data
    for key in path:
        value = value[key]
    if isinstance(value, list) and "items" in part:
        for index in range(len(value)):
            yield from fields(document, root, part["items"], (*path, index))
    for name, field in part.get("properties", {}).items() if isinstance(value, dict) else ():
        if name in value:
            yield (*path, name), field
            yield from fields(document, root, field, (*path, name))


def parts(part: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a schema, itself included."""
    if isinstance(part, dict):
        yield part
        for below in part.values():
            yield from parts(below)
    elif isinstance(part, list):
        for below in part:
            yield from parts(below)


class Bad(NamedTuple):
    """A file with mistakes; `same_ends`: the server ends them where we do."""

    kind: str
    text: str
    same_ends: bool = True


def board(old: str, new: str) -> Bad:
    """The storyboard with something else in it."""
    assert old in BOARD
    return Bad("storyboard", BOARD.replace(old, new))


def scene(more: str) -> Bad:
    """The storyboard with more in its scene."""
    return Bad("storyboard", f"{BOARD}    {more}\n")


BAD = {
    "unknown-key": board("narration", "naration"),
    "unknown-key-in-quotes": board("narration:", '"narration ":'),
    "unknown-key-in-flow": board("title: T", "title: T\nformat: {width: 64, heigth: 36}"),
    "unknown-key-beyond-the-basic-plane": board("title: T", "title: T\n\U0001f600: {\U0001f600: a}"),
    "after-letters-beyond-the-basic-plane": Bad("storyboard", 'title: T\nscenes: [{id: "\U0001f600", on_screen: 3}]\n'),
    "lines-of-windows": Bad("storyboard", BOARD.replace("narration", "naration").replace("\n", "\r\n")),
    "wrong-types": Bad("storyboard", BOARD.replace("a door", "[a,\n      door]").replace("title: T", "title: 7")),
    "yes-is-text": board("true", "yes  # a comment"),
    "nothing-written": Bad("storyboard", BOARD.replace("title: T", "title:").replace("true", "")),
    "no-mapping": Bad("storyboard", "- a\n", False),  # The server counts the line break in.
    "scenes-no-list": Bad("storyboard", "title: T\nscenes:\n  id: a\n", False),
    "scenes-no-mappings": Bad("storyboard", "title: T\nscenes:\n  - hello\n  -\n"),
    "no-scenes": Bad("storyboard", "title: T\nscenes: []\n"),
    "missing-keys": Bad("storyboard", "seed: 1\nscenes:\n  - id: a\n  - {on_screen: true}\n"),
    "missing-below-a-key": scene("image:\n      fit: fill\n    transition: {seconds: 9}"),
    "missing-in-a-step": scene("show:\n      code:\n        text: a\n        steps:\n          - show: 1"),
    "no-choice": board("title: T", "title: T\ncaptions: hard\ntheme: dark\nloudness: loud"),
    "no-choice-among-several-types": scene("transition: fad"),
    "numbers": scene("take: 0\n    duration: 601\n    seed: 1.5\nseed: -1\nformat: {width: 63}"),
    "text-for-numbers": scene("take: '2'\n    duration: 2,5"),
    "id": board("id: one", "id: One!"),
    "no-persona": board("persona: mike", "persona: Mike Bot"),
    "blank": Bad("storyboard", BOARD.replace("a door", "''").replace("The firewall reads what comes first.", "' '")),
    "too-long": Bad("storyboard", BOARD.replace("title: T", f"title: {'x' * 201}").replace("a door", "x" * 2001)),
    "two-lines": Bad("storyboard", BOARD.replace("title: T", 'title: "two\n\n  lines"')),
    "bullets": scene("show: {slide: {title: T, bullets: [5, {at: x}, {text: a, art: b}]}}"),
    "duplicate-key": Bad("storyboard", f"{BOARD}    narration: again\n", False),  # The server counts the value in.
    "colon": Bad("storyboard", BOARD.replace("The firewall", "Note: it"), False),
    "at-sign": Bad("storyboard", BOARD.replace("The", "@The"), False),
    "percent-sign": Bad("storyboard", BOARD.replace("The", "%The"), False),
    "tag": Bad("storyboard", BOARD.replace("The", "!The"), False),
    "tab": Bad("storyboard", BOARD.replace("    narration", "\tnarration"), False),
    "after-a-quote": Bad("storyboard", BOARD.replace("The firewall", "'The' firewall"), False),
    "escape": Bad("storyboard", BOARD.replace("a door", '"a \\door"'), False),
    "escape-cut": Bad("storyboard", BOARD.replace("a door", '"a \\x"'), False),
    "no-colon": Bad("storyboard", BOARD.replace("narration: The", "narration The"), False),
    "list-beside-its-key": Bad("storyboard", BOARD.replace("a door", "- a door"), False),
    "no-name": Bad("persona", "trigger: a\nother: b\n"),
    "regions": Bad("persona", "name: M\nportrait:\n  mouth: {x: 2, y: 0.5}\n  eyes: [5, {x: 0.1, width: 0}]\n"),
    "voices": Bad("persona", 'name: M\nvoice:\n  "A Name": {}\n  x: 5\n  espeak: {pitch: [1]}\n'),
    "look": Bad("persona", "name: M\nlook: {weight: 3}\n"),
    "consent": Bad("persona", "name: M\nconsent: {until: soon, scope: {purposes: [fun]}, evidence: {sha256: 5}}\n"),
    "no-profile": Bad("profile", "nam: no-profile\n"),
    "choices": Bad("profile", 'name: choices\nextends: draft\nkinds: {clips: {}, speech: a, still: {backend: ""}}\n'),
    "limits": Bad(
        "profile", "name: limits\nextends: draft\nkinds: {clip: {limits: {seconds: 0, fps: 1.5, gpu: yes}}}\n"
    ),
}


@pytest.fixture(scope="module")
def checked(editor: Editor) -> dict[str, list[dict[str, Any]]]:
    """What one `mikebot check --format json` says of all bad files, by name."""
    files = {name: editor.root / PLACES[bad.kind].format(name) for name, bad in BAD.items()}
    for name, bad in BAD.items():
        files[name].parent.mkdir(exist_ok=True)
        files[name].write_bytes((modeline(bad.kind) + bad.text).encode())
    said = mikebot(editor.root, "check", "--format", "json", *map(str, files.values()))
    assert said.code == 2
    found = json.loads(said.out)
    return {
        name: [mistake for mistake in found if editor.root / mistake["file"] == file] for name, file in files.items()
    }


@pytest.mark.parametrize("name", BAD)
def test_mistakes_are_where_mikebot_check_puts_them(
    editor: Editor, checked: dict[str, list[dict[str, Any]]], name: str
) -> None:
    """Each of the server's is one of ours; what we find beyond them (meaning, files) it cannot know.

    Where YAML itself is broken, the server goes on and tells of what follows from that; we stop. There, our one
    mistake is the server's first.
    """
    bad = BAD[name]
    text = modeline(bad.kind) + bad.text
    theirs = [characters(text, found["range"]) for found in editor.server.open(editor.place(bad.kind, name), text)]
    ours = [(m["line"], m["column"], m["end_line"], m["end_column"]) for m in checked[name]]
    assert theirs
    if parse(text.encode(), "x.yaml").data is None:
        assert [place[:2] for place in ours] == [theirs[0][:2]]
    elif bad.same_ends:
        assert set(theirs) <= set(ours)
    else:
        assert {place[:2] for place in theirs} <= {place[:2] for place in ours}


ELSEWHERE = {
    # The server marks the end of the file, where it gave up: we mark the quote that nobody closed.
    "quote": (BOARD.replace("The", '"The'), (7, 16), (10, 1)),
    # The server marks the next key: we mark the bracket that is open.
    "bracket": (BOARD.replace("title: T", "title: [T"), (2, 8), (3, 1)),
    # The server marks the text that swallows the line: we mark the line, which is what must be indented.
    "indentation": (BOARD.replace("persona:", " persona:"), (3, 9), (2, 8)),
    # The server marks all of the text: we mark the one character in it that cannot be.
    "control-character": (BOARD.replace("The", "T\x07he"), (7, 17), (7, 16)),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_mistakes_that_are_better_placed_than_in_the_editor(editor: Editor, name: str) -> None:
    text, ours, theirs = ELSEWHERE[name]
    text = modeline("storyboard") + text
    (mistake,) = parse(text.encode(), "x.yaml").mistakes
    assert (mistake.line, mistake.column) == ours
    found = [characters(text, found["range"])[:2] for found in editor.server.open(editor.place("storyboard"), text)]
    assert found[0] == theirs


def characters(text: str, span: dict[str, Any]) -> tuple[int, int, int, int]:
    """A range of the protocol, which counts UTF-16 units from 0, as ours: characters from 1."""
    lines = text.split("\n")

    def column(place: dict[str, int]) -> int:
        units = lines[place["line"]].encode("utf-16-le")[: 2 * place["character"]]
        return len(units.decode("utf-16-le")) + 1

    start, end = span["start"], span["end"]
    return start["line"] + 1, column(start), end["line"] + 1, column(end)


def test_what_init_tells_vs_code_checks_files_without_a_modeline(tmp_path: Path) -> None:
    assert mikebot(tmp_path, "init", ".", "--vscode").code == 0
    settings = json.loads((tmp_path / ".vscode/settings.json").read_text("utf-8"))
    with yaml_server(tmp_path, settings["yaml.schemas"]) as server:
        for name in ("projects/mine/storyboard.yaml", "personas/ada/persona.yaml", "profiles/mine.yaml"):
            (found, *_) = server.open(tmp_path / name, "nonsense: 1\n")
            assert found["message"].startswith(("Missing property", "Property nonsense")), name
        assert server.open(tmp_path / "notes.yaml", "nonsense: 1\n") == []


def test_the_lock_file_says_what_to_install_and_not_from_where() -> None:
    lock = json.loads((ROOT / "tests/editor/package-lock.json").read_text("utf-8"))
    wanted = json.loads((ROOT / "tests/editor/package.json").read_text("utf-8"))["dependencies"]
    packages = {name.removeprefix("node_modules/"): package for name, package in lock["packages"].items() if name}
    assert {name: packages[name]["version"] for name in wanted} == wanted
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())
