"""Some forty flat drawings, and the words of a prompt that ask for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from ..pen import Paint, Pen
from . import doors, letters, machines, nature

Motif = Callable[[Pen, Paint], None]

# In a row: the words that ask for a drawing, in the singular.
_STRONG: Mapping[Motif, str] = {
    doors.door: "door port doorway entrance entry exit knock",
    doors.gate: "gate gatehouse barrier checkpoint border fence portal gateway",
    doors.flame: "fire flame firewall burn blaze bonfire campfire candle torch",
    doors.shield: "shield defence defense protection guard security armour armor safe antivirus",
    doors.castle: "castle fortress tower keep moat fort palace citadel",
    doors.key: "key password token credential",
    doors.lock: "lock padlock encryption secret vault cipher",
    letters.envelope: "envelope letter mail packet post email message parcel stamp postcard datagram",
    letters.clipboard: "clipboard list checklist form register rule ledger",
    letters.chalkboard: "chalkboard blackboard whiteboard board lesson classroom",
    letters.pigeonholes: "pigeonhole shelf shelves drawer cabinet cache table memory archive database",
    letters.thread: "thread yarn string rope",
    letters.slot: "slip slot paper page document file note printer",
    letters.book: "book dictionary manual library notebook story diary",
    letters.conveyor: "conveyor belt factory pipeline queue assembly",
    letters.chart: "chart bar statistic plot growth diagram",
    letters.money: "money coin bank price cost payment cash euro dollar",
    letters.mask: "mask burglar thief thieves robber hacker attacker spy disguise",
    letters.gift: "gift present ribbon box package surprise",
    machines.screen: "computer screen monitor laptop terminal desktop display code program browser",
    machines.server: "server mainframe machine datacenter rack host",
    machines.cloud: "cloud sky upload download backup",
    machines.network: "network graph internet web node mesh router switch",
    machines.gear: "gear cog engine mechanism clockwork algorithm wheel",
    machines.clock: "clock watch hour minute time timer second stopwatch",
    machines.magnifier: "magnifier magnifying search lens detective inspect loupe telescope",
    machines.robot: "robot bot automaton android",
    machines.bug: "bug beetle virus worm insect malware error",
    machines.bulb: "bulb idea lightbulb insight invention",
    machines.brain: "brain mind neuron neural intelligence thought",
    machines.lamp: "lamp lantern spotlight torchlight",
    machines.arrow: "arrow direction sign signpost pointer",
    nature.tree: "tree forest branch leaf leaves oak root garden",
    nature.mountain: "mountain hill peak summit",
    nature.city: "city town skyline skyscraper street building",
    nature.road: "road path highway motorway route lane way",
    nature.boat: "boat ship sail canoe",
    nature.mug: "mug coffee cocoa tea cup",
    nature.person: "person man woman people crowd porter policeman visitor stranger child",
    nature.chest: "chest treasure trunk",
    nature.sun: "sun sunrise sunset",
}  # fmt: skip
# What a scene happens in: drawn first only where nothing stands in it.
_WEAK: Mapping[Motif, str] = {
    nature.desk: "desk workbench counter",
    nature.moon: "moon night moonlight midnight star",
    nature.sun: "sunny morning day summer sunlight",
    doors.window: "window pane",
    doors.wall: "wall brick bricks",
    doors.house: "house home cottage room hut roof",
    machines.lamp: "lamplit light lamplight",
}
_MANY = ("corridor", "row", "line", "conveyor", "belt", "endless", "queue", "thousand", "hundred", "crowd", "sea")


class Idea(NamedTuple):
    """What a prompt asks for: its drawings, the most wanted first; whether there are many of the first."""

    motifs: tuple[Motif, ...]
    many: bool
    line: str  # corridor, conveyor, ...: how the many stand; "" where no word says so.


def idea(prompt: str) -> Idea:
    """The drawings that the words of a prompt ask for."""
    found = dict.fromkeys(motif for motif, _ in _asked(prompt, _WORDS))
    line = next((word for word in _words(prompt) if word in _MANY), "")
    if line in ("conveyor", "belt") and len(found) > 1:
        found.pop(letters.conveyor, None)
    many = dict(reversed(list(_asked(prompt, _WORDS))))
    backs = dict.fromkeys(motif for motif, _ in _asked(prompt, _SETTINGS) if motif not in found)
    motifs = (*found, *backs)
    return Idea(motifs, bool(motifs) and (many.get(motifs[0], False) or bool(line)), line)


def _asked(prompt: str, words: Mapping[str, Motif]) -> Iterator[tuple[Motif, bool]]:
    """Drawings in the order of the words, and whether each was asked for in the plural."""
    said = _words(prompt)
    for word, following in zip(said, [*said[1:], ""], strict=False):
        if following == "of":  # A mountain of letters is no mountain.
            continue
        for form in (word, word.removesuffix("s"), word.removesuffix("es"), re.sub("ies$", "y", word)):
            if form in words:
                yield words[form], form != word
                break


def _words(prompt: str) -> list[str]:
    return re.findall(r"\w+", prompt.lower().replace("'s", ""))


def _table(rows: Mapping[Motif, str]) -> dict[str, Motif]:
    return {word: motif for motif, words in rows.items() for word in words.split()}


_WORDS, _SETTINGS = _table(_STRONG), _table(_WEAK)
MOTIFS: tuple[Motif, ...] = tuple(dict.fromkeys([*_STRONG, *_WEAK]))
