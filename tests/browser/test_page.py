"""The live page shows what the session says, as text only, and a patch touches what changed and nothing else.

In no test is there a message on the browser's console, which would also tell of a violation of the page's policy.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from live_kit import SEEN, STEP, Desk, Stage, frame, mistake
from PIL import Image
from playwright.sync_api import Page, expect

from engine.preview.server import Server

EVIL = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>&amp;"


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


def test_a_scene_whose_model_comes_into_memory_says_so(page: Page, stage: Stage) -> None:
    step = {**STEP, "step": "lake/still", "kind": "still", "state": "running", "progress": 0.0, "loading": True}
    stage.tell({"lake": {"state": "running", "progress": 0.0, "steps": [step]}}, phase="rendering", save=2)
    expect(frame(page, "lake")).to_contain_text("loading a model")
    stage.tell({"lake": {"progress": 0.25, "steps": [{**step, "loading": False, "progress": 0.25}]}})
    expect(frame(page, "lake")).to_contain_text("running 25 %")


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


def test_a_mistake_is_shown_with_its_line_and_goes_when_it_is_mended(page: Page, stage: Stage) -> None:
    stage.tell(phase="invalid", save=2, mistakes=[mistake(), mistake(severity="warning", message="a quiet one")])
    problems = page.locator("#problems")
    expect(problems.get_by_role("heading")).to_have_text("1 mistake")
    link = problems.get_by_role("link", name="projects/film/storyboard.yaml:4:9")
    expect(link).to_have_attribute("href", "vscode://file/w/projects/film/storyboard.yaml:4:9")
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
        ("  title: What", 10, "W"),
        ("\tkey:\tvalue", 7, "v"),
        ("题目：防火墙 wall", 8, "w"),
        ("👩‍👩‍👧 e\u0301x", 7, "e\u0301"),
        ("مرحبا: x", 8, "x"),
        ("a" * 500 + "!" + "b" * 500, 501, "!"),
        ("short", 6, ""),
    ],
)
def test_the_caret_stands_under_the_character_that_is_meant(
    page: Page, stage: Stage, source: str, column: int, meant: str
) -> None:
    stage.tell(phase="invalid", mistakes=[mistake(source=source, column=column, end_column=column + 1)])
    line, letter = page.locator("#problems .source"), page.locator("#problems .caret")
    expect(letter).to_have_text(meant)
    shown = line.evaluate("node => node.textContent")
    assert shown == source if len(source) < 100 else f"…{'a' * 60}!{'b' * 60}…"
    box, outer = letter.bounding_box(), line.bounding_box()
    assert box
    assert outer
    with Image.open(io.BytesIO(line.screenshot())) as shot:
        red = [x for x in range(shot.width) for y in range(shot.height) if vivid(shot.getpixel((x, y)))]
    assert (min(red) + max(red) + 1) / 2 == pytest.approx(box["x"] - outer["x"] + box["width"] / 2, abs=1.5)


def vivid(pixel: tuple[int, ...]) -> bool:
    """Whether a pixel has the caret's colour; letters and paper have next to none."""
    return pixel[0] - max(pixel[1:3]) > 80


def test_all_that_is_meant_is_underlined(page: Page, stage: Stage) -> None:
    stage.tell(phase="invalid", mistakes=[mistake()])
    expect(page.locator("#problems .caret")).to_have_text("t")
    expect(page.locator("#problems .meant")).to_have_text("wo words")
    stage.tell(mistakes=[mistake(end_line=7, end_column=2)])
    expect(page.locator("#problems .meant")).to_have_text("wo words")


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
    scene = {**texts, "error": EVIL, "cues": cues, "steps": [step]}
    stage.tell(
        {"door": scene},
        links="javascript:alert({line})",
        title=EVIL,
        storyboard=EVIL,
        phase="invalid",
        mistakes=wrong,
        failures=failures,
    )
    expect(page.locator("#title")).to_have_text(EVIL)
    expect(page.locator("#scene [data-part=narration]")).to_have_text(EVIL)
    assert page.locator("#problems .message").all_text_contents() == [EVIL] * 3
    assert page.locator("img[src=x], main script").count() == 0
    assert page.locator("a[href^=javascript]").count() == 0
    shown = page.evaluate("document.querySelector('#scene video').textTracks[0].cues[0].getCueAsHTML().textContent")
    assert shown == EVIL
    assert "owned" not in page.title().replace(EVIL, "")


def test_a_scene_leads_to_its_line_wherever_that_moves(page: Page, stage: Stage) -> None:
    link = page.locator("#scene [data-part=line] a")
    board = "vscode://file/films/projects/firewalls/storyboard.yaml"
    expect(link).to_have_attribute("href", f"{board}:9:1")
    stage.tell(lines={"door": 12, "lake": 18})
    expect(link).to_have_text("line 12")
    expect(link).to_have_attribute("href", f"{board}:12:1")


def test_a_patch_that_the_state_already_holds_changes_nothing(page: Page, stage: Stage) -> None:
    """It was on its way when the whole state was taken."""
    stage.tell(title="Newer")
    expect(page.locator("#title")).to_have_text("Newer")
    old = {"version": stage.snapshot()["version"] - 1, "top": {"title": "Older"}, "scenes": {}, "gone": []}
    stage._tell("patch", old)
    stage.tell(storyboard="projects/after.yaml")
    expect(page.locator("#board")).to_have_text("projects/after.yaml")
    expect(page.locator("#title")).to_have_text("Newer")


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
def test_no_state_scrolls_sideways(desk: Desk, stage: Stage, server: Server, name: str) -> None:
    stage.tell(**STATES[name])
    page = desk.page(server.url)
    for width in (320, 400, 900, 1280, 2560):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", STATES)
def test_axe_finds_nothing(desk: Desk, stage: Stage, server: Server, name: str) -> None:
    axe = Path(__file__).parents[2] / ".venv" / "node" / "node_modules" / "axe-core" / "axe.min.js"
    assert axe.exists(), "the page's tests need axe-core: run `make test`, which brings it"
    several = {"door": {"state": "held", "hold": True}, "lake": {"state": "running"}, "tower": {"state": "failed"}}
    stage.tell(several, **STATES[name])
    context = desk.context(reduced_motion="reduce")
    context.add_init_script(path=axe)
    page = desk.tab(context, server.url)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        assert [(one["id"], one["impact"], [node["html"] for node in one["nodes"]]) for one in found] == []
