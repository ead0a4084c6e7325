"""Archives, workbooks and drifting files through the whole corridor: kept as they came, every row accounted for."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ewarn.pipeline import receive, replay, vigil
from ewarn.pipeline.reports import IntakeReport, SourceReport
from ewarn.store import operator_notices, profiles, records, rejects, snapshots
from tests.intake.workbooks import row, workbook
from tests.journeys.conftest import table

WHO = """title = "Who"
publisher = "Test"
licence = "Test"
cadence = "weekly"
personal_data = "none"
kind = "sample"
key = ["who"]
[columns.reference_date]
column = "what"
"""
COUNTS = ("records", "new", "changed", "unchanged", "rejects")


def sample(number: int, day: str = "2025-04-28", **more: Any) -> dict[str, Any]:
    return {
        "sample_ref": f"S{number}", "laboratory": "Laboratory (synthetic)", "stream": "drug-checking",
        "date_sampled": day, "date_reported": day, "place": "NW1", "sold_as": "diazepam", "form": "tablet",
        "major": "MDMA", "test_type": "confirmatory",
    } | more  # fmt: skip


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, body in files.items():
            made.writestr(name, body)
    return out.getvalue()


def send(corridor: Any, name: str, body: bytes, now: Any, source: str | None = "test_results") -> IntakeReport:
    path = corridor.home / name
    path.write_bytes(body)
    return receive.intake(corridor.house(now), now, source, path)


def counted(report: SourceReport) -> tuple[int, ...]:
    found = tuple(getattr(report, name) for name in COUNTS)
    assert found[0] == sum(found[1:])
    return found


def stored(corridor: Any, now: Any) -> pl.DataFrame:
    with corridor.house(now).db.read() as con:
        return snapshots.table(con)


def test_each_table_of_an_archive_lands_by_itself_under_the_one_files_bytes(corridor: Any) -> None:
    now = corridor.at("2025-05-01")
    body = zipped({
        "april.csv": table([sample(1), sample(2)]),
        "may.csv": table([sample(3), sample(4, "no date")]),
        "notes.txt": b"nothing of use\nhere\n",
    })  # fmt: skip
    report = send(corridor, "both.zip", body, now)
    assert [(s.member, counted(s)) for s in report.sources] == [
        ("table 1", (2, 2, 0, 0, 0)), ("table 2", (2, 1, 0, 0, 1)), ("table 3", (0, 0, 0, 0, 0)),
    ]  # fmt: skip
    assert report.exit_status == 1 and "no column" in report.sources[2].error
    house = corridor.house(now)
    assert {s.snapshot for s in report.sources} == {report.sources[0].snapshot}
    assert snapshots.body(house.settings, report.sources[0].snapshot) == body
    with house.db.read() as con:
        assert set(rejects.all(con)["position"]) == {"table 2 line 3", "table 3: whole table"}
        found = con.execute("SELECT position FROM record ORDER BY position").fetchall()
        assert [p for (p,) in found] == ["table 1 line 2", "table 1 line 3", "table 2 line 2"]
    receipts = stored(corridor, now).filter(pl.col("kind") == "receipt")
    assert set(receipts.select("member", "new_records", "landed").rows()) == {
        ("table 1", 2, True), ("table 2", 1, True), ("table 3", 0, False),
    }  # fmt: skip


def test_what_became_of_every_row_is_stored_with_its_receipt(corridor: Any) -> None:
    now, later = corridor.at("2025-05-01"), corridor.at("2025-05-02")
    send(corridor, "a.csv", table([sample(1), sample(2), sample(3)]), now)
    again = [sample(1), sample(2, major="ketamine"), sample(4), sample(5, "no date")]
    (report,) = send(corridor, "b.zip", zipped({"x.csv": table(again)}), later).sources
    assert counted(report) == (4, 1, 1, 1, 1)
    wanted = ("rows_in", "new_records", "changed_records", "unchanged_records", "rejects")
    kept = stored(corridor, later).filter(pl.col("landed")).sort("received_at").select(wanted).rows()
    assert kept == [(3, 3, 0, 0, 0), (4, 1, 1, 1, 1)]


def test_the_same_archive_again_changes_nothing_and_a_table_that_had_not_landed_lands(corridor: Any) -> None:
    now, later = corridor.at("2025-05-01"), corridor.at("2025-05-02")
    body = zipped({"a.csv": table([sample(1)]), "b.csv": table([sample(2)])})
    first = send(corridor, "both.zip", body, now)
    assert [s.new for s in first.sources] == [1, 1]
    again = send(corridor, "other name.zip", body, later)
    assert [(s.outcome, *counted(s)) for s in again.sources] == [("same bytes", 1, 0, 0, 1, 0)] * 2
    with corridor.house(later).db.write("test") as tx:
        tx.execute("UPDATE receipt SET landed = false WHERE member = 'table 2'")
    cut = send(corridor, "both.zip", body, corridor.at("2025-05-03"))
    assert [(s.outcome, *counted(s)) for s in cut.sources] == [("same bytes", 1, 0, 0, 1, 0), ("ok", 1, 0, 0, 1, 0)]


def test_a_rebuild_reads_the_same_tables_out_of_the_same_bytes(corridor: Any) -> None:
    now, later = corridor.at("2025-05-01"), corridor.at("2025-05-02")
    head = list(sample(1))
    sheet = [
        row(*head),
        *(row(*map(str, sample(n).values())) for n in (1, 2)),
        row(*map(str, sample(3, "bad").values())),
    ]
    send(corridor, "book.xlsx", workbook({"May": sheet, "Notes": [row("Only words")]}), now)
    send(corridor, "more.csv.gz", gzip.compress(table([sample(1, major="ketamine"), sample(9)])), later)

    def everything() -> Any:
        with corridor.house(later).db.read() as con:
            ids = [i for (i,) in con.execute("SELECT DISTINCT record_id FROM record").fetchall()]
            kept = records.versions(con, ids).drop("receipt").sort("record_id", "version")
            return kept, rejects.all(con).filter(pl.col("position").str.contains("row"))["position"].to_list()

    before, refused = everything()
    assert refused == ["table 1!row 4"] and before.height == 4
    assert set(before["position"]) == {"table 1!row 2", "table 1!row 3", "line 2", "line 3"}
    (corridor.home / "ewarn.duckdb").unlink()
    shutil.rmtree(corridor.home / "published")
    replay.rebuild(corridor.house(later), later)
    after, again = everything()
    assert after.equals(before, null_equal=True) and again == refused


def test_rejects_of_one_table_stay_open_when_another_is_read_again(corridor: Any) -> None:
    now, later = corridor.at("2025-05-01"), corridor.at("2025-05-02")
    bad = table([sample(1), sample(2, "bad")])
    send(corridor, "both.zip", zipped({"a.csv": bad, "a.csv line.csv": bad.replace(b"S", b"T")}), now)
    report = replay.replay_rejects(corridor.house(later), later)
    assert [counted(s) for s in report.sources] == [(2, 0, 0, 1, 1)] * 2
    with corridor.house(later).db.read() as con:
        assert set(rejects.all(con)["position"]) == {"table 1 line 3", "table 2 line 3"}


def test_an_archive_that_cannot_be_opened_is_kept_whole_with_its_reason(corridor: Any) -> None:
    now = corridor.at("2025-05-01")
    body = zipped({"a.csv": table([sample(1)])})[:-30]
    report = send(corridor, "cut.zip", body, now)
    (found,) = report.sources
    assert (report.exit_status, found.outcome) == (4, "quarantined") and "damaged" in found.error
    assert snapshots.body(corridor.house(now).settings, str(found.snapshot)) == body


def test_a_workbook_names_its_own_source(corridor: Any) -> None:
    now = corridor.at("2025-05-01")
    made = workbook({"S": [row(*sample(1)), row(*map(str, sample(1).values()))]})
    (found,) = send(corridor, "book.xlsx", made, now, source=None).sources
    assert (found.source, found.new) == ("test_results", 1)


def test_a_file_nobody_knows_is_kept_and_said(corridor: Any) -> None:
    now = corridor.at("2025-05-01")
    report = send(corridor, "what.csv", b"who,what\n1,2\n", now, source=None)
    (found,) = report.sources
    assert (found.source, found.outcome, report.exit_status) == ("_unknown", "quarantined", 4)
    assert snapshots.body(corridor.house(now).settings, str(found.snapshot)) == b"who,what\n1,2\n"
    with corridor.house(now).db.read() as con:
        assert rejects.all(con).select("source", "position").rows() == [("_unknown", "whole file")]
        assert "--source" in operator_notices.open(con)["text"][0]
    (still,) = replay.replay_rejects(corridor.house(now), now).sources
    assert (still.source, still.outcome) == ("_unknown", "quarantined")
    overlay = corridor.home / "content" / "sources" / "drops"
    overlay.mkdir(parents=True)
    (overlay / "who.toml").write_text(WHO)
    later = corridor.at("2025-05-02")
    (taken,) = replay.replay_rejects(corridor.house(later), later).sources
    assert (taken.source, taken.records, taken.rejects) == ("who", 1, 1)  # 2 is no date
    with corridor.house(later).db.read() as con:
        assert rejects.all(con).select("source").rows() == [("who",)]


def test_drift_is_told_to_the_operator_and_profiles_are_kept(corridor: Any) -> None:
    now, later = corridor.at("2025-05-01"), corridor.at("2025-05-02")
    rows = [sample(n) for n in range(30)]
    send(corridor, "one.csv", table(rows), now)
    moved = table([dict(reversed(sample(n).items())) for n in range(31)]).replace(b",", b";")
    (found,) = send(corridor, "two.csv", moved, later).sources
    assert counted(found) == (31, 1, 0, 30, 0)
    assert any("another order" in note for note in found.notes)
    assert any("delimiter changed" in note for note in found.notes)
    with corridor.house(later).db.read() as con:
        assert con.execute("SELECT count(*) FROM file_profile").fetchall() == [(2,)]
        receipt = snapshots.receipts(corridor.house(later).settings)[-1]
        seen = profiles.before(con, receipt)
        assert seen is not None and seen["delimiter"] == ","
        assert "drifting" in states(corridor, later)
    send(corridor, "three.csv", moved + b"", corridor.at("2025-05-03"))  # the same bytes show nothing new
    assert "drifting" in states(corridor, corridor.at("2025-05-03"))
    more = table([dict(reversed(sample(n).items())) for n in range(32)]).replace(b",", b";")
    send(corridor, "four.csv", more, corridor.at("2025-05-04"))
    assert "drifting" not in states(corridor, corridor.at("2025-05-04"))


def states(corridor: Any, at: Any) -> tuple[str, ...]:
    house = corridor.house(at)
    with house.db.read() as con:
        return next(one.states for one in vigil.standing(con, house, at) if one.source == "test_results")


def drops(corridor: Any, name: str, body: bytes) -> Path:
    folder = corridor.home / "drops" / "test_results"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(body)
    os.utime(path, (1, 1))
    return path


@pytest.mark.parametrize("name", ["A.XLSX", "b.Zip", "c.csv.GZ", "d.CSV", "e.gz"])
def test_the_drop_folder_takes_archives_and_workbooks(corridor: Any, name: str) -> None:
    now = corridor.at("2025-05-01")
    plain = table([sample(1)])
    bodies = {
        "A.XLSX": workbook({"S": [row(*sample(1)), row(*map(str, sample(1).values()))]}),
        "b.Zip": zipped({"x.csv": plain}), "c.csv.GZ": gzip.compress(plain), "d.CSV": plain,
        "e.gz": gzip.compress(plain),
    }  # fmt: skip
    path = drops(corridor, name, bodies[name])
    report = receive.intake(corridor.house(now), now, "test_results")
    assert [s.new for s in report.sources] == [1] and not path.exists()
    house = corridor.house(now)
    assert snapshots.body(house.settings, str(report.sources[0].snapshot)) == bodies[name]
    assert not (path.parent / "done").exists(), "kept encrypted, and nowhere in plain"


def test_a_file_of_which_a_table_failed_lies_in_quarantine_with_each_reason(corridor: Any) -> None:
    now = corridor.at("2025-05-01")
    path = drops(corridor, "w.zip", zipped({"a.csv": table([sample(1)]), "b.csv": b"x\n1\n", "c.csv": b""}))
    report = receive.intake(corridor.house(now), now, "test_results")
    assert [bool(s.error) for s in report.sources] == [False, True, True]
    reason = (path.parent / "quarantine" / "w.zip.reason.txt").read_text()
    assert "table 2: the file has no column" in reason and "table 3: the file is empty" in reason
