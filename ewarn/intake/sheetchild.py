"""The workbook reader, run as a program of its own with limits on memory, time and file size: an .xlsx on stdin.

It imports nothing of ewarn but titles.py beside it, so that it starts at once and a hostile workbook can only end this
process. `list`: JSON of the sheets on stdout. `read INDEX FILE KNOWN`: the sheet as CSV into FILE, every cell as text,
and on stdout JSON with the sheet's row of every line and what has to be told. What a spreadsheet shows and what it
stores can differ; where that cannot be settled the sheet is refused, never guessed at.
"""

from __future__ import annotations

import csv
import io
import json
import posixpath
import re
import resource
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain, islice
from runpy import run_path
from typing import IO, Any
from xml.parsers import expat

MOST_MEMORY = 3_000_000_000
MOST_SECONDS = 180
MOST_CELLS = 30_000_000
MOST_COLUMNS = 1_000
MOST_SHEETS = 200
_PIECE = 1024 * 1024
_TITLES = run_path(posixpath.join(posixpath.dirname(__file__), "titles.py"))


class Refused(Exception):
    """The workbook or the sheet cannot be read exactly, with the words for a person."""


@dataclass
class Found:
    """What the sheet's own XML says that the values do not. Positions are (row, column), counted from 0."""

    last: tuple[int, int] = (-1, -1)
    first: tuple[int, int] = (1 << 30, 1 << 30)
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    formulas: int = 0
    unvalued: list[tuple[int, int]] = field(default_factory=list)
    long_numbers: int = 0
    hidden_rows: set[int] = field(default_factory=set)
    merged: list[str] = field(default_factory=list)


class _Scan:
    """Walks a worksheet's XML once, piece by piece."""

    def __init__(self) -> None:
        self.found = Found()
        self._row, self._column = -1, -1
        self._kind, self._text, self._formula, self._inside = "", "", False, ""

    def of(self, part: IO[bytes]) -> Found:
        parser = parser_of(self._start, self._end, self._data)
        while piece := part.read(_PIECE):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
        return self.found

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "row":
            self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
            self._column = -1
            if attributes.get("hidden") in ("1", "true"):
                self.found.hidden_rows.add(self._row)
        elif name == "c":
            self._row, self._column = position(attributes["r"]) if "r" in attributes else (self._row, self._column + 1)
            self._kind, self._text, self._formula = attributes.get("t", "n"), "", False
        elif name == "f":
            self._formula = True
        elif name in ("v", "t"):
            self._inside = name
        elif name == "mergeCell":
            self.found.merged.append(attributes.get("ref", ""))

    def _data(self, text: str) -> None:
        if self._inside:
            self._text += text

    def _end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name in ("v", "t"):
            self._inside = ""
        elif name == "c":
            self._cell((self._row, self._column))

    def _cell(self, at: tuple[int, int]) -> None:
        found = self.found
        if self._text or self._formula:
            found.last = (max(found.last[0], at[0]), max(found.last[1], at[1]))
            found.first = (min(found.first[0], at[0]), min(found.first[1], at[1]))
        found.formulas += self._formula
        if self._formula and not self._text and self._kind != "str":
            found.unvalued.append(at)
        if self._kind == "e":
            found.errors[at] = self._text
        elif self._kind == "n" and len(self._text) > 15:
            found.long_numbers += _is_long(self._text)


def _is_long(text: str) -> bool:
    try:
        return abs(float(text)) >= 1e15
    except ValueError:
        return False


def parser_of(start: Any, end: Any = None, data: Any = None) -> Any:
    """An XML parser that refuses document types, and with them every entity."""
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def refuse(*_: Any) -> None:
        raise Refused("the workbook's XML declares a document type, which no spreadsheet program writes")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
    return parser


def position(reference: str) -> tuple[int, int]:
    """'B3' → (2, 1)."""
    match = re.fullmatch(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})", reference)
    if match is None:
        raise Refused(f"the workbook names a cell '{reference[:20]}'")
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - 64
    return int(match[2]) - 1, column - 1


def attributes_of(archive: zipfile.ZipFile, name: str, element: str) -> list[dict[str, str]]:
    """The attributes of every such element of a small part."""
    found: list[dict[str, str]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == element:
            found.append({key.rpartition(":")[2] if key.endswith(":id") else key: v for key, v in attributes.items()})

    parser_of(start).Parse(archive.read(name), True)
    return found


def parts(archive: zipfile.ZipFile) -> list[tuple[dict[str, str], str]]:
    """(attributes of the sheet, its part's name) in the workbook's order."""
    names = set(archive.namelist())
    sheets = attributes_of(archive, "xl/workbook.xml", "sheet")
    relations = attributes_of(archive, "xl/_rels/workbook.xml.rels", "Relationship")
    targets = {one["Id"]: one["Target"] for one in relations if one.get("TargetMode") != "External"}
    if len(sheets) > MOST_SHEETS:
        raise Refused(f"the workbook has {len(sheets)} sheets: more than {MOST_SHEETS}")
    found = []
    for sheet in sheets:
        target = targets.get(sheet.get("id", ""), "")
        part = posixpath.normpath(target.lstrip("/") if target.startswith("/") else f"xl/{target}")
        if part not in names:
            raise Refused(f"the sheet '{sheet.get('name', '')}' is not in the workbook")
        found.append((sheet, part))
    return found


def listed(archive: zipfile.ZipFile) -> list[dict[str, Any]]:
    """name, hidden, chart (no cells by its nature) and empty, of every sheet."""
    found = []
    for sheet, part in parts(archive):
        chart = "worksheets/" not in part and attributes_of(archive, part, "sheetData") == []
        empty = chart
        if not chart:
            with archive.open(part) as stream:
                empty = _Scan().of(stream).last == (-1, -1)
        hidden = sheet.get("state", "visible") != "visible"
        found.append({"name": sheet.get("name", ""), "hidden": hidden, "chart": chart, "empty": empty})
    return found


def read(body: bytes, archive: zipfile.ZipFile, index: int, out: IO[str], known: set[str]) -> dict[str, Any]:
    """Write one sheet as CSV. Out: rows (the sheet's row of the header and of every row written), notes."""
    from python_calamine import CalamineWorkbook

    sheet, part = parts(archive)[index]
    with archive.open(part) as stream:
        found = _Scan().of(stream)
    (top, left), (bottom, right) = found.first, found.last
    if right - left >= MOST_COLUMNS:
        raise Refused(f"the sheet's cells span {right - left + 1:,} columns: more than {MOST_COLUMNS}")
    if (bottom - top + 1) * (right - left + 1) > MOST_CELLS:
        raise Refused(f"the sheet's cells span more than {MOST_CELLS:,} places")
    grid = CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index(index)
    if " ".join(grid.name.split()) != " ".join(sheet["name"].split()):
        raise Refused(f"the workbook's sheets cannot be told apart: '{grid.name}' and '{sheet['name']}'")
    offset = grid.start[1] if grid.start else left
    lines = (
        (number, cells) for number, cells in _texts(grid.iter_rows(), found, left, offset) if "".join(cells).strip()
    )
    head = list(islice(lines, _TITLES["MOST_TITLES"] + 1))
    titles = _TITLES["header_at"]((cells for _, cells in head), known) or 0
    if not head:
        return {"rows": [], "notes": []}
    first, header = head[titles]
    _whole(found, first)
    writer, rows, width = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n"), [], _width(header)
    for number, cells in chain(head[titles:], lines):
        writer.writerow(cells[: max(width, _width(cells))])
        rows.append(number + 1)
    above = ", ".join(str(number + 1) for number, _ in head[:titles])
    notes = [f"rows above the header, not read: {above}"] if above else []
    return {"rows": rows, "notes": notes + _told(found, first)}


def _texts(rows: Iterator[list[Any]], found: Found, left: int, offset: int) -> Iterator[tuple[int, list[str]]]:
    """Rows with their number and cells from column `left` on; the reader gives them from `offset` on."""
    before = [""] * (offset - left)
    for number, values in enumerate(rows):
        cells = before + [text_of(value) for value in values]
        if found.errors:
            cells = [found.errors.get((number, column), cell) for column, cell in enumerate(cells, left)]
        yield number, cells


def _width(cells: list[str]) -> int:
    return max(number for number, cell in enumerate(cells, 1) if cell.strip())


def _whole(found: Found, first: int) -> None:
    """Raises where cells of the table itself have no certain value."""
    for reference in found.merged:
        start, _, end = reference.partition(":")
        if position(end or start)[0] >= first:
            raise Refused(f"the cells {reference} are merged, so nobody can tell what the others hold; unmerge them")
    unvalued = [at for at in found.unvalued if at[0] >= first]
    if unvalued:
        row, column = unvalued[0]
        raise Refused(
            f"{len(unvalued)} formulas have no stored value, the first in row {row + 1}, column {column + 1}; open the "
            "workbook in a spreadsheet program and save it"
        )


def _told(found: Found, first: int) -> list[str]:
    notes = []
    if found.formulas:
        notes.append(f"{found.formulas} cells are formulas: the values stored at the last saving are read")
    if found.errors:
        kinds = ", ".join(sorted(set(found.errors.values()))[:5])
        notes.append(f"{len(found.errors)} cells hold an error ({kinds}): read as that text")
    if found.long_numbers:
        notes.append(f"{found.long_numbers} numbers have more digits than a spreadsheet keeps exactly")
    if hidden := [row for row in found.hidden_rows if first < row <= found.last[0]]:
        notes.append(f"{len(hidden)} rows are hidden in the sheet and are read too")
    return notes


def text_of(value: Any) -> str:
    """A cell as text: dates as ISO, whole numbers without a point, no exponents."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds" if not value.microsecond else "auto")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(value).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _number(value: float) -> str:
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return str(int(value))
    return f"{Decimal(f'{value:.15g}'):f}"


def main(arguments: list[str]) -> dict[str, Any]:
    body = sys.stdin.buffer.read()
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            if arguments[0] == "list":
                return {"sheets": listed(archive)}
            with open(arguments[2], "w", encoding="utf-8", newline="") as out:
                return read(body, archive, int(arguments[1]), out, set(json.loads(arguments[3])))
    except Refused as error:
        return {"refused": str(error)}
    except OSError as error:
        sys.exit(error.errno or 1)
    except (zipfile.BadZipFile, expat.ExpatError, KeyError, ValueError, EOFError, NotImplementedError) as error:
        return {"refused": f"the workbook is damaged: {type(error).__name__}: {error}"[:300]}
    except Exception as error:
        if type(error).__module__.startswith(("python_calamine", "_python_calamine")):
            return {"refused": f"the workbook is damaged: {error}"[:300]}
        raise


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print(json.dumps(main(sys.argv[1:])))
