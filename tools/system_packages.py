"""Says which programs that the tests need are missing from this machine, and what installs them; then exits 1."""

from __future__ import annotations

import shutil
import sys

# Package on Debian -> the programs of which it brings one. Video, speech and fonts come with our own wheels.
NEEDED = {
    "git": ["git"],
    "chromium": ["chromium"],
    "nodejs": ["node"],
    "npm": ["npm"],
    "vim-tiny": ["vim", "vim.tiny"],
}


def main() -> int:
    missing = sorted(package for package, programs in NEEDED.items() if not any(map(shutil.which, programs)))
    if missing:
        print(f"the tests need system packages that are missing: {' '.join(missing)}", file=sys.stderr)  # noqa: T201
        print(f"install them, e.g. with: apt-get install {' '.join(missing)}", file=sys.stderr)  # noqa: T201
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main())
