"""Windows roll over event times, count persons between a fewest and a most, and stop when a correction empties them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ewarn.catalogue import Catalogue
from ewarn.frames import Lines
from ewarn.rules import evaluate
from ewarn.terms import LONDON, Signal, day_end

CAMDEN, ISLINGTON, WESTMINSTER, BROMLEY = "E09000007", "E09000019", "E09000033", "E09000006"
Ask = Callable[..., list[Signal]]
DAY_RULE = "cluster-24h-area"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


def burst(count: int, start: str, minutes: int = 30, **fields: Any) -> list[dict[str, Any]]:
    fields = {"outcome": "non-fatal", **fields}
    return [{"on": at(start) + timedelta(minutes=minutes * i), **fields} for i in range(count)]


def test_a_correction_that_removes_an_event_ends_the_signal(standing: Ask) -> None:
    rows = burst(5, "2025-03-03 20:00")
    rows[2]["gone"] = "2025-03-05 12:00"
    assert len(standing(rows, "2025-03-04", DAY_RULE)) == 1
    assert standing(rows, "2025-03-05", DAY_RULE) == []


def test_a_correction_that_leaves_enough_lowers_the_number(standing: Ask) -> None:
    rows = burst(7, "2025-03-03 20:00")
    rows[2]["gone"] = "2025-03-05 12:00"
    (before,), (after,) = standing(rows, "2025-03-04", DAY_RULE), standing(rows, "2025-03-05", DAY_RULE)
    assert (before.observed, after.observed, before.id) == (7, 6, after.id)


def test_a_new_version_of_an_event_is_no_new_event(standing: Ask) -> None:
    rows = burst(4, "2025-03-03 20:00")
    rows[0] |= {"id": "a", "gone": "2025-03-04 08:00"}
    rows.append({**rows[0], "version": 2, "known": "2025-03-04 08:00", "gone": None, "setting": "street"})
    assert standing(rows, "2025-03-04", DAY_RULE) == []


def test_probable_duplicates_across_streams_lower_the_fewest_and_not_the_most(standing: Ask) -> None:
    ambulance = burst(5, "2025-03-03 20:00", minutes=60, stream="ambulance", organisation="A")
    hospital = burst(5, "2025-03-03 20:15", minutes=60, stream="emergency department", organisation="H")
    (signal,) = standing(ambulance + hospital, "2025-03-04", DAY_RULE)
    assert (signal.observed, signal.persons_min, signal.persons_max, signal.record_count) == (5, 5, 10, 10)
    assert "5 to 10 persons" in signal.why
    assert standing(ambulance[:4] + hospital[:4], "2025-03-04", DAY_RULE) == []


def test_one_organisation_or_another_setting_is_no_duplicate(standing: Ask) -> None:
    a = burst(3, "2025-03-03 20:00", minutes=60, stream="ambulance", organisation="A", setting="street")
    b = burst(3, "2025-03-03 20:15", minutes=60, stream="police", organisation="P", setting="home")
    assert standing(a + b, "2025-03-04", DAY_RULE)[0].persons_min == 6
    same = burst(3, "2025-03-03 20:15", minutes=60, stream="police", organisation="A", setting="street")
    assert standing(a + same, "2025-03-04", DAY_RULE)[0].persons_min == 6


def test_rows_without_a_time_count_as_possible(standing: Ask) -> None:
    rows = [{"on": d, "outcome": "non-fatal"} for d in ["2025-03-03"] * 3 + ["2025-03-04"] * 2]
    (signal,) = standing(rows, "2025-03-04", DAY_RULE)
    assert "count as possible" in signal.why
    far = [{"on": d, "outcome": "non-fatal"} for d in ["2025-03-03"] * 3 + ["2025-03-05"] * 2]
    assert standing(far, "2025-03-05", DAY_RULE) == []


def test_a_night_across_the_clock_change_is_24_hours_of_time(standing: Ask) -> None:
    rows = burst(4, "2025-03-29 20:00", minutes=1)
    inside = [*rows, {"on": at("2025-03-30 21:00"), "outcome": "non-fatal"}]
    outside = [*rows, {"on": at("2025-03-30 21:04"), "outcome": "non-fatal"}]
    assert len(standing(inside, "2025-03-30", DAY_RULE)) == 1
    assert standing(outside, "2025-03-30", DAY_RULE) == []


def test_an_area_is_named_by_the_summed_shares_and_the_others_are_listed(standing: Ask) -> None:
    rows = burst(4, "2025-03-03 20:00", area={CAMDEN: 0.6, WESTMINSTER: 0.4})
    rows += burst(1, "2025-03-03 22:30", area=CAMDEN)
    (signal,) = standing(rows, "2025-03-04", DAY_RULE)
    assert (signal.area.code, signal.certain, signal.observed) == (CAMDEN, 1, 5)
    assert [p.code for p in signal.also_possible] == [WESTMINSTER]
    assert "Certainly there: 1 of 5 records." in signal.why


def test_a_running_total_that_is_most_of_the_neighbours_explains_them(standing: Ask) -> None:
    """One record of eight persons in Islington and four of one in Camden by one service are one event, Islington's."""
    total = burst(1, "2025-03-03 21:00", area=ISLINGTON, persons=8, cumulative=True, organisation="a")
    tops = standing([*total, *burst(4, "2025-03-03 20:00", organisation="a")], "2025-03-04")
    assert [(s.rule, s.area.code) for s in tops] == [(DAY_RULE, ISLINGTON)]
    assert "cluster-72h-neighbours" in {s.rule for s in tops[0].beneath}


def test_neighbours_speak_only_when_no_borough_explains_it(standing: Ask) -> None:
    spread = burst(4, "2025-03-03 20:00") + burst(3, "2025-03-03 20:00", area=ISLINGTON)
    spread += burst(3, "2025-03-03 20:00", area=WESTMINSTER)
    (signal,) = standing(spread, "2025-03-04")
    assert (signal.rule, signal.area.code, signal.observed) == ("cluster-72h-neighbours", CAMDEN, 10)
    explained = burst(8, "2025-03-03 20:00", minutes=5) + burst(2, "2025-03-03 23:00", area=ISLINGTON)
    tops = standing(explained, "2025-03-04")
    assert [s.rule for s in tops] == [DAY_RULE]
    assert "cluster-72h-neighbours" in {s.rule for s in tops[0].beneath}


def test_two_hostels_in_one_borough_are_two_signals(raised: Ask) -> None:
    rows = burst(2, "2025-03-03 20:00", setting="hostel", place_label="x")
    rows += burst(2, "2025-03-05 20:00", setting="hostel", place_label="y")
    found = raised(rows, "2025-03-01", "2025-03-31", "cluster-24h-setting")
    assert [str(s.first_raised_on) for s in found] == ["2025-03-03", "2025-03-05"]


def usual(days: int, every_hours: int = 12) -> list[dict[str, Any]]:
    return burst(days * 24 // every_hours, "2024-06-01 00:30", minutes=60 * every_hours)


def test_with_history_what_is_usual_stays_silent_and_the_unusual_says_how_unlikely(raised: Ask) -> None:
    quiet = usual(270, 12)
    assert raised(quiet, "2024-12-15", "2025-02-20", "cluster-7d-area") == []
    spike = quiet + burst(9, "2025-02-20 20:00", minutes=10)
    (signal,) = raised(spike, "2025-02-01", "2025-02-25", DAY_RULE)
    assert signal.expected == pytest.approx(2, abs=0.3)
    assert signal.p_value is not None and signal.p_value < 0.001
    assert signal.upper_bound is not None and signal.upper_bound <= signal.observed


def test_an_exercise_in_late_news_neither_triggers_nor_counts(standing: Ask) -> None:
    fresh = burst(4, "2025-03-03 20:00")
    late = [{"on": at("2025-03-03 21:00"), "known": "2025-12-01", "outcome": "non-fatal"}]
    assert standing(fresh + late, "2025-12-01", DAY_RULE) == []
    weeks_late = [{"on": at("2025-03-03 21:00"), "known": "2025-04-20", "outcome": "non-fatal"}]
    assert len(standing(fresh + weeks_late, "2025-04-20", DAY_RULE)) == 1


def test_detect_and_backtest_name_one_event_alike(raised: Ask, standing: Ask) -> None:
    rows = burst(12, "2025-03-03 20:00", minutes=50)
    rows += [{"on": "2025-03-07", "found": {"metonitazene": "major"}, "sold_as": "x"}]
    found = raised(rows, "2025-03-01", "2025-03-31")
    for signal in found:
        at_night = standing(rows, str(signal.first_raised_on))
        twin = next(s for s in at_night if s.id == signal.id)
        assert (twin.observed, twin.records, twin.area) == (signal.observed, signal.records, signal.area)


event = st.tuples(st.integers(0, 20 * 24), st.integers(0, 24 * 10), st.sampled_from([CAMDEN, BROMLEY]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(event, min_size=4, max_size=18), st.integers(1, 30))
def test_windows_are_those_a_plain_loop_finds_and_whole_weeks_only_shift_them(
    known: Callable[..., Lines], catalogue: Catalogue, events: list[tuple[int, int, str]], weeks: int
) -> None:
    def fired(shift: timedelta) -> set[tuple[datetime, str]]:
        base = at("2024-01-01 00:00") + shift
        rows = [
            {"on": base + timedelta(hours=h), "known": base + timedelta(hours=h + lag), "outcome": "n", "area": a}
            for h, lag, a in events
        ]
        until = day_end(at("2024-04-15 00:00").date())
        spells = evaluate([catalogue.rules[DAY_RULE]], known(*rows), until, catalogue, since=base)
        return {(f - shift, a) for f, a in spells.spells.select("fires_from", "area").iter_rows()}

    base = at("2024-01-01 00:00")
    expected = set()
    for hour, lag, area in events:
        tau = hour + lag
        seen = [h for h, other, a in events if a == area and h + other <= tau]
        if any(sum(left <= h <= left + 24 for h in seen) >= 5 for left in seen if left <= hour <= left + 24):
            expected.add((base + timedelta(hours=tau), area))
    assert fired(timedelta(0)) == expected
    winter = timedelta(weeks=min(weeks, 8))
    assert fired(winter) == expected


def test_renaming_areas_renames_signals(raised: Ask) -> None:
    rows = [*burst(6, "2025-03-03 20:00"), {"on": "2025-03-07", "found": "metonitazene", "area": BROMLEY}]
    other = {CAMDEN: BROMLEY, BROMLEY: CAMDEN}
    renamed = [{**row, "area": other[row.get("area", CAMDEN)]} for row in rows]
    asked = ("2025-03-01", "2025-03-31", DAY_RULE, "first-in-area")
    swapped = {(other[s.area.code], s.rule, s.observed, s.records) for s in raised(renamed, *asked)}
    assert {(s.area.code, s.rule, s.observed, s.records) for s in raised(rows, *asked)} == swapped


def test_a_substance_found_later_is_not_hidden_beneath_a_cluster_without_one(raised: Ask) -> None:
    rows = burst(5, "2025-03-03 20:00", outcome="fatal")
    for number, row in enumerate(rows):
        row |= {"id": f"d{number}", "gone": "2025-04-03"}
    tested = [
        {**row, "version": 2, "known": "2025-04-03", "gone": None, "found": {"cychlorphine": "confirmed"}}
        for row in rows
    ]
    found = raised(rows + tested, "2025-03-01", "2025-04-30")
    assert {"cluster-24h-area", "cluster-28d-deaths"} <= {s.rule for s in found}


def test_one_death_from_two_services_is_no_repeat(standing: Ask) -> None:
    death = {"on": "2025-10-30", "outcome": "fatal", "found": "cychlorphine"}
    ambulance = {**death, "id": "a", "stream": "ambulance", "organisation": "A"}
    laboratory = {**death, "id": "l", "stream": "post-mortem", "organisation": "L", "known": "2025-11-20"}
    assert standing([ambulance, laboratory], "2025-11-20", "repeat-28d") == []
    second = {**death, "id": "b", "on": "2025-11-14", "stream": "ambulance", "organisation": "A"}
    top = standing([ambulance, laboratory, second], "2025-11-20", "repeat-28d")[0]
    assert (top.observed, top.record_count) == (2, 3)
    assert top.why.startswith("2 to 3 records with Cychlorphine within 28 days")


def test_a_growing_report_speaks_through_one_longer_window(standing: Ask) -> None:
    report = {"id": "r", "on": "2025-03-03", "outcome": "non-fatal", "cumulative": True}
    rows = [
        {**report, "known": "2025-03-03 23:00", "gone": "2025-03-06 12:00", "persons": 12},
        {**report, "known": "2025-03-06 12:00", "persons": 33, "version": 2, "reference_end": date(2025, 3, 6)},
    ]
    found = standing(rows, "2025-03-06")
    assert [(s.rule, s.observed) for s in found] == [("cluster-24h-area", 12), ("cluster-7d-area", 33)]


@pytest.mark.parametrize("persons", [12, 33, 150, 1000])
def test_a_running_total_never_makes_what_it_tells_of_look_usual(raised: Ask, persons: int) -> None:
    before = usual(270, 30 * 24)
    total = {"id": "r", "on": "2025-03-03", "reference_end": date(2025, 3, 6), "cumulative": True, "persons": persons}
    rows = before + burst(7, "2025-03-03 15:00") + [{**total, "outcome": "non-fatal", "known": "2025-03-07 11:00"}]
    (signal,) = raised(rows, "2025-03-01", "2025-03-08", DAY_RULE)
    assert signal.expected is not None and signal.expected < 0.05
    assert signal.p_value is not None and signal.p_value < 1e-9


@pytest.mark.parametrize("persons", [33, 150])
def test_a_second_cluster_in_a_place_is_heard_after_a_first_however_large(raised: Ask, persons: int) -> None:
    total = {"id": "r", "on": "2025-03-03", "reference_end": date(2025, 3, 6), "cumulative": True, "persons": persons}
    first = [*burst(12, "2025-03-03 12:00"), {**total, "outcome": "non-fatal", "known": "2025-03-07 11:00"}]
    rows = usual(400, 20 * 24) + first + burst(5, "2025-06-20 20:00")
    (signal,) = raised(rows, "2025-06-01", "2025-06-30", DAY_RULE)
    assert signal.observed == 5 and signal.upper_bound is not None and signal.upper_bound <= 5
    assert signal.p_value is not None and signal.p_value < 0.001


def test_rows_without_a_time_are_no_history_of_their_own_day(raised: Ask) -> None:
    before = usual(270, 30 * 24)
    day = [{"id": f"d{n}", "on": "2025-03-03", "outcome": "non-fatal"} for n in range(8)]
    (signal,) = raised(before + day, "2025-03-01", "2025-03-08", DAY_RULE)
    assert signal.expected is not None and signal.expected < 0.1 and (signal.p_value or 1) < 1e-9


def test_services_that_leave_out_the_time_do_not_keep_a_cluster_silent(standing: Ask) -> None:
    day = {"on": "2025-03-03", "outcome": "non-fatal"}
    rows = [{**day, "id": f"a{n}", "stream": "ambulance", "organisation": "A"} for n in range(3)]
    rows += [{**day, "id": f"e{n}", "stream": "emergency department", "organisation": "E"} for n in range(2)]
    (top,) = standing(rows, "2025-03-04", DAY_RULE)
    assert (top.observed, top.persons_min, top.persons_max) == (5, 3, 5)
    assert top.why.startswith("3 to 5 persons") and "may be of the same persons" in top.why


def test_a_window_says_how_often_chance_alone_brings_such_a_one(
    known: Callable[..., Lines], catalogue: Catalogue
) -> None:
    """Against a simulated Poisson process: windows that begin with an event and hold as many, in two strata."""
    rng, days = np.random.default_rng(5), 900
    start = at("2022-01-03 00:00")
    times = [start + timedelta(days=day, hours=1) for day in range(0, days - 20, 10)]  # no more varied than a Poisson
    times += [start + timedelta(days=days - 2, hours=hour) for hour in range(4)]
    rows: list[dict[str, Any]] = [{"on": time, "outcome": "non-fatal"} for time in times]
    rows.append({"on": start, "outcome": "non-fatal", "area": ISLINGTON})
    rule = catalogue.rules["cluster-7d-area"]
    rule = rule.model_copy(update={"numbers": {**rule.numbers, "n": 4, "alpha": 0.05}})
    until = start + timedelta(days=days)
    spell = evaluate([rule], known(*rows), until, catalogue).spells.to_dicts()[-1]
    assert spell["observed"] == 4
    made = np.sort(rng.uniform(0, 40_000 * 365.25, rng.poisson(spell["expected"] / 7 * 40_000 * 365.25)))
    windows = (np.searchsorted(made, made + 7, side="right") - np.arange(made.size) >= 4).sum() / 40_000
    assert spell["by_chance_per_year"] == pytest.approx(2 * windows, rel=0.1)
    assert "Over 2 strata chance brings such a window" in spell["why"]
