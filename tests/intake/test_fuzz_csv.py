"""Tables nobody would think of: what a CSV writer writes is read back, what is broken is rejected, no line is lost.

EWARN_FUZZ multiplies the examples; the long run takes 50 times as many.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import subprocess
import sys
import zipfile

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from ewarn.errors import EwarnError, UnusableInput
from ewarn.intake import careful, unpack
from ewarn.intake.csvfile import LINE, Rows, open_csv, read_rows
from ewarn.intake.oddlines import AGAIN, SUM

TIMES = int(os.environ.get("EWARN_FUZZ", "1"))
often = settings(
    max_examples=80 * TIMES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

HEADERS = ("first", "second name", "third_name", "vierte", "cinquième")
plain = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=12)
nasty = st.sampled_from(
    ["", " ", '"', '""', ",", ";", "\t", "|", "\n", "a\nb", "=1+1", "@x", "-", "+44", "\ufeff", "é€“", "💊", "NULL",
     "#", "a\\", "x" * 300, "\x01", "\x1f", "\u2028", "\x85", "'", "first", "1,5", "005", "1e9", "2025-03-01", '"x" y',
     '\n"\n'],
)  # fmt: skip
cells = st.one_of(plain, nasty)
dialects = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from([",", ";", "\t", "|"]),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
        "lineterminator": st.sampled_from(["\n", "\r\n"]),
    }
)
encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])


@st.composite
def tables(draw: st.DrawFn) -> list[tuple[str, ...]]:
    width = draw(st.integers(2, 5))
    return draw(st.lists(st.tuples(*[cells] * width), min_size=1, max_size=12))


def written(rows: list[tuple[str, ...]], dialect: dict[str, str]) -> str:
    out = io.StringIO()
    csv.writer(out, **dialect).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue()


def is_row(row: tuple[str, ...], header: tuple[str, ...]) -> bool:
    """Not the header again, nor a line of sums, nor nothing at all."""
    texts = [cell.strip() for cell in row]
    again = [t.lstrip("\ufeff").strip().casefold() for t in row] == [h.casefold() for h in header]
    first = next((t for t in texts if t), "")
    return not again and not re.match(r"(?i)(grand |sub[- ]?|overall )?(total|sum|average|mean|count)s?\b", first)


@given(tables(), dialects, encodings)
@often
def test_what_is_written_is_read_back(rows: list[tuple[str, ...]], dialect: dict[str, str], encoding: str) -> None:
    header = HEADERS[: len(rows[0])]
    assume(all(is_row(row, header) for row in rows))
    if dialect["quoting"] != csv.QUOTE_ALL:
        # Blanks at a cell's ends, when not quoted, and rows of nothing are read without; quoting says they are meant.
        assume(not any(cell != cell.strip(" \t") and '"' in cell for row in rows for cell in row))
    text = written([header, *rows], dialect)
    try:
        body = text.encode(encoding)
    except UnicodeEncodeError:
        assume(False)
    if encoding == "cp1252":
        assume(not body.isascii() and not _is_utf8(body))
    read = read_rows(body, header)
    wanted = [row for row in rows if _is_given(written([row], dialect))]
    one_end = [tuple(cell.replace("\r\n", "\n") for cell in row) for row in read.frame.drop(LINE).iter_rows()]
    assert one_end == wanted
    assert read.rejects.is_empty() and read.header == header


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_given(line: str) -> bool:
    return bool(line.strip(" \r\n"))


FAULTS = {
    "short": lambda row, d: d["delimiter"].join(f'"{n}"' for n in range(len(row) - 1)),
    "long": lambda row, d: d["delimiter"].join(["x"] * (len(row) + 1)),
    "text after a mark": lambda row, d: d["delimiter"].join(['"x"y', *["x"] * (len(row) - 1)]),
    "no closing mark": lambda row, d: d["delimiter"].join([*["x"] * (len(row) - 1), '"never']),
    "sum": lambda row, d: d["delimiter"].join(["Total", *[""] * (len(row) - 1)]),
    "header": lambda row, d: d["delimiter"].join(HEADERS[: len(row)]),
}


@given(tables(), dialects, st.lists(st.tuples(st.integers(0, 12), st.sampled_from(sorted(FAULTS))), max_size=5))
@often
def test_faults_are_rejected_and_take_no_neighbour_with_them(
    rows: list[tuple[str, ...]], dialect: dict[str, str], faults: list[tuple[int, str]]
) -> None:
    header = HEADERS[: len(rows[0])]
    rows = [tuple(cell.replace('"', "'") for cell in row) for row in rows]  # a stray mark would close the open one
    assume(all(is_row(row, header) and _is_given(written([row], dialect)) for row in rows))
    pieces = [(written([row], dialect), row) for row in rows]
    for place, fault in faults:
        line = FAULTS[fault](header, dialect)
        pieces.insert(min(place, len(pieces)), (line + dialect["lineterminator"], None))
    text = written([header], dialect) + "".join(piece for piece, _ in pieces)
    if any(fault == "no closing mark" for _, fault in faults):
        # A cell of several lines or in quotes behind an open mark closes it: then the fault is that whole stretch.
        assume(dialect["quoting"] == csv.QUOTE_MINIMAL and '"' not in "".join(p for p, row in pieces if row))
        assume(sum(f == "no closing mark" for _, f in faults) == 1 and not any("mark" in f for _, f in faults[1:]))
        assume(not any(f == "short" or f == "text after a mark" for _, f in faults))
    read = read_rows(text.encode(), header)
    kept = [tuple(cell.replace("\r\n", "\n") for cell in row) for row in read.frame.drop(LINE).iter_rows()]
    assert kept == rows
    assert read.rejects.height == len(faults)
    for reason in read.rejects["reason"]:
        assert reason in (AGAIN, SUM, careful.BROKEN_QUOTE) or reason.startswith("too ")


def counted(read: Rows) -> int:
    """Line ends within rows and rejects, and one for each."""
    rows = sum(1 + "".join(row).count("\n") for row in read.frame.drop(LINE).iter_rows())
    return rows + sum(1 + raw.count("\n") for raw in read.rejects["raw"])


START = b"ref,date,place\n" + b"".join(b'S%d,2025-03-%02d,"NW%d, north"\n' % (n, n, n) for n in range(1, 9))
changes = st.lists(
    st.tuples(st.integers(0, len(START)), st.binary(max_size=3), st.integers(0, 3)), min_size=1, max_size=6
)


def changed(body: bytes, edits: list[tuple[int, bytes, int]]) -> bytes:
    for place, put, taken in edits:
        body = body[:place] + put + body[place + taken :]
    return body


@given(changes)
@example([(20, b'"', 0)])
@example([(20, b"\r", 0)])
@example([(0, b"\xff\xfe", 0)])
@often
def test_changed_bytes_end_in_rows_rejects_or_words_and_no_line_is_lost(edits: list[tuple[int, bytes, int]]) -> None:
    body = changed(START, edits)
    try:
        read = read_rows(body, ["ref", "date", "place"])
    except EwarnError as error:
        assert error.what
        return
    first = int(read.frame[LINE].min() or 10**9) if read.frame.height else 10**9  # type: ignore[arg-type]
    first = min(first, *(read.rejects["line"].to_list() or [10**9]))
    text = open_csv(body, ["ref", "date", "place"]).text
    lines = b"".join(text.pieces()).split(b"\n")
    given_lines = sum(bool(line.strip()) for line in lines[first - 1 :])
    assert counted(read) >= given_lines
    assert len(set(read.frame[LINE].to_list()) | set(read.rejects["line"].to_list())) == read.frame.height + (
        read.rejects.height
    )


@given(st.binary(max_size=400))
@often
def test_any_bytes_end_in_rows_or_in_words(body: bytes) -> None:
    try:
        read_rows(body)
    except UnusableInput as error:
        assert error.what and error.next_step


@given(st.sampled_from([b"\x1f\x8b\x08", b"PK\x03\x04", b""]), st.binary(max_size=300), changes)
@often
def test_any_archive_ends_in_tables_or_in_words(start: bytes, rest: bytes, edits: list[tuple[int, bytes, int]]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a.csv", START)
    for body in (start + rest, changed(gzip.compress(START), edits), changed(packed.getvalue(), edits)):
        try:
            for _, found in unpack.unpack(body):
                assert isinstance(found, UnusableInput) or found in (START, body)
        except UnusableInput as error:
            assert error.what and error.next_step


@given(tables(), dialects, st.integers(1, 200))
@often
def test_where_a_file_is_cut_into_parts_changes_nothing(
    rows: list[tuple[str, ...]], dialect: dict[str, str], size: int
) -> None:
    header = HEADERS[: len(rows[0])]
    text = written([header, *rows, *rows], dialect).encode()
    try:
        whole = read_rows(text, header)
    except UnusableInput:
        return
    parts = list(open_csv(text, header).parts(size=size))
    assert [row for part in parts for row in part.frame.rows()] == whole.frame.rows()
    assert [row for part in parts for row in part.rejects.rows()] == whole.rejects.rows()


@pytest.mark.slow
def test_the_long_run() -> None:
    words = [sys.executable, "-m", "pytest", __file__, "-m", "not slow", "-p", "no:cacheprovider"]
    subprocess.run(words, env=os.environ | {"EWARN_FUZZ": "50"}, check=True, timeout=7_200)
