"""Mis-sold content, notices, unknown names, silence, repeats, and what lies beneath what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC as UTC_ZONE
from datetime import date, datetime, timedelta

import polars as pl

from ewarn.catalogue import Catalogue
from ewarn.frames import SHAPES, Lines
from ewarn.rules import evaluate, signals
from ewarn.terms import Signal, day_end

CAMDEN, UK = "E09000007", "K02000001"
Ask = Callable[..., list[Signal]]


def test_mis_sold_content_lies_beneath_the_first_detection_and_stands_alone_later(raised: Ask) -> None:
    rows = [
        {"on": "2025-01-10", "found": "metonitazene", "sold_as": "diazepam", "sold_as_subject": "diazepam"},
        {"on": "2025-04-10", "found": "metonitazene", "sold_as": "blue ones"},
    ]
    first, again = raised(rows, "2025-01-01", "2025-12-31", "first-in-area", "mis-sold")
    assert (first.rule, "mis-sold" in {s.rule for s in first.beneath}) == ("first-in-area", True)
    assert again.rule == "mis-sold"
    assert "blue ones" not in again.why and "something else" in again.why


def test_a_repeat_counts_records_and_an_update_does_not_raise_again(raised: Ask) -> None:
    rows = [{"on": d, "found": "metonitazene"} for d in ("2025-01-10", "2025-01-20", "2025-02-05", "2025-07-01")]
    (signal,) = raised(rows, "2025-01-01", "2025-12-31", "repeat-28d")
    assert (str(signal.first_raised_on), signal.observed) == ("2025-01-20", 2)


def notice(known: str, on: str, subject: str, **fields: object) -> dict[str, object]:
    return {"kind": "notice", "on": on, "known": known, "title": "A title", "found": {subject: "named"}, **fields}


def test_a_notice_speaks_for_the_area_it_names_and_old_ones_are_silent(standing: Ask) -> None:
    rule = "notice-watched"
    rows = [notice("2025-03-02", "2025-03-01", "nitazene", area=UK, notice_kind="alert")]
    (signal,) = standing(rows, "2025-03-02", rule)
    assert (signal.subject.id, signal.area.code, signal.family) == ("nitazene", UK, "notice")
    assert standing([notice("2025-06-02", "2025-03-01", "nitazene", area=UK)], "2025-06-02", rule) == []
    (near,) = standing([notice("2025-03-02", "2025-03-01", "diazepam", notice_kind="alert")], "2025-03-02", rule)
    assert (near.subject.id, near.area.code) == ("diazepam", CAMDEN)
    gone = notice("2025-03-02", "2025-03-01", "nitazene", notice_kind="withdrawal")
    assert standing([gone], "2025-03-02", rule) == []


def test_a_coroners_notice_about_an_old_death_is_a_notice_and_no_cluster(raised: Ask) -> None:
    rows = [notice(f"2025-03-0{i}", f"2025-03-0{i}", "metonitazene", area=UK) for i in (1, 2, 3)]
    assert {s.rule for s in raised(rows, "2025-01-01", "2025-12-31")} == {"notice-watched"}


def test_a_name_is_asked_about_once(raised: Ask) -> None:
    rows = [{"on": d, "found": "Quuxamol  2"} for d in ("2025-01-10", "2025-01-20", "2025-08-01")]
    (signal,) = raised(rows, "2025-01-01", "2025-12-31", "unknown-name")
    assert (signal.subject.kind, signal.subject.id) == ("key", "quuxamol-2")


def test_a_misspelt_watched_name_is_urgent(standing: Ask) -> None:
    rows = [{"on": "2025-01-10", "found": "Metonitazine"}]
    (signal,) = standing(rows, "2025-01-10", "unknown-name-near-watched")
    assert "looks like Metonitazene" in signal.why
    assert standing(rows, "2025-01-10", "unknown-name") == []


def test_silence_is_judged_by_each_sources_own_interval(catalogue: Catalogue, known: Callable[..., Lines]) -> None:
    instant = day_end(date(2025, 3, 20))
    ages = {"ukhsa": 200, "dhsc": 10}
    rows = [
        {"source": s, "last_received_at": instant - timedelta(hours=h), "last_new_at": None, "last_outcome": "ok"}
        for s, h in ages.items()
    ]
    health = pl.DataFrame(rows, schema=SHAPES["source_health"])
    evaluation = evaluate([catalogue.rules["silence"]], known(), instant, catalogue, health=health)
    (silent,) = signals.at(evaluation, instant)
    assert silent.subject.id == "ukhsa" and "No chance is reckoned" in silent.why
    assert [n.reason for n in evaluation.not_evaluable] == ["never received"]


def test_a_rule_that_cannot_be_worked_out_does_not_stop_the_others(
    catalogue: Catalogue, known: Callable[..., Lines]
) -> None:
    broken = catalogue.rules["mis-sold"].model_copy(update={"id": "broken", "method": "window", "numbers": {"n": "x"}})
    lines = known({"on": "2025-01-10", "found": "metonitazene"})
    evaluation = evaluate([broken, catalogue.rules["first-in-area"]], lines, day_end(date(2025, 1, 10)), catalogue)
    assert "could not be worked out" in evaluation.not_evaluable[0].reason
    assert len(signals.at(evaluation, evaluation.until)) == 1


def test_nothing_known_later_changes_what_was_said(known: Callable[..., Lines], catalogue: Catalogue) -> None:
    rows = [
        {"id": f"r{i}", "on": date(2024, 1, 1) + timedelta(days=9 * i), "found": s, "sold_as": "x", "area": a}
        for i, (s, a) in enumerate(zip(["metonitazene", "protonitazene", "fentanyl"] * 9, [CAMDEN, "E09000019"] * 13))  # noqa: B905
    ]
    rows[3]["gone"] = "2024-06-01"
    rules = list(catalogue.rules.values())
    days = [date(2024, 1, 1) + timedelta(days=i) for i in range(120)]
    whole = evaluate(rules, known(*rows), day_end(date(2024, 12, 31)), catalogue, since=day_end(days[0]))
    part = evaluate(rules, known(*rows), day_end(days[-1]), catalogue, since=day_end(days[0]))
    assert signals.over(whole, days) == signals.over(part, days)


def test_a_coroners_notice_about_an_old_death_speaks_when_it_is_published(standing: Ask) -> None:
    published = datetime(2025, 1, 20, 12, tzinfo=UTC_ZONE)
    row = notice("2025-01-21", "2023-08-27", "metonitazene", published_at=published)
    (signal,) = standing([row], "2025-01-21")
    assert (signal.rule, signal.area.code, str(signal.period.start)) == ("notice-watched", CAMDEN, "2023-08-27")
    assert "dated 20 January 2025" in signal.why
    assert "It tells of 27 August 2023. No chance is reckoned: this is no count." in signal.why
    assert signal.why.endswith("How often such come is not known before 90 days of history.")
    again = notice("2025-06-21", "2025-01-20", "metonitazene", published_at=published)
    assert standing([again], "2025-06-21") == []


def test_a_notice_of_overdoses_in_our_area_needs_no_drug(standing: Ask) -> None:
    def told(title: str, area: str, **fields: object) -> list[Signal]:
        row = {"kind": "notice", "on": "2025-03-01", "title": title, "area": area, "notice_kind": "alert", **fields}
        return standing([row], "2025-03-02", "notice-watched")

    (signal,) = told("Overdoses in hostels", CAMDEN)
    assert (signal.subject.kind, signal.area.code) == ("none", CAMDEN)
    assert "names our area and overdoses" in signal.why
    assert told("Advice to hostels", CAMDEN, summary="A contaminated batch is about.")
    assert not told("Overdoses in hostels", UK)
    assert not told("Advice to hostels", CAMDEN)
    assert [s.subject.id for s in told("Overdoses in hostels", CAMDEN, found="diazepam")] == ["diazepam"]
