"""A CSV file's rows: every cell as text, every row with its line, every unusable row kept with its reason.

In: bytes, and the headers a definition knows. Out: `Rows`. DuckDB in memory does the reading, with an explicit
dialect and nothing open but the one staged file. The rows it returns are counted against the file's own record
boundaries; where the two disagree (a quotation mark that is never closed makes DuckDB drop rows silently) the careful
reader takes over.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.errors import UnusableInput
from ewarn.intake import boundaries, careful
from ewarn.intake.decoding import clean_utf8

# Our own columns beside the file's: no header can hold a NUL.
LINE, ROW = "\0line", "\0row"
_DELIMITERS = ",;\t|"
_MOST_COLUMNS = 1_000
_MOST_RAW = 20_000
_REJECTS = {"line": pl.Int64, "reason": pl.String, "raw": pl.String}


@dataclass(frozen=True)
class Rows:
    """header: the file's own headers. frame: one text column per header, no nulls, plus `LINE` (physical line number).
    rejects: line, reason, raw."""

    header: tuple[str, ...]
    frame: pl.DataFrame
    rejects: pl.DataFrame
    notes: tuple[str, ...]


def folded(header: str) -> str:
    """A header for comparison: without case, spaces and underscores."""
    return "".join(header.casefold().replace("_", " ").split())


def read_rows(body: bytes, known: Iterable[str] = ()) -> Rows:
    """Read a CSV.

    `known` headers help to tell the delimiter. Raises: UnusableInput where there is no header or no row.
    """
    text, notes = clean_utf8(body)
    lead = len(text) - len(text.lstrip(b"\r\n \t")) if text[:1] in b"\r\n" else 0
    if not text.strip():
        raise UnusableInput("the file is empty", next_step="Drop a file with a header line and at least one row.")
    delimiter, header = _dialect(text[lead:], {folded(name) for name in known})
    header = _named(header)
    if len(header) > _MOST_COLUMNS:
        raise UnusableInput(
            f"{len(header)} columns: more than {_MOST_COLUMNS}", next_step="Send only the columns needed."
        )
    frame, rejects = _read(text[lead:], delimiter, header)
    if lead:
        frame, rejects = (
            f.with_columns(pl.col(c) + text[:lead].count(b"\n")) for f, c in ((frame, LINE), (rejects, "line"))
        )
    if frame.is_empty() and rejects.is_empty():
        raise UnusableInput("the file has a header and no row", next_step="Nothing to do, unless rows were expected.")
    return Rows(header, frame, rejects, notes)


def _dialect(text: bytes, known: set[str]) -> tuple[str, tuple[str, ...]]:
    """The delimiter under which the header names most known columns, then most columns."""
    head = text[: 1024 * 1024].decode(errors="ignore")
    best: tuple[tuple[int, int], str, tuple[str, ...]] | None = None
    for delimiter in _DELIMITERS:
        try:
            first = tuple(next(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), []))
        except csv.Error:
            continue
        score = (len(known & {folded(name) for name in first}), len(first))
        if best is None or score > best[0]:
            best = (score, delimiter, first)
    if best is None:
        raise UnusableInput("the header line cannot be read", next_step="Drop a CSV file with a header line.")
    return best[1], best[2]


def _named(header: tuple[str, ...]) -> tuple[str, ...]:
    """Headers trimmed; blank ones get a name; a repeated one is refused, as nobody can tell which is meant."""
    names = tuple(name.strip() or f"column {position}" for position, name in enumerate(header, 1))
    repeated = (
        {name for name in names if [folded(n) for n in names].count(folded(name)) > 1} if len(names) <= 1000 else ()
    )
    if repeated:
        raise UnusableInput(
            f"the header names a column twice: {', '.join(sorted(repeated))}", next_step="Rename one of them."
        )
    return names


def _read(text: bytes, delimiter: str, header: tuple[str, ...]) -> tuple[pl.DataFrame, pl.DataFrame]:
    bounds = boundaries.of(text)
    if boundaries.misfits(text, bounds, delimiter, len(header)) > careful.MOST_REJECTS:
        raise careful.too_many()
    if len(header) > 1 and bounds.closed:
        with tempfile.TemporaryDirectory(prefix="ewarn-") as folder:
            staged = Path(folder) / "drop.csv"
            staged.write_bytes(text)
            result = _with_duckdb(staged, delimiter, header)
        if result is not None:
            placed = _placed(*result, bounds)
            if placed is not None:
                return placed
    frame, rejects = careful.read(text.decode(), delimiter, header, LINE)
    return frame, pl.DataFrame(rejects, schema=_REJECTS, orient="row")


@contextmanager
def private_duckdb(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB in memory that can open the files of one folder and nothing else, and cannot be told otherwise."""
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET allowed_directories = [?]", [f"{folder}/"])
        for setting in (
            "enable_external_access = false",
            "autoinstall_known_extensions = false",
            "lock_configuration = true",
        ):
            connection.execute(f"SET {setting}")
        yield connection


def _with_duckdb(path: Path, delimiter: str, header: tuple[str, ...]) -> tuple[pl.DataFrame, pl.DataFrame] | None:
    """Rows and rejects as DuckDB reads them; None where it gives up on the file."""
    columns = {f"c{position}": "VARCHAR" for position in range(len(header))}
    with private_duckdb(path.parent) as connection:
        try:
            frame = connection.execute(
                "SELECT * FROM read_csv(?, auto_detect = false, delim = ?, quote = '\"', escape = '\"', header = true, "
                "columns = ?, store_rejects = true, rejects_limit = 0, strict_mode = true, null_padding = false, "
                "parallel = false)",
                [str(path), delimiter, columns],
            ).pl()
            rejects = connection.execute(
                "SELECT line_byte_position AS start, min(error_type::VARCHAR) AS kind, min(error_message) AS message, "
                "min(csv_line) AS raw FROM reject_errors GROUP BY line_byte_position ORDER BY 1"
            ).pl()
        except duckdb.Error:
            return None
    return frame.rename(dict(zip(frame.columns, header, strict=True))).with_columns(pl.all().fill_null("")), rejects


def _placed(
    frame: pl.DataFrame, rejects: pl.DataFrame, bounds: boundaries.Boundaries
) -> tuple[pl.DataFrame, pl.DataFrame] | None:
    """Rows and rejects with their lines, once the count of both equals the file's own; else None."""
    starts = bounds.starts[1:]  # without the header
    if len(starts) != frame.height + rejects.height:
        return None
    bad = np.searchsorted(starts, rejects["start"].to_numpy() - 1)
    if rejects.height and (bad.max() >= len(starts) or (starts[bad] != rejects["start"].to_numpy() - 1).any()):
        return None
    lines, spans = bounds.lines[1:], bounds.spans[1:]
    good = np.ones(len(starts), dtype=bool)
    good[bad] = False
    if spans.any() and not (
        _spans(frame, spans[good]) and _spans(rejects.select(pl.col("raw").str.strip_chars_end("\r\n")), spans[bad])
    ):
        return None
    kept = rejects.with_columns(pl.Series("line", lines[bad], dtype=pl.Int64)).select(
        "line",
        pl.struct("kind", "message").map_elements(_reason, return_dtype=pl.String).alias("reason"),
        pl.col("raw").str.strip_chars_end("\r\n").str.slice(0, _MOST_RAW),
    )
    return frame.with_columns(pl.Series(LINE, lines[good], dtype=pl.Int64)), kept.filter(
        pl.col("raw").str.strip_chars() != ""
    )


def _spans(frame: pl.DataFrame, spans: NDArray[np.int64]) -> bool:
    """Every row holds as many line ends as its record has in the file."""
    ends = frame.select(pl.sum_horizontal(pl.all().str.count_matches("\n"))).to_series()
    return bool((ends.to_numpy() == spans).all())


def _reason(reject: dict[str, str]) -> str:
    kind, message = reject["kind"], reject["message"]
    numbers = [word for word in message.replace(":", " ").split() if word.isdigit()]
    if kind in ("MISSING COLUMNS", "TOO MANY COLUMNS") and len(numbers) >= 2:
        return careful.width_reason(int(numbers[1]), int(numbers[0]))
    if kind == "UNQUOTED VALUE":
        return careful.BROKEN_QUOTE
    return f"unreadable line ({kind.lower()}): {message}"
