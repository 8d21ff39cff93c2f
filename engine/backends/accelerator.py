"""The GPU and the memory that this machine has, and in words why torch sees no CUDA device where it sees none."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import warnings
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

NO_DEVICE = "Use a profile for this machine, or set device: auto."
NO_CUDA = "Use a profile for this machine, set device: auto, or install a torch that is built for CUDA."
_TOO_OLD = re.compile(r"driver on your system is too old \(found version (\d+)\)")


class Trouble(NamedTuple):
    """Why there is no CUDA device, and what to do."""

    message: str
    hint: str


class Gpu(NamedTuple):
    """A CUDA device: its memory in bytes, and the version of its driver where that can be told."""

    name: str
    free: int
    total: int
    driver: str


def trouble(torch: Any) -> Trouble | None:
    """Why torch sees no CUDA device; None where it sees one."""
    if torch.version.cuda is None:
        return Trouble(f"torch {torch.__version__} is built without it", NO_CUDA)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        if torch.cuda.is_available():
            return None
    return told([str(warning.message) for warning in said], torch.__version__, torch.version.cuda)


def told(warned: Sequence[str], torch: str, built: str) -> Trouble:
    """The same from what torch warned of; it has no other way to tell a driver that is too old."""
    text = " ".join(warned)
    if old := _TOO_OLD.search(text):
        has = f"{int(old[1]) // 1000}.{int(old[1]) % 1000 // 10}"
        message = f"the NVIDIA driver is too old: it knows CUDA {has}, and torch {torch} is built for CUDA {built}"
        return Trouble(message, f"Update the driver, or install a torch that is built for CUDA {has}.")
    if "no NVIDIA driver" in text:
        hint = "Install the driver, or use a profile for this machine."
        return Trouble(f"torch {torch} finds no NVIDIA driver", hint)
    return Trouble(f"torch {torch} sees none", NO_DEVICE)


def gpus(torch: Any) -> list[Gpu]:
    """The CUDA devices that torch sees."""
    found = []
    for number in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(number)
        found.append(Gpu(torch.cuda.get_device_name(number), free, total, _driver()))
    return found


def host() -> tuple[int, int] | None:
    """Free and total bytes of this machine's own memory, or of what this process may have of it; None if unknown."""
    about = Path("/proc/meminfo")
    if not about.is_file():
        return _elsewhere()
    said = dict(re.findall(r"^(\w+):\s+(\d+) kB$", about.read_text("ascii"), re.MULTILINE))
    free, total = int(said["MemAvailable"]) * 1024, int(said["MemTotal"]) * 1024
    with contextlib.suppress(OSError, ValueError):  # A container may have less; "max" is no number.
        most = int(Path("/sys/fs/cgroup/memory.max").read_text("ascii"))
        used = int(Path("/sys/fs/cgroup/memory.current").read_text("ascii"))
        free, total = min(free, max(0, most - used)), min(total, most)
    return free, total


def _elsewhere() -> tuple[int, int] | None:
    """On other systems: accelerate brings psutil along."""
    try:
        memory = import_module("psutil").virtual_memory()
    except ImportError:
        return None
    return int(memory.available), int(memory.total)


def _driver() -> str:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ""
    asked = [tool, "--query-gpu=driver_version", "--format=csv,noheader"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout.strip().split("\n")[0] if done.returncode == 0 else ""
