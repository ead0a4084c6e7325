"""A real year of drug checking: every first detection by borough, none too many, in seconds."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from ewarn.catalogue import Catalogue
from ewarn.frames import Lines
from ewarn.rules import evaluate, signals
from ewarn.terms import Signal, day_end, day_start, days_between

YEAR = days_between(date(2024, 1, 1), date(2024, 12, 31))


@pytest.fixture(scope="module")
def lines(wedinos: tuple[Lines, pl.DataFrame]) -> Lines:
    return wedinos[0]


@pytest.fixture(scope="module")
def found(lines: Lines, catalogue: Catalogue) -> list[Signal]:
    evaluation = evaluate(list(catalogue.rules.values()), lines, day_end(YEAR[-1]), catalogue, since=day_start(YEAR[0]))
    return signals.over(evaluation, YEAR)


def flat(found: list[Signal]) -> list[Signal]:
    return [s for top in found for s in (top, *top.beneath)]


def by_a_plain_loop(lines: Lines, catalogue: Catalogue) -> set[tuple[str, str, date]]:
    """Substance, borough and day of every first detection in twelve months, one record at a time."""
    days = dict(lines.lines.select("record_id", "reference_date").iter_rows())
    shares: dict[str, list[tuple[float, str]]] = {}
    for record, area, tier, share in lines.places.select("record_id", "area", "tier", "share").iter_rows():
        if tier == "borough":
            shares.setdefault(record, []).append((-round(share, 9), area))
    events: dict[tuple[str, str], set[date]] = {}
    mentions = lines.mentions.filter(pl.col("mention_kind") == "substance")
    for record, subject in mentions.select("record_id", "subject").iter_rows():
        if record in shares and catalogue.is_watched(subject):
            events.setdefault((subject, min(shares[record])[1]), set()).add(days[record])
    return {
        (subject, area, day)
        for (subject, area), seen in events.items()
        for day in seen
        if day in set(YEAR) and not any(day - timedelta(days=365) <= other < day for other in seen)
    }


def test_every_first_detection_by_borough_is_listed_and_no_other(
    found: list[Signal], lines: Lines, catalogue: Catalogue
) -> None:
    said = {
        (s.subject.id, s.area.code, s.first_raised_on)
        for s in flat(found)
        if s.rule == "first-in-area" and s.area.tier == "borough" and s.subject.kind == "substance"
    }
    assert said == by_a_plain_loop(lines, catalogue)
    assert len(said) > 80


def test_morphine_is_no_orphine_and_each_nitazene_is_counted_as_itself(
    found: list[Signal], lines: Lines, catalogue: Catalogue
) -> None:
    names = lines.mentions.select("record_id", "subject").unique()
    held: dict[str, set[str]] = {}
    for record, subject in names.iter_rows():
        held.setdefault(record, set()).add(subject)
    for signal in flat(found):
        wanted = {signal.subject.id} if signal.subject.kind == "substance" else set()
        for record in signal.records:
            assert wanted <= held[record], signal.why
            if signal.subject.kind == "class":
                assert signal.subject.id in {catalogue.class_of.get(s or "") for s in held[record]}


def test_one_sample_is_one_card(found: list[Signal]) -> None:
    cards = [(s.area.code, s.records) for s in found if s.family in ("first detection", "mis-sold content")]
    assert len(cards) == len(set(cards))
    assert len({s.id for s in flat(found)}) == len(flat(found))


def test_a_check_on_any_evening_names_the_same_signals(lines: Lines, catalogue: Catalogue, found: list[Signal]) -> None:
    for day in (date(2024, 1, 10), date(2024, 6, 18), date(2024, 11, 26)):
        instant = day_end(day)
        standing = signals.at(evaluate(list(catalogue.rules.values()), lines, instant, catalogue), instant)
        new = {s.id for s in standing if s.first_raised_on == day}
        assert new == {s.id for s in found if s.first_raised_on == day}
