"""Small definitions and a small catalogue for the intake's tests; no content file is needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from ewarn.catalogue.definitions import (
    ClassDefinition,
    ColumnMap,
    DropDefinition,
    FeedDefinition,
    StatusDefinition,
    SubstanceDefinition,
)
from ewarn.frames import empty, shaped
from ewarn.intake import Staged, read

NOW = datetime(2025, 3, 10, 12, tzinfo=UTC)
ABOUT = {"title": "t", "publisher": "p", "licence": "l", "cadence": "c", "personal_data": "none"}


def substances(*names: tuple[str, str]) -> tuple[SubstanceDefinition, ...]:
    return tuple(SubstanceDefinition(id=id, name=name) for id, name in names)


@pytest.fixture(scope="session")
def known() -> Any:
    """A catalogue's classes, results, areas and outward codes."""
    classes = (
        ClassDefinition(
            id="nitazene", name="nitazene", plural="nitazenes", watch=True, stem_endings=("nitazene",),
            substances=substances(("metonitazene", "Metonitazene"), ("etonitazene", "Etonitazene"),
                                  ("n-n-dimethyl-etonitazene", "N,N-dimethyletonitazene")),
        ),
        ClassDefinition(
            id="orphine", name="orphine", plural="orphines", watch=True,
            substances=substances(("sr-17018", "5,6-dichloro desmethylchlorphine"), ("cychlorphine", "Cychlorphine")),
        ),
        ClassDefinition(
            id="opioid", name="opioid", plural="opioids", watch=False,
            substances=substances(("heroin", "Heroin"), ("morphine", "Morphine"), ("fentanyl", "Fentanyl")),
        ),
        ClassDefinition(
            id="benzodiazepine", name="benzodiazepine", plural="benzodiazepines", watch=False,
            substances=(SubstanceDefinition(id="diazepam", name="Diazepam", brands=("Valium",)),),
        ),
    )  # fmt: skip
    status = StatusDefinition(id="no-active-component", name="Nothing", phrases=("No active component identified",))
    areas = [
        ("K02000001", "United Kingdom", "uk", None), ("E12000007", "London", "region", "K02000001"),
        ("E09000007", "Camden", "borough", "E12000007"), ("E09000033", "Westminster", "borough", "E12000007"),
    ]  # fmt: skip
    outcodes = [("NW1", "E09000007", 0.9), ("NW1", "E09000033", 0.1), ("W11", "E09000033", 1.0)]
    return SimpleNamespace(
        classes={c.id: c for c in classes},
        statuses={status.id: status},
        areas=shaped("areas", pl.DataFrame(areas, schema=["code", "name", "tier", "parent"], orient="row")),
        outcodes=shaped("outcodes", pl.DataFrame(outcodes, schema=["outcode", "area", "share"], orient="row")),
        placenames=empty("placenames"),
        squares=empty("squares"),
    )


def drop(kind: str = "sample", **more: Any) -> DropDefinition:
    columns = more.pop("columns", {}) | {"reference_date": ColumnMap(column="date")}
    return DropDefinition(id="lab", kind=kind, key=more.pop("key", ("ref",)), columns=columns, **ABOUT, **more)


@pytest.fixture
def sample_drop() -> DropDefinition:
    """ref, date, tested, postcode, sold as, major, minor (lists by |), colour, status."""
    return drop(
        columns={
            "known_date": ColumnMap(column="tested", other_names=("test date",)),
            "place": ColumnMap(column="postcode"),
            "sold_as": ColumnMap(column="sold as", blank=("not stated",)),
            "major": ColumnMap(column="major", split="|"),
            "minor": ColumnMap(column="minor", split="|"),
            "colour": ColumnMap(column="colour", split=",", values={"glas": "blue"}),
            "form": ColumnMap(column="form", values={"tabled": "tablet"}),
            "stream": ColumnMap(value="drug checking"),
            "status": ColumnMap(column="status"),
        },
        ignored=("collector",),
    )


@pytest.fixture
def incident_drop() -> DropDefinition:
    return drop(
        kind="incident",
        columns={
            "reference_time": ColumnMap(column="time"),
            "reference_end": ColumnMap(column="until"),
            "place": ColumnMap(column="place"),
            "area_code": ColumnMap(column="gss"),
            "outcome": ColumnMap(column="outcome", values={"died": "fatal"}),
            "persons": ColumnMap(column="persons"),
            "cumulative": ColumnMap(column="cumulative"),
            "setting": ColumnMap(column="setting"),
            "place_label": ColumnMap(column="site"),
            "suspected": ColumnMap(column="suspected"),
        },
    )


@pytest.fixture
def count_drop() -> DropDefinition:
    return drop(
        kind="count",
        key=("area", "date"),
        columns={
            "area_code": ColumnMap(column="area"),
            "indicator": ColumnMap(value="naloxone given"),
            "value": ColumnMap(column="count"),
            "denominator": ColumnMap(column="out of"),
        },
    )


@pytest.fixture
def feed() -> FeedDefinition:
    return FeedDefinition(id="notices", url="https://example.org/feed", **ABOUT)


@pytest.fixture
def stage(known: Any) -> Callable[..., Staged]:
    """Read text or bytes with a definition at a fixed instant."""

    def staged(definition: DropDefinition | FeedDefinition, body: str | bytes, **more: Any) -> Staged:
        raw = body.encode() if isinstance(body, str) else body
        return read(definition, raw, known, received_at=more.get("now", NOW), backfill=more.get("backfill", False))

    return staged
