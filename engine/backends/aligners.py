"""What can find words in a recording, and whether it is there; nothing heavy is imported to tell."""

from __future__ import annotations

from importlib.util import find_spec

ALIGNERS = ("auto", "pocketsphinx", "espeak")
MISSING = "pocketsphinx is not installed: pip install 'mikebot[align]' finds words in English recordings"


def sphinx_installed() -> bool:
    """Is pocketsphinx there, which aligns English?"""
    return find_spec("pocketsphinx") is not None
