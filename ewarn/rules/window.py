"""Windows: at least n persons (or records) within a length of time in one area, its surroundings, or one place.

In: the ground. Out: spells. A window rolls over the times events happened and is triggered by one of them becoming
known, in whatever order; 20:00 to 06:00 is one night. A row with a date alone could have been at any time of its day.
It never counts a record that was too old when it became known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.frames import empty, spelt
from ewarn.matching.persons import Reports
from ewarn.methods.chance import in_words
from ewarn.rules import events
from ewarn.rules.baseline import DAY_US
from ewarn.rules.episodes import EPISODE_GAP_DAYS
from ewarn.rules.firing import ACUTE, Firing, Plan, firings
from ewarn.rules.persons import Crowd, Events, Judged
from ewarn.rules.prepare import FAR, SUBJECT, Ground, number, place, plural, words
from ewarn.rules.raised import unlikely

HOUR_US = DAY_US // 24
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FAR_US = int((FAR - EPOCH) / timedelta(microseconds=1))


def spells(rule: RuleDefinition, ground: Ground, since: datetime) -> pl.DataFrame:
    """Spells of windows: all that stand after `since`, and those before which the same episode could have begun with.

    Numbers: `n`; `hours` or `days`; `scope` area | neighbours | region | setting; `outcome` any | fatal | ...; `alpha`
    .001 and `min_history_days` 180: with that much history the window must also be this unlikely; `max_history_days`
    730; `least_share` 0, of a place below which a record does not count there; `settings`; `count` persons | records.
    An `alpha` of 1 leaves the minimum alone.
    """
    told, rows = events.told(rule, ground), events.of(rule, ground)
    over = ["stratum", *SUBJECT]
    plan = _plan(rule, ground, rows.group_by(over).agg(pl.col("seen").min())["seen"].sort().to_numpy())
    rows = rows.filter(pl.col("persons").sum().over(over) >= plan.n)
    if rows.is_empty():
        return empty("spells")
    asked = int((since - EPOCH) / timedelta(microseconds=1))
    earliest = asked - 2 * plan.stands - (EPISODE_GAP_DAYS + 1) * DAY_US
    found = []
    for stratum in _strata(rows.sort(*over, "start", "record", "seen"), over, told, plan, ground.links):
        found += [_row(rule, ground, stratum, firing, plan) for firing in firings(stratum.crowd, plan, earliest)]
    kept = _one_area_each(found) if plan.scope != "setting" else found
    return spelt(kept)


def _plan(rule: RuleDefinition, ground: Ground, strata: NDArray[np.int64]) -> Plan:
    hours = number(rule, "hours", 24 * number(rule, "days", 1))
    known_at, earliest = _history(rule, ground)
    window = int(hours * HOUR_US)
    return Plan(
        n=int(number(rule, "n", 2)),
        window=window,
        stands=max(window, int(rule.fires_for_days * DAY_US)),
        alpha=number(rule, "alpha", 0.001),
        min_history=int(number(rule, "min_history_days", 180) * DAY_US),
        max_history=int(number(rule, "max_history_days", 730) * DAY_US),
        scope=words(rule, "scope", "area"),
        by_records=words(rule, "count", "persons") == "records",
        known_at=known_at,
        earliest=earliest,
        strata=strata,
    )


def _history(rule: RuleDefinition, ground: Ground) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Instants, and since which date every kind of line that the rule counts was told of, of those known then."""
    starts = events.history_start(ground).filter(pl.col("kind").is_in([kind.value for kind in rule.kinds]))
    instants = starts["seen"].unique().sort().to_numpy()
    since = np.full(instants.size, np.iinfo(np.int64).min)
    for _, known in starts.group_by("kind"):
        at = np.searchsorted(known["seen"].to_numpy(), instants, side="right") - 1
        begun = np.where(at >= 0, known["earliest"].to_numpy()[np.maximum(at, 0)], since)
        since = np.maximum(since, begun)
    return instants, since


def _arrays(frame: pl.DataFrame, told: events.Told, plan: Plan) -> Events:
    """The rows as events; where records are counted, each stands for one person and none is a running total."""
    young = pl.col("start") + (pl.col("max_age_days").cast(pl.Int64) + 1) * DAY_US
    reports = told.reports.at(frame["row"].to_numpy())
    counted = {"persons": np.ones(len(reports)), "cumulative": np.zeros(len(reports), dtype=np.bool_)}
    given = {name: getattr(reports, name) for name in Reports.__dataclass_fields__}
    return Events(
        **(given | counted if plan.by_records else given),
        day=frame["ref_day"].to_numpy(),
        seen=frame["seen"].to_numpy(),
        gone=frame["gone"].to_numpy(),
        share=frame["share"].to_numpy(),
        trigger=frame["trigger"].to_numpy(),
        certain=frame["certain"].fill_null(False).to_numpy(),
        young=frame.select(young).to_series().to_numpy(),
    )


@dataclass(frozen=True)
class Stratum:
    """What the words of a spell need of the rows behind it, by position."""

    subject_kind: str
    subject: str
    name: str
    area: list[str]
    tier: list[str]
    record: list[str]
    crowd: Crowd

    @property
    def rows(self) -> Events:
        return self.crowd.events

    def area_of(self, members: NDArray[np.int64], plan: Plan) -> tuple[str, str]:
        """The stratum's area; of one place, the area its events most likely lie in (ties: lower code)."""
        if plan.scope != "setting":
            return self.area[members[0]], self.tier[members[0]]
        shares: dict[tuple[str, str], float] = {}
        for i in members:
            key = (self.area[i], self.tier[i])
            shares[key] = shares.get(key, 0.0) + float(self.rows.share[i])
        return min(shares, key=lambda key: (-round(shares[key], 9), key))


def _strata(
    frame: pl.DataFrame, over: list[str], told: events.Told, plan: Plan, links: pl.DataFrame
) -> Iterator[Stratum]:
    """The strata of rows sorted by stratum and start; columns become arrays once for all of them."""
    rows = _arrays(frame, told, plan)
    record = [told.record_ids[row] for row in frame["row"].to_list()]
    code = dict(zip(record, rows.record.tolist(), strict=True)) if links.height else {}
    names = ("subject_kind", "subject", "stratum", "area", "tier")
    kind, subject, name, area, tier = (frame[column].to_list() for column in names)
    high = 0
    for size in frame.group_by(over, maintain_order=True).len()["len"].to_list():
        low, high = high, high + size
        yield Stratum(
            subject_kind=kind[low],
            subject=subject[low],
            name=name[low],
            area=area[low:high],
            tier=tier[low:high],
            record=record[low:high],
            crowd=Crowd(
                rows.at(np.arange(low, high)), Judged.of(links, {r: code[r] for r in record[low:high] if code})
            ),
        )


def _row(rule: RuleDefinition, ground: Ground, stratum: Stratum, firing: Firing, plan: Plan) -> dict[str, Any]:
    """A spell, with what `_one_area_each` needs under a name with a leading underscore."""
    members, rows = firing.members, stratum.rows
    area, tier = stratum.area_of(members, plan)
    records = sorted({stratum.record[i] for i in members})
    certain = len({stratum.record[i] for i in members if rows.certain[i]})
    p_value = firing.expectation.tail(firing.likely) if firing.expectation else None
    upper = firing.expectation.critical(plan.alpha) if firing.expectation and plan.alpha < 1 else None
    first, last = _day(rows.day[members].min()), _day(rows.day[members].max())
    said = f"{_what(rule, ground, stratum, firing, plan, area)}, {_dates(first, last)}."
    return {
        "rule": rule.id,
        "subject_kind": stratum.subject_kind,
        "subject": stratum.subject,
        "area": area,
        "tier": tier,
        "strand": stratum.name if plan.scope == "setting" else None,
        "fires_from": _instant(firing.fires_from),
        "fires_to": _instant(firing.fires_to),
        "period_start": first,
        "period_end": last,
        "observed": float(firing.likely),
        "expected": round(firing.expectation.mean, 4) if firing.expectation else None,
        "upper_bound": float(upper) if upper is not None else None,
        "p_value": p_value,
        "by_chance_per_year": plan.by_chance(firing),
        "certain": certain,
        "persons_min": None if plan.by_records else firing.fewest,
        "persons_max": None if plan.by_records else firing.most,
        "records": records,
        "why": " ".join([said, *_caveats(firing, plan, p_value, rows, certain, len(records))]),
        "would_have_stopped_it": f"Fewer than {max(plan.n, upper or 0)} {_nouns(rule, plan)[1]} in {_length(plan)}.",
        "_share": float((rows.share[members] * rows.persons[members]).sum()),
    }


def _nouns(rule: RuleDefinition, plan: Plan) -> tuple[str, str]:
    fatal = words(rule, "outcome", "any") == "fatal"
    return ("record", "records") if plan.by_records else ("death", "deaths") if fatal else ("person", "persons")


def _what(rule: RuleDefinition, ground: Ground, stratum: Stratum, firing: Firing, plan: Plan, area: str) -> str:
    """'12 persons within 24 hours in Camden'."""
    one, many = _nouns(rule, plan)
    count = plural(firing.fewest, one, many)
    if firing.most > firing.fewest:
        count = f"{firing.fewest} to {firing.most} {many}"
    what = f" with {ground.catalogue.name_of(stratum.subject)}" if stratum.subject else ""
    where = {"setting": "in one place in ", "neighbours": "in and around "}.get(plan.scope, "in ")
    return f"{count}{what} within {_length(plan)} {where}{place(ground.catalogue, area)}"


def _caveats(
    firing: Firing, plan: Plan, p_value: float | None, rows: Events, certain: int, records: int
) -> Iterator[str]:
    by_chance = plan.by_chance(firing)
    if firing.expectation and p_value is not None and by_chance is not None:
        looked = int(np.searchsorted(plan.strata, firing.fires_from, side="right"))
        yield f"Expected {firing.expectation.mean:.2g}. {unlikely(p_value)} Over {plural(looked, 'stratum', 'strata')}"
        yield f"chance brings such a window {in_words(by_chance)} at most."
    else:
        yield "Too little history to say how unlikely: raised on the minimum count alone."
    if firing.fewest < plan.n and not plan.by_records:
        yield "Rows of different services that name the same day and no time may be of the same persons."
    if certain < records:
        yield f"Certainly there: {certain} of {plural(records, 'record')}."
    if plan.window <= ACUTE and (rows.start[firing.members] < rows.end[firing.members]).any():
        yield "Some rows give a date without a time and count as possible."


def _day(number: Any) -> date:
    return date(1970, 1, 1) + timedelta(days=int(number))


def _dates(first: date, last: date) -> str:
    def said(day: date) -> str:
        return f"{day.day} {day:%b %Y}"

    return said(first) if first == last else f"{said(first)} to {said(last)}"


def _length(plan: Plan) -> str:
    hours = plan.window / HOUR_US
    return f"{hours:g} hours" if hours <= 96 else f"{hours / 24:g} days"


def _instant(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=min(microseconds, FAR_US))


def _one_area_each(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One event's becoming known names one area: the one most of its persons lie in by share (ties: lower code).

    A window in another area stays only when it holds a record that the named one does not.
    """
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in found:
        groups.setdefault((row["fires_from"], row["tier"], row["subject_kind"], row["subject"]), []).append(row)
    kept: list[dict[str, Any]] = []
    for rows in groups.values():
        chosen: list[dict[str, Any]] = []
        for row in sorted(rows, key=lambda r: (-round(r["_share"], 9), r["area"], r["records"])):
            mine = set(row["records"])
            if not any(other["area"] != row["area"] and mine <= set(other["records"]) for other in chosen):
                chosen.append(row)
        kept += chosen
    return kept
