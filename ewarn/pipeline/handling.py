"""Handling conditions of the originators, carried by what is shown and exported: nothing goes out under a laxer marking.

In: a house and signals, records or sources. Out: the strictest marking of their records and every condition once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ewarn.frames import Lines
from ewarn.pipeline.house import House
from ewarn.store import records
from ewarn.terms import Signal, strictest


def on_signals(house: House, signals: Sequence[Signal], known: Lines) -> list[Signal]:
    """The signals, each and those beneath it with the marking and conditions of the records behind it."""
    source_of: dict[str, str] = {}
    for frame in (known.lines, known.counts):
        source_of |= dict(frame.select("record_id", "source").unique().iter_rows())

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
