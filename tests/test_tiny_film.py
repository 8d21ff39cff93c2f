"""A whole film by real pipelines of tiny weights, on this machine's workers; killed and begun again; sharing its draft.

projects/hello as it is shipped: what was drafted in seconds renders with real models without a change.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Mapping
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import av
import pytest
import tiny_diffusion
from command_kit import Said, environment, mikebot

from engine.build import Event, build
from engine.errors import BackendError, Cancelled
from engine.executors.local import LocalExecutor
from engine.graph import Action
from engine.profile import load_profile
from engine.project import open_project
from engine.report import Terminal
from engine.store import Store
from engine.view import View

ROOT = Path(__file__).parents[1]
FIRST = {"hello/still", "change/still", "hello/clip", "change/clip"}
TINY = """\
name: tiny
extends: draft
kinds:
  still:
    backend: flux
    params:
      pipeline: FluxPipeline
      model: flux
      dtype: float32
      device: cpu
      steps: 2
      pixels: 4096
      call: {max_sequence_length: 128}
    limits: {scale: 1, pace: 1, bytes: 100000}
  clip:
    backend: wan
    params:
      pipeline: WanImageToVideoPipeline
      model: wan21-i2v
      dtype: float32
      device: cpu
      steps: 2
      pixels: 4096
      call: {max_sequence_length: 64}
    limits: {frames: 8, fps: 2, pace: 1, bytes: 10000}
  talk: {backend: chain, limits: {pace: 0.001, bytes: 10000}}
"""
PICTURES = "name: pictures\nextends: tiny\nkinds: {clip: {backend: camera, limits: {seconds: 5, recipe: true}}}\n"
PICTURES = PICTURES.replace("}}}\n", "}}, talk: {backend: mouth}}\n")


class Space:
    """A workspace with projects/hello and the tiny profile."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("personas", "projects/hello"):
            shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("build"))
        board = root / "projects/hello/storyboard.yaml"
        board.write_text(board.read_text() + "format: {width: 160, height: 90}\n")
        (root / "profiles").mkdir()
        (root / "profiles/tiny.yaml").write_text(TINY)
        (root / "profiles/pictures.yaml").write_text(PICTURES)
        with contextlib.redirect_stderr(io.StringIO()):
            tiny_diffusion.build(root / "models", "flux", "wan21-i2v")
        self.env = environment() | {"MIKEBOT_MODELS": str(root / "models")}

    def render(self, profile: str, *more: str, env: Mapping[str, str] | None = None) -> Said:
        return mikebot(
            self.root, "render", "projects/hello", "--profile", profile, *more, env=dict(self.env | (env or {}))
        )

    def film(self) -> str:
        return hashlib.sha256((self.root / "projects/hello/build/hello.mp4").read_bytes()).hexdigest()


def states(said: Said) -> dict[str, str]:
    """How each step ended."""
    lines = [json.loads(line) for line in said.out.splitlines()]
    ended = [line for line in lines if line.get("state") in {"hit", "built", "failed", "cancelled"}]
    return {line["step"]: line["state"] for line in ended}


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Space:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Space(tmp_path_factory.mktemp("space"))


@pytest.fixture(name="film", scope="module")
def rendered(space: Space) -> str:
    """The digest of the film, rendered once."""
    said = space.render("tiny", "--json")
    assert (said.code, said.err) == (0, "")
    assert set(states(said).values()) == {"built"}
    assert set(states(said)) >= FIRST | {"hello/clip/2", "hello/talk", "film"}
    return space.film()


@pytest.mark.usefixtures("film")
def test_the_film_is_whole_and_nothing_in_it_stands_still(space: Space) -> None:
    with av.open(str(space.root / "projects/hello/build/hello.mp4")) as container:
        seen = [frame.to_ndarray(format="gray").astype(int) for frame in container.decode(video=0)][::25]
    assert len(seen) >= 8
    assert all(abs(one - two).mean() > 0.1 for one, two in pairwise(seen))
    assert all(frame.std() > 1 for frame in seen)


@pytest.mark.usefixtures("film")
def test_a_second_render_makes_nothing(space: Space) -> None:
    said = space.render("tiny", "--json")
    assert said.code == 0
    assert set(states(said).values()) == {"hit"}


def test_a_killed_render_goes_on_to_the_same_film(space: Space, film: str) -> None:
    mark, store = space.root / "mark", space.root / "other"
    killer = str(Path(__file__).with_name("killer.py"))
    command = [sys.executable, killer, "put", "7", str(mark), "render", str(space.root / "projects/hello")]
    command += ["--profile", "tiny", "--store", str(store)]
    killed = subprocess.run(command, env=dict(space.env), capture_output=True, start_new_session=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    said = space.render("tiny", "--json", "--store", str(store))
    assert (said.code, said.err) == (0, "")
    assert set(states(said).values()) == {"hit", "built"}
    assert space.film() == film


@pytest.mark.usefixtures("film")
def test_a_profile_that_replaces_one_kind_shares_the_rest(space: Space) -> None:
    said = space.render("pictures", "--json")
    assert said.code == 0, said.err
    ended = states(said)
    same = {name for name in ended if name.split("/")[1:2] in (["speech"], ["narration"], ["still"], ["sound"])}
    assert {ended[name] for name in same} == {"hit"}
    assert {ended[name] for name in ended if "/clip" in name or name.endswith("scene")} == {"built"}


@pytest.mark.usefixtures("film")
def test_other_weights_in_the_same_folder_are_another_model(space: Space) -> None:
    from safetensors.torch import load_file, save_file

    file = space.root / "models/flux/vae/diffusion_pytorch_model.safetensors"
    kept = file.read_bytes()
    tensors = load_file(file)
    tensors["decoder.conv_out.bias"] += 0.25
    save_file(tensors, file, {"format": "pt"})
    try:
        said = space.render("tiny", "--json")  # What the last render left for the next is no answer any more.
        assert {name: state for name, state in states(said).items() if "still" in name} == {
            "hello/still": "built",
            "change/still": "built",
        }
    finally:
        file.write_bytes(kept)


SCENES = "A door opens. Behind it is another door, and behind that one stands nobody at all."


def ten(space: Space) -> Path:
    """A board of ten scenes, one of them longer than a clip."""
    folder = space.root / "projects/ten"
    folder.mkdir(exist_ok=True)
    scenes = [
        {"id": f"s{number}", "narration": "Look." if number else SCENES, "on_screen": False}
        | {"image_prompt": f"door {number}", "video_prompt": "it opens"}
        for number in range(10)
    ]
    board = {"title": "Doors", "format": {"width": 96, "height": 64}, "scenes": scenes}
    (folder / "storyboard.yaml").write_text(json.dumps(board))
    return folder


@pytest.mark.parametrize(
    ("vram", "until", "moves"),
    [
        (1.0, "film", [("loaded", "still.flux"), ("loaded", "clip.wan")]),
        (0.001, "clip", [("loaded", "still.flux"), ("evicted", "still.flux"), ("loaded", "clip.wan")]),
    ],
    ids=["room for both", "room for one"],
)
def test_a_film_of_ten_scenes_loads_each_model_once(
    space: Space, vram: float, until: str, moves: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the budget holds one model alone, too: no still reads a clip, so all stills can come before all clips,
    the later clips of a chain included, and one swap is the fewest that there can be."""
    monkeypatch.setenv("MIKEBOT_MODELS", str(space.root / "models"))
    project = open_project(str(ten(space)), "tiny", str(space.root / until))
    built: list[str] = []
    seen, shown = io.StringIO(), set[str]()
    terminal = Terminal(io.StringIO(), seen, [], lambda _: 0.0, 1)
    view = View(project.loaded.board, project.planner(), {})

    def listen(event: Event) -> None:
        terminal(event)
        view.hear(event)
        if event.state == "built":
            built.append(event.step.kind)
        shown.update(work.step.kind for work in view.work.values() if work.told()["loading"])

    with closing(Store(project.store)) as store, closing(LocalExecutor(project.store, 2, vram=vram)) as executor:
        build(lambda: project.planner(until), store, executor, project.loaded.sources, listen)
        assert [(moved.state, moved.model.split()[0]) for moved in executor.moves] == moves
    assert shown == {"still", "clip"}
    assert re.findall(r"(\w+) loading its model", seen.getvalue())[0] == "still"
    assert not any(work.loading for work in view.work.values())
    assert (built.count("still"), built.count("film")) == (10, until == "film")
    assert built.count("clip") > 10


@pytest.mark.usefixtures("film")
def test_a_long_denoising_that_is_cancelled_stops_at_its_next_step_and_leaves_the_model(
    space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand steps would take minutes."""
    monkeypatch.setenv("MIKEBOT_MODELS", str(space.root / "models"))
    (space.root / "profiles/long.yaml").write_text(
        "name: long\nextends: tiny\nkinds: {still: {params: {steps: 1000, pixels: 65536}}}\n"
    )
    said = load_profile("long", space.root).kinds["still"].params
    heard = threading.Event()

    def action(steps: int) -> Action:
        size = {"prompt": "a door", "width": 256, "height": 256, "seed": 1}
        return Action("still", "flux", "1", {**said, **size, "steps": steps}, {})

    def listen(done: int, total: int) -> None:
        if total > 1000 and done > 1:
            heard.set()

    with closing(Store(space.root / "long")), closing(LocalExecutor(space.root / "long", 1)) as executor:
        stale = executor.submit(action(1000), listen)
        assert heard.wait(120)
        executor.cancel(stale)
        with pytest.raises(Cancelled):
            stale.result(60)
        assert executor.submit(action(1), lambda done, total: None).result(60).outputs
        assert [moved.state for moved in executor.moves] == ["loaded"]


def test_a_profile_is_right_or_wrong_without_any_weights(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "personas").mkdir()
    (tmp_path / "projects").mkdir()
    wrong = TINY.replace("name: tiny", "name: wrong").replace(
        "      steps: 2\n      pixels: 4096\n      call: {max_seq", "      call: {stepz: 2, max_seq", 1
    )
    wrong = wrong.replace("call: {max_sequence_length: 64}", "call: {stepz: 2, height: 5}")
    (tmp_path / "profiles/wrong.yaml").write_text(wrong)
    said = mikebot(tmp_path, "check", "profiles/wrong.yaml")
    assert said.code == 2
    lines = [line for line in said.err.splitlines() if line.startswith("profiles/")]
    meant = "takes no argument 'stepz': did you mean 'num_inference_steps'?"
    assert lines == [
        f"profiles/wrong.yaml:11:14: FluxPipeline {meant}",
        f"profiles/wrong.yaml:22:14: WanImageToVideoPipeline {meant}",
        "profiles/wrong.yaml:22:24: 'height' is decided by the storyboard, not here",
    ]


def test_what_a_library_says_of_its_failure_is_told_in_short() -> None:
    from engine.backends.diffusion import explained

    def told(problem: Exception) -> str:
        with pytest.raises(BackendError) as caught, explained("tiny/flux"):
            raise problem
        return caught.value.message

    assert told(AssertionError()) == "the model tiny/flux failed: AssertionError"
    assert told(ValueError("\n no such\nthing")) == "the model tiny/flux failed: ValueError: no such"
    assert told(ValueError("so " * 200)) == f"the model tiny/flux failed: ValueError: {'so ' * 98}so ..."


def test_a_wrong_call_is_told_once_and_where_it_is_said(tmp_path: Path) -> None:
    """Not in the profile that extends it, whose own params have nothing to do with it."""
    for folder in ("profiles", "personas", "projects"):
        (tmp_path / folder).mkdir()
    (tmp_path / "profiles/tiny.yaml").write_text(TINY)
    (tmp_path / "profiles/near.yaml").write_text(
        "name: near\nextends: tiny\nkinds:\n  still:\n    params:\n      call: {stepz: 2}\n"
    )
    (tmp_path / "profiles/far.yaml").write_text(
        "name: far\nextends: near\nkinds: {still: {params: {steps: 3, device: cupu}}}\n"
    )
    said = mikebot(tmp_path, "check", "profiles/far.yaml")
    assert [line for line in said.err.splitlines() if line.startswith("profiles/")] == [
        "profiles/far.yaml:3:36: device cannot be 'cupu': did you mean 'cpu'?",
        "profiles/near.yaml:6:14: FluxPipeline takes no argument 'stepz': did you mean 'num_inference_steps'?",
    ]


@pytest.mark.parametrize("profile", ["final", "desktop", "fast"])
def test_the_shipped_profiles_are_right_and_say_what_to_fetch(profile: str, tmp_path: Path) -> None:
    space = tmp_path / "space"
    shutil.copytree(ROOT / "personas", space / "personas")
    shutil.copytree(ROOT / "projects/hello", space / "projects/hello", ignore=shutil.ignore_patterns("build"))
    env = environment() | {"MIKEBOT_MODELS": "", "HF_HUB_CACHE": str(tmp_path / "hub")}
    script = "import sys\nfrom pathlib import Path\nfrom engine.profile import load_profile\n"
    script += f"print(load_profile('{profile}', Path('.')).kinds['still'].params['model'])\n"
    script += "print([name for name in ('torch', 'diffusers', 'numpy') if name in sys.modules])\n"
    loaded = subprocess.run(
        [sys.executable, "-c", script], env=env, cwd=space, capture_output=True, text=True, check=True
    )
    model, heavy = loaded.stdout.splitlines()
    assert heavy == "[]"
    said = mikebot(space, "render", "projects/hello", "--profile", profile, "--until", "still", env=env)
    assert said.code == 1
    told = said.out + said.err
    assert f"the model {model} is not on this machine." in told
    assert ("needs bitsandbytes: pip install bitsandbytes" in told) == (profile == "desktop")


def test_a_film_with_lips_is_planned_without_weights_and_says_what_to_fetch() -> None:
    from engine.backends.latentsync import LatentSync

    env = environment() | {"MIKEBOT_MODELS": "", "HF_HUB_CACHE": "none", "HF_HOME": "none"}
    for project in ("hello", "firewalls"):
        planned = mikebot(ROOT, "plan", f"projects/{project}", "--profile", "lips", env=env)
        assert (planned.code, planned.err) == (0, "")
        assert "/talk  " in planned.out
    choice = load_profile("lips", ROOT).kinds["talk"]
    assert list(LatentSync.misfits(choice.params)) == []


def test_the_misfits_of_a_profile_have_words() -> None:
    from engine.backends.flux import Flux
    from engine.backends.wan import Wan

    good = {"pipeline": "FluxPipeline", "model": "a/b"}
    clip = {"pipeline": "WanImageToVideoPipeline", "model": "a/b"}

    def told(backend: type, said: Mapping[str, object]) -> list[str]:
        return [misfit.message for misfit in backend.misfits(said)]  # type: ignore[attr-defined]

    assert told(Flux, good) == told(Wan, clip) == []
    assert told(Flux, {}) == ["no model is named", "diffusers has no pipeline ''"]
    assert told(Flux, good | {"pipeline": "FluxPipelin"}) == [
        "diffusers has no pipeline 'FluxPipelin': did you mean 'FluxPipeline'?"
    ]
    assert told(Flux, good | {"model": "https://host/a"}) == ["'https://host/a' is no name of a model"]
    assert told(Flux, good | {"model": "../a"}) == ["'../a' is no name of a model"]
    assert told(Flux, good | {"model": "/a/b"}) == ["'/a/b' is no name of a model"]
    assert told(Flux, good | {"revision": "a b"}) == ["'a b' is no revision"]
    lora = {"model": "a/b", "file": "l.safetensors", "part": "transformer_3"}
    assert told(Flux, good | {"loras": [lora]}) == ["a LoRA changes no part 'transformer_3'"]
    for file in (
        "../l.safetensors",
        "a/../../l.safetensors",
        "/l.safetensors",
        "C:/l.safetensors",
        "..\\l.safetensors",
    ):
        lora = {"model": "a/b", "file": file}
        assert told(Flux, good | {"loras": [lora]}) == [f"'{file}' is no file of the model's folder"]
    assert told(Flux, good | {"loras": [{"model": "a/b", "file": "two/My look (2).safetensors"}]}) == []
    assert told(Flux, good | {"dtype": "float8"}) == ["dtype cannot be 'float8': did you mean 'float32'?"]
    assert told(Flux, good | {"attention": "flash_hub"})[0].startswith("attention cannot be 'flash_hub'")
    assert told(Flux, good | {"quantization": {"backend": "int8"}}) == ["quantization cannot be 'int8'"]
    torchao = {"backend": "torchao", "options": {"quant_type": "os.system"}}
    assert told(Flux, good | {"quantization": torchao}) == ["quant_type cannot be 'os.system'"]
    assert told(
        Flux, good | {"quantization": {"backend": "layerwise", "options": {"storage_dtype": "float8_e4m3"}}}
    ) == ["storage_dtype cannot be 'float8_e4m3': did you mean 'float8_e4m3fn'?"]
    assert told(Flux, good | {"call": {"guidance_scale": 2}}) == ["'guidance_scale' has a knob of its own"]
    assert told(Flux, good | {"scheduler": {"class": "UniPC"}})[0].startswith("diffusers has no scheduler 'UniPC'")
    assert told(Flux, good | {"cache": {"class": "FirstBlockCacheConfig", "treshold": 1}}) == [
        "FirstBlockCacheConfig takes no argument 'treshold': did you mean 'threshold'?"
    ]
    assert told(Flux, good | {"loras": [{"model": "a", "file": "b.bin"}]}) == ["a LoRA is a *.safetensors file"]
    assert told(Flux, good | {"pipeline": "Flux2KleinPipeline", "negative": "blurry"}) == [
        "Flux2KleinPipeline takes no argument 'negative_prompt'"
    ]
    assert told(Flux, good | {"template": "{% for a in prompt %}{% endfor %}"}) == [
        "a template cannot hold a loop: it puts words beside words"
    ]
    assert told(Wan, clip | {"pipeline": "FluxPipeline"}) == [
        "FluxPipeline takes no image and no video",
        "FluxPipeline makes no clips",
    ]
    assert told(Wan, clip | {"match": "sky"}) == ["match cannot be 'sky'"]
