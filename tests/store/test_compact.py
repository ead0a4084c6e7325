"""Records held in memory, kept up landing by landing, are counted as the database counts them."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ewarn import catalogue as catalogues
from ewarn.catalogue import Catalogue
from ewarn.frames import SHAPES, empty
from ewarn.rules import dense
from ewarn.settings import Settings
from ewarn.store import compact, looking, periods, segments, tables, tallies
from ewarn.store.database import Database
from ewarn.store.tables import Connection
from ewarn.terms import Tier

NOW = datetime(2025, 6, 2, 11, 0, tzinfo=UTC)
AREAS = ["E09000007", "E09000019", "E06000023", "E12000007", "K02000001", "nowhere"]
SUBJECTS = ["metonitazene", "protonitazene", "brorphine", "cocaine"]
KINDS = ("sample", "incident")
FIRST, LAST = date(2025, 4, 7), date(2025, 6, 1)


@pytest.fixture(scope="module")
def catalogue(root: Path) -> Catalogue:
    return catalogues.load(root)


def children(chance: random.Random, catalogue: Catalogue) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What was found in a record, and where it could be."""
    found = []
    for ordinal in range(chance.choice([0, 1, 1, 2, 3])):
        kind, name = chance.choice(["substance", "substance", "class", "queued"]), chance.choice(SUBJECTS)
        said = {"substance": name, "class": "nitazene", "queued": None}[kind]
        of = catalogue.class_of.get(name) if kind != "class" else None
        found.append({"ordinal": ordinal, "role": chance.choice(["major", "confirmed", "suspected"]),
                      "mention_kind": kind, "subject": said, "class_id": of, "as_written": str(ordinal)})  # fmt: skip
    if chance.random() < 0.05:
        return found, [{"area": "", "tier": "uk", "share": 1.0, "precision": "outside the UK", "certain": True}]
    share = chance.choice([None, 1.0, 0.5, 0.1 + 0.2, 0.0])
    chosen = chance.sample(AREAS, chance.choice([0, 1, 1, 2, 3]))
    return found, [{"area": a, "tier": "x", "share": share, "precision": "x", "certain": False} for a in chosen]


def header(chance: random.Random, at: datetime) -> dict[str, Any]:
    day = None if chance.random() < 0.05 else date(2025, 4, 1) + timedelta(days=chance.randrange(70))
    seen = at - timedelta(minutes=chance.randrange(2, 90)) if chance.random() < 0.9 else at + timedelta(hours=3)
    return {"reference_date": day, "visible_at": seen, "retracted": chance.random() < 0.1}


def in_tables(tx: Connection, rows: list[tuple[str, int, str]], chance: random.Random, catalogue: Catalogue,
              at: datetime) -> None:  # fmt: skip
    """Rows for the tables: id, version, kind."""
    told: dict[str, list[dict[str, Any]]] = {"record": [], "detection": [], "place": []}
    for record, version, kind in rows:
        name = {"record_id": record, "version": version}
        plain = dict.fromkeys(("content", "snapshot", "receipt", "definition_hash"), "") | {"source": f"of {kind}"}
        plain |= {"kind": kind, "key": record, "occurrence": 1, "backfill": False, "received_at": at}
        told["record"].append(name | plain | header(chance, at))
        found, places = children(chance, catalogue)
        told["detection"] += [name | one for one in found]
        told["place"] += [name | one for one in places]
    for table, found in told.items():
        tables.insert(tx, table, pl.DataFrame(found, infer_schema_length=None))


def in_segment(tx: Connection, db: Database, name: str, ids: list[str], chance: random.Random, catalogue: Catalogue,
               at: datetime) -> None:  # fmt: skip
    """The same as the rows of a large file; some of them left out."""
    sets = [children(chance, catalogue) for _ in range(6)]
    rows = [
        header(chance, at)
        | {
            "record_id": int(one, 16),
            "line": line,
            "mention_set": chance.randrange(6),
            "content": line,
            "place_set": chance.randrange(6),
            "key": one,
            "content_too": 0,
            "line_mark": 0,
        }
        for line, one in enumerate(ids)
    ]
    own = [name for name in SHAPES["staged_sample"] if name not in rows[0]]
    records = pl.DataFrame(
        rows, schema_overrides={"record_id": pl.UInt64, "content": pl.UInt64}, infer_schema_length=None
    )
    records = records.with_columns(pl.lit(None, dtype=SHAPES["staged_sample"][one]).alias(one) for one in own)
    child: dict[str, pl.DataFrame | None] = {}
    for table, shape, part in (("detection", "staged_mention", 0), ("place", "staged_place", 1)):
        told = [one | {"set": number} for number, both in enumerate(sets) for one in both[part]]
        frames = [empty(shape).drop("row").with_columns(set=pl.lit(0)), pl.DataFrame(told, infer_schema_length=None)]
        child[table] = pl.concat(frames, how="diagonal_relaxed") if told else None
    writer = segments.Writer(segments.folder_of(db.path), name, "sample", "shape")
    writer.add(records, child)
    writer.leave_out([0])
    writer.close()
    writer.enter(tx, source="lab", snapshot="", definition_hash="", received_at=at, backfill=False, member="")


def slow_by_area(con: Connection, subject: str, at: datetime) -> dict[str, int]:
    sql = """
        WITH newest AS (
            SELECT * FROM record WHERE visible_at <= $at
            QUALIFY row_number() OVER (PARTITION BY record_id ORDER BY version DESC) = 1
        )
        SELECT area, count(DISTINCT record_id) FROM newest JOIN place USING (record_id, version)
        WHERE NOT retracted AND share > 0 AND newest.kind IN ('sample', 'incident')
              AND reference_date BETWEEN $first AND $last
              AND EXISTS (FROM detection d WHERE d.record_id = newest.record_id AND d.version = newest.version
                          AND (d.subject = $subject OR d.class_id = $subject))
        GROUP BY ALL
    """
    asked = {"at": at, "first": FIRST, "last": LAST, "subject": subject}
    return {str(area): int(n) for area, n in con.execute(sql, asked).fetchall()}


def same(con: Connection, known: compact.Compact, reading: tallies.Reading, asked: periods.Asked, now: datetime) -> int:
    """Every question put to both; returns how much was counted."""
    at, counted = now + compact.MOMENT, 0
    assert tallies.known_at_all(known, reading.brought_up(), asked) == periods.known(con, asked, at)
    for tier, area in (("borough", "E09000007"), ("region", "E12000007"), ("uk", "K02000001")):
        one = asked._replace(tiers=[tier])
        slow = periods.of_area(con, one, area, at, FIRST, LAST, 7)
        assert tallies.of_area(known, reading, one, area, FIRST, LAST, 7) == slow
        counted += sum(slow[1].values())
    for subjects in ((), ("nitazene",)):
        places = ["E09000007", "E12000007", "E09000019"]
        assert tallies.weekly(known, KINDS, subjects, places, FIRST) == looking.weekly(
            con, KINDS, subjects, places, FIRST, at
        )
    assert tallies.by_area(known, KINDS, ("nitazene",), FIRST, LAST) == slow_by_area(con, "nitazene", at)
    return counted


def walked(home: Path, seed: int, catalogue: Catalogue, steps: int) -> int:
    """Landings of every sort, one after the other; what is kept up is compared after each."""
    chance = random.Random(seed)
    db = Database(Settings(home=home, content=home, overlay=home))
    db.migrate(NOW)
    rule = catalogue.rules["ears-detections"].model_copy(update={"tiers": tuple(Tier)})
    asked = periods.Asked(**dense.question(rule, catalogue) | {"kinds": list(KINDS)})
    reading, known, counted, now = None, compact.Compact(), 0, NOW
    held: dict[str, tuple[int, str]] = {}
    for step in range(steps):
        now += timedelta(hours=chance.choice([1, 2, 5]))
        new = [f"{chance.getrandbits(64) | 1 << 60:016x}" for _ in range(chance.choice([0, 3, 25]))]
        again = chance.sample(sorted(held), min(len(held), chance.choice([0, 2, 15])))
        with db.write("test") as tx:
            if new and chance.random() < 0.4:
                in_segment(tx, db, f"r{step}", new, chance, catalogue, now)
                held |= dict.fromkeys(new[1:], (1, "sample"))
                new = []
            rows = [(one, 1, chance.choice(KINDS)) for one in new]
            rows += [(one, held[one][0] + 1, held[one][1]) for one in again]
            in_tables(tx, rows, chance, catalogue, now)
            held |= {one: (version, kind) for one, version, kind in rows}
        db.publish()
        with db.read() as con:
            before = known
            known = compact.brought_up(known, con, now)
            if reading is None or not reading.reads(known):
                reading = tallies.Reading(asked.areas, asked.substances, known)
            counted += same(con, known, reading, asked, now)
            states = zip(again, known.states_of(again), before.states_of(again), strict=True)
            assert all(now_said != said for _, now_said, said in states)
    return counted


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_what_is_kept_up_counts_as_the_database_does(
    seed: int, catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory
) -> None:
    walked(tmp_path_factory.mktemp("walk") / "home", seed, catalogue, 3)


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_what_is_kept_up_for_long_counts_as_the_database_does(
    seed: int, catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory
) -> None:
    walked(tmp_path_factory.mktemp("walk") / "home", seed, catalogue, 12)


def test_of_many_landings_something_is_counted(tmp_path: Path, catalogue: Catalogue) -> None:
    assert walked(tmp_path / "home", 5, catalogue, 6) > 30


def test_another_database_in_the_place_of_the_first_is_read_whole(tmp_path: Path, catalogue: Catalogue) -> None:
    chance, found = random.Random(7), []
    known = compact.Compact()
    for name, many in (("first", 6), ("second", 9)):
        home = tmp_path / name
        db = Database(Settings(home=home, content=home, overlay=home))
        db.migrate(NOW)
        with db.write("test") as tx:
            in_tables(
                tx, [(f"{chance.getrandbits(64):016x}", 1, "sample") for _ in range(many)], chance, catalogue, NOW
            )
        db.publish()
        with db.read() as con:
            known = compact.brought_up(known, con, NOW)
            found.append((len(known.own.day), tallies.weekly(known, KINDS, (), AREAS, FIRST)))
            assert found[-1][1] == looking.weekly(con, KINDS, (), AREAS, FIRST, NOW + compact.MOMENT)
    assert [many for many, _ in found] == [6, 9]
