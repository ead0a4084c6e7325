"""What the rules would say if these rows had come, without storing any of them.

In: a house, the text of a CSV file, which source it is of, the instant. Out: the signals that would rest on any of its
rows, beside how many rows could be read, were known already, or were refused and why. Nothing is written: no snapshot,
no record, no signal; the bytes are gone when the answer is given.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import polars as pl

from ewarn import intake as intake_room
from ewarn.catalogue.definitions import DropDefinition
from ewarn.errors import UnusableInput, UsageFault
from ewarn.frames import Lines, shaped
from ewarn.pipeline import casework, validate
from ewarn.pipeline.house import House
from ewarn.rules import evaluate
from ewarn.rules import signals as signal_room
from ewarn.store import health, lines, looking, vault
from ewarn.terms import Frozen, NotEvaluable, RecordKind, Signal, london_day

MOST_ROWS = 20_000
PASTED = "pasted-"


class WhatIf(Frozen):
    source: str
    read: int
    known: int
    rejects: tuple[dict[str, str], ...]
    unnamed: tuple[str, ...]
    signals: tuple[Signal, ...]
    elsewhere: int
    not_evaluable: tuple[NotEvaluable, ...]
    marking: str = ""
    conditions: tuple[str, ...] = ()


def answer(house: House, body: bytes, source: str, now: datetime) -> WhatIf:
    """What would stand now. Raises: UsageFault, UnusableInput."""
    if not body.strip():
        raise UsageFault("nothing was pasted or uploaded", where="rows", next_step="Paste rows with their headings.")
    definition = _definition(house, body, source)
    hashed = partial(vault.keyed_digest, vault.digest_key(house.settings))
    with intake_room.open_drop(
        definition, body, house.catalogue, received_at=now, backfill=False, hashed=hashed
    ) as drop:
        staged = drop.whole()
    if staged.kind is RecordKind.COUNT:
        raise UsageFault("aggregated counts cannot be tried out", where="rows", next_step="Paste listed rows.")
    if staged.records.height > MOST_ROWS:
        raise UsageFault(f"more than {MOST_ROWS:,} rows", where="rows", next_step="Drop the file instead.")
    with house.db.read() as con:
        known = lines.as_known(con, casework.ages(house), until=now)
        pulse = health.of(con, now)
        keys = looking.known_keys(con, definition.id, staged.records["key"].to_list())
    fresh = staged.only(~staged.records["key"].is_in(list(keys)))
    rules = validate.rules_of(house, None)
    evaluation = evaluate(rules, _with(known, fresh, definition, now), now, house.catalogue, health=pulse)
    found = signal_room.at(evaluation, now, house.catalogue, rules)
    resting = [s for s in found if any(r.startswith(PASTED) for one in (s, *s.beneath) for r in one.records)]
    marking, conditions = house.catalogue.handling([definition.id])
    queued = fresh.mentions.filter(pl.col("mention_kind") == "queued")["as_written"].unique().sort()
    return WhatIf(
        source=definition.title,
        read=staged.records.height,
        known=staged.records.height - fresh.records.height,
        rejects=tuple(staged.rejects.select("position", "reason").head(50).to_dicts()),
        unnamed=tuple(queued.head(20).to_list()),
        signals=tuple(s.model_copy(update={"standing": house.settings.standing}) for s in resting),
        elsewhere=len(found) - len(resting),
        not_evaluable=tuple(evaluation.not_evaluable),
        marking=marking,
        conditions=conditions,
    )


def _definition(house: House, body: bytes, source: str) -> DropDefinition:
    """The drop that was named, or the one whose columns these are. Raises: UsageFault, UnusableInput."""
    if source:
        found = house.catalogue.drops.get(source)
        if found is None:
            raise UsageFault(f"there is no CSV source '{source}'", where="source", next_step="Choose one of the list.")
        return found
    try:
        return intake_room.recognise(body, tuple(house.catalogue.drops.values()))
    except (UsageFault, UnusableInput) as error:
        raise UsageFault(error.what, where="source", next_step="Choose the source whose columns these are.") from error


def _with(known: Lines, staged: Any, definition: DropDefinition, now: datetime) -> Lines:
    """The line lists with the rows as if they had become known at this instant."""
    named = staged.records.with_columns(
        record_id=pl.format(f"{PASTED}{{}}", pl.col("row")), version=pl.lit(1, dtype=pl.Int64),
        source=pl.lit(definition.id), kind=pl.lit(staged.kind.value), visible_to=pl.lit(None),
        visible_from=pl.lit(now).dt.convert_time_zone("UTC").dt.cast_time_unit("us"),
        known_date=pl.col("known_date").fill_null(london_day(now)), retracted=pl.lit(False),
        max_age_days=pl.lit(definition.max_age_days, dtype=pl.Int64),
    )  # fmt: skip
    ids = named.select("row", "record_id", "version")
    return Lines(
        lines=pl.concat([known.lines, shaped("lines", named.filter(~pl.col("retracted")))]),
        mentions=pl.concat([known.mentions, shaped("line_mentions", staged.mentions.join(ids, on="row"))]),
        places=pl.concat([known.places, shaped("line_places", staged.places.join(ids, on="row"))]),
        counts=known.counts,
        links=known.links,
    )
