"""From notes to a storyboard without a model: valid, nothing made up, each idea with a picture of its own."""

from __future__ import annotations

import json
import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from command_kit import ROOT, mikebot
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.backends.motifs import idea
from engine.digests import Digests
from engine.document import parse
from engine.errors import UsageError
from engine.load import load
from engine.meaning import mistakes as meanings
from engine.probe import video
from engine.schema import mistakes as shape
from engine.show_mistakes import mistakes as shown
from engine.storyboard import Persona
from engine.write import vocabulary
from engine.write.cut import most
from engine.write.hand import board_text
from engine.write.outline import MOST_SCENES, Outline, outline
from engine.write.pace import count
from engine.write.pictures import repeats
from engine.write.script import advice

MIKEBOT = Persona("Mikebot", "mikebot")
GOLDEN = ROOT / "tests/golden/write"
SAMPLES = ["firewalls", "public-key", "sewing-machine"]


def made(notes: str, language: str = "en", persona: Persona | None = MIKEBOT) -> Outline:
    """An outline that holds whatever the notes are: read back, it has no mistake."""
    found = outline(notes, name="notes", persona=persona, language=language)
    document = parse(board_text(found.head, found.scenes).encode(), "board")
    assert document.data == {**found.head, "scenes": found.scenes}
    assert [*document.mistakes, *shape(document, "storyboard"), *meanings(document)] == []
    for index, scene in enumerate(document.data["scenes"]):
        assert shown(document, index, scene, None) == []
    return found


def said(found: Outline) -> list[str]:
    return [scene.get("narration", "") for scene in found.scenes]


@pytest.fixture(params=SAMPLES)
def sample(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """A sample's notes and its golden storyboard in a workspace."""
    shutil.copytree(ROOT / "personas", tmp_path / "personas")
    folder = tmp_path / "projects" / request.param
    folder.mkdir(parents=True)
    shutil.copyfile(GOLDEN / f"{request.param}.yaml", folder / "storyboard.yaml")
    return (GOLDEN / f"{request.param}.md").read_text("utf-8"), folder


def test_the_samples_come_out_as_they_are_kept(sample: tuple[str, Path]) -> None:
    """After a change: python -m tests.write.test_outline"""
    notes, folder = sample
    assert golden(notes, folder.name) == (folder / "storyboard.yaml").read_text("utf-8")
    assert made(notes).notes == []


def golden(notes: str, name: str) -> str:
    found = outline(notes, name=name, persona=MIKEBOT)
    return board_text(found.head, found.scenes, [f"outline of: {name}.md"])


def test_the_samples_load_and_plan_without_a_mistake_or_warning(sample: tuple[str, Path]) -> None:
    _, folder = sample
    root = folder.parents[1]
    loaded = load(folder / "storyboard.yaml", root, Digests())
    assert loaded.warnings == []
    document = parse((folder / "storyboard.yaml").read_bytes(), "board")
    only = advice(document, loaded.board.persona)
    assert [found.message for found in only if not found.message.startswith("the film lasts about")] == []
    planned = mikebot(root, "plan", f"projects/{folder.name}", "--json")
    assert (planned.code, planned.err) == (0, "")
    assert json.loads(planned.out)["steps"]


def test_a_sample_becomes_a_film(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "personas", tmp_path / "personas")
    folder = tmp_path / "projects" / "firewalls"
    folder.mkdir(parents=True)
    text = (GOLDEN / "firewalls.yaml").read_text("utf-8")
    text = text.replace("scenes:\n", "format: {width: 320, height: 180, fps: 10}\nscenes:\n", 1)
    (folder / "storyboard.yaml").write_text(text, encoding="utf-8")
    done = mikebot(tmp_path, "render", "projects/firewalls")
    assert done.code == 0, done.err
    film = video(folder / "build/firewalls.mp4")
    assert (film.width, film.height) == (320, 180)
    assert 60 < float(film.seconds or 0) < 150


def test_the_same_notes_give_the_same_bytes() -> None:
    notes = (GOLDEN / "firewalls.md").read_text("utf-8")
    assert golden(notes, "a") == golden(notes, "a")


def test_nothing_is_said_that_the_notes_do_not_say(sample: tuple[str, Path]) -> None:
    notes, _ = sample
    there = re.sub(r"[^a-z0-9]+", " ", re.sub(r"\*\*|^> ", "", notes, flags=re.MULTILINE).lower())
    for narration in said(made(notes)):
        for sentence in re.split(r"(?<=[.?!:,]) ", narration):
            assert re.sub(r"[^a-z0-9]+", " ", sentence.lower()).strip() in there, sentence


def test_everything_of_the_notes_is_said_or_shown(sample: tuple[str, Path]) -> None:
    notes, _ = sample
    found = made(notes)
    told = set(re.findall(r"\w+", json.dumps([found.head, found.scenes]).replace("\\n", " ").lower()))
    missing = set(re.findall(r"[a-z]{3,}", notes.lower())) - told - {"title", "what", "does", "part", "bash", "python"}
    assert missing - {"https"} == set()


def test_pictures_are_distinct_and_say_no_clause_again(sample: tuple[str, Path]) -> None:
    scenes = made(sample[0]).scenes
    prompts = [scene["image_prompt"] for scene in scenes if "image_prompt" in scene]
    assert len(set(prompts)) == len(prompts)
    pictured = [scene for scene in scenes if "image_prompt" in scene]
    assert not any(repeats(scene["image_prompt"], scene.get("narration", "")) for scene in pictured)
    moves = [scene["video_prompt"] for scene in scenes if "video_prompt" in scene]
    assert all(one != other for one, other in pairwise(moves))


def test_the_draft_has_a_drawing_for_most_pictures(sample: tuple[str, Path]) -> None:
    prompts = [scene["image_prompt"] for scene in made(sample[0]).scenes if "image_prompt" in scene]
    assert sum(bool(idea(prompt).motifs) for prompt in prompts) >= 0.8 * len(prompts)


def test_a_third_to_a_half_of_the_scenes_shows_the_persona(sample: tuple[str, Path]) -> None:
    seen = [scene["on_screen"] for scene in made(sample[0]).scenes]
    assert seen[0]
    assert seen[-1]
    assert 1 / 3 <= sum(seen) / len(seen) <= 1 / 2
    assert not any(scene["on_screen"] for scene in made(sample[0], persona=None).scenes)


def test_no_scene_says_much_more_than_forty_words(sample: tuple[str, Path]) -> None:
    assert max(count(text) for text in said(made(sample[0]))) <= 2 * most("en")
    spoken = [scene["narration"] for scene in made(sample[0]).scenes if "show" not in scene]
    assert max(map(count, spoken)) <= 1.25 * most("en")


def test_headings_are_chapters_and_chapters_have_transitions() -> None:
    found = made("# Film\n\nIntro here.\n\n## One\n\nText.\n\n### Deep\n\nMore.\n\n## Empty\n\n### Below\n\nLast.")
    assert found.head["title"] == "Film"
    assert [scene.get("chapter") for scene in found.scenes] == ["Film", "One", "Deep", "Empty: Below"]
    assert [scene.get("transition") for scene in found.scenes] == [None, "dip", "crossfade", "crossfade"]


def test_front_matter_names_the_film() -> None:
    found = made("---\ntitle: 'A name: mine'\nimage: /etc/passwd\n---\n# Heading\n\nText.")
    assert (found.head["title"], found.scenes[0]["chapter"]) == ("A name: mine", "Heading")


def test_lists_become_slides_that_follow_what_is_said() -> None:
    notes = (
        "# Film\n\nThere are three rules:\n\n- **Read** from the top.\n- The first match wins\n"
        "- The rest: it is dropped at once\n"
    )
    (scene,) = made(notes).scenes
    assert scene["narration"] == (
        "There are three rules. Read from the top. The first match wins. The rest: it is dropped at once."
    )
    bullets = [{"text": "Read", "at": "read"}, {"text": "The first match wins", "at": "the first"}]
    assert scene["show"]["slide"] == {"title": "Film", "bullets": [*bullets, {"text": "The rest", "at": "the rest"}]}


def test_long_lists_are_several_slides_and_lists_of_paragraphs_none() -> None:
    many = made("# Film\n\n" + "".join(f"- point number {n}\n" for n in range(13)))
    assert [len(scene["show"]["slide"]["bullets"]) for scene in many.scenes] == [5, 5, 3]
    six = made("# Film\n\n" + "".join(f"- point number {n}\n" for n in range(6)))
    assert [len(scene["show"]["slide"]["bullets"]) for scene in six.scenes] == [4, 2]
    paragraph = "This is a point that says so much that it would never fit on a slide, and it goes on and on for long."
    assert not any("show" in scene for scene in made(f"# Film\n\n- {paragraph} One.\n- {paragraph} Two.\n").scenes)


def test_tables_are_read_row_by_row() -> None:
    (scene,) = made("# T\n\n| Part | Does | Of |\n|--|--|--|\n| Needle | sews | steel |\n| Hook | turns | |\n").scenes
    assert scene["narration"] == "Needle: Does sews, Of steel. Hook: Does turns."
    assert [bullet["text"] for bullet in scene["show"]["slide"]["bullets"]] == ["Needle", "Hook"]


def test_code_is_shown_and_the_paragraph_beside_it_is_said() -> None:
    found = made(
        "# T\n\nFirst idea.\n\nLook here:\n\n```python\nprint(1)\n```\n"
        "\n## U\n\n```klingon\nx\n```\n\nAfter it. More.\n"
    )
    codes = [(scene.get("narration"), scene["show"]["code"]) for scene in found.scenes if "show" in scene]
    assert codes == [
        ("First idea. Look here.", {"language": "python", "text": "print(1)\n"}),
        ("After it. More.", {"language": "text", "text": "x\n"}),
    ]


def test_code_alone_is_looked_at_in_silence() -> None:
    (scene,) = made("```c\nint main(void);\n```").scenes
    assert (scene["id"], scene["on_screen"], scene["duration"]) == ("code", False, 4)
    assert scene["show"]["code"]["language"] == "c"


def test_long_code_is_cut_and_wide_code_is_broken() -> None:
    code = "\n".join(f"def f{n}():\n    return {n}\n" for n in range(20)) + "x = " + "a + " * 60 + "a\n"
    found = made(f"Some code:\n\n```python\n{code}```\n")
    texts = [scene["show"]["code"]["text"] for scene in found.scenes]
    assert len(texts) == 5
    assert all(text.count("\n") <= 16 and max(map(len, text.split("\n"))) <= 84 for text in texts)
    assert found.notes == ["line 3: lines of code that are too long to be read are broken"]


def test_graphs_are_drawn_and_what_only_looks_like_one_is_shown_as_text() -> None:
    found = made(
        "The client asks the server.\n\n```dot\ndigraph { client -> server }\n```\n\nNo.\n\n```dot\ndigraph {\n```\n"
    )
    graph = found.scenes[0]["show"]["diagram"]
    assert graph["dot"] == "digraph { client -> server }\n"
    assert graph["steps"] == [{"at": "client", "highlight": ["client"]}, {"at": "server", "highlight": ["server"]}]
    assert found.scenes[1]["show"]["code"]["language"] == "dot"
    assert found.notes == ["line 9: this graph cannot be drawn, so its text is shown"]
    mermaid = made("Look.\n\n```mermaid\ngraph TD; A-->B\n```\n")
    assert mermaid.notes == [
        "line 3: Mermaid is not drawn, so its text is shown; write the graph in Graphviz's language (```dot)"
    ]


def test_what_is_left_out_is_said_with_its_line() -> None:
    notes = (
        "# T\n\nHello <b>you</b>. See https://example.com/a?b=c, or [this](../../etc/passwd).\n\n<div>gone</div>\n\n"
        "![A picture](secret.png)\n\nThe ~~old~~ new\x07 one[^1].\n\n[^1]: A footnote.\n"
    )
    found = made(notes)
    assert said(found) == ["Hello you. See example.com, or this. The new one."]
    assert found.notes == [
        "line 3: HTML is left out (3 times)",
        "line 3: an address is said by its host's name alone",
        "line 7: the picture secret.png is left out; bring it with image:",
        "line 9: an invisible control character is dropped",
        "line 9: text that is struck out is left out",
        "line 11: footnotes are left out",
    ]


def test_no_file_that_notes_name_is_read() -> None:
    notes = (
        "# T\n\nimage: secret.png\n\n![x](secret.png)\n\n```yaml\nimage: secret.png\npersona: eve\n```\n\nscenes: []\n"
    )
    for scene in made(notes).scenes:
        assert scene.keys().isdisjoint({"image", "video", "audio", "music"})
        assert "file" not in json.dumps(scene.get("show", {}))


@pytest.mark.parametrize("notes", ["", " \n\n", "\ufeff", "<div></div>", "***", "---\ntitle: T\n---\n", "🎉"])
def test_notes_without_a_word_are_a_mistake(notes: str) -> None:
    with pytest.raises(UsageError) as caught:
        outline(notes)
    assert (
        str(caught.value) == "there is nothing to say in these notes\n  write some sentences, a list or a piece of code"
    )


def test_one_line_is_a_film() -> None:
    found = made("Firewalls guard doors")
    assert found.head["title"] == "notes"
    assert said(found) == ["Firewalls guard doors."]


def test_short_lines_are_notes_of_their_own_and_wrapped_lines_are_not() -> None:
    assert said(made("Firewall = guard\nPorts are doors\nMost are shut")) == [
        "Firewall = guard. Ports are doors. Most are shut."
    ]
    wrapped = "A firewall is a guard that stands at the gate of a computer and reads the\nInternet's letters."
    assert said(made(wrapped)) == [wrapped.replace("\n", " ")]


def test_a_byte_order_mark_and_windows_lines_change_nothing() -> None:
    notes = (GOLDEN / "firewalls.md").read_text("utf-8")
    assert made("\ufeff" + notes.replace("\n", "\r\n")) == made(notes)


def test_ten_thousand_paragraphs_are_two_thousand_scenes() -> None:
    found = made("\n\n".join(f"The door number {n} is red, and nobody has its key." for n in range(5000)))
    assert len(found.scenes) == MOST_SCENES
    assert found.notes == ["line 4001: a film has 2,000 scenes at most; the rest is left out"]
    assert len({scene["image_prompt"] for scene in found.scenes}) == MOST_SCENES


def test_a_sentence_without_end_is_cut_at_its_clauses() -> None:
    found = made("and the door is shut, " * 100 + "at last.")
    assert max(map(count, said(found))) <= 1.5 * most("en")
    assert " ".join(said(found)).count("door") == 100


@pytest.mark.parametrize(
    ("language", "notes", "sentence", "bullet"),
    [
        (
            "zh",
            "# 防火墙\n\n防火墙是守在门口的卫兵。它拦下每一个信封，\n并在名单上查找。\n\n规则:\n\n- 端口很多\n- 大多关闭\n",  # noqa: E501
            "并在名单上查找。",
            "端口",
        ),
        (
            "ja",
            "# 門番\n\nファイアウォールは門の番人です。\n\n- すべての封筒を止めます\n- 名簿で調べます\n",
            "門の番人です。",
            "すべ",
        ),
        (
            "ar",
            "# جدار الحماية\n\nجدار الحماية هو الحارس. يوقف كل ظرف.\n\n- يمر الظرف\n- يُرمى الظرف\n",
            "يوقف كل ظرف.",
            "يمر",
        ),
        (
            "de",
            "# Die Mauer\n\nEine Firewall ist der Wächter am Tor.\n\n- Erst lesen\n- Dann prüfen\n",
            "Wächter am Tor.",
            "erst",
        ),
        ("th", "# ประตู\n\nไฟร์วอลล์คือยามที่ประตู มันหยุดซองจดหมาย\n\n- หยุด ซอง\n- ค้นหา ซอง\n", "มันหยุดซองจดหมาย", "ห"),
    ],
)
def test_other_languages_keep_their_signs_and_have_pictures(
    language: str, notes: str, sentence: str, bullet: str
) -> None:
    found = made(notes, language)
    assert found.head["language"] == language
    assert sentence in "\n".join(said(found))
    slide = found.scenes[-1]["show"]["slide"]["bullets"]
    assert slide[0]["at"].startswith(bullet)
    assert all(scene["image_prompt"] for scene in found.scenes)


PARTS = st.sampled_from(
    [
        *("# A heading", "## B: c", "Some words, and a door. Then more!", "- one\n- two\n  - three\n", "1. a\n2. b"),
        *("> said", "```python\nprint(1)\n```", "```dot\ndigraph {a->b}\n```", "    indented", "<p>x</p>", "---"),
        *("***", "[x]: http://a.b", "![](a.png)", "- [ ] task", "\\", "`", "```", "&nbsp;&#0;", "\t- x", "- "),
        *("- ```\n  x\n  ```", "| a | b |\n|--|--|\n| 1 | 2 |", "| |\n|--|\n| |", "Ein Wort\nNoch eins", "防火墙。门"),
        *("مرحبا", "word " * 90, "x" * 400, "...", "“Quote.” He left.", "a\x00b", "\x1b[31mred"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PARTS | st.text(max_size=30), max_size=8), st.sampled_from(["en", "de", "zh", "th", "fr", "sw"]))
def test_any_notes_give_a_storyboard_without_a_mistake(parts: list[str], language: str) -> None:
    try:
        found = made("\n\n".join(parts), language)
    except UsageError:
        return
    spoken = [scene for scene in found.scenes if "image_prompt" in scene]
    assert not any(repeats(scene["image_prompt"], scene.get("narration", "")) for scene in spoken)


def test_every_word_of_the_vocabulary_has_pictures_worth_having() -> None:
    ways = {way for phrases in vocabulary.things().values() for way in phrases}
    assert all(10 <= len(way) <= 70 for way in ways)
    assert sum(bool(idea(way).motifs) for way in ways) > 0.7 * len(ways)
    frames = [*vocabulary.SHOTS, *vocabulary.WITH]
    assert [frame for frame in frames if idea(frame).motifs] == []


def regenerate() -> None:
    for name in SAMPLES:
        notes = (GOLDEN / f"{name}.md").read_text("utf-8")
        (GOLDEN / f"{name}.yaml").write_text(golden(notes, name), encoding="utf-8")


if __name__ == "__main__":
    regenerate()
