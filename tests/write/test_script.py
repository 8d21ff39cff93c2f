"""`mikebot check --script` gives advice, each at its place, and an exit code of 0; good scripts hear little of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command_kit import ROOT, mikebot, workspace

from engine.document import parse
from engine.storyboard import Persona
from engine.write.hand import board_text
from engine.write.script import advice, syllables

MIKEBOT = Persona("Mikebot", "mikebot", voice={"espeak": {"rate": 165}})
BOARD = """\
title: Two doors
persona: mikebot
scenes:
  - id: red
    on_screen: true
    narration: In this video we talk about doors.
    image_prompt: a red door, no people, and the concept of security
    video_prompt: slow push in, loud music
  - id: blue
    on_screen: false
    narration: That one is blue.
    image_prompt: a sign that says blue, which then turns into a door
    video_prompt: pan left
"""


def scene(number: int, **fields: Any) -> dict[str, Any]:
    said_ = f"{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[number]}nna is a lamp on a hill."
    plain = {"id": f"s{number}", "on_screen": number % 2 == 0, "narration": said_, "video_prompt": "slow push in"}
    return {**plain, "image_prompt": f"a lamp, {number} moths around it", **fields}


def said(scenes: list[dict[str, Any]], wish: float | None = None, **head: Any) -> list[tuple[int, str, str]]:
    """Line, message and hint of all advice but the one that is always given."""
    document = parse(board_text({"title": "T", "persona": "mikebot", **head}, scenes).encode(), "board.yaml")
    found = advice(document, MIKEBOT, wish)
    assert {mistake.severity for mistake in found} == {"advice"}
    return [(m.line, m.message, m.hint) for m in found if m.line != 2 or wish]


def spoken(*narrations: str, **head: Any) -> list[str]:
    scenes = [scene(number, narration=text) for number, text in enumerate(narrations)]
    return [message for _, message, _ in said(scenes, **head)]


GOLDEN = """\
projects/doors/storyboard.yaml:1:8: advice: the film lasts about 5 s: 11 words in 2 scenes
  title: Two doors
         ^
  the voice says 201 words a minute, pauses apart
projects/doors/storyboard.yaml:6:16: advice: the film begins by announcing itself
      narration: In this video we talk about doors.
                 ^
  begin with what happens, and cut this sentence
projects/doors/storyboard.yaml:7:19: advice: image_prompt: 'no': picture models show what they are told to leave out
      image_prompt: a red door, no people, and the concept of security
                    ^
  say what is there instead
projects/doors/storyboard.yaml:7:19: advice: image_prompt: 'concept of security': nobody can see that
      image_prompt: a red door, no people, and the concept of security
                    ^
  name a thing that stands for it: a padlock, a scale, a handshake
projects/doors/storyboard.yaml:8:19: advice: video_prompt: 'loud': a picture has no sound
      video_prompt: slow push in, loud music
                    ^
  show what makes it, or let the narration say it
projects/doors/storyboard.yaml:12:19: advice: image_prompt: 'that says': text in a made picture comes out garbled
      image_prompt: a sign that says blue, which then turns into a door
                    ^
  show it with show: slide or show: code, or leave it out
projects/doors/storyboard.yaml:12:19: advice: image_prompt: 'then': a picture is one moment
      image_prompt: a sign that says blue, which then turns into a door
                    ^
  show one moment here, and say what moves in video_prompt
"""


def test_advice_stands_at_its_place_and_is_no_error(tmp_path: Path) -> None:
    root = workspace(tmp_path, BOARD)
    assert mikebot(root, "check", "--script", "projects/doors") == (0, "", GOLDEN)
    assert mikebot(root, "check", "projects/doors") == (0, "", "")


def test_editors_and_github_hear_it_as_a_hint(tmp_path: Path) -> None:
    root = workspace(tmp_path, BOARD)
    found = json.loads(mikebot(root, "check", "--script", "projects/doors", "--format", "json").out)
    assert [(m["severity"], m["line"], m["column"], m["end_column"]) for m in found][:2] == [
        ("advice", 1, 8, 17),
        ("advice", 6, 16, 50),
    ]
    first = mikebot(root, "check", "--script", "projects/doors", "--format", "github").out.splitlines()[0]
    assert first == (
        "::notice file=projects/doors/storyboard.yaml,line=1,col=8,endLine=1,endColumn=17::"
        "the film lasts about 5 s: 11 words in 2 scenes%0Athe voice says 201 words a minute, pauses apart"
    )


def test_mistakes_come_first_and_leave_no_advice(tmp_path: Path) -> None:
    root = workspace(tmp_path, BOARD.replace("title: Two doors", "title: Two doors\nnonsense: 1"))
    done = mikebot(root, "check", "--script", "projects/doors", "--format", "json")
    assert (done.code, [m["severity"] for m in json.loads(done.out)]) == (2, ["error"])


def test_personas_and_profiles_have_no_script(tmp_path: Path) -> None:
    root = workspace(tmp_path, BOARD)
    assert mikebot(root, "check", "--script", "personas/mikebot") == (0, "", "")


@pytest.mark.parametrize("name", ["firewalls", "hello"])
def test_a_good_script_hears_how_long_it_is_and_no_more(name: str) -> None:
    document = parse((ROOT / f"projects/{name}/storyboard.yaml").read_bytes(), name)
    (only,) = advice(document, MIKEBOT)
    assert only.message.startswith("the film lasts about ")


def test_a_film_far_from_the_length_that_was_wished_for(tmp_path: Path) -> None:
    root = workspace(tmp_path, (ROOT / "projects/firewalls/storyboard.yaml").read_text("utf-8").replace("music:", "#"))
    asked = ("check", "projects/doors", "--format", "json", "--minutes")
    (found,) = json.loads(mikebot(root, *asked, "3").out)
    assert found["message"] == "the film lasts about 1 min 20 s: 230 words in 10 scenes, and 3 min were wished for"
    assert found["hint"] == "the voice says 201 words a minute, pauses apart: add about 336 words"
    (found,) = json.loads(mikebot(root, *asked, "0.5").out)
    assert found["hint"] == "the voice says 201 words a minute, pauses apart: cut about 166 words"
    (found,) = json.loads(mikebot(root, *asked, "1.35").out)
    assert found["message"] == "the film lasts about 1 min 20 s: 230 words in 10 scenes"


def test_the_persona_is_seen_too_seldom_or_all_the_time() -> None:
    scenes = [scene(number, on_screen=True) for number in range(4)]
    always = said(scenes)[0]
    assert always == (3, "Mikebot is seen in 4 of 4 scenes", "show what is talked about in some")
    never = said([{**each, "on_screen": False} for each in scenes])[0]
    assert never[1:] == ("Mikebot is seen in 0 of 4 scenes", "let them speak to us at the beginning and at the end")
    assert not any("is seen in" in message for _, message, _ in said(scenes[:3]))


def test_scenes_too_long_for_their_picture_and_too_short_to_be_seen() -> None:
    long = " ".join(f"Lamp number {n} is lit by {word}." for n, word in enumerate(["Ann", "Bob", "Cy"] * 5))
    found = said([scene(0), scene(1, narration=long), scene(2, narration="Gone.")])
    assert [message for _, message, _ in found if "lasts" in message or "over in" in message] == [
        "this scene lasts about 36 s on one picture, which a video model makes of 8 clips in a row",
        "this scene is over in 0.9 s, before its picture is seen",
    ]
    slide = {"show": {"slide": {"title": "T"}}}
    assert not any("lasts" in message for _, message, _ in said([scene(0, narration=long, **slide)]))
    assert not any("lasts" in message for _, message, _ in said([scene(0, narration=long, hold=True), scene(1)]))


def test_scenes_and_sentences_that_begin_alike() -> None:
    assert spoken("The door is red.", "The door is blue.") == ["this scene begins with 'the door' as the one before"]
    apart = spoken(
        "The door is red.", "Look at this one.", "The door is blue.", "And at that.", "The door, once again."
    )
    assert apart == ["this scene begins with 'the door' as two before"]
    assert spoken("They knock. They ring.", "They shout at us.") == ["three sentences in a row begin with 'they'"]
    assert spoken("They knock. They ring. Then they shout.") == []


def test_how_the_film_begins() -> None:
    for dull in (
        "Welcome to my film on doors.",
        "Hello, and welcome to this.",
        "Today we look at doors.",
        "Let’s talk of doors.",
    ):
        assert spoken(dull) == ["the film begins by announcing itself"], dull
    long = "A door that has been left open all night by somebody who was tired, and " * 3 + "who left."
    assert spoken(long)[0] == "the film begins with a long sentence"
    assert spoken("Hello, I am Mikebot.", "This door is open.") == []


def test_sentences_that_are_too_long_in_every_language() -> None:
    long = "the lamp is lit and the door is shut and the cat is out and the dog is in and the " * 2 + "end."
    assert "a sentence of 43 words takes 13 s: 'the lamp is lit and the door i...'" in spoken(
        "This is a short one.", long
    )
    german = "Die Lampe brennt und die Tür ist zu und die Katze ist draußen und " * 3 + "Schluss."
    assert spoken("Kurz und gut ist das.", german, language="de") == [
        "a sentence of 43 words takes 14 s: 'Die Lampe brennt und die Tür i...'"
    ]
    chinese = "防火墙是守在门口的卫兵它拦下每一个信封并在名单上查找放行或者丢弃这样就没有人能够进来了。"
    assert spoken("新电脑刚刚连上互联网。", chinese, language="zh") == [
        "a sentence of 43 letters takes 12 s: '防火墙是守在门口的卫兵它拦下每一个信封并在名单上查找放行或者...'"
    ]


def test_words_that_are_hard_to_follow_by_ear() -> None:
    hard = (
        "Organizational cybersecurity infrastructure necessitates continuous authentication verification procedures. "
        "Architectural considerations additionally encompass administrative responsibilities regarding accountability."
    )
    assert "hard to follow by ear: 42 years of school by the formula of Flesch and Kincaid" in spoken(
        "A door stands open.", hard
    )
    assert not any("hard to follow" in message for message in spoken("A door stands open.", hard, language="de"))


@pytest.mark.parametrize(
    ("word", "number"),
    [("the", 1), ("guard", 1), ("envelope", 3), ("make", 1), ("table", 2), ("called", 1), ("wanted", 2), ("boxes", 2)],
)
def test_syllables_are_counted_as_people_do(word: str, number: int) -> None:
    assert syllables(word) == number


def test_too_many_chapters() -> None:
    found = said([scene(number, chapter=f"C{number}") for number in range(17)])
    assert [message for _, message, _ in found if "chapters" in message] == ["the film has 17 named chapters"]
    assert not any("chapters" in m for _, m, _ in said([scene(n, chapter="C") for n in range(15)]))


def test_pictures_that_were_shown_or_said_before() -> None:
    scenes = [
        scene(0),
        scene(1, image_prompt="A LAMP; 0 moths around it!"),
        scene(2, image_prompt="look: a lamp on a hill"),
    ]
    assert [message for _, message, _ in said(scenes)] == [
        "image_prompt: the scene 's0' has the same picture",
        "image_prompt: it repeats the narration word for word",
    ]


def test_good_prompts_hear_nothing() -> None:
    """Words that only look like those that are told of."""
    fine = (
        "a notebook and a nook",
        "thenceforth a road",
        "soft paper textures",
        "letters in a heap",
        "a soundless bay",
    )
    assert said([scene(n, image_prompt=text) for n, text in enumerate(fine)]) == []
