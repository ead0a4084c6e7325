"""Which methods a history carries, and what chance alone brings in a year."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ewarn.methods.chance import expected_by_chance, in_words, signals_per_year, words
from ewarn.methods.ladder import METHODS, ladder

HISTORIES = st.lists(st.tuples(st.integers(0, 700), st.floats(0, 50)), min_size=1, max_size=20)


def usable(weeks: int, mean: float | None) -> tuple[set[str], str]:
    found = ladder(pl.DataFrame({"stratum": ["a"], "weeks": [weeks], "mean_per_week": [mean]}))
    return set(found.filter("usable")["method"]), found.filter("lead")["method"].item()


@pytest.mark.parametrize(
    ("weeks", "mean", "methods", "lead"),
    [
        (0, None, {"zeros", "ebt"}, "zeros"),
        (25, 3.0, {"cusum"}, "cusum"),
        (26, 3.0, {"cusum", "ears"}, "ears"),
        (210, 3.0, {"cusum", "ears"}, "ears"),
        (211, 3.0, {"cusum", "ears", "farrington"}, "farrington"),
        (300, 0.2, {"cusum", "ears", "farrington", "ebt"}, "ebt"),
        (12, 0.2, {"cusum", "ebt"}, "ebt"),
        (300, 0.0, {"zeros", "ebt"}, "zeros"),
    ],
)
def test_a_history_carries(weeks: int, mean: float | None, methods: set[str], lead: str) -> None:
    assert usable(weeks, mean) == (methods, lead)


@settings(max_examples=30, deadline=None)
@given(HISTORIES)
def test_every_stratum_has_an_answer_and_every_refusal_a_reason(histories: list[tuple[int, float]]) -> None:
    frame = pl.DataFrame(
        {
            "stratum": [f"s{n}" for n in range(len(histories))],
            "weeks": [weeks for weeks, _ in histories],
            "mean_per_week": [mean for _, mean in histories],
        }
    )
    found = ladder(frame)
    assert found["stratum"].unique(maintain_order=True).to_list() == frame["stratum"].to_list()
    assert found.height == frame.height * len(METHODS)
    assert found.filter("lead")["usable"].all() and found.filter("lead").height == frame.height
    assert (found["reason"].str.len_chars() > 0).all()


def test_more_history_never_takes_a_method_away() -> None:
    weeks = list(range(1, 300, 7))
    for mean in (0.1, 2.0, 30.0):
        rungs = [usable(w, mean)[0] - {"zeros"} for w in weeks]
        assert all(a <= b for a, b in pairwise(rungs))


def test_no_strata_give_no_rungs() -> None:
    empty = pl.DataFrame(schema={"stratum": pl.String, "weeks": pl.Int64, "mean_per_week": pl.Float64})
    assert ladder(empty).is_empty()


def test_chance_brings_strata_times_analyses_times_p() -> None:
    signals = pl.DataFrame({"p_value": [0.001, 1e-7, None], "strata": 33, "analyses_per_year": 52, "share": 0.5})
    found = expected_by_chance(signals)
    assert found["by_chance_per_year"].to_list() == pytest.approx([3.432, 3.432e-4, None])
    assert found["by_chance"].to_list() == ["about 3 a year", "less than once in 100 years", None]


def test_in_a_tier_the_share_of_false_ones_among_the_accepted_counts() -> None:
    tier = {"p_value": [0.0004], "strata": [400], "analyses_per_year": [52], "q_value": [0.05], "accepted_count": [2]}
    assert expected_by_chance(pl.DataFrame(tier))["by_chance_per_year"].item() == pytest.approx(5.2)


def test_the_figure_is_what_a_year_without_outbreaks_brings() -> None:
    """A uniform p, 50 strata, 52 analyses, 400 years, seed 3: the mean number below .002 is the figure."""
    p = np.random.default_rng(3).random((400, 52, 50))
    seen = (p <= 0.002).sum(axis=(1, 2)).mean()
    assert seen == pytest.approx(signals_per_year(0.002, 50, 52), abs=4 * np.sqrt(5.2 / 400))


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (0.1, "about once in 10 years"),
        (0.7, "about once a year"),
        (1.0, "about once a year"),
        (12.4, "about 12 a year"),
    ],
)
def test_the_words_fit_the_figure(rate: float, said: str) -> None:
    found = expected_by_chance(pl.DataFrame({"p_value": [rate / 100], "strata": [100], "analyses_per_year": [1]}))
    assert found["by_chance"].item() == said


@given(st.floats(1e-6, 500))
@settings(max_examples=60, deadline=None)
def test_one_rate_is_worded_as_a_column_of_them(rate: float) -> None:
    assert pl.select(rate=rate).select(said=words("rate")).item() == in_words(rate)
