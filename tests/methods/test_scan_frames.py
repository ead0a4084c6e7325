"""On frames: every row keeps its place, names are only names, and nothing unknown reads as clear."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from ewarn.methods.agreement import both
from ewarn.methods.permutation import Settings
from ewarn.methods.scan_frames import BASELINE, judge_permutation, judge_sparse
from ewarn.methods.zones import circles

NAMES = [f"area {letter}" for letter in "abcdefgh"]
QUICK = Settings(most_periods=6, replicates=99, secondary=True)
PLACES = np.random.default_rng(4).random((8, 2))
POSITIONS = pl.DataFrame({"stratum": NAMES, "x": PLACES[:, 0], "y": PLACES[:, 1]})


def table(weeks: int = 60, added: int = 0) -> np.ndarray:
    counts = np.random.default_rng(1).poisson(0.15, (8, weeks))
    counts[2, -1] += added
    return counts


def frame(counts: np.ndarray, names: list[str] = NAMES, step: int = 7) -> pl.DataFrame:
    rows = [
        (name, date(2023, 1, 2) + timedelta(days=step * week), int(counts[row, week]))
        for row, name in enumerate(names)
        for week in range(counts.shape[1])
    ]
    return pl.DataFrame(rows, schema=["stratum", "period", "observed"], orient="row")


def newest(found: pl.DataFrame) -> pl.DataFrame:
    return found.filter(pl.col("period") == found["period"].max()).sort("stratum")


def test_the_area_with_the_cases_signals_and_earlier_rows_are_its_baseline() -> None:
    counts = frame(table(added=5))
    found = judge_sparse(counts, positions=POSITIONS)
    assert found.select("stratum", "period", "observed").equals(counts)
    assert newest(found).filter(pl.col("outcome") == "signal")["stratum"].to_list() == ["area c"]
    earlier = found.filter(pl.col("period") < found["period"].max())
    assert set(earlier["outcome"]) == {"not evaluable"} and set(earlier["reason"]) == {BASELINE}
    row = newest(found).row(2, named=True)
    assert row["observed"] > row["upper"] > row["expected"] > 0 and row["score"] > 1


def test_both_doors_name_the_same_window_whatever_the_order_and_the_names() -> None:
    counts = frame(table(added=5))
    renamed = {name: f"place {9 - place}" for place, name in enumerate(NAMES)}
    other = counts.with_columns(pl.col("stratum").replace(renamed)).sample(fraction=1, shuffle=True, seed=3)
    places = POSITIONS.with_columns(pl.col("stratum").replace(renamed))
    one = newest(judge_sparse(counts, positions=POSITIONS))
    two = newest(judge_sparse(other, positions=places)).with_columns(
        pl.col("stratum").replace({new: old for old, new in renamed.items()})
    )
    assert two.sort("stratum")["p_value"].to_list() == pytest.approx(one["p_value"].to_list(), rel=1e-9)
    shuffled = counts.sample(fraction=1, shuffle=True, seed=5)
    again = judge_permutation(shuffled, positions=POSITIONS, settings=QUICK, period="1w")
    first = judge_permutation(counts, positions=POSITIONS, settings=QUICK, period="1w")
    assert newest(again)["p_value"].to_list() == newest(first)["p_value"].to_list()
    assert newest(first).filter(pl.col("outcome") == "signal")["stratum"].to_list() == ["area c"]


def test_a_short_history_and_missing_cells_never_read_as_clear() -> None:
    short = judge_sparse(frame(table(weeks=10)), positions=POSITIONS)
    assert set(short["outcome"]) == {"not evaluable"}
    counts = frame(table()).with_columns(
        observed=pl.when((pl.col("stratum") == "area b") & (pl.col("period") == pl.col("period").max())).then(None)
        .otherwise(pl.col("observed"))
    )  # fmt: skip
    sparse = newest(judge_sparse(counts, positions=POSITIONS))
    assert sparse["outcome"].to_list().count("not evaluable") == 1
    assert sparse.row(1, named=True)["outcome"] == "not evaluable" and sparse.row(1, named=True)["p_value"] is None
    permuted = newest(judge_permutation(counts, positions=POSITIONS, settings=QUICK, period="1w"))
    assert set(permuted["outcome"]) == {"not evaluable"} and "missing" in permuted["reason"][0]


def test_an_empty_frame_and_a_single_series() -> None:
    empty = frame(table()).clear()
    for judge in (judge_sparse, judge_permutation):
        found = judge(empty)
        assert found.height == 0 and {"expected", "upper", "p_value", "score", "outcome", "reason"} <= set(
            found.columns
        )
    one = frame(np.zeros((1, 60), dtype=int), ["only"])
    assert newest(judge_sparse(one))["outcome"].to_list() == ["clear"]
    assert newest(judge_permutation(one, period="1w"))["outcome"].to_list() == ["not evaluable"]


def test_neighbours_stand_in_for_positions() -> None:
    counts = table()
    counts[[4, 5], -1] += 3
    pairs = pl.DataFrame({"stratum": ["area e", "area a"], "neighbour": ["area f", "area b"]})
    found = newest(judge_sparse(frame(counts), neighbours=pairs))
    assert {"area e", "area f"} <= set(found.filter(pl.col("outcome") == "signal")["stratum"])


def test_the_scans_agree_on_a_cluster_and_on_none() -> None:
    zones = circles(PLACES)
    found = both(table(weeks=120, added=6), zones, settings=QUICK)
    assert found.verdict == "both" and [window.areas for window in found.windows] == [(2,), (2,)]
    assert all(window.recurrence == pytest.approx(1 / window.p_value) for window in found.windows)
    assert both(table(weeks=120), zones, settings=QUICK).verdict == "neither"


def test_batches_move_the_permutation_scan_alone_and_a_young_national_rise_the_other() -> None:
    rng = np.random.default_rng(12)
    verdicts = {"batches": [], "rise": []}  # type: dict[str, list[str]]
    zones = circles(rng.random((20, 2)))
    for _ in range(25):
        batches = rng.negative_binomial(0.05, 1 / 5, (20, 100))
        rise = rng.poisson(np.where(np.arange(100) >= 98, 1.0, 0.2), (20, 100))
        verdicts["batches"].append(both(batches, zones, settings=QUICK).verdict)
        verdicts["rise"].append(both(rise, zones, settings=QUICK).verdict)
    assert verdicts["batches"].count("permutation only") > verdicts["batches"].count("gamma-poisson only")
    assert verdicts["rise"].count("gamma-poisson only") > verdicts["rise"].count("permutation only")


def test_a_history_too_short_for_one_scan_is_said() -> None:
    found = both(np.ones((4, 1), dtype=int), circles(PLACES[:4]))
    assert found.verdict == "not evaluable" and len(found.reasons) == 2
