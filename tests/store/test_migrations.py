from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ewarn.errors import StoreFault
from ewarn.settings import Settings
from ewarn.store import audit, records, schema, tables
from ewarn.store.database import Database, connect

NOON = datetime(2025, 6, 2, 11, 0, tzinfo=UTC)
VERSION_ONE_ROWS = """
    INSERT INTO record VALUES ('0123456789abcdef', 1, 'wedinos', 'sample', '["W1"]', 1, 'aa', 'bb', '2024-01-02', NULL,
        '2024-01-02', NULL, 'as stated', false, '2024-01-02', '2024-02-01', 'cc', 'r1', 'dd', true, 'line 2', '{}');
    INSERT INTO detection VALUES ('0123456789abcdef', 1, 0, 'major', 'queued', NULL, NULL, 'Mysterine', NULL, NULL,
        NULL, NULL, NULL);
    INSERT INTO reject VALUES ('cc', 'line 3', 'wedinos', 'r1', 'no date', 'x', '2024-02-01', 'open');
"""


def released(settings: Settings, version: int) -> Database:
    """A database as that version of the program left it."""
    settings.home.mkdir()
    db = Database(settings)
    con = connect(db.path)
    schema.bring_forward(con, NOON, str(db.path), upto=1)
    con.execute(VERSION_ONE_ROWS)
    schema.bring_forward(con, NOON, str(db.path), upto=version)
    con.close()
    return db


@pytest.mark.parametrize("version", range(1, schema.newest() + 1))
def test_every_released_version_comes_forward_with_its_rows(settings: Settings, version: int) -> None:
    db = released(settings, version)
    assert db.migrate(NOON) == schema.newest() - version
    with db.read() as con:
        assert schema.version(con) == schema.newest()
        assert records.naming_queue(con).get_column("as_written").to_list() == ["Mysterine"]
        assert tables.one(con, "SELECT count(*) FROM reject") == 1
        assert audit.verify(con) is None


def test_migrating_twice_changes_nothing(db: Database, now: datetime) -> None:
    assert db.migrate(now) == 0


def test_the_numbers_have_no_gap() -> None:
    assert [number for number, _, _ in schema.migrations()] == list(range(1, schema.newest() + 1))


def test_an_older_database_is_not_written_to_before_it_is_brought_forward(settings: Settings) -> None:
    db = released(settings, 1)
    with pytest.raises(StoreFault, match=r"at version 1.*ewarn init"), db.write():
        pass


def test_a_newer_database_is_refused_in_plain_words(db: Database, now: datetime) -> None:
    with db.write() as tx:
        tables.put(tx, "schema_version", version=schema.newest() + 1, name="future", applied_at=now)
    for attempt in (db.write, db.read):
        with pytest.raises(StoreFault, match="written by a newer program"), attempt():
            pass
    with pytest.raises(StoreFault, match="written by a newer program"):
        db.migrate(now)
