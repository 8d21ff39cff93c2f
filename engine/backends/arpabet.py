"""Phones of the aligner's English dictionary (ARPAbet) from espeak-ng's mnemonics, and back."""

from __future__ import annotations

import re
from collections.abc import Iterable

# As espeak-ng's en-us says them; the first of two names for one phone is what `mnemonic` gives.
_PAIRS = (
    "AA A: A 0 aa|AE a a#|AH V @ @2 @5 I# a2|AO O: O o:|AW aU|AY aI|B b|CH tS|D d|DH D|EH E e|ER 3: 3 @r|EY eI|F f|"
    "G g|HH h|IH I I2|IY i: i|JH dZ|K k x|L l l# l^|M m m-|N n n- n^|NG N|OW oU o|OY OI|P p|R r r- R|S s|SH S|T t t# *|"
    "TH T|UH U|UW u: u|V v|W w w#|Y j|Z z z#|ZH Z"
)
_SEVERAL = {"A@": "AA R", "O@": "AO R", "o@": "AO R", "e@": "EH R", "i@": "IH R", "i@3": "IH R", "U@": "UH R"}
_SEVERAL |= {"aI@": "AY ER", "aI3": "AY ER", "aU@": "AW ER", "@L": "AH L", "@l": "AH L", "IR": "IH R", "VR": "ER"}
_TO = {name: row.split()[0] for row in _PAIRS.split("|") for name in row.split()[1:]} | _SEVERAL
_BACK = {row.split()[0]: row.split()[1] for row in _PAIRS.split("|")}
_MARKS = "',%=_;-!|"


def mnemonic(phone: str) -> str:
    """espeak-ng's name of one of the aligner's phones."""
    return _BACK.get(phone, "")


def spelled(mnemonics: Iterable[str]) -> str:
    """The aligner's phones for those of a word; what English has not becomes what is nearest by its letters."""
    found = [_one(name) for name in mnemonics]
    return " ".join(filter(None, found))


def _one(name: str) -> str:
    if name in _TO:
        return _TO[name]
    rest = name.strip(_MARKS)
    parts = []
    while rest:
        length = next((n for n in (3, 2, 1) if rest[:n] in _TO), 0)
        parts.append(_TO[rest[:length]] if length else "")
        rest = rest[max(1, length) :]
    return re.sub(" +", " ", " ".join(filter(None, parts)))
