from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from ewarn.frames import SHAPES
from ewarn.settings import Settings
from ewarn.store import lines, records, snapshots
from ewarn.store.database import Database
from ewarn.store.lines import Lines
from ewarn.terms import RecordKind

AGES = pl.DataFrame({"source": ["lab"], "max_age_days": [90]})
HOUR = timedelta(hours=1)


@pytest.fixture
def deliver(db: Database, settings: Settings, staging: Callable[..., Any]) -> Callable[..., None]:
    def land(at: datetime, *rows: dict[str, Any], **words: Any) -> None:
        ref = snapshots.keep(settings, words.pop("source", "lab"), repr((at, rows)).encode(), at)
        with db.write() as tx:
            records.land(tx, staging(*rows, **words), ref, at, False)

    return land


def known(db: Database, until: datetime | None = None, since: datetime | None = None) -> Lines:
    with db.read() as con:
        return lines.as_known(con, AGES, until, since)


def spans(found: Lines) -> list[tuple[Any, ...]]:
    return found.lines.select("version", "visible_from", "visible_to").rows()


def test_the_frames_have_exactly_their_shapes(db: Database, deliver: Callable[..., None], now: datetime) -> None:
    for number, kind in enumerate(RecordKind):
        deliver(now, {"key": f"{number}", "said": 1}, kind=kind)
    found = known(db)
    assert found.lines.schema == SHAPES["lines"] and found.lines.height == 3
    assert found.mentions.schema == SHAPES["line_mentions"] and found.mentions.height == 4
    assert found.places.schema == SHAPES["line_places"] and found.places.height == 3
    assert found.counts.schema == SHAPES["line_counts"] and found.counts.height == 1
    assert found.counts["area"].to_list() == ["E09000007"]


def test_each_version_stands_until_the_next_became_known(
    db: Database, deliver: Callable[..., None], now: datetime
) -> None:
    deliver(now, {"key": "a", "said": 1, "sold_as": "heroin"})
    deliver(now + HOUR, {"key": "a", "said": 2, "sold_as": "oxycodone"})
    found = known(db)
    assert spans(found) == [(1, now, now + HOUR), (2, now + HOUR, None)]
    assert found.lines["sold_as"].to_list() == ["heroin", "oxycodone"]
    assert found.lines["max_age_days"].to_list() == [90, 90]


def test_nothing_known_later_shows_at_a_time(db: Database, deliver: Callable[..., None], now: datetime) -> None:
    deliver(now, {"key": "a", "said": 1})
    deliver(now + HOUR, {"key": "a", "said": 2}, {"key": "b", "said": 1})
    assert spans(known(db, until=now + HOUR / 2)) == [(1, now, None)]
    assert known(db, until=now - HOUR).lines.is_empty()
    assert known(db, until=now + HOUR).lines.height == 3


def test_a_retraction_ends_its_record(db: Database, deliver: Callable[..., None], now: datetime) -> None:
    deliver(now, {"key": "a", "said": 1})
    deliver(now + HOUR, {"key": "a", "said": 1, "retracted": True})
    found = known(db)
    assert spans(found) == [(1, now, now + HOUR)]
    assert found.mentions.height == 1
    assert spans(known(db, until=now + HOUR / 2)) == [(1, now, None)]


def test_a_version_that_was_never_current_is_left_out(
    db: Database, deliver: Callable[..., None], now: datetime
) -> None:
    deliver(now, {"key": "a", "said": 1})
    deliver(now, {"key": "a", "said": 2})
    assert spans(known(db)) == [(2, now, None)]


def test_history_can_be_made_to_begin_later(db: Database, deliver: Callable[..., None], now: datetime) -> None:
    deliver(now, {"key": "a", "said": 1}, {"key": "b", "said": 1})
    deliver(now + HOUR, {"key": "a", "said": 2})
    assert spans(known(db, since=now + HOUR)) == [(2, now + HOUR, None)]
