"""The drop folder: only complete files are read, and none is ever lost or overwritten."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ewarn.errors import UnusableInput
from ewarn.intake import drops

NOW = datetime(2025, 3, 10, 12, tzinfo=UTC)


def put(folder: Path, name: str, text: str = "a\n1\n", age_seconds: float = 60, source: str = "lab") -> Path:
    path = folder / source / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (NOW.timestamp() - age_seconds,) * 2)
    return path


def test_complete_files_of_known_sources_are_collected_oldest_first(tmp_path: Path) -> None:
    put(tmp_path, "b.csv", age_seconds=90)
    put(tmp_path, "a.CSV", age_seconds=60)
    for name in (".hidden.csv", "c.csv.part", "d.tmp", "e.pdf", "~$a.xlsx"):
        put(tmp_path, name)
    put(tmp_path, "x.csv", source="elsewhere")
    (tmp_path / "lab" / "link.csv").symlink_to(tmp_path / "lab" / "b.csv")
    (tmp_path / "lab" / "folder.csv").mkdir()
    assert [f.path.name for f in drops.collect(tmp_path, {"lab", "absent"}, now=NOW)] == ["b.csv", "a.CSV"]
    strays = ["elsewhere/x.csv", "lab/e.pdf", "lab/folder.csv", "lab/link.csv"]
    assert drops.strays(tmp_path, {"lab"}) == [tmp_path / name for name in strays]


def test_a_file_still_being_written_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, "a.csv", age_seconds=0)
    monkeypatch.setattr(drops.time, "sleep", lambda _: path.write_text("a\n1\n2\n"))
    assert drops.collect(tmp_path, {"lab"}, now=NOW) == []


def test_a_fresh_file_that_keeps_still_is_collected(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", age_seconds=0)
    assert len(drops.collect(tmp_path, {"lab"}, now=NOW, check_seconds=0.01)) == 1


def test_files_settle_under_names_of_their_own_with_the_reason(tmp_path: Path) -> None:
    settled = []
    for text in ("one", "two"):
        put(tmp_path, "a.csv", text)
        (file,) = drops.collect(tmp_path, {"lab"}, now=NOW)
        settled.append(drops.settle(file, ok=False, reason="no key column"))
    assert [p.name for p in settled] == ["a.csv", "a.2.csv"]
    assert [p.read_text() for p in settled] == ["one", "two"]
    assert (settled[1].parent / "a.2.csv.reason.txt").read_text() == "no key column\n"
    put(tmp_path, "a.csv")
    (file,) = drops.collect(tmp_path, {"lab"}, now=NOW)
    assert drops.settle(file, ok=True) == tmp_path / "lab" / "done" / "a.csv"
    assert drops.collect(tmp_path, {"lab"}, now=NOW) == []


def test_a_file_that_changed_meanwhile_stays(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv")
    (file,) = drops.collect(tmp_path, {"lab"}, now=NOW)
    path.write_text("a\n1\n2\n")
    assert drops.settle(file, ok=True) == path and path.exists()
    with pytest.raises(UnusableInput, match="changed"):
        file.read(1000)


def test_too_large_a_file_is_not_read(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "x" * 2000)
    (file,) = drops.collect(tmp_path, {"lab"}, now=NOW)
    with pytest.raises(UnusableInput, match="2,000 bytes"):
        file.read(1000)
