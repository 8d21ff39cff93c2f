"""mikebot doctor: what a profile needs, what is there of it, what to type; offline, with nothing heavy for a draft."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path

import pytest
import tiny_diffusion
from command_kit import Said, environment, mikebot
from hub_kit import serving

from engine.checkup import FINAL

ROOT = Path(__file__).parents[1]
DOCS = (ROOT / "docs/models.md").read_text("utf-8")
TINY = """\
name: tiny
extends: draft
kinds:
  still:
    backend: flux
    params: {pipeline: FluxPipeline, model: mine/flux, dtype: float32, device: cpu, steps: 2}
"""


class Space:
    """A workspace on a machine without models, with one profile of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("personas", "projects", "profiles", "home"):
            (root / folder).mkdir()
        (root / "profiles/tiny.yaml").write_text(TINY)
        self.env = environment() | {
            "HOME": str(root / "home"),
            "MIKEBOT_MODELS": str(root / "models"),
            "COLUMNS": "112",
        }
        for name in ("HF_HOME", "HF_HUB_CACHE", "HF_TOKEN", "HF_TOKEN_PATH", "XDG_CACHE_HOME", "HUGGINGFACE_HUB_CACHE"):
            self.env.pop(name, None)

    def doctor(self, profile: str, *words: str, **env: str) -> Said:
        return mikebot(self.root, "doctor", "--profile", profile, *words, env=self.env | env)

    def build(self) -> Path:
        """A tiny FLUX in a folder of the author's."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tiny_diffusion.build(self.root / "models/mine", "flux")
        return self.root / "models/mine/flux"


@pytest.fixture(name="space")
def a_space(tmp_path: Path) -> Space:
    return Space(tmp_path)


def part(name: str, text: str) -> list[str]:
    """The lines of one part of what doctor says."""
    return text.split(f"{name}\n", 1)[1].split("\n\n", 1)[0].splitlines()


def test_a_machine_without_weights_is_told_all_that_is_known(space: Space) -> None:
    with serving(space.root) as hub:
        said = space.doctor("final", HF_ENDPOINT=hub.address)
        assert hub.asked == []
    assert (said.code, said.err) == (1, "")
    (page,) = re.findall(r"```text\n(Models\n.*?)```", DOCS, re.DOTALL)
    without = re.compile(r"\d+ GB free for")
    assert without.sub("# GB free for", "\n".join(part("Models", said.out))) == without.sub(
        "# GB free for", "\n".join(part("Models", page))
    )
    todo = [line.split(". ", 1)[1] for line in part("To do", said.out)]
    assert [line.split(". ", 1)[1] for line in part("To do", page)][-2:] == todo[-2:]
    assert "hf auth login" in todo[-2]
    assert todo[-1] == "mikebot fetch --profile final"


def test_the_files_of_a_model_of_lips_are_told_each_and_its_memory_once(space: Space) -> None:
    said = space.doctor("lips")
    assert (said.code, said.err) == (1, "")
    models = "\n".join(part("Models", said.out))
    (page,) = re.findall(r"```text\n(  MISSING ByteDance.*?)\n```", DOCS, re.DOTALL)
    assert page in models
    assert "face_detection_yunet_2023mar.onnx of OpenCV's model zoo into a folder" in " ".join(said.out.split())
    assert part("To do", said.out)[-1].endswith("mikebot fetch --profile lips")


def test_a_token_makes_the_way_to_a_gated_model_shorter(space: Space) -> None:
    assert "hf auth login" not in space.doctor("final", HF_TOKEN="hf_some").out


@pytest.mark.skipif(Path("/dev/nvidia0").exists(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_told(space: Space) -> None:
    import torch

    machine = "\n".join(part("Machine", space.doctor("final").out))
    why = "sees none" if torch.version.cuda else "is built without it"
    said = f"  MISSING a CUDA device, which the profile asks for: torch {torch.__version__} {why}"
    assert said in machine


def test_a_model_that_is_here_is_told_with_its_own_figures(space: Space) -> None:
    folder = space.build()
    (folder / "README.md").write_text("---\nlicense: other\nlicense_name: made-for-tests\n---\n# Tiny\n")
    said = space.doctor("tiny")
    assert (said.code, said.err) == (0, "")
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    lines = [line for line in part("Models", said.out) if line.strip() != str(folder)]  # On a line of its own, if long.
    assert lines[:3] == [
        "  ok      mine/flux, for still.flux",
        lines[1],
        "          licence   made-for-tests",
    ]
    assert f"on disk {size / 1e6:.1f} MB in {folder}" in " ".join(said.out.split())
    assert re.fullmatch(r"          memory    0\.\d MB", lines[3])
    assert re.fullmatch(r"          parts     transformer 0\.\d MB, text_encoder 0\.\d MB, .*", lines[4])
    assert said.out.endswith("\n\nNothing is missing.\n")


def test_a_folder_that_is_not_whole_is_no_model(space: Space) -> None:
    folder = space.build()
    (folder / "vae/diffusion_pytorch_model.safetensors").unlink()
    said = space.doctor("tiny")
    assert said.code == 1
    assert part("Models", said.out)[:2] == [
        "  MISSING mine/flux, for still.flux",
        "          problem   the model mine/flux is not whole: vae/ has no weights",
    ]
    assert part("To do", said.out) == [
        "  1. make the folder of mine/flux whole again, or remove it and fetch the model"
    ]


def test_programs_read_the_same(space: Space) -> None:
    said = space.doctor("final", "--json")
    told = json.loads(said.out)
    assert said.code == 1
    assert (told["profile"], told["ok"]) == ("final", False)
    models = [finding for finding in told["findings"] if finding["part"] == "Models"]
    assert [finding["good"] for finding in models] == [False, False, True]
    assert models[0]["todo"][-1] == "mikebot fetch --profile final"
    assert models[0]["details"]["licence"].startswith("FLUX.1 [dev] Non-Commercial")


def test_a_draft_needs_nothing_heavy_to_be_looked_at(space: Space) -> None:
    script = "import sys\nfrom engine.cli import main\ncode = main(['doctor'])\n"
    script += "heavy = ('torch', 'diffusers', 'transformers', 'huggingface_hub')\n"
    script += "print([name for name in heavy if name in sys.modules], code, file=sys.stderr)\n"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=space.root, env=space.env, capture_output=True, text=True, check=False
    )
    assert done.stderr == "[] 0\n"
    assert done.stdout.endswith("\nNothing is missing.\n")


def test_the_packages_of_the_extra_are_those_that_are_looked_for() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert sorted(FINAL) == sorted(re.split(r"[>=<]", package)[0] for package in extras["final"])


def test_what_a_quantization_needs_is_among_the_packages(space: Space) -> None:
    lacking = shutil.which("bitsandbytes") is None
    said = space.doctor("desktop")
    missing = "  MISSING bitsandbytes: pip install bitsandbytes"
    assert (missing in said.out.splitlines()) == lacking
