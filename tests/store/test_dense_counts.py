"""Polars counts equal those of DuckDB and of memory: late records, corrections, retractions and days of 23 hours."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ewarn import catalogue as catalogues
from ewarn.catalogue import Catalogue
from ewarn.rules import dense
from ewarn.rules.prepare import prepare
from ewarn.store import compact, lines, periods, tables, tallies
from ewarn.store.database import Database
from ewarn.terms import LONDON, Tier

FIRST, LAST = date(2025, 3, 3), date(2025, 11, 16)
# Europe/London loses an hour on 30 March and gains one on 26 October 2025.
TURNS = (datetime(2025, 3, 30, tzinfo=LONDON), datetime(2025, 10, 26, tzinfo=LONDON))
AREAS = ["E09000007", "E09000019", "E09000033", "E06000023", "E12000007", "E12000009", "K02000001", "nowhere"]
NAMES = ["metonitazene", "protonitazene", "brorphine", "bromazolam", "cocaine"]
AGES = pl.DataFrame({"source": ["lab"], "max_age_days": [180]})


@pytest.fixture(scope="module")
def catalogue(root: Path) -> Catalogue:
    return catalogues.load(root)


def fill(db: Database, catalogue: Catalogue, chance: random.Random, records: int) -> None:
    """Record versions as they might have landed; some at the very hour a day turns, some retracted, some re-dated."""
    table: dict[str, list[dict[str, Any]]] = {name: [] for name in ("record", "sample", "incident", "detection")}
    table["place"] = []
    tiers = dict(catalogue.areas.select("code", "tier").iter_rows())
    for number in range(records):
        kind = chance.choice(["sample", "sample", "incident"])
        at = chance.choice([*TURNS, FIRST_AT + timedelta(hours=chance.randrange(24 * 250))])
        at += timedelta(minutes=chance.randrange(-90, 90))
        for version in range(1, chance.choice([1, 1, 2, 3]) + 1):
            header = {"record_id": f"r{number}", "version": version}
            happened = at if version == 1 or chance.random() < 0.7 else at + timedelta(days=chance.randrange(-20, 20))
            table["record"].append(_record(header, kind, happened, at, retracted=version > 1 and chance.random() < 0.3))
            table[kind].append(dict(header))
            table["place"] += [header | place for place in _places(chance, tiers)]
            table["detection"] += [header | found for found in _found(chance, catalogue)]
            at += timedelta(hours=chance.choice([0, 1, 30, 400]), minutes=chance.randrange(60))
    with db.write("test") as tx:
        for name, rows in table.items():
            tables.insert(tx, name, pl.DataFrame(rows, infer_schema_length=None))


FIRST_AT = datetime(2025, 3, 3, tzinfo=LONDON)


def _record(header: dict[str, Any], kind: str, on: datetime, known: datetime, retracted: bool) -> dict[str, Any]:
    told = {"source": "lab", "kind": kind, "key": header["record_id"], "occurrence": 1, "content": "", "snapshot": ""}
    told |= {"receipt": "", "definition_hash": "", "backfill": False, "retracted": retracted}
    seen = known.astimezone(UTC)
    return header | told | {"reference_date": on.astimezone(LONDON).date(), "visible_at": seen, "received_at": seen}


def _places(chance: random.Random, tiers: dict[str, str]) -> list[dict[str, Any]]:
    if chance.random() < 0.05:
        return [{"area": "", "tier": "uk", "share": 1.0, "precision": "outside the UK"}]
    chosen = chance.sample(AREAS, chance.choice([0, 1, 1, 2, 3]))
    share = chance.choice([None, 1.0, 0.5, 0.1 + 0.2, 0.0])
    return [
        {"area": a, "tier": tiers.get(a, "borough"), "share": share, "certain": len(chosen) == 1, "precision": "x"}
        for a in chosen
    ]


def _found(chance: random.Random, catalogue: Catalogue) -> list[dict[str, Any]]:
    rows = []
    for ordinal in range(chance.choice([0, 1, 1, 2])):
        kind = chance.choice(["substance", "substance", "class", "queued"])
        name = chance.choice(NAMES if kind == "substance" else ["nitazene", "orphine"])
        rows.append(
            {
                "ordinal": ordinal,
                "role": chance.choice(["major", "minor", "suspected", "confirmed"]),
                "mention_kind": kind,
                "subject": None if kind == "queued" else name,
                "class_id": chance.choice([None, "nitazene"]) if kind == "queued" else catalogue.class_of.get(name),
                "as_written": name,
            }
        )
    return rows


def both(db: Database, catalogue: Catalogue, rule: str, at: datetime, days: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The counts of every area, by Polars of all records and out of memory; one area's out of the database are those
    of memory."""
    definition = catalogue.rules[rule].model_copy(update={"tiers": tuple(Tier)})
    asked = periods.Asked(**dense.question(definition, catalogue))
    with db.read() as con:
        told = lines.as_known(con, AGES, at)
        held = compact.brought_up(compact.Compact(), con, at - compact.MOMENT)
        reading = tallies.Reading(asked.areas, asked.substances, held).brought_up()
        known = periods.known(con, asked, at)
        assert tallies.known_at_all(held, reading, asked) == known
        one = asked._replace(tiers=["region"])
        stored = periods.of_area(con, one, "E12000007", at, FIRST, LAST, days)
        assert tallies.of_area(held, reading, one, "E12000007", FIRST, LAST, days) == stored
    memory = []
    for tier, area in itertools.product(asked.tiers, sorted(known.areas)):
        counted = tallies.of_area(held, reading, asked._replace(tiers=[tier]), area, FIRST, LAST, days)
        memory.append(_filled(counted, {s[:2] for s in known.subjects}, area, tier, days))
    polars = dense.tested(definition, prepare(told, at, catalogue), FIRST, LAST, days)
    tested = polars.filter(pl.col("tested").sum().over("area", "tier") > 0)  # records of these days
    return tested, pl.concat(memory).sort(dense.CELL)


def _filled(
    told: tuple[dict[tuple[str, str, date], int], dict[date, int]],
    subjects: set[tuple[str, str]],
    area: str,
    tier: str,
    days: int,
) -> pl.DataFrame:
    """Numbers as rows with their zeros, where anything was counted for the area in that tier."""
    found, tested = told
    rows = [
        (*subject, area, tier, start, found.get((*subject, start), 0), tested.get(start, 0))
        for subject in subjects
        for start in periods.starts(FIRST, LAST, days)
    ]
    return pl.DataFrame(rows if tested else [], schema=dense.TESTED, orient="row")


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_polars_counts_equal_those_of_the_database_and_of_memory(seed: int, db: Database, catalogue: Catalogue) -> None:
    chance = random.Random(seed)
    fill(db, catalogue, chance, 150)
    instants = [turn + timedelta(minutes=minutes) for turn in TURNS for minutes in (-30, 45)]
    instants.append(datetime(2025, 12, 1, tzinfo=UTC))
    seen = 0
    for instant in instants:
        for rule, days in (("ears-detections", 7), ("repeat-28d", 7), ("ears-incidents", 1)):
            polars, memory = both(db, catalogue, rule, instant.astimezone(UTC), days)
            assert polars.rows() == memory.rows()
            seen += polars["observed"].sum()
    assert seen > 100


def test_zeros_are_rows_and_an_area_that_sent_nothing_is_not(db: Database, catalogue: Catalogue) -> None:
    fill(db, catalogue, random.Random(9), 150)
    polars, _ = both(db, catalogue, "ears-detections", datetime(2025, 12, 1, tzinfo=UTC), 7)
    weeks = (LAST - FIRST).days // 7 + 1
    assert set(polars.group_by("subject", "area").len()["len"].to_list()) == {weeks}
    assert (polars["observed"] == 0).any() and "E09000001" not in polars["area"].to_list()


def test_positivity_has_every_sample_tested_below_the_line(db: Database, catalogue: Catalogue) -> None:
    fill(db, catalogue, random.Random(4), 150)
    rule, at = catalogue.rules["ears-detections"], datetime(2025, 12, 1, tzinfo=UTC)
    with db.read() as con:
        ground = prepare(lines.as_known(con, AGES, at), at, catalogue)
    found = dense.tested(rule, ground, FIRST, LAST)
    assert (found["observed"] <= found["tested"]).all() and found["observed"].sum() < found["tested"].sum()
    uk = found.filter((pl.col("tier") == "uk") & (pl.col("subject") == found["subject"][0]))
    current = ground.versions.filter((pl.col("visible_to") > at) & (pl.col("kind") == "sample"))
    placed = current.join(ground.named.filter(pl.col("tier") == "uk"), on=["record_id", "version"])
    assert uk["tested"].sum() == placed.filter(pl.col("reference_date").is_between(FIRST, LAST)).height


def test_neighbours_are_added_and_the_backlog_is_split_by_month(db: Database, catalogue: Catalogue) -> None:
    fill(db, catalogue, random.Random(5), 150)
    rule = catalogue.rules["ears-detections"].model_copy(update={"tiers": (Tier.BOROUGH,)})
    at = datetime(2025, 12, 1, tzinfo=UTC)
    with db.read() as con:
        ground = prepare(lines.as_known(con, AGES, at), at, catalogue)
    alone = dense.counted(rule, ground, FIRST, LAST)
    near = dense.around(alone, catalogue.neighbours)
    borders = {(a, b) for a, b in catalogue.neighbours.select("code", "neighbour").iter_rows()}
    own = {tuple(row[:-1]): row[-1] for row in alone.iter_rows()}
    for kind, subject, area, tier, period, observed in near.iter_rows():
        others = [a for a in set(alone["area"]) if a == area or (area, a) in borders]
        assert observed == sum(own[kind, subject, a, tier, period] for a in others)
    late = dense.backlog(rule, ground)
    inside = late["observed"].sum()
    everything = dense.counted(rule, ground, date(2024, 1, 1), date(2026, 12, 31))["observed"].sum()
    assert inside == everything > 0
    assert (late["known_month"] >= late["reference_month"]).any()


@pytest.mark.parametrize(("rule", "days"), [("ears-detections", 7), ("repeat-28d", 7), ("ears-incidents", 1)])
def test_an_areas_own_days_are_counted_as_all_records_are(
    db: Database, catalogue: Catalogue, rule: str, days: int
) -> None:
    fill(db, catalogue, random.Random(11), 200)
    asked_days = date(2025, 4, 1), date(2025, 6, 5)
    for at in (datetime(2025, 5, 1, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC)):
        every = catalogue.rules[rule].model_copy(update={"tiers": tuple(Tier)})
        asked = periods.Asked(**dense.question(every, catalogue))
        with db.read() as con:
            expected = dense.tested(every, prepare(lines.as_known(con, AGES, at), at, catalogue), *asked_days, days)
            known = periods.known(con, asked, at)
            for area, tier in {("E09000007", "borough"), ("E12000007", "region"), ("K02000001", "uk")}:
                one = asked._replace(tiers=[tier])
                found, tested = periods.of_area(con, one, area, at, *asked_days, days)
                rows = expected.filter(pl.col("area") == area)
                assert area in known.areas and rows["observed"].sum() > 0
                assert {s[:2] for s in known.subjects if s[2] == tier} == set(
                    rows.select("subject_kind", "subject").iter_rows()
                )
                for kind, subject, period, observed, total in rows.drop("area", "tier").iter_rows():
                    assert observed == found.get((kind, subject, period), 0) and total == tested.get(period, 0)
