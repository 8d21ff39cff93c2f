"""How much memory there is for models: the GPU's where torch has one, else the machine's. Nothing heavy is imported."""

from __future__ import annotations

import contextlib
import gc
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import OutOfMemory

_GROUP = Path("/sys/fs/cgroup")  # What a container may use is less than what the machine has.
_SAID = ("out of memory", "can't allocate memory", "cannot allocate memory", "failed to allocate")


def card() -> Any:
    """torch.cuda, once a backend has brought torch and there is a GPU; else None."""
    torch: Any = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_available() else None


def spare() -> int:
    """Bytes of the machine's memory that a model could take now; without psutil as many as one likes."""
    try:
        free = int(import_module("psutil").virtual_memory().available)
    except ImportError:
        return sys.maxsize
    with contextlib.suppress(OSError, ValueError, KeyError):
        stat = dict(line.split() for line in (_GROUP / "memory.stat").read_text().splitlines())
        used = int((_GROUP / "memory.current").read_text()) - int(stat["active_file"]) - int(stat["inactive_file"])
        free = min(free, int((_GROUP / "memory.max").read_text()) - used)
    return free


def free() -> int:
    """Bytes of the device that this process has or could have."""
    cuda = card()
    return int(cuda.mem_get_info()[0] + cuda.memory_reserved()) if cuda is not None else spare()


def taken() -> int:
    """Bytes of the device that are in use by this process; from now on `peak` counts anew."""
    cuda = card()
    if cuda is None:
        return 0
    cuda.reset_peak_memory_stats()
    return int(cuda.memory_allocated())


def peak() -> int:
    """The most bytes of the device that this process has used at once since `taken` was asked."""
    cuda = card()
    return int(cuda.max_memory_allocated()) if cuda is not None else 0


def tidy() -> None:
    """Give back what nothing holds any more, to the device too."""
    gc.collect()
    cuda = card()
    if cuda is not None:
        cuda.empty_cache()


def ran_out(error: BaseException | None) -> bool:
    """Whether an error, or the one behind it, says that there was too little memory."""
    while error is not None:
        if isinstance(error, (MemoryError, OutOfMemory)) or any(words in str(error).lower() for words in _SAID):
            return True
        error = error.__cause__
    return False
