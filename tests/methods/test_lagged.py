"""Event weeks judged while results are still coming in."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from ewarn.methods.lagframe import lagged_signals
from ewarn.methods.lagged import arrivals_tail, scan_event_weeks, windows
from ewarn.methods.tails import upper_tail

SHARES = 1 - 0.8 ** np.arange(8, 0, -1.0)
AS_OF = date(2024, 6, 30)
MONDAY = date(2024, 6, 24)


def test_the_least_tail_is_the_least_over_all_windows() -> None:
    rng = np.random.default_rng(1)
    mean = rng.gamma(2, 1, (40, 8))
    known, phi = rng.poisson(mean).astype(float), np.ones_like(mean)
    found = scan_event_weeks(known, mean, phi, alpha=0.0)
    for row in range(40):
        tails = {w: float(upper_tail(known[row, w[0] : w[1]].sum(), mean[row, w[0] : w[1]].sum())) for w in windows(8)}
        assert found.p_window[row] == pytest.approx(min(tails.values()))
        assert tails[(int(found.first[row]), int(found.last[row]) + 1)] == pytest.approx(min(tails.values()))


@pytest.mark.parametrize("phi", [1.0, 1.8])
def test_without_an_outbreak_the_scan_speaks_no_more_often_than_alpha(phi: float) -> None:
    """15,000 strata without an outbreak, seed 2, alpha .02."""
    rng = np.random.default_rng(2)
    mean = np.tile(2.0 * SHARES, (15_000, 1))
    ratio = np.full_like(mean, phi)
    rates = mean if phi == 1.0 else rng.gamma(mean / (phi - 1), phi - 1)
    found = scan_event_weeks(rng.poisson(rates).astype(float), mean, ratio, alpha=0.02)
    assert 0.01 < (found.p_scan <= 0.02).mean() < 0.02 + 4 * np.sqrt(0.02 * 0.98 / 15_000) + 0.002


def test_an_answer_does_not_depend_on_which_other_strata_are_asked_about() -> None:
    mean = np.tile(SHARES, (3, 1)) * np.array([[1.0], [2.0], [3.0]])
    known = np.zeros_like(mean)
    known[:, -4] = 7
    together = scan_event_weeks(known, mean, np.ones_like(mean)).p_scan
    apart = [scan_event_weeks(known[i : i + 1], mean[i : i + 1], np.ones((1, 8))).p_scan[0] for i in range(3)]
    np.testing.assert_array_equal(together, apart)


def test_a_missing_week_counts_in_no_window_and_all_missing_gives_no_answer() -> None:
    mean = np.tile(SHARES, (2, 1))
    known = np.full_like(mean, 6.0)
    known[0, 3], known[1] = np.nan, np.nan
    found = scan_event_weeks(known, mean, np.ones_like(mean))
    assert found.p_scan[0] < 0.005 and not found.first[0] <= 3 <= found.last[0]
    assert np.isnan(found.p_scan[1]) and np.isnan(found.p_window[1])


def test_the_report_week_is_tested_against_what_should_have_come_in() -> None:
    mean, phi = np.full((1, 8), 2.0), np.full((1, 8), 3.0)
    now = np.diff(SHARES[::-1], prepend=0.0)[::-1][None, :]
    p, expected, ratio = arrivals_tail(np.array([5.0]), mean, phi, now)
    assert expected[0] == pytest.approx(2 * now.sum())
    assert ratio[0] == pytest.approx((2 * now * (1 + 2 * now)).sum() / (2 * now).sum())
    assert p[0] == pytest.approx(float(upper_tail(5, expected[0], ratio[0])))


def history(extra: int = 0, weeks: int = 30) -> pl.DataFrame:
    """Two results a week for each of 20 strata, lags of 0 to 4 weeks in turn; `extra` in stratum 3, three weeks ago."""
    rows: list[dict[str, Any]] = []
    for stratum in range(20):
        for week in range(weeks):
            for n in range(2):
                day = MONDAY - timedelta(weeks=week)
                lag = timedelta(weeks=(stratum + week + 2 * n) % 5)
                rows.append({"stratum": f"s{stratum:02}", "reference_date": day, "known_date": day + lag})
    burst = MONDAY - timedelta(weeks=3)
    rows += [
        {"stratum": "s03", "reference_date": burst, "known_date": burst + timedelta(weeks=n % 4)} for n in range(extra)
    ]
    return pl.DataFrame(rows).with_columns(pl.lit("lab").alias("source"))


def expected(strata: int = 20) -> pl.DataFrame:
    weeks = pl.DataFrame({"period": [MONDAY - timedelta(weeks=w) for w in range(17)]})
    names = pl.DataFrame({"stratum": [f"s{n:02}" for n in range(strata)]})
    return names.join(weeks, how="cross").with_columns(source=pl.lit("lab"), expected=pl.lit(2.0), phi=pl.lit(1.0))


def test_an_outbreak_speaks_while_its_results_come_in() -> None:
    found = lagged_signals(history(extra=10), expected(), AS_OF)
    signals = found.filter(pl.col("outcome") == "signal")
    assert signals["stratum"].to_list() == ["s03"]
    row = signals.row(0, named=True)
    assert row["period"] == MONDAY and row["by"] == "event weeks"
    assert row["window_first"] <= MONDAY - timedelta(weeks=3) <= row["window_last"]
    assert row["observed"] > row["upper"] >= row["expected"] and row["score"] > 1
    assert lagged_signals(history(), expected(), AS_OF).filter(pl.col("outcome") == "signal").is_empty()


def test_results_in_are_counted_and_said_for_every_stratum() -> None:
    reports = history()
    row = lagged_signals(reports, expected(), AS_OF).filter(pl.col("stratum") == "s03").row(0, named=True)
    recent = reports.filter(
        pl.col("stratum") == "s03",
        pl.col("known_date") <= AS_OF,
        pl.col("reference_date") > MONDAY - timedelta(weeks=8),
    )
    assert row["results_in"] == recent.height
    assert row["results_expected"] >= 14
    assert row["results_in_words"] == f"{recent.height} of about {row['results_expected']} expected results are in."


def test_the_future_is_not_seen() -> None:
    reports = history(extra=10)
    before = AS_OF - timedelta(weeks=2)
    cut = reports.filter(pl.col("known_date") <= before)
    silent = pl.concat([cut, reports.filter(pl.col("known_date") > before)])
    assert lagged_signals(cut, expected(), before).equals(lagged_signals(silent, expected(), before))


def test_row_order_is_irrelevant() -> None:
    reports, wanted = history(extra=10), expected()
    mixed = reports.sample(fraction=1, shuffle=True, seed=4)
    turned = wanted.sample(fraction=1, shuffle=True, seed=5)
    assert lagged_signals(reports, wanted, AS_OF).equals(lagged_signals(mixed, turned, AS_OF))


def test_without_an_expectation_or_a_lag_nothing_is_clear() -> None:
    found = lagged_signals(history(), expected(strata=19), AS_OF)
    row = found.filter(pl.col("stratum") == "s19").row(0, named=True)
    assert (row["outcome"], row["reason"]) == ("not evaluable", "no expectation for this stratum")
    unknown = lagged_signals(history(), expected().with_columns(source=pl.lit("other lab")), AS_OF)
    assert set(unknown["outcome"]) == {"not evaluable"}
    none = lagged_signals(history().clear(), expected(), AS_OF)
    assert set(none["outcome"]) == {"not evaluable"} and none.height == 20
    assert lagged_signals(history().clear(), expected().clear(), AS_OF).is_empty()
