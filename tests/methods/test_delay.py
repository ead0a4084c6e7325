"""What is known by now of what happened: the lag is learnt from as-known rows, and expectations are thinned by it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ewarn.methods.delay import (
    delay_distribution,
    newest_closed,
    period_number,
    results_in,
    results_in_words,
    shares,
    still_to_come,
    thinned,
)

MONDAY = date(2024, 1, 1)
ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(-250, 0), st.integers(-5, 150)), min_size=1, max_size=40)


def frame(rows: list[tuple[str, int, int]], as_of: date) -> pl.DataFrame:
    happened = [as_of + timedelta(days=day) for _, day, _ in rows]
    known = [day + timedelta(days=lag) for day, (_, _, lag) in zip(happened, rows, strict=True)]
    return pl.DataFrame({"source": [s for s, _, _ in rows], "reference_date": happened, "known_date": known})


def lagged(rng: np.random.Generator, per_week: int, weeks: int, share: float, as_of: date) -> pl.DataFrame:
    """Reports of a source whose lag in weeks is geometric."""
    n = per_week * weeks
    monday = as_of - timedelta(days=as_of.weekday())
    week = np.repeat(np.arange(weeks), per_week)
    lag = rng.geometric(share, n) - 1
    start = [monday - timedelta(weeks=int(w)) for w in week]
    return pl.DataFrame(
        {
            "source": "lab",
            "reference_date": start,
            "known_date": [s + timedelta(weeks=int(d)) for s, d in zip(start, lag, strict=True)],
        }
    )


@settings(max_examples=50, deadline=None)
@given(ROWS, st.sampled_from([1, 7]))
def test_the_share_known_increases_to_one(rows: list[tuple[str, int, int]], period_days: int) -> None:
    found = delay_distribution(frame(rows, MONDAY), MONDAY, period_days)
    for _, own in found.group_by("source"):
        share = own.sort("lag")["share_known"]
        if own["reason"][0]:
            assert share.is_null().all()
            continue
        values = share.to_numpy()
        assert np.all(np.diff(values) >= -1e-12) and values[0] >= 0 and values[-1] == 1.0


@settings(max_examples=30, deadline=None)
@given(ROWS)
def test_what_became_known_later_changes_nothing(rows: list[tuple[str, int, int]]) -> None:
    reports = frame(rows, MONDAY)
    later = frame([(s, -3, 4) for s, _, _ in rows], MONDAY)
    assert delay_distribution(reports, MONDAY).equals(delay_distribution(pl.concat([reports, later]), MONDAY))


def test_the_lag_is_learnt_without_waiting_for_what_has_not_come_in() -> None:
    """400 reports a week with a geometric lag, mean 4 weeks, seed 11: within two points at every lag."""
    as_of = date(2024, 6, 30)
    reports = lagged(np.random.default_rng(11), 400, 26, 0.2, as_of)
    learnt = delay_distribution(reports, as_of)["share_known"].to_numpy()
    true = 1 - 0.8 ** np.arange(1, 18)
    np.testing.assert_allclose(learnt, true / true[-1], atol=0.02)
    naive = reports.filter(pl.col("known_date") <= as_of).select(
        ((pl.col("known_date") - pl.col("reference_date")).dt.total_days() // 7 <= 2).mean()
    )
    assert naive.item() > learnt[2] + 0.05, "without the correction for truncation the lag looks shorter than it is"


def test_a_source_with_few_reports_leans_on_all_sources() -> None:
    as_of = date(2024, 6, 30)
    many = lagged(np.random.default_rng(1), 50, 26, 0.5, as_of)
    few = lagged(np.random.default_rng(2), 1, 4, 0.02, as_of).with_columns(pl.lit("new lab").alias("source"))
    found = delay_distribution(pl.concat([many, few]), as_of)
    there, own = (found.filter(pl.col("source") == s)["share_known"].to_numpy() for s in ("lab", "new lab"))
    assert np.abs(there - own).max() < 0.1
    free = delay_distribution(pl.concat([many, few]), as_of, prior_reports=0.0)
    alone = free.filter(pl.col("source") == "lab")
    np.testing.assert_allclose(alone["share_known"].to_numpy(), alone["own_share"].to_numpy())


def test_a_source_never_seen_to_lag_gets_the_pooled_lag_and_none_at_all_gets_no_answer() -> None:
    as_of = date(2024, 6, 30)
    known = lagged(np.random.default_rng(3), 50, 26, 0.5, as_of)
    future = known.head(1).with_columns(pl.lit("silent").alias("source"), pl.lit(date(2025, 1, 1)).alias("known_date"))
    both = delay_distribution(pl.concat([known, future]), as_of, prior_reports=1e9)
    silent, lab = (both.filter(pl.col("source") == s)["share_known"].to_numpy() for s in ("silent", "lab"))
    np.testing.assert_allclose(silent, lab, atol=1e-6)
    alone = delay_distribution(future, as_of)
    assert alone["share_known"].is_null().all() and (alone["reason"] != "").all()
    assert np.isnan(shares(alone, "silent", [0, 3])).all()
    assert delay_distribution(known.clear(), as_of).is_empty()


def test_periods_are_weeks_from_monday_and_only_closed_ones_count() -> None:
    days = pl.DataFrame({"d": [date(2024, 1, 1), date(2024, 1, 7), date(2024, 1, 8)]})
    numbers = days.select(period_number(pl.col("d")))["d"].to_list()
    assert numbers[0] == numbers[1] == numbers[2] - 1
    assert newest_closed(date(2024, 1, 7)) == numbers[0]
    assert newest_closed(date(2024, 1, 13)) == numbers[0]
    assert newest_closed(date(2024, 1, 14)) == numbers[2]
    assert newest_closed(date(2024, 1, 7), 1) == days.select(period_number(pl.col("d"), 1))["d"][1]


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 50), st.floats(1, 9), st.integers(0, 60))
def test_thinning_by_one_changes_nothing_and_leaves_nothing_to_come(mean: float, phi: float, known: int) -> None:
    assert thinned(mean, phi, 1.0) == (mean, pytest.approx(phi))
    assert still_to_come(known, mean, phi, 1.0) == 0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.floats(0, 9), st.floats(1, 4), st.floats(0, 1)), min_size=1, max_size=8),
    st.data(),
)
def test_a_late_report_never_lowers_results_in(
    cells: list[tuple[int, float, float, float]], data: st.DataObject
) -> None:
    known, mean, phi, share = (np.array(x, dtype=float) for x in zip(*cells, strict=True))
    k, n = results_in(known, mean, phi, share)
    known[data.draw(st.integers(0, len(cells) - 1))] += 1
    more, expected = results_in(known, mean, phi, share)
    assert more == k + 1 and expected >= n and n >= k


def test_thinned_counts_have_the_mean_and_variance_said() -> None:
    """200,000 draws, seed 4: mean 6, ratio 2.5, share .3."""
    rng = np.random.default_rng(4)
    y = rng.binomial(rng.negative_binomial(6 / 1.5, 1 / 2.5, 200_000), 0.3)
    mean, phi = thinned(6.0, 2.5, 0.3)
    assert y.mean() == pytest.approx(float(mean), rel=0.01)
    assert y.var() / y.mean() == pytest.approx(float(phi), rel=0.02)


def test_what_is_known_moves_what_is_still_to_come() -> None:
    """Among drawn weeks with so many known, the mean number that came in later is the one said (seed 6)."""
    rng = np.random.default_rng(6)
    y = rng.negative_binomial(3 / 1.0, 1 / 2.0, 300_000)
    known = rng.binomial(y, 0.4)
    for k in (0, 2, 5):
        later = (y - known)[known == k].mean()
        assert later == pytest.approx(float(still_to_come(k, 3.0, 2.0, 0.4)), rel=0.03)


def test_the_words_say_how_many_results_are_in() -> None:
    assert results_in_words(3, 8) == "3 of about 8 expected results are in."
    assert results_in_words(8, 8) == "All of about 8 expected results are in."
    assert results_in_words(0, 1) == "0 of about 1 expected result is in."
    assert results_in_words(0, 0) == "No results are expected yet, and none is in."


def test_the_nowcast_of_an_outbreak_agrees_with_reverse_hazards_elsewhere(shared: Path) -> None:
    """HUS O104 in Germany as known on 2 June 2011: totals by day within 1.5 of R surveillance's `lawless`."""
    folder = shared / "golden"
    days = pl.read_csv(folder / "input_husO104Hosp.csv", try_parse_dates=True)
    reports = days.select(pl.lit("all").alias("source"), reference_date="dHosp", known_date="dReport")
    now = date(2011, 6, 2)
    learnt = delay_distribution(reports, now, period_days=1, cohorts=33, longest=15)
    theirs = pl.read_csv(folder / "husO104_nowcast_2011-06-02.csv", try_parse_dates=True)
    theirs = theirs.filter(pl.col("method") == "lawless")
    age = [(now - day).days for day in theirs["date"]]
    ours = theirs["observed"].to_numpy() / shares(learnt, "all", age)
    np.testing.assert_allclose(ours, theirs["nowcast"].to_numpy(), atol=1.5)
