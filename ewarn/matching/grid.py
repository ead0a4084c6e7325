"""The British National Grid: latitude and longitude in, eastings and northings out, and the names of grid squares.

In: columns of numbers. Out: columns of numbers or names; null where a coordinate is null. Formulas and constants:
Ordnance Survey, 'A guide to coordinate systems in Great Britain' (annexes B and C): the seven-parameter Helmert
transformation from WGS84 to OSGB36, good to about 5 metres, and the Transverse Mercator projection on the Airy 1830
ellipsoid. Must never be used for anything that needs better than 10 metres.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

# Ellipsoids: semi-major and semi-minor axis in metres.
WGS84 = (6378137.0, 6356752.314245)
AIRY_1830 = (6377563.396, 6356256.909)
# From WGS84 to OSGB36: metres, parts per million, seconds of arc.
_SHIFT = (-446.448, 125.157, -542.060)
_SCALE = 20.4894e-6
_TURN = tuple(np.radians(seconds / 3600) for seconds in (-0.1502, -0.2470, -0.8421))
# The projection: scale on the central meridian, true origin (degrees), its easting and northing (metres).
_F0, _LAT0, _LON0, _E0, _N0 = 0.9996012717, np.radians(49.0), np.radians(-2.0), 400_000.0, -100_000.0
_LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"


def from_degrees(latitude: Numbers, longitude: Numbers) -> tuple[Numbers, Numbers]:
    """Eastings and northings of WGS84 positions in degrees."""
    return project(*_shifted(np.radians(latitude), np.radians(longitude)))


def project(lat: Numbers, lon: Numbers) -> tuple[Numbers, Numbers]:
    """Eastings and northings of positions on the Airy ellipsoid, in radians."""
    a, b = AIRY_1830
    e2, n = 1 - b**2 / a**2, (a - b) / (a + b)
    sin, cos, tan2 = np.sin(lat), np.cos(lat), np.tan(lat) ** 2
    nu = a * _F0 / np.sqrt(1 - e2 * sin**2)
    rho = a * _F0 * (1 - e2) / (1 - e2 * sin**2) ** 1.5
    eta2 = nu / rho - 1
    less, more = lat - _LAT0, lat + _LAT0
    meridian = b * _F0 * (
        (1 + n + 5 / 4 * n**2 + 5 / 4 * n**3) * less
        - (3 * n + 3 * n**2 + 21 / 8 * n**3) * np.sin(less) * np.cos(more)
        + (15 / 8 * n**2 + 15 / 8 * n**3) * np.sin(2 * less) * np.cos(2 * more)
        - 35 / 24 * n**3 * np.sin(3 * less) * np.cos(3 * more)
    )  # fmt: skip
    one, three, five = (
        nu / 2 * sin * cos,
        nu / 24 * sin * cos**3 * (5 - tan2 + 9 * eta2),
        nu / 720 * sin * cos**5 * (61 - 58 * tan2 + tan2**2),
    )
    two, four, six = (
        nu * cos,
        nu / 6 * cos**3 * (nu / rho - tan2),
        nu / 120 * cos**5 * (5 - 18 * tan2 + tan2**2 + 14 * eta2 - 58 * tan2 * eta2),
    )
    east = lon - _LON0
    return (
        _E0 + two * east + four * east**3 + six * east**5,
        meridian + _N0 + one * east**2 + three * east**4 + five * east**6,
    )


def _shifted(lat: Numbers, lon: Numbers) -> tuple[Numbers, Numbers]:
    """From WGS84 to the Airy ellipsoid of OSGB36, in radians."""
    a, b = WGS84
    e2 = 1 - b**2 / a**2
    nu = a / np.sqrt(1 - e2 * np.sin(lat) ** 2)
    x, y, z = nu * np.cos(lat) * np.cos(lon), nu * np.cos(lat) * np.sin(lon), nu * (1 - e2) * np.sin(lat)
    (tx, ty, tz), (rx, ry, rz), s = _SHIFT, _TURN, 1 + _SCALE
    x, y, z = tx + s * x - rz * y + ry * z, ty + rz * x + s * y - rx * z, tz - ry * x + rx * y + s * z
    a, b = AIRY_1830
    e2 = 1 - b**2 / a**2
    across = np.hypot(x, y)
    turned = np.arctan2(z, across * (1 - e2))
    for _ in range(6):
        nu = a / np.sqrt(1 - e2 * np.sin(turned) ** 2)
        turned = np.arctan2(z + e2 * nu * np.sin(turned), across)
    return turned, np.arctan2(y, x)


def squares(easting: pl.Expr, northing: pl.Expr) -> dict[int, pl.Expr]:
    """The names of the 1, 5 and 10 km squares a position lies in: TQ3080, TQ38SW, TQ38. Null off the grid."""
    on_grid = easting.is_between(0, 699_999) & northing.is_between(0, 1_299_999)
    column, row = easting.floordiv(100_000), northing.floordiv(100_000)
    major = (pl.lit(17) + column.floordiv(5) - row.floordiv(5) * 5).cast(pl.Int64)
    minor = ((pl.lit(4) - row % 5) * 5 + column % 5).cast(pl.Int64)
    letters = pl.lit(pl.Series(list(_LETTERS)).implode())
    hundred = pl.concat_str(letters.list.get(major, null_on_oob=True), letters.list.get(minor, null_on_oob=True))
    east, north = (pl.when(on_grid).then(one % 100_000).cast(pl.Int64) for one in (easting, northing))
    ten = pl.concat_str(hundred, (east // 10_000).cast(pl.String), (north // 10_000).cast(pl.String))
    quarter = pl.concat_str(
        pl.when(north % 10_000 >= 5_000).then(pl.lit("N")).otherwise(pl.lit("S")),
        pl.when(east % 10_000 >= 5_000).then(pl.lit("E")).otherwise(pl.lit("W")),
    )
    kilometre = (east // 1_000).cast(pl.String).str.zfill(2) + (north // 1_000).cast(pl.String).str.zfill(2)
    return {
        1: pl.when(on_grid).then(pl.concat_str(hundred, kilometre)),
        5: pl.when(on_grid).then(pl.concat_str(ten, quarter)),
        10: pl.when(on_grid).then(ten),
    }


def centres(square: str) -> dict[str, pl.Expr]:
    """Easting, northing and side in metres of the squares named in a column: their middle. Null for other names."""
    name = pl.col(square).str.to_uppercase()
    place = {letter: number for number, letter in enumerate(_LETTERS)}
    major, minor = (name.str.slice(at, 1).replace_strict(place, default=None, return_dtype=pl.Int64) for at in (0, 1))
    up = (18 - major) // 5
    hundred = (
        ((major - 17 + 5 * up) * 5 + minor % 5) * 100_000,
        (up * 5 + 4 - minor // 5) * 100_000,
    )
    rest = name.str.slice(2)
    fine = rest.str.contains(r"^\d{4}$")
    side = pl.when(fine).then(1_000).when(rest.str.contains(r"^\d{2}[NS][EW]$")).then(5_000)
    side = side.when(rest.str.contains(r"^\d{2}$")).then(10_000)
    east, north = (
        pl.when(fine)
        .then(rest.str.slice(2 * at, 2).cast(pl.Int64, strict=False) * 1_000)
        .otherwise(
            rest.str.slice(at, 1).cast(pl.Int64, strict=False) * 10_000
            + (rest.str.slice(3 - at, 1) == ("E", "N")[at]).fill_null(False).cast(pl.Int64) * 5_000
        )
        for at in (0, 1)
    )
    return {
        "easting": hundred[0] + east + side / 2,
        "northing": hundred[1] + north + side / 2,
        "side": pl.when(hundred[0].is_not_null() & hundred[1].is_not_null()).then(side),
    }


def positions(frame: pl.DataFrame) -> pl.DataFrame:
    """Grid positions of coordinates. In: `at`, latitude, longitude, easting, northing. Out: `at`, easting, northing.

    Where both pairs are given, the grid's own counts; null where neither is whole.
    """
    degrees = pl.col("latitude").is_between(-90, 90) & pl.col("longitude").is_between(-180, 180)
    sphere = frame.select(
        lat=pl.when(degrees).then("latitude").fill_null(np.nan),
        lon=pl.when(degrees).then("longitude").fill_null(np.nan),
    )
    with np.errstate(invalid="ignore"):
        east, north = from_degrees(sphere["lat"].to_numpy(), sphere["lon"].to_numpy())
    given = pl.col("easting").is_not_null() & pl.col("northing").is_not_null()
    return frame.with_columns(east=pl.Series(east).fill_nan(None), north=pl.Series(north).fill_nan(None)).select(
        "at",
        easting=pl.when(given).then("easting").otherwise("east"),
        northing=pl.when(given).then("northing").otherwise("north"),
    )
