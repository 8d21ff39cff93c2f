"""Makes a virtual environment with pip in it, also where the system's Python came without ensurepip (Debian).

There, the wheel of pip is fetched from the package index and installs itself: a wheel can be run as it is.
"""

from __future__ import annotations

import hashlib
import html
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import venv
from importlib.util import find_spec
from pathlib import Path

LEAST = (3, 11)
INDEX = "https://pypi.org/simple"
LINK = re.compile(r'<a\s[^>]*?href="([^"#]*/(pip-(\d+(?:\.\d+)+)-py3-none-any\.whl))#sha256=([0-9a-f]{64})"([^>]*)>')


def main() -> int:
    folder = Path(sys.argv[1])
    if sys.version_info < LEAST:
        least, here = ".".join(map(str, LEAST)), sys.version.split(maxsplit=1)[0]
        return say(f"mikebot needs Python {least} or newer, and this is {here}: name one, e.g. PYTHON=python{least}")
    bundled = find_spec("ensurepip") is not None
    venv.create(folder, with_pip=bundled, symlinks=os.name != "nt")
    if not bundled:
        python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        with tempfile.TemporaryDirectory() as scratch:
            wheel = fetch(Path(scratch))
            subprocess.run([python, f"{wheel}/pip", "install", "--quiet", "--no-index", wheel], check=True)
    return 0


def fetch(folder: Path) -> Path:
    """The newest pip of the index that pip would ask, its digest compared."""
    index = os.environ.get("PIP_INDEX_URL", INDEX).rstrip("/") + "/pip/"
    try:
        page = read(index).decode()
        links = [link for link in LINK.findall(page) if "data-yanked" not in link[4]]
        link, name, _, digest, _ = max(links, key=lambda found: tuple(map(int, found[2].split("."))))
        body = read(urllib.parse.urljoin(index, html.unescape(link)))
    except (OSError, ValueError) as error:
        raise SystemExit(
            f"this Python came without ensurepip, and pip is not to be had from {index} ({error}): "
            "install the package python3-venv, or name another Python, e.g. make demo PYTHON=python3.12"
        ) from error
    if hashlib.sha256(body).hexdigest() != digest:
        raise SystemExit(f"{name} is not what {index} says it is")
    wheel = folder / name
    wheel.write_bytes(body)
    return wheel


def read(address: str) -> bytes:
    """What is at an address: the caller's own index, or what it links to."""
    with urllib.request.urlopen(address) as answer:  # noqa: S310
        return bytes(answer.read())


def say(words: str) -> int:
    print(words, file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
