"""The page of a dataset is one file that works from the disk, asks nobody for anything, and lets all be heard."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chromium_kit
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from engine.train import page, run_page
from engine.train.dataset import Dataset
from engine.train.levelled import bars, write
from engine.train.pieces import Piece

HOSTILE = "</script><script>document.title='run'</script> & \"quotes\" {{ 7 * 7 }}"


def dataset(folder: Path) -> Dataset:
    """Five utterances of a tone, one held out, three left out; one says what no page may run."""
    (folder / "wavs").mkdir(parents=True)
    tone = (9000 * np.sin(np.arange(22050 * 3) / 20)).astype(np.int16)
    pieces = []
    for number in range(7):
        wav = f"wavs/{number}.wav"
        write(folder / wav, tone, 22050)
        text = HOSTILE if number == 0 else "A firewall reads each packet."
        pieces.append(Piece(f"take{number}.wav", 0.5, 3.5, "", text, wav, 3.0, 41, 60.0, -2.0, tuple(bars(tone))))
    noisy = [
        Piece(**{**vars(one), "reason": "noisy: the voice is 9 dB above the noise, 20 dB are needed"})
        for one in pieces[5:]
    ]
    broken = Piece("b.mp3", 0, 0, "cannot be read: it is empty")
    return Dataset(folder, "66508cab360a", 22050, "en", pieces[:4], pieces[4:5], [*noisy, broken])


def trained(folder: Path) -> dict[str, Any] | None:
    (folder / "samples").mkdir(parents=True)
    with (folder / "log.jsonl").open("w") as log:
        for step, loss, held in ((0, None, 9.5), (25, 9.1, 8.8), (50, 8.2, 8.4), (75, 7.9, 8.6)):
            sample = f"samples/step-{step:06d}.wav"
            write(folder / sample, (9000 * np.sin(np.arange(22050) / 20)).astype(np.int16), 22050)
            line = {"step": step, "loss": loss, "held": held, "sample": sample, "seconds": step * 2.0}
            log.write(f"{json.dumps(line)}\n")
    return run_page.run(folder, "They try every door.")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium_kit.browser() as made:
        yield made


@pytest.fixture
def shown(browser: Any, tmp_path: Path) -> Iterator[tuple[Page, list[str]]]:
    made = page.write(dataset(tmp_path / "dataset-x"), "Ada", trained(tmp_path / "run-y"))
    sheet, asked = browser.new_page(), []
    sheet.on("request", lambda request: asked.append(request.url))
    sheet.on("console", lambda message: asked.append(message.text))
    sheet.goto(made.as_uri())
    yield sheet, asked
    sheet.close()


def test_it_asks_for_nothing_but_the_sound_that_is_played(shown: tuple[Page, list[str]]) -> None:
    sheet, asked = shown
    assert len(asked) == 1
    for name, file in (
        ("Play take0.wav from 0.5", "dataset-x/wavs/0.wav"),
        ("Play step 50", "samples/step-000050.wav"),
    ):
        button = sheet.get_by_role("button", name=name, exact=True)
        with sheet.expect_request(f"**/{file}"):
            button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        assert (
            sheet.evaluate("new Promise((done) => sound.addEventListener('timeupdate', () => done(sound.error)))")
            is None
        )
        expect(sheet.locator("[aria-pressed=true]")).to_have_count(1)
    assert {re.sub(".*/", "", url) for url in asked[1:]} == {"0.wav", "step-000050.wav"}


def test_what_is_said_in_a_recording_is_text_and_runs_nowhere(shown: tuple[Page, list[str]]) -> None:
    sheet, _ = shown
    assert sheet.title() == "Ada’s voice"
    assert sheet.get_by_text(HOSTILE, exact=True).count() == 1


def test_figures_are_those_of_the_dataset(shown: tuple[Page, list[str]]) -> None:
    sheet, _ = shown
    figures = [text.split("\n") for text in sheet.locator(".sums div").all_inner_texts()]
    assert figures == [
        ["of speech to learn from", "12.0 s"],
        ["utterances", "4"],
        ["held out, to measure by", "1"],
        ["parts left out", "3"],
        ["usual length", "3.0s"],
    ]
    assert sheet.locator(".why li").all_inner_texts() == ["Noisy\n2 parts, 6.0 s", "Cannot be read\n1 part, 0.0 s"]
    assert sheet.locator(".chart .count").all_text_contents() == ["5"]
    assert "best at step 50" in sheet.locator("#training + p").inner_text()


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window(shown: tuple[Page, list[str]], width: int) -> None:
    sheet, _ = shown
    sheet.set_viewport_size({"width": width, "height": 800})
    assert sheet.evaluate("document.documentElement.scrollWidth") == width
