"""The text of a row or an entry as it came, for a person with the right to see it.

In: a house, which positions of which snapshots, who asks. Out: the text of each, read from the restricted store at that
moment and kept nowhere else. That somebody looked, and where, is written to the audit chain; what they saw is not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ewarn import intake as intake_room
from ewarn.errors import EwarnError
from ewarn.pipeline import identity
from ewarn.pipeline.house import House
from ewarn.pipeline.landing import definition_of
from ewarn.pipeline.reports import Actor
from ewarn.store import audit, snapshots
from ewarn.terms import PersonRole

READERS = (PersonRole.DUTY, PersonRole.COORDINATOR, PersonRole.ADMINISTRATOR)


def shown(
    house: House, rows: Sequence[dict[str, Any]], now: datetime, actor: Actor | None = None
) -> list[dict[str, Any]]:
    """The rows with `raw` as it came, or why it cannot be read. In: each with source, snapshot and position.

    Once an administrator is registered: only for duty officers, coordinators and administrators. Raises: Refused.
    """
    with house.db.read() as con:
        identity.demand_keeper(con, actor, READERS, "read raw text")
        by = identity.proved(con, actor).id if actor else "ewarn"
    asked: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        asked[row["source"], row["snapshot"]].add(row["position"] or "")
    with house.db.write("raw text read") as tx:
        for (source, sha256), positions in asked.items():
            audit.append(tx, now, by, "read raw text", f"{source} {sha256}", sorted(positions))
    found = {name: _texts(house, *name, positions) for name, positions in asked.items()}
    return [row | {"raw": found[row["source"], row["snapshot"]].get(row["position"] or "", "")} for row in rows]


def _texts(house: House, source: str, sha256: str, positions: set[str]) -> dict[str, str]:
    """position -> text. A snapshot that cannot be read gives the reason at every position."""
    try:
        definition, body = definition_of(house, source), snapshots.body(house.settings, sha256)
        texts: dict[str, str] = {}
        for line in snapshots.receipts(house.settings):
            if (line.source, line.sha256) == (source, sha256) and line.kind in ("receipt", "replay"):
                texts |= intake_room.raw_at(
                    definition, body, positions - set(texts), house.catalogue,
                    received_at=line.received_at, member=line.member,
                )  # fmt: skip
            if positions <= set(texts):
                break
    except EwarnError as error:
        return dict.fromkeys(positions, f"({error})")
    return texts
