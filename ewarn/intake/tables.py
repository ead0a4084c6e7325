"""CSV drops: a file and a definition in; staged samples, incidents or counts out, part by part.

Every input row ends as a record or as a reject with its line and reason; nothing is dropped or guessed at. A file
without its key, required or reference-date column is unusable as a whole: the caller quarantines it. A part is read in
two steps, so that rows which turn out to be known already are never named and placed again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from ewarn.catalogue.definitions import DropDefinition
from ewarn.errors import UnusableInput
from ewarn.frames import INSTANT, shaped
from ewarn.intake import byvalue, careful, identities, kinds, names, places, vocabulary
from ewarn.intake.ahead import ahead
from ewarn.intake.clocks import day, instant
from ewarn.intake.columns import all_named, column_named
from ewarn.intake.csvfile import LINE, PART_BYTES, ROW, Csv, Knows, Marked, Rows, no_row, open_csv, together
from ewarn.intake.dateorder import Watch
from ewarn.intake.normalise import Field, Mapped, lay, number, yes
from ewarn.intake.staged import Known, Plain, Remark, Staged, joined
from ewarn.terms import RecordKind, digest, london_day

Hashed = Callable[[str], str]
_BY_ROW = ("rows", "values", "identity")
_FAULT = "\0fault "
_RETRACTED = ("retracted", "withdrawn")


class Reading:
    """Names and places of one table's rows. What was read in one part is not read again in the next."""

    def __init__(self, mapped: Mapped, known: Known, coded: byvalue.Coded) -> None:
        _, matcher, gazetteer = vocabulary.of(known)
        self._said: list[Remark] = []
        named = _roots(mapped, (*names.ROLES, *names.MEASURES))
        self.mentions = byvalue.Children(named, ROW, lambda rows: names.mentions(rows, mapped, matcher), coded)
        self.sold_as = byvalue.Children(
            _roots(mapped, ("sold_as",)), ROW, lambda rows: byvalue.worded(names.sold_as(rows, mapped, matcher)), coded
        )

        def placed(rows: pl.DataFrame) -> pl.DataFrame:
            found, said = places.places(rows, mapped, gazetteer)
            self._said.extend(said)
            return found

        self.places = byvalue.Children(_roots(mapped, places.FIELDS), ROW, placed, coded)

    def told(self) -> list[Remark]:
        """The remarks since they were last asked for."""
        said, self._said = self._said, []
        return said


@dataclass(frozen=True)
class Table:
    """A CSV file under its definition. remarks: what is to be told of the file as a whole."""

    definition: DropDefinition
    file: Csv
    mapped: Mapped
    coded: byvalue.Coded
    faults: byvalue.Values
    values: byvalue.Values
    identity: identities.Identities
    reading: Reading
    definition_hash: str
    hashed: Hashed

    @property
    def large(self) -> bool:
        """Whether the file is more than one part."""
        return self.file.text.size > PART_BYTES

    @property
    def shape(self) -> str:
        """The same for two tables in which the same line says the same."""
        return digest([*self.file.header, self.file.delimiter, self.definition_hash])

    @property
    def remarks(self) -> tuple[Remark, ...]:
        unknown = self.mapped.unknown
        said = [Remark(note) for note in self.file.notes]
        if unknown:
            said.append(Remark(f"columns nobody has described, not used: {', '.join(unknown)}"))
        return tuple(said)

    def parts(self, watch: Watch | None = None, size: int = PART_BYTES, knows: Knows | None = None) -> Iterator[Part]:
        """The file's rows in parts; a `watch` is shown every row on the way. `knows`: see `Csv.parts`.

        Raises: UnusableInput where the file as a whole cannot be used.
        """
        start, found = 0, False
        read = self.file.parts(size=size, knows=knows)
        for rows in together(ahead(read) if self.large else read):
            rows = self._coded(rows)
            if watch is not None:
                watch.add(rows.frame)
            part = _part(self, rows, start)
            start += part.rows.height
            found = found or part.rows.height > 0 or part.rejects.height > 0 or part.blank > 0 or rows.known > 0
            yield part
        if not found:
            raise no_row()

    def at(self, lines: Collection[int], start: int) -> Part:
        """The usable rows that begin on these lines, numbered from `start`."""
        return _part(self, self._coded(self.file.at(lines)), start)

    def _coded(self, rows: Rows) -> Rows:
        return replace(rows, frame=self.coded.of(rows.frame, self.mapped.used))

    def whole(self, watch: Watch | None = None) -> Staged:
        """Every row at once. Raises: UnusableInput where the file as a whole cannot be used."""
        parts, said = list[Staged](), list(self.remarks)
        for part in self.parts(watch):
            parts.append(part.stage())
            said += part.remarks
        staged = joined(parts)
        return replace(staged, remarks=(*said, *staged.remarks))


@dataclass(frozen=True)
class Part:
    """Some rows of a table. rows: the used columns of the usable ones as text, numbered. values: our fields of each.

    identity: row, line, key, content and content_too (two numbers that stand for what it says), retracted of each.

    rejects: 'staged_reject'. blank: rows without a single filled cell, left out. marked: see `Rows`.
    """

    table: Table
    rows: pl.DataFrame
    values: pl.DataFrame
    identity: pl.DataFrame
    rejects: pl.DataFrame
    blank: int
    marked: Marked | None = None

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What is to be told of the part as a whole."""
        return (Remark("rows that hold nothing at all, left out: {}", self.blank),) if self.blank else ()

    def only(self, chosen: pl.Series) -> Part:
        """Some of its rows alone, without its rejects. In: one truth value a row."""
        frames = {name: getattr(self, name).filter(chosen) for name in _BY_ROW}
        return replace(self, **frames, rejects=self.rejects.clear(), blank=0)

    def apart(self) -> Part:
        """The same in memory of its own, without marks: few rows else keep the texts of all read with them."""
        frames: dict[str, Any] = {name: _copied(getattr(self, name)) for name in _BY_ROW}
        return replace(self, **frames, marked=None)

    @staticmethod
    def joined(parts: Sequence[Part]) -> Part:
        """Parts of one table as one. In: at least one."""
        found = {name: [getattr(one, name) for one in parts] for name in (*_BY_ROW, "rejects")}
        frames: dict[str, Any] = {name: _concat(frames) for name, frames in found.items()}
        return replace(parts[0], **frames, blank=sum(one.blank for one in parts))

    def stage(self) -> Staged:
        """Names, places, clocks and all."""
        table, definition = self.table, self.table.definition
        places_of = table.reading.places.of(self.rows)
        content = pl.concat_str("content", "content_too", separator="-").alias("content_hash")
        records = self.identity.with_columns(content, position=pl.format("line {}", "line"))
        records = self._with_values(records, places_of)
        mentions = table.reading.mentions.of(self.rows)
        return Staged(
            definition.kind,
            shaped(f"staged_{definition.kind.value}", records),
            shaped("staged_mention", mentions),
            shaped("staged_place", places_of),
            self.rejects,
            (*table.reading.told(), *_remarks(records, self, self.rows)),
            table.definition_hash,
        )

    def plain(self) -> Plain:
        """The same for rows that go into a segment: children once for each distinct set of them."""
        reading = self.table.reading
        places_of = reading.places.of(self.rows) if self.table.definition.kind is RecordKind.INCIDENT else None
        records = self._with_values(self.identity, places_of)
        records = records.with_columns(
            reading.mentions.sets(self.rows).alias("mention_set"), reading.places.sets(self.rows).alias("place_set")
        )
        marks = (self.marked or Marked.none()).of(records["line"].to_numpy())
        records = records.with_columns(pl.Series("line_mark", marks))
        said = (*reading.told(), *_remarks(records, self, self.rows))
        return Plain(records, reading.mentions.new(), reading.places.new(), said)

    def _with_values(self, records: pl.DataFrame, places_of: pl.DataFrame | None) -> pl.DataFrame:
        """Our fields beside the identity."""
        table = self.table
        records = records.hstack(self.values.get_columns())
        if table.definition.kind is RecordKind.SAMPLE:
            return records.with_columns(sold_as_subject=table.reading.sold_as.one(self.rows, "subject"))
        if table.definition.kind is RecordKind.INCIDENT and places_of is not None:
            return _labelled(records, places_of, table.hashed)
        return records


def open_file(definition: DropDefinition, body: bytes | Path) -> Csv:
    """A CSV drop with its header read. Raises: UnusableInput over the definition's cap, or without a header."""
    size = len(body) if isinstance(body, bytes) else body.stat().st_size
    if size > definition.max_bytes:
        raise UnusableInput(
            f"the file has {size:,} bytes; the definition allows {definition.max_bytes:,}",
            where=definition.id,
            next_step="Split the file, or raise max_bytes.",
        )
    return open_csv(body, headers_of(definition))


def open_table(
    definition: DropDefinition, file: Csv, known: Known, *, received_at: datetime, backfill: bool, hashed: Hashed
) -> Table:
    """A CSV drop's file laid under its definition. Raises: UnusableInput."""
    mapped = lay(definition, file.header)
    fields = _header_fields(mapped, london_day(received_at), backfill) | kinds.fields(mapped)
    faults = {f"{_FAULT}{name} {at}": one for name, field in fields.items() for at, one in enumerate(field.faults)}
    coded = byvalue.Coded()
    values = byvalue.Values({name: field.value for name, field in fields.items()}, coded)
    said = digest(definition.model_dump(mode="json"))
    return Table(
        definition, file, mapped, coded, byvalue.Values(faults, coded), values,
        identities.Identities(mapped, fields, coded), Reading(mapped, known, coded), said, hashed,
    )  # fmt: skip


def texts(definition: DropDefinition, body: bytes | Path, lines: Collection[int]) -> dict[int, str]:
    """The rows that begin on these lines: JSON of header -> cell, or the text itself where it is no whole row."""
    file = open_csv(body, headers_of(definition))
    found = {}
    for line, text in file.texts(lines).items():
        cells, _ = careful.record(text.encode(), 0, file.delimiter.encode())
        whole = cells is not None and len(cells) == len(file.header)
        found[line] = (
            json.dumps(dict(zip(file.header, cells or (), strict=True)), ensure_ascii=False) if whole else text
        )
    return found


def _part(table: Table, rows: Rows, start: int) -> Part:
    frame, blank = _without_blank_rows(rows.frame)
    wrong, reasons = _joined(table.faults.of(frame), frame.height)
    refused = byvalue.in_texts(frame.filter(wrong))
    rejects = refused.select(pl.col(LINE).alias("line"), reasons.alias("reason"), raw=_raw(rows))
    rejects = pl.concat([rows.rejects, rejects]).sort("line", maintain_order=True)
    rejects = shaped("staged_reject", rejects.with_columns(position=pl.format("line {}", "line")))
    frame = frame.select(*all_named(one for one in rows.header if one in table.mapped.used), LINE)
    frame = (frame.filter(~wrong) if refused.height else frame).rechunk()
    good = frame.with_columns(pl.int_range(start, start + pl.len(), dtype=pl.Int64).alias(ROW))
    values = table.values.of(frame)
    identity = table.identity.of(good, values["retracted"])
    return Part(table, good, values.drop("retracted"), identity, rejects, blank, rows.marked)


def _concat(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The frames as one; where a column is of texts in some and of categories in others, of texts."""
    alike = all(frame.schema == frames[0].schema for frame in frames)
    return pl.concat(frames if alike else [byvalue.in_texts(frame) for frame in frames])


def _copied(frame: pl.DataFrame) -> pl.DataFrame:
    """The same with its texts one after the other, where Polars would point into those they were chosen from."""
    oldest = pl.CompatLevel.oldest()
    texts = frame.iter_columns()
    return pl.DataFrame(
        [pl.Series(s.name, s.to_arrow(compat_level=oldest)) if s.dtype == pl.String else s for s in texts]
    )


def _joined(faults: pl.DataFrame, height: int) -> tuple[pl.Series, pl.Series]:
    """Which rows have a fault, and of these the faults in words."""
    said = [column for column in faults.iter_columns() if column.null_count() < height]
    if not said:
        return pl.repeat(False, height, eager=True), pl.Series([], dtype=pl.String)
    found = pl.DataFrame(said)
    wrong = found.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    words = pl.concat_str(pl.all().cast(pl.String), separator="; ", ignore_nulls=True)
    return wrong, found.filter(wrong).select(words).to_series()


def _without_blank_rows(frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Spreadsheets end in rows of empty cells: they say nothing and are counted, not refused."""
    cells = [name for name in frame.columns if name != LINE]
    nothing = pl.all_horizontal(column_named(c) == "" for c in cells)
    if len(cells) == 1 or not frame.filter(column_named(cells[0]) == "").select(nothing.any()).item():
        return frame, 0
    blank = frame.select(nothing).to_series()
    return frame.filter(~blank), int(blank.sum())


def _roots(mapped: Mapped, wanted: tuple[str, ...]) -> list[str]:
    """The file's columns behind some of our fields, each once."""
    return sorted({mapped.headers[name] for name in wanted if name in mapped.headers})


def headers_of(definition: DropDefinition) -> list[str]:
    """Every header the definition knows, in any of its names."""
    mapped = [name for c in definition.columns.values() for name in (c.column, *c.other_names) if name]
    others = [name for names in definition.key_other_names.values() for name in names]
    return [*mapped, *definition.key, *definition.key_where_given, *others, *definition.ignored, *definition.documented]


def _header_fields(mapped: Mapped, received: date, backfill: bool) -> dict[str, Field]:
    """The clocks and the standing of a record, with what can be wrong with them."""
    happened, known, published = (day(mapped, f) for f in ("reference_date", "known_date", "published_date"))
    at, remark = instant(mapped, happened.value)
    blank = pl.when(happened.value.is_null() & happened.fault.is_null()).then(pl.lit("blank reference date"))  # type: ignore[union-attr]
    clocks = {"reference_date": happened, "known_date": known, "published_date": published}
    future = {
        name: mapped.fault(name, one.value > received + timedelta(days=1), "a date in the future", "correct the date")
        for name, one in clocks.items()
    }
    status = mapped.text("status").str.to_lowercase()
    named = mapped.key.values()
    keys = [pl.when(column_named(c).str.strip_chars() == "").then(pl.lit(f"blank key column {c}")) for c in named]
    return {
        "reference_date": Field(happened.value, happened.fault, (blank, future["reference_date"], *keys)),
        "reference_at": Field(at),
        "known_date": Field(known.value, known.fault, (future["known_date"],)),
        "published_at": Field(
            published.value.cast(pl.Datetime("us"))
            .dt.replace_time_zone("Europe/London")
            .dt.convert_time_zone("UTC")
            .cast(INSTANT),
            published.fault,
            (future["published_date"],),
        ),
        "basis": Field(
            pl.concat_str(pl.lit(_basis(mapped)), _known_basis(mapped, known.value, backfill), remark.fill_null(""))
        ),
        "retracted": Field(status.is_in(_RETRACTED).fill_null(False)),
        "presumptive": Field(pl.lit(None), yes(mapped, "presumptive", presumptive=True).fault),
        "concentration": Field(pl.lit(None), number(mapped, "concentration").fault),
    }


def _basis(mapped: Mapped) -> str:
    return mapped.definition.dates_basis or f"reference date from {mapped.named('reference_date')}"


def _known_basis(mapped: Mapped, known: pl.Expr, backfill: bool) -> pl.Expr:
    absent = "; known date not stated: " + ("taken as the reference date" if backfill else "known when received")
    given = "" if mapped.definition.dates_basis else f"; known date from {mapped.named('known_date')}"
    return pl.when(known.is_null()).then(pl.lit(absent)).otherwise(pl.lit(given))


def _raw(rows: Rows) -> pl.Expr:
    return pl.struct(rows.header).struct.json_encode()


def _labelled(records: pl.DataFrame, places_of: pl.DataFrame, hashed: Hashed) -> pl.DataFrame:
    """A place's name becomes a hash over it and the likeliest area: two Crown inns in two towns stay two places."""
    likeliest = places_of.group_by("row", maintain_order=True).first().select("row", "area")
    joined = records.cast({"place_label": pl.String}).join(likeliest, on="row", how="left", maintain_order="left")
    distinct = joined.select("place_label", "area").unique().drop_nulls("place_label")
    hashes = [hashed(f"{label}\x1f{area}") for label, area in distinct.iter_rows()]
    named = distinct.with_columns(pl.Series("hash", hashes, dtype=pl.String))
    labelled = joined.join(named, on=["place_label", "area"], how="left", maintain_order="left", nulls_equal=True)
    return labelled.with_columns(place_label=pl.col("hash")).drop("hash", "area")


def _remarks(records: pl.DataFrame, part: Part, good: pl.DataFrame) -> list[Remark]:
    remarks = []
    early = (records["known_date"] < records["reference_date"]).sum()
    if early:
        remarks.append(Remark("rows known before they happened: {}", int(early)))
    return remarks + kinds.foreign_words(part.table.mapped, good)
