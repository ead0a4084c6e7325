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


@pytest.mark.parametrize("name", ["zoë ŷ.csv", "a\nb.csv", "-rf.csv", "x" * 251 + ".csv", "\x1b[31m.csv", "a;b'\".csv"])
def test_odd_names_are_read_settled_and_shown_as_one_line(tmp_path: Path, name: str) -> None:
    put(tmp_path, name)
    (file,) = drops.collect(tmp_path, {"lab"}, now=NOW)
    assert file.read(100) == b"a\n1\n" and file.name.isprintable()
    settled = drops.settle(file, ok=False, reason="why")
    assert settled.name == name and settled.parent.name == "quarantine"
    (reason,) = settled.parent.glob("*.reason.txt")
    assert reason.read_text() == "why\n" and len(os.fsencode(reason.name)) <= 255
    put(tmp_path, name, "a\n2\n")
    (file,) = drops.collect(tmp_path, {"lab"}, now=NOW)
    again = drops.settle(file, ok=False)
    assert again != settled and {settled.read_text(), again.read_text()} == {"a\n1\n", "a\n2\n"}


def test_a_name_that_is_no_text_is_read_too(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    with open(os.path.join(os.fsencode(folder), b"caf\xe9.csv"), "wb") as out:
        out.write(b"a\n1\n")
    (file,) = drops.collect(tmp_path, {"lab"})
    assert file.name == "caf\\udce9.csv"
    file.name.encode()
    assert drops.settle(file, ok=True).parent.name == "done"


def test_what_is_no_file_is_never_opened_and_always_told(tmp_path: Path) -> None:
    put(tmp_path, "good.csv")
    lab = tmp_path / "lab"
    os.mkfifo(lab / "pipe.csv")
    (lab / "2025").mkdir()
    (lab / "nowhere.csv").symlink_to(tmp_path / "absent")
    (lab / "loop.csv").symlink_to(lab / "loop.csv")
    (tmp_path / "lonely.csv").write_text("a\n")
    assert [f.path.name for f in drops.collect(tmp_path, {"lab"}, now=NOW)] == ["good.csv"]
    told = {p.name for p in drops.strays(tmp_path, {"lab"})}
    assert told == {"pipe.csv", "2025", "nowhere.csv", "loop.csv", "lonely.csv"}


def test_a_file_another_program_has_open_for_writing_waits(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv")
    with path.open("ab") as writer:
        assert drops.collect(tmp_path, {"lab"}, now=NOW) == []
        writer.write(b"2\n")
    os.utime(path, (1, 1))
    assert len(drops.collect(tmp_path, {"lab"}, now=NOW)) == 1


def test_a_time_in_the_future_keeps_no_complete_file_out(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", age_seconds=-86_400)
    assert len(drops.collect(tmp_path, {"lab"}, now=NOW, check_seconds=0.01)) == 1


def test_a_file_renamed_into_place_is_read_whole(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv.part")
    assert drops.collect(tmp_path, {"lab"}, now=NOW) == [] and drops.strays(tmp_path, {"lab"}) == []
    path.rename(path.with_suffix(""))
    (file,) = drops.collect(tmp_path, {"lab"}, now=NOW)
    assert file.read(100) == b"a\n1\n"


def test_a_file_that_vanished_or_was_swapped_for_a_link_is_not_read(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv")
    (file,) = drops.collect(tmp_path, {"lab"}, now=NOW)
    path.unlink()
    assert file.vanished
    with pytest.raises(UnusableInput, match="cannot be read"):
        file.read(100)
    assert drops.settle(file, ok=True) == path
    (tmp_path / "secret").write_text("a\n1\n")
    path.symlink_to(tmp_path / "secret")
    with pytest.raises(UnusableInput, match="cannot be read"):
        file.read(100)


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv")
    (file,) = drops.collect(tmp_path, {"lab"}, now=NOW)
    path.chmod(0)
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(65_534)
    try:
        with pytest.raises(UnusableInput, match="Permission denied"):
            file.read(100)
    finally:
        os.seteuid(mine)


def test_where_nothing_can_be_moved_the_file_stays(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv")
    (path.parent / "done").write_text("a file in the way")
    (file,) = drops.collect(tmp_path, {"lab"}, now=NOW)
    assert drops.settle(file, ok=True) == path and path.exists()
