"""People twice: which records may tell of the same persons, and what named people said of them.

In: a house, line lists as known, `now`. Out: links as they stand. Links never merge records: a probable one lowers the
fewest persons, a confirmed one the most, a rejected one raises the fewest again.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import polars as pl

from ewarn.assess import cases as casebook
from ewarn.assess import decide
from ewarn.errors import UsageFault
from ewarn.frames import Lines
from ewarn.matching import persons
from ewarn.pipeline import casework, corrections
from ewarn.pipeline.house import House
from ewarn.pipeline.identity import proved
from ewarn.pipeline.reports import Actor
from ewarn.store import cases, lines, links
from ewarn.store.links import Found
from ewarn.terms import PersonRole, RecordKind, Tier, london_day

MAY_JUDGE = (PersonRole.DUTY, PersonRole.PANEL, PersonRole.COORDINATOR)
AT = ["record_id", "version"]


def propose(house: House, known: Lines, now: datetime) -> tuple[int, int]:
    """Enter what the rule finds among the incidents young enough to count, and let lapse what it no longer finds.

    Returns how many links were entered and how many lapsed; nothing is written where nothing changed.
    """
    rows = _incidents(known, now)
    if rows.height < 2:
        return 0, 0
    with house.db.read() as con:
        standing = {(r["left"], r["right"]): r["state"] for r in links.all(con)}
    found, considered = _found(rows), rows["record_id"].to_list()
    paired = {(f.left, f.right) for f in found}
    fresh = any(standing.get(pair, links.LAPSED) == links.LAPSED for pair in paired)
    stale = any(
        state == links.PROBABLE and pair not in paired and set(pair) <= set(considered)
        for pair, state in standing.items()
    )
    if not fresh and not stale:
        return 0, 0
    with house.db.write("links") as tx:
        return links.propose(tx, found, considered, now)


def list_links(
    house: House, now: datetime, state: str | None = None, record: str | None = None, case: str | None = None
) -> list[dict[str, Any]]:
    """Links as they stand and those the rule finds now; of one record (the first characters of its id) or one case."""
    with house.db.read() as con:
        wanted = _of_case(con, case) if case else None
        stored = links.all(con)
        known = lines.as_known(con, casework.ages(house), until=now)
    ids = {row["id"] for row in stored}
    new = [_as_found(f, now) for f in _found(_incidents(known, now)) if f.id not in ids]
    areas = _areas(house, known)
    rows = [row | {"area": areas.get(row["left"]) or areas.get(row["right"]) or ""} for row in [*new, *stored]]
    return [
        row
        for row in rows
        if (state is None or row["state"] == state)
        and (wanted is None or {row["left"], row["right"]} <= wanted)
        and (record is None or any(row[side].startswith(record) for side in ("left", "right")))
    ]


def judge(house: House, link: str, state: str, why: str, actor: Actor, now: datetime) -> dict[str, Any]:
    """A person confirms or rejects a link, by the first characters of its id. Raises: UsageFault, Refused."""
    matching = [row for row in list_links(house, now) if row["id"].startswith(link)] if link else []
    if len(matching) != 1:
        raise UsageFault(
            f"{'more than one link has' if matching else 'no link has'} an id that begins with '{link}'",
            next_step="Copy the id from 'ewarn links list'.",
        )
    return _judged(house, Found(*(matching[0][name] for name in Found._fields)), state, why, actor, now)


def add(house: House, one: str, other: str, why: str, actor: Actor, now: datetime) -> dict[str, Any]:
    """A person says of two records that no rule links that they tell of the same persons."""
    with house.db.read() as con:
        known = lines.as_known(con, casework.ages(house), until=now)
    incidents = known.lines.filter((pl.col("kind") == RecordKind.INCIDENT) & pl.col("visible_to").is_null())
    ids = [_record(incidents["record_id"].to_list(), start) for start in (one, other)]
    if ids[0] == ids[1]:
        raise UsageFault("a record cannot be linked with itself", next_step="Name two records.")
    left, right = sorted(ids)
    return _judged(house, Found(left, right, "duplicate", links.BY_HAND, ""), links.CONFIRMED, why, actor, now)


def _record(ids: Collection[str], start: str) -> str:
    found = sorted({record for record in ids if record.startswith(start)})
    if len(found) != 1:
        raise UsageFault(
            f"{'more than one incident has' if found else 'no incident has'} an id that begins with '{start}'",
            next_step="Copy the id from 'ewarn explain' or 'ewarn links list'.",
        )
    return found[0]


def _judged(house: House, found: Found, state: str, why: str, actor: Actor, now: datetime) -> dict[str, Any]:
    if not why.strip():
        raise UsageFault("a link is judged with a reason", where=found.id, next_step="Say why: --why TEXT.")
    with house.db.write("link") as tx:
        person = proved(tx, actor)
        known = lines.as_known(tx, casework.ages(house), until=now)
        area = _areas(house, known, names=False).get(found.left) or house.settings.home_area
        decide.demand(person, MAY_JUDGE, house.own(area), house.catalogue, "judge this link")
        row = links.judge(tx, found, state, person.id, why.strip(), now)
        words = f"records {found.left[:8]} and {found.right[:8]} {state} as the same persons: {why.strip()}"
        for case in cases.all(tx):
            if {found.left, found.right} <= casebook.records_of(case):
                cases.act(tx, case.ref, now, "linked records", person.id, words)
        corrections.ask(tx, house, {found.left, found.right}, now, f"two records {state} as the same persons")
    return row


def _of_case(con: Any, ref: str) -> set[str]:
    case = cases.load(con, ref)
    if case is None:
        raise UsageFault(f"there is no case '{ref}'", next_step="See 'ewarn cases list'.")
    return casebook.records_of(case)


def _incidents(known: Lines, now: datetime) -> pl.DataFrame:
    """Incidents as they stand, young enough to raise a cluster, as reports of persons."""
    age = (pl.lit(london_day(now)) - pl.col("reference_date")).dt.total_days()
    young = known.lines.filter(
        (pl.col("kind") == RecordKind.INCIDENT) & pl.col("visible_to").is_null() & (age <= pl.col("max_age_days"))
    )
    day = pl.col("visible_from").dt.convert_time_zone("Europe/London").dt.date()
    could = known.places.filter((pl.col("tier") == Tier.BOROUGH) & (pl.col("share").fill_null(1) > 0))
    areas = could.group_by(AT).agg(areas=pl.col("area").unique().sort().str.join(" "))
    return persons.told(young.with_columns(day=day).join(areas, on=AT, how="left").sort("record_id"))


def _found(rows: pl.DataFrame) -> list[Found]:
    ids = rows["record_id"].to_list()
    return [Found(ids[link.left], ids[link.right], link.kind, link.rule, link.reason) for link in persons.links(rows)]


def _as_found(found: Found, now: datetime) -> dict[str, Any]:
    told = {"id": found.id, "version": 0, "state": links.PROBABLE, "who": "ewarn", "why": "", "linked_at": now}
    return told | found._asdict()


def _areas(house: House, known: Lines, *, names: bool = True) -> dict[str, str]:
    """Record -> the area it most likely lies in."""
    current = known.lines.filter(pl.col("visible_to").is_null()).select(AT)
    best = known.places.join(current, on=AT).sort(["share", "area"], descending=[True, False], nulls_last=True)
    best = best.unique("record_id", keep="first", maintain_order=True)
    return {
        r: house.catalogue.area_ref(a).name if names else a for r, a in best.select("record_id", "area").iter_rows()
    }
