"""What a draft shows of a person who has not agreed: a silhouette, who speaks with the language's own voice."""

from __future__ import annotations

from dataclasses import replace

from ..backends import find
from ..probe import image
from ..storyboard import Persona, Profile

_DEPICTING = ("speech", "still", "clip", "talk")


def depicts(profile: Profile) -> bool:
    """Whether a profile makes more of a person than the files that it is given: then no silhouette helps."""
    return any(getattr(find(kind, profile.kinds[kind].backend), "likeness", True) for kind in _DEPICTING)


def stand_in(persona: Persona) -> Persona:
    """Nobody, in the place of a persona: no portrait, no look, no voice, no words for how they look."""
    shape = image(persona.portrait.image.path) if persona.portrait is not None else ()
    nothing = replace(persona, trigger="", appearance="", wardrobe="", portrait=None, look=None)
    return replace(nothing, voice={}, voice_files={}, silhouette=shape)
