"""Tiles the stills of a project, as the draft draws them: python tools/contact_sheet.py [PROJECT] [FILE]."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PIL import Image, ImageDraw

from engine.backends import fonts

ROOT = Path(__file__).parents[1]
COLUMNS, WIDTH, HEIGHT, GAP, NAME = 4, 320, 180, 12, 26


def main() -> None:
    project = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "projects/firewalls")
    target = Path(sys.argv[2] if len(sys.argv) > 2 else ROOT / "docs/contact-sheet.jpg")
    command = [sys.executable, "-m", "engine.cli", "render", str(project), "--until", "still"]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    text = (project / "storyboard.yaml").read_text("utf-8")
    names = [line.split("id:")[1].strip() for line in text.splitlines() if line.startswith("  - id:")]
    rows = -(-len(names) // COLUMNS)
    size = COLUMNS * (WIDTH + GAP) + GAP, rows * (HEIGHT + NAME + GAP) + GAP
    sheet = Image.new("RGB", size, (247, 243, 234))
    drawer = ImageDraw.Draw(sheet)
    for number, name in enumerate(names):
        x = GAP + number % COLUMNS * (WIDTH + GAP)
        y = GAP + number // COLUMNS * (HEIGHT + NAME + GAP)
        with Image.open(project / "build" / "still" / f"{name}.png") as still:
            picture = still.convert("RGB")
        sheet.paste(picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS), (x, y))
        fonts.draw(drawer, (x + 2, y + HEIGHT + 18), name, 15, (34, 32, 29))
    sheet.save(target, quality=86, optimize=True)


if __name__ == "__main__":
    main()
