"""Source health: how every source stands, beside what its definition expects, and the notices that follow from it.

In: a house, `now`. Out: one SourceFreshness a source; notices to the operator that open when a source fails, is late or
falls silent, and close by themselves when it recovers. Absence of data is told; it never lowers or ends a signal.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from ewarn.catalogue.definitions import FeedDefinition, SourceBase
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import SourceFreshness
from ewarn.rules import silence
from ewarn.store import feed_states, health, operator_notices
from ewarn.terms import LONDON

FAILING, LATE, SILENT, DRIFTING, NEVER = "failing", "late", "silent", "drifting", "never received"
TELL_FAILURES = 3
Connection = Any


def standing(con: Connection, house: House, now: datetime) -> tuple[SourceFreshness, ...]:
    """How every enabled source stands: measured cadence and lag, and its states in words."""
    pulse = {row["source"]: row for row in health.of(con, now).to_dicts()}
    lags, states = health.lags(con, now), feed_states.all(con)
    drifts = _open_drifts(con)
    found = []
    for source in house.catalogue.sources.values():
        if not source.enabled:
            continue
        row = pulse.get(source.id, {})
        words = _words(house, source, row, now) | (
            {DRIFTING: "; ".join(drifts[source.id])} if source.id in drifts else {}
        )
        state = states.get(source.id)
        known = state if isinstance(source, FeedDefinition) and state is not None and state.url == source.url else None
        waiting = known.not_before if known and known.not_before and known.not_before > now else None
        found.append(
            SourceFreshness(
                source=source.id,
                title=source.title,
                last_received_at=row.get("last_received_at"),
                last_new_at=row.get("last_new_at"),
                last_outcome=row.get("last_outcome") or NEVER,
                late=LATE in words or SILENT in words,
                expected_every_hours=source.expected_every_hours,
                states=tuple(words) or (("ok",) if row.get("last_received_at") else (NEVER,)),
                words=tuple(words.values()),
                failures=row.get("failures") or 0,
                cadence_hours=row.get("cadence_hours"),
                lag_days=lags.get(source.id),
                expected_lag_days=source.expected_lag_days,
                asked_again_at=waiting,
                moved_to=known.moved_to if known else "",
            )
        )
    return tuple(found)


def settle(house: House, now: datetime) -> int:
    """Open, tell and close notices as the sources now stand. Returns how many changed; writes only where one does."""
    with house.db.read() as con:
        changes = _changes(con, house, now)
    if changes:
        with house.db.write("source health") as tx:
            for change in changes:
                change(tx)
    return len(changes)


def _changes(con: Connection, house: House, now: datetime) -> list[Callable[[Connection], Any]]:
    pulse = {row["source"]: row for row in health.of(con, now).to_dicts()}
    stand = {(row["source"], row["topic"]): row for row in operator_notices.open(con).iter_rows(named=True)}
    changes: list[Callable[[Connection], Any]] = []
    for source in house.catalogue.sources.values():
        row = pulse.get(source.id, {})
        words = _words(house, source, row, now) if source.enabled else {}
        for topic in (LATE, SILENT):
            if topic in words and stand.get((source.id, topic), {}).get("text") != words[topic]:
                changes.append(_put(now, source.id, words[topic], topic))
        failing = stand.get((source.id, FAILING))
        if failing and not failing["tell"] and (row.get("failures") or 0) >= TELL_FAILURES:
            changes.append(_put(now, source.id, failing["text"], FAILING))
        over = [t for t in (LATE, SILENT, FAILING) if t not in words and (source.id, t) in stand]
        if over:
            changes.append(_close(now, source.id, over))
    return changes


def _put(now: datetime, source: str, text: str, topic: str) -> Callable[[Connection], Any]:
    return lambda tx: operator_notices.put(tx, now, source, text, topic)


def _close(now: datetime, source: str, topics: list[str]) -> Callable[[Connection], Any]:
    return lambda tx: operator_notices.close(tx, now, "ewarn", source=source, topics=topics)


def _words(house: House, source: SourceBase, row: dict[str, Any], now: datetime) -> dict[str, str]:
    """The states a source is in, each in words that stay the same while it is."""
    found: dict[str, str] = {}
    if row.get("failures"):
        times = f"{row['failures']} times since" if row["failures"] > 1 else "at"
        found[FAILING] = (
            f"failed {times} {_local(row['failing_since'])}: {row['last_outcome'].removeprefix('failed: ')}"
        )
    heard, news, expected = row.get("last_received_at"), row.get("last_new_at"), source.expected_every_hours
    if heard is None or not expected:
        return found
    quiet = silence.quiet(heard, news, expected, now, *_multiples(house))
    if quiet is not None:
        found[SILENT] = silence.sentence(source.title, quiet, expected)
    elif news is not None and now >= news + timedelta(hours=expected):
        found[LATE] = (
            f"{source.title} has said nothing new since {_local(news)}; it is expected every {expected:g} hours. "
            f"{silence.NO_ALL_CLEAR}"
        )
    return found


def _multiples(house: House) -> tuple[float, float]:
    """The numbers of the silence rule, so that it and this look agree; its defaults where there is none."""
    rules = [rule for rule in house.catalogue.rules.values() if rule.method == "silence" and rule.enabled]
    return silence.multiples(rules[0]) if rules else (1.0, 2.0)


def _open_drifts(con: Connection) -> dict[str, list[str]]:
    drifts: dict[str, list[str]] = {}
    for row in operator_notices.open(con).iter_rows(named=True):
        if row["topic"].startswith(("drift", "empty")):
            drifts.setdefault(row["source"], []).append(row["text"])
    return drifts


def _local(instant: datetime) -> str:
    return f"{instant.astimezone(LONDON):%-d %b %Y %H:%M}"
