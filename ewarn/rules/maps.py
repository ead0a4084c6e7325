"""Maps: the local areas of a region, where they lie, and which of them lie near one another.

In: the catalogue. Out: areas in the order of their codes, and zones for a scan: circles of the nearest areas round each
area's middle. An area without squares of its own is a zone by itself. Never counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.catalogue import Catalogue
from ewarn.matching import grid
from ewarn.methods.zones import Zones, circles
from ewarn.terms import Tier


@dataclass(frozen=True)
class Map:
    """A region with its local areas."""

    region: str
    areas: tuple[str, ...]
    zones: Zones


def of_region(catalogue: Catalogue, region: str, most_areas: int) -> Map:
    """The areas of one region, sorted by code, with circles of up to `most_areas` of them."""
    inside = catalogue.areas.filter((pl.col("parent") == region) & (pl.col("tier") == Tier.BOROUGH))
    areas = tuple(sorted(inside["code"].to_list()))
    return Map(region, areas, _circles(tuple(map(tuple, _middles(catalogue, areas).tolist())), most_areas))


@lru_cache(maxsize=64)
def _circles(points: tuple[tuple[float, float], ...], most_areas: int) -> Zones:
    return circles(np.array(points, dtype=np.float64).reshape(-1, 2), most_areas)


def _middles(catalogue: Catalogue, areas: tuple[str, ...]) -> NDArray[np.float64]:
    """Easting and northing (metres) of each area: the mean of its squares by ground; NaN where it has none."""
    named = catalogue.squares.filter(pl.col("area").is_in(areas)).with_columns(**grid.centres("square"))
    ground = named.drop_nulls("side").with_columns(ground=pl.col("share") * pl.col("side").cast(pl.Float64).pow(2))
    smallest = ground.filter(pl.col("side") == pl.col("side").min().over("area"))
    middle = smallest.group_by("area").agg(
        (pl.col(name) * pl.col("ground")).sum() / pl.col("ground").sum() for name in ("easting", "northing")
    )
    placed = pl.DataFrame({"area": areas}).join(middle, on="area", how="left", maintain_order="left")
    return placed.select("easting", "northing").fill_null(np.nan).to_numpy()
