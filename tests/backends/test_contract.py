"""What every registered backend promises, whoever wrote it: declarations, outputs, exactness, progress, cancel."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from contract_kit import Case, Heard, run, table

from engine.backends import find, registered
from engine.errors import Cancelled
from engine.kinds import KINDS

HERE = Path(__file__).parent
HEAVY = ("numpy", "cv2", "PIL", "av", "torch", "espeakng_loader")
NAMES = sorted(registered())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("contract")


@pytest.fixture(name="table", scope="module")
def every_case(folder: Path) -> dict[str, Case]:
    """A case by backend."""
    return table(folder)


def fresh(script: list[str]) -> str:
    path = os.pathsep.join([str(HERE), str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, *script], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path}, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def files(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir()}


def test_every_kind_has_a_backend() -> None:
    assert {name.split(".")[0] for name in NAMES} == set(KINDS)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_what_its_entry_point_says(name: str) -> None:
    backend = find(*name.split("."))
    assert f"{backend.kind}.{backend.name}" == name
    assert isinstance(backend.version, str)
    assert backend.version
    assert isinstance(backend.exact, bool)
    assert hasattr(backend, "many") == hasattr(backend, "run_many")


@pytest.mark.parametrize("name", NAMES)
def test_its_params_extend_what_the_plan_says(name: str) -> None:
    params = find(*name.split(".")).Params
    said = KINDS[name.split(".", maxsplit=1)[0]].says
    assert issubclass(params, said)
    assert params.__dataclass_params__.frozen  # type: ignore[attr-defined]
    planned = {field.name for field in dataclasses.fields(said)}
    knobs = [field for field in dataclasses.fields(params) if field.name not in planned]
    assert all(_has_default(knob) for knob in knobs)


@pytest.mark.parametrize("name", NAMES)
def test_its_params_go_through_json(name: str, table: dict[str, Case]) -> None:
    params = find(*name.split(".")).Params(**table[name].says)
    told = json.dumps(dataclasses.asdict(params), sort_keys=True, allow_nan=False)
    again = find(*name.split(".")).Params(**json.loads(told))
    assert json.dumps(dataclasses.asdict(again), sort_keys=True) == told


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_checked_and_says_what_it_keeps_in_memory(name: str, table: dict[str, Case]) -> None:
    backend = find(*name.split("."))()
    params = backend.Params(**table[name].says)
    assert backend.check(params) == []
    assert isinstance(backend.model(params), str)


def test_importing_them_all_imports_nothing_heavy() -> None:
    script = "import sys; from engine.backends import find, registered\n"
    script += "for name in registered(): find(*name.split('.'))\n"
    script += f"print([name for name in {HEAVY} if name in sys.modules])"
    assert fresh(["-c", script]) == "[]\n"


@pytest.mark.parametrize("name", NAMES)
def test_it_writes_the_outputs_and_facts_of_its_kind(name: str, table: dict[str, Case], tmp_path: Path) -> None:
    heard = Heard()
    facts = run(table[name], tmp_path / "out", heard)
    kind = KINDS[name.split(".", maxsplit=1)[0]]
    made = files(tmp_path / "out")
    assert set(made) == set(kind.outputs)
    assert all(made.values())
    assert set(facts) == set(kind.facts)
    assert all(type(fact) is int for fact in facts.values())


@pytest.mark.parametrize("name", NAMES)
def test_it_tells_how_far_it_is(name: str, table: dict[str, Case], tmp_path: Path) -> None:
    heard = Heard()
    run(table[name], tmp_path / "out", heard)
    assert heard.told
    assert all(0 <= done <= total and total > 0 for done, total in heard.told)


@pytest.mark.parametrize("name", NAMES)
def test_it_lets_a_cancel_through(name: str, table: dict[str, Case], tmp_path: Path) -> None:
    heard = Heard(stop=Cancelled)
    with pytest.raises(Cancelled):
        run(table[name], tmp_path / "out", heard)
    assert len(heard.told) == 1  # It asked no second time.
    assert run(table[name], tmp_path / "again", Heard()) is not None


@pytest.mark.parametrize("name", NAMES)
def test_an_exact_one_writes_the_same_bytes_each_time(name: str, table: dict[str, Case], tmp_path: Path) -> None:
    if not find(*name.split(".")).exact:
        pytest.skip("it does not promise the same bytes")
    for out in ("one", "two"):
        run(table[name], tmp_path / out, Heard())
    assert files(tmp_path / "one") == files(tmp_path / "two")


@pytest.mark.parametrize("name", NAMES)
def test_an_exact_one_writes_the_same_bytes_in_another_process(
    name: str, table: dict[str, Case], folder: Path, tmp_path: Path
) -> None:
    if not find(*name.split(".")).exact:
        pytest.skip("it does not promise the same bytes")
    run(table[name], tmp_path / "here", Heard())
    fresh([str(HERE / "contract_kit.py"), str(folder), name, str(tmp_path / "there")])
    assert files(tmp_path / "here") == files(tmp_path / "there")


@pytest.mark.parametrize("name", NAMES)
def test_it_leaves_its_inputs_as_they_are(name: str, table: dict[str, Case], tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in table[name].inputs.values()}
    run(table[name], tmp_path / "out", Heard())
    assert {path: path.read_bytes() for path in table[name].inputs.values()} == before


def _has_default(field: dataclasses.Field[object]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
