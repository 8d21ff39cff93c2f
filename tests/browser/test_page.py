"""The live page in a real browser: it shows what the session says, and asks for what is clicked.

Promised besides: a patch touches what changed and nothing else; texts of an author run nothing, no console message and no violation of the policy in any test,
everything is reached by keyboard, and a film is swapped without losing its place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from live_kit import Shown, Stage, chromium, rendered, served
from playwright.sync_api import BrowserContext, Page, expect
from workshop import Workshop

from engine.errors import MikebotError
from engine.preview.server import Server

FORMAT = {"width": 320, "height": 180}
EVIL = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>&amp;"
SEEN = "#film video:not(.next)"
BUILT = """() => new Promise(done => {
    const video = document.querySelector('#film video:not(.next)');
    if (video.readyState >= 2 && !video.seeking) done(); else video.onloadeddata = video.onseeked = () => done();
})"""


def board(words: str) -> dict[str, Any]:
    scenes = [
        {"id": name, "on_screen": False, "narration": text, "image_prompt": f"a {name}", "video_prompt": "pan left"}
        for name, text in (("door", "A door. It is shut."), ("lake", words), ("tower", "A tower stands here."))
    ]
    return {"title": "Three places", "format": FORMAT, "scenes": scenes}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shown, Shown]:
    """A film, and the next one, in which the lake says more."""
    shop = Workshop(tmp_path_factory.mktemp("live") / "w", board("A lake lies here."), "draft")
    first = rendered(shop.folder, "draft", shop.store, 1)
    shop.write(board("A lake lies here, and over it the morning mist."))
    return first, rendered(shop.folder, "draft", shop.store, 2)


@pytest.fixture(scope="module")
def browser() -> Iterator[Callable[..., BrowserContext]]:
    with chromium() as context:
        yield context


@pytest.fixture
def stage(films: tuple[Shown, Shown]) -> Stage:
    return Stage(films[0])


@pytest.fixture
def server(stage: Stage) -> Iterator[Server]:
    with served(stage) as server:
        yield server


class Desk:
    """Opens pages, and at the end holds that none of them complained."""

    def __init__(self, browser: Callable[..., BrowserContext]) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.said: list[str] = []
        self.permitted = ""  # A pattern.

    def context(self, **options: Any) -> BrowserContext:
        context = self._browser(**{"viewport": {"width": 1280, "height": 800}, **options})
        context.set_default_timeout(15_000)
        self._contexts.append(context)
        return context

    def page(self, url: str, **options: Any) -> Page:
        return self.tab(self.context(**options), url)

    def tab(self, context: BrowserContext, url: str) -> Page:
        page = context.new_page()
        page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.goto(url)
        expect(page.locator("#told")).not_to_contain_text("connecting")
        return page

    def close(self) -> list[str]:
        for context in self._contexts:
            context.close()
        return [said for said in self.said if not (self.permitted and re.search(self.permitted, said))]


@pytest.fixture
def desk(browser: Callable[..., BrowserContext], server: Server) -> Iterator[Desk]:
    """Closed before the server is: a page whose server goes says so on the console."""
    desk = Desk(browser)
    yield desk
    assert desk.close() == []


@pytest.fixture
def page(desk: Desk, server: Server) -> Page:
    page = desk.page(server.url)
    expect(page.locator("#film [data-part=frame]")).to_be_visible()
    return page


def mistake(**changed: Any) -> dict[str, Any]:
    source = "  - id: two words"
    found = {"file": "projects/film/storyboard.yaml", "line": 4, "column": 9, "end_line": 4, "end_column": 18}
    found |= {"severity": "error", "message": "an id has no blanks", "hint": "write two-words", "source": source}
    return found | {"link": "vscode://file//w/projects/film/storyboard.yaml:4:9"} | changed


def until(page: Page, holds: str) -> None:
    """Wait for a condition on the film that is seen, or the scene's video; the policy forbids Playwright's own way."""
    page.evaluate(f"""() => new Promise(done => {{
        const look = () => {{
            const film = document.querySelector('{SEEN}');
            const scene = document.querySelector('#scene video');
            if ({holds}) done(); else requestAnimationFrame(look);
        }};
        look();
    }})""")


def frame(page: Page, scene: str) -> Any:
    return page.locator(f"#sheet li[data-id={scene}]")


def test_the_page_shows_what_the_session_says(page: Page) -> None:
    expect(page.locator("#title")).to_have_text("Three places")
    expect(page.locator("#told")).to_contain_text("up to date")
    expect(page).to_have_title("✓ · Three places")
    expect(page.locator("#sheet li")).to_have_count(3)
    expect(page.locator("#sheet li .id")).to_have_text(["door", "lake", "tower"])
    expect(page.locator("#scene-title")).to_have_text("1 door")
    expect(page.locator("#scene [data-part=narration]")).to_have_text("A door. It is shut.")
    expect(page.locator("#scene [data-part=cues] li")).to_have_text([re.compile("A door. It is shut.")])
    expect(page.locator("#problems")).to_be_hidden()
    size = page.evaluate(f"[document.querySelector('{SEEN}').videoWidth, document.querySelector('{SEEN}').videoHeight]")
    assert size == [320, 180]


def test_a_patch_touches_only_what_changed_and_keeps_the_focus(page: Page, stage: Stage) -> None:
    page.evaluate("for (const item of document.querySelectorAll('#sheet li *')) item.mark = 1")
    frame(page, "lake").get_by_role("button").click()
    page.evaluate("""() => {
        window.touched = [];
        const tell = changes => touched.push(...changes.map(({target}) =>
            (target.nodeType === 1 ? target : target.parentElement).closest('li')?.dataset.id));
        const all = {subtree: true, childList: true, attributes: true, characterData: true};
        new MutationObserver(tell).observe(document.querySelector('#sheet ol'), all);
    }""")
    stage.tell({"lake": {"state": "running", "progress": 0.5}}, phase="rendering", save=2)
    expect(frame(page, "lake")).to_contain_text("running 50 %")
    assert set(page.evaluate("touched")) == {"lake"}
    assert page.evaluate("[...document.querySelectorAll('#sheet li *')].every(node => node.mark)")
    expect(frame(page, "lake").get_by_role("button")).to_be_focused()
    expect(page).to_have_title("◌ 0 % · Three places")


def test_scenes_that_move_come_and_go_keep_their_nodes_and_the_focus(page: Page, stage: Stage) -> None:
    frame(page, "door").get_by_role("button").click()
    page.evaluate("for (const item of document.querySelectorAll('#sheet li')) item.mark = item.dataset.id")
    stage.reorder("tower", "lake", "door")
    expect(page.locator("#sheet li .id")).to_have_text(["tower", "lake", "door"])
    expect(page.locator("#sheet li .number")).to_have_text(["1", "2", "3"])
    expect(frame(page, "door").get_by_role("button")).to_be_focused()
    stage.reorder("tower", "lake")
    expect(page.locator("#sheet li")).to_have_count(2)
    expect(page.locator("#scene-title")).to_have_text("2 lake")
    expect(frame(page, "lake").get_by_role("button")).to_be_focused()
    assert page.evaluate("[...document.querySelectorAll('#sheet li')].map(item => item.mark)") == ["tower", "lake"]


def test_a_new_film_keeps_place_sound_and_pause(page: Page, stage: Stage, films: tuple[Shown, Shown]) -> None:
    page.evaluate(f"Object.assign(document.querySelector('{SEEN}'), {{currentTime: 2.2, volume: 0.3, muted: true}})")
    page.evaluate(BUILT)
    stage.show(films[1])
    video = page.locator(SEEN)
    expect(video).to_have_attribute("src", films[1].state["film"]["video"])
    assert video.evaluate("v => [v.currentTime, v.volume, v.muted, v.paused, v.readyState >= 2]") == [
        pytest.approx(2.2, abs=0.05),
        pytest.approx(0.3),
        True,
        True,
        True,
    ]
    expect(page.locator("#film video[src]")).to_have_count(1)
    expect(page.locator("#say")).to_have_text("film updated")


def test_a_film_that_plays_goes_on_playing_in_the_new_one(page: Page, stage: Stage, films: tuple[Shown, Shown]) -> None:
    page.evaluate(f"const v = document.querySelector('{SEEN}'); v.currentTime = 1; v.play()")
    until(page, "film.currentTime > 1.3")
    stage.show(films[1])
    video = page.locator(SEEN)
    expect(video).to_have_attribute("src", films[1].state["film"]["video"])
    at, paused = video.evaluate("v => [v.currentTime, v.paused]")
    assert at > 1.2
    assert not paused
    until(page, f"film.currentTime > {at} + 0.2")


def test_no_black_frame_is_ever_seen(page: Page, stage: Stage, films: tuple[Shown, Shown]) -> None:
    page.evaluate("""() => {
        window.states = new Set();
        const look = () => {
            states.add(document.querySelector('#film video:not(.next)').readyState >= 2);
            requestAnimationFrame(look);
        };
        look();
    }""")
    for number in (1, 0, 1):
        stage.show(films[number])
        expect(page.locator(SEEN)).to_have_attribute("src", films[number].state["film"]["video"])
    assert page.evaluate("[...states]") == [True]


def test_following_the_edit_goes_to_the_scene_that_was_edited(
    page: Page, stage: Stage, films: tuple[Shown, Shown]
) -> None:
    page.get_by_role("button", name="Follow the edit").click()
    stage.show(films[1], edited="lake")
    video = page.locator(SEEN)
    expect(video).to_have_attribute("src", films[1].state["film"]["video"])
    assert video.evaluate("v => v.currentTime") == pytest.approx(films[1].state["film"]["starts"]["lake"], abs=0.05)
    expect(page.locator("#scene-title")).to_have_text("2 lake")
    page.reload()
    expect(page.get_by_role("button", name="Follow the edit")).to_have_attribute("aria-pressed", "true")


def test_an_older_film_says_so(page: Page, stage: Stage) -> None:
    note = page.locator("#film [data-part=note]")
    stage.tell(phase="rendering", save=2)
    expect(note).to_have_text("showing save 1 while 2 renders")
    stage.tell(phase="invalid", mistakes=[mistake()])
    expect(note).to_have_text("the last good film, of save 1: save 2 has mistakes")
    stage.tell(phase="failed", mistakes=[])
    expect(note).to_have_text("the last good film, of save 1: save 2 failed")


def test_a_mistake_is_shown_with_its_line_and_goes_when_it_is_mended(page: Page, stage: Stage) -> None:
    stage.tell(phase="invalid", save=2, mistakes=[mistake(), mistake(severity="warning", message="a quiet one")])
    problems = page.locator("#problems")
    expect(problems.get_by_role("heading")).to_have_text("1 mistake")
    link = problems.get_by_role("link", name="projects/film/storyboard.yaml:4:9")
    expect(link).to_have_attribute("href", "vscode://file//w/projects/film/storyboard.yaml:4:9")
    expect(problems.locator("[data-part=errors] .message")).to_have_text("an id has no blanks")
    expect(problems.locator("[data-part=errors] .hint")).to_have_text("write two-words")
    expect(problems.locator("[data-part=errors] .source")).to_have_text("  - id: two words")
    expect(problems.get_by_text("a quiet one")).to_be_hidden()
    expect(page).to_have_title("✕ 1 mistake in save 2 · Three places")
    expect(page.locator("#say")).to_have_text("1 mistake: an id has no blanks")
    expect(page.locator(SEEN)).to_be_visible()
    stage.tell(phase="done", save=3, mistakes=[])
    expect(problems).to_be_hidden()


@pytest.mark.parametrize(
    ("source", "column", "meant"),
    [
        ("  title: What", 10, "What"),
        ("\tkey:\tvalue", 7, "v"),
        ("题目：防火墙 wall", 8, "w"),
        ("👩‍👩‍👧 é́x", 7, "é́"),
        ("مرحبا: x", 8, "x"),
        ("a" * 500 + "!" + "b" * 500, 501, "!"),
        ("short", 6, ""),
    ],
)
def test_the_caret_stands_under_the_character_that_is_meant(
    page: Page, stage: Stage, source: str, column: int, meant: str
) -> None:
    end = column + max(1, len(meant))
    stage.tell(phase="invalid", mistakes=[mistake(source=source, column=column, end_column=end)])
    caret = page.locator("#problems .caret")
    first = meant[:1] if meant != "é́" else meant
    expect(caret).to_have_text(first)
    expect(page.locator("#problems .meant")).to_have_text(meant[len(first) :])
    arrow, letter = caret.evaluate("""caret => {
        const box = caret.getBoundingClientRect();
        const style = getComputedStyle(caret, '::after');
        return [box.left + parseFloat(style.left || 0) + box.width / 2, box.left + box.width / 2];
    }""")
    assert arrow == pytest.approx(letter, abs=1)
    shown = page.locator("#problems .source").evaluate("node => node.textContent")
    assert shown == source if len(source) < 100 else f"…{'a' * 60}!{'b' * 60}…"
    edge = page.locator("#problems .source").evaluate("node => node.scrollWidth - node.clientWidth")
    assert edge <= 0


def test_a_failed_step_is_told_with_its_scene(page: Page, stage: Stage) -> None:
    failure = {"step": "lake/still", "scene": "lake", "message": "the model is gone", "hint": "run mikebot doctor"}
    stage.tell({"lake": {"state": "failed", "error": "the model is gone"}}, phase="failed", save=2, failures=[failure])
    problems = page.locator("#problems")
    expect(problems.get_by_role("heading")).to_have_text("1 step failed")
    expect(problems).to_contain_text("the model is gone")
    expect(problems).to_contain_text("run mikebot doctor")
    problems.get_by_role("button", name="lake/still").click()
    expect(page.locator("#scene-title")).to_have_text("2 lake")
    expect(page.locator("#scene [data-part=error]")).to_have_text("the model is gone")


def test_texts_are_only_texts(page: Page, stage: Stage) -> None:
    texts = {"narration": EVIL, "image_prompt": EVIL, "video_prompt": EVIL, "chapter": EVIL, "reasons": [EVIL]}
    step = {"step": f"door/{EVIL}", "kind": "still", "state": "built", "seconds": 1, "progress": 1, "reasons": [EVIL]}
    cues = [[0, 9, EVIL]]
    wrong = [
        mistake(message=EVIL, file=EVIL, hint=EVIL, source=EVIL, link="javascript:document.title='owned'"),
        mistake(message=EVIL, severity="warning"),
    ]
    failures = [{"step": EVIL, "scene": "door", "message": EVIL, "hint": EVIL}]
    scene = {**texts, "error": EVIL, "cues": cues, "steps": [step], "link": "javascript:alert(1)"}
    stage.tell({"door": scene}, title=EVIL, storyboard=EVIL, phase="invalid", mistakes=wrong, failures=failures)
    expect(page.locator("#title")).to_have_text(EVIL)
    expect(page.locator("#scene [data-part=narration]")).to_have_text(EVIL)
    assert page.locator("#problems .message").all_text_contents() == [EVIL] * 3
    assert page.locator("img[src=x], main script").count() == 0
    assert page.locator("a[href^=javascript]").count() == 0
    shown = page.evaluate("document.querySelector('#scene video').textTracks[0].cues[0].getCueAsHTML().textContent")
    assert shown == EVIL
    assert "owned" not in page.title().replace(EVIL, "")


def test_the_buttons_ask_for_one_value_each(page: Page, stage: Stage) -> None:
    base = stage.snapshot()["base"]
    stills = [{"take": number, "still": stage.snapshot()["scenes"][1]["still"]} for number in (1, 2, 3)]
    stage.tell({"lake": {"takes": stills, "take": 2}})
    frame(page, "lake").get_by_role("button").click()
    for name in ("Another take", "Pin seed 7", "Hold", "take 1"):
        page.locator("#scene").get_by_role("button", name=name).click()
        expect(page.locator("#say")).to_contain_text("written")
        page.evaluate("document.querySelector('#say').textContent = ''")
    assert stage.edits == [
        ("lake", "take", 3, base),
        ("lake", "seed", 7, base),
        ("lake", "hold", True, base),
        ("lake", "take", 1, base),
    ]
    stage.tell({"lake": {"hold": True, "state": "held", "pinned": True}})
    page.get_by_role("button", name="Release").click()
    expect(page.locator("#say")).to_contain_text("written")
    assert stage.edits[4:] == [("lake", "hold", False, base)]
    expect(page.get_by_role("button", name="Seed 7 is pinned")).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name="Seed 7 is pinned").click(force=True)
    expect(page.get_by_role("button", name="take 2, in use")).to_have_attribute("aria-pressed", "true")
    assert len(stage.edits) == 5


def test_a_refusal_is_shown_in_place_and_said(page: Page, stage: Stage, desk: Desk) -> None:
    desk.permitted = "409"  # What the browser itself notes of such an answer.
    stage.refusal = MikebotError("the storyboard was changed meanwhile", "look at it, and click again")
    page.get_by_role("button", name="Another take").click()
    refused = page.locator("#scene [data-part=refused]")
    expect(refused).to_contain_text("the storyboard was changed meanwhile")
    expect(refused).to_contain_text("look at it, and click again")
    expect(page.locator("#say")).to_have_text(
        "refused: the storyboard was changed meanwhile. look at it, and click again"
    )
    stage.refusal = None
    page.get_by_role("button", name="Another take").click()
    expect(refused).to_be_hidden()


def test_a_scene_appears_part_by_part_before_the_film(page: Page, stage: Stage) -> None:
    whole = stage.snapshot()["scenes"][1]
    bare = {"still": "", "video": "", "audio": "", "cues": [], "seconds": None, "state": "waiting", "takes": []}
    stage.tell({"lake": bare}, phase="rendering", save=2)
    frame(page, "lake").get_by_role("button").click()
    scene = page.locator("#scene")
    expect(scene.get_by_text("No picture yet")).to_be_visible()
    expect(scene.get_by_role("button", name="Play the scene")).to_be_disabled()
    stage.tell({"lake": {"still": whole["still"], "cues": whole["cues"], "seconds": whole["seconds"]}})
    expect(scene.locator("[data-part=still]")).to_be_visible()
    expect(frame(page, "lake").locator("img")).to_be_visible()
    expect(scene.locator("[data-part=cues] li")).to_have_text([re.compile("A lake lies here.")])
    stage.tell({"lake": {"audio": whole["audio"]}})
    expect(scene.get_by_role("button", name="Play the scene")).to_be_enabled()
    stage.tell({"lake": {"video": whole["video"], "state": "done"}})
    expect(scene.locator("video.ready")).to_have_count(1)


def test_picture_and_narration_of_a_scene_play_in_step(page: Page) -> None:
    page.keyboard.press("s")
    until(page, "scene.currentTime > 0.6")
    apart = page.evaluate("""() => {
        const [video, audio] = [document.querySelector('#scene video'), document.querySelector('#scene audio')];
        return [Math.abs(video.currentTime - audio.currentTime), video.paused, audio.paused];
    }""")
    assert apart == [pytest.approx(0, abs=0.2), False, False]
    page.keyboard.press("s")
    assert (
        page.evaluate("['video', 'audio'].map(kind => document.querySelector(`#scene ${kind}`).paused)") == [True] * 2
    )
    page.locator("#scene input[type=range]").fill("1")
    at = page.evaluate("['video', 'audio'].map(kind => document.querySelector(`#scene ${kind}`).currentTime)")
    assert at == [1, 1]


def test_everything_is_done_by_keyboard_alone(page: Page, stage: Stage) -> None:
    page.keyboard.press("j")
    expect(page.locator("#scene-title")).to_have_text("2 lake")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("j")
    expect(page.locator("#scene-title")).to_have_text("3 tower")
    page.keyboard.press("k")
    expect(page.locator("#scene-title")).to_have_text("2 lake")
    for key in "tph":
        page.keyboard.press(key)
        expect(page.locator("#say")).to_contain_text("written")
        page.evaluate("document.querySelector('#say').textContent = ''")
    page.keyboard.press("f")
    expect(page.locator("#follow")).to_have_attribute("aria-pressed", "true")
    assert [edit[1] for edit in stage.edits] == ["take", "seed", "hold"]
    page.keyboard.press("Space")
    until(page, "!film.paused")
    page.keyboard.press("Space")
    until(page, "film.paused")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("t")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("Control+t")
    assert len(stage.edits) == 3


def test_tab_reaches_every_control_and_arrows_the_scenes(page: Page, stage: Stage) -> None:
    stage.tell(phase="invalid", mistakes=[mistake()])
    expect(page.locator("#problems")).to_be_visible()
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        node = page.evaluate("""() => {
            const node = document.activeElement;
            const ring = getComputedStyle(node).outlineStyle;
            return [node.id || node.dataset.part || node.closest('[data-id], [data-part]')?.dataset.part
                || node.textContent.trim(), ring];
        }""")
        reached.add(node[0])
        assert node[1] != "none" or node[0] in ("mikebot", "frame"), node  # The player draws its own.
    head, film = {"board", "theme", "help-button"}, {"errors", "frame", "follow", "list"}
    assert head | film | {"there", "play", "seek", "take", "pin", "hold"} <= reached
    page.locator("#sheet button[tabindex='0']").focus()
    page.keyboard.press("End")
    expect(frame(page, "tower").get_by_role("button")).to_be_focused()
    expect(page.locator("#sheet button[tabindex='0']")).to_have_count(1)
    page.keyboard.press("ArrowLeft")
    expect(frame(page, "lake").get_by_role("button")).to_be_focused()


def test_single_keys_can_be_turned_off(page: Page, stage: Stage) -> None:
    page.keyboard.press("?")
    page.get_by_label("These keys act on their own").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("t")
    expect(page.locator("#scene-title")).to_have_text("1 door")
    page.reload()
    expect(page.locator("#shortcuts")).not_to_be_checked()
    assert stage.edits == []


def test_a_server_that_comes_back_is_found_and_the_page_works_on(
    desk: Desk, stage: Stage, films: tuple[Shown, Shown]
) -> None:
    with served(stage) as server:
        page, port = desk.page(server.url), server.port
        expect(page.locator("#film [data-part=frame]")).to_be_visible()
        page.keyboard.press("j")
    expect(page.locator("#lost")).to_be_visible()
    again = Stage(films[1], "two")
    with served(again, port) as server:
        expect(page.locator(SEEN)).to_have_attribute("src", films[1].state["film"]["video"])
        expect(page.locator("#lost")).to_be_hidden()
        expect(page.locator("#scene-title")).to_have_text("2 lake")
        page.get_by_role("button", name="Another take").click()
        expect(page.locator("#say")).to_contain_text("written")
        assert again.edits == [("lake", "take", 2, again.snapshot()["base"])]


def test_ten_tabs_share_one_connection_and_all_hear(desk: Desk, stage: Stage, server: Server) -> None:
    context = desk.context()
    pages = [desk.tab(context, server.url) for _ in range(10)]
    stage.tell({"lake": {"state": "running", "progress": 0.25}}, phase="rendering", save=2)
    for page in pages:
        expect(frame(page, "lake")).to_contain_text("running 25 %")
        expect(page.locator("#film [data-part=frame]")).to_be_visible()
    pages[0].close()
    stage.tell({"lake": {"state": "done", "progress": 1.0}}, phase="done")
    for page in pages[1:]:
        expect(frame(page, "lake")).to_contain_text("done")


def test_without_shared_workers_each_page_listens_itself(desk: Desk, stage: Stage, server: Server) -> None:
    context = desk.context()
    context.add_init_script("delete globalThis.SharedWorker")
    pages = [desk.tab(context, server.url) for _ in range(2)]
    stage.tell(title="Heard by both")
    for page in pages:
        expect(page.locator("#title")).to_have_text("Heard by both")


def test_a_thousand_scenes_are_shown_and_patched(desk: Desk, stage: Stage, server: Server) -> None:
    one = stage.snapshot()["scenes"][0]
    stage.tell(scenes=[{**one, "id": f"s{number}"} for number in range(1000)])
    page = desk.page(server.url)
    expect(page.locator("#sheet li")).to_have_count(1000)
    page.locator("#sheet button[tabindex='0']").focus()
    page.keyboard.press("End")
    expect(page.locator("#scene-title")).to_have_text("1000 s999")
    expect(frame(page, "s999")).to_be_in_viewport()
    stage.tell({"s500": {"state": "failed"}})
    expect(frame(page, "s500")).to_contain_text("failed")
    expect(frame(page, "s999")).to_be_in_viewport()
    loaded = page.evaluate("[...document.querySelectorAll('#sheet img')].filter(image => image.complete).length")
    assert loaded < 500


STATES: dict[str, dict[str, Any]] = {
    "empty": {"phase": "checking", "title": "", "film": None, "scenes": []},
    "error first": {"phase": "invalid", "title": "", "film": None, "scenes": [], "mistakes": [mistake()]},
    "first": {"phase": "rendering", "film": None, "progress": {"done": 1, "total": 9, "seconds_left": 3.0}},
    "rendering": {"phase": "rendering", "save": 2, "progress": {"done": 1, "total": 9, "seconds_left": 3.0}},
    "error": {"phase": "invalid", "save": 2, "mistakes": [mistake(), mistake(severity="warning")]},
    "failed": {
        "phase": "failed",
        "save": 2,
        "failures": [{"step": "lake/still", "scene": "lake", "message": "the model is gone", "hint": "wait"}],
    },
    "done": {},
}


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("width", [400, 1280, 2560])
def test_no_state_scrolls_sideways(desk: Desk, stage: Stage, server: Server, name: str, width: int) -> None:
    stage.tell(**STATES[name])
    page = desk.page(server.url, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(desk: Desk, stage: Stage, server: Server, name: str, scheme: str) -> None:
    axe = Path(__file__).parents[2] / ".venv" / "node" / "node_modules" / "axe-core" / "axe.min.js"
    assert axe.exists(), "the page's tests need axe-core: run `make test`, which brings it"
    several = {"door": {"state": "held", "hold": True}, "lake": {"state": "running"}, "tower": {"state": "failed"}}
    stage.tell(several, **STATES[name])
    context = desk.context(color_scheme=scheme, reduced_motion="reduce")
    context.add_init_script(path=axe)
    page = desk.tab(context, server.url)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    told = [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found]
    assert [json.dumps(one) for one in told] == []


def test_the_scheme_is_chosen_and_remembered(page: Page) -> None:
    button = page.locator("#theme")
    expect(button).to_have_accessible_name("Scheme: system")
    button.click()
    button.click()
    expect(button).to_have_accessible_name("Scheme: dark")
    page.reload()
    expect(button).to_have_accessible_name("Scheme: dark")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
