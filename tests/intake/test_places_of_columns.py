"""Place columns and coordinates through a whole drop: what says most counts, and nothing close is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from ewarn import catalogue
from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import ColumnMap, DropDefinition
from ewarn.intake import Staged, read
from ewarn.terms import RecordKind

CAMDEN, ISLINGTON, LAMBETH = "E09000007", "E09000019", "E09000022"


@pytest.fixture(scope="module")
def known(root: Path) -> Catalogue:
    return catalogue.load(root)


def drop(holds: str = "", **columns: str) -> DropDefinition:
    mapped = {name: ColumnMap(column=header) for name, header in columns.items()}
    if holds:
        mapped["place"] = ColumnMap(column=columns["place"], holds=holds)  # type: ignore[arg-type]
    return DropDefinition(
        id="calls", title="t", publisher="p", licence="l", cadence="c", personal_data="none", key=("ref",),
        kind=RecordKind.INCIDENT, columns={"reference_date": ColumnMap(column="date"), **mapped},
    )  # fmt: skip


def staged(known: Catalogue, definition: DropDefinition, header: str, *rows: str) -> Staged:
    lines = [f"{n},2025-03-01,{row}" for n, row in enumerate(rows)]
    body = "\n".join([f"ref,date,{header}", *lines, ""]).encode()
    return read(definition, body, known, received_at=datetime(2025, 3, 2, tzinfo=UTC), backfill=False)


def placed(found: Staged) -> list[list[tuple[str, bool, str]]]:
    rows = found.places.group_by("row", maintain_order=True).agg("area", "certain", "precision")
    return [list(zip(*row[1:], strict=True)) for row in rows.iter_rows()]


DEGREES = {"latitude": "lat", "longitude": "lon"}


def test_a_position_inside_one_borough_is_certain_and_on_a_border_possible(known: Catalogue) -> None:
    found = staged(known, drop(**DEGREES), "lat,lon", "51.4613,-0.1156", "51.5308,-0.1238")
    assert placed(found) == [
        [(LAMBETH, True, "coordinates")],
        [(CAMDEN, False, "coordinates"), (ISLINGTON, False, "coordinates")],
    ]
    assert found.places["as_written"].to_list() == ["TQ3175", "TQ3082", "TQ3082"], "a kilometre, not the door"


def test_grid_positions_say_the_same_as_degrees(known: Catalogue) -> None:
    grid = staged(known, drop(easting="e", northing="n"), "e,n", "531000,175500")
    assert placed(grid) == [[(LAMBETH, True, "coordinates")]]


@pytest.mark.parametrize(
    ("cells", "precision", "note"),
    [
        ("33.4196,-111.8904", "outside the UK", "outside the UK or at sea"),
        ("53.35,-6.26", "outside the UK", "outside the UK or at sea"),
        ("-0.1156,51.4613", "unplaced", "look exchanged"),
        ("0,0", "unplaced", "cannot be read"),
        ("north,west", "unplaced", "cannot be read"),
        ("51.5,", "unplaced", "cannot be read"),
        ("91,0", "unplaced", "cannot be read"),
    ],
)
def test_a_position_that_gives_no_area_says_why(known: Catalogue, cells: str, precision: str, note: str) -> None:
    found = staged(known, drop(**DEGREES), "lat,lon", cells)
    assert found.places.select("area", "tier", "precision").rows() == [("K02000001", "uk", precision)]
    assert any(note in remark for remark in found.notes)


def test_a_blank_position_is_no_remark(known: Catalogue) -> None:
    found = staged(known, drop(**DEGREES), "lat,lon", ",")
    assert found.places["precision"].to_list() == ["unplaced"]
    assert not any("coordinates" in remark for remark in found.notes)


def test_what_says_most_counts(known: Catalogue) -> None:
    definition = drop(place="place", area_code="code", **DEGREES)
    found = staged(
        known, definition, "place,code,lat,lon",
        f"Hackney,{CAMDEN},51.4613,-0.1156",  # the area code
        "Hackney,,51.4613,-0.1156",  # the position
        "BT1,,54.597,-5.93",  # the place: the position gives the region only
        "Hackney,,33.4196,-111.8904",  # the place: the position is abroad
        "unknown,,33.4196,-111.8904",  # the position, abroad
        "nowhere known,,51.4613,-0.1156",  # the position
        "Dublin,,,",  # the place, abroad
    )  # fmt: skip
    assert [places[0][0::2] for places in placed(found)] == [
        (CAMDEN, "area code"), (LAMBETH, "coordinates"), ("N09000003", "outward code"), ("E09000012", "area name"),
        ("K02000001", "outside the UK"), (LAMBETH, "coordinates"), ("K02000001", "outside the UK"),
    ]  # fmt: skip


def test_a_column_may_hold_police_or_coroner_areas(known: Catalogue) -> None:
    police = staged(known, drop(holds="police area", place="bcu"), "bcu", "North West", "Central North")
    assert [len(places) for places in placed(police)] == [3, 2]
    coroner = staged(known, drop(holds="coroner area", place="district"), "district", "Inner North London")
    assert {area for area, _, _ in placed(coroner)[0]} == {CAMDEN, "E09000012", ISLINGTON, "E09000030"}


def test_no_address_is_kept_beside_its_area(known: Catalogue) -> None:
    personal = drop(place="place").model_copy(update={"personal_data": "addresses of people"})
    rows = ('"Flat 3, 12 Acacia Avenue, Brixton"', '"Flat 3, 12 Acacia Avenue, SW9 6DD"', '"Flat 3, 12 Acacia Avenue"')
    found = staged(known, personal, "place", *rows)
    assert found.places["as_written"].to_list() == ["brixton", "SW9", ""]
    assert not any("Acacia" in remark for remark in found.notes)


def test_old_codes_and_slips_are_told_to_the_operator(known: Catalogue) -> None:
    found = staged(known, drop(place="place", area_code="code"), "place,code", ",E06000028", "SWIA 1AA,", "BX1 1AA,")
    said = " ".join(found.notes)
    assert "1 written places: a former area code, read as what became of it" in said
    assert "exchanged (possible, not certain)" in said and "a code without a place (bulk mail)" in said


def test_one_half_of_a_pair_of_coordinates_is_a_fault() -> None:
    with pytest.raises(ValueError, match="one is missing"):
        drop(latitude="lat")


def test_calls_from_arizona_are_in_no_area_of_ours(known: Catalogue, shared: Path) -> None:
    definition = drop(**{"latitude": "latitude", "longitude": "longitude"}).model_copy(
        update={
            "key": ("incident_date", "latitude", "longitude"),
            "columns": {name: ColumnMap(column=name) for name in DEGREES}
            | {"reference_date": ColumnMap(column="incident_date")},
        }
    )
    body = (shared / "data" / "incidents" / "tempe_opioid_calls.csv").read_bytes()
    found = read(definition, body, known, received_at=datetime(2026, 1, 1, tzinfo=UTC), backfill=True)
    assert (found.records.height, found.rejects.height) == (3379, 0)
    assert set(found.places["precision"]) == {"outside the UK"} and set(found.places["tier"]) == {"uk"}
    assert not found.places.select(pl.col("as_written").str.contains(r"\.\d\d")).to_series().any()
