"""Every odd CSV file by name: exactly its rows and rejects, or refused with the right words. Nothing in between."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ewarn.errors import UnusableInput
from ewarn.intake import careful, oddlines
from ewarn.intake.csvfile import LINE, open_csv, read_rows

QUOTE, FEW, MANY = careful.BROKEN_QUOTE, "too few cells", "too many cells"
Found = tuple[list[dict[str, str]], dict[int, str]]


def found(body: bytes) -> Found | str:
    """(rows, reason by line), or the words with which the file was refused."""
    try:
        rows = read_rows(body)
    except UnusableInput as error:
        assert error.next_step
        return error.what
    return rows.frame.drop(LINE).to_dicts(), dict(rows.rejects.select("line", "reason").rows())


# ---------------------------------------------------------------- the two public suites

# What the suites expect differently: one names another telephone number than its own file, the rest are no tables.
OWN_ANSWER: dict[str, Any] = {
    "all-empty": "the file is empty",
    "empty-one-column": "the file has a header and no row",
    "header-no-rows": "the file has a header and no row",
    "bad-header-less-fields": ([], {2: FEW}),
    "bad-header-more-fields": ([], {2: MANY}),
    "bad-header-no-header": "the file is empty",
    "bad-header-wrong-header": "the file has a header and no row",
    "bad-missing-quote": ([], {2: QUOTE}),
    "bad-quotes-with-unescaped-quote": ([], {2: QUOTE}),
    "bad-unescaped-quote": ([{"foo": "1", "bar": 'This "quotes" must be escaped', "baz": "3"}], {}),
}
SLIP = {"location_coordinates": ("1234567890", "2095257564")}


@pytest.mark.parametrize(("suite", "least"), [("csv_spectrum/csvs", 12), ("csv_test_data/csv", 25)])
def test_the_public_suites_come_out_exactly_or_are_refused(shared: Path, suite: str, least: int) -> None:
    paths = sorted((shared / "data" / "csv" / suite).glob("*.csv"))
    assert len(paths) >= least
    for path in paths:
        answer = found(path.read_bytes())
        if path.stem in OWN_ANSWER:
            _alike(path.stem, answer, OWN_ANSWER[path.stem])
        else:
            assert answer == (_their_answer(path), {}), path.name


def _their_answer(path: Path) -> list[dict[str, str]]:
    text = (path.parent.parent / "json" / f"{path.stem}.json").read_text()
    for theirs, real in [SLIP[path.stem]] if path.stem in SLIP else []:
        text = text.replace(theirs, real)
    rows = json.loads(text)
    if isinstance(rows, dict):
        return [rows]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]] if isinstance(rows[0], list) else list(rows)


def _alike(name: str, answer: Found | str, wanted: Any) -> None:
    """The same rows, and rejects on the same lines whose reasons begin alike; or the same words of refusal."""
    if isinstance(wanted, str):
        assert isinstance(answer, str) and wanted in answer, (name, answer)
        return
    assert isinstance(answer, tuple), (name, answer)
    rows, reasons = answer
    assert rows == wanted[0], name
    assert set(reasons) == set(wanted[1]) and all(reasons[n].startswith(w) for n, w in wanted[1].items()), (
        name,
        answer,
    )


# ---------------------------------------------------------------- our own suite

AB = [{"a": "1", "b": "2"}]
ABC = [{"a": "1", "b": "2", "c": "3"}]
ABAB = [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def one(b: str, a: str = "1") -> list[dict[str, str]]:
    return [{"a": a, "b": b}]


ODD: dict[str, tuple[bytes, Any]] = {
    # line ends
    "no line end at the end": (b"a,b\n1,2", (AB, {})),
    "CR LF": (b"a,b\r\n1,2\r\n3,4\r\n", (ABAB, {})),
    "CR alone": (b"a,b\r1,2\r3,4\r", (ABAB, {})),
    "mixed line ends": (b"a,b\r\n1,2\n3,4\r", (ABAB, {})),
    "LF in a quoted cell": (b'a,b\n1,"x\ny"\n', (one("x\ny"), {})),
    "CR LF in a quoted cell of a CR LF file": (b'a,b\r\n1,"x\r\ny"\r\n', (one("x\r\ny"), {})),
    "empty lines before, between and after": (b"\n\r\n\na,b\n\n1,2\n\n\n3,4\n\n\n", (ABAB, {})),
    "lines of blanks are no rows": (b"a,b\n1,2\n   \n3,4\n", (ABAB, {})),
    "a vertical tab is no line end": (b"a,b\n1,x\x0by\n", (one("x\x0by"), {})),
    "a form feed is no line end": (b"a,b\n1,x\x0cy\n", (one("x\x0cy"), {})),
    "a next-line mark is no line end": ("a,b\n1,x\x85y\n".encode(), (one("x\x85y"), {})),
    "a line separator is no line end": ("a,b\n1,x\u2028y\n".encode(), (one("x\u2028y"), {})),
    # encodings
    "UTF-8 with a mark": (b"\xef\xbb\xbfa,b\n1,\xc3\xa9\n", (one("é"), {})),
    "UTF-8 with a mark and a quoted header": (b'\xef\xbb\xbf"a","b"\n"1","2"\n', (AB, {})),
    "UTF-16 little-endian with a mark": ("\ufeffa,b\n1,é€\n".encode("utf-16-le"), (one("é€"), {})),
    "UTF-16 big-endian with a mark": ("\ufeffa,b\n1,é€\n".encode("utf-16-be"), (one("é€"), {})),
    "UTF-16 little-endian without": ("a,b\r\n1,zeta\r\n".encode("utf-16-le"), (one("zeta"), {})),
    "UTF-16 big-endian without": ("a,b\r\n1,zeta\r\n".encode("utf-16-be"), (one("zeta"), {})),
    "UTF-16 with tabs, as spreadsheets save text": ("\ufeffa\tb\r\n1\tx, y\r\n".encode("utf-16-le"), (one("x, y"), {})),
    "UTF-16 cut in the middle of a sign": ("\ufeffa,b\n1,2\n".encode("utf-16-le")[:-1], "not UTF-16"),
    "Windows-1252": (b"a,b\n1,caf\xe9 \x80\x93\n", (one("café €“"), {})),
    "letters beyond the first plane": ("a,b\n1,💊\n".encode(), (one("💊"), {})),
    "right-to-left and joined letters": ("a,b\n1,אב ﷺ e\u0301\n".encode(), (one("אב ﷺ e\u0301"), {})),
    "a no-break space is kept": ("a,b\n1,\u00a0x\u00a0\n".encode(), (one("\u00a0x\u00a0"), {})),
    "a zero-width mark inside a cell is kept": ("a,b\n1,x\ufeffy\n".encode(), (one("x\ufeffy"), {})),
    "a NUL": (b"a,b\n1,x\0y\n", "NUL"),
    "control characters are text": (b"a,b\n1,\x01\x02\x03\x1f\n", (one("\x01\x02\x03\x1f"), {})),
    # delimiters
    "semicolons": (b"a;b\n1;2,5\n", (one("2,5"), {})),
    "tabs": (b"a\tb\n1\tx;y\n", (one("x;y"), {})),
    "bars": (b"a|b\n1|x;y,z\n", (one("x;y,z"), {})),
    "the line that tells spreadsheets the delimiter": (b"sep=;\na;b\n1;2,5\n", (one("2,5"), {})),
    "the same in CR LF with a mark": (b"\xef\xbb\xbfsep=,\r\na,b\r\n1,2\r\n", (AB, {})),
    "the same with a tab": (b"sep=\t\na\tb\n1\tx,y\n", (one("x,y"), {})),
    "a delimiter in quotes": (b'a,b\n1,"x,y"\n', (one("x,y"), {})),
    "an empty last cell": (b"a,b\n1,\n", (one(""), {})),
    "all cells empty is a row": (b"a,b\n,\n1,2\n", ([{"a": "", "b": ""}, *AB], {})),
    # quotation marks
    "every cell quoted": (b'"a","b"\n"1","2"\n', (AB, {})),
    "an empty quoted cell": (b'a,b\n1,""\n', (one(""), {})),
    "a doubled mark": (b'a,b\n1,"x ""y"" z"\n', (one('x "y" z'), {})),
    "a cell of one mark": (b'a,b\n1,""""\n', (one('"'), {})),
    "marks and a delimiter": (b'a,b\n1,""","""\n', (one('","'), {})),
    "a mark inside an unquoted cell is text": (b'a,b\n1,5" knife\n', (one('5" knife'), {})),
    "a mark never closed spoils its own line alone": (b'a,b\n1,"x\n1,2\n3,4\n', (ABAB, {2: QUOTE})),
    "a mark never closed on the last line": (b'a,b\n1,2\n3,"x', (AB, {3: QUOTE})),
    "text after a closing mark": (b'a,b\n1,"x"y\n1,2\n', (AB, {2: QUOTE})),
    "blanks around a quoted cell": (b'a,b\n1, "x,y" \n', (one("x,y"), {})),
    "a backslash is text": (b'a,b\n1,"x\\"\n3,\\n\n', ([*one("x\\"), *one("\\n", "3")], {})),
    "single marks are text": (b"a,b\n1,'x'\n'3,4'\n", ([*one("'x'"), *one("4'", "'3")], {})),
    "typographic marks are text": ("a,b\n1,“x”\n".encode(), (one("“x”"), {})),
    "a header with a line end in it": (b'"a\nc","b"\n1,2\n', ([{"a\nc": "1", "b": "2"}], {})),
    "a header with a delimiter in it": (b'"a,c",b\n1,2\n', ([{"a,c": "1", "b": "2"}], {})),
    # widths
    "a short row": (b"a,b\n1\n1,2\n", (AB, {2: FEW})),
    "a long row": (b"a,b\n1,2,3\n1,2\n", (AB, {2: MANY})),
    "a short row of several lines": (b'a,b,c\n1,"x\ny"\n1,2,3\n', (ABC, {2: FEW})),
    "a delimiter too many at each row's end": (b"a,b\n1,2,\n3,4,\n", ([], {2: MANY, 3: MANY})),
    "a delimiter too many in the header": (b"a,b,\n1,2,3\n", ([{"a": "1", "b": "2", "column 3": "3"}], {})),
    "one column": (b"a\n1\n2\n", ([{"a": "1"}, {"a": "2"}], {})),
    "one column with quotes": (b'a\n"x,y"\n"p\nq"\n', ([{"a": "x,y"}, {"a": "p\nq"}], {})),
    # headers
    "blanks around headers": (b" a , b \n1,2\n", (AB, {})),
    "a header without a name": (b"a,\n1,2\n", ([{"a": "1", "column 2": "2"}], {})),
    "a header twice": (b"a,b,A\n1,2,3\n", "names a column twice"),
    "a header twice but for blanks": (b"a b,a_b\n1,2\n", "names a column twice"),
    "a header of figures": (b"1,2\n3,4\n", ([{"1": "3", "2": "4"}], {})),
    "a header and no row": (b"a,b\n", "a header and no row"),
    "a header and empty lines": (b"a,b\n\n\r\n\n", "a header and no row"),
    "nothing": (b"", "the file is empty"),
    "blanks": (b" \n\t\n", "the file is empty"),
    "a mark of UTF-8 and nothing": (b"\xef\xbb\xbf", "the file is empty"),
    "too many columns": (b",".join(b"c%d" % n for n in range(1_500)) + b"\n1\n", "1500 columns"),
    # other kinds
    "a web page": (b"<!DOCTYPE html><html><body>Sign in</body></html>", "a web page"),
    "a PDF": (b"%PDF-1.7\n...", "a PDF"),
    "a zip": (b"PK\x03\x04" + bytes(40), "zip"),
    # more than one table
    "the header again": (b"a,b\n1,2\na,b\n3,4\n", (ABAB, {3: oddlines.AGAIN})),
    "a sum beneath": (b"a,b\n1,2\nTotal,2\n", (AB, {3: oddlines.SUM})),
    "a sum beneath of another width": (b"a,b,c\n1,2,3\nTotal: 3\n", (ABC, {3: FEW})),
    "a second table of another width": (b"a,b,c\n1,2,3\n\nx,y\n7,8\n", (ABC, {4: FEW, 5: FEW})),
    "a title above the header": (b"Results of May\na,b\n1,2\n", ([], {2: MANY, 3: MANY})),
    # contents
    "a formula is text": (b"a,b\n1,=1+1\n3,@x\n", ([*one("=1+1"), *one("@x", "3")], {})),
    "leading noughts, signs and exponents are text": (b"a,b\n007,+1E5\n-0,1_000\n", (
        [*one("+1E5", "007"), *one("1_000", "-0")], {})),
    "words that readers take for nothing are text": (b"a,b\nNULL,NA\nnan,None\n", (
        [*one("NA", "NULL"), *one("None", "nan")], {})),
    "a # begins no remark": (b"a,b\n#1,2\n", (one("2", "#1"), {})),
    "a very long cell": (b"a,b\n1," + b"x" * 200_000 + b"\n", (one("x" * 200_000), {})),
    "a cell of more than a million signs": (b"a,b\n1," + b"x" * 1_500_000 + b"\n1,2\n", (AB, {2: "a cell of more"})),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_comes_out_exactly_or_is_refused(name: str) -> None:
    body, wanted = ODD[name]
    _alike(name, found(body), wanted)


# Oddities that can stand far behind the beginning of a file with the columns a and b.
LATE = [
    name
    for name, (body, wanted) in ODD.items()
    if isinstance(wanted, tuple)
    and body.startswith((b"a,b\n", b"a,b\r\n"))
    and body.isascii()
    and b"a,b" not in body[4:]
]


@pytest.mark.parametrize("name", LATE)
def test_a_file_read_in_parts_from_the_disk_comes_out_alike(name: str, tmp_path: Path) -> None:
    """The oddity far behind the first part."""
    body, (rows, rejects) = ODD[name]
    end = b"\r\n" if body.startswith(b"a,b\r\n") else b"\n"
    head, _, rest = body.partition(b"\n")
    path = tmp_path / "large.csv"
    path.write_bytes(head + b"\n" + (b"p,q" + end) * 100_000 + rest)
    parts = list(open_csv(path, ["a", "b"]).parts(size=100_000))
    assert len(parts) > 3
    read = pl.concat([part.frame for part in parts])
    assert read.tail(len(rows)).drop(LINE).to_dicts() == rows
    assert [n - 100_000 for part in parts for n in part.rejects["line"]] == list(rejects)
    assert read.height == 100_000 + len(rows)
