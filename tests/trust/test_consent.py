"""Consent holds when every part of it does, today, for this project; what does not is told with what to do."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from engine.document import parse
from engine.errors import Unpermitted
from engine.trust.consent import Consent, consent_mistakes, consent_of, likeness, permit, standing
from engine.trust.days import day_before, day_of, is_day, today

PROOF = b"I agree. Ada\n"
DIGEST = hashlib.sha256(PROOF).hexdigest()
DAY = date(2026, 6, 15)
CONSENT: dict[str, Any] = {
    "who": "Ada Example",
    "statement": "I agree that my picture is used.",
    "scope": {"projects": ["firewalls", "course-*"], "purposes": ["picture"]},
    "from": "2026-01-01",
    "until": "2026-12-31",
    "evidence": {"file": "consent.txt", "sha256": DIGEST},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "ada"
    folder.mkdir()
    (folder / "consent.txt").write_bytes(PROOF)
    return folder


def reasons(
    folder: Path,
    consent: Any,
    project: str | None = "firewalls",
    day: date = DAY,
    needs: tuple[str, ...] = ("picture",),
) -> list[tuple[str, str, str]]:
    """Why consent does not hold: field, message, hint."""
    persona = {"name": "Ada", "portrait": {"image": "a.png"}}
    persona |= {"consent": consent} if consent is not None else {}
    found = standing(persona, folder, project, day, needs)
    assert found.holds == (not found.reasons)
    return [(".".join(reason.path), reason.message, reason.hint) for reason in found.reasons]


def without(name: str) -> dict[str, Any]:
    """A consent that lacks one field, or one of a mapping in it."""
    outer, _, inner = name.partition(".")
    said = {key: dict(value) if isinstance(value, dict) else value for key, value in CONSENT.items()}
    if inner:
        del said[outer][inner]
    else:
        del said[outer]
    return said


def test_what_is_whole_holds(folder: Path) -> None:
    assert reasons(folder, CONSENT) == []


def test_nobody_real_needs_none(folder: Path) -> None:
    assert reasons(folder, None, needs=()) == []


@pytest.mark.parametrize("consent", [None, "yes", True, []])
def test_no_consent_is_told_with_both_ways_out(folder: Path, consent: Any) -> None:
    hint = "add consent: (docs/consent.md), or drawn: true where nobody real is seen or heard"
    assert reasons(folder, consent) == [("consent", "Ada is a real person, and there is no consent:", hint)]


PROJECTS = "name the projects, such as firewalls or course-*"
PURPOSES = "name what they agreed to: picture, voice, training"
EVIDENCE = "name a file in the persona's folder that proves it, such as a signed sheet"


@pytest.mark.parametrize(
    ("lacks", "field", "hint"),
    [
        ("who", "who", "write the name of the person"),
        ("statement", "statement", "write what they agreed to, in their own words"),
        ("scope.projects", "scope.projects", PROJECTS),
        ("scope.purposes", "scope.purposes", PURPOSES),
        ("from", "from", "write the first day, such as 2026-01-31"),
        ("until", "until", "write the last day, such as 2026-12-31"),
        ("evidence", "evidence.file", EVIDENCE),
        ("evidence.file", "evidence.file", EVIDENCE),
        ("evidence.sha256", "evidence.sha256", f"that of 'consent.txt' is {DIGEST}"),
    ],
)
def test_each_field_is_needed(folder: Path, lacks: str, field: str, hint: str) -> None:
    assert reasons(folder, without(lacks)) == [(f"consent.{field}", f"consent: does not say {field}", hint)]


def test_everything_that_lacks_is_told_at_once(folder: Path) -> None:
    fields = [field for field, _, _ in reasons(folder, {})]
    names = ("who", "statement", "scope.projects", "scope.purposes", "from", "until", "evidence.file")
    assert fields == [f"consent.{name}" for name in names]


@pytest.mark.parametrize("value", ["", "  ", 5, None, ["x"]])
def test_a_field_of_another_form_is_as_good_as_none(folder: Path, value: Any) -> None:
    assert [field for field, _, _ in reasons(folder, {**CONSENT, "who": value})] == ["consent.who"]


@pytest.mark.parametrize(
    ("day", "wrong"),
    [
        ("2025-12-31", "consent: begins on 2026-01-01"),
        ("2026-01-01", ""),
        ("2026-12-31", ""),
        ("2027-01-01", "consent: ended on 2026-12-31"),
    ],
)
def test_the_first_and_the_last_day_belong_to_it(folder: Path, day: str, wrong: str) -> None:
    found = [message for _, message, _ in reasons(folder, CONSENT, day=date.fromisoformat(day))]
    assert found == [wrong] * bool(wrong)


@pytest.mark.parametrize(("revoked", "holds"), [("2026-06-14", False), ("2026-06-15", False), ("2026-06-16", True)])
def test_what_is_revoked_holds_until_the_day_before(folder: Path, revoked: str, holds: bool) -> None:
    said = {**CONSENT, "revoked": revoked}
    told = ("consent.revoked", f"consent: was revoked on {revoked}", "ask again before anything more is made of them")
    assert reasons(folder, said) == ([] if holds else [told])
    if holds:
        last = permit(consent_of({"consent": said}), folder / "persona.yaml", "", DAY).last
        assert last == "2026-06-15"


@pytest.mark.parametrize("field", ["from", "until", "revoked"])
@pytest.mark.parametrize("day", ["2026-02-30", "soon", "2026-6-1", "20260601", "2026-W10-1", "٢٠٢٦-٠٦-٠١"])
def test_what_is_no_day_never_holds(folder: Path, field: str, day: str) -> None:
    assert not is_day(day)
    told = (f"consent.{field}", f"consent: {field} is no day", "write it as 2026-12-31")
    assert reasons(folder, {**CONSENT, field: day}) == [told]


@pytest.mark.parametrize(
    ("project", "covered"),
    [
        ("firewalls", True),
        ("course-7", True),
        ("course-", True),
        ("Firewalls", False),
        ("firewalls-2", False),
        ("my-course-7", False),
        ("", False),
    ],
)
def test_projects_are_covered_by_name_and_by_pattern(folder: Path, project: str, covered: bool) -> None:
    hint = "it covers firewalls, course-*: ask for this project too"
    told = ("consent.scope.projects", f"consent: does not cover the project '{project}'", hint)
    assert reasons(folder, CONSENT, project) == ([] if covered else [told])


def test_without_a_project_every_project_is_covered(folder: Path) -> None:
    assert reasons(folder, CONSENT, None) == []


def test_a_picture_is_no_voice(folder: Path) -> None:
    told = (
        "consent.scope.purposes",
        "consent: does not cover their voice",
        "it covers picture: ask for their voice too",
    )
    assert reasons(folder, CONSENT, needs=("picture", "voice")) == [told]


def test_evidence_that_was_changed_proves_nothing(folder: Path) -> None:
    (folder / "consent.txt").write_bytes(PROOF + b"not\n")
    now = hashlib.sha256(PROOF + b"not\n").hexdigest()
    message = "consent: 'consent.txt' is not the file that was named by its digest"
    hint = f"look at it again; if it is right, write sha256: {now}"
    assert reasons(folder, CONSENT) == [("consent.evidence.sha256", message, hint)]


def test_evidence_that_is_gone_proves_nothing(folder: Path) -> None:
    (folder / "consent.txt").unlink()
    told = ("consent.evidence.file", "consent: there is no file 'consent.txt'", "put it into the persona's folder")
    assert reasons(folder, CONSENT) == [told]


@pytest.mark.parametrize("name", ["../proof.txt", "/etc/hostname", "link.txt"])
def test_evidence_lies_in_the_personas_folder(folder: Path, name: str) -> None:
    (folder.parent / "proof.txt").write_bytes(PROOF)
    (folder / "link.txt").symlink_to(folder.parent / "proof.txt")
    message = f"consent: '{name}' lies outside the persona's folder"
    said = {**CONSENT, "evidence": {"file": name, "sha256": DIGEST}}
    assert reasons(folder, said) == [("consent.evidence.file", message, "put it into the persona's folder")]


def test_a_pipe_is_no_evidence_and_is_not_waited_for(folder: Path) -> None:
    (folder / "consent.txt").unlink()
    os.mkfifo(folder / "consent.txt")
    assert [field for field, _, _ in reasons(folder, CONSENT)] == ["consent.evidence.file"]


@pytest.mark.parametrize(
    ("persona", "needs"),
    [
        ({}, ()),
        ({"appearance": "grey hair"}, ()),
        ({"portrait": {"image": "a.png"}}, ("picture",)),
        ({"look": {"lora": "a.safetensors"}}, ("picture",)),
        ({"voice": {"espeak": {"voice": "en-gb", "pitch": 45}}}, ()),
        ({"voice": {"clone": {"reference": "consent.txt"}}}, ("voice",)),
        ({"voice": {"clone": {"reference": "gone.wav"}}}, ()),
        ({"voice": {"clone": {"reference": "x" * 5000}}}, ()),
        ({"voice": {"clone": {"reference": "a\0b"}}}, ()),
        ({"portrait": {"image": "a.png"}, "voice": {"clone": {"reference": "consent.txt"}}}, ("picture", "voice")),
        ({"drawn": True, "portrait": {"image": "a.png"}}, ()),
        ({"drawn": False, "portrait": {"image": "a.png"}}, ("picture",)),
        ({"drawn": "true", "portrait": {"image": "a.png"}}, ("picture",)),
    ],
)
def test_what_is_not_drawn_is_a_real_persons(folder: Path, persona: Mapping[str, Any], needs: tuple[str, ...]) -> None:
    assert likeness(persona, folder) == needs


def mistakes(text: str) -> list[str]:
    return [str(mistake) for mistake in consent_mistakes(parse(text.encode(), "p.yaml"))]


def test_a_day_that_no_calendar_has_is_a_mistake() -> None:
    text = "name: Ada\nconsent:\n  from: 2026-02-29\n  until: 2028-02-29\n"
    assert mistakes(text) == [
        "p.yaml:3:9: from: there is no day 2026-02-29\n    from: 2026-02-29\n          ^\n  look it up"
    ]


def test_a_last_day_before_the_first_is_a_mistake() -> None:
    text = "name: Ada\nconsent:\n  from: 2026-03-01\n  until: 2026-02-28\n"
    told = "p.yaml:4:10: until lies before from\n    until: 2026-02-28\n           ^\n  the first day is 2026-03-01"
    assert mistakes(text) == [told]
    assert mistakes(text.replace("02-28", "03-01")) == []


@pytest.mark.parametrize("text", ["- a\n", "name: Ada\n", "consent: yes\n", "consent: {from: 5, until: [2]}\n"])
def test_other_forms_are_left_to_the_schema(text: str) -> None:
    assert mistakes(text) == []


@pytest.fixture
def zone() -> Iterator[None]:
    before = os.environ.get("TZ")
    yield
    os.environ.pop("TZ", None)
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.parametrize(("hours", "day"), [(-23, 14), (-12, 14), (-5, 14), (0, 15), (9, 15), (14, 15), (23, 15)])
def test_a_day_is_that_of_the_zone_and_no_zone_is_farther_than_any(hours: int, day: int) -> None:
    """At 03:00 UTC it is yesterday in New York and today in Tokyo, and nowhere is it tomorrow."""
    moment = datetime(2026, 6, 15, 3, tzinfo=UTC).astimezone(timezone(timedelta(hours=hours)))
    assert day_of(moment) == date(2026, 6, day)


@pytest.mark.parametrize("name", ["Etc/GMT+12", "Pacific/Kiritimati", "UTC", "FAR20", "FAR-20"])
def test_no_setting_moves_today_by_more_than_the_earth_does(zone: None, name: str) -> None:
    os.environ["TZ"] = name
    time.tzset()
    before = datetime.now(UTC)
    found = today()
    after = datetime.now(UTC)
    assert (before - timedelta(hours=12)).date() <= found <= (after + timedelta(hours=14)).date()


def test_the_day_before_the_first_day_is_none() -> None:
    assert (day_before("2026-03-01"), day_before("0001-01-01")) == ("2026-02-28", "0001-01-01")


@pytest.fixture
def allowed(folder: Path) -> Any:
    (folder / "persona.yaml").write_bytes(b"name: Ada\n")
    digest = hashlib.sha256(b"name: Ada\n").hexdigest()
    return permit(consent_of({"consent": CONSENT}), folder / "persona.yaml", digest, DAY)


def test_a_permit_that_is_as_it_was_judged_holds(allowed: Any) -> None:
    allowed.uphold(DAY)
    allowed.uphold(date(2026, 12, 31))


def test_a_permit_ends_by_the_clock_that_is_ahead(allowed: Any) -> None:
    with pytest.raises(Unpermitted, match=r"^consent ended on 2026-12-31$"):
        allowed.uphold(date(2027, 1, 1))
    with pytest.raises(Unpermitted, match=r"^consent ended on 2026-12-31$"):
        allowed._replace(day="2027-01-01").uphold(DAY)


@pytest.mark.parametrize("name", ["persona.yaml", "consent.txt"])
@pytest.mark.parametrize("change", ["written", "gone", "a folder"])
def test_a_permit_ends_with_the_bytes_that_were_judged(allowed: Any, folder: Path, name: str, change: str) -> None:
    (folder / name).unlink()
    if change == "written":
        (folder / name).write_bytes(b"name: Ada\n# revoked\n")
    elif change == "a folder":
        (folder / name).mkdir()
    with pytest.raises(Unpermitted, match=rf"^'{name}' is not what it was when consent was looked at$"):
        allowed.uphold(DAY)


def test_a_worker_reads_no_yaml() -> None:
    """What asks again in a worker runs where only the standard library is."""
    loaded = [sys.executable, "-c", "import sys, engine.worker; print(*sys.modules)"]
    names = subprocess.run(loaded, capture_output=True, text=True, check=True).stdout.split()
    assert "engine.trust.permit" in names
    assert {"yaml", "engine.document", "engine.trust.consent"}.isdisjoint(names)


def test_a_consent_says_nothing_that_is_not_written() -> None:
    assert consent_of({}) == Consent()
