"""mikebot translate: the same film in another language beside the first, with the same pictures."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from ..digests import Digests
from ..document import shown
from ..errors import UsageError
from ..inplace import create, held
from ..load import load
from ..places import storyboard_file, workspace
from ..storyboard import Storyboard
from ..write import compose
from ..write.languages import language_name
from ..write.model import Model
from ..write.place import language_tag
from ..write.progress import Progress
from ..write.translate import translate
from .write import brief_of, chosen, limits, own_prompts


def run(args: argparse.Namespace) -> int:
    """Write the translation; 1 if a scene of it stayed as it was."""
    file = storyboard_file(Path(args.path)).absolute()
    root, language = workspace(file.parent), language_tag(args.language)
    raw = held(file)
    board = load(file, root, Digests()).board
    out = _out(args.out, file, language)
    if language == board.language:
        raise UsageError(f"{shown(file)} is in '{language}' already", "name another --language")
    say = Progress(as_json=args.json, language=language)
    for word in sorted(board.pronunciation)[:1]:
        say.note(f"pronunciation is copied as it is: does the voice of '{language}' need '{word}' said otherwise?")
    if accent := _accent(board, language):
        say.note(accent)
    with chosen(args, say) as model:
        brief = brief_of(board, "translate", args.seed, language)
        about = {"source_name": language_name(board.language)}
        at = compose.desk(brief, model, own_prompts(root, say), limits(args), say, "translator", **about)
        say.begin("title")
        made, left = translate(at, raw, shown(file))
        made = _signed(made, file, board.language, language, model, brief.seed)
    try:
        create(out, made)
    except FileExistsError:
        raise UsageError(f"{shown(out)} was written by somebody else meanwhile", "name another with --out") from None
    text = f"wrote {shown(out)}: {len(board.scenes) - left} of {len(board.scenes)} scenes translated"
    say.done({"file": str(out), "scenes": len(board.scenes), "left": left}, f"{text}\nmikebot render {shown(out)}")
    return 1 if left else 0


def _accent(board: Storyboard, language: str) -> str:
    """What is to be said of a persona whose voice is one of another language."""
    voice = board.persona.voice.get("espeak", {}).get("voice", "") if board.persona else ""
    spoken = re.match(r"[a-z]{2,3}(?=-|\+|$)", str(voice))
    if spoken is None or board.persona is None or spoken[0] == language.partition("-")[0]:
        return ""
    return f"the voice of '{board.persona.id}' is {voice}: it speaks '{language}' with that accent"


def _out(named: str | None, file: Path, language: str) -> Path:
    """Where the translation goes: beside the storyboard, since it names the same files."""
    out = Path(named).absolute() if named else file.with_name(f"{file.stem}.{language}.yaml")
    if out.parent != file.parent:
        raise UsageError(
            f"{shown(out)} is in another folder", f"name a file in {shown(file.parent)}/: paths start there"
        )
    if out.suffix not in {".yaml", ".yml"}:
        raise UsageError(f"{shown(out)} is no name of a storyboard", "let it end in .yaml")
    if out.exists():
        raise UsageError(f"{shown(out)} is there already", "remove it, or name another with --out")
    return out


def _signed(made: bytes, file: Path, source: str, language: str, model: Model, seed: int) -> bytes:
    """A line below the first that tells how the translation came about."""
    own = f"{model.name}{f' {model.revision}' if model.revision else ''}, seed {seed}"
    line = f"# translated from {file.name}, {source} to {language}, by {own}"
    end = b"\r\n" if b"\r\n" in made else b"\n"
    head = re.match(rb"(?:\xef\xbb\xbf)?(?:#[^\r\n]*\r?\n)?", made)
    place = head.end() if head else 0
    return made[:place] + " ".join(line.split()).encode() + end + made[place:]
