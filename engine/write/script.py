"""What is worth a second thought in a script: `mikebot check --script`. Advice with its place, never an error.

How long it lasts is measured by the voice's own pace. How hard it is to follow is told for English by the formula of
Kincaid, Fishburne, Rogers and Chissom, "Derivation of new readability formulas for Navy enlisted personnel" (1975):
0.39 words a sentence + 11.8 syllables a word - 15.59, in years of school; elsewhere by how long sentences are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..document import Document
from ..errors import Mistake
from ..sentences import sentences
from ..storyboard import Persona
from .pace import count, length, minutes, seconds, spaceless, words_a_minute
from .prompt_advice import folded, remarks

LONG, LONG_SHOWN, SHORT = 20.0, 40.0, 1.5  # Seconds of a scene: over one picture, over what it shows, at least.
CLIP = 5.0  # Seconds of one clip, about, as video models make them.
SENTENCE = 9.0  # Seconds of a sentence.
SHARES = 0.2, 0.7  # Of the scenes in which the persona is seen.
GRADE = 10.0  # Years of school: what films for everybody stay below.
CHAPTERS = 15
APART = 0.1  # How far a film may be from the length that was wished for.
_DULL = re.compile(
    r"(?:hello|hi|greetings)?\W*(?:and )?(?:welcome to|(?:in )?this (?:video|film|episode|tutorial|lesson)"
    r"|today,? (?:we|i|let)|let(?:'|’)?s (?:talk|learn|begin|start)|we (?:will|are going to) (?:talk|learn))\b",
    re.IGNORECASE,
)
Path = tuple[str | int, ...]


class _Script(NamedTuple):
    document: Document
    persona: Persona | None
    language: str
    scenes: Sequence[tuple[int, Mapping[str, Any]]]  # Those that are in the film, with their places in the file.

    def advise(self, path: Path, message: str, hint: str) -> Mistake:
        return self.document.mistake(self.document.place(path), message, hint, "advice")

    def said(self) -> Iterator[tuple[int, str]]:
        """The narrations, each with the place of its scene."""
        yield from (
            (index, scene["narration"]) for index, scene in self.scenes if isinstance(scene.get("narration"), str)
        )


def advice(document: Document, persona: Persona | None = None, wish: float | None = None) -> list[Mistake]:
    """Advice on a storyboard that has no mistakes; `wish` is how many minutes it should last."""
    data = document.data
    scenes = [(index, scene) for index, scene in enumerate(data["scenes"]) if scene.get("hold") is not True]
    script = _Script(document, persona, data.get("language", "en"), scenes)
    parts = (_total(script, wish), _share(script), _opening(script), _chapters(script), _lengths(script))
    more = (_beginnings(script), _openings(script), _sentences(script), _grades(script), _prompts(script))
    return sorted((said for part in (*parts, *more) for said in part), key=lambda said: (said.line, said.column))


def _total(script: _Script, wish: float | None) -> Iterator[Mistake]:
    """How long the film is; always told."""
    rate = words_a_minute(script.persona, script.language)
    words = sum(count(text, script.language) for _, text in script.said())
    lasts = minutes([scene for _, scene in script.scenes], script.persona, script.language)
    unit = "letters" if spaceless(script.language) else "words"
    message = f"the film lasts about {_clock(lasts * 60)}: {words:,} {unit} in {len(script.scenes)} scenes"
    hint = f"the voice says {rate:.0f} {unit} a minute, pauses apart"
    if wish is not None and abs(lasts - wish) > APART * wish:
        more = round(abs(lasts - wish) * rate)
        message += f", and {_clock(wish * 60)} were wished for"
        hint += f": {'cut' if lasts > wish else 'add'} about {more:,} {unit}"
    yield script.advise(("title",), message, hint)


def _share(script: _Script) -> Iterator[Mistake]:
    seen = sum(scene.get("on_screen") is True for _, scene in script.scenes)
    share = seen / len(script.scenes)
    if script.persona is None or len(script.scenes) < 4 or SHARES[0] <= share <= SHARES[1]:
        return
    much = share > SHARES[1]
    hint = "show what is talked about in some" if much else "let them speak to us at the beginning and at the end"
    message = f"{script.persona.name} is seen in {seen} of {len(script.scenes)} scenes"
    yield script.advise(("persona",), message, hint)


def _opening(script: _Script) -> Iterator[Mistake]:
    """Does the film begin with something that makes us stay?"""
    index, text = next(script.said(), (0, ""))
    first = (sentences(text) or [""])[0]
    path = ("scenes", index, "narration")
    if _DULL.match(first):
        message, hint = "the film begins by announcing itself", "begin with what happens, and cut this sentence"
        yield script.advise(path, message, hint)
    elif seconds(first, script.persona, script.language) > SENTENCE:
        message = "the film begins with a long sentence"
        yield script.advise(path, message, "begin with a short one: a question, a surprise, something that happens")


def _chapters(script: _Script) -> Iterator[Mistake]:
    named = [index for index, scene in script.scenes if scene.get("chapter")]
    if len(named) > CHAPTERS:
        message = f"the film has {len(named)} named chapters"
        hint = f"name about {CHAPTERS} at most; a list that fits a screen is read"
        yield script.advise(("scenes", named[CHAPTERS], "chapter"), message, hint)


def _lengths(script: _Script) -> Iterator[Mistake]:
    """Scenes that outlast their picture, and scenes that are gone before they are seen."""
    for index, scene in script.scenes:
        lasts = length(scene, script.persona, script.language)
        path = ("scenes", index, "narration" if "narration" in scene else "id")
        if lasts > (LONG_SHOWN if "show" in scene else LONG) and "video" not in scene:
            clips = "" if "show" in scene else f", which a video model makes of {-(-lasts // CLIP):.0f} clips in a row"
            message = f"this scene lasts about {lasts:.0f} s on one picture{clips}"
            yield script.advise(path, message, "split it in two, each with a picture of its own")
        elif 0 < lasts < SHORT and "narration" in scene:
            message = f"this scene is over in {lasts:.1f} s, before its picture is seen"
            yield script.advise(path, message, "join it with the one before or behind it")


def _beginnings(script: _Script) -> Iterator[Mistake]:
    """Scenes that begin alike: neighbours, or three of them."""
    before: list[tuple[str, ...]] = []
    for index, text in script.said():
        start = folded(text)[:2]
        if len(start) == 2 and (start in before[-1:] or before.count(start) == 2):
            others = "the one before" if start in before[-1:] else "two before"
            message = f"this scene begins with '{' '.join(start)}' as {others}"
            yield script.advise(("scenes", index, "narration"), message, "begin with another word, or join the two")
        before.append(start)


def _openings(script: _Script) -> Iterator[Mistake]:
    """Three sentences in a row that begin with the same word."""
    run: list[str] = []
    for index, text in script.said():
        for sentence in sentences(text):
            word = " ".join(folded(sentence)[:1])
            run = [*run, word] if run[-1:] == [word] else [word]
            if len(run) == 3 and word and not spaceless(script.language):
                message = f"three sentences in a row begin with '{word}'"
                yield script.advise(("scenes", index, "narration"), message, "join two of them, or turn one round")


def _sentences(script: _Script) -> Iterator[Mistake]:
    """Sentences that nobody says in one breath; the first of a scene is told."""
    for index, text in script.said():
        for sentence in sentences(text):
            words = count(sentence, script.language)
            lasts = words / words_a_minute(script.persona, script.language) * 60
            if lasts > SENTENCE:
                unit = "letters" if spaceless(script.language) else "words"
                message = f"a sentence of {words} {unit} takes {lasts:.0f} s: '{sentence[:30].strip()}...'"
                yield script.advise(("scenes", index, "narration"), message, "make two of it")
                break


def _grades(script: _Script) -> Iterator[Mistake]:
    """Scenes that are hard to follow by ear, in English."""
    if script.language.partition("-")[0] != "en":
        return
    for index, text in script.said():
        words, parts = re.findall(r"[A-Za-z]+(?:['’][A-Za-z]+)?", text), sentences(text)
        if len(words) >= 15:
            grade = 0.39 * len(words) / len(parts) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
            if grade > GRADE:
                message = f"hard to follow by ear: {grade:.0f} years of school by the formula of Flesch and Kincaid"
                yield script.advise(("scenes", index, "narration"), message, "shorter words, shorter sentences")


def syllables(word: str) -> int:
    """About how many syllables an English word has: its groups of vowels, less an e that is not spoken."""
    low = word.lower().replace("’", "'").partition("'")[0]
    silent = re.search(r"[^aeiouyl]e$|[aeiouy]le$|[^aeiouytd]ed$|[^aeiouysxzcg](?<!sh)(?<!ch)es$", low)
    return max(1, len(re.findall(r"[aeiouy]+", low)) - (silent is not None))


def _prompts(script: _Script) -> Iterator[Mistake]:
    first: dict[tuple[str, ...], str] = {}
    for index, scene in script.scenes:
        for said in remarks(scene):
            yield script.advise(("scenes", index, said.field), said.message, said.hint)
        prompt = folded(scene["image_prompt"]) if isinstance(scene.get("image_prompt"), str) else ()
        if prompt in first:
            message = f"image_prompt: the scene '{first[prompt]}' has the same picture"
            yield script.advise(("scenes", index, "image_prompt"), message, "another thing, or another view of it")
        elif prompt:
            first[prompt] = str(scene["id"])


def _clock(lasts: float) -> str:
    """Seconds as people say them."""
    whole = round(lasts)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
