"""The areas, their neighbours and the outward codes, as they lie under sources/areas."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from ewarn.frames import SHAPES
from ewarn.terms import LONDON_REGION, UK


def table(root: Path, name: str) -> pl.DataFrame:
    path = root / "sources" / "areas" / f"{name}.csv"
    return pl.read_csv(path, comment_prefix="#", schema=SHAPES[name])


@pytest.fixture(scope="module")
def areas(root: Path) -> pl.DataFrame:
    return table(root, "areas")


@pytest.fixture(scope="module")
def neighbours(root: Path) -> pl.DataFrame:
    return table(root, "neighbours")


@pytest.fixture(scope="module")
def outcodes(root: Path) -> pl.DataFrame:
    return table(root, "outcodes")


@pytest.fixture(scope="module")
def london(areas: pl.DataFrame) -> pl.DataFrame:
    return areas.filter(pl.col("parent") == LONDON_REGION)


def folded(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", " ", plain.replace("&", " and ")).strip()


def test_every_file_cites_its_sources(root: Path) -> None:
    for name in ("areas", "neighbours", "outcodes"):
        first = (root / "sources" / "areas" / f"{name}.csv").read_text().splitlines()[:2]
        assert all(line.startswith("# ") for line in first), name


def test_one_kingdom_twelve_regions_and_361_boroughs(areas: pl.DataFrame) -> None:
    counts = dict(areas.group_by("tier").len().iter_rows())
    assert counts == {"uk": 1, "region": 12, "borough": 361}
    assert areas["code"].is_unique().all()


def test_every_area_lies_in_the_tier_above(areas: pl.DataFrame) -> None:
    tier = dict(areas.select("code", "tier").iter_rows())
    for row in areas.iter_rows(named=True):
        if row["tier"] == "uk":
            assert (row["code"], row["parent"]) == (UK, None)
        else:
            assert tier[row["parent"]] == {"region": "uk", "borough": "region"}[row["tier"]], row["name"]


def test_codes_are_of_current_local_authorities(areas: pl.DataFrame) -> None:
    boroughs = areas.filter(pl.col("tier") == "borough")["code"]
    assert boroughs.str.contains(r"^(E0[6-9]|N09|S12|W06)\d{6}$").all(), "no county councils, no combined authorities"


def test_current_codes_agree_with_the_register(areas: pl.DataFrame, shared: Path) -> None:
    register = pl.read_csv(shared / "data" / "geo" / "mysociety_uk_local_authorities.csv", infer_schema_length=0)
    current = register.filter((pl.col("current-authority") == "True") & (pl.col("lower-or-unitary") == "True"))
    recoded = {"E08000016": "E08000038", "E08000019": "E08000039"}  # 1 April 2025: Barnsley, Sheffield
    in_force = {recoded.get(code, code) for code in current["gss-code"]}
    assert set(areas.filter(pl.col("tier") == "borough")["code"]) == in_force


def test_no_name_points_at_two_areas(areas: pl.DataFrame) -> None:
    uses: Counter[str] = Counter()
    for row in areas.iter_rows(named=True):
        names = [row["name"], *(row["other_names"] or "").split("|")]
        uses.update({folded(name) for name in names if name})
    assert [name for name, count in uses.items() if count > 1] == []


def test_names_are_clean(areas: pl.DataFrame) -> None:
    for row in areas.iter_rows(named=True):
        for name in [row["name"], *(row["other_names"] or "").split("|")]:
            assert name == " ".join(name.split()), repr(name)
            assert not re.search(r"[ï�()]", name), name


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ("LB Camden", "Camden"), ("London Borough of Camden", "Camden"), ("Camden Council", "Camden"),
        ("RBKC", "Kensington and Chelsea"), ("K&C", "Kensington and Chelsea"), ("LBTH", "Tower Hamlets"),
        ("Barking & Dagenham", "Barking and Dagenham"), ("Hammersmith & Fulham", "Hammersmith and Fulham"),
        ("LBHF", "Hammersmith and Fulham"), ("City of Westminster", "Westminster"),
        ("Kingston", "Kingston upon Thames"), ("Kingston-upon-Thames", "Kingston upon Thames"),
        ("Richmond", "Richmond upon Thames"), ("Hull", "Kingston upon Hull"), ("Greater London", "London"),
    ],
)  # fmt: skip
def test_areas_answer_to_the_names_people_write(areas: pl.DataFrame, other: str, name: str) -> None:
    holds = pl.col("other_names").fill_null("").str.split("|").list.contains(other)
    assert areas.filter(holds)["name"].to_list() == [name]


def test_every_population_has_its_year(areas: pl.DataFrame, london: pl.DataFrame) -> None:
    assert areas.filter(pl.col("population").is_null() != pl.col("population_year").is_null()).is_empty()
    assert london["population"].null_count() == 0
    region = areas.filter(pl.col("code") == LONDON_REGION)["population"].item()
    assert london["population"].sum() == region == 9_002_488


def test_london_population_agrees_with_ons(london: pl.DataFrame, shared: Path) -> None:
    ons = pl.read_csv(shared / "data" / "geo" / "london_borough_population_1997_2020.csv")
    latest = dict(ons.filter(pl.col("year") == 2020).select("code", pl.col("pop").cast(pl.Int64)).iter_rows())
    assert dict(london.select("code", "population").iter_rows()) == latest


# ---------------------------------------------------------------- the cartogram


def place(column: int, row: int) -> tuple[float, float]:
    """Centre of a cell, in cell widths; odd rows sit half a cell to the right and y grows to the north."""
    return column + 0.5 * (row % 2), -row * math.sqrt(3) / 2


@pytest.fixture(scope="module")
def cells(london: pl.DataFrame) -> dict[str, tuple[float, float]]:
    return {
        name: place(column, row) for name, column, row in london.select("name", "hex_column", "hex_row").iter_rows()
    }


def test_only_london_has_cartogram_positions_and_no_two_boroughs_share_one(
    areas: pl.DataFrame, cells: dict[str, tuple[float, float]]
) -> None:
    assert areas.filter(pl.col("hex_column").is_not_null()).height == 33
    assert len(set(cells.values())) == len(cells) == 33


def test_the_cartogram_hangs_together(cells: dict[str, tuple[float, float]]) -> None:
    reached, edge = {"Camden"}, ["Camden"]
    while edge:
        here = cells[edge.pop()]
        for name, there in cells.items():
            if name not in reached and math.dist(here, there) < 1.01:
                reached.add(name)
                edge.append(name)
    assert reached == set(cells)


def test_most_neighbours_stay_neighbours_in_the_cartogram(
    cells: dict[str, tuple[float, float]], london: pl.DataFrame, neighbours: pl.DataFrame
) -> None:
    name = dict(london.select("code", "name").iter_rows())
    pairs = [(a, b) for a, b in neighbours.iter_rows() if a in name and b in name]
    kept = [math.dist(cells[name[a]], cells[name[b]]) < 1.01 for a, b in pairs]
    assert sum(kept) / len(kept) >= 0.8


@pytest.mark.parametrize(
    ("one", "other", "axis"),
    [
        ("Hillingdon", "Havering", "x"), ("Ealing", "Newham", "x"), ("Hounslow", "Bexley", "x"),
        ("Kingston upon Thames", "Bromley", "x"), ("Brent", "Hackney", "x"), ("Camden", "Islington", "x"),
        ("Croydon", "Enfield", "y"), ("Sutton", "Barnet", "y"), ("Lambeth", "Camden", "y"),
        ("Southwark", "Tower Hamlets", "y"), ("Lewisham", "Hackney", "y"), ("Bexley", "Havering", "y"),
    ],
)  # fmt: skip
def test_the_compass_holds(cells: dict[str, tuple[float, float]], one: str, other: str, axis: str) -> None:
    index = "xy".index(axis)
    assert cells[one][index] < cells[other][index]


# ---------------------------------------------------------------- neighbours


def test_neighbours_go_both_ways_and_stay_in_their_tier(areas: pl.DataFrame, neighbours: pl.DataFrame) -> None:
    pairs = set(neighbours.iter_rows())
    tier = dict(areas.select("code", "tier").iter_rows())
    assert len(pairs) == neighbours.height
    assert {(b, a) for a, b in pairs} == pairs
    assert all(a != b and tier[a] == tier[b] for a, b in pairs)


def test_every_london_borough_and_every_region_of_great_britain_has_neighbours(
    areas: pl.DataFrame, london: pl.DataFrame, neighbours: pl.DataFrame
) -> None:
    regions = areas.filter((pl.col("tier") == "region") & (pl.col("name") != "Northern Ireland"))
    assert set(london["code"]) | set(regions["code"]) == set(neighbours["code"])


def test_london_neighbours_agree_with_the_borough_polygons(neighbours: pl.DataFrame, shared: Path) -> None:
    derived = pl.read_csv(shared / "data" / "geo" / "london_borough_neighbours.csv")
    ours = {(a, b) for a, b in neighbours.iter_rows() if a.startswith("E09")}
    assert ours == set(derived.select("gss_code", "neighbour_gss").iter_rows())


# ---------------------------------------------------------------- outward codes


def shares(outcodes: pl.DataFrame, areas: pl.DataFrame, outcode: str) -> list[tuple[str, float]]:
    found = outcodes.filter(pl.col("outcode") == outcode).join(areas, left_on="area", right_on="code")
    return list(found.sort("share", descending=True).select("name", "share").iter_rows())


def test_outcodes_are_outward_codes(outcodes: pl.DataFrame) -> None:
    assert outcodes["outcode"].str.contains(r"^[A-Z]{1,2}[0-9]([0-9]|[A-Z])?$").all()
    assert outcodes.select("outcode", "area").is_unique().all()


def test_shares_sum_to_exactly_one_as_written(outcodes: pl.DataFrame) -> None:
    whole = outcodes.group_by("outcode").agg((pl.col("share") * 10_000).round().cast(pl.Int64).sum())
    assert whole.filter(pl.col("share") != 10_000).is_empty()
    assert outcodes["share"].min() >= 0.005


def test_outcodes_lie_in_current_boroughs_and_every_borough_has_one(
    outcodes: pl.DataFrame, areas: pl.DataFrame
) -> None:
    assert set(outcodes["area"]) == set(areas.filter(pl.col("tier") == "borough")["code"])


def test_every_share_says_how_it_was_estimated(outcodes: pl.DataFrame) -> None:
    assert outcodes["basis"].null_count() == 0
    alone = outcodes.filter(pl.col("basis") == "one authority")
    assert (alone["share"] == 1).all()


@pytest.mark.parametrize(
    ("outcode", "largest"),
    [
        ("NW1", "Camden"), ("E8", "Hackney"), ("N17", "Haringey"), ("W1", "Westminster"), ("W2", "Westminster"),
        ("SW1", "Westminster"), ("SW1A", "Westminster"), ("EC1A", "City of London"), ("E20", "Newham"),
        ("SE1", "Southwark"), ("CR0", "Croydon"), ("KT8", "Elmbridge"), ("KY1", "Fife"), ("KW1", "Highland"),
        ("KW15", "Orkney Islands"), ("LL13", "Wrexham"), ("M25", "Bury"), ("BT1", "Belfast"), ("CH41", "Wirral"),
        ("BN7", "Lewes"), ("LE1", "Leicester"), ("WN3", "Wigan"), ("BH15", "Bournemouth, Christchurch and Poole"),
        ("CA11", "Westmorland and Furness"), ("NN18", "North Northamptonshire"), ("HU1", "Kingston upon Hull"),
    ],
)  # fmt: skip
def test_an_outcode_lies_mostly_where_people_know_it_to(
    outcodes: pl.DataFrame, areas: pl.DataFrame, outcode: str, largest: str
) -> None:
    assert shares(outcodes, areas, outcode)[0][0] == largest


def test_nw1_is_camden_with_a_part_in_westminster(outcodes: pl.DataFrame, areas: pl.DataFrame) -> None:
    assert [name for name, _ in shares(outcodes, areas, "NW1")] == ["Camden", "Westminster"]


def test_an_outcode_across_the_london_border_keeps_its_part_outside(
    outcodes: pl.DataFrame, areas: pl.DataFrame
) -> None:
    assert [name for name, _ in shares(outcodes, areas, "KT8")] == ["Elmbridge", "Richmond upon Thames"]


def test_london_boroughs_are_reached_only_from_london_postcode_areas(outcodes: pl.DataFrame) -> None:
    london = outcodes.filter(pl.col("area").str.starts_with("E09"))["outcode"].str.extract(r"^([A-Z]+)").unique()
    assert london.str.contains("^(BR|CR|DA|E|EC|EN|HA|IG|KT|N|NW|RM|SE|SM|SW|TN|TW|UB|W|WC|WD)$").all()


def test_most_places_of_the_real_samples_are_known_outcodes(outcodes: pl.DataFrame, shared: Path) -> None:
    samples = pl.read_csv(shared / "data" / "wedinos" / "wedinos_dev.csv", infer_schema_length=0)
    written = samples["postcode"].str.to_uppercase().str.strip_chars().drop_nulls()
    plain = written.filter(written.str.contains(r"^[A-Z]{1,2}[0-9][0-9A-Z]?$"))
    # the rest are an outcode and a sector run together (SW22), or postcodes that never were
    assert plain.is_in(outcodes["outcode"].unique().implode()).mean() > 0.93
