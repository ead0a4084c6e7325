"""The sparse-map study says what it measured, on the same maps for every method, and the scan keeps its figures."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ewarn.methods.zones import Zones
from ewarn.review.map_methods import PEERS, SCANS, empirical_bayes
from ewarn.review.sparse_maps import AREAS, BATCH, SCENARIOS, WEEKS, Counts, MapAnswer, Method, drawings, study

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
THREE = BY_NAME["D3 three areas, two weeks"]


def always(counts: Counts, zones: Zones) -> MapAnswer:
    return MapAnswer(np.zeros(len(counts)), np.ones(counts.shape[:2], dtype=bool))


def at_random(counts: Counts, zones: Zones) -> MapAnswer:
    """A statistic that knows nothing of cases added."""
    return MapAnswer(counts[:, :, 0].sum(axis=1) + counts[:, :, 1].sum(axis=1) / 100.0, np.ones(counts.shape[:2], bool))


def test_cases_go_where_the_study_says() -> None:
    rng_free = next(drawings(THREE, BATCH, 7))
    again = next(drawings(THREE, 10, 7))
    assert (rng_free.counts[:10] == again.counts).all()
    assert (rng_free.got.sum(axis=1) == 3).all()
    assert rng_free.counts.shape == (BATCH, AREAS, WEEKS + 1)
    for row, got in enumerate(rng_free.got):
        areas = set(np.flatnonzero(got).tolist())
        assert any(set(members[:3].tolist()) == areas for members in rng_free.zones.members)
        assert rng_free.counts[row, got, -2:].sum() >= 5


def test_what_always_calls_detects_everything_and_cries_wolf_always() -> None:
    found = study({"always": Method(always)}, maps=60, seed=1)
    assert found.height == len(SCENARIOS) and found["figure"].to_list() == [1.0] * len(SCENARIOS)
    wolf = found.filter(pl.col("scenario").str.starts_with("D4"))
    assert wolf["met"].to_list() == [False] * 3


def test_a_method_without_a_p_is_cut_at_five_in_a_hundred() -> None:
    plain = (BY_NAME["nothing added"],)
    found = study({"random": Method(at_random, own_p=False)}, maps=400, seed=3, scenarios=plain)
    assert found["lower"][0] <= 0.05 <= found["upper"][0] + 0.02


def test_the_same_seed_gives_the_same_frame() -> None:
    one, other = (study(SCANS, maps=30, seed=5, scenarios=(THREE,)) for _ in range(2))
    assert one.equals(other)


def test_scan_and_peers_are_run_on_the_same_maps() -> None:
    chosen = (BY_NAME["one area, one week"],)
    found = study(SCANS | PEERS, maps=40, seed=9, scenarios=chosen)
    figures = dict(found.select("method", "figure").iter_rows())
    assert set(figures) == {"EBT", "STP", "EARS C2", "FF"}
    assert figures["EBT"] > figures["STP"] > figures["FF"]


@pytest.mark.slow
def test_the_scan_keeps_its_figures() -> None:
    """The least figures, on other maps than those the weights were chosen on."""
    found = study({"EBT": Method(empirical_bayes)}, maps=2000, seed=4242)
    assert found.filter(pl.col("least_met").not_())["scenario"].to_list() == []
    ceilings = found.filter(pl.col("least").is_null() & pl.col("wanted").is_not_null())
    assert (ceilings["lower"] <= ceilings["wanted"]).all()
