"""mikebot persona: what a persona has, and the making of its voice."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..digests import Digests
from ..document import Document, read
from ..errors import AuthorError, UsageError
from ..load import persona_mistakes
from ..places import workspace


def run(args: argparse.Namespace) -> int:
    """One of the command's own commands."""
    return int({"show": show, "voice": voice}[args.action](args))


def show(args: argparse.Namespace) -> int:
    """Tell what a persona has, and with what it was made."""
    from ..introduced import introduced
    from ..places import named_persona

    file = named_persona(workspace(Path(args.path)), args.name) / "persona.yaml"
    print("\n".join(introduced(_right(file), file.parent)))
    return 0


def _right(file: Path) -> Document:
    """A persona's file, if it is right. Raises AuthorError."""
    found = [mistake for mistake in persona_mistakes(file, workspace(file), Digests()) if mistake.severity == "error"]
    if found:
        raise AuthorError(found)
    return read(file)[0]


def voice(args: argparse.Namespace) -> int:
    """Make a voice of recordings, or say how close one is."""
    from ..train.progress import Shown
    from ..train.voice import Request, make, measure

    root = workspace(Path(args.path))
    sources = tuple(Path(name) for name in args.sources)
    if args.evaluate == bool(sources):
        message = "persona voice needs --from, to make a voice, or --evaluate, to say how close one is"
        raise UsageError(message, "name one of them")
    if args.minutes and not args.base:
        raise UsageError("--minutes is for training, which begins with a model", "name one: --base MODEL")
    models = {"whisper": args.whisper, "speaker": args.speaker_model}
    request = Request(
        args.name,
        sources,
        args.base or "",
        args.codec or "",
        args.minutes,
        args.language,
        again=args.again,
        **{name: value for name, value in models.items() if value},
    )
    with Shown(sys.stdout, sys.stderr) as show:
        (measure if args.evaluate else make)(root, request, show)
    return 0
