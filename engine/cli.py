"""The command line: parse, wire together, and say what went wrong. A command is imported when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from . import __version__
from .errors import AuthorError, MikebotError

UNTIL = ("speech", "narration", "still", "clip", "talk", "scene", "joint", "music", "sound", "film")
SHAPES = ("wide", "shorts", "square")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0 done, 1 a step failed, 2 the author's mistake, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        getattr(stream, "reconfigure", lambda **_: None)(encoding="utf-8", errors="replace")
    args = _parsed(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return int(importlib.import_module(f".commands.{args.command}", __package__).run(args))
    except MikebotError as error:
        prefix = "" if isinstance(error, AuthorError) else "mikebot: "
        print(f"{prefix}{error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("mikebot: interrupted; what was finished is kept, and the next run goes on from there", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Whoever read us has gone: say no more.
        return 1
    except OSError as error:
        print(f"mikebot: {error.strerror or error}: {error.filename or 'input or output'}", file=sys.stderr)
        return 1


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line; revisions may stand behind options, where argparse itself takes none."""
    parser = _parser()
    args, late = parser.parse_known_args(argv)
    if "revisions" in args and not any(word.startswith("-") for word in late):
        args.revisions += late
    elif late:
        parser.error(f"unrecognized arguments: {' '.join(late)}")
    return args


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mikebot", description="Renders a storyboard into a film.")
    parser.add_argument("--version", action="version", version=f"mikebot {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _authoring(commands)
    _speaking(commands)
    _writing(commands)
    _personas(commands)
    _upkeep(commands)
    return parser


def _authoring(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    check = commands.add_parser("check", help="every mistake in storyboards, personas and profiles")
    check.add_argument("paths", nargs="+", metavar="PATH", help="a storyboard, its folder, a persona or a profile")
    check.add_argument("--format", choices=("text", "json", "github"), default="text")
    check.add_argument("--script", action="store_true", help="advice, too: length, pace, openings, prompts")
    check.add_argument("--minutes", type=_positive, metavar="M", help="advice, too: how far the film is from M minutes")

    plan = commands.add_parser("plan", help="what a render would do, why, and how long that takes")
    _board(plan)
    plan.add_argument("--json", action="store_true", help="one JSON object")

    render = commands.add_parser("render", help="make the film; only what changed is made again")
    _board(render)
    render.add_argument("--scene", action="append", default=[], metavar="ID", help="this scene, no joints; repeatable")
    render.add_argument("--until", choices=UNTIL, default="film", metavar="KIND", help="stop after this kind of step")
    render.add_argument("--max-minutes", type=_positive, metavar="M", help="refuse if it may take longer")
    render.add_argument("--out", metavar="FILE", help="where the film goes")
    render.add_argument("--stems", action="store_true", help="narration, music and picture apart, too")
    render.add_argument("--lanes", type=_count, default=0, metavar="N", help="steps at once (default: one a core)")
    _vram(render)
    render.add_argument("--fetch", action="store_true", help="first download the models that are missing")
    render.add_argument("--json", action="store_true", help="JSON lines on standard output")

    watch = commands.add_parser("watch", help="render at every save, and show it on a page")
    _board(watch)
    watch.add_argument("--port", type=_port, metavar="N", help="of the page (8740, or the next that is free)")
    watch.add_argument("--open", action="store_true", help="open the page in a browser")
    watch.add_argument(
        "--editor", metavar="ADDRESS", help="of a place in your editor: vscode://file{path}:{line}:{column}"
    )
    watch.add_argument("--lanes", type=_count, default=0, metavar="N", help="steps at once (default: one a core)")
    _vram(watch)

    why = commands.add_parser("why", help="why a scene, or one step of it, would run or did run last")
    _board(why)
    why.add_argument("scene", metavar="SCENE[/KIND]")

    diff = commands.add_parser("diff", help="what changed in meaning since a revision, and what that would run")
    _board(diff)
    diff.add_argument("revisions", nargs="*", metavar="REV", help="a commit, branch or tag (HEAD); or two of them")
    diff.add_argument("--json", action="store_true", help="one JSON object")


def _speaking(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    say = commands.add_parser("say", help="hear a text in a persona's voice, at once")
    say.add_argument("text", metavar="TEXT", help="what is said")
    say.add_argument("--persona", metavar="NAME", help="who says it (the workspace's, where it has one alone)")
    say.add_argument("--profile", default="draft", metavar="P", help="draft unless another is named")
    say.add_argument("--language", default="en", metavar="L", help="what is spoken, as a tag: en, de, zh (en)")
    say.add_argument("--seed", type=_whole, default=0, metavar="N", help="another draw, where a voice draws")
    say.add_argument("--out", metavar="FILE", help="where the WAV goes, and nothing is played")
    _vram(say)
    say.add_argument("path", nargs="?", default=".", metavar="PATH", help="somewhere in the workspace")
    _store(say)


def _writing(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    write = commands.add_parser("write", help="a storyboard from a prompt, or from notes")
    write.add_argument("prompt", nargs="?", metavar="PROMPT", help="what the film is about; or a file of notes")
    write.add_argument("--persona", metavar="NAME", help="who explains (the workspace's, where it has one alone)")
    write.add_argument("--name", metavar="NAME", help="of the project's folder (from the prompt)")
    write.add_argument("--minutes", type=_positive, metavar="M", help="how long the film is (2)")
    write.add_argument("--scenes", type=_count, metavar="N", help="how many scenes it has (six a minute)")
    write.add_argument("--words-a-scene", type=_positive, metavar="N", help="how many words are said in one")
    write.add_argument("--language", metavar="L", help="what is spoken, as a tag: en, de, zh (en)")
    write.add_argument("--source", nargs="+", default=[], metavar="FILE", help="material: text, Markdown, PDF")
    write.add_argument("--outline", metavar="FILE", help="make scenes of these notes, without a model")
    write.add_argument("--scaffold", action="store_true", help="an empty arc to fill in, without a model")
    write.add_argument("--titles", type=_count, metavar="N", help="propose so many titles, and write nothing")
    write.add_argument("--continue", dest="continued", metavar="PATH", help="go on with a storyboard")
    _model(write)

    revise = commands.add_parser("revise", help="change scenes as an instruction says, and nothing else")
    revise.add_argument("path", metavar="PATH", help="a storyboard or its folder")
    revise.add_argument("instruction", metavar="INSTRUCTION", help='what to change: "make the second scene funnier"')
    revise.add_argument("--scene", action="append", default=[], metavar="ID", help="this scene alone; repeatable")
    revise.add_argument("--yes", action="store_true", help="write it without asking")
    _model(revise)

    translate = commands.add_parser("translate", help="the same film in another language, its pictures kept")
    translate.add_argument("path", metavar="PATH", help="a storyboard or its folder")
    translate.add_argument("--language", required=True, metavar="L", help="into which, as a tag: de, fr, zh")
    translate.add_argument("--out", metavar="FILE", help="instead of NAME.L.yaml beside it")
    _model(translate)


def _model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", metavar="SPEC", help="served:URL, served:URL#MODEL, local:FOLDER or local:ID@REVISION"
    )
    parser.add_argument("--seed", type=_whole, metavar="N", help="the same seed writes the same, where the model can")
    parser.add_argument("--tries", type=_whole, default=2, metavar="N", help="how often to ask again for one scene (2)")
    parser.add_argument("--max-tokens", type=_count, default=200_000, metavar="N", help="stop after so many (200000)")
    parser.add_argument("--max-seconds", type=_positive, default=3600.0, metavar="S", help="stop after so long (3600)")
    parser.add_argument("--json", action="store_true", help="JSON lines on standard output")


def _personas(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    persona = commands.add_parser("persona", help="what a persona has, and the making of its voice")
    actions = persona.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="what a persona has, and with what it was made")
    show.add_argument("name", metavar="NAME", help="of the persona's folder")
    show.add_argument("path", nargs="?", default=".", metavar="PATH", help="somewhere in the workspace")
    voice = actions.add_parser("voice", help="make a voice of recordings, or say how close one is")
    voice.add_argument("name", metavar="NAME", help="of the persona's folder")
    voice.add_argument(
        "--from", dest="sources", nargs="+", default=[], metavar="PATH", help="recordings and their texts, or folders"
    )
    voice.add_argument("--base", metavar="MODEL", help="train from this .nemo, or the model that holds one")
    voice.add_argument("--codec", metavar="MODEL", help="its codec (what the base names)")
    voice.add_argument("--minutes", type=_positive, metavar="N", help="train so long at most")
    voice.add_argument("--language", default="en", metavar="L", help="what is spoken, as a tag (en)")
    voice.add_argument("--again", action="store_true", help="make another voice in the place of one")
    voice.add_argument("--evaluate", action="store_true", help="words heard wrong, and how alike the speakers are")
    voice.add_argument("--whisper", metavar="MODEL", help="who writes down what is said (openai/whisper-small)")
    voice.add_argument("--speaker-model", metavar="MODEL", help="who tells speakers apart (wavlm-base-plus-sv)")
    voice.add_argument("--path", default=".", metavar="DIR", help="somewhere in the workspace")


def _upkeep(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    gc = commands.add_parser("gc", help="free what no storyboard and no recent render reaches")
    gc.add_argument("path", nargs="?", default=".", metavar="PATH", help="somewhere in the workspace")
    gc.add_argument("--cap", type=_amount, default=50.0, metavar="GB", help="most that the store may hold (50)")
    gc.add_argument("--free", type=_amount, default=5.0, metavar="GB", help="least that stays free on the disk (5)")
    gc.add_argument("--days", type=_amount, default=30.0, help="renders of so many days are kept (30)")
    _store(gc)

    verify = commands.add_parser("verify", help="hash every artifact again, and make a sample of results again")
    verify.add_argument("path", nargs="?", default=".", metavar="PATH", help="somewhere in the workspace")
    verify.add_argument("--sample", type=_whole, default=8, metavar="N", help="results to make again (8)")
    _store(verify)

    fetch = commands.add_parser("fetch", help="download the models that a profile names; a second run goes on")
    which = fetch.add_mutually_exclusive_group()
    which.add_argument("--profile", default="draft", metavar="P", help="draft, which needs none, unless named")
    help_ = "one that a voice is made with, by its name on the hub, or MODEL@REVISION; repeatable"
    which.add_argument("--model", dest="models", action="append", default=[], metavar="MODEL", help=help_)
    fetch.add_argument("path", nargs="?", default=".", metavar="PATH", help="somewhere in the workspace")

    doctor = commands.add_parser("doctor", help="what this machine has, and what a profile needs")
    doctor.add_argument("--profile", default="draft", metavar="P")
    doctor.add_argument("path", nargs="?", default=".", metavar="PATH", help="somewhere in the workspace")
    doctor.add_argument("--json", action="store_true", help="one JSON object")
    _store(doctor)

    init = commands.add_parser("init", help="make a workspace with one small project")
    init.add_argument("path", metavar="DIR")
    init.add_argument("--vscode", action="store_true", help="with a .vscode folder: schemas, tasks, problem matchers")


def _board(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", help="a storyboard or its folder")
    parser.add_argument("--profile", default="draft", metavar="P", help="draft unless another is named")
    parser.add_argument("--format", choices=SHAPES, default="", help="laid out for 16:9, 9:16 or 1:1")
    _store(parser)


def _vram(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--vram",
        type=_positive,
        default=0.0,
        metavar="GB",
        help="what models may keep of a GPU's memory (what is free)",
    )


def _within(kind: type[float], least: float, most: float, text: str, words: str) -> float:
    """A number from the command line; ArgumentTypeError says what it must be."""
    try:
        number = kind(text)
    except ValueError:
        number = float("nan")
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"must be {words}, not {text}")
    return number


def _count(text: str) -> int:
    return int(_within(int, 1, sys.maxsize, text, "a whole number of at least 1"))


def _whole(text: str) -> int:
    return int(_within(int, 0, sys.maxsize, text, "a whole number of at least 0"))


def _port(text: str) -> int:
    return int(_within(int, 0, 65535, text, "a whole number from 0 to 65535"))


def _positive(text: str) -> float:
    return _within(float, sys.float_info.min, sys.float_info.max, text, "a number above 0")


def _amount(text: str) -> float:
    return _within(float, 0, sys.float_info.max, text, "a number of at least 0")


def _store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--store", metavar="DIR", help="instead of .mikebot in the workspace, or MIKEBOT_STORE")


if __name__ == "__main__":
    sys.exit(main())
