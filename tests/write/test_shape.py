"""What a model can write under the schemas made for it is a storyboard without mistakes, and never names a file.

The schemas are derived: whatever the storyboard's own schema says tomorrow, what they accept it accepts. `settled`
puts right what no grammar sees: ids, cues, lines, nodes, and what does not fit into the picture.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.digests import Digests
from engine.load import load
from engine.schema import accepts, compiled, schema
from engine.write import shape
from engine.write.hand import board_text
from engine.write.shape import board_shape, bounded, scene_shape, scenes_shape, settled, texts_shape, titles_shape

SHAPES = {
    "board": board_shape(1, 3),
    "scenes": scenes_shape(1, 3),
    "scene": scene_shape(),
    "titles": titles_shape(5),
    "texts": texts_shape({"a": 10, "b": 20}),
}
# Keywords that llguidance, llama.cpp, vLLM and OpenAI's servers all know.
KNOWN = {"type", "properties", "required", "additionalProperties", "items", "minItems", "maxItems", "maxLength"}
KNOWN |= {"pattern", "enum", "anyOf", "description"}
AUTHORS = {"file", "image", "video", "audio", "persona", "music", "seed", "take", "hold", "format", "captions", "pose"}
AUTHORS |= {"loudness", "poster", "pronunciation", "room_tone", "duration", "lines"}


def parts(found: Any) -> Iterator[dict[str, Any]]:
    """Every schema within a schema."""
    yield found
    below = [*found.get("properties", {}).values(), *found.get("anyOf", ())]
    for part in [*below, *([found["items"]] if "items" in found else [])]:
        yield from parts(part)


def values(found: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Whatever a schema accepts."""
    if "anyOf" in found:
        return st.one_of(*map(values, found["anyOf"]))
    if "enum" in found:
        return st.sampled_from(found["enum"])
    if found["type"] == "string":
        return texts(found["pattern"], found.get("maxLength"))
    if found["type"] == "array":
        return st.lists(values(found["items"]), min_size=found.get("minItems", 0), max_size=found["maxItems"])
    if found["type"] == "boolean":
        return st.booleans()
    fields = {name: values(part) for name, part in found["properties"].items()}
    needed = {name: fields.pop(name) for name in found["required"]}
    return st.fixed_dictionaries(needed, optional=fields)


def texts(pattern: str, most: int | None) -> st.SearchStrategy[str]:
    """Texts that a pattern matches, the longest of them cut where what is left still does."""
    whole = re.compile(pattern[:-1] + r"\Z")
    made = st.from_regex(whole, fullmatch=True)
    if most is None:
        return made
    return made.map(lambda text: text[:most].rstrip("-")).filter(lambda text: whole.match(text) is not None)


def workspace(folder: Path, board: dict[str, Any]) -> Path:
    """A written board, wrapped as the author's own."""
    taken: set[str] = set()
    scenes = []
    for scene in board["scenes"]:
        scenes.append(settled(scene, taken))
        taken.add(scenes[-1]["id"])
    head = {key: value for key, value in board.items() if key != "scenes"}
    path = folder / "projects" / "made" / "storyboard.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(board_text(head, scenes), "utf-8")
    return path


def scene(**more: Any) -> dict[str, Any]:
    return {"id": "door", "on_screen": False, "narration": "A door opens, and a packet walks in.", **more}


def code(text: str = "print(1)\nprint(2)", **more: Any) -> dict[str, Any]:
    return scene(show={"code": {"language": "python", "text": text, **more}})


@given(board=values(board_shape(1, 3)))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_a_model_can_write_loads_without_a_mistake(board: dict[str, Any], tmp_path_factory: Any) -> None:
    root = tmp_path_factory.mktemp("made")
    path = workspace(root, board)
    loaded = load(path, root, Digests())
    assert len(loaded.board.scenes) == len(board["scenes"])


@given(board=values(board_shape(1, 2, longest=40)))
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_even_before_it_is_settled_it_follows_the_storyboards_schema(board: dict[str, Any]) -> None:
    assert accepts("storyboard")(board)
    assert compiled(board_shape(1, 2, longest=40))(board)


@given(data=st.data())
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_stricter_storyboard_makes_a_stricter_model(data: st.DataObject) -> None:
    tighter = copy.deepcopy(schema("storyboard"))
    limited = [part for part in walk(tighter) if {"maxLength", "maxItems"} & part.keys() and part is not tighter]
    for part in data.draw(st.lists(st.sampled_from(limited), min_size=20, max_size=60, unique_by=id)):
        for name in {"maxLength", "maxItems"} & part.keys():
            least = 60 if name == "maxLength" and "dot" not in str(part) else 3
            part[name] = data.draw(st.integers(min(least, part[name]), part[name]))
    tighter["$defs"]["code"]["properties"]["text"]["maxLength"] = 20_000  # Their patterns hold these two.
    tighter["$defs"]["diagram"]["properties"]["dot"]["maxLength"] = 65_536
    tighter["properties"]["theme"]["enum"] = tighter["properties"]["theme"]["enum"][: data.draw(st.integers(1, 5))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shape, "schema", lambda name: tighter)
        made = board_shape(1, 2)
    assert compiled(tighter)(data.draw(values(made)))


def walk(found: Any) -> Iterator[dict[str, Any]]:
    if isinstance(found, dict):
        yield found
        for part in found.values():
            yield from walk(part)
    elif isinstance(found, list):
        for part in found:
            yield from walk(part)


@pytest.mark.parametrize("name", SHAPES)
def test_a_schema_stands_alone_and_uses_keywords_that_every_server_knows(name: str) -> None:
    assert {word for part in parts(SHAPES[name]) for word in part} <= KNOWN
    assert "$ref" not in json.dumps(SHAPES[name])


@pytest.mark.parametrize("name", SHAPES)
def test_nothing_is_named_that_is_the_authors_to_decide(name: str) -> None:
    named = {field for part in parts(SHAPES[name]) for field in part.get("properties", {})}
    assert not named & AUTHORS


@pytest.mark.parametrize("name", SHAPES)
def test_every_text_is_bounded_and_every_mapping_closed(name: str) -> None:
    for part in parts(SHAPES[name]):
        kind = part.get("type")
        assert kind != "object" or part["additionalProperties"] is False
        assert kind != "array" or "maxItems" in part
        bounded = "maxLength" in part or "enum" in part or "*" not in part.get("pattern", "*")
        assert kind != "string" or bounded


def test_a_file_that_is_slipped_in_is_refused() -> None:
    known = compiled(scene_shape())
    pictured = scene(image_prompt="a door", video_prompt="slow push in")
    assert known(pictured)
    assert not known(pictured | {"image": "/etc/passwd"})
    assert not known(scene(show={"code": {"language": "c", "file": "/etc/passwd"}}))
    assert not known(scene(show={"diagram": {"dot": 'digraph {\n  "a" -> "b" [image="/etc/passwd"];\n}'}}))
    assert not known(scene(show={"diagram": {"dot": 'digraph {\n  "a" -> "b";\n}', "file": "/etc/passwd"}}))


def test_a_scene_has_a_picture_or_shows_something_and_never_neither() -> None:
    known = compiled(scene_shape())
    assert not known(scene())
    assert not known(scene(image_prompt="a door"))
    assert not known(scene(video_prompt="slow push in"))
    assert known(code())
    assert not known(code() | {"image_prompt": "a door", "video_prompt": "slow push in"})


BAD = [
    "\0",
    "\t",
    "\n",
    "\r",
    "\x1b",
    "\x7f",
    "\x85",
    "\x9f",
    "\u2028",
    "\u2029",
    "\u202e",
    "\u2066",
    "\ufeff",
    "\ufffe",
]


@pytest.mark.parametrize("character", BAD, ids=lambda character: f"U+{ord(character):04X}")
def test_no_text_holds_a_character_that_is_obeyed_and_not_read(character: str) -> None:
    known = compiled(board_shape(1, 1))
    made = {"language": "en", "title": "Doors", "style": "warm", "scenes": [scene(image_prompt="a", video_prompt="b")]}
    assert known(made)
    for field in ("title", "style"):
        assert not known(made | {field: f"Do{character}ors"})
    for field in ("id", "narration", "image_prompt", "video_prompt"):
        assert not known(made | {"scenes": [made["scenes"][0] | {field: f"a{character}b"}]})
    assert not known(made | {"scenes": [code(f"a{character}{character}\0")]})


@pytest.mark.parametrize("text", ["", " ", " a", "...", "—", "\u00a0a", "-"])
def test_a_text_begins_with_something_that_can_be_said(text: str) -> None:
    known = compiled(texts_shape({"a": 10}))
    assert not known({"a": text})


SAID = {
    "en": ("Doors open.", "Двери"),
    "de-AT": ("Überall Türen.", "门"),
    "fr": ("« À quoi sert une porte ? »".replace(" ", "\u00a0").replace("«\u00a0", "«"), "أبواب"),
    "es": ("¿Qué es una puerta?", "ドア"),
    "vi": ("Ổ cửa", "Двери"),
    "ru": ("«Двери» открыты.", "Doors open."),
    "sr": ("Врата", "Vrata"),
    "sr-Latn": ("Vrata", "Врата"),
    "uk": ("Єдині двері", "The only door"),
    "el": ("Άνοιξε η πόρτα", "The door"),
    "ar": ("باب", "A door"),
    "he": ("דלת", "A door"),
    "hi": ("दरवाज़ा", "A door"),
    "zh-Hans": ("「门」开了。", "The door opens."),
    "ja": ("ドアが開く", "The door opens."),
    "ko": ("문이 열린다", "The door opens."),
    "th": ("เปิดประตู", "The door opens."),
    "": ("Двери", "..."),
    "az": ("Qapı", "..."),
}


@pytest.mark.parametrize("language", SAID)
def test_a_narration_begins_in_the_writing_of_its_language(language: str) -> None:
    right, wrong = SAID[language]
    known = compiled(scene_shape(language=language))
    made = scene(image_prompt="a", video_prompt="b")
    assert known(made | {"narration": right})
    assert known(made | {"narration": "3" + right})
    assert not known(made | {"narration": wrong})


def test_the_boards_language_is_the_one_that_was_asked_for() -> None:
    assert board_shape(1, 1, language="pt-BR")["properties"]["language"]["enum"] == ["pt-BR"]


def test_the_head_comes_first_and_the_scenes_before_what_is_optional() -> None:
    assert list(board_shape(1, 1)["properties"]) == ["language", "title", "style", "scenes", "theme"]
    forms = [list(form["properties"]) for form in scene_shape()["anyOf"]]
    shown = ["id", "on_screen", "narration", "show", "chapter", "transition"]
    assert forms == [[*shown[:3], "image_prompt", "video_prompt", *shown[4:]], shown, shown, shown]


def test_the_number_of_scenes_is_as_asked_and_ids_are_of_those_given() -> None:
    scenes = scenes_shape(2, 7, ids=["door", "rule"])["properties"]["scenes"]
    assert (scenes["minItems"], scenes["maxItems"]) == (2, 7)
    assert [form["properties"]["id"]["enum"] for form in scenes["items"]["anyOf"]] == [["door", "rule"]] * 4


@pytest.mark.parametrize(("least", "most"), [(0, 3), (4, 3), (1, 2001)])
def test_an_impossible_number_of_scenes_is_refused(least: int, most: int) -> None:
    with pytest.raises(ValueError) as problem:
        board_shape(least, most)
    assert str(problem.value) == f"from {least} to {most} scenes are not possible: 1 to 2000 are"


@pytest.mark.parametrize("name", ["board", "titles", "texts"])
def test_longest_bounds_every_text(name: str) -> None:
    short = {
        "board": board_shape(1, 1, longest=7),
        "titles": titles_shape(2, longest=7),
        "texts": texts_shape({"a": 100, "b": 3}, longest=7),
    }[name]
    long = [part for part in parts(short) if part.get("type") == "string" and "enum" not in part]
    cut = [part for part in long if part["pattern"] != "^[1-9][0-9]?(-[1-9][0-9]?)?$"]
    assert cut
    assert all(part["maxLength"] <= 7 for part in cut)


def test_titles_are_as_many_as_asked_and_texts_as_long_as_allowed() -> None:
    assert compiled(titles_shape(2))({"titles": ["Doors", "Why doors?"]})
    assert not compiled(titles_shape(2))({"titles": ["Doors"]})
    known = compiled(texts_shape({"a": 3, "b": 9}))
    assert known({"a": "Tür", "b": "Tür offen"})
    assert not known({"a": "Türe", "b": "Tür"})
    assert not known({"a": "Tür"})
    assert not known({"a": "Tür", "b": "Tür", "c": "Tür"})


def test_an_id_that_is_taken_gets_a_number() -> None:
    made = scene(image_prompt="a", video_prompt="b")
    assert settled(made, [])["id"] == "door"
    assert settled(made, ["door"])["id"] == "door-2"
    assert settled(made, {"door", "door-2", "door-3"})["id"] == "door-4"
    long = "a" * 64
    assert settled(made | {"id": long}, [long])["id"] == "a" * 62 + "-2"


def test_a_scene_is_not_changed_but_copied() -> None:
    made = scene(narration="A door. ", image_prompt=" a", video_prompt="b", transition="cut")
    before = copy.deepcopy(made)
    after = {"id": "door", "on_screen": False, "narration": "A door.", "image_prompt": "a", "video_prompt": "b"}
    assert settled(made, []) == after
    assert made == before


def test_steps_at_words_that_nobody_says_are_left_out() -> None:
    steps = [{"at": "door", "highlight": "1"}, {"at": "window", "highlight": "2"}, {"at": "packet", "highlight": "1-2"}]
    kept = settled(code(steps=steps), [])["show"]["code"]["steps"]
    assert kept == [steps[0], steps[2]]
    assert settled(code(steps=[*reversed(steps)]), [])["show"]["code"]["steps"] == [steps[2]]  # Not in this order.
    assert "steps" not in settled(code(steps=[steps[1]]), [])["show"]["code"]


def test_steps_at_lines_that_are_not_there_are_left_out() -> None:
    steps = [{"at": "door", "highlight": lines} for lines in ("3", "1-3", "2-1", "99", "2")]
    assert settled(code(steps=steps), [])["show"]["code"]["steps"] == steps[-1:]


def test_points_come_with_words_that_are_said_or_with_the_point_before() -> None:
    bullets = [{"text": " A door ", "at": "door"}, {"text": "No window", "at": "window"}, {"text": "A packet"}]
    shown = settled(scene(show={"slide": {"title": " Two ", "bullets": bullets}}), [])["show"]
    assert shown == {"slide": {"title": "Two", "bullets": [{"text": "A door", "at": "door"}, "No window", "A packet"]}}


def test_nodes_that_the_graph_does_not_have_are_left_out() -> None:
    dot = 'digraph {\n  "client" -> "door" [label="knocks"];\n}'
    steps = [{"at": "door", "show": ["door", "knocks", "wall"]}, {"at": "packet", "show": ["wall"]}]
    shown = settled(scene(show={"diagram": {"dot": dot, "steps": steps}}), [])["show"]
    assert shown == {"diagram": {"dot": dot, "steps": [{"at": "door", "show": ["door"]}]}}


WIDE = ["W", "漢", "Æ", "ض", "औ", "Щ", "갠"]  # The widest letters of each writing.


def words(letter: str) -> str:
    """A text as wide as it can be, of words that can be."""
    return " ".join([letter * 9] * 6)


@pytest.mark.parametrize("on_screen", [False, True])
def test_the_widest_slide_loads_whole(on_screen: bool, tmp_path: Path) -> None:
    bullets = [{"text": words("W")}] * 5
    made = scene(on_screen=on_screen, show={"slide": {"title": words("W"), "bullets": bullets}})
    assert compiled(scene_shape())(made)
    assert loads(made, tmp_path) == {"slide": {"title": words("W"), "bullets": [words("W")] * 5}}


def test_of_a_slide_that_is_wider_still_the_last_points_are_left_out(tmp_path: Path) -> None:
    bullets = [{"text": words("Ԫ")}] * 5
    made = scene(on_screen=True, show={"slide": {"title": "Doors", "bullets": bullets}})
    assert compiled(scene_shape())(made)
    assert loads(made, tmp_path) == {"slide": {"title": "Doors", "bullets": [words("Ԫ")] * 4}}


@pytest.mark.parametrize("letter", WIDE)
@pytest.mark.parametrize("on_screen", [False, True])
def test_the_widest_diagram_loads(letter: str, on_screen: bool, tmp_path: Path) -> None:
    names = [f"{letter * 22}{number:02}" for number in range(16)]
    edges = [f'  "{names[n]}" -> "{names[n + 8]}" [label="{letter * 12}"];\n' for n in range(8)]
    made = scene(on_screen=on_screen, show={"diagram": {"dot": f"digraph {{\n{''.join(edges)}}}"}})
    assert compiled(scene_shape())(made)
    kept = loads(made, tmp_path)["diagram"]["dot"]
    assert kept.startswith(f"digraph {{\n{edges[0]}")
    assert kept == f"digraph {{\n{''.join(edges[: kept.count(';')])}}}"


@pytest.mark.parametrize("letter", ["W", "Ÿ", "Ω", "я", "%"])
@pytest.mark.parametrize("on_screen", [False, True])
def test_the_largest_code_loads_whole(letter: str, on_screen: bool, tmp_path: Path) -> None:
    made = code("\n".join([letter * 72] * 16)) | {"on_screen": on_screen}
    assert compiled(scene_shape())(made)
    assert loads(made, tmp_path) == made["show"]


@pytest.mark.parametrize("language", shape.CODE)
def test_every_language_of_code_is_known(language: str, tmp_path: Path) -> None:
    made = scene(show={"code": {"language": language, "text": "x"}})
    assert loads(made, tmp_path) == made["show"]


def loads(made: dict[str, Any], root: Path) -> dict[str, Any]:
    """What a scene shows once it is settled; it loads without a mistake."""
    path = workspace(root, {"title": "Doors", "language": "en", "scenes": [made]})
    load(path, root, Digests())
    shown: dict[str, Any] = settled(made, [])["show"]
    return shown


@pytest.mark.parametrize(
    ("pattern", "made"),
    [
        (shape.LINE, f"{shape.LINE[:-2]}{{0,9}}$"),
        (shape.opening("de"), f"{shape.opening('de')[:-2]}{{0,8}}$"),
        ("^[a-c]*$", "^[a-c]{0,10}$"),
        (r"^a[\]x]*$", r"^a[\]x]{0,9}$"),
    ],
)
def test_a_length_may_go_into_the_pattern(pattern: str, made: str) -> None:
    found = {"type": "string", "maxLength": 10, "pattern": pattern}
    assert bounded({"a": [found]}) == {"a": [{"type": "string", "pattern": made}]}


@pytest.mark.parametrize(
    "pattern", ["^[a-z][a-z0-9]*(-[a-z0-9]+)*$", "^(ab)*$", "a", "^a", "^a|b$", "^abcdefghijkl[m]*$"]
)
def test_a_length_stays_where_a_pattern_cannot_hold_it(pattern: str) -> None:
    found = {"type": "string", "maxLength": 10, "pattern": pattern}
    assert bounded(found) == found


def test_a_length_that_the_pattern_has_anyway_is_not_said_twice() -> None:
    assert bounded({"maxLength": 10, "pattern": "^a{1,10}$"}) == {"pattern": "^a{1,10}$"}
    assert bounded({"maxLength": 9, "pattern": "^a{1,10}$"}) == {"maxLength": 9, "pattern": "^a{1,10}$"}


@given(scene=values(bounded(scene_shape(language="de", longest=40))))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_bounded_within_is_bounded(scene: dict[str, Any]) -> None:
    assert compiled(scene_shape(language="de", longest=40))(scene)
