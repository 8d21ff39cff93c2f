"""What two storyboards say differently is told field by field, as an author calls them; how they are written is not."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import media_kit
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.diff import Change, Comparison, compare
from engine.diff_report import Told, as_lines, as_object, harmless, painter, taken_apart
from engine.digests import Digests
from engine.estimate import Totals
from engine.load import load
from engine.storyboard import Scene, Storyboard

NONE = Totals(0, 0, 0, 0.0, 0.0, 0.0, 0.0)
BOARD = """\
title: What is a firewall?
persona: mike
style: warm light
scenes:
  - id: hook
    on_screen: true
    narration: Every second, strangers knock on your computer's door, day and night, all the year round.
    image_prompt: a brass door
    video_prompt: slow push in
  - id: rules
    on_screen: false
    narration: A firewall reads each packet.
    show:
      code:
        language: python
        text: |
          def knock(door):
              door.ring()
              return door.open

          knock(front)
    transition: crossfade
  - id: list
    on_screen: false
    duration: 2.5
    show: {slide: {title: Rules, bullets: [Read from the top, The first that fits decides]}}
  - id: photo
    on_screen: false
    narration: This is how it looks.
    image: door.png
    video_prompt: pan left
"""
PERSONA = """\
name: Mike
appearance: a small robot with two eyes
portrait:
  image: portrait.png
  mouth: {x: 0.5, y: 0.6, width: 0.4, height: 0.1}
  eyes: [{x: 0.3, y: 0.4, width: 0.1, height: 0.1}, {x: 0.6, y: 0.4, width: 0.1, height: 0.1}]
voice:
  espeak: {voice: en-gb, pitch: 45}
"""
Edit = Callable[[str], str]


def put(old: str, new: str) -> Edit:
    """Replace the first of a text, which must be there."""

    def edit(board: str) -> str:
        assert old in board
        return board.replace(old, new, 1)

    return edit


def scenes(*order: str) -> Edit:
    """The scenes in another order, or fewer."""

    def edit(board: str) -> str:
        head, *parts = board.split("  - id: ")
        by_id = {part.split("\n", 1)[0]: part for part in parts}
        return head + "".join(f"  - id: {by_id[name]}" for name in order)

    return edit


def workspace(root: Path, board: str, persona: str = PERSONA) -> Path:
    (root / "personas/mike").mkdir(parents=True)
    (root / "projects/p").mkdir(parents=True)
    (root / "personas/mike/persona.yaml").write_text(persona)
    (root / "projects/p/storyboard.yaml").write_text(board)
    media_kit.drawn(root / "personas/mike/portrait.png")
    media_kit.drawn(root / "projects/p/door.png", colour=(40, 30, 200))
    media_kit.drawn(root / "projects/p/gate.png", colour=(40, 30, 200))
    media_kit.wav(root / "projects/p/calm.wav")
    return root


def compared(old: Path, new: Path) -> Comparison:
    boards = [load(root / "projects/p/storyboard.yaml", root, Digests()).board for root in (old, new)]
    return compare(*boards, (lambda path: relative(path, old), lambda path: relative(path, new)))


def relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def told(comparison: Comparison) -> Told:
    return Told("projects/p/storyboard.yaml", {}, {}, comparison, [], [], NONE)


def said(old: Path, new: Path) -> str:
    return "\n".join(as_lines(told(compared(old, new)), painter(False)))


MOVED = scenes("photo", "hook", "rules", "list")
EDITS: dict[str, tuple[Edit, str]] = {
    "a word": (
        put("strangers", "burglars"),
        "scene hook\n  narration: Every second, [-strangers-]{+burglars+} knock on your computer's …",
    ),
    "two words far apart": (
        lambda board: put("Every second", "Each second")(put("year round", "month round")(board)),
        "scene hook\n"
        "  narration: [-Every-]{+Each+} second, strangers knock on … door, day and night,"
        " all the [-year-]{+month+} round.",
    ),
    "words removed at the end": (
        put(", all the year round", ""),
        "scene hook\n  narration: … door, day and night[-, all the year round-].",
    ),
    "white space in a prompt": (put("a brass door", '"a  brass door"'), "scene hook\n  image_prompt: only white space"),
    "prompts": (
        lambda board: put("brass door", "wooden door")(put("push in", "pull back")(board)),
        "scene hook\n  image_prompt: a [-brass-]{+wooden+} door\n  video_prompt: slow [-push in-]{+pull back+}",
    ),
    "a script without spaces": (
        put("A firewall reads each packet.", "防火墙读每个包。"),
        "scene rules\n  narration: [-A firewall reads each packet.-]{+防火墙读每个包。+}",
    ),
    "a flag": (put("on_screen: true", "on_screen: false"), "scene hook\n  on_screen: true -> false"),
    "a seed": (put("a brass door", "a brass door\n    seed: 7"), "scene hook\n  seed: nothing -> 7"),
    "another take": (put("a brass door", "a brass door\n    take: 2"), "scene hook\n  take: 1 -> 2"),
    "a chapter": (put("a brass door", "a brass door\n    chapter: Doors"), 'scene hook\n  chapter: "" -> Doors'),
    "a pose": (
        put("  mouth:", "  poses: {happy: portrait.png}\n  mouth:"),
        "persona\n  portrait.poses.happy: nothing -> personas/mike/portrait.png",
    ),
    "a duration": (put("duration: 2.5", "duration: 2.75"), "scene list\n  duration: 2.5 -> 2.75"),
    "a way in": (
        put("transition: crossfade", "transition: dip"),
        "scene rules\n  transition: [-crossfade-]{+dip+}, 0.5 s",
    ),
    "a longer way in": (
        put("transition: crossfade", "transition: {style: crossfade, seconds: 1.5}"),
        "scene rules\n  transition: crossfade, [-0.5-]{+1.5+} s",
    ),
    "no way in": (put("    transition: crossfade\n", ""), "scene rules\n  transition: [-crossfade, 0.5 s-]{+cut+}"),
    "a scene on hold": (
        put("a brass door", "a brass door\n    hold: true"),
        "film\n  poster: hook -> rules\nscene hook\n  hold: false -> true",
    ),
    "code": (
        put("door.ring()", "door.ring(2)\n              wait()"),
        "scene rules\n"
        "  show.code.text:\n"
        "      def knock(door):\n"
        "    -     door.ring()\n"
        "    +     door.ring(2)\n"
        "    +     wait()\n"
        "          return door.open\n"
        "      …",
    ),
    "code in another language": (
        put("language: python", "language: ruby"),
        "scene rules\n  show.code.language: python -> ruby",
    ),
    "a point of a slide": (
        put("Read from the top", "Read from the bottom"),
        "scene list\n"
        "  show.slide.bullets:\n"
        "    - Read from the top\n"
        "    + Read from the bottom\n"
        "      The first that fits decides",
    ),
    "a slide for a graph": (
        put(
            "{slide: {title: Rules, bullets: [Read from the top, The first that fits decides]}}",
            "{diagram: {dot: 'digraph { a -> b }'}}",
        ),
        "scene list\n  show: slide -> diagram",
    ),
    "another picture": (
        put("door.png", "other.png"),
        "scene photo\n  image: projects/p/door.png -> projects/p/other.png",
    ),
    "the picture under another name": (
        put("door.png", "gate.png"),
        "scene photo\n  image: projects/p/door.png -> projects/p/gate.png (the same bytes)",
    ),
    "how a picture fits": (
        put("image: door.png", "image: {file: door.png, fit: fit}"),
        "scene photo\n  image.fit: fill -> fit",
    ),
    "a recording": (
        put("narration: This is how it looks.", "audio: calm.wav"),
        "scene photo\n  narration: [-This is how it looks.-]\n  audio: nothing -> projects/p/calm.wav",
    ),
    "the title": (put("firewall?", "fire wall?"), "film\n  title: What is a [-firewall-]{+fire wall+}?"),
    "the style": (put("warm light", "cold light"), "film\n  style: [-warm-]{+cold+} light"),
    "the film's own fields": (
        put(
            "style: warm light",
            "style: warm light\nseed: 3\ntheme: chalk\nlanguage: en-GB\ncaptions: burned\nloudness: youtube\n"
            "format: {width: 640, fps: 30}\nroom_tone: true\nposter: list\npronunciation: {nginx: engine ex}",
        ),
        "film\n"
        "  seed: 0 -> 3\n"
        '  theme: "" -> chalk\n'
        "  format.width: 1280 -> 640\n"
        "  format.fps: 25 -> 30\n"
        "  language: en -> en-GB\n"
        "  captions: soft -> burned\n"
        "  loudness: -16 -> -14\n"
        '  pronunciation.nginx: nothing -> "engine ex"\n'
        "  room_tone: false -> true\n"
        "  poster: hook -> list",
    ),
    "music": (
        put("style: warm light", "style: warm light\nmusic: {file: calm.wav, gain: -10}"),
        "film\n  music: nothing -> projects/p/calm.wav",
    ),
    "no persona": (
        lambda board: put("persona: mike\n", "")(put("on_screen: true", "on_screen: false")(board)),
        "film\n  persona: mike -> nothing\nscene hook\n  on_screen: true -> false",
    ),
    "a scene added": (
        put(
            "  - id: list",
            "  - id: new\n    on_screen: false\n    narration: Look.\n    image_prompt: a wall\n    video_prompt: pan\n"
            "  - id: list",
        ),
        "scene new (added)\n  image_prompt: a wall\n  video_prompt: pan\n  narration: Look.",
    ),
    "a scene with code added": (
        put(
            "  - id: list",
            '  - id: new\n    on_screen: false\n    duration: 1\n    show: {code: {language: c, text: "a;\\nb;\\n"}}\n'
            "  - id: list",
        ),
        "scene new (added)\n  duration: 1\n  show: code\n  show.code.language: c\n  show.code.text:\n    a;\n    b;",
    ),
    "a scene removed": (scenes("hook", "list", "photo"), "scene rules (removed)"),
    "the first scene removed": (
        scenes("rules", "list", "photo"),
        "film\n  poster: hook -> rules\nscene hook (removed)",
    ),
    "a scene moved": (
        MOVED,
        "film\n  poster: hook -> photo\nscene photo (moved from place 4 to 1)",
    ),
    "two scenes swapped": (scenes("hook", "list", "rules", "photo"), "scene list (moved from place 3 to 2)"),
    "a scene renamed": (put("id: rules", "id: laws"), "scene laws (was rules)"),
    "the scene of the poster renamed": (put("id: hook", "id: start"), "scene start (was hook)"),
    "a scene renamed and moved": (
        lambda board: put("id: photo", "id: picture")(MOVED(board)),
        "film\n  poster: hook -> picture\nscene picture (was photo) (moved from place 4 to 1)",
    ),
    "a scene copied": (
        lambda board: board + "  - id: again" + board.split("  - id: photo")[1],
        "scene again (added)\n"
        "  video_prompt: pan left\n"
        "  narration: This is how it looks.\n"
        "  image: projects/p/door.png",
    ),
    "a scene renamed and edited": (
        lambda board: put("id: photo", "id: picture")(put("pan left", "pan right")(board)),
        "scene photo (removed)\n"
        "scene picture (added)\n"
        "  video_prompt: pan right\n"
        "  narration: This is how it looks.\n"
        "  image: projects/p/door.png",
    ),
    "a comment": (lambda board: f"# A comment.\n{board}", "nothing changed"),
    "a blank line": (lambda board: board.replace("  - id", "\n  - id"), "nothing changed"),
    "quotes": (put("a brass door", '"a brass door"'), "nothing changed"),
    "the order of keys": (
        put("    on_screen: false\n    duration: 2.5\n", "    duration: 2.5\n    on_screen: false\n"),
        "nothing changed",
    ),
    "a default spelled out": (
        put("style: warm light", "style: warm light\nseed: 0\ncaptions: soft"),
        "nothing changed",
    ),
    "the same number": (put("duration: 2.5", "duration: 2.50"), "nothing changed"),
    "the same way in at length": (
        put("transition: crossfade", "transition: {seconds: 0.5, style: crossfade}"),
        "nothing changed",
    ),
    "line breaks of an author": (put("day and night, ", "day and night,\n      "), "nothing changed"),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit(tmp_path: Path, name: str) -> None:
    edit, expected = EDITS[name]
    persona = name in {"a pose"}
    old = workspace(tmp_path / "old", BOARD)
    new = workspace(tmp_path / "new", BOARD if persona else edit(BOARD), edit(PERSONA) if persona else PERSONA)
    media_kit.drawn(new / "projects/p/other.png", colour=(1, 2, 3))
    assert said(old, new) == expected
    assert said(new, new) == "nothing changed"


def test_a_persona_told_field_by_field(tmp_path: Path) -> None:
    edited = PERSONA.replace("two eyes", "three eyes").replace("pitch: 45", "pitch: 50").replace("x: 0.5", "x: 0.51")
    old, new = workspace(tmp_path / "old", BOARD), workspace(tmp_path / "new", BOARD, edited)
    media_kit.drawn(new / "personas/mike/portrait.png", colour=(9, 9, 9))
    assert said(old, new) == (
        "persona\n"
        "  appearance: a small robot with [-two-]{+three+} eyes\n"
        "  portrait.image: personas/mike/portrait.png has other bytes\n"
        "  portrait.mouth.x: 0.5 -> 0.51\n"
        "  voice.espeak.pitch: 45 -> 50"
    )


NAMING = """\
title: T
persona: mike
music: calm.wav
scenes:
  - {id: picture, on_screen: false, duration: 1, image: door.png, video_prompt: pan left}
  - {id: sound, on_screen: false, audio: voice.wav, image_prompt: a door, video_prompt: pan left}
  - {id: footage, on_screen: false, video: walk.mp4}
  - {id: code, on_screen: false, duration: 1, show: {code: {language: python, file: knock.py}}}
"""
REPLACED = {
    "projects/p/door.png": "scene picture\n  image: projects/p/door.png has other bytes",
    "projects/p/voice.wav": "scene sound\n  audio: projects/p/voice.wav has other bytes",
    "projects/p/walk.mp4": "scene footage\n  video: projects/p/walk.mp4 has other bytes",
    "projects/p/knock.py": "scene code\n  show.code.file: projects/p/knock.py has other bytes",
    "projects/p/calm.wav": "film\n  music: projects/p/calm.wav has other bytes",
    "personas/mike/portrait.png": "persona\n  portrait.image: personas/mike/portrait.png has other bytes",
    "personas/mike/look.safetensors": "persona\n  look.lora: personas/mike/look.safetensors has other bytes",
}


@pytest.mark.parametrize("name", REPLACED)
def test_a_file_replaced_in_place(tmp_path: Path, name: str) -> None:
    roots = [
        workspace(tmp_path / side, NAMING, f"{PERSONA}look: {{lora: look.safetensors}}\n") for side in ("old", "new")
    ]
    for root in roots:
        media_kit.wav(root / "projects/p/voice.wav")
        media_kit.movie(root / "projects/p/walk.mp4", 10)
        (root / "projects/p/knock.py").write_text("knock()\n")
        media_kit.weights(root / "personas/mike/look.safetensors")
    assert said(*roots) == "nothing changed"
    file = roots[1] / name
    make = {".png": media_kit.drawn, ".wav": media_kit.wav, ".mp4": media_kit.movie}.get(file.suffix)
    if file.suffix == ".safetensors":
        media_kit.weights(file, 2.0)
    elif make is None:
        file.write_text("knock(2)\n")
    else:
        make(file, *({".png": [(60, 60)], ".wav": [2.0], ".mp4": [20]}[file.suffix]))
    assert said(*roots) == REPLACED[name]


def test_without_an_old_storyboard_everything_is_new(tmp_path: Path) -> None:
    root = workspace(tmp_path, BOARD)
    board = load(root / "projects/p/storyboard.yaml", root, Digests()).board
    comparison = compare(None, board, (str, lambda path: relative(path, root)))
    assert [(scene.id, scene.state) for scene in comparison.scenes] == [
        (name, "added") for name in ("hook", "rules", "list", "photo")
    ]
    assert [change.field for change in comparison.film] == ["title", "style", "persona"]


def test_the_fewest_scenes_are_said_to_have_moved() -> None:
    """However many scenes change places: what is left in order is as long as any that could be."""
    for size in range(1, 6):
        for order in itertools.permutations(range(size)):
            boards = [
                Storyboard("T", tuple(Scene(f"s{n}", f"p{n}", "v", False) for n in o)) for o in (range(size), order)
            ]
            moved = sum(scene.moved for scene in compare(*boards, (str, str)).scenes)
            assert moved == size - longest_rise(order)


def longest_rise(order: tuple[int, ...]) -> int:
    """By looking at every choice."""
    choices = (c for size in range(len(order) + 1) for c in itertools.combinations(order, size))
    return max(len(choice) for choice in choices if list(choice) == sorted(choice))


WORDS = st.lists(st.sampled_from(["a", "b", "door,", "door", "“x”", "né", "बिल्ली", "防火", ".", "1.5"]), max_size=12)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(WORDS, WORDS)
def test_the_pieces_of_a_change_are_the_two_texts(old: list[str], new: list[str]) -> None:
    texts = " ".join(old), " ".join(new)
    form, pieces = taken_apart(Change("narration", *texts))
    if form != "words":
        return
    for sort, text in zip(("old", "new"), texts, strict=True):
        assert "".join("".join(p.text for p in pieces if p.sort in {"same", sort}).split()) == "".join(text.split())
    assert all(one.sort != two.sort for one, two in itertools.pairwise(pieces))


def test_json_tells_the_same(tmp_path: Path) -> None:
    old = workspace(tmp_path / "old", BOARD)
    edited = put("duration: 2.5", "duration: 3")(put("strangers", "burglars")(put("id: rules", "id: laws")(BOARD)))
    new = workspace(tmp_path / "new", edited)
    media_kit.drawn(new / "projects/p/door.png", colour=(9, 9, 9))
    found = json.loads(json.dumps(as_object(told(compared(old, new)))))
    assert (found["changed"], found["film"]) == (True, {"changes": [], "steps": []})
    hook, laws, silent, photo = found["scenes"]
    kept = {"state": "changed", "moved": False, "steps": []}
    (words,) = hook["changes"]
    assert (words["field"], words["form"]) == ("narration", "words")
    assert words["pieces"][:3] == [["same", "Every second, "], ["old", "strangers"], ["new", "burglars"]]
    assert laws == {"id": "laws", "was": "rules", "old_place": 2, "new_place": 2, "changes": [], **kept}
    assert silent["changes"] == [{"field": "duration", "form": "value", "old": 2.5, "new": 3.0}]
    (picture,) = photo["changes"]
    assert (picture["field"], picture["form"]) == ("image", "file")
    assert picture["old"].keys() == {"file", "sha256"}
    assert picture["old"]["file"] == picture["new"]["file"] == "projects/p/door.png"
    assert picture["old"]["sha256"] != picture["new"]["sha256"]


def test_colours_on_a_terminal_and_nothing_else_that_it_would_obey(tmp_path: Path) -> None:
    old, new = workspace(tmp_path / "old", BOARD), workspace(tmp_path / "new", put("brass", "tin")(BOARD))
    lines = list(as_lines(told(compared(old, new)), painter(True)))
    assert lines == [
        "\x1b[1mscene hook\x1b[0m",
        "  image_prompt: a \x1b[31m[-brass-]\x1b[0m\x1b[32m{+tin+}\x1b[0m door",
    ]
    assert list(map(harmless, lines)) == lines
    assert harmless("a\x1b[2Jb\x07c\x1b]0;t\x9b") == "a\ufffd[2Jb\ufffdc\ufffd]0;t\ufffd"
