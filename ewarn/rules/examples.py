"""Worked examples of rule files, run as they stand in the file.

In: a rule with its [[example]] blocks and the catalogue. Out: the signals each gives, and what is wrong with it in
words. Day 0 is Monday 1 January 2024; a row with an hour is known at once, one without at 00:00 of its (known) day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import Example, ExampleRow, RuleDefinition
from ewarn.frames import SHAPES, Lines
from ewarn.rules import signals
from ewarn.rules.evaluate import evaluate
from ewarn.rules.signals import Evaluation
from ewarn.terms import UK, MentionKind, RecordKind, Role, Signal, day_end, day_start

MONDAY = date(2024, 1, 1)


def faults(rule: RuleDefinition, catalogue: Catalogue) -> list[str]:
    """What the rule's examples say that the rule does not do; empty when all hold."""
    return [
        f"{rule.id}: example '{example.title}': {fault}"
        for example in rule.examples
        for fault in _faults(rule, example, catalogue)
    ]


def run(rule: RuleDefinition, example: Example, catalogue: Catalogue) -> tuple[Evaluation, list[Signal]]:
    """The evaluation of one example and its signals at the end of `as_of_day`, the ones beneath included."""
    instant = day_end(_day(example.as_of_day))
    evaluation = evaluate([rule], lines(example.rows, catalogue), instant, catalogue, health=_health(rule, example))
    raised = signals.at(evaluation, instant)
    return evaluation, [s for top in raised for s in (top, *top.beneath)]


def lines(rows: tuple[ExampleRow, ...], catalogue: Catalogue) -> Lines:
    """The line lists that example rows stand for."""
    listed: list[dict[str, Any]] = []
    mentions: list[dict[str, Any]] = []
    places: list[dict[str, Any]] = []
    cells: list[dict[str, Any]] = []
    for number, row in enumerate(_repeated(rows)):
        header = _header(row, f"example-{number:04d}")
        if row.kind is RecordKind.COUNT:
            area = _places(row.area, catalogue)[0]
            cells.append(header | _cell(row) | {"area": area["area"], "tier": area["tier"]})
            continue
        listed.append(header | _line(row, catalogue))
        at = {"record_id": header["record_id"], "version": 1}
        together = (row.substance, *row.found_with) if row.substance else ()
        mentions += [at | _mention(row.model_copy(update={"substance": name}), catalogue) for name in together]
        places += [at | place for place in _places(row.area, catalogue)]
    return Lines(
        lines=_frame("lines", listed),
        mentions=_frame("line_mentions", mentions),
        places=_frame("line_places", places),
        counts=_frame("line_counts", cells),
    )


def _faults(rule: RuleDefinition, example: Example, catalogue: Catalogue) -> Iterator[str]:
    evaluation, raised = run(rule, example, catalogue)
    if example.not_evaluable and not evaluation.not_evaluable:
        yield "should be not evaluable, and has an answer"
    if not example.fires and raised:
        yield f"must not fire, and says: {raised[0].why}"
    if not example.fires:
        return
    fitting = [s for s in raised if example.subject in (None, s.subject.id) and example.area in (None, s.area.code)]
    if not fitting:
        yield f"should fire, and gives {[(s.subject.id, s.area.code) for s in raised] or 'nothing'}"
    elif example.observed is not None and all(s.observed != example.observed for s in fitting):
        yield f"should observe {example.observed:g}, and observes {[s.observed for s in fitting]}"


def _repeated(rows: tuple[ExampleRow, ...]) -> Iterator[ExampleRow]:
    for row in rows:
        for i in range(row.count):
            shift = i * row.every_days
            later = None if row.known_day is None else row.known_day + shift
            yield row.model_copy(update={"day": row.day + shift, "known_day": later})


def _day(number: int) -> date:
    return MONDAY + timedelta(days=number)


def _instant(row: ExampleRow) -> datetime | None:
    return None if row.hour is None else day_start(_day(row.day)) + timedelta(hours=row.hour)


def _header(row: ExampleRow, record: str) -> dict[str, Any]:
    known = _day(row.day if row.known_day is None else row.known_day)
    at_once = _instant(row) if row.known_day is None else None
    return {
        "record_id": record,
        "version": 1,
        "source": "example",
        "kind": row.kind.value,
        "reference_date": _day(row.day),
        "reference_at": _instant(row),
        "known_date": known,
        "visible_from": at_once or day_start(known),
        "retracted": False,
        "max_age_days": 180,
    }


def _line(row: ExampleRow, catalogue: Catalogue) -> dict[str, Any]:
    resolved = row.sold_as if row.sold_as in catalogue.substances or row.sold_as in catalogue.classes else None
    return {
        "organisation": f"{row.stream or 'example'} service",
        "stream": row.stream or None,
        "sold_as": row.sold_as or None,
        "sold_as_subject": resolved,
        "form": row.form or None,
        "colour": row.colour or None,
        "label": row.label or None,
        "outcome": row.outcome,
        "persons": row.persons,
        "cumulative": False,
        "setting": row.setting or None,
        "place_label": row.place_label or None,
        "title": row.title or None,
        "notice_kind": "alert",
    }


def _mention(row: ExampleRow, catalogue: Catalogue) -> dict[str, Any]:
    role = Role.NAMED.value if row.kind is RecordKind.NOTICE else row.role
    kind, subject, class_id = MentionKind.QUEUED, None, None
    if row.substance in catalogue.substances:
        kind, subject, class_id = MentionKind.SUBSTANCE, row.substance, catalogue.class_of[row.substance]
    elif row.substance in catalogue.classes:
        kind, subject, class_id = MentionKind.CLASS, row.substance, row.substance
    elif row.substance in catalogue.statuses:
        kind, subject = MentionKind.STATUS, row.substance
    else:
        endings = ((c.id, e) for c in catalogue.classes.values() for e in c.stem_endings)
        class_id = next((c for c, e in endings if row.substance.lower().endswith(e)), None)
    return {
        "ordinal": 0,
        "role": role,
        "mention_kind": kind.value,
        "subject": subject,
        "class_id": class_id,
        "as_written": row.substance,
        "matched": subject,
        "concentration": row.concentration,
        "unit": row.unit or None,
    }


def _places(written: str, catalogue: Catalogue) -> list[dict[str, Any]]:
    """Areas of a GSS code or an outward code; anything else is somewhere in the UK."""
    known = catalogue.areas.filter(pl.col("code") == written)
    if known.height:
        tier = known["tier"][0]
        return [{"area": written, "tier": tier, "share": 1.0, "certain": True, "precision": "area code"}]
    tiers = dict(catalogue.areas.select("code", "tier").iter_rows())
    shares = list(catalogue.outcodes.filter(pl.col("outcode") == written).select("area", "share").iter_rows())
    placed = [{"area": a, "tier": tiers.get(a, "borough"), "share": s, "certain": len(shares) == 1} for a, s in shares]
    return placed or [{"area": UK, "tier": "uk", "share": 1.0, "certain": True, "precision": "unplaced"}]


def _cell(row: ExampleRow) -> dict[str, Any]:
    return {
        "indicator": row.indicator or "example",
        "period_days": max(1, row.every_days),
        "value_text": "*" if row.value is None else f"{row.value:g}",
        "value": row.value,
        "suppressed": row.value is None,
    }


def _health(rule: RuleDefinition, example: Example) -> pl.DataFrame | None:
    """For silence rules: each row is a receipt of the source its title names."""
    if rule.method != "silence":
        return None
    received: dict[str, datetime] = {}
    for row in _repeated(example.rows):
        at = _instant(row) or day_start(_day(row.day))
        received[row.title] = max(at, received.get(row.title, at))
    rows = [{"source": s, "last_received_at": t, "last_new_at": t, "last_outcome": "ok"} for s, t in received.items()]
    return _frame("source_health", rows)


def _frame(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    full = [{column: row.get(column) for column in SHAPES[name]} for row in rows]
    return pl.DataFrame(full, schema=SHAPES[name])
