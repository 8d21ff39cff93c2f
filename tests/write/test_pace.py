"""The figures of how fast the draft's voice speaks are those of the voice itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.backends.espeak import Espeak, EspeakParams
from engine.document import parse
from engine.sentences import sentences
from engine.write.pace import count, length, minutes, seconds, spaceless, words_a_minute

ROOT = Path(__file__).parents[2]
TEXTS = {
    "de": "Eine Firewall ist der Wächter am Tor. Sie hält jeden Umschlag an und sieht auf einer Liste nach. "
    "Die Liste wird von oben gelesen, und die erste passende Zeile entscheidet.",
    "fr": "Un pare-feu est le gardien à la porte. Il arrête chaque enveloppe et consulte une liste. "
    "Branchez un ordinateur neuf sur Internet, et des inconnus essaient la poignée en quelques minutes.",
    "es": "Un cortafuegos es el guardia de la puerta. Detiene cada sobre y lo busca en una lista.",
    "ru": "Межсетевой экран — это сторож у ворот. Он останавливает каждый конверт и сверяет его со списком.",
    "ar": "جدار الحماية هو الحارس عند البوابة. يوقف كل ظرف ويبحث عنه في قائمة.",
    "zh": "防火墙是守在门口的卫兵。它拦下每一个信封，并在名单上查找。"
    "新电脑刚刚连上互联网，几分钟之内就会有陌生人来试门把手。",
    "ja": "ファイアウォールは門の番人です。すべての封筒を止めて、名簿で調べます。"
    "新しいコンピューターをインターネットにつなぐと、数分のうちに見知らぬ人が取っ手を試します。",
    "th": "ไฟร์วอลล์คือยามที่ประตู มันหยุดซองจดหมายทุกซองและค้นหาในรายการ",
    "ko": "방화벽은 문 앞의 경비원입니다. 모든 봉투를 멈추고 목록에서 찾아봅니다.",
    "hi": "फ़ायरवॉल द्वार पर खड़ा पहरेदार है। वह हर लिफ़ाफ़े को रोकता है और उसे सूची में देखता है।",
}


class Quiet:
    """Hears of no progress."""

    def progress(self, done: int, total: int) -> None: ...


def spoken(speaker: Espeak, text: str, out: Path, **knobs: Any) -> float:
    """Seconds from the first phone to the end of the last, sentence by sentence."""
    total = 0.0
    for sentence in sentences(text):
        speaker.run(EspeakParams(text=sentence, **knobs), None, out, Quiet())
        timing = json.loads((out / "timing").read_text())
        total += (timing["phones"][-1][1] - timing["phones"][0][0]) / timing["rate"]
    return total


@pytest.mark.parametrize("rate", [80, 165, 250, 450])
def test_english_is_spoken_as_fast_as_is_said(tmp_path: Path, rate: int) -> None:
    board = parse((ROOT / "projects/firewalls/storyboard.yaml").read_bytes(), "x").data
    text = " ".join(scene["narration"] for scene in board["scenes"])
    persona = {"voice": {"espeak": {"rate": rate}}}
    measured = count(text) / spoken(Espeak(), text, tmp_path, voice="en-gb", rate=rate) * 60
    assert words_a_minute(persona, "en") == pytest.approx(measured, rel=0.06)


@pytest.mark.parametrize("language", TEXTS)
def test_other_languages_are_spoken_about_as_fast_as_is_said(tmp_path: Path, language: str) -> None:
    text = TEXTS[language]
    measured = count(text, language) / spoken(Espeak(), text, tmp_path, language=language) * 60
    assert words_a_minute(None, language) == pytest.approx(measured, rel=0.2)


def test_a_gap_between_words_slows_the_voice(tmp_path: Path) -> None:
    text = "The list is read from the top, and the first line that fits decides."
    knobs = {"rate": 165, "gap": 10}
    measured = count(text) / spoken(Espeak(), text, tmp_path, voice="en-gb", **knobs) * 60
    assert words_a_minute({"voice": {"espeak": knobs}}) == pytest.approx(measured, rel=0.2)


def test_letters_are_counted_where_words_have_no_spaces() -> None:
    assert count("防火墙是守在门口的卫兵。", "zh-TW") == 11
    assert count("A firewall - the guard - reads on.", "en") == 6
    assert [spaceless(tag) for tag in ("ja", "zh-Hans", "th", "ko", "en-GB")] == [True, True, True, False, False]


def test_what_a_persona_does_not_say_is_the_drafts_own() -> None:
    odd: list[Any] = [None, {}, {"voice": "loud"}, {"voice": {"espeak": None}}, {"voice": {"espeak": {"rate": "x"}}}]
    assert {words_a_minute(persona) for persona in odd} == {201.0}
    assert words_a_minute(None, "eo") == 185
    assert words_a_minute(None, "lo") == 300


def test_a_scene_lasts_as_long_as_its_narration_or_its_duration() -> None:
    said = {"id": "a", "narration": "One two three. " * 67}
    assert seconds(said["narration"]) == pytest.approx(60 + 66 * 0.3 + 0.65)
    assert length({"duration": 4}) == 4
    assert length(said | {"duration": 600}) == 600
    assert length(said | {"hold": True}) == 0
    assert seconds(" ") == 0
    assert minutes([said, {"duration": 30}]) == pytest.approx((60 + 66 * 0.3 + 0.65 + 30) / 60)


def test_the_length_of_a_film_is_told_within_a_tenth(tmp_path: Path) -> None:
    """Against what the voice and the pauses of narration.join really take."""
    board = parse((ROOT / "projects/firewalls/storyboard.yaml").read_bytes(), "x").data
    voice, total = Espeak(), 0.0
    for scene in board["scenes"]:
        pauses = 0.3 * (len(sentences(scene["narration"])) - 1) + 0.65
        total += spoken(voice, scene["narration"], tmp_path, voice="en-gb") + pauses
    assert minutes(board["scenes"]) == pytest.approx(total / 60, rel=0.1)
