"""The shapes: one Polars schema a frame, each column with dtype, unit and meaning.

Rooms hand each other these frames and nothing looser. `SHAPES[name]` is the schema, `MEANINGS[name][column]` the words.
Instants are UTC; dates are Europe/London days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import polars_hash  # noqa: F401  (gives expressions their hashes)

INSTANT = pl.Datetime("us", "UTC")
TEXT, DAY, WHOLE, REAL, YES = pl.String, pl.Date, pl.Int64, pl.Float64, pl.Boolean

Columns = dict[str, tuple[pl.DataType | type[pl.DataType], str]]

# What every record of every kind carries. One row per record version.
_HEADER: Columns = {
    "row": (WHOLE, "row within the staged snapshot; joins the child frames of one staging"),
    "position": (TEXT, "where in the source: line 12, entry 3, sheet!row"),
    "key": (TEXT, "canonical JSON of the drop's key columns, or the entry's id"),
    "content_hash": (TEXT, "hash over the row's mapped values; equal content is the same version"),
    "reference_date": (DAY, "it happened, or was sampled"),
    "reference_at": (INSTANT, "the instant it happened, where a time was given; else null"),
    "known_date": (DAY, "tested or confirmed; null means known when received"),
    "published_at": (INSTANT, "the source published it; null where not said"),
    "basis": (TEXT, "how the clocks were read, in words"),
    "retracted": (YES, "the source withdrew this record"),
}

_STAGED_SAMPLE: Columns = {
    "organisation": (TEXT, "laboratory or service that tested it"),
    "stream": (TEXT, "drug checking | custody | seizure | post-mortem | hospital | other"),
    "sold_as": (TEXT, "purchase intent as written"),
    "sold_as_subject": (TEXT, "substance or class id the sold-as text resolves to; null when none"),
    "form": (TEXT, "tablet, powder, ... lower-case; null when not stated"),
    "colour": (TEXT, "lower-case, parts sorted; null when not stated"),
    "label": (TEXT, "imprint, logo or package label as written; null when not stated"),
}
_STAGED_INCIDENT: Columns = {
    "organisation": (TEXT, "who reported it"),
    "stream": (TEXT, "ambulance | emergency department | police | outreach | coroner | post-mortem | hospital | other"),
    "outcome": (TEXT, "fatal | non-fatal | naloxone | ambulance | emergency department | unknown"),
    "persons": (WHOLE, "persons it speaks of; 1 where not said"),
    "cumulative": (YES, "true for a cluster report: persons is a running total that may contain listed events"),
    "setting": (TEXT, "hostel, prison, custody, venue, festival, school, street, home, other; null when not said"),
    "place_label": (TEXT, "hash naming the one place (same value = same place); null when not said"),
    "reference_end": (DAY, "last day a cluster report spans; null for single events"),
}
_STAGED_COUNT: Columns = {
    "organisation": (TEXT, "who counted; null where not said"),
    "indicator": (TEXT, "what is counted"),
    "period_days": (WHOLE, "length of the period that starts on reference_date"),
    "value_text": (TEXT, "the cell as written: 12, *, <5"),
    "value": (REAL, "the number; null where suppressed or missing"),
    "suppressed": (YES, "the cell held * or <n"),
    "denominator": (REAL, "what it is out of; null where not given"),
}
_STAGED_NOTICE: Columns = {
    "entry_id": (TEXT, "the feed entry's own id"),
    "title": (TEXT, "cleaned text"),
    "summary": (TEXT, "cleaned text, may be cut by the publisher; empty where the source holds personal data"),
    "link": (TEXT, "address of the notice"),
    "raw": (TEXT, "the entry as received"),
    "notice_kind": (TEXT, "alert | update | withdrawal | background"),
    "publisher": (TEXT, "who issued it, where a source carries notices of several; else null"),
    "sold_as": (TEXT, "what it says is sold or passed off as something else, as written, joined by |; else null"),
    "evidence": (TEXT, "JSON list of {what, says, words}: the words behind kind, sold-as, abroad and negated names"),
}

_MENTION: Columns = {
    "ordinal": (WHOLE, "order within the record"),
    "role": (TEXT, "terms.Role"),
    "mention_kind": (TEXT, "terms.MentionKind"),
    "subject": (TEXT, "substance or class id; status id for a non-result; null while queued"),
    "class_id": (TEXT, "the substance's class; null where none"),
    "as_written": (TEXT, "the words in the source"),
    "matched": (TEXT, "the synonym that matched; null while queued"),
    "method": (TEXT, "analytical method; null when not stated"),
    "presumptive": (YES, "true for a strip or field test; null when not stated"),
    "concentration": (REAL, "number, in `unit`; null when not given"),
    "unit": (TEXT, "unit of concentration"),
}
_PLACE: Columns = {
    "area": (TEXT, "GSS code; K02000001 for the UK when nothing closer is known"),
    "tier": (TEXT, "terms.Tier"),
    "share": (REAL, "estimated share of the written place that lies in this area; a record's shares sum to 1"),
    "certain": (YES, "true when the written place lies in this area alone"),
    "precision": (
        TEXT,
        "outward code | full postcode | postcode area | area name | area code | county | coroner area | police area | "
        "neighbourhood | town | coordinates | region | unplaced | outside the UK",
    ),
    "as_written": (
        TEXT,
        "the place as the source wrote it, without the inward half of a postcode; a position by its 1 km square",
    ),
}

# What the rules see. visible_from/visible_to bound the instants at which this version was the current one.
_LINE: Columns = {
    "record_id": (TEXT, "record identity"),
    "version": (WHOLE, "1, 2, ..."),
    "source": (TEXT, "source id"),
    "kind": (TEXT, "terms.RecordKind"),
    "reference_date": (DAY, "it happened, or was sampled"),
    "reference_at": (INSTANT, "the instant it happened; null for date-only rows"),
    "known_date": (DAY, "tested or confirmed"),
    "visible_from": (INSTANT, "this version became known to us"),
    "visible_to": (INSTANT, "the next version became known (or the record was retracted); null = still current"),
    "retracted": (YES, "this version says the record is withdrawn"),
    "max_age_days": (
        WHOLE,
        "age (visible_from - reference_date) beyond which a record of its source raises no cluster",
    ),
}

COLUMNS: dict[str, Columns] = {
    # -- intake hands to store, one staging = one snapshot ---------------------------------------------------------
    "staged_sample": _HEADER | _STAGED_SAMPLE,
    "staged_incident": _HEADER | _STAGED_INCIDENT,
    "staged_count": _HEADER | _STAGED_COUNT,
    "staged_notice": _HEADER | _STAGED_NOTICE,
    "staged_mention": {"row": _HEADER["row"]} | _MENTION,
    "staged_place": {"row": _HEADER["row"]} | _PLACE,
    "staged_reject": {
        "position": _HEADER["position"],
        "reason": (TEXT, "what is wrong and what to do"),
        "raw": (TEXT, "the raw text of the row or entry"),
    },
    # -- store hands to rules -------------------------------------------------------------------------------------
    "lines": _LINE
    | _STAGED_SAMPLE
    | {k: v for k, v in _STAGED_INCIDENT.items() if k not in _STAGED_SAMPLE}
    | {"published_at": _HEADER["published_at"]}
    | {name: _STAGED_NOTICE[name] for name in ("title", "summary", "notice_kind", "publisher", "evidence")},
    "line_mentions": {"record_id": _LINE["record_id"], "version": _LINE["version"]} | _MENTION,
    "line_places": {"record_id": _LINE["record_id"], "version": _LINE["version"]} | _PLACE,
    "line_counts": _LINE | _STAGED_COUNT | {"area": _PLACE["area"], "tier": _PLACE["tier"]},
    "line_links": {
        "left": (TEXT, "record id, the lower of the two"),
        "right": (TEXT, "record id"),
        "state": (TEXT, "confirmed: a person said that both tell of the same persons | rejected: that they do not"),
        "visible_from": (INSTANT, "it was said"),
        "visible_to": (INSTANT, "something else was said; null = it stands"),
    },
    "source_health": {
        "source": (TEXT, "source id"),
        "last_received_at": (INSTANT, "last successful receipt (new bytes or not modified) by the instant asked"),
        "last_new_at": (INSTANT, "last receipt that brought a new or changed record"),
        "last_outcome": (TEXT, "ok | not modified | failed: reason"),
        "failures": (WHOLE, "attempts since the last answer that could be used, all of which failed"),
        "failing_since": (INSTANT, "the first of them"),
        "cadence_hours": (REAL, "median hours between receipts that brought something new, over a year; at least 3"),
    },
    # -- catalogue hands to everybody -----------------------------------------------------------------------------
    "areas": {
        "code": (TEXT, "GSS code"),
        "name": (TEXT, "plain name"),
        "tier": (TEXT, "terms.Tier"),
        "parent": (TEXT, "GSS code of the region or the UK; null for the UK"),
        "other_names": (TEXT, "joined by |"),
        "population": (WHOLE, "persons; null where not sourced"),
        "population_year": (WHOLE, "mid-year of the estimate"),
        "hex_column": (WHOLE, "cartogram position; null outside London"),
        "hex_row": (WHOLE, "cartogram position; null outside London"),
    },
    "neighbours": {"code": (TEXT, "GSS code"), "neighbour": (TEXT, "GSS code of an area that borders it")},
    "outcodes": {
        "outcode": (TEXT, "outward half of a postcode"),
        "area": (TEXT, "GSS code"),
        "share": (REAL, "estimated share of the outward code in this area; shares of an outcode sum to 1"),
        "basis": (TEXT, "how the share was estimated"),
    },
    "placenames": {
        "name": (TEXT, "a name or a former code, as people write it"),
        "kind": (
            TEXT,
            "former code | former authority | county | coroner area | police force | police unit | neighbourhood | "
            "post town | former outward code | outside the UK",
        ),
        "area": (TEXT, "GSS code of an area it lies in; empty for a place outside the UK"),
        "share": (REAL, "estimated share of it in this area; shares of a name and kind sum to 1"),
        "valid_from": (DAY, "first day in force; null where not known or not a matter of dates"),
        "valid_to": (DAY, "last day in force; null where in force or not known"),
        "basis": (TEXT, "how the share was estimated"),
    },
    "squares": {
        "square": (TEXT, "square of the British National Grid: TQ3080 (1 km), TQ38SW (5 km), TQ38 (10 km)"),
        "area": (TEXT, "GSS code"),
        "share": (REAL, "estimated share of the square in this area; shares of a square sum to 1"),
        "certain": (YES, "true where no other area is near"),
        "basis": (TEXT, "what was counted: ground, postcodes or post towns"),
    },
    # -- rules hand to the pipeline: spells, folded into signals ----------------------------------------------------
    "spells": {
        "rule": (TEXT, "rule id"),
        "subject_kind": (TEXT, "terms.SubjectKind"),
        "subject": (TEXT, "substance or class id, key, or empty"),
        "area": (TEXT, "GSS code"),
        "tier": (TEXT, "terms.Tier"),
        "strand": (TEXT, "keeps episodes apart outside a signal's identity: form, sold-as, place; or null"),
        "fires_from": (INSTANT, "the rule fires from this instant"),
        "fires_to": (INSTANT, "and stops firing at this one (exclusive)"),
        "period_start": (DAY, "first reference date of its records"),
        "period_end": (DAY, "last reference date of its records, inclusive"),
        "observed": (REAL, "what was counted"),
        "expected": (REAL, "null where unknown"),
        "upper_bound": (REAL, "null where unknown"),
        "p_value": (REAL, "exact upper tail; null where unknown"),
        "q_value": (REAL, "level of false discoveries at which it is accepted; null where none is asked"),
        "by_chance_per_year": (REAL, "signals this unlikely that chance brings in a year over all strata; or null"),
        "certain": (WHOLE, "records certainly in the area"),
        "persons_min": (WHOLE, "fewest persons these records can be"),
        "persons_max": (WHOLE, "most persons these records can be"),
        "records": (pl.List(TEXT), "record ids, sorted"),
        "why": (TEXT, "one or two sentences a duty officer understands"),
        "would_have_stopped_it": (TEXT, "what would have kept the rule silent"),
    },
}

SHAPES: dict[str, pl.Schema] = {
    name: pl.Schema({column: dtype for column, (dtype, _) in columns.items()}) for name, columns in COLUMNS.items()
}
MEANINGS: dict[str, dict[str, str]] = {
    name: {column: meaning for column, (_, meaning) in columns.items()} for name, columns in COLUMNS.items()
}


def empty(name: str) -> pl.DataFrame:
    """A frame of that shape without rows."""
    return pl.DataFrame(schema=SHAPES[name])


def shaped(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with exactly that shape's columns, in order and cast; columns it lacks are null."""
    schema = SHAPES[name]
    missing = [
        pl.lit(None, dtype=dtype).alias(column) for column, dtype in schema.items() if column not in frame.columns
    ]
    return frame.with_columns(missing).select(schema.names()).cast(dict(schema))  # type: ignore[arg-type]


def spelt(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows of spells as a frame; what a row lacks is null, and of records none.

    Column by column: to read a list of records row by row takes as long as all the rest together.
    """
    plain = {name: dtype for name, dtype in SHAPES["spells"].items() if name != "records"}
    frame = pl.DataFrame([pl.Series(name, [row.get(name) for row in rows], dtype=t) for name, t in plain.items()])
    pairs = [(at, record) for at, row in enumerate(rows) for record in row.get("records") or ()]
    held = pl.DataFrame(
        [pl.Series("at", [at for at, _ in pairs], dtype=pl.UInt32), pl.Series("records", [r for _, r in pairs], TEXT)]
    )
    listed = held.group_by("at", maintain_order=True).agg("records")
    frame = frame.with_row_index("at").join(listed, on="at", how="left", maintain_order="left")
    return frame.with_columns(pl.col("records").fill_null([])).select(SHAPES["spells"].names())


def number_of(text: pl.Expr, seed: int = 0) -> pl.Expr:
    """A text as a number of 64 bits (XXH3): the same for the same text, on every machine, for ever.

    Two different texts share one by chance alone, about once in 10^19 pairs; it guards against no ill will.
    """
    number: pl.Expr = text.nchash.xxh3_64(seed=seed)  # type: ignore[attr-defined]
    return number


@dataclass(frozen=True)
class Lines:
    """Line lists as they were known: every record version visible at or before one instant, with its children.

    `lines` one row per record version; `mentions` and `places` one row per version x mention or area, joined by
    (record_id, version); `counts` one row per count version; `links` what people said of pairs of records. Retracted
    versions are left out: the version before ends at the retraction.
    """

    lines: pl.DataFrame
    mentions: pl.DataFrame
    places: pl.DataFrame
    counts: pl.DataFrame
    links: pl.DataFrame = field(default_factory=lambda: empty("line_links"))
