"""Where a record counts: in every area it can lie in, once in a series, and nowhere when it lies outside the UK."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ewarn.catalogue import Catalogue
from ewarn.frames import Lines
from ewarn.rules import counts
from ewarn.rules.prepare import Ground, prepare
from tests.rules.conftest import lines_of

CAMDEN, ISLINGTON, ELMBRIDGE, RICHMOND = "E09000007", "E09000019", "E07000207", "E09000027"
LONDON_REGION, SOUTH_EAST, UK = "E12000007", "E12000008", "K02000001"


def ground(catalogue: Catalogue, lines: Lines) -> Ground:
    return prepare(lines, datetime(2025, 6, 1, tzinfo=UTC), catalogue)


def where(found: Ground) -> dict[str, bool]:
    return dict(found.possible.select("area", "certain").iter_rows())


def test_a_record_of_two_boroughs_could_be_in_both_and_is_certain_in_the_region(catalogue: Catalogue) -> None:
    found = ground(catalogue, lines_of(catalogue, [{"on": "2025-03-03", "area": {CAMDEN: 0.7, ISLINGTON: 0.3}}]))
    assert where(found) == {CAMDEN: False, ISLINGTON: False, LONDON_REGION: True, UK: True}
    assert set(found.named["area"]) == {CAMDEN, LONDON_REGION, UK}, "a series counts it once, in the largest share"


def test_a_record_across_the_london_border_is_certain_in_no_region(catalogue: Catalogue) -> None:
    found = ground(catalogue, lines_of(catalogue, [{"on": "2025-03-03", "area": {ELMBRIDGE: 0.6, RICHMOND: 0.4}}]))
    assert where(found) == {ELMBRIDGE: False, RICHMOND: False, LONDON_REGION: False, SOUTH_EAST: False, UK: True}
    assert set(found.named["area"]) == {ELMBRIDGE, SOUTH_EAST, UK}


def test_a_place_read_by_putting_a_slip_right_is_possible_even_when_it_is_one_borough(catalogue: Catalogue) -> None:
    lines = lines_of(catalogue, [{"on": "2025-03-03", "area": CAMDEN}])
    unsure = replace(lines, places=lines.places.with_columns(certain=pl.lit(False)))
    assert where(ground(catalogue, unsure)) == {CAMDEN: False, LONDON_REGION: False, UK: True}


def test_a_record_outside_the_uk_is_in_no_area_at_all(catalogue: Catalogue) -> None:
    lines = lines_of(catalogue, [{"on": "2025-03-03", "area": UK}, {"on": "2025-03-03", "area": UK}])
    away = pl.when(pl.col("record_id") == "r00000").then(pl.lit("outside the UK")).otherwise(pl.lit("unplaced"))
    found = ground(catalogue, replace(lines, places=lines.places.with_columns(precision=away)))
    assert found.versions.height == 2
    assert found.possible.select("record_id", "area").rows() == [("r00001", UK)], "unplaced still counts for the UK"
    assert found.named.select("record_id", "area").rows() == [("r00001", UK)]


@given(st.lists(st.dictionaries(st.sampled_from([CAMDEN, ISLINGTON, RICHMOND, ELMBRIDGE]), st.integers(1, 5),
                                min_size=1), min_size=1, max_size=8), st.randoms())  # fmt: skip
@settings(max_examples=30, deadline=None)
def test_a_series_places_every_record_exactly_once_whatever_the_order(
    catalogue: Catalogue, weights: list[dict[str, int]], random: object
) -> None:
    rows = [
        {"on": "2025-03-03", "outcome": "non-fatal", "area": {a: n / sum(w.values()) for a, n in w.items()}}
        for w in weights
    ]
    lines = lines_of(catalogue, rows)
    shuffled = list(lines.places.iter_rows(named=True))
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    mixed = replace(lines, places=pl.DataFrame(shuffled, schema=lines.places.schema))
    one, other = ground(catalogue, lines), ground(catalogue, mixed)
    assert one.named.equals(other.named)
    boroughs = one.named.filter(pl.col("tier") == "borough")
    assert boroughs["record_id"].is_unique().all() and boroughs.height == len(rows)
    rule = catalogue.rules["ears-incidents"]
    series = counts.of_lines(rule, one, 7)
    assert series is not None
    held = {tier: 0 for _, _, _, tier in series.strata}
    for stratum in series.stratum:
        held[series.strata[stratum][3]] += 1
    assert set(held.values()) == {len(rows)}


@pytest.mark.parametrize(("shares", "named"), [({CAMDEN: 0.5, ISLINGTON: 0.5}, CAMDEN), ({ISLINGTON: 1.0}, ISLINGTON)])
def test_equal_shares_go_to_the_lower_code(catalogue: Catalogue, shares: dict[str, float], named: str) -> None:
    found = ground(catalogue, lines_of(catalogue, [{"on": "2025-03-03", "area": shares}]))
    assert found.named.filter(pl.col("tier") == "borough")["area"].to_list() == [named]
