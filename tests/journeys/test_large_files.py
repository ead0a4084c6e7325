"""A large file lands part by part: the same records as in one piece, visible at once, whatever happens."""

from __future__ import annotations

import hashlib
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ewarn.errors import StoreFault
from ewarn.intake import csvfile, tables
from ewarn.pipeline import bulk, landing
from ewarn.pipeline.house import House, open_house
from ewarn.store import keeps, snapshots, vault
from ewarn.store import tables as store_tables

HEAD = "sample_ref,laboratory,stream,date_sampled,date_reported,place,sold_as,major"
WATCHED = ("metonitazene", "heroin", "cocaine|caffeine", "Mysterine", "morphine", "no active component identified")
TABLES = ("record", "sample", "detection", "place")


def line(number: int, draw: random.Random, said: str = "") -> str:
    found = said or draw.choice(WATCHED)
    day = f"2025-0{draw.randint(1, 9)}-1{draw.randint(0, 9)}"
    return f'S{number:05d},"Lab, one",seizure,{day},{day},{draw.choice(["NW1", "SE15", "Camden", "?"])},heroin,{found}'


def file_of(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join([HEAD, *lines]) + "\n")
    return path


@pytest.fixture
def now() -> datetime:
    return datetime(2025, 12, 1, 9, tzinfo=UTC)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of a few hundred rows, so that files of some thousand are large."""
    monkeypatch.setattr(tables, "PART_BYTES", 20_000)
    monkeypatch.setattr(csvfile, "PART_BYTES", 20_000)
    monkeypatch.setattr(tables.Table.parts, "__defaults__", (None, 20_000, None))
    monkeypatch.setattr(csvfile.Csv.parts, "__defaults__", (None, 20_000, None))
    monkeypatch.setattr(bulk, "MOST_AT_ONCE", 300)


def house(home: Path, now: datetime) -> House:
    return open_house(home, environ={}, clock=lambda _: now)


def took(where: House, path: Path, now: datetime) -> Any:
    return landing.take(where, where.catalogue.sources["test_results"], path, now, False, file=path.name)


def held(where: House) -> dict[str, pl.DataFrame]:
    """What the tables hold, but for what tells one arrival from another."""
    where.db.publish()
    with where.db.read() as con:
        frames = {name: store_tables.frame(con, f"SELECT * FROM {name}") for name in TABLES}
    frames["record"] = frames["record"].drop("receipt", "snapshot", "position")
    return {name: frame.select(sorted(frame.columns)).sort(pl.all()) for name, frame in frames.items()}


def assert_same(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> None:
    for name in TABLES:
        assert_frame_equal(one[name], other[name])


def assert_as_in_one_piece(
    parts: House, home: Path, files: list[Path], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The house holds what it would hold had each file been landed in one piece, an hour apart."""
    monkeypatch.setattr(tables.Table, "large", property(lambda _: False))
    whole = house(home, now)
    for hours, file in enumerate(files):
        took(whole, file, now + timedelta(hours=hours))
    assert_same(held(parts), held(whole))


def test_a_large_file_lands_as_it_would_in_one_piece(
    tmp_path: Path, now: datetime, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(5)
    lines = [line(n, draw) for n in range(3000)]
    lines += [lines[7], line(9, draw, "fentanyl"), "short,line", lines[11].replace("2025-0", "2025-9", 1), ",,,,,,,"]
    lines += [line(n, draw, "ketamine") for n in range(40, 60)]
    draw.shuffle(lines)
    path = file_of(tmp_path / "big.csv", lines)
    parts = house(tmp_path / "parts", now)
    report = took(parts, path, now)
    with parts.db.read() as con:
        assert store_tables.one(con, "SELECT count(*) FROM segment") == 1
    monkeypatch.setattr(tables.Table, "large", property(lambda _: False))
    whole = house(tmp_path / "whole", now)
    other = took(whole, path, now)
    assert other.model_dump(exclude={"notes"}) == report.model_dump(exclude={"notes"})
    assert sorted(other.notes) == sorted(report.notes)
    assert report.records == report.new + report.changed + report.unchanged + report.rejects == 3024
    assert_same(held(parts), held(whole))


def test_the_same_rows_in_another_order_and_a_correction_change_only_what_changed(
    tmp_path: Path, now: datetime, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(6)
    lines = [line(n, draw) for n in range(2500)]
    later = [*lines, line(9001, draw), line(17, draw, "xylazine"), lines[30]]
    draw.shuffle(later)
    first, second = file_of(tmp_path / "one.csv", lines), file_of(tmp_path / "two.csv", later)
    parts = house(tmp_path / "parts", now)
    took(parts, first, now)
    report = took(parts, second, now + timedelta(hours=1))
    assert (report.new, report.changed, report.unchanged, report.rejects) == (2, 0, 2501, 0)
    assert_as_in_one_piece(parts, tmp_path / "whole", [first, second], now, monkeypatch)


@pytest.mark.slow
def test_a_line_that_was_corrected_since_is_no_known_line(
    tmp_path: Path, now: datetime, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(9)
    lines = [line(n, draw, "heroin") for n in range(1500)]
    corrected = [*lines[:700], lines[700].replace("heroin,heroin", "heroin,fentanyl"), *lines[701:]]
    again = [*lines[1:], lines[0], line(700, draw, "ketamine")]
    draw.shuffle(again)
    files = [file_of(tmp_path / f"{n}.csv", held) for n, held in enumerate([lines, corrected, again])]
    parts = house(tmp_path / "parts", now)
    found = [took(parts, file, now + timedelta(hours=n)) for n, file in enumerate(files)]
    assert [(one.new, one.changed, one.unchanged) for one in found] == [(1500, 0, 0), (0, 1, 1499), (1, 1, 1499)]
    assert_as_in_one_piece(parts, tmp_path / "whole", files, now, monkeypatch)


@pytest.mark.slow
def test_more_corrections_than_memory_should_hold_are_taken_by_turns(
    tmp_path: Path, now: datetime, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(7)
    lines = [line(n, draw, "heroin") for n in range(2000)]
    corrected = [one.replace("heroin", "fentanyl") if n % 2 else one for n, one in enumerate(lines)]
    first, second = file_of(tmp_path / "one.csv", lines), file_of(tmp_path / "two.csv", corrected)
    parts = house(tmp_path / "parts", now)
    took(parts, first, now)
    report = took(parts, second, now + timedelta(hours=1))
    assert (report.new, report.changed, report.unchanged) == (0, 1000, 1000)
    assert_as_in_one_piece(parts, tmp_path / "whole", [first, second], now, monkeypatch)


def test_a_landing_cut_short_leaves_nothing_and_the_same_bytes_come_again(
    tmp_path: Path, now: datetime, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(8)
    path = file_of(tmp_path / "big.csv", [line(n, draw) for n in range(2000)])
    where = house(tmp_path / "home", now)
    monkeypatch.setattr(bulk.records, "land", _killed)
    with pytest.raises(KeyboardInterrupt):
        took(where, path, now)
    monkeypatch.undo()
    assert held(where)["record"].is_empty()
    assert not list((tmp_path / "home" / "lines").glob("*/*.parquet"))
    assert took(where, path, now + timedelta(hours=1)).new == 2000


def _killed(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_a_file_that_changes_while_it_is_read_is_not_landed(
    tmp_path: Path, now: datetime, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(9)
    path = file_of(tmp_path / "big.csv", [line(n, draw) for n in range(2000)])
    where = house(tmp_path / "home", now)
    settle = bulk.large.Large.settle

    def touched(self: Any) -> Any:
        path.write_text(path.read_text() + "more\n")
        return settle(self)

    monkeypatch.setattr(bulk.large.Large, "settle", touched)
    report = took(where, path, now)
    assert report.outcome == "quarantined" and "changed while it was read" in report.error
    assert held(where)["record"].is_empty()


def test_a_segment_that_was_altered_is_found_by_the_doctor(tmp_path: Path, now: datetime, small_parts: None) -> None:
    draw = random.Random(10)
    where = house(tmp_path / "home", now)
    took(where, file_of(tmp_path / "big.csv", [line(n, draw) for n in range(2000)]), now)
    from ewarn.store import doctor

    def checks() -> dict[str, bool]:
        return {check.name: check.ok for check in doctor.examine(where.db, now)}

    assert checks()["segments"]
    part = next((tmp_path / "home" / "lines").glob("*/place-*.parquet"))
    whole = part.read_bytes()
    part.write_bytes(whole[:8] + bytes([whole[8] ^ 1]) + whole[9:])
    assert not checks()["segments"]
    part.unlink()
    with pytest.raises(StoreFault, match="backup"), where.db.read():
        pass


@pytest.fixture
def sealed_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of some thousand rows are sealed by a process of its own, as files of gigabytes are."""
    monkeypatch.setattr(vault, "LARGE", 10_000)


def test_a_large_file_of_a_size_never_seen_is_hashed_while_it_is_kept(
    tmp_path: Path, now: datetime, small_parts: None, sealed_beside: None
) -> None:
    draw = random.Random(11)
    where = house(tmp_path / "home", now)
    path = file_of(tmp_path / "big.csv", [line(n, draw) for n in range(2000)])
    assert not keeps.surely_new(where.settings, path), "it may be written to still"
    os.utime(path, (0, 0))
    assert keeps.surely_new(where.settings, path)
    report, wanted = took(where, path, now), hashlib.sha256(path.read_bytes()).hexdigest()
    assert (report.new, report.snapshot) == (2000, wanted)
    assert snapshots.body(where.settings, wanted) == path.read_bytes()
    assert {receipt.sha256 for receipt in snapshots.receipts(where.settings)} == {wanted}
    where.db.publish()
    with where.db.read() as con:
        assert con.execute("SELECT DISTINCT snapshot FROM record").fetchall() == [(wanted,)]
    assert not keeps.surely_new(where.settings, path)
    again = took(where, path, now + timedelta(hours=1))
    assert (again.outcome, again.snapshot, again.new) == ("same bytes", wanted, 0)
    assert [p.name for p in where.settings.raw.iterdir() if p.name.startswith(".") and p.name.endswith("tmp")] == []


def test_an_unusable_large_file_is_kept_under_its_hash(
    tmp_path: Path, now: datetime, small_parts: None, sealed_beside: None
) -> None:
    where = house(tmp_path / "home", now)
    path = tmp_path / "other.csv"
    path.write_text("name,colour\n" + "a,b\n" * 5000)
    os.utime(path, (0, 0))
    report = took(where, path, now)
    assert report.outcome == "quarantined"
    assert report.snapshot == hashlib.sha256(path.read_bytes()).hexdigest()
    assert snapshots.is_kept(where.settings, report.snapshot)
