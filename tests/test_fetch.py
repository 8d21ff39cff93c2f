"""mikebot fetch: pinned, resumed where it broke off, only what a render reads, never half a model; no other way online.

Real processes against a hub on the loopback, with the library that the real one is spoken to with.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_diffusion
import tiny_lips
from command_kit import COMMAND, Said, environment, mikebot
from hub_kit import COMMIT, TOKEN, Hub, serving

ROOT = Path(__file__).parents[1]
FLUX, LOOKS = "made/Tiny-FLUX", "made/Looks"
WEIGHTS = "transformer/diffusion_pytorch_model.safetensors"
PAINTED = f"""\
name: painted
extends: draft
kinds:
  still:
    backend: flux
    params:
      pipeline: FluxPipeline
      model: {FLUX}
      revision: {COMMIT}
      dtype: float32
      device: cpu
      steps: 2
      pixels: 4096
      call: {{max_sequence_length: 128}}
    limits: {{scale: 1, pace: 1, bytes: 100000}}
"""
MOUTHS = f"""\
name: painted
extends: draft
kinds:
  talk:
    backend: latentsync
    params:
      {{model: made/lips, revision: {COMMIT}, vae: made/lips-vae, vae_revision: {COMMIT}, resolution: 64, device: cpu}}
"""
UNREAD = ("flux.safetensors", "vae/model.bin", "transformer/diffusion_pytorch_model.fp16.safetensors", "own.py")


@pytest.fixture(name="served", scope="module")
def a_folder_of_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the hub has: a tiny FLUX beside files that no render reads, and a LoRA for it."""
    folder = tmp_path_factory.mktemp("served")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tiny_diffusion.build(folder, "flux")
        tiny_diffusion.lora(folder / LOOKS, folder / "flux", 1, "paper.safetensors")
    (folder / "flux").rename(folder / FLUX)
    (folder / FLUX / "README.md").write_text("---\nlicense: other\nlicense_name: made-for-tests\n---\n# Tiny\n")
    for name in UNREAD:
        (folder / FLUX / name).write_bytes(b"not for us")
    return folder


@pytest.fixture(name="hub")
def a_hub(served: Path) -> Iterator[Hub]:
    with serving(served) as hub:
        yield hub


class Space:
    """A workspace whose profiles name models of a hub, and a cache that begins empty."""

    def __init__(self, root: Path, hub: Hub) -> None:
        self.root, self.hub, self.home = root, hub, root / "home"
        for folder in ("personas", "projects/hello"):
            shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("build"))
        self.profile(PAINTED)
        self.env = environment() | hub.env(self.home)
        self.env.pop("HF_HUB_OFFLINE", None)

    def profile(self, text: str) -> None:
        (self.root / "profiles").mkdir(exist_ok=True)
        (self.root / "profiles/painted.yaml").write_text(text)

    def fetch(self, **env: str) -> Said:
        return self.run("fetch", **env)

    def run(self, command: str, *words: str, **env: str) -> Said:
        return mikebot(self.root, command, *words, "--profile", "painted", env=self.env | env)

    @property
    def cache(self) -> Path:
        return self.home / "hub" / f"models--{FLUX.replace('/', '--')}"

    def names(self) -> set[str]:
        """The files of the model that came."""
        there = self.cache / "snapshots" / COMMIT
        return {file.relative_to(there).as_posix() for file in there.rglob("*") if file.is_file()}

    def blob(self, name: str = WEIGHTS) -> Path:
        """Where the bytes of a file belong."""
        return self.cache / "blobs" / hashlib.sha256((self.hub.folder / FLUX / name).read_bytes()).hexdigest()


@pytest.fixture(name="space")
def a_space(tmp_path: Path, hub: Hub) -> Space:
    return Space(tmp_path, hub)


def test_what_a_render_reads_comes_and_nothing_else(space: Space, hub: Hub) -> None:
    said = space.fetch()
    files = len(space.names())
    assert (said.code, said.err) == (0, "")
    first, last = said.out.splitlines()
    assert first.startswith(f"fetch   {FLUX}  ")
    assert first.endswith(f" MB in {files} files, at {COMMIT[:12]}")
    assert last.startswith(f"fetched {FLUX}  in ")
    wanted = {file.relative_to(hub.folder / FLUX).as_posix() for file in (hub.folder / FLUX).rglob("*.*")}
    assert space.names() == wanted - set(UNREAD)
    assert {one.path.split("/")[-1] for one in hub.asked}.isdisjoint(Path(name).name for name in UNREAD)
    asked = len(hub.asked)
    again = space.fetch()
    assert again == Said(0, "nothing to fetch: 1 of 1 models of painted are here\n", "")
    assert len(hub.asked) == asked


def test_a_profile_without_models_has_nothing_to_fetch(space: Space, hub: Hub) -> None:
    said = mikebot(space.root, "fetch", env=space.env)
    assert said == Said(0, "the profile draft needs no models\n", "")
    assert hub.asked == []


def test_a_connection_that_breaks_is_taken_up_where_it_was(space: Space, hub: Hub) -> None:
    hub.breaks[WEIGHTS] = 100_000
    said = space.fetch()
    assert (said.code, said.err) == (0, "")
    assert hub.ranges(WEIGHTS) == ["", "bytes=100000-"]
    assert (space.cache / "snapshots" / COMMIT / WEIGHTS).read_bytes() == (hub.folder / FLUX / WEIGHTS).read_bytes()


def test_an_interrupted_fetch_leaves_no_half_model_and_goes_on_where_it_was(space: Space, hub: Hub) -> None:
    hub.hangs[WEIGHTS] = 150_000
    command = [*COMMAND, "fetch", "--profile", "painted"]
    process = subprocess.Popen(
        command, cwd=space.root, env=space.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )
    assert hub.hung.wait(60)
    part = space.blob().with_name(f"{space.blob().name}.part")
    while not part.is_file() or part.stat().st_size < 150_000:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    threading.Timer(0.5, hub.released.set).start()  # A read that waits for bytes ends when the hub hangs up.
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "mikebot: interrupted; what was finished is kept, and the next run goes on from there\n"
    assert not (space.cache / "snapshots").exists()
    rendered = space.run("render", "projects/hello", "--until", "still")
    missing = f"the model {FLUX} is not on this machine. Put its folder below one that MIKEBOT_MODELS names"
    assert rendered.err.splitlines()[1] == f"  {missing}, or fetch it: mikebot fetch --profile painted."
    said = space.fetch()
    assert (said.code, said.err) == (0, "")
    assert " of them here, at " in said.out
    assert hub.ranges(WEIGHTS) == ["", "bytes=150000-"]


def test_a_killed_fetch_goes_on_too_and_two_at_once_do_not(space: Space, hub: Hub) -> None:
    hub.hangs[WEIGHTS] = 150_000
    command = [*COMMAND, "fetch", "--profile", "painted"]
    process = subprocess.Popen(command, cwd=space.root, env=space.env, stdout=subprocess.DEVNULL)
    assert hub.hung.wait(60)
    part = space.blob().with_name(f"{space.blob().name}.part")
    while not part.is_file() or part.stat().st_size < 150_000:
        assert process.poll() is None
    beside = space.fetch()
    process.kill()
    process.wait(60)
    busy = f"mikebot: {FLUX} is being fetched by another mikebot\n  Wait for it, or end it.\n"
    assert beside == Said(1, "", busy)
    hub.released.set()
    assert space.fetch().code == 0
    assert hub.ranges(WEIGHTS) == ["", "bytes=150000-"]


def test_half_a_folder_of_another_program_is_made_whole(space: Space, hub: Hub) -> None:
    assert space.fetch().code == 0
    (space.cache / "snapshots" / COMMIT / WEIGHTS).unlink()
    space.blob().unlink()
    rendered = space.run("render", "projects/hello", "--until", "still")
    half = f"  the model {FLUX} is not whole: transformer/ has no weights. Fetch it again: what is there is kept."
    assert rendered.err.splitlines()[1] == half
    assert space.fetch().code == 0
    assert WEIGHTS in space.names()


def test_bytes_that_are_others_than_were_told_are_not_kept(space: Space, hub: Hub) -> None:
    hub.spoils.add(WEIGHTS)
    said = space.fetch()
    assert (said.code, said.err) == (
        1,
        f"mikebot: {WEIGHTS} of {FLUX} came out damaged, and was removed\n"
        "  Type the same again: what is whole is kept.\n",
    )
    hub.spoils.clear()
    assert space.fetch().code == 0


def test_a_branch_is_resolved_once_and_told(space: Space, hub: Hub) -> None:
    space.profile(PAINTED.replace(f"      revision: {COMMIT}\n", "      revision: main\n"))
    said = space.fetch()
    assert said.code == 0
    assert said.out.splitlines()[1:3] == [
        "        main means another commit tomorrow: pin it in the profile with",
        f"        revision: {COMMIT}",
    ]
    hub.commits[FLUX] = "1" * 40
    assert space.fetch().out == "nothing to fetch: 1 of 1 models of painted are here\n"


def test_another_revision_than_the_pinned_one_is_fetched_beside_it(space: Space, hub: Hub) -> None:
    assert space.fetch().code == 0
    other = "2a" * 20
    space.profile(PAINTED.replace(COMMIT, other))
    rendered = space.run("render", "projects/hello", "--until", "still")
    here = f"the model {FLUX} is here, but not revision {other}; here is {COMMIT}."
    assert rendered.err.splitlines()[1] == f"  {here} Fetch it: mikebot fetch --profile painted."
    hub.commits[FLUX] = other
    assert space.fetch().code == 0
    assert {folder.name for folder in (space.cache / "snapshots").iterdir()} == {COMMIT, other}
    assert hub.ranges(WEIGHTS) == [""]  # The same bytes are not fetched twice.


def test_a_lora_of_the_profile_comes_alone(space: Space, hub: Hub) -> None:
    lora = f"      loras: [{{model: {LOOKS}, file: paper.safetensors, revision: {COMMIT}}}]\n"
    space.profile(PAINTED.replace("      steps: 2\n", f"      steps: 2\n{lora}"))
    (hub.folder / LOOKS / "other.safetensors").write_bytes(b"not for us")
    said = space.fetch()
    assert (said.code, said.err) == (0, "")
    there = space.home / "hub/models--made--Looks/snapshots" / COMMIT
    assert [file.name for file in there.iterdir()] == ["paper.safetensors"]
    assert space.run("render", "projects/hello", "--until", "still").code == 0


def test_of_a_model_of_lips_come_the_files_that_the_profile_names_and_no_other_pickle(space: Space, hub: Hub) -> None:
    tiny_lips.build(hub.folder / "made")
    for name in ("lips/stable_syncnet.pt", "lips/whisper/small.pt", "lips-vae/diffusion_pytorch_model.bin"):
        (hub.folder / "made" / name).write_bytes(b"not for us")
    space.profile(MOUTHS)
    before = space.run("doctor")
    assert before.code == 1
    assert before.out.count("  MISSING made/lips") == 4
    said = space.fetch()
    assert (said.code, said.err) == (0, "")
    for model, files in (
        ("lips", {"latentsync_unet.pt", "whisper/tiny.pt"}),
        ("lips-vae", {"config.json", "diffusion_pytorch_model.safetensors"}),
    ):
        there = space.home / f"hub/models--made--{model}/snapshots" / COMMIT
        assert {file.relative_to(there).as_posix() for file in there.rglob("*.*")} == files
    after = space.run("doctor")
    assert (after.code, after.out.endswith("Nothing is missing.\n")) == (0, True)


@pytest.mark.parametrize(
    ("was", "now", "place", "message", "hint"),
    [
        (
            f"revision: {COMMIT}",
            "revision: no-such",
            "9:17",
            f"the hub has no revision no-such of {FLUX}",
            f"Its page lists them: HUB/{FLUX}",
        ),
        (
            FLUX,
            "made/Nothing",
            "8:14",
            "the hub has no model made/Nothing, or does not show it to you",
            "Check model: in the profile; if it is a private one, type hf auth login, or set HF_TOKEN.",
        ),
        (
            FLUX,
            "flux",
            "8:14",
            "'flux' is no id of the hub, and there is no folder of that name",
            "Put its folder below one that MIKEBOT_MODELS names, or name an id such as black-forest-labs/FLUX.1-dev.",
        ),
        (
            FLUX,
            "made/Tiny--FLUX",
            "8:14",
            "'made/Tiny--FLUX' is no id of the hub",
            "Name one such as black-forest-labs/FLUX.1-dev.",
        ),
        (
            FLUX,
            LOOKS,
            "8:14",
            f"{LOOKS} on the hub is no model of diffusers: it has no model_index.json",
            "Name a model in the layout of diffusers; many have -Diffusers at the end of their names.",
        ),
    ],
    ids=["revision", "model", "name", "id", "layout"],
)
def test_the_author_s_mistakes_have_their_place(
    space: Space, hub: Hub, was: str, now: str, place: str, message: str, hint: str
) -> None:
    space.profile(PAINTED.replace(was, now))
    said = space.fetch()
    line, column = map(int, place.split(":"))
    source = (space.root / "profiles/painted.yaml").read_text().splitlines()[line - 1]
    assert (said.code, said.err) == (
        2,
        f"profiles/painted.yaml:{place}: {message}\n  {source}\n  {' ' * (column - 1)}^\n"
        f"  {hint.replace('HUB', hub.address)}\n",
    )


def test_a_lora_that_is_not_there_is_the_author_s_mistake(space: Space) -> None:
    lora = f"      loras: [{{model: {LOOKS}, file: glass.safetensors, revision: {COMMIT}}}]\n"
    space.profile(PAINTED.replace("      steps: 2\n", f"      steps: 2\n{lora}"))
    said = space.fetch()
    assert said.code == 2
    assert said.err.splitlines()[0] == f"profiles/painted.yaml:13:41: {LOOKS} on the hub has no file glass.safetensors"


def test_terms_must_be_accepted_before_a_gated_model_comes(space: Space, hub: Hub) -> None:
    hub.gated.add(FLUX)
    refused = f"mikebot: {FLUX} is given only to those who accepted its terms\n"
    accept = f"{hub.address}/{FLUX}"
    assert space.fetch() == Said(
        1, "", f"{refused}  Accept them at {accept}, then type hf auth login, or set HF_TOKEN.\n"
    )
    assert space.fetch(HF_TOKEN="hf_another") == Said(
        1, "", f"{refused}  Accept them at {accept} as the user whose token is set, and type the same again.\n"
    )
    assert space.fetch(HF_TOKEN=TOKEN).code == 0


def test_what_can_come_does_when_another_model_cannot(space: Space, hub: Hub) -> None:
    lora = f"      loras: [{{model: {LOOKS}, file: paper.safetensors, revision: {COMMIT}}}]\n"
    space.profile(PAINTED.replace("      steps: 2\n", f"      steps: 2\n{lora}"))
    hub.gated.add(LOOKS)
    said = space.fetch()
    assert said.code == 1
    assert said.err.startswith(f"mikebot: {LOOKS} is given only to those who accepted its terms\n")
    assert WEIGHTS in space.names()


def test_no_network_is_told(space: Space, hub: Hub) -> None:
    hub.portal = True
    assert space.fetch() == Said(
        1, "", f"mikebot: what {hub.address} answers is no hub's answer\n  Is it one, or is a login page before it?\n"
    )
    nobody = "http://127.0.0.1:9"
    said = space.fetch(HF_ENDPOINT=nobody)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"mikebot: {nobody} cannot be reached for {FLUX}: ")
    assert said.err.endswith("\n  Type the same again once it can: what has come is kept.\n")
    assert space.fetch(HF_HUB_OFFLINE="1") == Said(
        1, "", f"mikebot: {FLUX} cannot be fetched: HF_HUB_OFFLINE is set\n  Unset it, and try again.\n"
    )


def test_a_disk_without_room_is_told_before_anything_comes(space: Space, hub: Hub) -> None:
    script = "import sys, engine.fetch\nfrom engine.cli import main\n"
    script += "engine.fetch.KEEP_FREE = 10**15\nsys.exit(main(['fetch', '--profile', 'painted']))\n"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=space.root, env=space.env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    said = done.stderr.splitlines()
    assert said[0].startswith("mikebot: ")
    assert f" MB are to be fetched, and the disk of {space.home / 'hub'} has " in said[0]
    assert said[1] == "  Free some space, or set HF_HUB_CACHE to a folder of a larger disk."
    assert hub.ranges(WEIGHTS) == []


def test_a_folder_of_the_author_s_is_left_alone(space: Space, hub: Hub) -> None:
    shutil.copytree(hub.folder / FLUX, space.root / "models" / FLUX)
    (space.root / "models" / FLUX / WEIGHTS).unlink()
    (space.root / "models" / FLUX / "own.py").unlink()
    (space.root / "models" / FLUX / "transformer/diffusion_pytorch_model.fp16.safetensors").unlink()
    said = space.fetch(MIKEBOT_MODELS=str(space.root / "models"))
    assert said == Said(
        1,
        "",
        f"mikebot: the model {FLUX} is not whole: transformer/ has no weights: "
        "it lies in a folder of yours, where nothing is fetched to\n  Fetch it again: what is there is kept.\n",
    )


def test_a_render_fetches_when_it_is_told_to_and_never_else(space: Space, hub: Hub) -> None:
    until = ("projects/hello", "--until", "still")
    said = space.run("render", *until)
    assert said.code == 1
    assert said.err.splitlines()[-1] == "models are missing; to download them, type: mikebot fetch --profile painted"
    assert hub.asked == []
    said = space.run("render", *until, "--fetch", "--json")
    assert said.code == 0
    assert said.err.startswith(f"fetch   {FLUX}  ")
    assert json.loads(said.out.splitlines()[-1])["built"] == 2
    asked = len(hub.asked)
    shutil.rmtree(space.root / ".mikebot")
    assert space.run("render", *until).code == 0
    assert len(hub.asked) == asked
