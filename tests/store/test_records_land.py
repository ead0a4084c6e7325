from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ewarn.settings import Settings
from ewarn.store import audit, records, rejects, snapshots, tables
from ewarn.store.database import Database
from ewarn.store.records import Landed
from ewarn.terms import RecordKind

Deliver = Callable[..., Landed]


@pytest.fixture
def deliver(db: Database, settings: Settings, now: datetime, staging: Callable[..., Any]) -> Deliver:
    """Keep and land rows as one snapshot; each call an hour after the one before."""
    times = iter(now + timedelta(hours=hour) for hour in range(100))

    def land(*rows: dict[str, Any], backfill: bool = False, reread: bool = False, **words: Any) -> Landed:
        at = next(times)
        staged = staging(*rows, **words)
        ref = snapshots.keep(settings, "lab", repr((rows, words)).encode(), at, backfill)
        with db.write() as tx:
            return records.land(tx, staged, ref, at, backfill, reread=reread)

    return land


def versions(db: Database) -> list[tuple[str, int, int, str]]:
    with db.read() as con:
        sql = "SELECT key, occurrence, version, content FROM record ORDER BY ALL"
        return [tuple(row.values()) for row in tables.rows(con, sql)]  # type: ignore[misc]


def counts(landed: Landed) -> tuple[int, int, int, int]:
    return landed.new, landed.changed, landed.unchanged, landed.rejects


def test_a_redelivered_row_that_changed_is_the_next_version(deliver: Deliver, db: Database) -> None:
    assert counts(deliver({"key": "a", "said": 1}, {"key": "b", "said": 1})) == (2, 0, 0, 0)
    assert counts(deliver({"key": "a", "said": 1}, {"key": "b", "said": 1})) == (0, 0, 2, 0)
    landed = deliver({"key": "a", "said": 1}, {"key": "b", "said": 2})
    assert counts(landed) == (0, 1, 1, 0)
    assert landed.changed_records == ("4f56cb96522b1a3c",)
    assert versions(db) == [("a", 1, 1, "1"), ("b", 1, 1, "1"), ("b", 1, 2, "2")]


def test_one_key_with_two_contents_in_one_snapshot_is_two_records(deliver: Deliver, db: Database) -> None:
    assert counts(deliver({"key": "a", "said": 1}, {"key": "a", "said": 2})) == (2, 0, 0, 0)
    assert counts(deliver({"key": "a", "said": 2}, {"key": "a", "said": 1})) == (0, 0, 2, 0)
    assert counts(deliver({"key": "a", "said": 2})) == (0, 0, 1, 0), "equal content is matched first"
    assert counts(deliver({"key": "a", "said": 3}, {"key": "a", "said": 2})) == (0, 1, 1, 0)
    assert versions(db) == [("a", 1, 1, "1"), ("a", 1, 2, "3"), ("a", 2, 1, "2")]


def test_a_repeated_line_counts_as_unchanged(deliver: Deliver) -> None:
    landed = deliver({"key": "a", "said": 1}, {"key": "a", "said": 1})
    assert counts(landed) == (1, 0, 1, 0) and landed.records == 2 and landed.detections == 1


def test_a_row_that_goes_back_to_what_it_said_is_a_new_version_of_the_same_record(
    deliver: Deliver, db: Database
) -> None:
    deliver({"key": "a", "said": 1}, {"key": "a", "said": 5})
    deliver({"key": "a", "said": 2}, {"key": "a", "said": 5})
    assert counts(deliver({"key": "a", "said": 1}, {"key": "a", "said": 6})) == (0, 2, 0, 0)
    assert [row for row in versions(db) if row[1] == 1] == [("a", 1, 1, "1"), ("a", 1, 2, "2"), ("a", 1, 3, "1")]


def test_a_retraction_is_a_version_even_where_nothing_else_changed(deliver: Deliver, db: Database) -> None:
    deliver({"key": "a", "said": 1})
    assert counts(deliver({"key": "a", "said": 1, "retracted": True})) == (0, 1, 0, 0)
    assert counts(deliver({"key": "a", "said": 1, "retracted": True})) == (0, 0, 1, 0)


def test_rejects_are_kept_once_for_the_same_bytes(deliver: Deliver, db: Database, now: datetime) -> None:
    for _ in range(2):
        landed = deliver({"key": "a", "said": 1}, rejects=2)
        assert landed.rejects == 2
        assert landed.records == landed.new + landed.changed + landed.unchanged + landed.rejects
    with db.read() as con:
        found = rejects.all(con, "lab")
    assert found.height == 2
    assert found.row(0, named=True)["reason"] == "the date cannot be read"
    with db.write() as tx:
        assert rejects.mark_replayed(tx, found["snapshot"][0], now + timedelta(days=1), ["line 901"]) == 1
    with db.read() as con:
        assert rejects.all(con)["position"].to_list() == ["line 901"]
        assert rejects.all(con, state="replayed")["position"].to_list() == ["line 900"]


def test_without_backfill_a_version_is_visible_when_received(deliver: Deliver, db: Database, now: datetime) -> None:
    deliver({"key": "a", "said": 1, "known_date": date(2024, 1, 1)}, {"key": "b", "said": 1})
    with db.read() as con:
        found = tables.rows(con, "SELECT key, visible_at, known_date, basis FROM record ORDER BY key")
    assert [row["visible_at"] for row in found] == [now, now]
    assert [row["known_date"] for row in found] == [date(2024, 1, 1), date(2025, 6, 2)]
    assert found[1]["basis"] == "as stated; known date not stated, read as the day received"


def test_with_backfill_a_version_is_visible_from_its_known_day_in_london(deliver: Deliver, db: Database) -> None:
    deliver(
        {"key": "a", "said": 1, "known_date": date(2024, 7, 1)},
        {"key": "b", "said": 1, "reference_date": date(2024, 1, 15)},
        {"key": "c", "said": 1, "reference_date": None},
        backfill=True,
    )
    with db.read() as con:
        found = tables.rows(con, "SELECT key, visible_at, known_date, received_at FROM record ORDER BY key")
    assert found[0]["visible_at"] == datetime(2024, 6, 30, 23, 0, tzinfo=UTC)
    assert found[1]["visible_at"] == datetime(2024, 1, 15, 0, 0, tzinfo=UTC)
    assert found[2]["visible_at"] == found[2]["received_at"]


def test_a_version_is_never_visible_before_the_one_it_follows(deliver: Deliver, db: Database) -> None:
    deliver({"key": "a", "said": 1, "known_date": date(2024, 7, 1)}, backfill=True)
    deliver({"key": "a", "said": 2, "known_date": date(2024, 1, 1)}, backfill=True)
    with db.read() as con:
        times = [row["visible_at"] for row in tables.rows(con, "SELECT visible_at FROM record ORDER BY version")]
    assert times == sorted(times)


def test_reading_anew_makes_versions_only_where_the_reading_differs(deliver: Deliver, db: Database) -> None:
    rows = ({"key": "a", "said": 1, "mention": None}, {"key": "b", "said": 1})
    assert deliver(*rows).queued == 1
    named = ({"key": "a", "said": 1, "mention": "mysterine"}, {"key": "b", "said": 1})
    assert counts(deliver(*named)) == (0, 0, 2, 0), "an ordinary delivery of the same row changes nothing"
    assert counts(deliver(*named, reread=True)) == (0, 1, 1, 0)
    assert counts(deliver(*named, reread=True)) == (0, 0, 2, 0)
    with db.read() as con:
        assert records.naming_queue(con).is_empty()


def test_the_naming_queue_counts_records_and_looks_past_letter_case(deliver: Deliver, db: Database) -> None:
    deliver(*({"key": key, "said": 1, "mention": None} for key in "abcdefg"))
    deliver({"key": "a", "said": 2, "mention": "metonitazene"}, {"key": "b", "said": 1, "retracted": True})
    with db.read() as con:
        (row,) = records.naming_queue(con).to_dicts()
        assert records.with_name(con, "mysterine").height == 1
    assert (row["as_written"], row["records"], row["first_source"]) == ("Mysterine", 5, "lab")
    assert len(row["newest_records"]) == 5


@pytest.mark.parametrize("kind", list(RecordKind))
def test_every_kind_lands_in_its_own_table(deliver: Deliver, db: Database, kind: RecordKind) -> None:
    deliver({"key": "a", "said": 1}, kind=kind)
    with db.read() as con:
        assert tables.one(con, f"SELECT count(*) FROM {records.TABLE_OF[kind.value]}") == 1
        assert audit.verify(con) is None


ROW = st.tuples(st.sampled_from("ab"), st.integers(0, 3))
DELIVERIES = st.lists(st.lists(ROW, max_size=6), min_size=1, max_size=3)


@hypothesis_settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries=DELIVERIES, seed=st.integers(0, 1000))
def test_row_order_and_repeated_delivery_change_nothing(
    deliveries: list[list[tuple[str, int]]], seed: int, db: Database, staging: Callable[..., Any], now: datetime
) -> None:
    first = _history(db, deliveries, staging, now)
    shuffled = [random.Random(seed).sample(rows, len(rows)) for rows in deliveries]
    assert _history(db, shuffled, staging, now) == first
    repeated = [rows for rows in deliveries for _ in range(2)]
    assert _history(db, repeated, staging, now) == first


class Undone(Exception):
    pass


def _history(
    db: Database, deliveries: Sequence[Sequence[tuple[str, int]]], staging: Callable[..., Any], now: datetime
) -> list[tuple[Any, ...]]:
    """What stands in the store after these deliveries, in a transaction that is then rolled back."""
    found: list[tuple[Any, ...]] = []
    with suppress(Undone), db.write() as tx:
        for number, rows in enumerate(deliveries):
            receipt = snapshots.Receipt(id=f"{number:04d}", source="lab", sha256=f"{number}", received_at=now)
            ref = snapshots.SnapshotRef(sha256=f"{number}", fresh=True, receipt=receipt)
            staged = staging(*({"key": key, "said": said} for key, said in rows))
            landed = records.land(tx, staged, ref, now, False)
            assert landed.records == len(rows) == landed.new + landed.changed + landed.unchanged
        versions = tables.frame(tx, "SELECT record_id, version, content FROM record ORDER BY ALL")
        assert not versions.select("record_id", "version").is_duplicated().any()
        found += versions.rows()
        raise Undone
    return found


def test_keys_and_lines_used_again_in_one_file_are_counted_and_told(
    db: Database, now: datetime, staging: Callable[..., Any]
) -> None:
    rows = [{"key": "a", "said": 1}, {"key": "a", "said": 2}, {"key": "b", "said": 1}, {"key": "b", "said": 1}]
    ref = snapshots.keep(db.settings, "lab", b"twice", now)
    with db.write() as tx:
        landed = records.land(tx, staging(*rows), ref, now, False)
    assert (landed.records, landed.new, landed.unchanged) == (4, 3, 1)
    assert landed.notes == (
        "1 keys are used again for other content in the same file: kept as separate records",
        "1 lines repeat an earlier line word for word",
    )
