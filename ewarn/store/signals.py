"""Signals as they were raised, version by version, and the evaluations that raised them.

In: the signals of one evaluation. Out: which of them are new, which have grown, which say nothing new. A version is
never changed; a signal that is no longer raised stays on record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import Signal, digest


@dataclass(frozen=True)
class SignalChanges:
    """Grown: a record it never had before, more observed or more persons than before, or another standing."""

    new: tuple[Signal, ...] = ()
    grown: tuple[Signal, ...] = ()
    unchanged: tuple[Signal, ...] = ()


def evaluation(tx: Connection, at: datetime, as_of: datetime, content_hash: str, kind: str) -> str:
    """Enter an evaluation: when it ran, as of when it looked, with which content. Returns its id."""
    seq, _, _ = audit.last(tx)
    name = digest([at.isoformat(), as_of.isoformat(), content_hash, kind, seq], 16)
    tables.put(
        tx, "evaluation", id=name, evaluated_at=at, as_of=as_of, content_hash=content_hash, kind=kind
    )  # fmt: skip
    audit.append(tx, at, "ewarn", f"evaluated {kind}", name, content_hash)
    return name


def evaluations(con: Connection) -> pl.DataFrame:
    """Every evaluation, newest first: id, evaluated_at, as_of, content_hash, kind."""
    return tables.frame(con, "SELECT * FROM evaluation ORDER BY evaluated_at DESC, id")


def save(tx: Connection, signals: Sequence[Signal], evaluation_id: str, at: datetime) -> SignalChanges:
    """Enter what one evaluation raised, each signal once."""
    known = _known(tx, [signal.id for signal in signals])
    sorted_out: dict[str, list[Signal]] = {"new": [], "grown": [], "revised": [], "unchanged": []}
    for signal in {signal.id: signal for signal in signals}.values():
        sorted_out[change(signal, known.get(signal.id))].append(signal)
    rows = [
        _row(signal, change, 1 + (known[signal.id]["version"] if signal.id in known else 0))
        for change in ("new", "grown", "revised")
        for signal in sorted_out[change]
    ]
    if rows:
        found = pl.DataFrame(rows, schema=_SCHEMA).with_columns(saved_at=pl.lit(at), evaluation=pl.lit(evaluation_id))
        tables.insert(tx, "signal", found)
        audit.append(
            tx, at, "ewarn", "saved signals", evaluation_id, [[r["id"], r["version"], r["body"]] for r in rows]
        )
    return SignalChanges(
        tuple(sorted_out["new"]), tuple(sorted_out["grown"]), (*sorted_out["revised"], *sorted_out["unchanged"])
    )


def told(con: Connection, signals: Sequence[Signal]) -> bool:
    """Whether every one of these signals stands on record as it is: saving them would add nothing."""
    known = _known(con, [signal.id for signal in signals])
    return all(change(signal, known.get(signal.id)) == "unchanged" for signal in signals)


def load(con: Connection, signal_id: str) -> Signal | None:
    """The newest version of a signal; also one that stands beneath another."""
    found = _bodies(con, "WHERE id = ?", [signal_id])
    if found:
        return found[0]
    above = _bodies(con, "WHERE contains(body, ?)", [f'"id":"{signal_id}"'])
    return next((below for signal in above for below in signal.beneath if below.id == signal_id), None)


def beginning(con: Connection, start: str) -> list[Signal]:
    """Kept signals whose id begins so, the newest version of each."""
    return _bodies(con, "WHERE starts_with(id, ?)", [start])


def recent(con: Connection, since: datetime) -> list[Signal]:
    """Signals that were raised, grew or were revised at or after an instant, newest first."""
    return _bodies(con, "WHERE saved_at >= ?", [since])


def touching(con: Connection, record_ids: Sequence[str]) -> list[Signal]:
    """Signals whose newest version rests on any of the records."""
    return _bodies(con, "WHERE list_has_any(records, ?)", [list(record_ids)])


def evaluated_with(con: Connection, signal_id: str) -> dict[str, Any] | None:
    """The evaluation that made the signal's newest version: id, evaluated_at, as_of, content_hash, kind."""
    sql = """SELECT e.* FROM signal s JOIN evaluation e ON e.id = s.evaluation
             WHERE s.id = ? ORDER BY s.version DESC LIMIT 1"""
    found = tables.rows(con, sql, [signal_id])
    return found[0] if found else None


def _bodies(con: Connection, where: str, parameters: list[Any]) -> list[Signal]:
    sql = f"SELECT body FROM {tables.newest('signal', 'id')} {where} ORDER BY saved_at DESC, known_on DESC, id"
    return [Signal.model_validate_json(row["body"]) for row in tables.rows(con, sql, parameters)]


def _known(tx: Connection, ids: list[str]) -> dict[str, dict[str, Any]]:
    """Per signal: newest version and body, every record and the most ever observed."""
    sql = """
        SELECT id, max(version) AS version, arg_max(body, version) AS body, arg_max(standing, version) AS standing,
               list_distinct(flatten(array_agg(records))) AS records, max(observed) AS observed,
               max(record_count) AS record_count
        FROM signal WHERE list_contains(?, id) GROUP BY id
    """
    return {row["id"]: row for row in tables.rows(tx, sql, [ids])}


def change(signal: Signal, known: dict[str, Any] | None) -> str:
    """new, grown, revised or unchanged against what is known of it (see `remembered`); None: nothing is."""
    if known is None:
        return "new"
    if signal.standing.value != known["standing"] or set(signal.records) - set(known["records"]):
        return "grown"
    if signal.record_count > known["record_count"]:
        return "grown"
    if signal.observed is not None and (known["observed"] is None or signal.observed > known["observed"]):
        return "grown"
    before = Signal.model_validate_json(known["body"])
    if (signal.persons_max or 0) > (before.persons_max or 0):
        return "grown"
    return "unchanged" if signal == before else "revised"


def remembered(signal: Signal, known: dict[str, Any] | None) -> dict[str, Any]:
    """What is known of a signal once this version of it has been told: every record, the most ever observed."""
    before = known or {"records": [], "observed": None, "record_count": 0}
    seen = [number for number in (before["observed"], signal.observed) if number is not None]
    return {
        "standing": signal.standing.value,
        "records": sorted({*before["records"], *signal.records}),
        "observed": max(seen, default=None),
        "record_count": max(before["record_count"], signal.record_count),
        "body": signal.model_dump_json(),
    }


def _row(signal: Signal, change: str, version: int) -> dict[str, Any]:
    return {
        "id": signal.id, "version": version, "change": change, "rule": signal.rule, "family": signal.family.value,
        "subject_kind": signal.subject.kind.value, "subject": signal.subject.id, "area": signal.area.code,
        "tier": signal.area.tier.value, "known_on": signal.known_on, "first_raised_on": signal.first_raised_on,
        "standing": signal.standing.value, "observed": signal.observed, "record_count": signal.record_count,
        "records": list(signal.records), "body": signal.model_dump_json(),
    }  # fmt: skip


_TEXTS = ("id", "change", "rule", "family", "subject_kind", "subject", "area", "tier", "standing", "body")
_SCHEMA = pl.Schema(
    [(name, pl.String) for name in _TEXTS]
    + [("version", pl.Int64), ("record_count", pl.Int64), ("observed", pl.Float64)]
    + [("known_on", pl.Date), ("first_raised_on", pl.Date), ("records", pl.List(pl.String))]
)
