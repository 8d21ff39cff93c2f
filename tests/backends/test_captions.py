"""Captions: what a viewer reads, and for how long."""

import random
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voice_kit import FIREWALL, TUER
from voice_kit import spoken as spoken_by_espeak

from engine.backends.captions import (
    CELLS_A_SECOND,
    CLOCK,
    EARLY,
    GAP,
    LINGER,
    WIDTH,
    Cue,
    cells,
    cues,
    srt,
    vtt,
)


def spoken(text: str, word: float = 0.3, rate: int = CLOCK, spaces: bool = True) -> list[list[int | str]]:
    """Words of equal length in a row, from half a second on."""
    texts = [part + " " for part in text.split()] if spaces else [text]
    length = round(word * rate)
    first = rate // 2
    return [[first + n * length, first + (n + 1) * length, part] for n, part in enumerate(texts)]


def shown(text: str, word: float = 0.3, spaces: bool = True) -> list[tuple[str, ...]]:
    words = spoken(text, word, spaces=spaces)
    return [cue.lines for cue in cues(words, CLOCK, int(words[-1][1]) + CLOCK)]


def test_a_short_sentence_is_one_line() -> None:
    assert shown("A firewall reads each packet.") == [("A firewall reads each packet.",)]


def test_sentences_are_kept_apart() -> None:
    text = "A firewall reads each packet. It asks a single question of every one."
    assert shown(text, 0.4) == [("A firewall reads each packet.",), ("It asks a single question of every one.",)]


def test_lines_break_at_phrases_rather_than_in_the_middle() -> None:
    text = "Strangers knock on your computer's door, and nobody ever hears them."
    assert shown(text) == [("Strangers knock on your computer's door,", "and nobody ever hears them.")]


def test_text_is_complete_and_within_its_limits() -> None:
    random.seed(5)
    pool = ["a", "firewall,", "packets", "and", "rules:", "question", "answered.", "supercalifragilistic", "so"]
    for _ in range(30):
        text = " ".join(random.choice(pool) for _ in range(random.randint(1, 60)))
        words = spoken(text, random.uniform(0.08, 0.5))
        samples = int(words[-1][1]) + CLOCK // 3
        found = cues(words, CLOCK, samples)
        assert " ".join(" ".join(cue.lines) for cue in found) == text
        assert all(len(cue.lines) <= 2 and all(cells(line) <= WIDTH for line in cue.lines) for cue in found)
        assert all(first.end <= second.start - GAP for first, second in pairwise(found))
        assert all(0 <= cue.start < cue.end <= samples for cue in found)


def test_a_caption_stays_at_least_a_second_where_there_is_room() -> None:
    (cue,) = cues([[0, 4800, "Yes."]], CLOCK, 10 * CLOCK)
    assert cue == Cue(0, CLOCK, ("Yes.",))


def test_times_are_those_of_the_words_at_any_rate() -> None:
    (cue,) = cues([[22050, 44100, "Hello "], [44100, 66150, "there."]], 22050, 22050 * 4)
    assert cue == Cue(CLOCK, 3 * CLOCK, ("Hello there.",))


def test_chinese_breaks_between_characters_and_never_before_punctuation() -> None:
    text = "防火墙检查每一个进入网络的数据包，并且只问一个问题：你从哪里来？如果答案不对，它就把门关上，什么也不说。"
    found = [cue.lines for cue in cues([[0, 12 * CLOCK, text]], CLOCK, 13 * CLOCK)]
    assert "".join("".join(lines) for lines in found) == text
    assert all(cells(line) <= WIDTH and line[0] not in "，：？。" for lines in found for line in lines)


def test_arabic_stays_in_logical_order() -> None:
    text = "جدار الحماية يقرأ كل حزمة، ويسأل سؤالا واحدا؟"
    assert " ".join(" ".join(lines) for lines in shown(text)) == text


def test_a_word_longer_than_a_line_is_cut() -> None:
    found = cues([[0, 4 * CLOCK, "x" * 100]], CLOCK, 5 * CLOCK)
    assert "".join(line for cue in found for line in cue.lines) == "x" * 100
    assert all(len(line) <= WIDTH for cue in found for line in cue.lines)


def test_no_words_no_captions() -> None:
    assert cues([], CLOCK, CLOCK) == []
    assert vtt([]) == "WEBVTT\n\n"
    assert srt([]) == ""


def test_vtt_escapes_what_it_would_read_as_its_own() -> None:
    text = vtt([Cue(48, 3600 * CLOCK + 1, ("a --> b & <i>", "second"))])
    assert text == "WEBVTT\n\n00:00:00.001 --> 01:00:00.000\na --&gt; b &amp; &lt;i&gt;\nsecond\n\n"


def test_srt_keeps_text_from_being_markup() -> None:
    text = srt([Cue(0, CLOCK, ("a --> <b> {\\an8}",))])
    assert text == "1\n00:00:00,000 --> 00:00:01,000\na --\u2060> <\u2060b> {\u2060\\an8}\n\n"


def test_control_characters_and_line_ends_in_words_are_spaces() -> None:
    (cue,) = cues([[0, CLOCK, "one\n\n\x00two "], [CLOCK, 2 * CLOCK, "three."]], CLOCK, 3 * CLOCK)
    assert cue.lines == ("one two three.",)


def fast(cue: Cue) -> int:
    """How many samples a caption lacks at 20 cells a second; none: not above 0."""
    return -(-cells(" ".join(cue.lines)) * CLOCK // CELLS_A_SECOND) - (cue.end - cue.start)


def assert_promises(words: list[list[int | str]], found: list[Cue], samples: int) -> None:
    """Two lines of 42, never two at once, there while they are spoken, and too fast only where speech is."""
    said = [str(word[2]).strip() for word in words]
    assert " ".join(" ".join(cue.lines) for cue in found) == " ".join(said)
    assert all(len(cue.lines) <= 2 and all(cells(line) <= WIDTH for line in cue.lines) for cue in found)
    assert all(first.end < second.start for first, second in pairwise(found))
    assert all(0 <= cue.start < cue.end <= samples for cue in found)
    counts = [0, *accumulate(len(" ".join(cue.lines).split()) for cue in found)]
    starts = [int(words[first][0]) for first in counts[:-1]]
    ends = [int(words[after - 1][1]) for after in counts[1:]]
    for number, cue in enumerate(found):
        assert starts[number] - EARLY <= cue.start <= starts[number]
        assert cue.end <= ends[number] + LINGER + CLOCK // 2
        assert cue.start == starts[number] or cue.start >= ([0, *ends][number] + GAP if number else 0)
        if fast(cue) > 0:
            assert_no_room(found, starts, ends, samples, number)


def assert_no_room(found: list[Cue], starts: list[int], ends: list[int], samples: int, first: int) -> None:
    """The row of captions from one that is too fast on has less time than its cells need, whatever the times are."""
    last = first
    while last + 1 < len(found) and found[last + 1].start < starts[last + 1]:
        last += 1
    floor = ends[first - 1] + GAP if first else 0
    earliest = min(starts[first], max(starts[first] - EARLY, floor))
    edge = starts[last + 1] if last + 1 < len(found) else samples
    latest = min(edge - GAP if last + 1 < len(found) else edge, ends[last] + LINGER)
    room = latest - earliest - GAP * (last - first)
    assert sum(fast(cue) + cue.end - cue.start for cue in found[first : last + 1]) > room


MADE_UP = st.lists(
    st.tuples(
        st.text("abcdefghij", min_size=1, max_size=14),
        st.sampled_from(["", "", "", "", ",", ".", "?", ":"]),
        st.integers(CLOCK // 10, CLOCK // 2),
        st.sampled_from([0, 0, 0, 0, CLOCK // 20, CLOCK // 5, CLOCK // 2, 2 * CLOCK]),
    ),
    min_size=1,
    max_size=60,
)


@given(MADE_UP, st.sampled_from([40, 70, 100, 150]), st.integers(0, CLOCK), st.integers(0, 2 * CLOCK))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_no_times_are_better_where_a_caption_is_too_fast(
    made: list[tuple[str, str, int, int]], share: int, before: int, after: int
) -> None:
    words: list[list[int | str]] = []
    at = before
    for text, mark, length, pause in made:
        end = at + length * share // 100
        words.append([at, end, f"{text}{mark} "])
        at = end + pause
    samples = int(words[-1][1]) + after
    assert_promises(words, cues(words, CLOCK, samples), samples)


@pytest.mark.parametrize(("language", "sentences"), [("en", FIREWALL), ("de", TUER)])
@pytest.mark.parametrize("rate", [150, 175, 240, 340])
def test_espeaks_sentences_keep_the_promises(
    tmp_path: Path, language: str, sentences: tuple[str, ...], rate: int
) -> None:
    """At the rates at which people speak no caption has more than 20 cells a second."""
    _, timing = spoken_by_espeak(tmp_path, sentences, 0.3, language=language, rate=rate)
    assert timing["rate"] == CLOCK
    found = cues(timing["words"], CLOCK, timing["samples"])
    assert_promises(timing["words"], found, timing["samples"])
    assert rate > 175 or all(fast(cue) <= 0 for cue in found)


def test_a_caption_begins_early_where_staying_on_is_not_enough() -> None:
    quick = spoken("Strangers knock on doors.", 0.2)
    (cue,) = cues(quick, CLOCK, int(quick[-1][1]))
    assert (cue.start, cue.end) == (CLOCK // 2 - EARLY, int(quick[-1][1]))
