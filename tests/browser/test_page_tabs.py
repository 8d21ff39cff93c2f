"""Many tabs share one connection, and a server that comes back is found by each of them."""

from __future__ import annotations

from live_kit import SEEN, Desk, Shown, Stage, frame, served
from playwright.sync_api import expect

from engine.preview.server import Server


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
    context, asked = desk.context(), list[str]()
    context.on("request", lambda request: asked.append(request.url))
    pages = [desk.tab(context, server.url) for _ in range(10)]
    assert f"{server.url}main.js" in asked
    assert f"{server.url}events" not in asked  # The shared worker's requests are not the pages'.
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
