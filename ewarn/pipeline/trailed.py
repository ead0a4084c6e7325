"""The rows behind signals, down to file and line, kept for as long as nothing is said of them anew.

In: a house, a connection, record ids. Out: what `store.explain.trail` says of them. A row in a segment never changes,
and to find it among millions takes long: the rows of many signals are looked for at once. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from threading import Lock
from typing import Any

from ewarn.pipeline import tallied
from ewarn.pipeline.house import House
from ewarn.store import explain, looking, published

MOST = 20_000
_LOCK = Lock()
_KEPT: dict[tuple[str, str], tuple[tuple[int, int], list[dict[str, Any]]]] = {}


def of(house: House, con: Any, record_ids: Sequence[str], now: datetime) -> list[dict[str, Any]]:
    """One dict per version, by record and version."""
    known, home = tallied.of(house, con, now), str(house.settings.home)
    purged = looking.landed(con)[2]
    marks = {one: (state, purged) for one, state in zip(record_ids, known.states_of(record_ids), strict=True)}
    with _LOCK:
        kept = {one: _KEPT[home, one] for one in marks if (home, one) in _KEPT}
    found = {one: rows for one, (mark, rows) in kept.items() if mark == marks[one]}
    missing = [one for one in marks if one not in found]
    if missing:
        told: dict[str, list[dict[str, Any]]] = {one: [] for one in missing}
        for row in explain.trail(con, house.settings, missing):
            told[row["record_id"]].append(row)
        found |= told
        if published.number(con) >= known.number:  # else the copy may lack what the mark speaks of
            _keep({(home, one): (marks[one], rows) for one, rows in told.items() if rows})
    return [row for one in sorted(found) for row in found[one]]


def _keep(told: dict[tuple[str, str], tuple[tuple[int, int], list[dict[str, Any]]]]) -> None:
    with _LOCK:
        if len(_KEPT) + len(told) > MOST:
            _KEPT.clear()
        _KEPT.update(told)
