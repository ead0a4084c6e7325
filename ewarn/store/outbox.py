"""The outbox: what is to go to whom, written before anything is sent, and a receipt for every attempt.

A delivery is waiting, claimed (sending), then settled: sent, failed (to be tried again) or dead. One that was claimed
and never settled, because the sender died, is due again after ten minutes and marked as a possible repeat. One that a
newer version overtakes is superseded. The same alert version or page goes to the same destination once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import polars as pl

from ewarn.errors import Refused
from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import Delivery, DeliveryState

LOST_AFTER = timedelta(minutes=10)
LONGEST_WAIT = timedelta(hours=2)
_WANTED = {"id": pl.String, "message_id": pl.String}
_ENDED: dict[str, Any] = {
    "id": pl.String, "state": pl.String, "error": pl.String, "next_attempt_at": pl.Datetime("us", "UTC"),
    "unknown": pl.Boolean,
}  # fmt: skip
_RECEIPT: dict[str, Any] = {
    "delivery": pl.String, "attempted_at": pl.Datetime("us", "UTC"), "attempt": pl.Int64, "state": pl.String,
    "error": pl.String, "possible_repeat": pl.Boolean,
}  # fmt: skip
_FIELDS = ", ".join(Delivery.model_fields)
# A claim, or a wait after an attempt, that lies further in the future than any can, was made while the clock was wrong:
# it counts for nothing, or the delivery would wait until the clock comes by there again. Waiting for working hours may
# take longer: such a delivery has no error yet.
_ATTEMPT = """(state IN ('waiting', 'failed') AND coalesce(next_attempt_at <= $now OR
    (next_attempt_at > $wrong AND (state = 'failed' OR last_error <> '')), state = 'waiting'))"""
_LOST = "(state = 'sending' AND (claimed_at <= $lost OR claimed_at > $ahead))"


class Ended(NamedTuple):
    """How one attempt ended; `unknown`: it may have arrived all the same."""

    delivery: str
    state: DeliveryState
    error: str = ""
    next_attempt_at: datetime | None = None
    unknown: bool = False


def _instants(now: datetime) -> dict[str, datetime]:
    return {"now": now, "wrong": now + LONGEST_WAIT, "lost": now - LOST_AFTER, "ahead": now + LOST_AFTER}


def put(tx: Connection, deliveries: Sequence[Delivery], at: datetime | None = None) -> int:
    """Add deliveries; one that is there already stays as it is. Returns how many were added."""
    both = "SELECT id, identity FROM delivery WHERE list_contains(?, id) OR list_contains(?, identity)"
    names = {delivery.id: _identity(delivery) for delivery in deliveries}
    known = {name for row in tx.execute(both, [[*names], [*names.values()]]).fetchall() for name in row}
    added: list[Delivery] = []
    rows: list[dict[str, Any]] = []
    for delivery in deliveries:
        if not known.isdisjoint({delivery.id, names[delivery.id]}):
            continue
        known |= {delivery.id, names[delivery.id]}
        values = delivery.model_dump(mode="python")
        values |= {"state": delivery.state.value, "standing": delivery.standing.value}
        values["attachments"] = " ".join(delivery.attachments)
        rows.append(values | {"identity": names[delivery.id], "claimed_at": None, "possible_repeat": False})
        added.append(delivery)
    tables.insert(tx, "delivery", pl.DataFrame(rows, infer_schema_length=None))
    queued = [delivery.id for delivery in added]
    audit.append_all(tx, at, "ewarn", "queued delivery", queued, [names[name] for name in queued])
    return len(added)


def due(con: Connection, now: datetime) -> list[Delivery]:
    """What is to be sent now: waiting, failed and due again, or lost in sending; in the order they fell due."""
    sql = f"SELECT {_FIELDS} FROM delivery WHERE {_ATTEMPT} OR {_LOST} ORDER BY next_attempt_at NULLS FIRST, rowid"
    return [_delivery(row) for row in con.execute(sql, _instants(now)).pl().to_dicts()]


def claim(tx: Connection, delivery_id: str, now: datetime, message_id: str = "") -> bool:
    """Take a due delivery for sending and count the attempt. False when it is not due or another sender has it.

    In: `message_id` that it will carry; the one of the first attempt stays.
    """
    return delivery_id in claim_all(tx, {delivery_id: message_id}, now)


def claim_all(tx: Connection, message_ids: Mapping[str, str], now: datetime) -> dict[str, bool]:
    """The same for many, by id. Returns those taken, each with whether it may have arrived before."""
    wanted = pl.DataFrame({"id": [*message_ids], "message_id": [*message_ids.values()]}, schema=_WANTED)
    with tables.given(tx, wanted_deliveries=wanted):
        taken = tx.execute(
            f"""UPDATE delivery SET state = 'sending', claimed_at = $now, attempts = attempts + 1,
               possible_repeat = possible_repeat OR state = 'sending',
               message_id = coalesce(delivery.message_id, nullif(wanted.message_id, ''))
               FROM wanted_deliveries AS wanted WHERE delivery.id = wanted.id AND ({_ATTEMPT} OR {_LOST})
               RETURNING delivery.id, possible_repeat""",
            _instants(now),
        ).fetchall()
    audit.append_all(tx, now, "ewarn", "claimed delivery", [name for name, _ in taken], whatever_the_clock=True)
    return {str(name): bool(repeat) for name, repeat in taken}


def put_back(tx: Connection, delivery_ids: Sequence[str], now: datetime) -> None:
    """Claimed and not sent after all: as if it had never been claimed."""
    if not delivery_ids:
        return
    tx.execute(
        """UPDATE delivery SET state = 'waiting', claimed_at = NULL, attempts = attempts - 1,
           next_attempt_at = NULL WHERE list_contains(?, id) AND state = 'sending'""",
        [list(delivery_ids)],
    )
    audit.append_all(tx, now, "ewarn", "put back delivery", delivery_ids, whatever_the_clock=True)


def postpone(tx: Connection, delivery_ids: Sequence[str], now: datetime, until: datetime) -> None:
    """Let deliveries wait that a server has asked not to be sent before an instant."""
    waiting = "list_contains(?, id) AND state IN ('waiting', 'failed')"
    words = "its server asked not to be sent anything before"
    sql = f"UPDATE delivery SET next_attempt_at = ?, last_error = ? WHERE {waiting}"
    tx.execute(sql, [until, f"{words} {until:%H:%M:%S} UTC", list(delivery_ids)])
    audit.append_all(tx, now, "ewarn", "postponed delivery", delivery_ids, whatever_the_clock=True)


def release_lost(tx: Connection, now: datetime) -> list[str]:
    """Put deliveries lost in sending back to waiting, marked as possible repeats. Returns their ids."""
    lost = [
        str(row[0])
        for row in tx.execute(
            f"""UPDATE delivery SET state = 'waiting', next_attempt_at = NULL, possible_repeat = true
               WHERE {_LOST} RETURNING id""",
            {key: value for key, value in _instants(now).items() if key in ("lost", "ahead")},
        ).fetchall()
    ]
    audit.append_all(tx, now, "ewarn", "released delivery", lost, whatever_the_clock=True)
    return lost


def settle(
    tx: Connection,
    delivery_id: str,
    state: DeliveryState,
    at: datetime,
    error: str = "",
    next_attempt_at: datetime | None = None,
    *,
    unknown: bool = False,
) -> bool:
    """Enter how an attempt ended, and its receipt; `unknown`: it may have arrived all the same.

    Returns whether it may have arrived more than once. Raises: Refused when there is no such delivery.
    """
    ended = Ended(delivery_id, DeliveryState(state), error, next_attempt_at, unknown)
    return settle_all(tx, [ended], at)[delivery_id]


def settle_all(tx: Connection, ended: Sequence[Ended], at: datetime) -> dict[str, bool]:
    """The same for many. Returns by id whether it may have arrived more than once. Raises: Refused, as above."""
    if not ended:
        return {}
    wanted = pl.DataFrame(ended, schema=_ENDED, orient="row")
    with tables.given(tx, ended_deliveries=wanted):
        settled = tx.execute(
            """UPDATE delivery SET state = ended.state, last_error = ended.error, claimed_at = NULL,
               next_attempt_at = ended.next_attempt_at, possible_repeat = possible_repeat OR ended.unknown
               FROM ended_deliveries AS ended WHERE delivery.id = ended.id
               RETURNING delivery.id, attempts, possible_repeat"""
        ).fetchall()
    known = {str(name): (int(attempts), bool(repeat)) for name, attempts, repeat in settled}
    for one in ended:
        if one.delivery not in known:
            raise Refused(f"there is no delivery '{one.delivery}'", next_step="See 'ewarn receipts'.")
    rows = [(one.delivery, at, known[one.delivery][0], one.state, one.error, known[one.delivery][1]) for one in ended]
    tables.insert(tx, "delivery_receipt", pl.DataFrame(rows, schema=_RECEIPT, orient="row"))
    for state in dict.fromkeys(one.state for one in ended):
        same = [one for one in ended if one.state is state]
        details = [[known[one.delivery][0], one.error] for one in same]
        ids = [one.delivery for one in same]
        audit.append_all(tx, at, "ewarn", f"delivery {state.value}", ids, details, whatever_the_clock=True)
    return {name: repeat for name, (_, repeat) in known.items()}


def failures(con: Connection, delivery_id: str) -> int:
    """How many attempts have failed since it was queued, or put back after it was given up."""
    sql = """
        SELECT count(*) FROM delivery_receipt WHERE delivery = $id AND state = 'failed' AND rowid > coalesce(
            (SELECT max(rowid) FROM delivery_receipt WHERE delivery = $id AND state = 'dead'), -1)
    """
    row = con.execute(sql, {"id": delivery_id}).fetchone()
    return int(row[0]) if row else 0


def supersede(tx: Connection, alert: str, versions: Sequence[int], words: str, at: datetime, by: str) -> list[Delivery]:
    """What has not been sent of these versions of an alert is not sent any more. Returns what that stops."""
    waiting = "alert = ? AND list_contains(?, version) AND state IN ('waiting', 'failed')"
    found = tables.rows(tx, f"SELECT {_FIELDS} FROM delivery WHERE {waiting} ORDER BY rowid", [alert, list(versions)])
    for row in found:
        tx.execute(
            "UPDATE delivery SET state = 'superseded', last_error = ?, next_attempt_at = NULL WHERE id = ?",
            [words, row["id"]],
        )
        audit.append(tx, at, by, "delivery superseded", row["id"], words)
    return [_delivery(row) for row in found]


def reached(con: Connection, alert: str) -> list[Delivery]:
    """Deliveries of an alert that arrived or may have: sent, being sent, or cut off before an answer; by version."""
    had = "alert = ? AND (state IN ('sent', 'sending') OR possible_repeat)"
    sql = f"SELECT {_FIELDS} FROM delivery WHERE {had} ORDER BY version, rowid"
    return [_delivery(row) for row in tables.rows(con, sql, [alert])]


def threads(con: Connection, alert: str) -> list[tuple[str, int, str]]:
    """(destination, version, message id) of the messages on an alert that arrived or may have, oldest first."""
    sql = """
        SELECT destination, version, message_id FROM delivery WHERE alert = ? AND alert <> ''
          AND message_id IS NOT NULL AND (state IN ('sent', 'sending') OR possible_repeat) ORDER BY version, rowid
    """
    return con.execute(sql, [alert]).fetchall()


def thread(known: Sequence[tuple[str, int, str]], delivery: Delivery) -> str:
    """The message id of the first message on the same alert that this destination has; '' where there is none."""
    before = (delivery.version or 0) + delivery.nudge
    return next((name for to, version, name in known if to == delivery.destination and version < before), "")


def first_of(con: Connection, delivery: Delivery) -> str:
    """The id of the delivery that a nudge repeats."""
    sql = """SELECT id FROM delivery WHERE alert = ? AND version = ? AND destination = ? AND NOT coalesce(nudge, false)
             ORDER BY rowid LIMIT 1"""
    return str(tables.one(con, sql, [delivery.alert, delivery.version, delivery.destination]) or delivery.id)


def load(con: Connection, delivery_id: str) -> Delivery | None:
    found = tables.rows(con, f"SELECT {_FIELDS} FROM delivery WHERE id = ?", [delivery_id])
    return _delivery(found[0]) if found else None


def all(con: Connection, alert: str | None = None) -> list[Delivery]:
    """Deliveries in the order they were queued; of one alert, or all."""
    sql = f"SELECT {_FIELDS} FROM delivery WHERE alert = coalesce(?, alert) ORDER BY rowid"
    return [_delivery(row) for row in tables.rows(con, sql, [alert])]


def by_alert(con: Connection) -> dict[str, list[Delivery]]:
    """Deliveries of alerts, by alert."""
    found: dict[str, list[Delivery]] = {}
    for row in tables.rows(con, f"SELECT {_FIELDS} FROM delivery WHERE alert <> '' ORDER BY rowid"):
        found.setdefault(row["alert"], []).append(_delivery(row))
    return found


def of_page(con: Connection, page: str) -> list[Delivery]:
    """Deliveries of one page."""
    sql = f"SELECT {_FIELDS} FROM delivery WHERE page = ? ORDER BY rowid"
    return [_delivery(row) for row in tables.rows(con, sql, [page])]


def possible_repeats(con: Connection) -> set[str]:
    """Deliveries that may have reached their destination twice."""
    return set(tables.frame(con, "SELECT id FROM delivery WHERE possible_repeat").get_column("id").to_list())


def receipts(con: Connection, alert: str | None = None) -> list[dict[str, Any]]:
    """One per attempt, oldest first: delivery, alert, version, page, destination, at, attempt, state, error,
    possible_repeat."""
    sql = """
        SELECT r.delivery, d.alert, d.version, d.page, d.destination, r.attempted_at AS "at", r.attempt, r.state,
               r.error, r.possible_repeat
        FROM delivery_receipt r JOIN delivery d ON d.id = r.delivery WHERE d.alert = coalesce(?, d.alert)
        ORDER BY r.attempted_at, r.rowid
    """
    return tables.rows(con, sql, [alert])


def acknowledge(tx: Connection, delivery_id: str, by: str, at: datetime, text: str = "") -> None:
    """Enter a recipient's answer. Raises: Refused when there is no such delivery."""
    if load(tx, delivery_id) is None:
        raise Refused(f"there is no delivery '{delivery_id}'", next_step="See 'ewarn receipts'.")
    tables.put(tx, "acknowledgement", delivery=delivery_id, person=by, acknowledged_at=at, text=text)
    audit.append(tx, at, by, "acknowledged delivery", delivery_id, text)


def acknowledgements(con: Connection, alert: str | None = None) -> list[dict[str, Any]]:
    """Answers, oldest first: delivery, alert, version, destination, by, at, text."""
    sql = """
        SELECT a.delivery, d.alert, d.version, d.destination, a.person AS "by", a.acknowledged_at AS "at", a.text
        FROM acknowledgement a JOIN delivery d ON d.id = a.delivery WHERE d.alert = coalesce(?, d.alert)
        ORDER BY a.acknowledged_at, a.rowid
    """
    return tables.rows(con, sql, [alert])


def _identity(delivery: Delivery) -> str:
    what = f"alert {delivery.alert} v{delivery.version}" if delivery.alert else f"page {delivery.page}"
    again = f" (nudge{' ' + delivery.contact if delivery.contact else ''})" if delivery.nudge else ""
    return f"{what} to {delivery.destination}{again}"


def _delivery(row: dict[str, Any]) -> Delivery:
    files = tuple(str(row["attachments"] or "").split())
    return Delivery(**row | {"attachments": files, "nudge": bool(row["nudge"])})
