"""Puts what lies beside the package in a checkout into the wheel: the schemas, and what `mikebot init` copies.

Everything else is in pyproject.toml. A package-dir mapping there would do the same for wheels, but makes
editable installs import a finder at every start of Python: 8 ms, where `mikebot --help` takes 50.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

BESIDE = {
    "schemas/*.json": "engine/schemas",
    "projects/hello/*.yaml": "engine/starter/projects/hello",
    "personas/mikebot/*.*": "engine/starter/personas/mikebot",
    "personas/mikebot/poses/*": "engine/starter/personas/mikebot/poses",
}


class BuildWithData(build_py):
    """build_py, and the files above."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for pattern, place in BESIDE.items():
            folder = Path(self.build_lib, place)
            self.mkpath(str(folder))
            for file in sorted(Path().glob(pattern)):
                self.copy_file(str(file), str(folder / file.name))


setup(cmdclass={"build_py": BuildWithData})
