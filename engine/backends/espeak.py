"""speech.espeak: the draft's voice, espeak-ng from its wheel, with the times of words and phones."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
import wave
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BackendError
from ..kinds import Inputs, Speech, Tell
from . import Light, espeak_text, espeak_voices

PATIENCE = 600  # Polls of a tenth of a second: far longer than the longest sentence takes.
RATE = 22050
SILENCE = RATE * 3 // 10  # What stands for a text with nothing to say, in samples.
LIMITS: Mapping[str, tuple[int, int]] = {"rate": (80, 450), "pitch": (0, 99), "intonation": (0, 99), "gap": (0, 500)}


@dataclass(frozen=True)
class EspeakParams(Speech):
    """Knobs of espeak-ng.

    `voice` is a language tag or a voice's name, perhaps with a variant ("en-us", "en-gb+f3"); empty: by the
    language. `rate` is in words a minute, `pitch` and `intonation` go from 0 to 99, `gap` adds 10 ms units
    between words.
    """

    voice: str = ""
    rate: int = 165
    pitch: int = 50
    intonation: int = 50
    gap: int = 0


class Espeak(Light):
    """Speaks a sentence through a process that holds espeak-ng, started with the first sentence."""

    kind = "speech"
    name = "espeak"
    version = "1"
    likeness = False
    Params = EspeakParams

    def __init__(self) -> None:
        self._process: Speaker | None = None

    def check(self, params: EspeakParams) -> list[str]:
        return [*_voice_reasons(params), *_limit_reasons(params), *_pronunciation_reasons(params)]

    def run(self, params: EspeakParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        reasons = self.check(params)
        if reasons:
            raise BackendError(reasons[0])
        tell.progress(0, 1)
        spoken = espeak_text.said(params.text, params.pronunciation)
        timing = espeak_text.timing(params.text, spoken, self.answer(params, spoken, out / "audio", tell))
        if not timing["phones"]:
            timing = _silence(params.text, out / "audio")
        text = json.dumps(timing, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        (out / "timing").write_bytes(text.encode("utf-8", "replace"))
        tell.progress(1, 1)

    def answer(self, params: EspeakParams, spoken: espeak_text.Said, out: Path, tell: Tell) -> dict[str, Any]:
        """What the process answers: the sound is in `out`, the events of words and phones are told."""
        return self._ask(_request(params, spoken, out), tell)

    def _ask(self, request: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
        """One answer; a process that failed or was left waiting is ended, and the next sentence starts another."""
        if self._process is None or not self._process.alive():
            self._process = Speaker()
        speaker, self._process = self._process, None
        try:
            answer = speaker.ask(request, tell)
        except BaseException:
            speaker.close()
            raise
        self._process = speaker
        if "errno" in answer:
            raise OSError(answer["errno"], answer["error"])
        if "error" in answer:
            raise BackendError(answer["error"])
        return answer


class Speaker:
    """The process of espeak_process.py: lines in, lines out; ends with its input, so with whoever holds it."""

    def __init__(self) -> None:
        command = [sys.executable, "-I", str(Path(__file__).with_name("espeak_process.py"))]
        self._popen = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=_read, args=(self._popen.stdout, self._lines), daemon=True)
        self._reader.start()
        self.close = weakref.finalize(self, _close, self._popen, self._reader)

    def alive(self) -> bool:
        return self._popen.poll() is None

    def ask(self, request: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
        """Wait for the answer, telling that the step goes on. Raises BackendError if the process ends or hangs."""
        stdin = self._popen.stdin
        assert stdin is not None  # noqa: S101
        try:
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()
        except OSError:
            raise self._ended() from None
        for _ in range(PATIENCE):
            try:
                line = self._lines.get(timeout=0.1)
            except queue.Empty:
                tell.progress(0, 1)
                continue
            if not line:
                raise self._ended()
            answer: dict[str, Any] = json.loads(line)
            return answer
        raise BackendError("espeak-ng did not answer for a minute", "Split the sentence, or render again.")

    def _ended(self) -> BackendError:
        code = self._popen.wait()
        return BackendError(
            f"espeak-ng's process ended with code {code} while it spoke",
            "Render again: a new process is started. If it ends again, reinstall the package espeakng-loader.",
        )


def _read(stream: Any, lines: queue.SimpleQueue[str]) -> None:
    for line in stream:
        lines.put(line)
    lines.put("")


def _close(popen: subprocess.Popen[str], reader: threading.Thread) -> None:
    popen.kill()
    popen.wait()
    reader.join()
    for stream in (popen.stdin, popen.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):  # What was still buffered has no reader any more.
                stream.close()


def _request(params: EspeakParams, spoken: espeak_text.Said, out: Path) -> dict[str, Any]:
    return {
        "text": spoken.text,
        "phonemes": spoken.phonemes,
        "voice": espeak_voices.resolve(params.voice or params.language),
        "out": str(out.absolute()),
        **{name: getattr(params, name) for name in LIMITS},
    }


def _silence(text: str, out: Path) -> dict[str, Any]:
    """A short rest in place of a text that has nothing to say ("…")."""
    with wave.open(str(out), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(2 * SILENCE))
    return espeak_text.timing(text, espeak_text.said(text, {}), {"rate": RATE, "samples": SILENCE, "events": []})


def _voice_reasons(params: EspeakParams) -> list[str]:
    asked = params.voice or params.language
    try:
        if espeak_voices.resolve(asked) is not None:
            return []
    except ModuleNotFoundError:
        return ["espeak-ng is not installed: pip install espeakng-loader"]
    what = "voice" if params.voice else "language"
    return [f"espeak-ng has no {what} {asked!r}; close to it: {', '.join(espeak_voices.close(asked))}"]


def _limit_reasons(params: EspeakParams) -> list[str]:
    return [
        f"{name} is {getattr(params, name)}, but must be from {least} to {most}"
        for name, (least, most) in LIMITS.items()
        if not least <= getattr(params, name) <= most
    ]


def _pronunciation_reasons(params: EspeakParams) -> list[str]:
    return [
        f"the pronunciation of {word!r} is {how!r}, but between [[ and ]] stand espeak-ng's phonemes, in ASCII"
        for word, how in params.pronunciation.items()
        if "[[" in how and not espeak_text.is_phonemes(how)
    ]
