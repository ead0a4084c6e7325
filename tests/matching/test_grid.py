"""The British National Grid: the published worked example, and the names of squares."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ewarn.matching import grid


def test_the_projection_agrees_with_the_ordnance_survey_example() -> None:
    """'A guide to coordinate systems in Great Britain', annexe C: a position on the Airy ellipsoid."""
    latitude, longitude = 52 + 39 / 60 + 27.2531 / 3600, 1 + 43 / 60 + 4.5177 / 3600
    east, north = grid.project(np.radians([latitude]), np.radians([longitude]))
    assert (round(float(east[0]), 3), round(float(north[0]), 3)) == (651409.903, 313177.270)


@pytest.mark.parametrize(
    ("latitude", "longitude", "east", "north"),
    [
        (51.41107, 0.02192, 540_687, 169_971),
        (57.1269, -2.13644, 391_838, 804_005),
        (50.8285, -0.1397, 531_100, 104_800),
    ],
)
def test_satellite_positions_land_within_a_hundred_metres_of_the_map(
    latitude: float, longitude: float, east: int, north: int
) -> None:
    found = grid.from_degrees(np.array([latitude]), np.array([longitude]))
    assert abs(found[0][0] - east) < 100 and abs(found[1][0] - north) < 100


def test_positions_agree_with_the_register_of_authorities(shared: Path) -> None:
    """Centroids given both ways over the whole of Great Britain; a few are slips of the register's own."""
    register = pl.read_csv(shared / "data" / "geo" / "mysociety_uk_local_authorities.csv", infer_schema_length=0)
    both = register.filter(pl.col("gss-code").str.contains("^[ESW]")).select(
        pl.col("x", "y", "lat", "long").cast(pl.Float64, strict=False)
    )
    both = both.drop_nulls()
    east, north = grid.from_degrees(both["lat"].to_numpy(), both["long"].to_numpy())
    off = np.hypot(east - both["x"].to_numpy(), north - both["y"].to_numpy())
    assert both.height > 300 and np.quantile(off, 0.95) < 0.01


@pytest.mark.parametrize(
    ("east", "north", "names"),
    [
        (530_000, 180_500, ("TQ3080", "TQ38SW", "TQ38")), (216_650, 771_250, ("NN1671", "NN17SE", "NN17")),
        (651_410, 313_177, ("TG5113", "TG51SW", "TG51")), (0, 0, ("SV0000", "SV00SW", "SV00")),
        (-1, 5, (None, None, None)), (700_000, 5, (None, None, None)), (None, 5, (None, None, None)),
    ],
)  # fmt: skip
def test_squares_have_the_names_on_the_map(east: float | None, north: float, names: tuple[str | None, ...]) -> None:
    frame = pl.DataFrame({"e": [east], "n": [north]}, schema={"e": pl.Float64, "n": pl.Float64})
    made = grid.squares(pl.col("e"), pl.col("n"))
    assert tuple(frame.select(made[size]).item() for size in (1, 5, 10)) == names


@given(st.integers(0, 699_999), st.integers(0, 1_299_999))
@settings(max_examples=150, deadline=None)
def test_smaller_squares_lie_in_larger_ones(east: int, north: int) -> None:
    frame = pl.DataFrame({"e": [float(east)], "n": [float(north)]})
    made = grid.squares(pl.col("e"), pl.col("n"))
    one, five, ten = (frame.select(made[size]).item() for size in (1, 5, 10))
    assert five[:4] == ten and one[:2] == ten[:2] and one[2] == ten[2] and one[4] == ten[3]
    assert int(one[2:4]) == east // 1000 % 100 and int(one[4:]) == north // 1000 % 100


@given(st.integers(0, 699_999), st.integers(0, 1_299_999))
@settings(max_examples=30, deadline=None)
def test_the_middle_of_a_square_lies_half_a_side_from_all_it_holds(east: int, north: int) -> None:
    made = grid.squares(pl.col("e"), pl.col("n"))
    frame = pl.DataFrame({"e": [east], "n": [north]}).select(*(one.alias(str(km)) for km, one in made.items()))
    for km in (1, 5, 10):
        middle = frame.select(**grid.centres(str(km))).row(0, named=True)
        assert middle["side"] == km * 1000
        assert 0 <= east - (middle["easting"] - km * 500) < km * 1000
        assert 0 <= north - (middle["northing"] - km * 500) < km * 1000


def test_what_is_no_square_has_no_middle() -> None:
    found = pl.DataFrame({"square": ["", "TQ", "TQ3", "TI3080", "TQ38XX", "J4574", "TQ308"]}).select(
        **grid.centres("square")
    )
    assert found.null_count().row(0) == (7, 7, 7)
