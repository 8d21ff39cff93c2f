"""What an author does on the page, by mouse or by keyboard alone: each edit asks for one value, and is answered."""

from __future__ import annotations

from live_kit import Desk, Stage, frame, mistake, until
from playwright.sync_api import Page, expect

from engine.errors import MikebotError


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
            if (node === document.body) return ['end', 'none'];
            const ring = getComputedStyle(node).outlineStyle;
            return [node.id || node.dataset.part || node.closest('[data-id], [data-part]')?.dataset.part
                || node.textContent.trim().slice(0, 11), ring];
        }""")
        reached.add(node[0])
        assert node[1] != "none" or node[0] in ("frame", "end"), node  # The player draws its own.
    head, film = {"board", "theme", "help-button"}, {"errors", "frame", "follow", "1 door kept"}
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


def test_the_scheme_is_chosen_and_remembered(page: Page) -> None:
    button = page.locator("#theme")
    expect(button).to_have_accessible_name("Scheme: system")
    button.click()
    button.click()
    expect(button).to_have_accessible_name("Scheme: dark")
    page.reload()
    expect(button).to_have_accessible_name("Scheme: dark")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
