"""The outbox: what is to go to whom, written before anything is sent, and a receipt for every attempt.

A delivery is waiting, claimed (sending), then settled: sent, failed (to be tried again) or dead. One that was claimed
and never settled, because the sender died, is due again after ten minutes and marked as a possible repeat. One that a
newer version overtakes is superseded. The same alert version or page goes to the same destination once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ewarn.errors import Refused
from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import Delivery, DeliveryState

LOST_AFTER = timedelta(minutes=10)
_FIELDS = ", ".join(Delivery.model_fields)
_ATTEMPT = (
    "(state IN ('waiting', 'failed') AND (next_attempt_at <= ? OR (state = 'waiting' AND next_attempt_at IS NULL)))"
)
_LOST = "(state = 'sending' AND claimed_at <= ?)"


def put(tx: Connection, deliveries: Sequence[Delivery], at: datetime | None = None) -> int:
    """Add deliveries; one that is there already stays as it is. Returns how many were added."""
    added = 0
    for delivery in deliveries:
        identity = _identity(delivery)
        known = "SELECT count(*) FROM delivery WHERE identity = ? OR id = ?"
        if tables.one(tx, known, [identity, delivery.id]):
            continue
        values = delivery.model_dump(mode="python")
        values |= {"state": delivery.state.value, "standing": delivery.standing.value}
        values["attachments"] = " ".join(delivery.attachments)
        tables.put(tx, "delivery", **values, identity=identity, claimed_at=None, possible_repeat=False)
        audit.append(tx, at, "ewarn", "queued delivery", delivery.id, identity)
        added += 1
    return added


def due(con: Connection, now: datetime) -> list[Delivery]:
    """What is to be sent now: waiting, failed and due again, or lost in sending; in the order they fell due."""
    sql = f"SELECT {_FIELDS} FROM delivery WHERE {_ATTEMPT} OR {_LOST} ORDER BY next_attempt_at NULLS FIRST, rowid"
    return [_delivery(row) for row in tables.rows(con, sql, [now, now - LOST_AFTER])]


def claim(tx: Connection, delivery_id: str, now: datetime, message_id: str = "") -> bool:
    """Take a due delivery for sending and count the attempt. False when it is not due or another sender has it.

    In: `message_id` that it will carry; the one of the first attempt stays.
    """
    sql = f"SELECT state FROM delivery WHERE id = ? AND ({_ATTEMPT} OR {_LOST})"
    state = tables.one(tx, sql, [delivery_id, now, now - LOST_AFTER])
    if state is None:
        return False
    tx.execute(
        """UPDATE delivery SET state = 'sending', claimed_at = ?, attempts = attempts + 1,
           possible_repeat = possible_repeat OR state = 'sending', message_id = coalesce(message_id, nullif(?, ''))
           WHERE id = ?""",
        [now, message_id, delivery_id],
    )
    audit.append(tx, now, "ewarn", "claimed delivery", delivery_id)
    return True


def release_lost(tx: Connection, now: datetime) -> list[str]:
    """Put deliveries lost in sending back to waiting, marked as possible repeats. Returns their ids."""
    found = tables.frame(tx, f"SELECT id FROM delivery WHERE {_LOST}", [now - LOST_AFTER])
    lost: list[str] = found.get_column("id").to_list()
    for delivery_id in lost:
        tx.execute(
            "UPDATE delivery SET state = 'waiting', next_attempt_at = NULL, possible_repeat = true WHERE id = ?",
            [delivery_id],
        )
        audit.append(tx, now, "ewarn", "released delivery", delivery_id)
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
) -> None:
    """Enter how an attempt ended, and its receipt; `unknown`: it may have arrived all the same.

    Raises: Refused when there is no such delivery.
    """
    known = load(tx, delivery_id)
    if known is None:
        raise Refused(f"there is no delivery '{delivery_id}'", next_step="See 'ewarn receipts'.")
    state = DeliveryState(state)
    tx.execute(
        """UPDATE delivery SET state = ?, last_error = ?, next_attempt_at = ?, claimed_at = NULL,
           possible_repeat = possible_repeat OR ? WHERE id = ?""",
        [state.value, error, next_attempt_at, unknown, delivery_id],
    )
    repeat = delivery_id in possible_repeats(tx)
    tables.put(
        tx, "delivery_receipt", delivery=delivery_id, attempted_at=at, attempt=known.attempts, state=state.value,
        error=error, possible_repeat=repeat,
    )  # fmt: skip
    audit.append(tx, at, "ewarn", f"delivery {state.value}", delivery_id, [known.attempts, error])


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


def thread(con: Connection, delivery: Delivery) -> str:
    """The message id of the first version of the same alert that this destination has; '' where there is none."""
    sql = """
        SELECT message_id FROM delivery WHERE alert = ? AND alert <> '' AND version < ? AND destination = ?
          AND message_id IS NOT NULL AND (state IN ('sent', 'sending') OR possible_repeat) ORDER BY version LIMIT 1
    """
    return str(tables.one(con, sql, [delivery.alert, delivery.version, delivery.destination]) or "")


def load(con: Connection, delivery_id: str) -> Delivery | None:
    found = tables.rows(con, f"SELECT {_FIELDS} FROM delivery WHERE id = ?", [delivery_id])
    return _delivery(found[0]) if found else None


def all(con: Connection, alert: str | None = None) -> list[Delivery]:
    """Deliveries in the order they were queued; of one alert, or all."""
    sql = f"SELECT {_FIELDS} FROM delivery WHERE alert = coalesce(?, alert) ORDER BY rowid"
    return [_delivery(row) for row in tables.rows(con, sql, [alert])]


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
    return f"{what} to {delivery.destination}"


def _delivery(row: dict[str, Any]) -> Delivery:
    return Delivery(**row | {"attachments": tuple(str(row["attachments"] or "").split())})
