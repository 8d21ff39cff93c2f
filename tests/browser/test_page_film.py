"""A new film takes the place of the old one without losing it, and a scene plays before the film is there."""

from __future__ import annotations

import re

import pytest
from live_kit import SEEN, Desk, Shown, Stage, frame, mistake, until
from playwright.sync_api import Page, Route, expect

BUILT = """() => new Promise(done => {
    const video = document.querySelector('#film video:not(.next)');
    if (video.readyState >= 2 && !video.seeking) done(); else video.onloadeddata = video.onseeked = () => done();
})"""


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


def test_a_film_that_comes_while_another_loads_is_shown(page: Page, stage: Stage, films: tuple[Shown, Shown]) -> None:
    held: list[Route] = []  # Requests that are never answered.
    page.route("**" + films[1].state["film"]["video"], lambda route: held.append(route))  # noqa: PLW0108  # Playwright marks it.
    with page.expect_request("**" + films[1].state["film"]["video"]):
        stage.show(films[1])
    with page.expect_request("**" + films[0].state["film"]["video"]):
        stage.show(films[0])
    page.unroute_all()
    stage.show(films[1])
    expect(page.locator(SEEN)).to_have_attribute("src", films[1].state["film"]["video"])
    assert held


def test_a_film_that_could_not_be_had_is_asked_for_again(
    page: Page, desk: Desk, stage: Stage, films: tuple[Shown, Shown]
) -> None:
    desk.permitted = "ERR_FAILED"
    page.route("**" + films[1].state["film"]["video"], lambda route: route.abort())
    with page.expect_event("requestfailed"):
        stage.show(films[1])
    page.unroute_all()
    expect(page.locator("#film video.next[src]")).to_have_count(0)
    stage.tell(save=3)
    expect(page.locator(SEEN)).to_have_attribute("src", films[1].state["film"]["video"])


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
    assert page.evaluate("[...document.querySelectorAll('#scene :is(video, audio)')].every(part => part.paused)")
    page.locator("#scene input[type=range]").fill("1")
    at = page.evaluate("['video', 'audio'].map(kind => document.querySelector(`#scene ${kind}`).currentTime)")
    assert at == [1, 1]
