"""Which signal names what is known to have happened, and what became of signals."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from ewarn.frames import Lines, empty, shaped
from ewarn.review import borne_out
from ewarn.review.episodes import Episode, named
from ewarn.terms import AreaRef, CaseFile, CaseSignal, ClosedAs, Family, Period, Signal, Subject

CAMDEN, LONDON, UK = "E09000007", "E12000007", "K02000001"
AROUND = {
    CAMDEN: frozenset({CAMDEN, LONDON, UK}), LONDON: frozenset({LONDON, UK}), UK: frozenset({UK}),
    "W06000015": frozenset({"W06000015", UK}),
}  # fmt: skip
CLASS_OF = {"metonitazene": "nitazene", "cychlorphine": "orphine"}
DAY = date(2025, 6, 1)


def signal(subject: str = "metonitazene", on: date = DAY, area: str = CAMDEN, **more: Any) -> Signal:
    kind = "substance" if subject in CLASS_OF else "class" if subject else "none"
    tier = {LONDON: "region", UK: "uk"}.get(area, "borough")
    return Signal(
        id=f"{subject}-{on}-{area}", rule="r", family=Family.FIRST,
        subject=Subject(kind=kind, id=subject, name=subject),
        area=AreaRef(code=area, name=area, tier=tier), period=Period(start=on, end=on), observed=1,
        records=more.pop("records", ("r1",)), record_count=1, why="w", known_on=on, first_raised_on=on, **more,
    )  # fmt: skip


def asked(**more: Any) -> Episode:
    return Episode.model_validate({"name": "e", "date": DAY} | more)


def first(episode: Episode, *signals: Signal) -> int | None:
    return named([episode], signals, CLASS_OF, AROUND)[0].days


def test_the_earliest_signal_about_it_counts_in_days() -> None:
    later, sooner = signal(on=DAY + timedelta(days=9)), signal(on=DAY + timedelta(days=4))
    assert first(asked(substance="metonitazene"), later, sooner) == 4
    assert first(asked(substance="metonitazene"), signal(on=DAY - timedelta(days=30))) == -30


def test_a_substance_names_its_class_but_a_class_no_substance() -> None:
    assert first(asked(**{"class": "nitazene"}), signal()) == 0
    assert first(asked(substance="metonitazene"), signal("nitazene")) is None
    assert first(asked(**{"class": "nitazene"}), signal("cychlorphine")) is None
    assert first(asked(), signal()) is None and first(asked(), signal("")) == 0


def test_a_signal_beneath_another_names_it_too() -> None:
    assert first(asked(substance="cychlorphine"), signal(beneath=(signal("cychlorphine"),))) == 0


@pytest.mark.parametrize(
    ("area", "where", "names"),
    [
        (CAMDEN, CAMDEN, True),
        (CAMDEN, LONDON, True),
        (LONDON, CAMDEN, True),
        (CAMDEN, "W06000015", False),
        ("", UK, True),
    ],
)
def test_an_area_is_named_by_itself_by_what_lies_in_it_and_by_what_contains_it(
    area: str, where: str, names: bool
) -> None:
    assert (first(asked(area=area, substance="metonitazene"), signal(area=where)) is not None) is names


def test_too_early_and_too_late_name_nothing() -> None:
    episode = asked(substance="metonitazene", days_before=10, days_after=20)
    assert first(episode, signal(on=DAY - timedelta(days=11)), signal(on=DAY + timedelta(days=21))) is None


def lines(*versions: tuple[str, int, bool | None, str]) -> Lines:
    """Record, day it became known, presumptive, substance; each version ends where the record's next begins."""
    rows, mentions = [], []
    for number, (record, day, presumptive, substance) in enumerate(versions):
        since = datetime(2025, 6, 1, 9, tzinfo=UTC) + timedelta(days=day)
        later = [v[1] for v in versions[number + 1 :] if v[0] == record]
        until = datetime(2025, 6, 1, 9, tzinfo=UTC) + timedelta(days=later[0]) if later else None
        rows.append(
            {"record_id": record, "version": number, "visible_from": since, "visible_to": until, "kind": "sample"}
        )
        mentions.append(
            {"record_id": record, "version": number, "role": "major", "subject": substance,
             "class_id": CLASS_OF.get(substance), "presumptive": presumptive}
        )  # fmt: skip
    return Lines(
        lines=shaped("lines", pl.DataFrame(rows)), mentions=shaped("line_mentions", pl.DataFrame(mentions)),
        places=empty("line_places"), counts=empty("line_counts"),
    )  # fmt: skip


def outcome(known: Lines, *cases: CaseFile, subject: str = "metonitazene") -> str:
    (word,) = borne_out.outcomes([signal(subject)], cases, known)
    return word


def case(closed_as: ClosedAs | None, suggested: bool = False) -> CaseFile:
    now = datetime(2025, 7, 1, tzinfo=UTC)
    held = CaseSignal(signal=signal(), joined_at=now, why="w", suggested=suggested)
    return CaseFile(
        ref="LDN-2025-0001", title="t", status="closed" if closed_as else "open", lead_area=CAMDEN,
        subject=signal().subject, keys=(), opened_at=now, next_action="n", due_at=now, signals=(held,),
        closed_as=closed_as,
    )  # fmt: skip


def test_a_closed_case_says_what_became_of_it_and_an_open_one_does_not() -> None:
    strip = lines(("r1", 0, True, "metonitazene"))
    assert outcome(strip, case(ClosedAs.CONFIRMED)) == "confirmed by case"
    assert outcome(strip, case(ClosedAs.ARTEFACT)) == "not borne out"
    assert outcome(strip, case(ClosedAs.UNKNOWN)) == outcome(strip, case(None)) == "not known"
    assert outcome(strip, case(ClosedAs.CONFIRMED, suggested=True)) == "not known"


def test_a_later_confirmatory_version_bears_a_strip_out_and_another_finding_does_not() -> None:
    strip = ("r1", 0, True, "metonitazene")
    assert outcome(lines(strip, ("r1", 9, False, "metonitazene"))) == "confirmed by later test"
    assert outcome(lines(strip, ("r1", 9, False, "cychlorphine"))) == "not borne out"
    assert outcome(lines(strip)) == "not known"
    assert outcome(lines(("r1", 0, None, "metonitazene"))) == "not known"
    assert outcome(lines(("r1", 0, False, "metonitazene"))) == "confirmed when raised"


def test_a_class_is_borne_out_by_a_substance_of_it() -> None:
    assert outcome(lines(("r1", 0, False, "metonitazene")), subject="nitazene") == "confirmed when raised"


def test_a_signal_without_a_substance_is_known_by_its_case_alone() -> None:
    assert outcome(lines(("r1", 0, False, "metonitazene")), subject="") == "not known"
