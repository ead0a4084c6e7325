"""Handling conditions of the originators, carried by whatever is shown and exported.

In: a house and signals, cases, records or rows. Out: the strictest marking of what lies behind them, and every
condition once. Nothing is ever given a laxer marking than one of its records has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from ewarn.frames import Lines
from ewarn.pipeline.house import House
from ewarn.store import records
from ewarn.terms import CaseFile, Signal, strictest


def on_signals(house: House, signals: Sequence[Signal], known: Lines) -> list[Signal]:
    """The signals, each and those beneath it with the marking and conditions of the records behind it."""
    wanted = sorted({record for signal in signals for one in (signal, *signal.beneath) for record in one.records})
    source_of: dict[str, str] = {}
    for frame in (known.lines, known.counts):
        of = frame.select("record_id", "source").filter(pl.col("record_id").is_in(wanted)).unique()
        source_of |= dict(of.iter_rows())

    def marked(signal: Signal) -> Signal:
        sources = {source_of[record] for record in signal.records if record in source_of}
        marking, conditions = house.catalogue.handling(sources)
        beneath = tuple(marked(one) for one in signal.beneath)
        return signal.model_copy(update={"marking": marking, "conditions": conditions, "beneath": beneath})

    return [marked(signal) for signal in signals]


def of_records(house: House, con: Any, ids: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """Marking and conditions of stored records."""
    return house.catalogue.handling(records.sources(con, sorted(set(ids))))


def together(marked: Iterable[Signal]) -> tuple[str, tuple[str, ...]]:
    """The strictest marking of several signals, and their conditions once each."""
    signals = list(marked)
    conditions = dict.fromkeys(condition for signal in signals for condition in signal.conditions)
    return strictest(signal.marking for signal in signals), tuple(conditions)


def of_cases(house: House, cases: Iterable[CaseFile]) -> tuple[str, tuple[str, ...]]:
    """Marking and conditions of the records behind some cases."""
    ids = {record for case in cases for joined in case.signals for record in joined.signal.records}
    with house.db.read() as con:
        return of_records(house, con, ids)


def of_rows(house: House, rows: Iterable[dict[str, Any]], *columns: str) -> tuple[str, tuple[str, ...]]:
    """Marking and conditions of rows that name their sources in these columns."""
    return house.catalogue.handling({row[column] for row in rows for column in columns if row.get(column)})


def on_rows(house: House, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with the marking and conditions of their source beside them."""
    told = {}
    for source in {row["source"] for row in rows}:
        marking, conditions = house.catalogue.handling([source])
        told[source] = {"marking": marking, "conditions": " ".join(conditions)}
    return [row | told[row["source"]] for row in rows]
