"""mikebot say: hear a text in a persona's voice, at once, by the same steps as in a film."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ..build import Built, build, ungated
from ..digests import Digests
from ..document import parse, shown
from ..errors import UsageError
from ..executors.local import LocalExecutor
from ..load import board_of
from ..places import named_persona, store_folder, workspace
from ..profile import load_profile, profile_files
from ..project import Project, judge
from ..remarks import remarks
from ..report import Tally, seconds
from ..store import Store

MOST = 5000  # Characters, as in a scene.
SCENE = "said"
# What plays a WAV file, in the order in which it is looked for; the file comes last.
PLAYERS: Sequence[Sequence[str]] = (
    ("afplay",),
    ("pw-play",),
    ("paplay",),
    ("aplay", "-q"),
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "quiet"),
)


def run(args: argparse.Namespace) -> int:
    """Say it, put it where it was asked for, and play it where there is a player."""
    begun = time.monotonic()
    text = " ".join(args.text.split())
    if not text:
        raise UsageError("there is nothing to say", 'type a text: mikebot say "Hello."')
    if len(text) > MOST:
        raise UsageError(f"the text has {len(text):,} characters; at most {MOST:,} are said at once", "say less")
    if args.out and not args.out.lower().endswith(".wav"):
        raise UsageError(f"--out names a WAV file, not {args.out}", "let its name end in .wav")
    root = workspace(Path(args.path))
    project = _project(root, named_persona(root, args.persona), text, args)
    out = Path(args.out).absolute() if args.out else project.store / f"{SCENE}.wav"
    store = Store(project.store)
    try:
        tally = Tally()
        built = _built(project, store, args.vram, tally)
        store.checkout(built.results[f"{SCENE}/narration"].outputs["audio"], out)
        for name, note in remarks(built, store, built.steps):
            sys.stderr.write(f"{name}: {note}\n")
    finally:
        store.close()
        project.loaded_digests.save()
    print(f"{shown(out)}  ({tally.built} made, {tally.hits} kept, {seconds(time.monotonic() - begun)})")
    if not args.out:
        _play(out)
    return 0


def _project(root: Path, persona: Path, text: str, args: argparse.Namespace) -> Project:
    """A film of nothing but its narration. Raises AuthorError, UsageError, Refused."""
    scene = {"id": SCENE, "narration": text, "image_prompt": "-", "video_prompt": "-", "on_screen": False}
    said = {"title": "Said", "persona": persona.name, "language": args.language, "seed": args.seed, "scenes": [scene]}
    raw = json.dumps(said).encode()
    folder = store_folder(root, args.store)
    digests = Digests(folder / "digests.json")
    behind = profile_files(args.profile, root)
    loaded = board_of(parse(raw, "mikebot say"), raw, persona / SCENE, root, digests, None)
    loaded = loaded._replace(files=())
    project = Project(root, root, folder, loaded, load_profile(args.profile, root), behind, digests)
    return judge(project) if loaded.person is not None else project


def _built(project: Project, store: Store, vram: float, tally: Tally) -> Built:
    for warning in project.loaded.warnings:
        sys.stderr.write(f"{warning}\n")
    executor = LocalExecutor(store.root, vram=vram)
    try:
        sources, gate = project.loaded.sources, project.gate or ungated
        return build(lambda: project.planner("narration"), store, executor, sources, tally.count, gate=gate)
    finally:
        executor.close()


def _play(file: Path) -> None:
    """Play a file to its end with what there is, or leave it at having said where it is."""
    player = next((player for player in PLAYERS if shutil.which(player[0])), None)
    if player is not None:
        subprocess.run([*player, str(file)], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    elif sys.platform == "win32":
        import winsound

        winsound.PlaySound(str(file), winsound.SND_FILENAME)
