"""The process in which espeak-ng lives: a request a line on standard input, an answer a line on standard output.

espeak-ng is under the GPL, the engine is not: they meet in this pipe alone, and this file imports nothing of
the engine. It ends when its input ends.

A request is `{"text", "voice", "rate", "pitch", "intonation", "gap", "phonemes", "out"}`; the sound goes to the file
`out` as WAV. The answer is `{"rate", "samples", "events": [[what, sample, position, name], ...]}` with what
"word" (position: characters of the text before it) or "phone" (name: its mnemonic), or `{"error": message}`.
"""

from __future__ import annotations

import _ctypes
import ctypes
import json
import os
import signal
import sys
import wave
from pathlib import Path
from typing import Any

import espeakng_loader

# speak_lib.h of espeak-ng 1.52.
SYNCHRONOUS = 2
PHONEME_EVENTS, DONT_EXIT = 0x1, 0x8000
UTF8, PHONEMES = 0x1, 0x100
RATE, PITCH, RANGE, WORD_GAP = 1, 3, 4, 7
WORD, PHONEME = 1, 7


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_Heard = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


def main() -> None:
    """Answer until the input ends, or until the library can no longer be started afresh."""
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, signal.SIG_IGN)  # A terminal sends them to everyone; the end of the input is what counts.
    data = Path(espeakng_loader.get_data_path()).resolve()
    library = Path(espeakng_loader.get_library_path()).resolve()
    os.chdir(data.parent)  # The library keeps its data's path in 160 bytes; "." always fits.
    for line in sys.stdin:
        print(json.dumps(_answer(str(library), json.loads(line))), flush=True)  # noqa: T201
        if _resident(str(library)):
            return


def _answer(path: str, request: dict[str, Any]) -> dict[str, Any]:
    """Speak with a library loaded for this sentence alone.

    Only the first utterance of a loaded library is reproducible: its noise goes on from one to the next, also
    across espeak_Terminate. Unloading is what resets it.
    """
    library = ctypes.CDLL(path)
    try:
        return _speak(library, request)
    except RuntimeError as error:
        return {"error": str(error)}
    except OSError as error:  # The disk is full, say: the other process knows what to tell.
        return {"error": error.strerror or str(error), "errno": error.errno or 0}
    finally:
        library.espeak_Terminate()
        _unload(library._handle)


def _speak(library: ctypes.CDLL, request: dict[str, Any]) -> dict[str, Any]:
    rate = library.espeak_Initialize(SYNCHRONOUS, 0, b".", PHONEME_EVENTS | DONT_EXIT)
    if rate <= 0:
        raise RuntimeError("espeak-ng found no data beside its library")
    if library.espeak_SetVoiceByName(request["voice"].encode()) != 0:
        raise RuntimeError(f"espeak-ng cannot load the voice {request['voice']!r}")
    for name, number in (("rate", RATE), ("pitch", PITCH), ("intonation", RANGE), ("gap", WORD_GAP)):
        library.espeak_SetParameter(number, int(request[name]), 0)
    sound, events = _heard(library, request["text"], UTF8 | (PHONEMES if request["phonemes"] else 0))
    with wave.open(request["out"], "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(sound)
    return {"rate": rate, "samples": len(sound) // 2, "events": events}


def _heard(library: ctypes.CDLL, text: str, flags: int) -> tuple[bytes, list[tuple[str, int, int, str]]]:
    sound = bytearray()
    events: list[tuple[str, int, int, str]] = []

    def hear(samples: int | None, count: int, list_: Any) -> int:
        if samples and count > 0:
            sound.extend(ctypes.string_at(samples, count * 2))
        index = 0
        while list_[index].type != 0:
            events.extend(_told(list_[index]))
            index += 1
        return 0

    callback = _Heard(hear)
    library.espeak_SetSynthCallback(callback)
    said = text.encode("utf-8", "replace") + b"\0"
    synth = library.espeak_Synth
    synth.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, *[ctypes.c_uint] * 2]
    synth.argtypes += [ctypes.c_void_p] * 2
    if synth(said, len(said), 0, 1, 0, flags, None, None) != 0:
        raise RuntimeError("espeak-ng refused the text")
    library.espeak_Synchronize()
    return bytes(sound), events


def _told(event: Any) -> list[tuple[str, int, int, str]]:
    if event.type == WORD:
        return [("word", event.sample, max(0, event.text_position - 1), "")]
    if event.type == PHONEME:
        return [("phone", event.sample, 0, bytes(event.id.string).decode("utf-8", "replace"))]
    return []


def _unload(handle: int) -> None:
    if sys.platform == "win32":
        _ctypes.FreeLibrary(handle)
    else:
        _ctypes.dlclose(handle)


def _resident(path: str) -> bool:
    """Is the library still loaded, so that the next sentence would not be the first?"""
    if sys.platform == "win32":
        return bool(ctypes.windll.kernel32.GetModuleHandleW(path))
    try:
        handle = ctypes.CDLL(path, mode=os.RTLD_NOLOAD | os.RTLD_LAZY)._handle
    except OSError:
        return False
    _unload(handle)
    return True


if __name__ == "__main__":
    main()
