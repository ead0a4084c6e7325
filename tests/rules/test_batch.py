"""Contaminated batches as they became known: areas, content, overdoses, corrections, and what is never printed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from ewarn.assess import joining
from ewarn.catalogue import Catalogue
from ewarn.rules import evaluate, signals
from ewarn.terms import Signal, day_end, day_start, days_between

CAMDEN, BARNET, LEEDS = "E09000007", "E09000003", "E08000035"
Ask = Callable[..., list[Signal]]


def pill(on: str, area: Any = CAMDEN, **more: Any) -> dict[str, Any]:
    said = {"sold_as": "oxycodone", "sold_as_subject": "oxycodone", "form": "tablet", "colour": "blue", "label": "M30"}
    return {"on": on, "area": area, "found": "metonitazene"} | said | more


def test_two_areas_raise_a_batch_with_every_sample_and_no_sellers_word(standing: Ask) -> None:
    rows = [pill("2025-03-01", label="M30 Dave's best"), pill("2025-03-04", BARNET), pill("2025-03-09", BARNET)]
    (signal,) = standing(rows, "2025-03-09", "batch-areas")
    assert (signal.area.name, signal.record_count, signal.observed) == ("London", 3, 3.0)
    assert "M30" in signal.why and "blue tablets" in signal.why and "sold as Oxycodone" in signal.why
    assert "ave" not in signal.why.replace("have", "") and "best" not in signal.why
    assert signal.expected is not None and signal.p_value is not None and signal.would_have_stopped_it
    assert signal.subject.id.startswith("nitazene-batch-") and "batch" in signal.subject.name


def test_a_batch_joins_the_case_of_its_class(standing: Ask, catalogue: Catalogue) -> None:
    (signal,) = standing([pill("2025-03-01"), pill("2025-03-04", BARNET)], "2025-03-09", "batch-areas")
    assert joining.subject_of(signal, catalogue).id == "nitazene"


def test_an_outward_code_in_two_boroughs_is_no_second_area(standing: Ask) -> None:
    either = {CAMDEN: 0.6, BARNET: 0.4}
    assert standing([pill("2025-03-01"), pill("2025-03-04", either)], "2025-03-09", "batch-areas") == []
    far = standing([pill("2025-03-01"), pill("2025-03-04", LEEDS)], "2025-03-09", "batch-areas")
    assert [s.area.tier.value for s in far] == ["uk"]


@pytest.mark.parametrize(
    "other", [{"label": "K30"}, {"label": "M20"}, {"colour": "white"}, {"form": "liquid"}, {"found": "xylazine"}]
)
def test_what_differs_is_another_batch(standing: Ask, other: dict[str, str]) -> None:
    assert standing([pill("2025-03-01"), pill("2025-03-04", BARNET, **other)], "2025-03-09", "batch-areas") == []


def test_order_of_rows_does_not_matter_and_the_future_is_not_seen(raised: Ask) -> None:
    rows = [
        pill("2025-03-01", id="a"), pill("2025-03-04", BARNET, id="b", known="2025-03-20"),
        pill("2025-03-10", BARNET, id="c"),
    ]  # fmt: skip
    one = raised(rows, "2025-03-01", "2025-04-30", "batch-areas")
    assert one == raised(list(reversed(rows)), "2025-03-01", "2025-04-30", "batch-areas")
    assert [(str(s.first_raised_on), s.records) for s in one] == [("2025-03-10", ("a", "c"))]
    early = raised(rows, "2025-03-01", "2025-03-15", "batch-areas")
    assert [s.id for s in early] == [s.id for s in one]


def test_a_sample_that_is_withdrawn_ends_the_signal(standing: Ask) -> None:
    rows = [pill("2025-03-01"), pill("2025-03-04", BARNET, gone="2025-03-06")]
    assert len(standing(rows, "2025-03-05", "batch-areas")) == 1
    assert standing(rows, "2025-03-07", "batch-areas") == []


def test_late_news_and_unmarked_powder_raise_no_batch(standing: Ask) -> None:
    late = [pill("2024-01-01", known="2025-03-01"), pill("2024-01-04", BARNET, known="2025-03-02")]
    assert standing(late, "2025-03-09", "batch-areas") == []
    powder = {"form": "powder", "colour": "brown", "label": "", "sold_as": "heroin", "sold_as_subject": "heroin"}
    rows = [pill("2025-03-01", **powder), pill("2025-03-02", BARNET, **powder)]
    assert standing(rows, "2025-03-09", "batch-areas") == []


def test_overdoses_beside_a_batch_count_persons_and_say_the_link_is_unproven(standing: Ask) -> None:
    rows = [
        pill("2025-03-01"),
        {"on": "2025-03-03 21:00", "outcome": "non-fatal", "found": {"oxycodone": "suspected"}, "stream": "ambulance"},
        {"on": "2025-03-05 03:00", "outcome": "fatal", "found": {"nitazene": "suspected"}, "stream": "ambulance"},
        {"on": "2025-03-05 04:00", "outcome": "non-fatal", "found": {"cocaine": "confirmed"}, "stream": "ambulance"},
    ]
    (signal,) = standing(rows, "2025-03-05", "batch-overdoses")
    assert (signal.observed, signal.persons_min, signal.record_count) == (2.0, 2, 3)
    assert "Whether it was this batch is not known" in signal.why
    assert standing(rows[:3], "2025-03-04", "batch-overdoses") == []


def test_without_incidents_or_samples_there_is_no_answer(catalogue: Catalogue, known: Callable[..., Any]) -> None:
    for rule in ("batch-overdoses", "batch-content"):
        found = evaluate([catalogue.rules[rule]], known(pill("2025-03-01")), day_end(date(2025, 3, 9)), catalogue)
        assert [n.rule for n in found.not_evaluable] == [rule]


def test_the_year_of_real_samples_costs_few_signals(wedinos: Any, catalogue: Catalogue) -> None:

    days = days_between(date(2024, 1, 1), date(2024, 12, 31))
    rules = [catalogue.rules[r] for r in ("batch-areas", "batch-content")]
    found = signals.over(evaluate(rules, wedinos[0], day_end(days[-1]), catalogue, since=day_start(days[0])), days)
    assert 5 <= len(found) <= 26
    brands = ("bensedin", "galenika", "accord", "martin", "msj")
    assert not [s.why for s in found if any(brand in s.why.casefold() for brand in brands)]
