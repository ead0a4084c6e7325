"""CSV files of every odd shape: read exactly, or refused in words; never silently different. See test_csv_suites."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ewarn.errors import UnusableInput
from ewarn.frames import number_of
from ewarn.intake import careful, csvfile, plainlines
from ewarn.intake.csvfile import LINE, open_csv, read_rows


def records(body: bytes) -> list[dict[str, str]]:
    rows = read_rows(body)
    return rows.frame.drop(LINE).to_dicts()


def test_a_quotation_mark_never_closed_loses_no_other_line() -> None:
    rows = read_rows(b'a,b\n1,2\n3,"open\n5,6\n7,8\n')
    assert rows.frame["a"].to_list() == ["1", "5", "7"]
    assert rows.frame[LINE].to_list() == [2, 4, 5]
    assert rows.rejects.select("line", "raw").rows() == [(3, '3,"open')]


def test_short_and_long_rows_become_rejects_with_line_and_text() -> None:
    rows = read_rows(b'a,b,c\n1,2\n"x\ny",2,3\n9,9,9,9\n1,2,3\n\n\n')
    assert rows.rejects.select("line", "raw").rows() == [(2, "1,2"), (5, "9,9,9,9")]
    assert "2 where the header names 3" in rows.rejects["reason"][0]
    assert rows.frame[LINE].to_list() == [3, 6]


@pytest.mark.parametrize("delimiter", list(",;\t|"))
def test_the_delimiter_is_told_by_the_headers_we_know(delimiter: str) -> None:
    body = delimiter.join(["sample ref", "place, or town", "date"]) if delimiter != "," else "sample ref,place,date"
    rows = read_rows(f"{body}\n{delimiter.join('123')}\n".encode(), ["sample ref", "date"])
    assert rows.frame.drop(LINE).row(0) == ("1", "2", "3")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings_of_offices_are_read(encoding: str) -> None:
    text = "name,place,note\n" + "Zoë,Tŷ Gwyn,£5\n".replace("ŷ", "y" if encoding == "cp1252" else "ŷ") * 3
    (first, *_) = records(text.encode(encoding))
    assert first["name"] == "Zoë" and first["note"] == "£5"


@pytest.mark.parametrize(
    "body", [b"", b"\n\n", b"a,b\n", b"PK\x03\x04zip", b"%PDF-1.7", b"a,b\n1,\0\n", b"a,A \n1,2\n"]
)
def test_what_is_no_table_is_refused_with_a_next_step(body: bytes) -> None:
    with pytest.raises(UnusableInput) as caught:
        read_rows(body)
    assert caught.value.what and caught.value.next_step


def test_mixed_line_ends_are_read_and_said() -> None:
    rows = read_rows(b'a,b\r\n1,2\n3,"x\r\ny"\r\n')
    assert rows.frame["a"].to_list() == ["1", "3"]
    assert any("line ends" in note for note in rows.notes)


def test_a_single_other_line_end_far_down_is_read_and_said(tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    file.write_bytes(b"a,b\n" + b"1,2\n" * 300_000 + b"3,4\r\n5,6\n")
    rows = read_rows(file)
    assert rows.frame["a"].tail(3).to_list() == ["1", "3", "5"] and rows.frame["b"].tail(2).to_list() == ["4", "6"]
    assert any("line ends" in note for note in rows.notes)


def test_a_hundred_thousand_columns_are_refused_at_once() -> None:
    with pytest.raises(UnusableInput, match="columns"):
        read_rows(b"a" + b",a" * 100_000 + b"\n1\n")


cell = st.text(alphabet=st.sampled_from('ab ,;"\n\r\té€'), max_size=6)


@given(st.lists(st.tuples(cell, cell, cell), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_whatever_a_csv_writer_writes_is_read_back(table: list[tuple[str, str, str]]) -> None:
    table = [tuple(c.replace("\r", "") for c in row) for row in table]  # type: ignore[misc]
    kept = [row for row in table if any(c.strip() for c in row)]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([("first", "second", "third"), *kept])
    if kept:
        assert read_rows(out.getvalue().encode()).frame.drop(LINE).rows() == kept


@given(st.text(alphabet=st.sampled_from('a1,"\n'), max_size=30))
@settings(max_examples=60, deadline=None)
def test_no_line_vanishes(tail: str) -> None:
    """Every non-empty line of a hostile file is part of a row or of a reject."""
    try:
        rows = read_rows(f"a,b\n{tail}".encode())
    except UnusableInput:
        return
    taken = sum(1 + "".join(row).count("\n") for row in rows.frame.drop(LINE).iter_rows())
    taken += sum(1 + raw.count("\n") for raw in rows.rejects["raw"])
    assert taken >= sum(1 for line in tail.split("\n") if line.strip())


def one_after_another(text: bytes, width: int) -> tuple[list[tuple[str, ...]], list[int]]:
    """Rows, and lines of rejects, by the careful reader alone."""
    rows, rejects, position, line = [], [], text.index(b"\n") + 1, 2
    while position < len(text):
        cells, after = careful.record(text, position, b",")
        after = careful.next_line(text, position) if after == careful.UNCLOSED else after
        if cells is None or (text[position:after].strip() and len(cells) != width):
            rejects.append(line)
        elif text[position:after].strip():
            rows.append((*cells, line))
        line += text.count(b"\n", position, after)
        position = after
    return rows, rejects


odd_text = st.lists(
    st.sampled_from(
        ["a", "é", ",", '"', '""', "\n", ' "', '",', ',"', '"b"', '\n"x\ny",z\n', "1,2\n", " ", "\x01", "\t"]
    ),
    max_size=40,
)


@given(odd_text, st.integers(1, 60), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=300, deadline=None)
def test_parts_cut_anywhere_hold_what_one_careful_reader_finds(parts: list[str], size: int, end: str) -> None:
    text = ("a,b\n" + "".join(parts)).replace("\n", end).encode()
    file = open_csv(text, ["a", "b"])
    read = [piece.rows(file, None)[0] for piece in file._pieces(size)]  # before lines that are no rows are sifted out
    rows, rejects = one_after_another(text if text.endswith(b"\n") else text + end.encode(), 2)
    assert [row for part in read for row in part.frame.rows()] == rows
    assert [line for part in read for line in part.rejects["line"]] == rejects


odd_cells = st.lists(st.sampled_from(["", "x", "é", '"', 'a"b', '""', ",", ",,", " "]), min_size=1, max_size=8)


@given(st.lists(st.tuples(odd_cells, st.integers(0, 255)), max_size=12), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=300, deadline=None)
def test_a_cell_too_few_or_too_many_shows_whatever_the_quotation_marks_add(
    rows: list[tuple[list[str], int]], end: str
) -> None:
    lines = ["a,b,c,d"]
    for row, quoted in rows:
        need = [bool(quoted >> place & 1) or any(one in cell for one in '",') for place, cell in enumerate(row)]
        lines.append(
            ",".join(f'"{c.replace(chr(34), 2 * chr(34))}"' if q else c for c, q in zip(row, need, strict=True))
        )
    text = "".join(line + end for line in lines).encode()
    file = open_csv(text, list("abcd"))
    read = [piece.rows(file, None)[0] for piece in file._pieces(1 << 20)]
    wanted, rejects = one_after_another(text, 4)
    assert [row for part in read for row in part.frame.rows()] == wanted
    assert [line for part in read for line in part.rejects["line"]] == rejects


@given(odd_text, st.integers(1, 60), st.integers(1, 7))
@settings(max_examples=150, deadline=None)
def test_leaving_known_lines_unread_takes_nothing_else_away(parts: list[str], size: int, share: int) -> None:
    text = ("a,b\n" + "".join(parts)).encode()
    file = open_csv(text, ["a", "b"])
    met: set[int] = set()

    def knows(marks: Any) -> Any:
        found = marks % np.uint64(share) == 0
        met.update(marks[found].tolist())
        return found

    whole = [piece.rows(file, None)[0] for piece in file._pieces(size)]
    some = [piece.rows(file, None, knows)[0] for piece in file._pieces(size)]
    rows = {row[-1]: row for part in whole for row in part.frame.rows()}
    left = {row[-1]: row for part in some for row in part.frame.rows()}
    assert left.items() <= rows.items()
    refused, still = ({line for part in read for line in part.rejects["line"]} for read in (whole, some))
    unread = (rows.keys() - left.keys()) | (refused - still)
    assert still <= refused and unread <= _lines_known(text, met)
    assert len(unread) <= sum(part.known for part in some)


@pytest.mark.parametrize("few", [1, 5, 1_000])
def test_parts_of_few_rows_come_together_and_lose_nothing(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvfile, "_FEW", few)
    text = b"a,b\n" + b"".join(b"%d,x\n%d\n" % (number, number) for number in range(40))
    file = open_csv(text, ["a", "b"])

    def knows(marks: Any) -> Any:
        return marks % np.uint64(3) == 0

    apart = list(file.parts(size=30, knows=knows))
    whole = list(csvfile.together(file.parts(size=30, knows=knows)))
    assert len(whole) == {1: len(apart), 1_000: 1}.get(few, len(whole)) <= len(apart)
    for rows in (lambda one: one.frame.rows(), lambda one: one.rejects.rows(), lambda one: one.marked.lines.tolist()):
        assert [row for part in whole for row in rows(part)] == [row for part in apart for row in rows(part)]
    assert sum(part.known for part in whole) == sum(part.known for part in apart)


def test_some_lines_of_a_text_are_its_bytes() -> None:
    numbers = np.arange(3)
    plain = plainlines.PlainLines(b"a,1\nbb,2\nccc,3\n", numbers, np.array([4, 9, 15]), numbers, numbers > 1)
    some = plain.only(np.array([True, False, True]))
    assert (some.text, some.ends.tolist(), some.lines.tolist()) == (b"a,1\nccc,3\n", [4, 10], [0, 2])
    assert (some.quoting.tolist(), some.woven.tolist()) == ([0, 2], [False, True])
    assert plain.only(np.array([False] * 3)).text == b""


def _lines_known(text: bytes, marks: set[int]) -> set[int]:
    """The lines of a text, from 1, whose marks are among these."""
    lines = [one.decode() + "\n" for one in text.rstrip(b"\n").split(b"\n")]
    found = pl.DataFrame({"line": lines}).select(number_of(pl.col("line"))).to_series()
    return {at for at, mark in enumerate(found, 1) if mark in marks}


@pytest.mark.parametrize("line", [b"qwerty,asdf\n", b"a,b,c,d,e,f\n"])
def test_a_file_of_lines_that_fit_no_header_is_refused_as_a_whole(line: bytes) -> None:
    with pytest.raises(UnusableInput, match=r"20,001 of the first 20,001 lines"):
        read_rows(b"one,two,three\n" + line * 20_001)
    assert read_rows(b"one,two,three\n" + line * 3).rejects.height == 3


def test_many_quoted_delimiters_are_no_misfits() -> None:
    assert read_rows(b"one,two\n" + b'"a,b,c",d\n' * 20_001).frame.height == 20_001


def test_a_web_page_is_called_one() -> None:
    with pytest.raises(UnusableInput, match="web page"):
        read_rows(b"\xef\xbb\xbf <!DOCTYPE html><html><body>Sign in</body></html>\n")
