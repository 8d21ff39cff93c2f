"""What is asked for decides how long a film is and how it is called; what is not asked for follows from what is."""

from __future__ import annotations

from typing import Any

import pytest

from engine.storyboard import Persona
from engine.write.brief import Brief, sized, slug, told
from engine.write.languages import language_name, plausible
from engine.write.pace import in_film, minutes, words_a_minute

ADA = Persona("Ada", "ada", "ada-x", "short grey hair", "a mustard scarf", "dry, and short")


def brief(**more: Any) -> Brief:
    """A brief for a film of three scenes."""
    return Brief(**({"prompt": "Tell me about doors", "persona": ADA, "scenes": 3, "rate": 150.0} | more))


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("Tell me about firewalls", "firewalls"),
        ("public-key cryptography", "public-key-cryptography"),
        ("how a sewing machine makes a stitch", "sewing-machine-stitch"),
        ("What is it?", "what-is-it"),
        ("Erkläre mir Türschlösser", "erklare-mir-turschlosser"),
        ("防火墙", ""),
        ("../../etc/passwd; rm -rf /", "etc-passwd-rm-rf"),
        ("x" * 300, "x" * 48),
    ],
)
def test_a_project_is_called_after_what_it_is_about(prompt: str, name: str) -> None:
    assert slug(prompt) == name


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ((None, None, None), (2.0, 12, 25.0)),
        ((1.0, None, None), (1.0, 6, 25.0)),
        ((1.0, 3, None), (1.0, 3, 50.0)),
        ((None, 4, None), (0.67, 4, 25.0)),
        ((2.0, None, 20.0), (2.0, 15, 20.0)),
        ((0.01, None, None), (0.01, 2, 0.75)),
    ],
)
def test_length_and_number_of_scenes_follow_from_each_other(asked: Any, size: Any) -> None:
    assert sized(*asked, rate=150.0) == size


def test_a_film_of_so_many_words_lasts_about_as_long_as_was_asked_for() -> None:
    rate = in_film(words_a_minute(ADA, "en"))
    length, scenes, words = sized(2.0, None, None, rate)
    text = " ".join(["word " * 9 + "word."] * round(words / 10))
    assert minutes([{"narration": text}] * scenes, ADA, "en") == pytest.approx(length, rel=0.1)


def test_languages_have_names_and_units() -> None:
    assert told(brief(language="zh-TW"))["film"]["unit"] == "letters"
    assert (language_name("de"), language_name("de-AT"), language_name("tlh")) == (
        "German",
        "German (de-AT)",
        "the language with the tag tlh",
    )


@pytest.mark.parametrize(
    ("text", "language", "may_be"),
    [
        ("Strangers knock on the door, and nobody is home.", "en", True),
        ("Strangers knock on the door, and nobody is home.", "de", False),
        ("Fremde klopfen an die Tür, und niemand ist da.", "de", True),
        ("Fremde klopfen an die Tür, und niemand ist da.", "en", False),
        ("Des inconnus frappent à la porte, et personne ne répond.", "fr", True),
        ("Strangers knock on the door, and nobody is home.", "pl", False),
        ("Nieznajomi pukają do drzwi, a nikogo nie ma w domu.", "pl", True),
        ("Främlingar knackar på dörren, och ingen är hemma.", "sv", True),
        ("陌生人敲门。", "zh", True),
        ("陌生人敲门。", "en", False),
        ("知らない人がドアをノックする。", "ja", True),
        ("Незнакомцы стучат в дверь.", "ru", True),
        ("Strangers knock on the door.", "ru", False),
        ("Knock, knock.", "de", True),
        ("443, 25, 80!", "de", True),
        ("Die GmbH.", "en", True),
    ],
)
def test_a_wrong_language_is_noticed_and_a_right_one_is_not(text: str, language: str, may_be: bool) -> None:
    assert plausible(text, language) is may_be
