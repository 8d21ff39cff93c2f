"""Each save is answered with the truth: what it needs is made, the rest is kept, a film is shown when it is whole."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from command_kit import BOARD
from media_kit import wav
from PIL import Image
from watch_kit import Follower, Heard, base_of, invalid, pause, replaced, settled, steps, watching
from workshop import Workshop

from engine.errors import MikebotError, StoreError
from engine.graph import Artifact
from engine.session import Session
from engine.store import Store


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    shop = Workshop(tmp_path, {})
    shop.write(BOARD)
    return shop


def board(shop: Workshop) -> Path:
    return shop.folder / "storyboard.yaml"


def film(shop: Workshop) -> str:
    """The digest of the film where the author finds it."""
    return hashlib.sha256((shop.folder / "build" / "film.mp4").read_bytes()).hexdigest()


def test_the_first_look_makes_the_film(shop: Workshop) -> None:
    with watching(board(shop), "short") as (session, follower, heard):
        follower.until(settled(BOARD))
        top = follower.top
        assert top["film"]["digest"] == film(shop) == shop.clean()["film"]
        assert (top["title"], top["storyboard"]) == ("Two doors", "projects/film/storyboard.yaml")
        assert top["lines"] == {"red": 5, "blue": 10}
        assert top["film"]["starts"] == {"red": 0.0, "blue": follower.scenes["red"]["seconds"]}
        assert follower.order == ["red", "blue"]
        assert [follower.scenes[name]["state"] for name in follower.order] == ["done", "done"]
        assert [cue[2] for cue in follower.scenes["blue"]["cues"]] == ["That one is blue."]
        for name in ("still", "video", "audio"):
            path = session.media(follower.scenes["blue"][name].removeprefix("/media/"))
            assert path is not None
            assert path.is_file()
        follower.until(Follower.same)
        assert [line[0] for line in heard.lines] == ["saved", "film"]


def test_what_a_step_says_of_itself_is_told_when_it_is_made_and_not_again(shop: Workshop) -> None:
    wav(shop.folder / "hum.wav")
    text = BOARD.replace("narration: That one is blue.", "audio: hum.wav\n    narration: That one is blue.")
    board(shop).write_text(text)
    with watching(board(shop), "short") as (_, follower, heard):
        follower.until(settled(text))
        assert [line[:2] for line in heard.lines if line[0] == "remark"] == [("remark", "blue/narration")]
        newer = text.replace("a red door", "a red gate")
        replaced(board(shop), newer)
        follower.until(settled(newer))
        assert [line[0] for line in heard.lines] == ["saved", "remark", "film", "saved", "film"]


def test_an_edit_makes_its_scene_again_and_says_why(shop: Workshop) -> None:
    with watching(board(shop), "short") as (_, follower, heard):
        follower.until(settled(BOARD))
        text = BOARD.replace("That one", "This one")
        replaced(board(shop), text)
        follower.until(settled(text))
        assert follower.top["edited"] == "blue"
        assert follower.scenes["red"]["state"] == "kept"
        assert follower.scenes["red"]["reasons"] == []
        blue = follower.scenes["blue"]
        assert blue["state"] == "done"
        assert blue["reasons"] == ['narration: "That one is blue." -> "This one is blue."']
        assert "blue/speech" in steps(follower, "built")
        assert "red/speech" in steps(follower, "hit")
        assert film(shop) == follower.top["film"]["digest"] == shop.clean()["film"]
        assert heard.lines[2][:2] == ("saved", ["blue"])
        follower.until(Follower.same)


def test_an_edit_undone_makes_nothing(shop: Workshop) -> None:
    with watching(board(shop), "short") as (_, follower, heard):
        follower.until(settled(BOARD))
        first = follower.top["film"]["digest"]
        other = BOARD.replace("red door", "green door")
        replaced(board(shop), other)
        follower.until(settled(other))
        assert follower.top["film"]["digest"] != first
        replaced(board(shop), BOARD)
        follower.until(settled(BOARD))
        assert follower.top["film"]["digest"] == first
        assert steps(follower, "built") == []
        assert heard.lines[-1][2:] == (0, len(steps(follower, "hit")) + 1)


def test_a_comment_makes_nothing_and_moves_the_lines(shop: Workshop) -> None:
    with watching(board(shop), "short") as (_, follower, _heard):
        follower.until(settled(BOARD))
        text = "# for the children\n" + BOARD
        replaced(board(shop), text)
        follower.until(settled(text))
        assert steps(follower, "built") == []
        assert follower.top["lines"] == {"red": 6, "blue": 11}


def test_mistakes_are_told_and_the_last_good_film_stays(shop: Workshop) -> None:
    with watching(board(shop), "short") as (_, follower, heard):
        follower.until(settled(BOARD))
        good = follower.top["film"]
        replaced(
            board(shop), BOARD.replace("on_screen: false", "on_screen: perhaps").replace("title: Two", "titel: Two")
        )
        follower.until(invalid)
        told = [(m["line"], m["column"], m["message"]) for m in follower.top["mistakes"]]
        assert told == [
            (1, 1, "missing key 'title'"),
            (1, 1, "unknown key 'titel'; did you mean 'title'?"),
            (11, 16, "on_screen must be true or false, not the text 'perhaps'"),
        ]
        assert follower.top["film"] == good
        assert follower.scenes["blue"]["narration"] == "That one is blue."
        assert film(shop) == good["digest"]
        replaced(board(shop), BOARD)
        follower.until(settled(BOARD))
        assert follower.top["mistakes"] == []
        assert follower.top["film"]["digest"] == good["digest"]
        assert [line[0] for line in heard.lines] == ["saved", "film", "mistakes", "saved", "film"]
        assert heard.lines[2][2]


def test_mistakes_from_the_start_are_told_before_there_is_a_film(shop: Workshop) -> None:
    shop.write("title: [")
    with watching(board(shop), "short") as (_, follower, heard):
        follower.until(invalid)
        assert follower.top["film"] is None
        assert not heard.lines[0][2]
        replaced(board(shop), BOARD)
        follower.until(settled(BOARD))


def test_a_picture_that_was_missing_is_heard_when_it_comes(shop: Workshop) -> None:
    text = BOARD.replace("    image_prompt: a blue door\n", "    image: pictures/door.png\n")
    shop.write(text)
    with watching(board(shop), "short") as (_, follower, _heard):
        follower.until(invalid)
        assert [m["message"] for m in follower.top["mistakes"]] == [
            "image: there is no folder 'pictures' with 'door.png' in it"
        ]
        (shop.folder / "pictures").mkdir()
        Image.new("RGB", (64, 36), "blue").save(shop.folder / "pictures" / "door.png")
        follower.until(settled(text))
        first = follower.top["film"]["digest"]
        Image.new("RGB", (64, 36), "green").save(shop.folder / "pictures" / "door.png")
        follower.until(lambda f: f.top["phase"] == "done" and f.top["film"]["digest"] != first)
        assert follower.top["film"]["digest"] == shop.clean()["film"]


def test_persona_and_profile_are_watched_too(shop: Workshop) -> None:
    with watching(board(shop), "short") as (_, follower, _heard):
        follower.until(settled(BOARD))
        persona = shop.persona / "persona.yaml"
        replaced(persona, persona.read_text("utf-8").replace("name: Mikebot", "nam: Mikebot"))
        follower.until(invalid)
        assert follower.top["mistakes"][0]["file"].endswith("persona.yaml")
        replaced(persona, persona.read_text("utf-8").replace("nam: Mikebot", "name: Mikebot"))
        follower.until(settled(BOARD))
        count = follower.top["save"]
        profile = shop.root / "profiles" / "short.yaml"
        replaced(profile, profile.read_text("utf-8").replace("1.2", "0.8"))
        follower.until(lambda f: f.top["save"] > count and settled(BOARD)(f))
        assert any(step.startswith("blue/clip/") for step in steps(follower, "built"))


def test_a_save_in_the_middle_stops_what_is_stale_and_keeps_what_is_not(shop: Workshop) -> None:
    """The picture of the one scene is stale; the other scene's steps are wanted by both saves, and run once."""
    long = "This door is red. It was always red, and so it will stay for as long as anybody here can think of."
    slow = BOARD.replace("{width: 64, height: 36}", "{width: 1280, height: 720}").replace("This door is red.", long)
    shop.write(slow)
    with watching(board(shop), "short") as (_, follower, _heard):
        follower.until(lambda f: "red/scene" in steps(f, "running"))
        text = slow.replace("a red door", "a green door")
        replaced(board(shop), text)
        follower.until(lambda f: f.top["base"] == base_of(text))
        follower.until(settled(text), 180)
        assert film(shop) == follower.top["film"]["digest"]
    with contextlib.closing(sqlite3.connect(shop.store / "results.db")) as records:
        made = dict(records.execute("SELECT kind, count(*) FROM results GROUP BY kind"))
    assert made["still"] == 3
    assert made["scene"] == 2, "the scene with the red door was made to its end, though nobody wanted it any more"


def test_the_scenes_that_were_touched_are_made_first(shop: Workshop) -> None:
    """Every scene is stale, one of them is edited; in one lane it is whole before another has begun to be encoded."""
    fields = "on_screen: false, narration: Number {0}., image_prompt: boat {0}, video_prompt: pan left"
    text = BOARD + "".join(f"  - {{id: s{number}, {fields.format(number)}}}\n" for number in range(6))
    shop.write(text)
    with watching(board(shop), "short", lanes=1) as (_, follower, _heard):
        follower.until(settled(text))
        edited = text.replace("title:", "theme: paper\ntitle:").replace("Number 5.", "Number five.")
        replaced(board(shop), edited)
        follower.until(lambda f: f.top["base"] == base_of(edited) and "s5/scene" in steps(f, "built"))
        assert [step for step in steps(follower, "built") if step.endswith("/scene")] == ["s5/scene"]
        follower.until(settled(edited))


def test_a_step_that_fails_is_told_and_the_others_are_kept(shop: Workshop) -> None:
    """A folder stands where the film should be."""
    (shop.folder / "build" / "film.mp4").mkdir(parents=True)
    with watching(board(shop), "short") as (_, follower, heard):
        follower.until(lambda f: f.top.get("phase") == "failed")
        assert follower.top["film"] is None
        message = (
            f"{shop.folder / 'build'}: Is a directory\n  make it writable, or name another place with --store or --out"
        )
        assert [said["message"] for said in follower.top["failures"]] == [message]
        assert steps(follower, "running") == []
        assert heard.lines[-1][0] == "failed"
        (shop.folder / "build" / "film.mp4").rmdir()
        replaced(board(shop), BOARD)  # The same text: what failed is tried again.
        follower.until(settled(BOARD))
        assert steps(follower, "built") == []


def test_a_failure_is_told_while_the_others_are_made(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may take hours. A picture needs a model that is not here; the other is the author's own."""
    monkeypatch.setenv("MIKEBOT_MODELS", "")
    (shop.root / "profiles" / "modelled.yaml").write_text(
        "name: modelled\nextends: short\n"
        "kinds: {still: {backend: flux, params: {pipeline: FluxPipeline, model: no/where, revision: main}}}\n"
    )
    Image.new("RGB", (64, 36), "blue").save(shop.folder / "door.png")
    text = BOARD.replace("image_prompt: a blue door", "image: door.png")
    shop.write(text)
    at, ready = list[Session](), threading.Event()
    seen: list[tuple[str, str]] = []
    heard: list[str] = []

    def failed(_: Heard, step: str, message: str) -> None:
        heard.append(message)
        ready.wait(20)
        (blue,) = [scene for scene in at[0].snapshot()["scenes"] if scene["id"] == "blue"]
        seen.extend((step, work["state"]) for work in blue["steps"] if work["step"] == "blue/scene")

    monkeypatch.setattr(Heard, "failed", failed)
    with watching(board(shop), "modelled") as (session, follower, _heard):
        at.append(session)
        ready.set()
        follower.until(lambda f: f.top.get("phase") == "failed")
        assert "blue/scene" in steps(follower, "built")
        assert follower.top["failures"][-1]["message"].startswith(
            "models are missing; to download them, type: mikebot fetch --profile modelled"
        )
    assert heard[0].endswith(" names, or fetch it: mikebot fetch --profile modelled.")
    assert [step for step, _ in seen] == ["red/still", ""]
    assert seen[0][1] in ("waiting", "running")


def test_takes_are_seen_side_by_side(shop: Workshop) -> None:
    with watching(board(shop), "short") as (session, follower, _heard):
        follower.until(settled(BOARD))
        session.edit("blue", "take", 2, follower.top["base"])
        text = BOARD.replace("  - id: blue\n", "  - id: blue\n    take: 2\n")
        assert board(shop).read_text("utf-8") == text
        follower.until(settled(text))
        follower.until(lambda f: len(f.scenes["blue"]["takes"]) == 2)
        takes = follower.scenes["blue"]["takes"]
        assert [take["take"] for take in takes] == [1, 2]
        assert takes[0]["still"] != takes[1]["still"] == follower.scenes["blue"]["still"]
        assert [take["take"] for take in follower.scenes["red"]["takes"]] == [1]


def test_takes_of_what_a_scene_showed_before_are_not_told_for_takes_of_what_it_shows_now(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with watching(board(shop), "short") as (_, follower, _heard):
        follower.until(settled(BOARD))
        follower.until(lambda f: all(len(f.scenes[name]["takes"]) == 1 for name in f.order))
        go_on = threading.Event()
        monkeypatch.setattr(Session, "_built", _late(Session._built, go_on))
        for text, left in (
            (BOARD.replace("    image_prompt: a blue door\n", "    image_prompt: a gate\n    take: 2\n"), [1, 0]),
            (BOARD.replace("That one", "    This one").replace("blue\n    on", "blue\n    take: 2\n    on"), [1, 1]),
            (BOARD.replace("title:", "style: of paper\ntitle:"), [0, 0]),
        ):
            go_on.clear()
            replaced(board(shop), text)
            follower.until(
                lambda f, text=text, left=left: (
                    f.top["base"] == base_of(text) and [len(f.scenes[name]["takes"]) for name in f.order] == left
                )
            )
            go_on.set()
            follower.until(settled(text))


def test_takes_are_looked_for_again_when_the_profile_draws_them_in_another_way(shop: Workshop) -> None:
    text = BOARD.replace("  - id: blue\n", "  - id: blue\n    take: 2\n")
    with watching(board(shop), "short") as (_, follower, _heard):
        follower.until(settled(BOARD))
        replaced(board(shop), text)
        follower.until(settled(text))
        follower.until(lambda f: len(f.scenes["blue"]["takes"]) == 2)
        profile = shop.root / "profiles" / "short.yaml"
        kinds = "kinds: {still: {limits: {scale: 2}}, clip:"
        replaced(profile, profile.read_text("utf-8").replace("kinds: {clip:", kinds))
        follower.until(lambda f: f.top["save"] == 3 and f.top["phase"] == "done")
        follower.until(lambda f: [take["take"] for take in f.scenes["blue"]["takes"]] == [2])


def test_an_edit_of_older_text_is_refused(shop: Workshop) -> None:
    with watching(board(shop), "short") as (session, follower, _heard):
        follower.until(settled(BOARD))
        with pytest.raises(MikebotError) as refused:
            session.edit("blue", "take", 2, base_of("something else"))
        assert refused.value.message == "the storyboard was changed meanwhile"
        assert board(shop).read_text("utf-8") == BOARD


def test_hold_leaves_a_scene_out_and_all_on_hold_is_said(shop: Workshop) -> None:
    with watching(board(shop), "short") as (session, follower, _heard):
        follower.until(settled(BOARD))
        session.edit("blue", "hold", True, follower.top["base"])
        follower.until(lambda f: f.top["save"] == 2 and f.top["phase"] == "done")
        assert follower.scenes["blue"]["state"] == "held"
        assert follower.top["film"]["starts"] == {"red": 0.0}
        session.edit("red", "hold", True, follower.top["base"])
        follower.until(invalid)
        assert [m["message"] for m in follower.top["mistakes"]] == ["every scene is held: nothing is left to show"]


def test_a_current_folder_that_is_removed_ends_no_session(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    here = shop.root / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    with watching(board(shop), "short") as (_, follower, _heard):
        follower.until(settled(BOARD))
        here.rmdir()
        board(shop).rename(shop.folder / "away.yaml")
        follower.until(invalid)
        assert [m["message"] for m in follower.top["mistakes"]] == [f"there is no storyboard {board(shop)}"]
        text = BOARD.replace("a blue door", "a blue gate")
        replaced(board(shop), text)
        follower.until(settled(text))


def _objects() -> int:
    pause(0.02)
    return len(gc.get_objects())


def test_many_saves_with_mistakes_leave_nothing_in_memory(shop: Workshop) -> None:
    with watching(board(shop), "short") as (_, follower, _heard):
        follower.until(settled(BOARD))
        counts = []
        for number in range(30):
            text = BOARD.replace("scenes:", f"scenes: {{ # {number}")
            replaced(board(shop), text)
            follower.until(lambda f, text=text: f.top["base"] == base_of(text))
            counts.append(min(_objects() for _ in range(3)))  # What is still at work soon is not.
        assert max(counts[20:]) < min(counts[10:15]) + 300, "each leaves some sixty objects"


def test_what_gc_takes_away_before_it_is_delivered_is_made_again(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The film is gone at the moment at which it is to be copied to where the author finds it."""
    lost: list[str] = []

    def checkout(store: Store, artifact: Artifact, to: Path) -> list[int]:
        if not lost:
            lost.append(artifact.digest)
            store.path(artifact.digest).unlink()
        return deliver(store, artifact, to)

    deliver = Store.checkout
    monkeypatch.setattr(Store, "checkout", checkout)
    with watching(board(shop), "short") as (_, follower, heard):
        follower.until(settled(BOARD))
        assert [line[0] for line in heard.lines] == ["saved", "film"]
        assert [follower.top["film"]["digest"]] == lost == [film(shop)]


def test_a_scene_that_was_spoken_has_its_length_while_a_film_is_made(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the decision on, before the build has planned anything."""
    with watching(board(shop), "short") as (_, follower, _heard):
        follower.until(settled(BOARD))
        long = follower.scenes["red"]["seconds"]
        go_on = threading.Event()
        monkeypatch.setattr(Session, "_build", _late(Session._build, go_on))
        text = BOARD.replace("That one is blue.", "That one is a blue door.")
        replaced(board(shop), text)
        follower.until(lambda f: f.top["base"] == base_of(text))
        told = [follower.scenes[name]["seconds"] for name in follower.order]
        go_on.set()
        assert told == [long, None]
        follower.until(settled(text))


def _late(act: Callable[..., Any], go_on: threading.Event) -> Callable[..., Any]:
    def wait(*words: Any) -> Any:
        go_on.wait(60)
        return act(*words)

    return wait


@pytest.mark.parametrize("part", ["", "artifacts", "tmp", "renders"])
def test_a_store_that_is_removed_is_begun_anew(shop: Workshop, part: str) -> None:
    with watching(board(shop), "short") as (_, follower, _heard):
        follower.until(settled(BOARD))
        shutil.rmtree(shop.store / part)
        text = BOARD.replace("a blue door", "a blue gate")
        replaced(board(shop), text)
        follower.until(settled(text))
        assert follower.top["failures"] == []
        assert film(shop) == follower.top["film"]["digest"]
    assert set(shop.render().ended.values()) == {"hit"}, "what was made is not in the store that is there now"


def test_records_that_are_damaged_end_no_session(shop: Workshop) -> None:
    """Each save is answered; that it cannot be decided is said, and the records are begun anew."""
    with watching(board(shop), "short") as (_, follower, _heard):
        follower.until(settled(BOARD))
        (shop.store / "results.db").write_bytes(b"no records" * 4000)
        text = BOARD
        for number in range(8):  # Each process finds out for itself.
            if settled(text)(follower) and number:
                break
            text = BOARD.replace("a blue door", f"a blue gate {number}")
            replaced(board(shop), text)
            follower.until(lambda f, text=text: f.top["base"] == base_of(text) and f.top["phase"] in ("done", "failed"))
            assert steps(follower, "running") == []
        assert settled(text)(follower)
        assert film(shop) == follower.top["film"]["digest"]


def test_a_save_that_cannot_be_decided_is_told_and_the_next_one_is_made(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def paces(_: Store) -> object:
        raise StoreError("the store is away", "bring it back")

    with watching(board(shop), "short") as (_, follower, heard):
        follower.until(settled(BOARD))
        good = follower.top["film"]
        with monkeypatch.context() as away:
            away.setattr(Store, "paces", paces)
            replaced(board(shop), BOARD.replace("a blue door", "a blue gate"))
            follower.until(lambda f: f.top["phase"] == "failed")
        message = "the store is away\n  bring it back"
        assert [said["message"] for said in follower.top["failures"]] == [message]
        assert heard.lines[-1] == ("failed", "", message)
        assert (follower.top["save"], follower.top["film"]) == (2, good)
        replaced(board(shop), BOARD)
        follower.until(settled(BOARD))
        assert follower.top["failures"] == []


def test_captions_that_cannot_be_read_silence_nothing_else(shop: Workshop) -> None:
    """A folder stands where the times of a scene's words were; nothing that is made needs them."""
    built = shop.render().built
    assert built is not None
    digest = built.results["blue/narration"].outputs["timing"].digest
    timing = shop.store / "artifacts" / digest[:2] / digest
    timing.unlink()
    timing.mkdir()
    with watching(board(shop), "short") as (session, follower, _heard):
        follower.until(settled(BOARD), 10)
        assert [len(follower.scenes[name]["cues"]) for name in follower.order] == [1, 0]
        assert [len(scene["cues"]) for scene in session.snapshot()["scenes"]] == [1, 0]


def test_only_what_was_mentioned_can_be_asked_for(shop: Workshop) -> None:
    with watching(board(shop), "short") as (session, follower, _heard):
        follower.until(settled(BOARD))
        store = Store(shop.store)
        secret = store.put(_scratch(store, b"nobody mentioned this"))
        store.close()
        assert session.media(f"{secret.digest}.png") is None
        assert session.media("../../../etc/passwd") is None


def _scratch(store: Store, text: bytes) -> Path:
    file = store.root / "tmp" / "file"
    file.write_bytes(text)
    return file


CHOICES: Mapping[str, list[str]] = {
    "a red door": ["a red door", "a green door", "a golden door"],
    "That one is blue.": ["That one is blue.", "That one is blue. Or is it?", "This one, you see, is blue."],
    "pan left": ["pan left", "pan right"],
    "title: Two doors": ["title: Two doors", "title: Doors"],
    "    image_prompt: a blue door\n": ["    image_prompt: a blue door\n", "    image: door.png\n"],
}
COLOURS = ("blue", "green")


def test_three_hundred_saves_at_random_moments_never_show_a_wrong_film(shop: Workshop, tmp_path: Path) -> None:
    """Valid, invalid, half-written and undone saves, and a picture that is replaced, while films are being made.

    In the end the film, what is told, and a clean render of the last save are the same bytes; and no film was ever told
    that a clean render of the save that it belongs to (with the picture as it was at some time) does not give.
    """
    luck = random.Random(4)
    file, picture = board(shop), shop.folder / "door.png"
    Image.new("RGB", (64, 36), COLOURS[0]).save(picture)
    texts: dict[str, str] = {base_of(BOARD): BOARD}
    with watching(file, "short") as (_, follower, _heard):
        text = BOARD
        for _ in range(300):
            act = luck.random()
            if act < 0.12:
                file.write_text(text.replace("scenes:", "scenes: {"), encoding="utf-8")
            elif act < 0.2:
                half = text[: luck.randrange(len(text))]
                texts[base_of(half)] = half  # Perhaps it can be rendered as it is.
                file.write_text(half, encoding="utf-8")
            elif act < 0.3:
                aside = tmp_path / "door.png"
                Image.new("RGB", (64, 36), luck.choice(COLOURS)).save(aside)
                shutil.move(aside, picture)
            else:
                text = BOARD
                for said, others in CHOICES.items():
                    text = text.replace(said, luck.choice(others))
                texts[base_of(text)] = text
                (replaced if luck.random() < 0.5 else Path.write_text)(file, text)  # type: ignore[operator]
            pause(luck.choice((0.0, 0.005, 0.03, 0.1, 0.3)))
        replaced(file, text)
        follower.until(settled(text), 120)
        follower.until(Follower.same)
        assert follower.top["film"]["digest"] == film(shop) == shop.clean()["film"]
        told = [(seen["base"], seen["digest"]) for seen in follower.films]
    assert len({digest for _, digest in told}) > 5
    right = _clean_films(shop, picture, {base: texts[base] for base, _ in told})
    assert [(base, digest) for base, digest in told if digest not in right[base]] == []


def _clean_films(shop: Workshop, picture: Path, texts: Mapping[str, str]) -> dict[str, set[str]]:
    """The films of some texts, with each picture, made in a store of their own."""
    found: dict[str, set[str]] = {base: set() for base in texts}
    for colour in COLOURS:
        Image.new("RGB", (64, 36), colour).save(picture)
        for base, text in texts.items():
            shop.write(text)
            found[base].add(shop.render(folder=shop.root / "clean").film["film"])
    return found


@pytest.mark.parametrize("words", [["--port", "0"]])
def test_the_command_ends_cleanly_with_an_interrupt(shop: Workshop, words: list[str]) -> None:
    command = [sys.executable, "-m", "engine.cli", "watch", str(board(shop)), "--profile", "short", *words]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", cwd=Path(__file__).parents[1]
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        told: list[Any] = []
        for line in process.stdout:
            told.append(line)
            if line.startswith("film"):
                break
        process.terminate()
        rest, errors = process.communicate(timeout=20)
    assert told[0].startswith("watching ")
    assert told[1].startswith("page    http://127.0.0.1:")
    assert rest == ""
    assert errors == "mikebot: interrupted; what was finished is kept, and the next run goes on from there\n"
    assert process.returncode == 130
