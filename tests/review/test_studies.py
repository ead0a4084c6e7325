"""The studies behind the figures: what is drawn, how it is counted, and that a short run says what a long one says."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ewarn.review import labelled, lag_study, scenarios
from ewarn.review.figures import SHAPE, Figure, framed, ratios, share
from ewarn.review.outbreak_series import CURRENT, JUDGED, PAST, Drawn, drawn, drawn_all
from ewarn.review.outbreak_series import scenarios as all_scenarios


def test_the_scenarios_are_the_published_ones(shared: Path) -> None:
    published = pl.read_csv(shared / "golden" / "noufaily42_scenarios.csv")
    for ours, theirs in zip(all_scenarios(), published.iter_rows(named=True), strict=True):
        assert (ours.number, ours.theta, ours.phi, ours.beta) == tuple(
            theirs[name] for name in ("scenario", "theta", "phi", "beta")
        )
        assert (ours.gamma1, ours.gamma2, ours.harmonics) == (theirs["gamma1"], theirs["gamma2"], theirs["m"])


@pytest.mark.parametrize("number", [1, 21, 42])
def test_quiet_series_have_the_mean_and_variance_of_their_scenario(number: int) -> None:
    scenario = all_scenarios()[number - 1]
    found = drawn(scenario, 4000, np.random.default_rng(number), past=False, share=0.0)
    mean = scenario.mean(np.arange(1.0, 625))
    np.testing.assert_allclose(found.counts.mean(axis=0), mean, rtol=0.25)
    assert found.counts.mean() == pytest.approx(mean.mean(), rel=0.01)
    assert (found.counts.var(axis=0) / mean).mean() == pytest.approx(scenario.phi, rel=0.03)
    assert not found.outbreak.any()


def test_outbreaks_lie_where_they_should_and_leave_the_rest_alone() -> None:
    scenario = all_scenarios()[24]
    with_one = drawn(scenario, 300, np.random.default_rng(3))
    without = drawn(scenario, 300, np.random.default_rng(3), share=0.0)
    extra = with_one.counts - without.counts
    assert (extra[:, : CURRENT[0] - 1] == 0).all() and (extra >= 0).all()
    assert (with_one.outbreak == without_gaps(extra[:, JUDGED] > 0)).all()
    plain = drawn(scenario, 300, np.random.default_rng(3), past=False, share=0.0)
    past = without.counts.sum(axis=0) - plain.counts.sum(axis=0)
    assert past[PAST[0] - 1 : PAST[1]].sum() > 0 == past[: PAST[0] - 1].sum()
    cases = extra[:, JUDGED].sum(axis=1)
    by_size = [cases[with_one.size == k].mean() for k in (2, 5, 9)]
    assert by_size[0] < by_size[1] < by_size[2]


def without_gaps(cases: np.ndarray) -> np.ndarray:
    found = np.zeros_like(cases)
    for row, hits in enumerate(cases):
        weeks = np.flatnonzero(hits)
        if weeks.size:
            found[row, weeks[0] : weeks[-1] + 1] = True
    return found


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    assert np.array_equal(drawn_all(2, 4).counts, drawn_all(2, 4).counts)
    assert not np.array_equal(drawn_all(2, 4).counts, drawn_all(2, 5).counts)


def test_figures_count_what_they_say() -> None:
    outbreak = np.zeros((2, 49), dtype=bool)
    outbreak[0, 10:13] = True
    signal, silent = np.zeros_like(outbreak), np.zeros_like(outbreak)
    signal[0, [11, 12, 13]], signal[1, 5], silent[1, [5, 6]] = True, True, True
    made = Drawn(np.zeros((2, 624)), outbreak, np.array([3, 0]), np.array([1, 2]))
    found = {f.name: f.value for f in scenarios.measured(made, signal, silent, {}, 1)}
    assert found["false-positive rate"] == pytest.approx(2 / 98)
    assert found["rate beside outbreaks"] == pytest.approx(2 / 95)
    assert (found["POD"], found["POD in the first week"]) == (1.0, 0.0)
    assert (found["sensitivity"], found["PPV"]) == (pytest.approx(2 / 3), pytest.approx(0.5))
    assert found["F1"] == pytest.approx(2 * (2 / 3) * 0.5 / (2 / 3 + 0.5))


def test_a_floor_is_met_when_the_interval_reaches_to_a_point_under_it() -> None:
    assert Figure("a", 0.82, 0.791, 0.85, floor=0.80).met is True
    assert Figure("a", 0.82, 0.789, 0.85, floor=0.80).met is False
    assert Figure("a", 0.0052, 0.004, 0.006, ceiling=0.0053).met is True
    assert Figure("a", 0.0054, 0.004, 0.006, ceiling=0.0053).met is False
    assert Figure("a", None, floor=0.8).met is None and Figure("a", 0.5).met is None
    assert framed("s", [], 1, 1).schema == pl.Schema(SHAPE)


def test_intervals_hold_the_true_ratio() -> None:
    """100 samples of 300 series, seed 2: the 95 % interval of a ratio of sums holds the truth in nearly all of them."""
    rng = np.random.default_rng(2)
    held = 0
    for trial in range(100):
        tried = rng.poisson(3, 300) + 1
        sums = np.column_stack([rng.binomial(tried, 0.3), tried]).astype(float)
        _, low, high = ratios(sums, np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), trial)[0]
        held += low <= 0.3 <= high
    assert 89 <= held <= 99
    assert share(8, 10)[1] == pytest.approx(0.4902, abs=1e-4)


def test_a_short_run_of_the_scenarios_gives_every_figure() -> None:
    found = scenarios.study(replicates=1, seed=3)
    assert found.schema == pl.Schema(SHAPE) and found["study"].n_unique() == 3
    assert found["value"].is_finite().all() and (found["lower"] <= found["upper"]).all()
    assert found["seed"].unique().to_list() == [3] and found["replicates"].unique().to_list() == [1]
    wanted = found.filter(pl.col("wanted") != "")
    assert wanted.height == 7 and wanted["met"].null_count() == 0


@pytest.mark.slow
def test_the_scan_and_the_tier_reach_what_was_wanted_of_them() -> None:
    """42 scenarios, 60 replicates, seed 77: within the noise of a study of this size."""
    found = scenarios.study(replicates=60, seed=77)
    value = {(s, f): v for s, f, v in found.select("study", "figure", "value").iter_rows()}
    scan, tier = "scan of 1 to 3 weeks, 42 scenarios (D1)", "false-discovery tier, 42 scenarios (D2)"
    assert value[scan, "false-positive rate"] < 0.0058 and value[scan, "PPV"] > 0.75
    assert value[scan, "POD"] > 0.435 and value[scan, "F1"] > 0.445
    assert value[tier, "false-positive rate"] < 0.0010
    assert value[tier, "POD"] > 0.435 and value[tier, "PPV"] > 0.73


def test_a_short_run_of_the_lag_study_gives_every_figure() -> None:
    found = lag_study.study(runs=4, seed=2)
    value = dict(found.select("figure", "value").iter_rows())
    assert value["caught within 4 weeks"] <= value["caught within 16 weeks"]
    assert value["naive: caught within 16 weeks"] < value["caught within 16 weeks"]
    assert value["new signals a week without an outbreak"] <= value["signals a week without an outbreak"] < 0.03
    assert found.equals(lag_study.study(runs=4, seed=2))


def test_zeros_and_then_cases_are_answered_every_time() -> None:
    found = labelled.zeros(replicates=10, seed=6)
    assert found["met"].all() and found["value"].to_list() == [1.0, 1.0]


def test_labelled_weeks_without_files_are_not_run() -> None:
    found = labelled.newport({"salmonella_test.csv": b""})
    assert found["figure"].to_list() == ["not run"] and "salmonella_train.csv" in found["note"].item()
    assert found["met"].to_list() == [None]


def test_labelled_weeks_are_counted_by_label() -> None:
    """Made weeks: 330 quiet ones, then an outbreak over two labelled weeks, the first a week before the label."""
    rng = np.random.default_rng(1)
    start = date(2011, 10, 24) - timedelta(weeks=330)
    weeks = [start + timedelta(weeks=w) for w in range(340)]
    cases = rng.poisson(3, 340)
    cases[[331, 332, 333]] = [14, 40, 30]
    label = np.zeros(340, dtype=bool)
    label[[332, 333]] = True
    frame = pl.DataFrame(
        {"": weeks, "n_cases": cases, "n_outbreak_cases": np.where(label, cases, 0), "outbreak": label}
    )
    halves = {"salmonella_train.csv": frame.head(320), "salmonella_test.csv": frame.tail(20)}
    found = labelled.newport({name: half.write_csv().encode() for name, half in halves.items()})
    ours = dict(found.filter(pl.col("study").str.contains("Farrington")).select("figure", "note").iter_rows())
    assert ours["labelled weeks found"] == "2 of 2"
    assert ours["first signal, days after 2011-10-31"] == f"{weeks[331]}"


def test_all_labelled_weeks_of_newport_are_found_in_time(shared: Path) -> None:
    folder = shared / "golden" / "epysurv_mit"
    found = labelled.newport({path.name: path.read_bytes() for path in folder.glob("*.csv")})
    ours = found.filter(pl.col("study").str.ends_with("Farrington Flexible"))
    assert ours.height == 3 and ours["met"].all()
    assert found["study"].n_unique() > 10
