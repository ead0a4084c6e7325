"""Partner by alert: what became of the newest version that each destination has, or why it has none.

One query over the outbox, its receipts, answers, returned mail, nudges and escalations; nothing is written.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl

from ewarn.store import tables
from ewarn.store.tables import Connection

_CELLS = """
WITH chosen AS (SELECT id, version FROM alert WHERE id = coalesce($alert, id) AND created_at >= $since),
first_sent AS (
    SELECT delivery, min(attempted_at) AS sent_at FROM delivery_receipt WHERE state = 'sent' GROUP BY delivery
),
heard AS (SELECT delivery, min(acknowledged_at) AS read_at FROM acknowledgement GROUP BY delivery),
did AS (
    SELECT delivery, min(answered_at) FILTER (act = 'acted') AS acted_at, bool_or(forwarded) AS forwarded
    FROM answer GROUP BY delivery
),
back AS (
    SELECT delivery, min(read_at) FILTER (kind = 'permanent') AS bounced_at,
        min(read_at) FILTER (kind = 'delivered') AS delivered_at, max(words) FILTER (kind = 'permanent') AS bounced
    FROM bounce GROUP BY delivery
),
arrived AS (SELECT delivery, min(checked_at) AS at FROM arrival WHERE status = 'delivered' GROUP BY delivery),
nudged AS (
    SELECT d.alert, d.version, d.destination, min(s.sent_at) AS nudged_at
    FROM delivery d JOIN first_sent s ON s.delivery = d.id WHERE d.nudge GROUP BY ALL
),
told AS (
    SELECT alert, version, destination, min(escalated_at) AS escalated_at, max(told) AS escalated_to
    FROM escalation GROUP BY ALL
),
mine AS (
    SELECT d.* FROM delivery d JOIN chosen c ON c.id = d.alert AND c.version = d.version
    WHERE NOT coalesce(d.nudge, false)
    QUALIFY row_number() OVER (PARTITION BY d.alert, d.destination ORDER BY d.version DESC) = 1
),
cells AS (
    SELECT m.destination, m.alert, m.version, m.channel, m.state AS delivery_state, m.last_error AS reason,
        s.sent_at, coalesce(b.delivered_at, r.at) AS delivered_at, h.read_at, a.acted_at,
        coalesce(a.forwarded, false) AS forwarded, b.bounced_at,
        b.bounced, n.nudged_at, t.escalated_at, coalesce(t.escalated_to, '') AS escalated_to, m.id AS delivery,
        m.standing
    FROM mine m LEFT JOIN first_sent s ON s.delivery = m.id LEFT JOIN heard h ON h.delivery = m.id
    LEFT JOIN did a ON a.delivery = m.id LEFT JOIN back b ON b.delivery = m.id LEFT JOIN arrived r ON r.delivery = m.id
    LEFT JOIN nudged n ON (n.alert, n.version, n.destination) = (m.alert, m.version, m.destination)
    LEFT JOIN told t ON (t.alert, t.version, t.destination) = (m.alert, m.version, m.destination)
),
left_out AS (
    SELECT w.* FROM withheld w JOIN chosen c ON c.id = w.alert AND c.version = w.version
    WHERE NOT EXISTS (SELECT 1 FROM mine m WHERE m.alert = w.alert AND m.destination = w.destination)
    QUALIFY row_number() OVER (PARTITION BY w.alert, w.destination ORDER BY w.version DESC) = 1
)
SELECT destination, alert, version, channel,
    CASE WHEN bounced_at IS NOT NULL THEN 'bounced' WHEN acted_at IS NOT NULL THEN 'acted'
        WHEN read_at IS NOT NULL THEN 'read' WHEN delivery_state = 'sent' AND delivered_at IS NOT NULL THEN 'delivered'
        ELSE delivery_state END AS state,
    sent_at, delivered_at, read_at, acted_at, forwarded, bounced_at, nudged_at, escalated_at, escalated_to,
    coalesce(nullif(reason, ''), bounced, '') AS reason, delivery, standing
FROM cells
UNION ALL BY NAME
SELECT destination, alert, version, '' AS channel, 'withheld' AS state, reason, '' AS delivery, '' AS escalated_to,
    false AS forwarded, '' AS standing FROM left_out
ORDER BY alert, destination
"""


def cells(con: Connection, alert: str | None, since: datetime) -> pl.DataFrame:
    """One row per destination and alert that it was to get: state, instants (UTC), reason where it went wrong."""
    return con.execute(_CELLS, {"alert": alert, "since": since}).pl()


def unread(con: Connection) -> pl.DataFrame:
    """What arrived and was not answered: one row per delivery of the newest version a destination has.

    alert, version, destination, delivery, sent_at, nudged (one is written), escalated_at.
    """
    sql = """
        WITH first_sent AS (
            SELECT delivery, min(attempted_at) AS sent_at FROM delivery_receipt WHERE state = 'sent' GROUP BY delivery
        ),
        mine AS (
            SELECT * FROM delivery WHERE alert <> '' AND NOT coalesce(nudge, false)
            QUALIFY row_number() OVER (PARTITION BY alert, destination ORDER BY version DESC) = 1
        ),
        again AS (SELECT alert, version, destination FROM delivery WHERE nudge GROUP BY ALL)
        SELECT m.alert, m.version, m.destination, m.id AS delivery, s.sent_at, n.alert IS NOT NULL AS nudged,
            e.escalated_at
        FROM mine m JOIN first_sent s ON s.delivery = m.id
        LEFT JOIN again n ON (n.alert, n.version, n.destination) = (m.alert, m.version, m.destination)
        LEFT JOIN escalation e ON (e.alert, e.version, e.destination) = (m.alert, m.version, m.destination)
        WHERE m.state = 'sent' AND NOT EXISTS (SELECT 1 FROM acknowledgement a WHERE a.delivery = m.id)
            AND NOT EXISTS (SELECT 1 FROM bounce b WHERE b.delivery = m.id AND b.kind = 'permanent')
        ORDER BY s.sent_at, m.destination
    """
    return tables.frame(con, sql)
