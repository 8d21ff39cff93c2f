"""Languages: what they are called in prompts, how their texts are counted, and whether a text may be in one."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

from .pace import spaceless


def _table(text: str) -> Mapping[str, str]:
    """Lines of `key value`."""
    return dict(line.split(" ", 1) for line in text.split("\n"))


NAMES = _table(
    "ar Arabic\nbg Bulgarian\nbn Bengali\nca Catalan\ncs Czech\nda Danish\nde German\nel Greek\nen English\n"
    "es Spanish\net Estonian\nfa Persian\nfi Finnish\nfr French\nhe Hebrew\nhi Hindi\nhr Croatian\nhu Hungarian\n"
    "id Indonesian\nit Italian\nja Japanese\nko Korean\nlt Lithuanian\nlv Latvian\nms Malay\nnb Norwegian\n"
    "nl Dutch\nno Norwegian\npl Polish\npt Portuguese\nro Romanian\nru Russian\nsk Slovak\nsl Slovenian\n"
    "sr Serbian\nsv Swedish\nsw Swahili\nta Tamil\nth Thai\ntr Turkish\nuk Ukrainian\nur Urdu\nvi Vietnamese\n"
    "zh Chinese"
)
# Scripts as Unicode names their letters; of languages that are not here, Latin.
_SCRIPTS = _table(
    "zh CJK\ncmn CJK\nyue CJK\nwuu CJK\nja CJK HIRAGANA KATAKANA\nko HANGUL CJK\nru CYRILLIC\nuk CYRILLIC\n"
    "bg CYRILLIC\nmk CYRILLIC\nbe CYRILLIC\nkk CYRILLIC\nmn CYRILLIC\nsr CYRILLIC LATIN\nar ARABIC\nfa ARABIC\n"
    "ur ARABIC\nps ARABIC\nhe HEBREW\nyi HEBREW\nhi DEVANAGARI\nmr DEVANAGARI\nne DEVANAGARI\nsa DEVANAGARI\n"
    "el GREEK\nth THAI\nka GEORGIAN\nhy ARMENIAN\nbn BENGALI\nta TAMIL\nte TELUGU\nam ETHIOPIC\nkm KHMER"
)
# Words that a few sentences of a language hardly do without, and the others do.
_TELLING = _table(
    "en the and of is that it you with they this what your are not\n"
    "de der die das und ist nicht ein eine sie mit auf den dem zu ich wenn\n"
    "fr le la les et est une des vous pas dans que qui du pour sur\n"
    "es el los las y es una que del por con para su no lo\n"
    "it il gli e che di una non per con è sono della\n"
    "pt o os as e é uma que não com para do da em você\n"
    "nl de het een en is niet van dat op met je zijn"
)


def language_name(tag: str) -> str:
    """A language as prompts name it."""
    primary, _, rest = tag.partition("-")
    name = NAMES.get(primary)
    if name is None:
        return f"the language with the tag {tag}"
    return f"{name} ({tag})" if rest else name


def unit(tag: str) -> str:
    """What a text of a language is counted in."""
    return "letters" if spaceless(tag) else "words"


def plausible(text: str, tag: str) -> bool:
    """Whether a text may be in a language, as far as its letters and its small words tell."""
    primary = tag.partition("-")[0]
    if "-Latn" in tag:
        return True
    scripts = Counter(unicodedata.name(char, "?").split()[0] for char in text if char.isalpha())
    wanted = sum(scripts[script] for script in _SCRIPTS.get(primary, "LATIN").split())
    if wanted * 2 < scripts.total():
        return False
    words = Counter(re.findall(r"[^\W\d_]+", text.casefold()))
    seen = {name: sum(words[word] for word in telling.split()) for name, telling in _TELLING.items()}
    rivals = seen.values() if primary in seen else [seen["en"]]  # What models fall back to.
    return seen.get(primary, 0) > 0 or max(rivals) < max(3, words.total() // 5)
