"""Nothing changed: a whole process that finds out so; ninja and doit, with six trivial steps a scene, beside it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from .place import Options, Place, mikebot, rendered, run, usual
from .table import Figure

AIMS = {100: 0.10, 1000: 0.15}
STEPS = 6


def figures(options: Options) -> Iterator[Figure]:
    """Seconds for a small film and a large one."""
    for scenes in sorted({min(100, options.scenes), options.scenes}):
        what, aim = f"nothing changed, {scenes:,} scenes", AIMS.get(scenes)
        place = rendered(options.room, scenes)
        ours = nothing(place)
        for peer, seconds in ((ninja(options.room, scenes), "ninja"), (doit(options.room, scenes), "doit")):
            yield Figure(what, ours, "s", aim, peer=seconds, peer_value=peer)
        yield Figure(f"{what}, without last time's note", forgotten(place), "s")


def nothing(place: Place) -> float:
    """Seconds of a render that has nothing to do."""
    return usual(lambda: run(mikebot("render", place.board), place.root, place.root.parent))


def forgotten(place: Place) -> float:
    """The same by the ordinary way: load, plan, look every key up, copy the film."""

    def once() -> float:
        shutil.rmtree(place.root / ".mikebot" / "notes")
        return run(mikebot("render", place.board), place.root, place.root.parent)

    return usual(once, 3)


def ninja(room: Path, scenes: int) -> float | None:
    """Seconds of ninja with nothing to do; None where it is not installed."""
    beside = Path(sys.executable).parent / "ninja"
    program = str(beside) if beside.exists() else shutil.which("ninja")
    if program is None:
        return None
    folder = room / f"ninja-{scenes}"
    folder.mkdir()
    lines = ["rule step", "  command = cp $in $out"]
    for scene in range(scenes):
        (folder / f"{scene}.0").write_text(f"scene {scene}\n")
        lines += [f"build {scene}.{step}: step {scene}.{step - 1}" for step in range(1, STEPS + 1)]
    (folder / "build.ninja").write_text("\n".join(lines) + "\n")
    run([program], folder, room)
    return usual(lambda: run([program], folder, room))


def doit(room: Path, scenes: int) -> float:
    """Seconds of doit with nothing to do; it keeps MD5 digests of what it reads."""
    folder = room / f"doit-{scenes}"
    folder.mkdir()
    for scene in range(scenes):
        (folder / f"{scene}.0").write_text(f"scene {scene}\n")
    (folder / "dodo.py").write_text(
        "import shutil\n"
        "DOIT_CONFIG = {'verbosity': 0}\n"
        "def task_step():\n"
        f"    for scene in range({scenes}):\n"
        f"        for step in range(1, {STEPS + 1}):\n"
        "            before, after = f'{scene}.{step - 1}', f'{scene}.{step}'\n"
        "            yield {'name': after, 'file_dep': [before], 'targets': [after],\n"
        "                   'actions': [(shutil.copyfile, [before, after])]}\n"
    )
    command = [sys.executable, "-m", "doit"]
    run(command, folder, room)
    return usual(lambda: run(command, folder, room), 3)
