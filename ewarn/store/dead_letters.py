"""Messages that were given up: which still want a person, and what was done about them.

In: a transaction. Out: rows, oldest first. A dead letter wants somebody until it is sent once more, let go, its page is
answered, or its destination has a later version of the alert.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import Delivery

REQUEUED, LET_GO = "requeued", "let go"
_OPEN = """
    SELECT d.id, d.alert, d.version, d.page, d.destination, d.channel, d.last_error AS error, d.possible_repeat,
           max(r.attempted_at) AS died_at
    FROM delivery d JOIN delivery_receipt r ON r.delivery = d.id
    WHERE d.state = 'dead' AND d.page NOT LIKE 'operator-%'
      AND NOT EXISTS (SELECT 1 FROM dead_letter_act a WHERE a.delivery = d.id AND a.act = 'let go')
      AND NOT EXISTS (SELECT 1 FROM page p WHERE p.id = d.page AND p.acknowledged_at IS NOT NULL)
      AND NOT EXISTS (SELECT 1 FROM delivery l WHERE l.alert = d.alert AND l.alert <> '' AND l.version > d.version
                      AND l.destination = d.destination AND l.state = 'sent')
    GROUP BY ALL ORDER BY died_at, d.id
"""


def open(con: Connection) -> list[dict[str, Any]]:
    """Those that want somebody: id, alert, version, page, destination, channel, error, possible_repeat, died_at."""
    return tables.rows(con, _OPEN)


def requeue(tx: Connection, delivery: Delivery, readdressed: Delivery, by: str, at: datetime, reason: str) -> None:
    """Let it be sent once more, by the channel and in the format of `readdressed`, with all attempts anew."""
    tx.execute(
        """UPDATE delivery SET state = 'waiting', attempts = 0, next_attempt_at = NULL, claimed_at = NULL, channel = ?,
           format = ?, why = ?, contact = ?, attachments = ? WHERE id = ? AND state = 'dead'""",
        [
            readdressed.channel,
            readdressed.format,
            readdressed.why,
            readdressed.contact,
            " ".join(readdressed.attachments),
            delivery.id,
        ],
    )
    _entered(tx, delivery, REQUEUED, by, at, reason)


def let_go(tx: Connection, delivery: Delivery, by: str, at: datetime, reason: str) -> None:
    """It stays given up, and nobody is reminded of it any more."""
    _entered(tx, delivery, LET_GO, by, at, reason)


def acts(con: Connection, alert: str | None = None) -> list[dict[str, Any]]:
    """What was done, oldest first: delivery, alert, destination, act, by, at, reason, error of the failure."""
    sql = """
        SELECT a.delivery, d.alert, d.destination, a.act, a.person AS "by", a.acted_at AS "at", a.reason, a.error
        FROM dead_letter_act a JOIN delivery d ON d.id = a.delivery WHERE d.alert = coalesce(?, d.alert)
        ORDER BY a.acted_at, a.rowid
    """
    return tables.rows(con, sql, [alert])


def _entered(tx: Connection, delivery: Delivery, act: str, by: str, at: datetime, reason: str) -> None:
    tables.put(
        tx, "dead_letter_act", delivery=delivery.id, act=act, person=by, acted_at=at, reason=reason,
        error=delivery.last_error,
    )  # fmt: skip
    audit.append(tx, at, by, f"{act} delivery", delivery.id, reason)
