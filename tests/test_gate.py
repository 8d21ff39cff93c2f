"""A real person without consent is neither seen nor heard: drafts show a silhouette, every other profile refuses.

What was made while consent held stays in the store, out of sight, and is a hit as soon as consent holds again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from command_kit import ROOT, lines
from consent_kit import BOARD, PROOF, REVOKED, Place, consent, revoked
from odd_kit import forget
from watch_kit import invalid, replaced, settled, watching

from engine.backends.mouth import portrait_place
from engine.build import Event, Executor, build
from engine.checkout import Checkout
from engine.errors import Refused, Unpermitted
from engine.executors.inline import InlineExecutor
from engine.executors.kept import KeptExecutor
from engine.executors.local import LocalExecutor
from engine.graph import Action, Artifact, Result
from engine.project import Project
from engine.store import Store
from engine.trust.days import today
from engine.trust.gate import Gate
from engine.trust.permit import Permit

PROFILES = ("short", "sharp")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    place = Place(tmp_path)
    monkeypatch.syspath_prepend(str(place.doors))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(place.doors), str(ROOT)]))
    monkeypatch.delenv("MIKEBOT_STORE", raising=False)
    forget()
    return place


REFUSED = """\
personas/ada/persona.yaml:1:1: Ada is a real person, and there is no consent:
  {
  ^
  add consent: (docs/consent.md), or drawn: true where nobody real is seen or heard
projects/doors/storyboard.yaml:2:10: Ada is a real person, and the profile 'sharp' makes nothing of one without consent
  persona: ada
           ^
  mend what is said above, or render a draft: it shows a silhouette (docs/consent.md)
"""
WARNED = """\
personas/ada/persona.yaml:1:1: warning: Ada is a real person, and there is no consent:
  {
  ^
  add consent: (docs/consent.md), or drawn: true where nobody real is seen or heard
projects/doors/storyboard.yaml:2:10: warning: Ada is a real person without consent: drafts show a silhouette, \
other profiles refuse
  persona: ada
           ^
  mend what is said of their consent (docs/consent.md)
"""


@pytest.mark.parametrize("command", ["render", "plan", "why"])
def test_a_profile_that_makes_likenesses_refuses(place: Place, command: str) -> None:
    words = ["why", "projects/doors", "red"] if command == "why" else [command, "projects/doors"]
    said = place.run(*words, "--profile", "sharp")
    assert (said.code, said.out, said.err) == (2, "", REFUSED)
    assert not (place.folder / "build").exists()


def test_check_warns_and_tells_what_lacks(place: Place) -> None:
    said = place.run("check", "projects/doors")
    assert (said.code, said.out, said.err) == (0, "", WARNED)
    alone = place.run("check", "personas/ada/persona.yaml")
    assert (alone.code, alone.err) == (0, "".join(WARNED.splitlines(keepends=True)[:4]))
    place.says(consent())
    assert place.run("check", ".") == (0, "", "")
    place.says(drawn=True)
    assert place.run("check", ".") == (0, "", "")


def test_a_draft_shows_a_silhouette_and_speaks_with_the_languages_voice(place: Place) -> None:
    portrait = hashlib.sha256((place.persona.parent / "portrait.png").read_bytes()).hexdigest()
    stills, voices, places = [], [], []
    for said in (None, consent()):
        place.says(said)
        project = place.open()
        steps = {step.name: step for step in project.planner().begin()}
        reads = [source for step in steps.values() for source in step.inputs.values()]
        stills.append(any(isinstance(source, Artifact) and source.digest == portrait for source in reads))
        voices.append(steps["red/speech"].params.get("voice"))
        assert place.run("render", "projects/doors", "--profile", "short", "--until", "still").code == 0
        places.append(portrait_place(place.folder / "build" / "still" / "red.png"))
    assert (stills, voices) == ([False, True], [None, "en-gb-scotland"])
    assert places[0] == places[1] is not None


def test_of_a_silhouette_nothing_is_known_but_a_portraits_shape(place: Place) -> None:
    still = next(step for step in place.open().planner().begin() if step.name == "red/still")
    assert still.params["persona"] == {"name": "Ada", "silhouette": [768, 896]}
    assert dict(still.inputs) == {}


def test_what_was_made_is_refused_without_consent_and_kept_for_when_it_is_given_again(place: Place) -> None:
    render = ("render", "projects/doors", "--profile", "sharp", "--json")
    place.says(consent())
    first = lines(place.run(*render).out)[-1]
    film = Path(first["film"]).read_bytes()
    place.says(revoked())
    said = place.run(*render)
    assert (said.code, said.out) == (2, "")
    assert said.err.splitlines()[0].endswith(f" consent: was revoked on {REVOKED}")
    draft = lines(place.run("render", "projects/doors", "--profile", "short", "--json").out)[-1]
    assert draft["digest"] != first["digest"]
    place.says(consent())
    again = lines(place.run(*render).out)[-1]
    assert (again["digest"], again["built"]) == (first["digest"], 0)
    assert Path(again["film"]).read_bytes() == film


def test_a_draft_of_one_who_agreed_is_a_silhouettes_once_they_take_it_back(place: Place) -> None:
    render = ("render", "projects/doors", "--profile", "short", "--json")
    digests = []
    for said in (consent(), revoked(), consent(), revoked()):
        place.says(said)
        done = lines(place.run(*render).out)[-1]
        digests.append((done["digest"], done["built"] > 0))
    assert digests[0][0] != digests[1][0]
    assert digests[2:] == [(digests[0][0], False), (digests[1][0], False)]


def keys(project: Project) -> dict[str, str]:
    steps = project.planner().begin()
    return {step.name: step.resolve({}).key for step in steps if not step.needs()}


def test_consent_is_in_no_key(place: Place) -> None:
    found = []
    for said, more in (
        (None, {"drawn": True}),
        (consent(), {}),
        (consent(who="Ada E.", statement="Yes.", until="2999-12-31"), {}),
        (consent(scope={"projects": ["*"], "purposes": ["picture", "voice", "training"]}), {}),
        (consent(revoked=(today() + timedelta(days=9)).isoformat()), {}),
    ):
        place.says(said, **more)
        found.append(keys(place.open()))
    assert all(one == found[0] for one in found)
    place.says()
    silhouette = keys(place.open())
    assert {name for name in silhouette if silhouette[name] != found[0][name]} == {
        "red/speech", "blue/speech", "red/still",
    }  # fmt: skip
    assert keys(place.open(judged=False)) == found[0]


class Between:
    """An executor before whose work something happens: when all was looked up, and before anything runs."""

    def __init__(self, inner: Any, happens: Callable[[], None]) -> None:
        self._inner, self._happens = inner, happens

    def submit(
        self, action: Action, listen: Callable[[int, int], None], ahead: bool = False, permit: Permit | None = None
    ) -> Future[Result]:
        self._happens()
        future: Future[Result] = self._inner.submit(action, listen, ahead, permit)
        return future

    def cancel(self, future: Future[Result]) -> None:
        self._inner.cancel(future)


@pytest.fixture(params=["inline", "local", "kept"])
def executor(request: pytest.FixtureRequest, place: Place) -> Iterator[Executor]:
    with contextlib.closing(Store(place.store)) as store:
        made: Any = InlineExecutor(store) if request.param == "inline" else LocalExecutor(place.store, 2)
        made = KeptExecutor(made) if request.param == "kept" else made
        with contextlib.closing(made):
            yield made


def made(
    place: Place, executor: Any, gate: Gate | None = None, listen: Callable[[Event], None] = lambda _: None
) -> Mapping[str, Result]:
    """Build, as a render does."""
    project = place.open("sharp")
    assert project.gate is not None
    with contextlib.closing(Store(place.store)) as store:
        sources = project.loaded.sources
        return build(project.planner, store, executor, sources, listen, gate=gate or project.gate).results


def records(place: Place) -> int:
    with contextlib.closing(Store(place.store)) as store:
        return len(list(store.ledger.rows()))


ENDED = f"consent: was revoked on {REVOKED}"


def test_consent_that_ends_between_lookup_and_run_stops_what_would_run(place: Place, executor: Executor) -> None:
    place.says(consent())
    with pytest.raises(Refused, match=ENDED):
        made(place, Between(executor, lambda: place.says(revoked())))
    assert records(place) == 0


def test_whoever_runs_an_action_looks_for_themselves(place: Place, executor: Executor) -> None:
    """Without the leader: a permit whose file was changed since is no permit."""
    place.says(consent())
    project = place.open("sharp")
    assert project.gate is not None
    permit = project.gate()
    speech = next(step for step in project.planner().begin() if step.kind == "speech").resolve({})
    place.says(revoked())
    with pytest.raises(Unpermitted, match=r"^'persona\.yaml' is not what it was when consent was looked at$"):
        executor.submit(speech, lambda done, total: None, False, permit).result(60)
    assert records(place) == 0


def test_a_change_that_takes_nothing_back_is_looked_at_and_gone_on_from(place: Place, executor: Executor) -> None:
    place.says(consent())
    turns = iter(range(100))
    between = Between(executor, lambda: place.says(consent(statement=f"Yes {min(3, next(turns))}.")))
    assert "film" in made(place, between)


@pytest.mark.parametrize("change", ["revoked", "no evidence", "no persona", "broken", "other project", "nothing real"])
def test_consent_that_ends_while_a_film_is_made_stops_it(place: Place, executor: Executor, change: str) -> None:
    place.says(consent())
    ends: dict[str, Callable[[], object]] = {
        "revoked": lambda: place.says(revoked()),
        "no evidence": lambda: (place.persona.parent / "consent.txt").unlink(missing_ok=True),
        "no persona": lambda: place.persona.unlink(missing_ok=True),
        "broken": lambda: place.persona.write_text("name: [Ada\n"),
        "other project": lambda: place.says(consent(scope={"projects": ["x"], "purposes": ["picture"]})),
        "nothing real": lambda: replaced(place.persona, "name: Ada\n"),
    }
    ended: dict[str, str] = {}

    def listen(event: Event) -> None:
        if event.state == "built":
            ends[change]()
        if event.state not in ("started", "progress"):
            ended[event.step.name] = event.state

    with pytest.raises(Refused):
        made(place, executor, listen=listen)
    assert set(ended.values()) <= {"built", "cancelled"}
    assert {"built", "cancelled"} <= set(ended.values())
    assert "film" not in ended or ended["film"] == "cancelled"


def test_the_last_day_ends_while_a_film_is_made(place: Place, executor: Executor) -> None:
    place.says(consent())
    person, days = place.open("sharp").gate.person, [today()]  # type: ignore[union-attr]

    def listen(event: Event) -> None:
        if event.state == "built":
            days.append(today() + timedelta(days=31))

    with pytest.raises(Refused, match="consent: ended on"):
        made(place, executor, Gate(person, "sharp", True, lambda: days[-1]), listen)


def test_consent_that_begins_tomorrow_is_none_today(place: Place) -> None:
    place.says(consent(**{"from": (today() + timedelta(days=2)).isoformat()}))
    with pytest.raises(Refused, match="consent: begins on"):
        place.open("sharp")


def test_a_film_that_was_made_is_not_handed_out_once_consent_ended(place: Place) -> None:
    place.says(consent())
    project = place.open("sharp")
    with contextlib.closing(Store(place.store)) as store, contextlib.closing(InlineExecutor(store)) as executor:

        def make() -> Any:
            done = build(project.planner, store, executor, project.loaded.sources, lambda _: None, gate=project.gate)
            place.says(revoked())
            return done

        with pytest.raises(Refused, match=ENDED):
            Checkout(project, store).deliver(make)
    assert not (place.folder / "build").exists()


def test_a_gate_says_who_is_meant_and_when_it_ended(place: Place) -> None:
    place.says(consent())
    gate = place.open("short").gate
    assert gate is not None
    assert gate.holds()
    until = (today() + timedelta(days=30)).isoformat()
    assert gate() == Permit(
        str(place.persona),
        hashlib.sha256(place.persona.read_bytes()).hexdigest(),
        str(place.persona.parent / "consent.txt"),
        hashlib.sha256(PROOF).hexdigest(),
        until,
        today().isoformat(),
    )
    assert date.fromisoformat(until) > today()
    place.says(drawn=True)
    assert gate() is None


def silhouetted(follower: Any) -> bool:
    return bool(settled(BOARD)(follower))


@pytest.mark.parametrize("profile", PROFILES)
def test_a_page_keeps_nothing_of_one_who_takes_consent_back(place: Place, profile: str) -> None:
    place.says(consent())
    with watching(place.board, profile) as (session, follower, heard):
        follower.until(settled(BOARD))
        film = follower.top["film"]
        shown = [film["video"], film["poster"], *(follower.scenes["red"][name] for name in ("still", "video", "audio"))]
        names = [name.removeprefix("/media/") for name in shown]
        assert all(session.media(name) for name in names)
        save = follower.top["save"]
        place.says(revoked())
        if profile == "sharp":
            follower.until(invalid)
            assert (follower.top["film"], follower.order, follower.scenes) == (None, [], {})
            assert [line for line in heard.lines if line[0] == "mistakes"][-1][1][0].splitlines()[0].endswith(ENDED)
        else:
            follower.until(lambda f: silhouetted(f) and f.top["save"] > save)
            assert follower.top["film"]["digest"] != film["digest"]
            assert {take["still"] for take in follower.scenes["red"]["takes"]}.isdisjoint(shown)
        assert not any(session.media(name) for name in names)
        follower.until(lambda f: f.same())
        save = follower.top["save"]
        place.says(consent())
        follower.until(lambda f: silhouetted(f) and f.top["save"] > save)
        assert follower.top["film"]["digest"] == film["digest"]
        assert heard.lines[-1][2] == 0  # Nothing was made again.
        assert all(session.media(name) for name in names)


def test_a_page_keeps_nothing_of_one_who_was_taken_for_a_drawing(place: Place) -> None:
    place.says(drawn=True)
    with watching(place.board, "short") as (session, follower, _):
        follower.until(settled(BOARD))
        film, save = follower.top["film"], follower.top["save"]
        assert session.media(film["video"].removeprefix("/media/"))
        place.says()
        follower.until(lambda f: f.top["save"] > save)
        assert follower.top["film"] is None or follower.top["film"]["digest"] != film["digest"]
        follower.until(silhouetted)
        assert session.media(film["video"].removeprefix("/media/")) is None


def test_a_page_is_handed_nothing_once_the_evidence_is_gone(place: Place) -> None:
    """Even before anything else heard of it."""
    place.says(consent())
    with watching(place.board, "sharp") as (session, follower, _):
        follower.until(settled(BOARD))
        name = follower.top["film"]["video"].removeprefix("/media/")
        assert session.media(name)
        (place.persona.parent / "consent.txt").unlink()
        assert session.media(name) is None
        follower.until(invalid)


def test_a_diff_shows_consent_in_the_words_of_the_file(place: Place) -> None:
    git = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    place.says(consent())
    for words in (["init", "-q"], ["add", "-A"], [*git, "commit", "-q", "-m", "Begin"]):
        subprocess.run(["git", *words], cwd=place.root, check=True)
    place.says(revoked())
    said = place.run("diff", "projects/doors", "--profile", "sharp")
    assert said.code == 0, said.err
    assert f"consent.revoked: {REVOKED}" in said.out.replace("nothing -> ", "")
