"""Writes engine/fonts/coverage.txt: the characters that any shipped font has; `--check` tells if it is stale."""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.ttLib import TTFont

FOLDER = Path(__file__).parents[1] / "engine/fonts"
TABLE = FOLDER / "coverage.txt"


def table() -> str:
    """One range a line: first and last character, in hexadecimal."""
    fonts = [*FOLDER.glob("*.ttf"), *FOLDER.glob("*.otf")]
    known = sorted({code for path in fonts for code in TTFont(path, lazy=True).getBestCmap()})
    ranges: list[list[int]] = []
    for code in known:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{first:x} {last:x}\n" for first, last in ranges)


def main() -> int:
    text = table()
    if "--check" in sys.argv:
        return int(TABLE.read_text("ascii") != text)
    TABLE.write_text(text, "ascii")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
