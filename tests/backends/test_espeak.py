"""The draft's voice: reproducible, timed to the written words, deaf to commands in a text, and hard to kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from engine.backends.espeak import Espeak, EspeakParams
from engine.errors import BackendError, Cancelled
from engine.kinds import Inputs


class Quiet:
    def progress(self, done: int, total: int) -> None:
        assert 0 <= done <= total


@pytest.fixture(scope="module")
def voice() -> Espeak:
    return Espeak()


def speak(speaker: Espeak, out: Path, text: str, **knobs: object) -> tuple[bytes, dict]:
    out.mkdir(exist_ok=True)
    speaker.run(EspeakParams(text, **knobs), Inputs(), out, Quiet())  # type: ignore[arg-type]
    timing = json.loads((out / "timing").read_text("utf-8"))
    with wave.open(str(out / "audio")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, timing["rate"])
        assert file.getnframes() == timing["samples"]
    for name in ("words", "phones"):
        edges = [edge for start, end, _ in timing[name] for edge in (start, end)]
        assert edges == sorted(edges)
        assert all(0 <= edge <= timing["samples"] for edge in edges)
    assert "".join(word[2] for word in timing["words"]) == text
    return (out / "audio").read_bytes(), timing


def phones(speaker: Espeak, out: Path, text: str, **knobs: object) -> list[str]:
    return [name for _, _, name in speak(speaker, out, text, **knobs)[1]["phones"]]


SENTENCES = [
    "Every second, strangers knock on your computer's door.",
    "1,234 cats & “dogs” cost $3.50 — e.g. naïve.",
    "It is one of the best things that has been.",
    "ping 192.168.0.1 https://example.com/a?b=c",
]


@pytest.mark.parametrize("text", SENTENCES)
def test_a_sentence_sounds_the_same_whatever_was_said_before(voice: Espeak, tmp_path: Path, text: str) -> None:
    first, timing = speak(voice, tmp_path, text)
    speak(voice, tmp_path, "Something else, with sharp hissing sounds.")
    assert speak(voice, tmp_path, text) == (first, timing)
    assert speak(Espeak(), tmp_path, text) == (first, timing)


def test_a_word_with_several_events_is_one_word(voice: Espeak, tmp_path: Path) -> None:
    _, timing = speak(voice, tmp_path, "1,234 cats")
    (start, end, number), (after, _, cats) = timing["words"]
    assert (number, cats) == ("1,234 ", "cats")
    assert end - start > timing["samples"] / 2
    assert after >= end


def test_words_that_espeak_runs_together_share_their_time(voice: Espeak, tmp_path: Path) -> None:
    _, timing = speak(voice, tmp_path, "Things that has been.")
    assert all(end > start for start, end, _ in timing["words"])


@pytest.mark.parametrize("text", ["…", "—", " ", "()"])
def test_a_text_with_nothing_to_say_is_a_short_rest(voice: Espeak, tmp_path: Path, text: str) -> None:
    sound, timing = speak(voice, tmp_path, text)
    assert timing == {"rate": 22050, "samples": 6615, "words": [[0, 6615, text]], "phones": []}
    assert not any(sound[44:])


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de-AT", "Grüß dich, schöne Welt."),
        ("fr", "L'été, c'est ça."),
        ("ru", "Привет, мир."),
        ("ar", "مرحبا بالعالم"),
        ("zh", "你好，世界。"),
        ("en", "A rocket 🚀 and a family 👨‍👩‍👧."),
        ("en", "nul\0 bell\x07 lone \ud800 surrogate"),
    ],
)
def test_other_scripts_are_spoken(voice: Espeak, tmp_path: Path, language: str, text: str) -> None:
    if "\ud800" in text:
        voice.run(EspeakParams(text), Inputs(), tmp_path, Quiet())
        assert json.loads((tmp_path / "timing").read_text("utf-8"))["phones"]
    else:
        assert speak(voice, tmp_path, text, language=language)[1]["phones"]


def test_where_no_spaces_are_written_every_character_has_its_time(voice: Espeak, tmp_path: Path) -> None:
    _, timing = speak(voice, tmp_path, "你好，世界。", language="zh")
    assert [text for _, _, text in timing["words"]] == ["你", "好，", "世", "界。"]


def test_a_respelling_is_heard_and_the_written_word_timed(voice: Espeak, tmp_path: Path) -> None:
    said = {"nginx": "engine ex"}
    _, timing = speak(voice, tmp_path, "Ask Nginx, now.", pronunciation=said)
    assert [text for _, _, text in timing["words"]] == ["Ask ", "Nginx, ", "now."]
    assert phones(voice, tmp_path, "Ask nginx now.", pronunciation=said) == phones(
        voice, tmp_path, "Ask engine ex now."
    )


def test_phonemes_are_heard_as_written(voice: Espeak, tmp_path: Path) -> None:
    heard = phones(voice, tmp_path, "Danaim", pronunciation={"Danaim": "[[D@n'eIm]]"})
    assert heard == ["D", "@", "n", "eI", "m"]


def test_a_part_of_a_word_is_not_respelled(voice: Espeak, tmp_path: Path) -> None:
    assert phones(voice, tmp_path, "catalogue", pronunciation={"cat": "dog"}) == phones(voice, tmp_path, "catalogue")


@pytest.mark.parametrize("text", ["x [[a]] y", "x [[ y", "x [[[[y"])
def test_a_narration_cannot_bring_phonemes(voice: Espeak, tmp_path: Path, text: str) -> None:
    """Also where a pronunciation, which may, switches phonemes on."""
    said = {"word": "[[w'3:d]]"}
    plain = text.replace("[", " ").replace("]", " ")
    heard = phones(voice, tmp_path, f"word {text}", pronunciation=said)
    assert heard == phones(voice, tmp_path, f"word {plain}", pronunciation=said)


def test_markup_is_read_aloud_not_obeyed(voice: Espeak, tmp_path: Path) -> None:
    slow = speak(voice, tmp_path, 'one <prosody rate="10%">two</prosody>')[1]["phones"]
    assert "".join(name for _, _, name in slow).count("p") >= 2  # "prosody" is spoken, twice.


def test_control_characters_do_not_change_the_voice(voice: Espeak, tmp_path: Path) -> None:
    assert phones(voice, tmp_path, "a \x0190P b c") == phones(voice, tmp_path, "a  90P b c")


def test_knobs_are_heard(voice: Espeak, tmp_path: Path) -> None:
    text = "Every second, strangers knock."
    plain, timing = speak(voice, tmp_path, text)
    assert speak(voice, tmp_path, text, rate=300)[1]["samples"] < timing["samples"] * 0.7
    for knob in ({"pitch": 80}, {"voice": "en-us"}, {"voice": "en-gb+f3"}, {"gap": 20}, {"intonation": 90}):
        assert speak(voice, tmp_path, text, **knob)[0] != plain


@pytest.mark.parametrize(
    ("knobs", "reason"),
    [
        ({"language": "xx"}, "espeak-ng has no language 'xx'; close to it: xex, art/xex"),
        ({"voice": "klingonn"}, "espeak-ng has no voice 'klingonn'; close to it: klingon"),
        ({"voice": "../../en"}, "espeak-ng has no voice '../../en'; close to it: "),
        ({"rate": 5}, "rate is 5, but must be from 80 to 450"),
        ({"pitch": 100}, "pitch is 100, but must be from 0 to 99"),
        (
            {"pronunciation": {"a": "[[ə]]"}},
            "the pronunciation of 'a' is '[[ə]]', but between [[ and ]] stand espeak-ng's phonemes, in ASCII",
        ),
    ],
)
def test_check_says_why_it_cannot_speak(tmp_path: Path, knobs: dict, reason: str) -> None:
    params = EspeakParams("hello", **knobs)
    (found,) = Espeak().check(params)
    assert found.startswith(reason)
    with pytest.raises(BackendError) as caught:
        Espeak().run(params, Inputs(), tmp_path, Quiet())
    assert str(caught.value) == found


def test_a_process_that_died_is_replaced(voice: Espeak, tmp_path: Path) -> None:
    whole, _ = speak(voice, tmp_path, SENTENCES[0])
    assert voice._process is not None
    voice._process._popen.kill()
    voice._process._popen.wait()
    assert speak(voice, tmp_path, SENTENCES[0])[0] == whole


@pytest.mark.skipif(sys.platform == "win32", reason="a process is stopped and killed by signals")
def test_a_process_that_dies_while_it_speaks_is_named(tmp_path: Path) -> None:
    voice = Espeak()
    speak(voice, tmp_path, "One.")
    assert voice._process is not None
    pid = voice._process._popen.pid
    os.kill(pid, signal.SIGSTOP)

    class Killing:
        def progress(self, done: int, total: int) -> None:
            if voice._process is None:  # The sentence is on its way.
                os.kill(pid, signal.SIGKILL)

    with pytest.raises(BackendError) as caught:
        voice.run(EspeakParams("Two."), Inputs(), tmp_path, Killing())
    assert str(caught.value) == (
        "espeak-ng's process ended with code -9 while it spoke\n"
        "  Render again: a new process is started. If it ends again, reinstall the package espeakng-loader."
    )
    assert speak(voice, tmp_path, "Two.")


@pytest.mark.skipif(sys.platform == "win32", reason="a process is stopped by a signal")
def test_a_cancel_gets_through_while_it_speaks(tmp_path: Path) -> None:
    voice = Espeak()
    first, _ = speak(voice, tmp_path, "One.")
    assert voice._process is not None
    os.kill(voice._process._popen.pid, signal.SIGSTOP)

    class Stale:
        def progress(self, done: int, total: int) -> None:
            if voice._process is None:
                raise Cancelled

    with pytest.raises(Cancelled):
        voice.run(EspeakParams("Two."), Inputs(), tmp_path, Stale())
    assert speak(voice, tmp_path, "One.")[0] == first


def test_the_process_ends_with_its_input() -> None:
    import engine.backends.espeak_process as process

    done = subprocess.run([sys.executable, "-I", process.__file__], input="", capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
