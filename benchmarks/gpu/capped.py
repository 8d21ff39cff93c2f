"""A profile inside a card of 24 GB and a machine of 32 GB: both held to that, in a process of its own.

The device: all but the cap is taken first, so that the driver has no more to give. The machine: a cgroup of 32 GB
without swap, where one can be made (files that are read count in it, as on a machine of that size); in any case the
process's own memory (anonymous and shared, not files) is watched.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..place import HERE
from ..table import Figure
from .beside import Loaded, Place, reckoned, reset
from .subjects import Subject, clip, still

DEVICE, MACHINE = 24.0, 32.0  # GB.
_GROUPS = Path("/sys/fs/cgroup")


def figures(place: Place, subject: Subject, what: str) -> Iterator[Figure]:
    """Make one step of a profile under both caps; a process that breaks one of them ends, and this says so."""
    group = _group() if place.full else None
    command = [sys.executable, "-m", __spec__.name, what, str(place.room), "full" if place.full else "tiny"]
    if group is not None:
        _forget_files()
        command = ["sh", "-c", 'echo $$ >"$0"/cgroup.procs && exec "$@"', str(group), *command]
    taken = _taken() if place.full else None
    done = subprocess.run(
        command, cwd=HERE, env={**os.environ, "PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE, check=False
    )
    del taken
    name = f"desktop, {subject.params.model}, {subject.name}"
    if done.returncode:
        yield Figure(f"{name}: FAILED under its caps, status", done.returncode, "", 0)
        return
    said: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    caps = (DEVICE, MACHINE) if place.full else (None, None)
    yield Figure(f"{name}: load", said["load"], "s")
    yield Figure(f"{name}: whole, {subject.steps} steps", said["whole"], "s")
    yield Figure(f"{name}: a step", said["step"], "s")
    yield Figure(f"{name}: most of the device, driver included", said["device"], "GB", caps[0])
    yield Figure(f"{name}: most of the machine, the process's own", said["machine"], "GB", caps[1])
    if group is not None:
        most = int((group / "memory.peak").read_text()) / 1e9
        yield Figure(f"{name}: most of the machine, files included (cgroup)", most, "GB", caps[1])
        group.rmdir()


def subjects(place: Place, what: str) -> Subject:
    """The step of the profile desktop that is meant."""
    changes: dict[str, Any] = {} if place.full else {"quantization": {}}
    if what == "still":
        return still("flux", "desktop", place.full, **changes)
    return clip("wan22-ti2v", "desktop", place.full, place.room, 3, **changes)


def main() -> None:
    """The capped process: prints what it took, as JSON."""
    what, room, full = sys.argv[1], Path(sys.argv[2]), sys.argv[3] == "full"
    most = [0.0]
    threading.Thread(target=_watch, args=(most,), daemon=True).start()
    place = Place(room, full, 0.0)
    loaded = Loaded(subjects(place, what))
    run = loaded.run(room / f"capped-{what}")
    took = {
        "load": loaded.seconds,
        "whole": reckoned(loaded.subject, run),
        "step": run.step,
        "machine": most[0],
        "device": _reserved(full),
    }
    print(json.dumps(took))


def _taken() -> Any:
    """All of the device but the cap, for as long as it is held."""
    import torch

    reset()
    free = torch.cuda.mem_get_info()[0]
    return torch.empty(int(free - DEVICE * 1e9), dtype=torch.uint8, device="cuda")


def _reserved(full: bool) -> float:
    """The most that torch had taken, and what the driver has taken for itself."""
    import torch

    if not full:
        return 0.0
    driver = DEVICE * 1e9 - torch.cuda.mem_get_info()[0] - torch.cuda.memory_reserved()
    return (torch.cuda.max_memory_reserved() + driver) / 1e9


def _watch(most: list[float]) -> None:
    """Sample what the process itself takes of the machine."""
    pause = threading.Event()
    while not pause.wait(0.05):
        lines = Path("/proc/self/status").read_text().splitlines()
        said = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Rss")}
        most[0] = max(most[0], sum(int(said.get(name, 0)) for name in ("RssAnon", "RssShmem")) * 1024 / 1e9)


def _group() -> Path | None:
    """A cgroup with the machine's cap, if this process may make one."""
    group = _GROUPS / f"mikebot-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.max").write_text(str(int(MACHINE * 1e9)))
        (group / "memory.swap.max").write_text("0")
    except OSError:
        return None
    return group


def _forget_files() -> None:
    """Files that are in memory already would count for nobody."""
    try:
        os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        print("files stay in memory: they are not counted", file=sys.stderr)


if __name__ == "__main__":
    main()
