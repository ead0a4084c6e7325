"""Raw bytes that are let go leave a tombstone; records, signals, audit, backup and rebuild go on as before."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ewarn.errors import Refused, StoreFault, UsageFault
from ewarn.pipeline import purge, read, receive, replay
from ewarn.pipeline.reports import Actor
from ewarn.store import audit, explain, rejects, snapshots, tombstones
from ewarn.terms import Person, PersonRole


def event(number: int, day: str, **more: Any) -> dict[str, Any]:
    return {
        "incident_ref": f"I{number}", "organisation": "Ambulance (synthetic)", "stream": "ambulance",
        "event_date": day, "event_time": "21:00", "reported_date": day, "outcome": "non-fatal", "persons": "1",
        "place": "NW1", "setting": "hostel", "location_ref": "The Crown",
    } | more  # fmt: skip


def sample(number: int, day: str, **more: Any) -> dict[str, Any]:
    return {
        "sample_ref": f"S{number}", "laboratory": "Laboratory (synthetic)", "stream": "drug-checking",
        "date_sampled": day, "date_reported": day, "place": "NW1", "sold_as": "diazepam", "form": "tablet",
        "major": "metonitazene", "test_type": "confirmatory",
    } | more  # fmt: skip


def keep_all(corridor: Any) -> tuple[Any, Any]:
    """An incident file and a sample file in May 2025. Returns (their hashes by source, the instant)."""
    now = corridor.at("2025-05-01")
    first = corridor.drop("overdose_incidents", [event(n, "2025-04-30") for n in range(6)], now)
    second = corridor.drop("test_results", [sample(1, "2025-04-28"), sample(2, "no date")], now)
    assert (first.new, second.new, second.rejects) == (6, 1, 1)
    return {"overdose_incidents": first.snapshot, "test_results": second.snapshot}, now


def is_whole(house: Any, now: Any) -> bool:
    checks = {c["check"]: c["ok"] for c in read.doctor(house, now).checks}
    with house.db.read() as con:
        assert audit.verify(con) is None
    return all(checks[name] for name in ("audit chain", "receipts", "records", "raw store"))


def test_retention_lets_go_and_leaves_a_tombstone(corridor: Any) -> None:
    kept, start = keep_all(corridor)
    house = corridor.house(start)
    signals = [s.id for s in corridor.detect(start, dry_run=True).signals]
    assert signals
    assert purge.purge(house, start + timedelta(days=364)).purged == ()
    later = start + timedelta(days=366)
    looked = purge.purge(house, later, dry_run=True)
    assert [p.source for p in looked.purged] == ["overdose_incidents"]
    assert snapshots.is_kept(house.settings, kept["overdose_incidents"]), "a dry run removes nothing"
    done = purge.purge(house, later)
    assert done.purged == looked.purged and done.purged[0].removed
    assert not snapshots.is_kept(house.settings, kept["overdose_incidents"])
    assert snapshots.is_kept(house.settings, kept["test_results"]), "another source, another retention"
    with house.db.read() as con:
        (stone,) = tombstones.all(con).to_dicts()
        acts = audit.entries(con)
        assert acts.filter(acts["act"] == "purged")["subject"].to_list() == [
            f"overdose_incidents {kept['overdose_incidents']}"
        ]
    assert (stone["sha256"], stone["rule"]) == (kept["overdose_incidents"], "retention of 365 days")
    assert (stone["purged_at"], stone["purged_by"], stone["reason"]) == (later, "ewarn", "")
    assert is_whole(house, later)
    assert [s.id for s in corridor.detect(start, dry_run=True).signals] == signals, "signals need no raw bytes"
    with pytest.raises(StoreFault, match=r"expired: purged on 2026-05-02 under retention of 365 days"):
        snapshots.body(house.settings, kept["overdose_incidents"])
    assert purge.purge(house, later).purged == (), "once is enough"


@pytest.mark.slow
def test_what_is_received_again_is_kept_from_its_newest_receipt(corridor: Any) -> None:
    _, start = keep_all(corridor)
    house = corridor.house(start)
    path = corridor.home / "file1.csv"
    again = receive.intake(house, start + timedelta(days=300), "overdose_incidents", path).sources[0]
    assert again.outcome == "same bytes"
    assert purge.purge(house, start + timedelta(days=366)).purged == ()
    assert len(purge.purge(house, start + timedelta(days=666)).purged) == 1


@pytest.mark.slow
def test_purged_bytes_that_come_again_are_a_new_arrival_with_a_remark(corridor: Any) -> None:
    kept, start = keep_all(corridor)
    later = start + timedelta(days=366)
    house = corridor.house(later)
    purge.purge(house, later, snapshot=kept["test_results"][:12], reason="request 2025/1")
    with house.db.read() as con:
        assert rejects.all(con).is_empty(), "nothing is left that could be replayed"
    again = receive.intake(house, later + timedelta(days=1), "test_results", corridor.home / "file2.csv").sources[0]
    assert (again.new, again.changed, again.unchanged) == (0, 0, 1)
    assert "these bytes were purged on 2026-05-02 under erasure: kept anew" in again.notes
    assert snapshots.is_kept(house.settings, kept["test_results"])
    with house.db.read() as con:
        assert rejects.all(con).height == 1
    third = receive.intake(house, later + timedelta(days=2), "test_results", corridor.home / "file2.csv").sources[0]
    assert not [note for note in third.notes if "purged" in note], "said once"
    assert purge.purge(house, later + timedelta(days=3)).finished == 0, "the new arrival is not swept away"
    assert is_whole(house, later)


@pytest.mark.slow
def test_shared_bytes_stay_until_both_sources_let_go(corridor: Any) -> None:
    now = corridor.at("2025-05-01")
    house = corridor.house(now)
    for source in ("overdose_incidents", "post_mortem"):
        sha = snapshots.keep(house.settings, source, b"the same bytes", now).sha256
    first = purge.purge(house, now + timedelta(days=400)).purged
    assert [(p.source, p.removed) for p in first] == [("overdose_incidents", False)]
    assert snapshots.body(house.settings, sha) == b"the same bytes"
    second = purge.purge(house, now + timedelta(days=800)).purged
    assert [(p.source, p.removed) for p in second] == [("post_mortem", True)]
    assert not snapshots.is_kept(house.settings, sha)


def test_an_erasure_finds_every_file_that_repeats_the_row(corridor: Any) -> None:
    now = corridor.at("2025-05-01")
    rows = [event(n, "2025-04-30") for n in range(3)]
    files = [
        corridor.drop("overdose_incidents", rows[:2], now),
        corridor.drop("overdose_incidents", rows, now + timedelta(days=1)),
        corridor.drop("overdose_incidents", rows[1:], now + timedelta(days=2)),
        corridor.drop("overdose_incidents", [event(9, "2025-05-02")], now + timedelta(days=3)),
    ]
    later = now + timedelta(days=4)
    house = corridor.house(later)
    with house.db.read() as con:
        found = con.execute("SELECT record_id FROM record WHERE key LIKE '%\"I0\"%'").fetchall()
    ((record,),) = found
    done = purge.purge(house, later, record=record, reason="request 2025/2")
    assert {p.sha256 for p in done.purged} == {files[0].snapshot, files[1].snapshot}
    assert {p.rule for p in done.purged} == {"erasure"}
    assert any("coded fields stay" in words for words in done.words)
    with house.db.read() as con:
        (version,) = explain.trail(con, house.settings, record)
    assert "purged on 2025-05-05 under erasure" in str(version["raw"])
    assert is_whole(house, later)


def test_a_date_and_an_erasure_need_a_reason(corridor: Any) -> None:
    kept, now = keep_all(corridor)
    house = corridor.house(now)
    sha = kept["test_results"]
    for asked in (
        {"before": date(2026, 1, 1)}, {"snapshot": sha}, {"record": "x"}, {"snapshot": sha, "reason": " "},
        {"snapshot": sha, "record": "x", "reason": "r"}, {"snapshot": "ffff", "reason": "r"},
        {"source": "no-such-source"}, {"record": "no-such-record", "reason": "r"}, {"snapshot": sha, "reason": "r" * 201},  # noqa: E501
    ):  # fmt: skip
        with pytest.raises(UsageFault):
            purge.purge(house, now, **asked)
    done = purge.purge(house, now, source="test_results", before=date(2025, 5, 2), reason="agreement ended")
    assert [p.sha256 for p in done.purged] == [sha]


def test_only_a_proved_administrator_purges_once_there_is_one(corridor: Any) -> None:
    kept, now = keep_all(corridor)
    house = corridor.house(now)
    for name, role in (("adam", PersonRole.ADMINISTRATOR), ("dora", PersonRole.DUTY)):
        made = Person(id=name, name=f"Test {name}", roles=(role,), areas=("E12000007",))
        actor = None if name == "adam" else Actor("adam", "the token of adam")
        read.add_person(house, made, f"the token of {name}", now, actor)
    asked = {"snapshot": kept["test_results"], "reason": "request 2025/3"}
    for actor in (None, Actor("dora", "the token of dora"), Actor("adam", "a guess at adam's")):
        with pytest.raises(Refused):
            purge.purge(house, now, **asked, actor=actor)
    assert snapshots.is_kept(house.settings, kept["test_results"])
    assert len(purge.purge(house, now, **asked, dry_run=True).purged) == 1, "anybody may look"
    purge.purge(house, now, **asked, actor=Actor("adam", "the token of adam"))
    with house.db.read() as con:
        assert tombstones.all(con)["purged_by"].to_list() == ["adam"]


@pytest.mark.slow
def test_a_rebuild_passes_over_what_was_purged_and_says_so(corridor: Any) -> None:
    kept, now = keep_all(corridor)
    purge.purge(corridor.house(now), now, snapshot=kept["overdose_incidents"], reason="request 2025/4")
    (corridor.home / "ewarn.duckdb").unlink()
    shutil.rmtree(corridor.home / "published")
    house = corridor.house(now)
    report = replay.rebuild(house, now)
    by_source = {r.source: r for r in report.sources}
    assert by_source["test_results"].new == 1
    assert "purged on 2025-05-01 under erasure" in " ".join(by_source["overdose_incidents"].notes)
    assert report.exit_status == 0
    with house.db.read() as con:
        assert tombstones.all(con)["sha256"].to_list() == [kept["overdose_incidents"]]
    assert is_whole(house, now)


@pytest.mark.slow
def test_a_backup_made_before_a_purge_does_not_bring_the_bytes_back_for_long(corridor: Any, tmp_path: Path) -> None:
    kept, now = keep_all(corridor)
    house = corridor.house(now)
    archive = Path(read.backup(house, tmp_path / "before.zip", now).archive)
    purge.purge(house, now, snapshot=kept["test_results"], reason="request 2025/5")
    read.restore(house.settings, archive, force=True)
    house = corridor.house(now)
    assert snapshots.is_kept(house.settings, kept["test_results"])
    assert not is_whole(house, now), "doctor says that purged bytes are here again"
    done = purge.purge(house, now)
    assert (done.purged, done.finished) == ((), 1)
    assert not snapshots.is_kept(house.settings, kept["test_results"])
    assert is_whole(house, now)


# Kills the process with SIGKILL at the nth call of one of the steps.
KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from ewarn.pipeline import purge
from ewarn.pipeline.house import open_house
from ewarn.store import files, snapshots, tombstones
home, step, now = Path(sys.argv[1]), sys.argv[2], datetime.fromisoformat(sys.argv[3])
def dies(*given, **more):
    os.kill(os.getpid(), signal.SIGKILL)
house = open_house(home, None, {}, clock=lambda _: now)
if step == "before the tombstone":
    tombstones.enter = dies
elif step == "before the bytes go":
    snapshots.remove = dies
elif step == "between two files":
    files.sync_folder = dies
elif step == "before the second line":
    calls, write = [], snapshots.append
    def once(*given):
        calls.append(1)
        return write(*given) if len(calls) == 1 else dies()
    snapshots.append = once
purge.purge(house, now)
"""


@pytest.mark.parametrize(
    "step",
    [
        "before the tombstone",
        pytest.param("between two files", marks=pytest.mark.slow),
        pytest.param("before the second line", marks=pytest.mark.slow),
        pytest.param("before the bytes go", marks=pytest.mark.slow),
    ],
)
def test_a_purge_that_is_killed_is_ended_by_the_next(corridor: Any, step: str) -> None:
    kept, start = keep_all(corridor)
    later = start + timedelta(days=2000)
    house = corridor.house(later)
    words = [sys.executable, "-c", KILLED, str(corridor.home), step, later.isoformat()]
    killed = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert killed.returncode == -9, killed.stderr[-2000:]
    with house.db.read() as con:
        assert audit.verify(con) is None
    done = purge.purge(house, later)
    assert not any(snapshots.is_kept(house.settings, sha) for sha in kept.values())
    with house.db.read() as con:
        assert sorted(tombstones.all(con)["sha256"]) == sorted(kept.values()), "each once"
        acts = audit.entries(con)
        assert acts.filter(acts["act"] == "purged").height == 2
    assert len(done.purged) + done.finished >= 1
    assert is_whole(house, later)
