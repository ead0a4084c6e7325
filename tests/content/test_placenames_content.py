"""Place names, former codes and grid squares as they lie under sources/areas, and what the gazetteer makes of them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ewarn import catalogue
from ewarn.catalogue import Catalogue
from ewarn.matching import Gazetteer
from ewarn.matching.grid import positions
from ewarn.matching.places import Reading

BCU = {
    "Central East": {"Hackney", "Tower Hamlets"}, "Central North": {"Camden", "Islington"},
    "Central South": {"Lambeth", "Southwark"},
    "Central West": {"Hammersmith and Fulham", "Kensington and Chelsea", "Westminster"},
    "East": {"Barking and Dagenham", "Havering", "Redbridge"}, "North": {"Enfield", "Haringey"},
    "North East": {"Newham", "Waltham Forest"}, "North West": {"Barnet", "Brent", "Harrow"},
    "South": {"Bromley", "Croydon", "Sutton"}, "South East": {"Bexley", "Greenwich", "Lewisham"},
    "South West": {"Kingston upon Thames", "Merton", "Richmond upon Thames", "Wandsworth"},
    "West": {"Ealing", "Hillingdon", "Hounslow"},
}  # fmt: skip
CORONERS = {
    "City of London": {"City of London"}, "Inner North London": {"Camden", "Hackney", "Islington", "Tower Hamlets"},
    "Inner South London": {"Greenwich", "Lambeth", "Lewisham", "Southwark"},
    "Inner West London": {"Kensington and Chelsea", "Merton", "Wandsworth", "Westminster"},
    "East London": {"Barking and Dagenham", "Havering", "Newham", "Redbridge", "Waltham Forest"},
    "North London": {"Barnet", "Brent", "Enfield", "Haringey", "Harrow"},
    "South London": {"Bexley", "Bromley", "Croydon", "Sutton"},
    "West London": {"Ealing", "Hammersmith and Fulham", "Hillingdon", "Hounslow", "Kingston upon Thames",
                    "Richmond upon Thames"},
}  # fmt: skip


@pytest.fixture(scope="module")
def known(root: Path) -> Catalogue:
    return catalogue.load(root)


@pytest.fixture(scope="module")
def gazetteer(known: Catalogue) -> Gazetteer:
    return Gazetteer(known.areas, known.outcodes, known.placenames, known.squares)


@pytest.fixture(scope="module")
def names(known: Catalogue) -> dict[str, str]:
    return dict(known.areas.select("code", "name").iter_rows())


def areas(reading: Reading, names: dict[str, str]) -> list[str]:
    return [names[place.area] for place in reading.places]


def test_every_file_cites_its_sources(root: Path) -> None:
    for name in ("placenames", "squares"):
        first = (root / "sources" / "areas" / f"{name}.csv").read_text().splitlines()[:2]
        assert all(line.startswith("# ") for line in first), name


def test_shares_sum_to_one_and_areas_exist(known: Catalogue) -> None:
    codes = set(known.areas["code"])
    for frame, keys in ((known.placenames, ["name", "kind"]), (known.squares, ["square"])):
        inside = frame.drop_nulls("area")
        assert set(inside["area"]) <= codes
        sums = inside.group_by(keys).agg((pl.col("share") * 10_000).round().cast(pl.Int64).sum())
        assert sums.filter(pl.col("share") != 10_000).is_empty()
    assert set(known.placenames.filter(pl.col("area").is_null())["kind"]) == {"outside the UK"}


def test_every_name_and_code_of_the_table_is_read(known: Catalogue, gazetteer: Gazetteer) -> None:
    tables = {"coroner area": "coroner area", "police unit": "police area", "police force": "police area"}
    for name, kind in known.placenames.select("name", "kind").unique().iter_rows():
        reading = gazetteer.read(name, tables.get(kind, ""))
        assert reading.outside if kind == "outside the UK" else reading.places, (name, kind)
        assert not reading.places or abs(sum(place.share for place in reading.places) - 1) < 1e-9, name


@pytest.mark.parametrize(("unit", "boroughs"), list(BCU.items()))
def test_a_police_unit_is_its_boroughs(
    gazetteer: Gazetteer, names: dict[str, str], unit: str, boroughs: set[str]
) -> None:
    spellings = ("BCU", "Area BCU", "Basic Command Unit", "Borough Command Unit", "Area Borough Command Unit")
    for written, holds in ((unit, "police area"), *((f"{unit} {ending}".upper(), "") for ending in spellings)):
        reading = gazetteer.read(written, holds)
        assert set(areas(reading, names)) == boroughs, written
        assert {(p.certain, p.precision) for p in reading.places} == {(False, "police area")}


def test_the_police_units_and_the_coroner_areas_cover_london_once(names: dict[str, str]) -> None:
    london = sorted(name for code, name in names.items() if code.startswith("E09"))
    assert sorted(b for boroughs in BCU.values() for b in boroughs) == [b for b in london if b != "City of London"]
    assert sorted(b for boroughs in CORONERS.values() for b in boroughs) == london


@pytest.mark.parametrize(("area", "boroughs"), list(CORONERS.items()))
def test_a_coroner_area_is_its_boroughs(
    gazetteer: Gazetteer, names: dict[str, str], area: str, boroughs: set[str]
) -> None:
    for written in (area, area.lower(), f"Senior Coroner for {area}", f"{area} Coroner Service"):
        assert set(areas(gazetteer.read(written, "coroner area"), names)) == boroughs, written


def test_a_point_of_the_compass_is_a_region_unless_the_column_holds_police_areas(
    gazetteer: Gazetteer, names: dict[str, str]
) -> None:
    assert areas(gazetteer.read("North West"), names) == ["North West"]
    assert set(areas(gazetteer.read("North West", "police area"), names)) == BCU["North West"]
    assert gazetteer.read("North").places == ()


@pytest.mark.parametrize(
    ("written", "found", "precision"),
    [
        ("Brixton", ["Lambeth"], "neighbourhood"), ("KINGS CROSS", ["Camden", "Islington"], "neighbourhood"),
        ("King's Cross", ["Camden", "Islington"], "neighbourhood"), ("Tottenham", ["Haringey"], "neighbourhood"),
        ("Peckham", ["Southwark"], "neighbourhood"), ("Elephant & Castle", ["Southwark"], "neighbourhood"),
        ("Kings Cross, Camden", ["Camden"], "neighbourhood"), ("Margate, Kent", ["Thanet"], "town"),
        ("Hostel near Brixton Road, Islington", ["Islington"], "area name"),
        ("Aberdare", ["Rhondda Cynon Taf"], "town"),
        ("Bournemouth", ["Bournemouth, Christchurch and Poole"], "area name"),
        ("Somerset West and Taunton", ["Somerset"], "area name"), ("Shepway", ["Folkestone and Hythe"], "area name"),
        ("Cumbria", ["Cumberland", "Westmorland and Furness"], "area name"),
        ("E10000006", ["Cumberland", "Westmorland and Furness"], "area code"), ("E06000028",
         ["Bournemouth, Christchurch and Poole"], "area code"), ("S12000046", ["Glasgow"], "area code"),
        ("S12000044", ["North Lanarkshire"], "area code"), ("E08000016", ["Barnsley"], "area code"),
        ("E08000038", ["Barnsley"], "area code"), ("E08000019", ["Sheffield"], "area code"),
        ("E07000190", ["Somerset"], "area code"), ("E07000006", ["Buckinghamshire"], "area code"),
        ("00AG", ["Camden"], "area code"), ("95Z", ["Belfast"], "area code"),
        ("Dungannon and South Tyrone", ["Mid Ulster"], "area name"), ("Police Scotland", ["Scotland"], "region"),
        ("NW1/NW1 8AB", ["Camden", "Westminster"], "outward code"), ("LD1", ["Powys"], "outward code"),
        ("LA1 1AA", ["Lancaster"], "full postcode"), ("CF4", ["Cardiff"], "outward code"),
        ("NP21", ["Wales"], "postcode area"), ("E20", ["Newham", "Hackney", "Waltham Forest"], "outward code"),
        ("NW1W", ["Camden", "Westminster"], "outward code"), ("W1A", ["Westminster", "Camden"], "outward code"),
        ("SW95", ["Lambeth"], "outward code"), ("N1C", ["Camden"], "outward code"),
        ("EC1", ["Islington", "Camden", "City of London", "Hackney"], "outward code"),
    ],
)  # fmt: skip
def test_a_place_is_read_as_people_mean_it(
    gazetteer: Gazetteer, names: dict[str, str], written: str, found: list[str], precision: str
) -> None:
    places = gazetteer.resolve(written)
    assert ([names[p.area] for p in places], {p.precision for p in places}) == (found, {precision})
    assert all(p.certain == (len(found) == 1 and precision != "postcode area") for p in places)


def test_an_old_code_says_until_when_it_was_in_force(gazetteer: Gazetteer) -> None:
    assert gazetteer.read("E06000028").why == "E06000028 was in force until 2019-03-31"
    assert gazetteer.read("E07000246").why.endswith("2023-03-31") and gazetteer.read("E09000007").why == ""


@pytest.mark.parametrize(
    ("written", "why", "outside"),
    [
        ("IM1 2AB", "the Isle of Man, outside the UK", True), ("Jersey", "outside the UK", True),
        ("BX1 1AA", "a code without a place (bulk mail)", False), ("England", "a nation and no closer", False),
        ("Array", "not stated", False), ("UNKNOWN - PUBLISHED DUE TO PROFILE", "not stated", False),
        ("E99999999", "no area has this code", False), ("Waterbury", "no area, postcode or place name known", False),
    ],
)  # fmt: skip
def test_what_gives_no_area_says_why(gazetteer: Gazetteer, written: str, why: str, outside: bool) -> None:
    assert gazetteer.read(written) == Reading((), why, outside)


def test_every_area_and_every_outward_code_is_read(known: Catalogue, gazetteer: Gazetteer) -> None:
    for code, tier, name in known.areas.filter(pl.col("tier") != "uk").select("code", "tier", "name").iter_rows():
        for written in (code, name, name.upper(), name.replace(" and ", " & ")):
            assert [(p.area, p.tier, p.certain) for p in gazetteer.resolve(written)] == [(code, tier, True)], written
    for outcode in known.outcodes["outcode"].unique():
        for written in (outcode, outcode.lower(), f"{outcode} 1", f"{outcode} 1AA", f"{outcode}1AA", f"{outcode} -"):
            places = gazetteer.resolve(written)
            assert {p.as_written for p in places} == {outcode} and {p.tier for p in places} == {"borough"}, written


def test_every_outward_code_of_2017_is_read(gazetteer: Gazetteer, known: Catalogue, shared: Path) -> None:
    listed = pl.read_csv(shared / "data" / "geo" / "uk_outcode_to_la.csv")
    codes = listed["outcode"].str.extract(r"^(\S+)").unique()
    boroughs = {code for code in codes if {p.tier for p in gazetteer.resolve(code)} == {"borough"}}
    assert set(codes) - boroughs == set()


def test_most_places_of_the_real_samples_lie_in_a_local_authority(gazetteer: Gazetteer, shared: Path) -> None:
    samples = pl.read_csv(shared / "data" / "wedinos" / "wedinos_dev.csv", infer_schema_length=0)
    written = samples["postcode"].fill_null("")
    named = [text for text in written if gazetteer.read(text).why not in ("not stated", "a nation and no closer")]
    placed = [text for text in named if {p.tier for p in gazetteer.resolve(text)} == {"borough"}]
    assert len(named) > 5_900 and len(placed) / len(named) > 0.99


# ---------------------------------------------------------------- positions


def at(gazetteer: Gazetteer, latitude: float, longitude: float) -> list[tuple[str, bool, str]]:
    columns = {"at": 0, "latitude": latitude, "longitude": longitude, "easting": None, "northing": None}
    schema = {"at": pl.Int64} | {name: pl.Float64 for name in list(columns)[1:]}
    found = gazetteer.located(positions(pl.DataFrame([columns], schema=schema)).drop_nulls())
    assert found.is_empty() or abs(found["share"].sum() - 1) < 1e-9
    return list(found.sort("share", descending=True).select("area", "certain", "as_written").iter_rows())


@pytest.mark.parametrize(
    ("latitude", "longitude", "found"),
    [
        (51.4613, -0.1156, [("E09000022", True, "TQ3175")]),  # Brixton
        (51.5308, -0.1238, [("E09000007", False, "TQ3082"), ("E09000019", False, "TQ3082")]),  # King's Cross
        (51.4700, -0.4543, [("E09000017", True, "TQ0775")]),  # Heathrow
        (50.0660, -5.7150, [("E06000052", True, "SW3425")]),  # Land's End
        (60.1550, -1.1450, [("S12000027", True, "HU4741")]),  # Lerwick
        (54.5970, -5.9300, [("N92000002", True, "NW4629")]),  # Belfast
        (54.8270, -7.4630, [("N92000002", False, "NV4961")]),  # Strabane, by the border
        (53.3500, -6.2600, []),  # Dublin
        (54.0000, -6.4000, []),  # Dundalk
        (54.1500, -4.4800, []),  # Douglas, Isle of Man
        (49.1860, -2.1060, []),  # St Helier
        (50.9500, 1.8580, []),  # Calais
        (33.4196, -111.8904, []),  # Tempe, Arizona
    ],
)
def test_a_position_lies_where_the_map_says(
    gazetteer: Gazetteer, latitude: float, longitude: float, found: list[tuple[str, bool, str]]
) -> None:
    assert at(gazetteer, latitude, longitude) == found


def test_every_london_borough_has_ground_of_its_own_and_none_lies_elsewhere(known: Catalogue) -> None:
    london = known.squares.filter(pl.col("square").str.len_chars() == 6, pl.col("basis") == "ground")
    boroughs = london.filter(pl.col("area").str.starts_with("E09"))
    assert boroughs["area"].n_unique() == 33
    assert boroughs["square"].str.slice(0, 2).is_in(["TQ", "TL"]).all()
    ground = boroughs.group_by("area").agg(pl.col("share").sum())
    area = dict(ground.iter_rows())
    assert 2 < area["E09000001"] < 4 and 140 < area["E09000006"] < 156, "City 2.9 km2, Bromley 150 km2"
