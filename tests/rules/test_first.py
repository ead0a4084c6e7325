"""First detection: news is judged by what was known, and a late record never makes an old event new."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ewarn.catalogue import Catalogue
from ewarn.rules import evaluate, first
from ewarn.rules.prepare import prepare
from ewarn.terms import Signal, day_end

CAMDEN, ISLINGTON, BARNET, LONDON, UK = "E09000007", "E09000019", "E09000003", "E12000007", "K02000001"
RULE = "first-in-area"
Ask = Callable[..., list[Signal]]


def ids(found: list[Signal]) -> list[tuple[str, str]]:
    return [(s.subject.id, s.area.code) for s in found]


def test_the_borough_speaks_and_the_wider_tiers_and_the_class_lie_beneath(standing: Ask) -> None:
    (signal,) = standing([{"on": "2025-01-10", "found": "metonitazene"}], "2025-01-10", RULE)
    assert ids([signal]) == [("metonitazene", CAMDEN)]
    assert sorted(ids(list(signal.beneath))) == sorted(
        (s, a) for s in ("metonitazene", "nitazene") for a in (CAMDEN, LONDON, UK) if (s, a) != ("metonitazene", CAMDEN)
    )
    assert "Also the first in London and in the UK." in signal.why


def test_a_year_and_a_day_later_it_is_news_again(raised: Ask) -> None:
    def again(days: int) -> list[Signal]:
        day = date(2024, 1, 1) + timedelta(days=days)
        rows = [{"on": "2024-01-01", "found": "metonitazene"}, {"on": day, "found": "metonitazene"}]
        return raised(rows, "2024-06-01", "2025-06-01", RULE)

    assert again(365) == []
    assert ids(again(366)) == [("metonitazene", CAMDEN)]
    assert "First in 12 months" in again(366)[0].why


def test_an_older_event_that_comes_in_late_is_no_news(raised: Ask) -> None:
    rows = [
        {"on": "2024-05-01", "found": "metonitazene"},
        {"on": "2023-12-01", "known": "2024-06-01", "found": "metonitazene"},
    ]
    assert len(raised(rows, "2024-01-01", "2024-12-31", RULE)) == 1


def test_the_largest_share_names_the_area_and_the_rest_are_listed(standing: Ask) -> None:
    shares = {ISLINGTON: 0.45, CAMDEN: 0.4, BARNET: 0.15}
    (signal,) = standing([{"on": "2025-01-10", "found": "metonitazene", "area": shares}], "2025-01-10", RULE)
    assert signal.area.code == ISLINGTON
    assert [(p.code, p.share) for p in signal.also_possible] == [(CAMDEN, 0.4)]
    assert signal.certain == 0
    (tie,) = standing(
        [{"on": "2025-01-10", "found": "metonitazene", "area": {ISLINGTON: 0.5, CAMDEN: 0.5}}], "2025-01-10", RULE
    )
    assert tie.area.code == CAMDEN


def test_a_record_placed_at_the_region_speaks_at_the_region(standing: Ask) -> None:
    (signal,) = standing([{"on": "2025-01-10", "found": "metonitazene", "area": LONDON}], "2025-01-10", RULE)
    assert signal.area.code == LONDON


def test_a_retracted_record_stops_and_gives_the_next_one_its_turn(standing: Ask) -> None:
    rows = [
        {"id": "a", "on": "2025-01-10", "gone": "2025-01-20", "found": "metonitazene"},
        {"id": "b", "on": "2025-01-15", "found": "metonitazene"},
    ]
    assert standing(rows, "2025-01-16", RULE)[0].records == ("a",)
    assert standing(rows, "2025-01-20", RULE)[0].records == ("b",)


def test_a_new_version_with_the_same_finding_is_no_news(raised: Ask) -> None:
    rows = [
        {"id": "a", "on": "2025-01-10", "gone": "2025-06-20", "found": "metonitazene"},
        {"id": "a", "version": 2, "on": "2025-01-10", "known": "2025-06-20", "found": "metonitazene", "colour": "blue"},
    ]
    assert [str(s.first_raised_on) for s in raised(rows, "2025-01-01", "2025-12-31", RULE)] == ["2025-01-10"]


def test_a_corrected_finding_is_news_when_it_is_known(raised: Ask) -> None:
    rows = [
        {"id": "a", "on": "2025-01-10", "gone": "2025-03-20", "found": "metonitazene"},
        {"id": "a", "version": 2, "on": "2025-01-10", "known": "2025-03-20", "found": "protonitazene"},
    ]
    found = raised(rows, "2025-01-01", "2025-12-31", RULE)
    assert [(s.subject.id, str(s.first_raised_on)) for s in found] == [
        ("metonitazene", "2025-01-10"),
        ("protonitazene", "2025-03-20"),
    ]


def test_two_new_substances_in_one_sample_are_one_card(standing: Ask) -> None:
    rows = [{"on": "2025-01-10", "found": {"metonitazene": "major", "brorphine": "minor"}}]
    (card,) = standing(rows, "2025-01-10", RULE)
    assert {s.subject.id for s in (card, *card.beneath)} == {"metonitazene", "nitazene", "brorphine", "orphine"}
    assert "Newly found with it" in card.why


def test_suspected_named_and_unwatched_are_not_found(standing: Ask) -> None:
    rows = [
        {"on": "2025-01-10", "outcome": "fatal", "found": {"metonitazene": "suspected"}},
        {"on": "2025-01-10", "found": {"morphine": "major", "buprenorphine": "major"}},
    ]
    assert standing(rows, "2025-01-10", RULE) == []


def test_short_history_is_said(standing: Ask) -> None:
    rows = [{"on": "2024-01-01", "found": "morphine"}, {"on": "2025-06-01", "found": "metonitazene"}]
    (signal,) = standing(rows, "2025-06-01", RULE)
    assert (signal.learning, signal.history_days) == (False, 517)
    (short,) = standing(rows[1:], "2025-06-01", RULE)
    assert (short.learning, short.history_days) == (True, 0)


sample = st.fixed_dictionaries(
    {
        "on": st.dates(date(2023, 1, 1), date(2025, 1, 1)),
        "lag": st.integers(0, 200),
        "area": st.sampled_from([CAMDEN, ISLINGTON]),
        "found": st.sampled_from(["metonitazene", "protonitazene"]),
    }
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(sample, min_size=1, max_size=14))
def test_every_firing_is_the_one_a_plain_loop_finds(known: Callable[..., object], catalogue: Catalogue, rows) -> None:  # type: ignore[no-untyped-def]
    rows = [{**r, "known": r["on"] + timedelta(days=r["lag"])} for r in rows]
    for row in rows:
        row.pop("lag")
    lines = known(*rows)
    ground = prepare(lines, day_end(date(2026, 1, 1)), catalogue)
    spells = first.spells(catalogue.rules[RULE], ground).filter(
        (pl.col("tier") == "borough") & (pl.col("subject_kind") == "substance")
    )
    expected = {
        (f"r{i:05d}", r["found"], r["area"])
        for i, r in enumerate(rows)
        if not any(
            o["known"] < r["known"]
            and (o["found"], o["area"]) == (r["found"], r["area"])
            and o["on"] >= r["on"] - timedelta(days=365)
            for o in rows
        )
    }
    assert {(r[0][0], r[1], r[2]) for r in spells.select("records", "subject", "area").iter_rows()} == expected


def test_the_order_of_rows_does_not_matter(known: Callable[..., object], catalogue: Catalogue) -> None:
    rows = [
        {"id": f"x{i}", "on": date(2024, 1, 1) + timedelta(days=7 * i), "found": "metonitazene", "area": a}
        for i, a in enumerate([CAMDEN, ISLINGTON, BARNET] * 8)
    ]
    until = day_end(date(2024, 12, 31))
    rules = list(catalogue.rules.values())

    def spells(rows: list[dict[str, object]]) -> pl.DataFrame:
        return evaluate(rules, known(*rows), until, catalogue).spells.sort(pl.all().exclude("records"))

    assert spells(rows).equals(spells(rows[::-1]))


def test_a_finding_in_a_known_record_is_known_on_its_own_day(standing: Ask) -> None:
    death = {"id": "d", "on": "2025-11-23", "outcome": "fatal"}
    rows = [
        {"id": "old", "on": "2025-10-01", "outcome": "non-fatal"},
        {**death, "known": "2025-11-23", "gone": "2026-01-10"},
        {**death, "known": "2026-01-10", "version": 2, "found": "cychlorphine"},
    ]
    (signal,) = standing(rows, "2026-01-20")
    assert (signal.known_on, signal.history_days) == (date(2026, 1, 10), 101)
    assert "in an incident of 23 November 2025" in signal.why
    assert "Learning: only 101 days of history." in signal.why


def test_areas_are_said_as_people_say_them(standing: Ask) -> None:
    (signal,) = standing([{"on": "2025-01-05", "area": "E12000001", "found": "metonitazene"}], "2025-01-05")
    assert signal.why.startswith("First ever in the North East: ")
