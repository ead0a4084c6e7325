"""CSV drops: bytes and a definition in, staged samples, incidents or counts out.

Every input row ends as a record or as a reject with its line, reason and raw text; nothing is dropped or guessed at.
A file without its key, required or reference-date column is unusable as a whole: the caller quarantines it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import duckdb
import polars as pl

from ewarn.catalogue.definitions import DropDefinition
from ewarn.errors import UnusableInput
from ewarn.frames import INSTANT, shaped
from ewarn.intake import kinds, names, places, vocabulary
from ewarn.intake.csvfile import LINE, ROW, Rows, read_rows
from ewarn.intake.normalise import Field, Mapped, day, instant, lay, number, yes
from ewarn.intake.staged import Known, Staged
from ewarn.terms import RecordKind, digest, london_day

_RETRACTED = ("retracted", "withdrawn")


def read_table(
    definition: DropDefinition, body: bytes, known: Known, *, received_at: datetime, backfill: bool
) -> Staged:
    """Stage one CSV drop. Raises: UnusableInput where the file as a whole cannot be used."""
    if len(body) > definition.max_bytes:
        raise UnusableInput(
            f"the file has {len(body):,} bytes; the definition allows {definition.max_bytes:,}",
            where=definition.id,
            next_step="Split the file, or raise max_bytes.",
        )
    rows = read_rows(body, headers_of(definition))
    mapped = lay(definition, rows.header)
    fields = _header_fields(mapped, london_day(received_at), backfill) | kinds.fields(mapped)
    good, rejects = _sorted_out(rows, mapped, fields)
    records = _records(good, rows, mapped, fields)
    _, matcher, gazetteer = vocabulary.of(known)
    places_of, place_remarks = places.places(good, mapped, gazetteer)
    if definition.kind is RecordKind.SAMPLE:
        records = names.sold_as(records, "sold_as", matcher)
    if definition.kind is RecordKind.INCIDENT:
        records = _labelled(records, places_of)
    mentions = names.mentions(good, mapped, matcher)
    notes = (*rows.notes, *_remarks(records, good, mapped, rejects), *place_remarks)
    return Staged(
        definition.kind,
        shaped(f"staged_{definition.kind.value}", records),
        mentions,
        places_of,
        rejects,
        notes,
        digest(definition.model_dump(mode="json")),
    )


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
    future = [
        mapped.fault(name, one.value > received + timedelta(days=1), "a date in the future", "correct the date")
        for name, one in clocks.items()
    ]
    status = mapped.text("status").str.to_lowercase()
    named = mapped.key.values()
    keys = [pl.when(pl.col(c).str.strip_chars() == "").then(pl.lit(f"blank key column {c}")) for c in named]
    return {
        "reference_date": Field(happened.value, _words(happened.fault, blank, *future, *keys)),
        "reference_at": Field(at),
        "known_date": known,
        "published_at": Field(
            published.value.cast(pl.Datetime("us"))
            .dt.replace_time_zone("Europe/London")
            .dt.convert_time_zone("UTC")
            .cast(INSTANT),
            published.fault,
        ),
        "basis": Field(
            pl.concat_str(pl.lit(_basis(mapped)), _known_basis(mapped, known.value, backfill), remark.fill_null(""))
        ),
        "retracted": Field(status.is_in(_RETRACTED).fill_null(False)),
        "presumptive": Field(pl.lit(None), yes(mapped, "presumptive", presumptive=True).fault),
        "concentration": Field(pl.lit(None), number(mapped, "concentration").fault),
    }


def _words(*faults: pl.Expr | None) -> pl.Expr:
    return pl.concat_str([f for f in faults if f is not None], separator="; ", ignore_nulls=True)


def _basis(mapped: Mapped) -> str:
    return mapped.definition.dates_basis or f"reference date from {mapped.named('reference_date')}"


def _known_basis(mapped: Mapped, known: pl.Expr, backfill: bool) -> pl.Expr:
    absent = "; known date not stated: " + ("taken as the reference date" if backfill else "known when received")
    given = "" if mapped.definition.dates_basis else f"; known date from {mapped.named('known_date')}"
    return pl.when(known.is_null()).then(pl.lit(absent)).otherwise(pl.lit(given))


def _sorted_out(rows: Rows, mapped: Mapped, fields: dict[str, Field]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Usable rows (numbered), and rejects: unreadable lines together with rows that have a fault."""
    faults = [field.fault for field in fields.values() if field.fault is not None]
    reasons = rows.frame.select(_words(*faults).alias("reason"))["reason"]
    wrong = rows.frame.filter(reasons != "").select(pl.col(LINE).alias("line"), raw=_raw(rows))
    wrong = wrong.select("line", reasons.filter(reasons != ""), "raw")
    rejects = pl.concat([rows.rejects, wrong]).sort("line", maintain_order=True)
    good = rows.frame.filter(reasons == "").with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(ROW))
    return good, shaped("staged_reject", rejects.with_columns(position=pl.format("line {}", "line")))


def _raw(rows: Rows) -> pl.Expr:
    return pl.struct(rows.header).struct.json_encode()


def _records(good: pl.DataFrame, rows: Rows, mapped: Mapped, fields: dict[str, Field]) -> pl.DataFrame:
    """The header's columns and the kind's own."""
    own = [field.value.alias(name) for name, field in fields.items()]
    spelt = _one_spelling(mapped, fields)
    key = pl.struct(
        (spelt.get(c, pl.col(c).str.strip_chars()) if c else pl.lit("")).alias(name)
        for name, c in sorted({**mapped.key, **mapped.joining}.items())
    )
    content = [
        pl.when(pl.col(c).str.strip_chars() == "")
        .then(pl.lit(""))
        .otherwise(pl.format("{}\x1f{}\x1e", pl.lit(name), spelt.get(c, pl.col(c).str.strip_chars())))
        for name, c in mapped.content
    ]
    records = good.select(
        pl.col(ROW).alias("row"), pl.format("line {}", LINE).alias("position"),
        key.struct.json_encode().alias("key"), *own,
        raw=_raw(rows), content_hash=pl.concat_str(content),
    )  # fmt: skip
    return records.with_columns(content_hash=_hashed(records["content_hash"]))


def _one_spelling(mapped: Mapped, fields: dict[str, Field]) -> dict[str, pl.Expr]:
    """Column -> its cell in one spelling, for the day and the area a count is keyed on: 01/03/2025 is 2025-03-01."""
    if mapped.definition.kind is not RecordKind.COUNT:
        return {}
    spelt = {
        "reference_date": fields["reference_date"].value.dt.to_string("%Y-%m-%d"),
        "area_code": mapped.cell("area_code").str.to_uppercase().str.replace_all(r"\s", ""),
    }
    keyed = {*mapped.key.values(), *mapped.joining.values()}
    return {mapped.headers[f]: one for f, one in spelt.items() if f in mapped.headers and mapped.headers[f] in keyed}


def _hashed(texts: pl.Series) -> pl.Series:
    """SHA-256 of every text, in hex, the first 32 places."""
    with duckdb.connect(":memory:", config={"enable_external_access": "false"}) as connection:
        connection.register("texts", pl.DataFrame({"content": texts}).to_arrow())
        return connection.execute("SELECT left(sha256(content), 32) AS hash FROM texts").pl()["hash"]


def _labelled(records: pl.DataFrame, places_of: pl.DataFrame) -> pl.DataFrame:
    """A place's name becomes a hash over it and the likeliest area: two Crown inns in two towns stay two places."""
    likeliest = places_of.group_by("row", maintain_order=True).first().select("row", "area")
    joined = records.join(likeliest, on="row", how="left", maintain_order="left")
    distinct = joined.select("place_label", "area").unique().drop_nulls("place_label")
    hashes = [digest([label, area], 16) for label, area in distinct.iter_rows()]
    named = distinct.with_columns(pl.Series("hash", hashes, dtype=pl.String))
    labelled = joined.join(named, on=["place_label", "area"], how="left", maintain_order="left", nulls_equal=True)
    return labelled.with_columns(place_label=pl.col("hash")).drop("hash", "area")


def _remarks(records: pl.DataFrame, good: pl.DataFrame, mapped: Mapped, rejects: pl.DataFrame) -> list[str]:
    remarks = []
    per_key = records.group_by("key").agg(contents=pl.col("content_hash").n_unique(), rows=pl.len())
    reused, repeated = (per_key["contents"] > 1).sum(), (per_key["rows"] - per_key["contents"]).sum()
    if reused:
        remarks.append(f"{reused} keys are used again for other content in the same file: kept as separate records")
    if repeated:
        remarks.append(f"{repeated} lines repeat an earlier line word for word")
    if mapped.unknown:
        remarks.append(f"columns nobody has described, not used: {', '.join(mapped.unknown)}")
    early = (records["known_date"] < records["reference_date"]).sum()
    if early:
        remarks.append(f"{early} rows were known before they happened")
    return remarks + kinds.foreign_words(mapped, good)
