"""What came can be made again: the database deleted, the kept bytes replayed with the content then in force."""

from __future__ import annotations

import shutil
from typing import Any

import polars as pl
import pytest

from ewarn import catalogue
from ewarn.pipeline import casework, naming, replay
from ewarn.store import explain, lines, records, snapshots
from ewarn.terms import digest


def sample(number: int, day: str, substance: str, **more: Any) -> dict[str, Any]:
    return {
        "sample_ref": f"S{number}", "laboratory": "Laboratory (synthetic)", "stream": "drug-checking",
        "date_sampled": day, "date_reported": day, "place": "NW1", "sold_as": "diazepam", "form": "tablet",
        "major": substance, "test_type": "confirmatory",
    } | more  # fmt: skip


def everything(corridor: Any, now: Any) -> tuple[pl.DataFrame, ...]:
    house = corridor.house(now)
    with house.db.read() as con:
        known = lines.as_known(con, casework.ages(house))
        versions = records.versions(con, known.lines["record_id"].to_list())
    kept = versions.drop("receipt", "received_at").sort("record_id", "version")
    return kept, *(f.sort(f.columns) for f in (known.lines, known.mentions, known.places))


def test_replaying_the_snapshots_gives_identical_records_and_signals(corridor: Any) -> None:
    first, later, last = (corridor.at(day) for day in ("2025-05-01", "2025-05-08", "2025-05-20"))
    rows = [
        sample(1, "2025-04-28", "metonitazene"),
        sample(2, "2025-04-29", "novelnitazene"),
        sample(3, "no date", "MDMA"),
    ]
    assert corridor.drop("test_results", rows, first).rejects == 1
    amended = [sample(1, "2025-04-28", "metonitazene|bromazolam"), sample(4, "2025-05-06", "cychlorphine")]
    report = corridor.drop("test_results", amended, later)
    assert (report.new, report.changed) == (1, 1)
    corridor.drop(
        "test_results", [sample(9, "2024-01-03", "isotonitazene", date_reported="2024-02-01")], later, backfill=True
    )
    house = corridor.house(last)
    overlay = house.settings.overlay / "sources" / "substances" / "nitazene.toml"
    overlay.parent.mkdir(parents=True)
    shutil.copy(house.settings.content / "sources/substances/nitazene.toml", overlay)
    named = naming.name(house, "novelnitazene", "protonitazene", last)
    assert named.file == str(overlay)
    assert named.changed == 1

    before, asked = everything(corridor, last), corridor.detect(last, dry_run=True)
    assert {x.subject.id for s in asked.signals for x in (s, *s.beneath)} >= {
        "metonitazene",
        "cychlorphine",
        "protonitazene",
    }
    (corridor.home / "ewarn.duckdb").unlink()
    shutil.rmtree(corridor.home / "published")
    replay.rebuild(corridor.house(last), last)
    after, again = everything(corridor, last), corridor.detect(last, dry_run=True)
    for one, other in zip(before, after, strict=True):
        assert one.equals(other, null_equal=True)
    assert again.signals == asked.signals


def test_the_same_bytes_twice_change_nothing(corridor: Any) -> None:
    now, later = corridor.at("2025-05-01"), corridor.at("2025-05-02")
    rows = [sample(1, "2025-04-28", "metonitazene"), sample(2, "bad", "MDMA")]
    first = corridor.drop("test_results", rows, now)
    corridor.drop("test_results", [sample(1, "2025-04-28", "protonitazene")], later)
    before = everything(corridor, later)
    again = corridor.drop("test_results", rows, later)
    assert (first.new, first.rejects) == (1, 1)
    assert (again.records, again.new, again.changed, again.unchanged, again.rejects) == (2, 0, 0, 1, 1)
    assert all(a.equals(b, null_equal=True) for a, b in zip(before, everything(corridor, later), strict=True))


def test_a_retracted_record_reopens_its_case(corridor: Any) -> None:
    from ewarn.pipeline import assess

    corridor.staff(corridor.at("2025-05-01"))
    now, later = corridor.at("2025-05-02"), corridor.at("2025-05-05")
    corridor.drop("test_results", [sample(1, "2025-05-01", "metonitazene")], now)
    corridor.turn(now)
    ref = assess.list_cases(corridor.house(now), "open")[0].ref
    assess.close_case(corridor.house(now), ref, "confirmed", "partners told", corridor.actor("author"), now)
    corridor.drop("test_results", [sample(1, "2025-05-01", "metonitazene", status="retracted")], later)
    shown = assess.show_case(corridor.house(later), ref)
    assert shown.case.status == "open"
    assert "corrected or withdrawn" in shown.case.next_action
    assert any(entry["act"] == "reopened" for entry in shown.history)
    assert not [s for s in corridor.signals(later, "first detection") if s.subject.id == "metonitazene"]


@pytest.mark.slow
def test_bytes_that_have_expired_do_not_stop_a_rebuild(corridor: Any) -> None:
    now, later = corridor.at("2025-05-01"), corridor.at("2025-05-02")
    corridor.drop("test_results", [sample(1, "2025-04-28", "metonitazene")], now)
    expired = corridor.drop("test_results", [sample(2, "2025-04-28", "MDMA")], later).snapshot
    snapshots.path_of(corridor.house(later).settings, expired).unlink()
    (corridor.home / "ewarn.duckdb").unlink()
    shutil.rmtree(corridor.home / "published")
    reports = replay.rebuild(corridor.house(later), later).sources
    assert [(r.new, r.outcome) for r in reports] == [(1, "ok"), (0, "quarantined")]
    assert "expired" in reports[1].notes[0]


@pytest.mark.slow
def test_a_record_leads_to_the_definition_that_read_it(corridor: Any, tmp_path: Any) -> None:
    first, later = corridor.at("2025-05-01"), corridor.at("2025-05-08")
    corridor.drop("test_results", [sample(1, "2025-04-28", "metonitazene")], first)
    overlay = corridor.house(first).settings.overlay / "sources" / "drops" / "test_results.toml"
    overlay.parent.mkdir(parents=True)
    text = (corridor.house(first).settings.content / "sources/drops/test_results.toml").read_text()
    overlay.write_text(text.replace("max_age_days = ", "max_age_days = 1"))
    corridor.drop("test_results", [sample(2, "2025-05-06", "metonitazene")], later)
    house = corridor.house(later)
    with house.db.read() as con:
        ids = [i for (i,) in con.execute("SELECT record_id FROM record").fetchall()]
        rows = explain.trail(con, house.settings, ids)
    assert len({row["definition_hash"] for row in rows}) == 2
    for number, row in enumerate(rows):
        name, _, archive = row["read_with"].partition(" in ")
        assert name == "sources/drops/test_results.toml"
        assert (house.settings.home / archive).is_file()
        then = catalogue.load(snapshots.load_content(house.settings, row["content_hash"], tmp_path / str(number)))
        definition = then.sources["test_results"].model_dump(mode="json")
        assert digest(definition) == row["definition_hash"]
