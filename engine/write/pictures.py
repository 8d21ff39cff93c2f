"""Pictures for what is said, found without a model: things that its nouns name, put in a picture of their own words.

No prompt says a clause of the narration again, and no two prompts are alike. English nouns become phrases of our own
(vocabulary.py), whose things the draft can draw; those of other languages are named as they are.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import count

from .pace import spaceless
from .vocabulary import FRAMES, LAST_MOVE, MOVES, MOVES_WITH, PLURAL, QUIET, SHOTS, WITH, no_things, small_words, things

Thing = tuple[str, ...] | str  # The phrases of a thing, or a noun that has none.
Subject = tuple[Thing, str]  # A thing, and the word that names it.
CLAUSE = 4  # So many words in a row that are said and shown are a clause said twice.
_LONG = 105  # Characters of a prompt that a card sets whole.
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_DETERMINERS = {
    "en": "a an the each every his her its their our your my two three",
    "de": "der die das den dem des ein eine einen einem einer jede jeder jedes",
    "fr": "le la les l un une des ce cette ces chaque son sa ses",
    "es": "el la los las un una unos unas este esta cada su sus",
    "it": "il lo la i gli le l un uno una ogni questo questa",
    "pt": "o a os as um uma cada este esta",
    "nl": "de het een elke dit deze",
}
_NO_NOUN = ("ly", "ing", "ed", "tion", "sion", "ness", "ity", "ment", "ism", "ance", "ence", "ship", "hood", "able")
_RUNS = {"ja": r"[ァ-ヺー]{2,}|[\u4e00-\u9fff]{2,4}"}
_HAN = re.compile(
    r"[的了是在和有也就不都很到要会對对把被从從与與及或而这這那它他她我你们們个個一上下中里]|[^\u3400-\u9fff]"
)


class Painter:
    """Finds a picture for one narration after another, and remembers what it has used."""

    def __init__(self, language: str, texts: Iterable[str], who: str = "") -> None:
        self.language = language.lower().partition("-")[0]
        self.who = who
        self._texts = Counter(word for text in texts for word in set(self._words(text)))
        self._nouns = self._named(texts)
        self._used: Counter[Thing] = Counter()
        self._recent: list[Thing] = []
        self._prompts: set[str] = set()
        self._moves = 0

    def image(self, narration: str, chapter: str, on_screen: bool) -> str:
        """A prompt for the picture of a scene."""
        subjects = self._subjects(narration, chapter)[:3]
        for prompt, used in self._choices(subjects, on_screen and bool(self.who)):
            if prompt not in self._prompts and not repeats(prompt, narration):
                self._prompts.add(prompt)
                self._used.update(used)
                self._recent += used
                return prompt
        raise AssertionError("there is no end of prompts")

    def move(self, on_screen: bool, last: bool) -> str:
        """What moves: never twice the same in a row."""
        if last and on_screen:
            return LAST_MOVE
        self._moves += 1
        moves = MOVES_WITH if on_screen else MOVES
        return moves[self._moves % len(moves)]

    def subjects(self, narration: str) -> list[str]:
        """The words that a scene is about, the most telling first."""
        return [word for _, word in self._subjects(narration, "")]

    def _choices(self, subjects: Sequence[Subject], seen: bool) -> Iterator[tuple[str, list[Thing]]]:
        """Prompts, the fittest first, without end, each with the things in it; with the persona where they are seen."""
        turn = len(self._prompts)
        ways = [
            (thing, way, rank) for thing, word in subjects for rank, way in enumerate(self._ways(thing, word, seen))
        ]
        second = next(((thing, way) for thing, way, rank in ways if rank == 0 and thing != subjects[0][0]), None)
        if second and self._used[second[0]] >= len(second[0]):
            second = None  # Seen often enough.
        for thing, way, rank in sorted(ways, key=lambda found: found[2]):
            if seen:
                yield WITH[turn % len(WITH)].format(who=self.who, thing=way), [thing]
            elif second and rank == 0 and thing == subjects[0][0]:
                yield _joined(way, second[1], SHOTS[turn % len(SHOTS)]), [thing, second[0]]
            else:
                yield _joined(way, "", SHOTS[turn % len(SHOTS)]), [thing]
        yield from ((prompt, []) for prompt in self._rests(turn, seen))

    def _rests(self, turn: int, seen: bool) -> Iterator[str]:
        """Pictures for what has none of its own."""
        rests = [QUIET[(turn + step) % len(QUIET)] for step in range(len(QUIET))]
        withs = [
            WITH[(turn + step) % len(WITH)].format(who=self.who, thing="{}") if seen else "{}" for step in range(6)
        ]
        yield from (withs[0].format(rest) for rest in rests)
        yield from (f"{way.format(rest)}, {shot}" for shot in SHOTS[1:] for way in withs for rest in rests)
        yield from (f"{withs[0].format(rest)}, view {number}" for number in count(2) for rest in rests)

    def _subjects(self, narration: str, chapter: str) -> list[Subject]:
        """What a narration is about, the most telling first: the phrases of a thing, or a noun alone."""
        own = self._words(narration)
        said = [*own, *self._words(chapter)]
        counts = Counter(own)
        found: dict[Thing, tuple[float, str]] = {}
        for place, word in enumerate(dict.fromkeys(said)):
            thing = self._thing(word)
            if thing is None:
                continue
            score = 3.0 + _drawn(thing[0]) if isinstance(thing, tuple) else 2.0
            score += counts[word] - 0.3 * math.log2(1 + self._texts[word]) - 0.03 * place
            score -= 2.5 * self._recent[-4:].count(thing) + 0.4 * self._used[thing]
            if score > found.get(thing, (-math.inf, ""))[0]:
                found[thing] = score, word
        return [(thing, word) for thing, (_, word) in sorted(found.items(), key=lambda item: -item[1][0])]

    def _thing(self, word: str) -> Thing | None:
        """The phrases of a word, or a noun that has none."""
        if self.language == "en":
            for form in _singulars(word):
                if form in things():
                    return things()[form]
        return word if word in self._nouns else None

    def _ways(self, thing: Thing, word: str, seen: bool) -> list[str]:
        """How a thing can be shown, beginning with the way whose turn it is."""
        many = word.endswith("s") and not word.endswith(("ss", "us"))
        article = "" if many else "an " if word[:1] in "aeiou" else "a "
        if isinstance(thing, tuple):
            ways = list(thing)
        elif self.language != "en":
            ways = [word]
        elif seen:
            ways = [article + word]
        else:
            ways = [frame.format(a=article.strip(), thing=word) for frame in (PLURAL if many else FRAMES)]
        turn = self._used[thing] % len(ways)
        return ways[turn:] + ways[:turn]

    def _words(self, text: str) -> list[str]:
        if spaceless(self.language):
            pattern = _RUNS.get(self.language)
            return re.findall(pattern, text) if pattern else [run[:4] for run in _HAN.split(text) if len(run) > 1]
        words = _WORD.findall(text)
        return words if self.language == "de" else [word.lower() for word in words]

    def _named(self, texts: Iterable[str]) -> frozenset[str]:
        """The words of a text that are used as names of things, as far as the words around them tell."""
        if spaceless(self.language):
            return frozenset(self._texts)
        determiners = _determiners(self.language)
        found = set()
        for text in texts:
            for part in re.split(r"[.!?:;,()\n]", text):
                found |= set(self._nouns_of(_WORD.findall(part), determiners))
        return frozenset(found)

    def _nouns_of(self, words: Sequence[str], determiners: frozenset[str]) -> Iterator[str]:
        if self.language == "de":
            yield from (word for word in words[1:] if word[0].isupper() and len(word) > 3)
        elif not determiners:
            yield from (word.lower() for word in words if len(word) > 5)
        else:
            lower = [word.lower() for word in words]
            for before, word, after in zip(lower, lower[1:], [*lower[2:], ""], strict=False):
                if before in determiners and (self.language != "en" or _noun(word, after)) and len(word) > 2:
                    yield word


def repeats(prompt: str, narration: str) -> bool:
    """Whether a prompt says a clause of a narration again."""
    shown, said = (_folded(text) for text in (prompt, narration))
    clauses = {tuple(said[at : at + CLAUSE]) for at in range(len(said) - CLAUSE + 1)}
    return any(tuple(shown[at : at + CLAUSE]) in clauses for at in range(len(shown) - CLAUSE + 1))


def _folded(text: str) -> list[str]:
    return re.findall(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_]+", text.casefold())


def _joined(thing: str, second: str, shot: str) -> str:
    """Things and how they are seen, as long as a card can set it."""
    prompt = thing
    for part in (second, shot):
        if part and len(prompt) + 2 + len(part) <= _LONG:
            prompt += f", {part}"
    return prompt


def _noun(word: str, after: str) -> bool:
    """Whether an English word behind an article, and before another small word, is likely to name a thing."""
    return (
        (not after or after in small_words())
        and word not in small_words()
        and word not in no_things()
        and word.removesuffix("s") not in no_things()
        and not word.removesuffix("s").endswith(_NO_NOUN)
    )


def _singulars(word: str) -> Iterator[str]:
    yield from (word, word.removesuffix("'s").removesuffix("’s"), word.removesuffix("s"), word.removesuffix("es"))
    yield re.sub("ies$", "y", word)


@cache
def _drawn(phrase: str) -> bool:
    """Whether the draft has a drawing of a thing."""
    from ..backends.motifs import idea

    return bool(idea(phrase).motifs)


@cache
def _determiners(language: str) -> frozenset[str]:
    return frozenset(_DETERMINERS.get(language, "").split())
