"""`mkdocs serve`, the live page that people know: from a save of one page of many to its new text in a browser."""

from __future__ import annotations

import os
import re
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from .browser import chromium


def reload_seconds(site: Path, pages: int, tries: int) -> float:
    """The median of several saves."""
    (site / "docs").mkdir(parents=True)
    (site / "mkdocs.yml").write_text("site_name: Many\ntheme: mkdocs\n", "utf-8")
    for number in range(pages):
        (site / "docs" / f"page-{number}.md").write_text(f"# Page {number}\n\nIt says a thing.\n", "utf-8")
    (site / "docs" / "index.md").write_text("# Start\n", "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mkdocs", "serve", "--livereload", "--dev-addr", f"127.0.0.1:{port}"]
    with subprocess.Popen(command, cwd=site, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if re.search(r"Serving on", line):
                break
        try:
            return statistics.median(_saves(site, port, tries))
        finally:
            process.kill()


def _saves(site: Path, port: int, tries: int) -> list[float]:
    found = []
    with chromium() as page:
        page.goto(f"http://127.0.0.1:{port}/page-50/")
        page.wait_for_selector("text=It says a thing.")
        for number in range(tries + 1):
            aside = site / "page.new"
            aside.write_text(f"# Page 50\n\nIt says another thing {number}.\n", "utf-8")
            time.sleep(0.5)
            begun = time.time()
            os.replace(aside, site / "docs" / "page-50.md")  # noqa: PTH105
            page.wait_for_selector(f"text=It says another thing {number}.", timeout=60_000)
            found.append(time.time() - begun)
    return found[1:]
