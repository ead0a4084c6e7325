"""Archives and workbooks: every table in them exactly, or refused in words; nothing inflates beyond a cap."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ewarn.errors import UnusableInput
from ewarn.intake import archive, unpack
from ewarn.intake.archive import Caps
from ewarn.intake.csvfile import LINE, read_rows
from tests.intake.workbooks import boolean, error, number, row, workbook

CSV = b"ref,date\n1,2025-03-01\n2,2025-03-02\n"
SMALL = Caps(packed=1_000_000, inflated=1_000_000, members=5, workbook=1_000_000)


def zipped(files: Mapping[str | zipfile.ZipInfo, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as made:
        for name, body in files.items():
            made.writestr(name, body)
    return out.getvalue()


def tables(body: bytes, caps: Caps = Caps()) -> dict[str, Any]:
    """Each member's rows, or the words it was refused with."""
    found: dict[str, Any] = {}
    for name, one in unpack.unpack(body, caps):
        found[name] = str(one) if isinstance(one, UnusableInput) else read_rows(one).frame.drop(LINE).rows()
    return found


def refused(body: bytes, caps: Caps = Caps()) -> str:
    with pytest.raises(UnusableInput) as caught:
        unpack.unpack(body, caps)
    assert caught.value.next_step
    return str(caught.value)


ROWS = [("1", "2025-03-01"), ("2", "2025-03-02")]


def test_a_plain_file_is_its_own_only_table() -> None:
    assert unpack.contents(CSV).members == ("",)
    assert unpack.unpack(CSV) == [("", CSV)]


def test_gzip_is_told_by_its_first_bytes_and_may_have_several_parts() -> None:
    assert unpack.unpack(gzip.compress(CSV[:17]) + gzip.compress(CSV[17:])) == [("", CSV)]
    assert unpack.unpack(gzip.compress(CSV) + bytes(512)) == [("", CSV)]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda b: b[:-9],
        lambda b: b[:20],
        lambda b: b[:-8] + bytes(4) + b[-4:],
        lambda b: b + b"trailing text",
        lambda b: b[:12] + b"\xff" + b[13:],
    ],
)
def test_a_damaged_gzip_file_is_refused_whole(spoil: Callable[[bytes], bytes]) -> None:
    ((_, found),) = unpack.unpack(spoil(gzip.compress(CSV * 50)))
    assert isinstance(found, UnusableInput) and "damaged" in found.what


def test_a_gzip_bomb_stops_at_the_cap() -> None:
    ((_, found),) = unpack.unpack(gzip.compress(b"a,b\n" + b"1,2\n" * 500_000), SMALL)
    assert isinstance(found, UnusableInput) and "inflates to more than" in found.what
    bomb = gzip.compress(bytes(archive.IN_MEMORY + 2_000_000))
    ((_, found),) = unpack.unpack(bomb)
    assert isinstance(found, UnusableInput) and "inflates to more than" in found.what


def test_what_is_large_lies_in_a_file_of_its_own_for_its_time_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "IN_MEMORY", 10)
    with unpack.opened(gzip.compress(CSV)) as member:
        assert isinstance(member.body, Path) and member.body.read_bytes() == CSV
        assert stat.S_IMODE(member.body.stat().st_mode) == 0o600
        kept = member.body
    assert not kept.exists()


def test_every_file_of_a_zip_is_a_table_of_its_own() -> None:
    body = zipped({"a.csv": CSV, "deep/b.txt": CSV, "deep/": b"", "read me.txt": b"hello\nthere\n"})
    assert tables(body) == {"a.csv": ROWS, "deep/b.txt": ROWS, "read me.txt": [("there",)]}
    with unpack.opened(body, "deep/b.txt") as member:
        assert member.position(3) == "deep/b.txt line 3"


def test_two_files_of_one_name_are_both_read() -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        body = zipped({zipfile.ZipInfo("a.csv"): CSV, "a.csv": b"ref,date\n3,x\n"})
    assert tables(body) == {"a.csv": ROWS, "a.csv#2": [("3", "x")]}


def test_what_a_computer_put_there_is_left_out_and_said() -> None:
    body = zipped({"a.csv": CSV, "__MACOSX/._a.csv": b"\0\5", ".DS_Store": b"x", "x/Thumbs.db": b"x"})
    found = unpack.contents(body)
    assert found.members == ("a.csv",)
    assert [r.rpartition(": ")[2] for r in found.remarks] == ["__MACOSX/._a.csv", ".DS_Store", "x/Thumbs.db"]


def linked(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("../out.csv", CSV, "leads out"), ("/etc/a.csv", CSV, "leads out"), ("x/../../a.csv", CSV, "leads out"),
        ("C:\\a.csv", CSV, "leads out"), ("..\\a.csv", CSV, "leads out"), (linked("l.csv"), b"/etc/passwd", "a link"),
        ("inner.zip", zipped({"a.csv": CSV}), "inside an archive"),
        ("a.csv.gz", gzip.compress(CSV, mtime=0), "inside an"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(40), "7z"), ("old.xls", b"\xd0\xcf\x11\xe0" + bytes(600), "old-format"),
        ("a.xlsb", zipped({"xl/workbook.bin": b"x"}), "binary workbook"),
        ("a.tar", bytes(257) + b"ustar" + bytes(300), "tar"),
    ],
)  # fmt: skip
def test_one_member_that_is_not_read_keeps_no_other_out(name: Any, body: bytes, words: str) -> None:
    (_, first), (_, second) = tables(zipped({name: body, "good.csv": CSV})).items()
    assert words in first and second == ROWS


def encrypted(body: bytes) -> bytes:
    """The same zip with the flag of encryption set in both places."""
    made = bytearray(body)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        made[made.index(mark) + offset] |= 1
    return bytes(made)


def test_a_password_is_asked_of_nobody() -> None:
    assert "password" in tables(encrypted(zipped({"a.csv": CSV})))["a.csv"]


@pytest.mark.parametrize("kept", [4, 30, 60, -1, -10])
def test_a_zip_cut_short_is_refused(kept: int) -> None:
    assert "damaged" in refused(zipped({"a.csv": CSV * 20})[:kept])


def test_a_zip_whose_bytes_were_changed_is_refused() -> None:
    body = zipped({"a.csv": CSV * 20}, zipfile.ZIP_STORED)
    assert "damaged" in tables(body.replace(b"2025-03-01", b"2026-03-01", 1))["a.csv"]


def lying(body: bytes, size: int) -> bytes:
    """The same zip with another inflated size in its directory."""
    made = bytearray(body)
    at = made.index(b"PK\x01\x02") + 24
    made[at : at + 4] = struct.pack("<I", size)
    return bytes(made)


def test_zip_bombs_stop_at_the_cap() -> None:
    bomb = zipped({"a.csv": b"a,b\n" + b"1,2\n" * 500_000})
    assert "2,000,004 bytes" in refused(bomb, SMALL)
    assert "damaged" in tables(lying(bomb, 1000), SMALL)["a.csv"]
    assert "6 files" in refused(zipped({f"{n}.csv": CSV for n in range(6)}), SMALL)
    assert "bytes; 1,000,000 are read" in refused(zipped({"a": zlib.compress(b"x") + bytes(1_000_001)}, 0), SMALL)


def test_a_directory_of_boundless_size_is_not_opened() -> None:
    body = bytearray(zipped({"a.csv": CSV}))
    end = body.rindex(b"PK\x05\x06")
    body[end + 10 : end + 12] = b"\xff\xff"
    assert "more files" in refused(bytes(body))


def test_an_empty_archive_is_said() -> None:
    assert "holds no file" in refused(zipped({}))


@pytest.mark.parametrize("mark", archive.FOREIGN)
def test_other_kinds_are_named(mark: bytes) -> None:
    assert "which is not read" in refused(mark + bytes(600))


@pytest.mark.parametrize("name", ["a\nb.csv", "\x1b[31mred.csv", "a\u202egpj.csv", "zoë \u0001.csv"])
def test_names_are_shown_as_one_line_without_control_characters(name: str) -> None:
    (found,) = unpack.contents(zipped({name: CSV})).members
    assert found.isprintable()
    assert tables(zipped({name: CSV})) == {found: ROWS}


# ---------------------------------------------------------------- workbooks


def sheet(rows: Mapping[int, str] | list[str], known: tuple[str, ...] = (), **more: Any) -> unpack.Member:
    with unpack.opened(workbook({"Sheet1": rows}, **more), "Sheet1", known=known) as member:
        return member


def cells(rows: Mapping[int, str] | list[str], known: tuple[str, ...] = (), **more: Any) -> list[tuple[str, ...]]:
    body = sheet(rows, known, **more).body
    assert isinstance(body, bytes)
    read = read_rows(body)
    assert read.rejects.is_empty()
    return [read.header, *read.frame.drop(LINE).rows()]


def test_every_kind_of_cell_is_read_as_a_spreadsheet_shows_it() -> None:
    rows = [
        row("kind", "cell"),
        row("day", number(45731, "day")), row("instant", number("45731.75", "instant")),
        row("midnight", number(45731, "instant")), row("clock", number("0.5", "clock")),
        row("elapsed", number("1.5", "elapsed")), row("whole", number("5.0")), row("decimal", number("0.1")),
        row("sum", number("0.30000000000000004")), row("small", number("1.5E-7")), row("long", number("1E+14")),
        row("minus", number("-3")), row("true", boolean(True)), row("false", boolean(False)),
        row("error", error("#REF!")), row("no", error("#N/A")), row("text", " two  blanks "), row("digits", "00123"),
        row("quote", 'say "x", y'), row("lines", "a\nb"), row("formula", number(4, formula="2+2")), row("é", "Tŷ €"),
        row("begins", "=1+1"),
    ]  # fmt: skip
    wanted = [
        ("kind", "cell"), ("day", "2025-03-15"), ("instant", "2025-03-15 18:00:00"), ("midnight", "2025-03-15"),
        ("clock", "12:00:00"), ("elapsed", "36:00:00"), ("whole", "5"), ("decimal", "0.1"), ("sum", "0.3"),
        ("small", "0.00000015"), ("long", "100000000000000"), ("minus", "-3"), ("true", "TRUE"), ("false", "FALSE"),
        ("error", "#REF!"), ("no", "#N/A"), ("text", " two  blanks "), ("digits", "00123"), ("quote", 'say "x", y'),
        ("lines", "a\nb"), ("formula", "4"), ("é", "Tŷ €"), ("begins", "=1+1"),
    ]  # fmt: skip
    assert cells(rows) == wanted
    told = " ".join(sheet(rows).remarks)
    assert "1 cells are formulas" in told and "2 cells hold an error (#N/A, #REF!)" in told


def test_numbers_that_a_spreadsheet_cannot_hold_are_told() -> None:
    rows = [row("n"), row(number("12345678901234567890"))]
    assert cells(rows) == [("n",), ("12345678901234600000",)]
    assert "more digits than" in sheet(rows).remarks[0]


def test_positions_name_the_sheets_own_rows() -> None:
    member = sheet({3: row("a", "b"), 4: row("x\ny", "1"), 9: row("z", "2")})
    read = read_rows(member.body if isinstance(member.body, bytes) else b"")
    assert [member.position(line) for line in read.frame[LINE]] == ["Sheet1!row 4", "Sheet1!row 9"]


def test_empty_columns_before_the_table_and_empty_rows_in_it_are_no_cells() -> None:
    def at(ref: str, value: str) -> str:
        return f'<c r="{ref}" t="inlineStr"><is><t>{value}</t></is></c>'

    rows = {2: at("C2", "a") + at("D2", "b"), 3: at("C3", "1"), 4: '<c r="A4" s="1"/>', 5: at("D5", "2")}
    assert cells(rows) == [("a", "b"), ("1", ""), ("", "2")]


def test_a_title_above_the_header_is_left_out_and_said_where_the_header_is_known() -> None:
    rows = {1: row("Results of March"), 2: row("from the laboratory"), 4: row("Sample Ref", "date"), 5: row("1", "x")}
    assert cells(rows, ("sample_ref", "date")) == [("Sample Ref", "date"), ("1", "x")]
    assert sheet(rows, ("sample_ref", "date")).remarks == ("rows above the header, not read: 1, 2",)


def test_a_row_wider_than_the_header_is_a_reject_not_a_loss() -> None:
    body = sheet([row("a", "b"), row("1", "2", "3"), row("4", "5")]).body
    assert isinstance(body, bytes)
    read = read_rows(body)
    assert (read.frame.drop(LINE).rows(), read.rejects.height) == ([("4", "5")], 1)


@pytest.mark.parametrize(
    ("rows", "more", "words"),
    [
        ([row("a", "b"), row("1", "2"), row("", "3")], {"merged": {"Sheet1": ["A2:A3"]}}, "A2:A3 are merged"),
        ([row("a", ""), row("1", "2")], {"merged": {"Sheet1": ["A1:B1"]}}, "merged"),
        ([row("a"), row("<c><f>A1</f></c>")], {}, "no stored value"),
        ({1: row(*["x"] * 3), 2: '<c r="AZZ2"><v>1</v></c>'}, {}, "columns"),
        ({1: '<c r="A1"><v>1</v></c>', 1048576: '<c r="ZZ1048576"><v>1</v></c>'}, {}, "places"),
        ([row("a"), '<c r="A0X"><v>1</v></c>'], {}, "names a cell"),
        ([row("a"), "<c><v>1</c>"], {}, "damaged"),
    ],
)  # fmt: skip
def test_a_sheet_whose_cells_cannot_be_told_is_refused(rows: Any, more: dict[str, Any], words: str) -> None:
    with pytest.raises(UnusableInput, match=words):
        sheet(rows, **more)


def test_merged_titles_above_the_header_do_no_harm() -> None:
    rows = [row("Title", "", ""), row("ref", "date", "x"), row("1", "2", "3")]
    found = cells(rows, ("ref", "date"), merged={"Sheet1": ["A1:C1"]})
    assert found == [("ref", "date", "x"), ("1", "2", "3")]


def test_every_sheet_with_cells_is_a_table_and_hidden_ones_are_told() -> None:
    body = workbook(
        {"May": [row("a"), row("1")], "Empty": [], "Lists": [row("b"), row("2")], "=x y": [row("c"), row("3")]},
        hidden=("Lists",),
    )
    assert tables(body) == {"May": [("1",)], "Lists": [("2",)], "=x y": [("3",)]}
    assert unpack.contents(body).remarks == ("the sheet 'Lists' is hidden: it is read like the others",)


def test_a_workbook_in_a_zip_is_read_sheet_by_sheet() -> None:
    body = zipped({"w.xlsx": workbook({"A": [row("a"), row("1")], "B": [row("b"), row("2")]}), "c.csv": CSV})
    assert tables(body) == {"w.xlsx/A": [("1",)], "w.xlsx/B": [("2",)], "c.csv": ROWS}
    with unpack.opened(body, "w.xlsx/B") as member:
        assert member.position(2) == "w.xlsx/B!row 2"
    assert "no sheet" in tables(zipped({"w.xlsx": workbook({"A": []})}))["w.xlsx"]


def test_names_withheld_find_every_table_even_one_that_somebody_called_so() -> None:
    body = workbook({"a": [row("a"), row("1")], "table 1": [row("b"), row("2")]})
    found = unpack.contents(body)
    assert found.members == ("a", "'table 1'")
    read = []
    for name in found.numbered().members:
        with unpack.opened(body, name) as member:
            read.append(member.body)
    assert read == [b'"a"\n"1"\n', b'"b"\n"2"\n']


def test_hidden_rows_are_read_and_told() -> None:
    body = workbook({"S": [row("a"), row("1")]})
    plain = zipfile.ZipFile(io.BytesIO(body)).read("xl/worksheets/sheet1.xml").decode()
    hidden = plain.replace('<row r="2">', '<row r="2" hidden="1">').partition("?>")[2]
    with unpack.opened(workbook({"S": []}, parts={"xl/worksheets/sheet1.xml": hidden}), "S") as member:
        assert member.body == b'"a"\n"1"\n' and "1 rows are hidden" in member.remarks[0]


def test_workbooks_that_would_harm_are_refused() -> None:
    good = workbook({"S": [row("a"), row("1")]})
    assert "inflates to more than" in refused(workbook({"S": []}, parts={"xl/x.xml": " " * 2_000_000}), SMALL)
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet><sheetData><row><c><v>&a;</v></c></row></sheetData></worksheet>'
    assert "document type" in refused(workbook({"S": []}, parts={"xl/worksheets/sheet1.xml": bomb}))
    assert "damaged" in refused(good[:-40])
    assert "is not in the workbook" in refused(
        workbook({"S": []}, parts={"xl/_rels/workbook.xml.rels": "<Relationships/>"})
    )
    assert "OpenDocument" in refused(zipped({"mimetype": b"x", "content.xml": b"<x/>"}))


def test_the_reader_of_sheets_is_ended_at_its_limits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from ewarn.intake import workbook as sheets

    child = tmp_path / "child.py"
    child.write_text("import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass\n")
    monkeypatch.setattr(sheets, "_CHILD", child)
    with pytest.raises(UnusableInput, match="more memory or time"):
        unpack.contents(workbook({"S": [row("a")]}))


def test_caps_are_the_callers() -> None:
    assert "are read" in refused(zipped({"a.csv": CSV}), replace(SMALL, packed=10))
