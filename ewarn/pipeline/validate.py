"""VALIDATE: line lists to signals. The ad-hoc check, the scheduled detection, the back-test, and the way back to a row.

In: a house, the instant asked about. Out: signals and the rules that had no answer. Detection and back-test read the
same spells, so that a signal has one id in both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.errors import UsageFault
from ewarn.frames import Lines
from ewarn.pipeline import casework, handling, links
from ewarn.pipeline.asking import area_code, subject_id
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import BacktestReport, DetectReport, Trail
from ewarn.rules import BROKEN, Evaluation, evaluate
from ewarn.rules import signals as signal_room
from ewarn.store import explain as trails
from ewarn.store import health, lines, operator_notices
from ewarn.store import signals as kept
from ewarn.store import standing as standings
from ewarn.terms import Signal, day_end, day_start, days_between, digest, london_day

LIVE_WITHIN_HOURS = 24


def detect(
    house: House,
    now: datetime,
    as_of: datetime | None = None,
    rule: str | None = None,
    area: str | None = None,
    substance: str | None = None,
    dry_run: bool = False,
) -> DetectReport:
    """The signals standing at `as_of` (default: now), as it was known then.

    Unless `dry_run`, new and grown signals are kept and join cases; the duty rota is paged when as_of lies within a
    day of now (history asked about wakes nobody). Raises: UsageFault for unknown ids.
    """
    instant = as_of or now
    rules = rules_of(house, rule)
    area, substance = area_code(house, area), subject_id(house, substance)
    found, evaluation, known = _evaluate(house, rules, instant)
    found = asked(house, found, area, substance)
    marking, conditions = handling.together(found)
    report = DetectReport(
        marking=marking,
        conditions=conditions,
        as_of=instant,
        content_hash=house.catalogue.content_hash,
        signals=tuple(found),
        not_evaluable=tuple(evaluation.not_evaluable),
        dry_run=dry_run,
    )
    if dry_run:
        return report
    if as_of is None:
        links.propose(house, known, now)
    done = _keep(house, report, known, now)
    if as_of is None and rule is None and area is None and substance is None:
        _keep_standing(house, report)
    return done


def _keep_standing(house: House, report: DetectReport) -> None:
    """Keep the whole answer for those who only look, where it is news."""
    told = report.model_copy(update={"dry_run": True})
    said = digest(told.model_dump(mode="json", exclude={"as_of"}))
    with house.db.read() as con:
        news = standings.is_news(con, told.as_of, said)
    if news:
        with house.db.write("standing") as tx:
            standings.keep(tx, told.as_of, told.content_hash, said, told.model_dump_json())


def _evaluate(
    house: House, rules: Sequence[RuleDefinition], instant: datetime
) -> tuple[list[Signal], Evaluation, Lines]:
    with house.db.read() as con:
        known = lines.as_known(con, casework.ages(house), until=instant)
        pulse = health.of(con, instant)
    evaluation = evaluate(rules, known, instant, house.catalogue, health=pulse)
    found = signal_room.at(evaluation, instant, house.catalogue, rules)
    found = handling.on_signals(house, found, known)
    return [s.model_copy(update={"standing": house.settings.standing}) for s in found], evaluation, known


def _keep(house: House, report: DetectReport, known: Lines, now: datetime) -> DetectReport:
    """Signals, cases and pages in one transaction."""
    broken = [n for n in report.not_evaluable if n.reason.startswith(BROKEN)]
    with house.db.read() as con:
        if not broken and kept.told(con, report.signals):
            return report
    live = abs((now - report.as_of).total_seconds()) <= LIVE_WITHIN_HOURS * 3600
    with house.db.write("detect") as tx:
        for rule in broken:
            operator_notices.put(tx, now, rule.rule, rule.reason)
        evaluation = kept.evaluation(tx, now, report.as_of, report.content_hash, "live" if live else "ad hoc")
        changes = kept.save(tx, report.signals, evaluation, now)
        moved: list[tuple[Literal["new", "grown"], Signal]] = [("new", s) for s in changes.new]
        moved += [("grown", s) for s in changes.grown]
        placed, pages = casework.place(tx, house, moved, known, now, live=live)
    house.db.publish()
    return report.model_copy(
        update={
            "new": tuple(s.id for s in changes.new),
            "cases": tuple(dict.fromkeys(change.case.ref for change in placed)),
            "pages": tuple(page.id for page in pages),
        }
    )


class LookedBack(NamedTuple):
    """One evaluation over a stretch of the past, and the line lists it read."""

    start: date
    end: date
    evaluation: Evaluation
    known: Lines


def backtest(
    house: House,
    start: date,
    end: date,
    rule: str | None = None,
    area: str | None = None,
    substance: str | None = None,
    history_from: date | None = None,
    progress: Callable[[str], Any] | None = None,
) -> BacktestReport:
    """What today's rules would have said, one evaluation a day at 23:59:59 Europe/London, bounds inclusive.

    A rule named is asked even where it is switched off. Each signal once, with the first day in the range on which it
    was raised; signals raised before the range are left out. Records known before `history_from` play no part. Writes
    nothing.
    """
    area, substance = area_code(house, area), subject_id(house, substance)
    rules = [tried.model_copy(update={"enabled": True}) for tried in rules_of(house, rule)]
    looked = look_back(house, rules, start, end, history_from, progress)
    return said_then(house, looked, area, substance)


def look_back(
    house: House,
    rules: Sequence[RuleDefinition],
    start: date,
    end: date,
    history_from: date | None = None,
    progress: Callable[[str], Any] | None = None,
) -> LookedBack:
    """The spells of the rules over a range of days, as it was known then. Raises: UsageFault."""
    if end < start:
        raise UsageFault("the range ends before it begins", next_step="Give --from a day not after --to.")
    since = day_start(history_from) if history_from else None
    if progress:
        progress("reading line lists")
    with house.db.read() as con:
        known = lines.as_known(con, casework.ages(house), until=day_end(end), since=since)
        pulse = health.of(con, day_end(end))
    if progress:
        progress("evaluating")
    evaluation = evaluate(rules, known, day_end(end), house.catalogue, since=day_start(start), health=pulse)
    return LookedBack(start, end, evaluation, known)


def said_then(
    house: House, looked: LookedBack, area: str | None = None, substance: str | None = None
) -> BacktestReport:
    """The signals first raised on each day of the range."""
    days = days_between(looked.start, looked.end)
    found = signal_room.over(looked.evaluation, days, house.catalogue, looked.evaluation.rules)
    found = handling.on_signals(house, found, looked.known)
    found = [s.model_copy(update={"standing": house.settings.standing}) for s in found]
    found = asked(house, found, area, substance)
    marking, conditions = handling.together(found)
    return BacktestReport(
        marking=marking,
        conditions=conditions,
        start=looked.start,
        end=looked.end,
        content_hash=house.catalogue.content_hash,
        signals=tuple(found),
        not_evaluable=tuple(looked.evaluation.not_evaluable),
        days=len(days),
        signals_per_week=round(len(found) / len(days) * 7, 3),
    )


def explain(house: House, signal_id: str, now: datetime) -> Trail:
    """A signal down to the raw rows behind it, by its id or the first characters of it.

    A signal that was never kept (a dry run, a back-test) is looked for by evaluating all of history again.
    Raises: UsageFault when there is none or more than one.
    """
    with house.db.read() as con:
        signal = kept.load(con, signal_id)
    if signal is None:
        signal = _recomputed(house, signal_id, now)
    with house.db.read() as con:
        records = trails.trail(con, house.settings, signal.records)
    marking, conditions = house.catalogue.handling(record["source"] for record in records)
    for record in records:
        record["marking"], asked = house.catalogue.handling([record["source"]])
        record["conditions"] = "; ".join(asked)
    return Trail(signal=signal, records=tuple(records), marking=marking, conditions=conditions)


def _recomputed(house: House, signal_id: str, now: datetime) -> Signal:
    rules = rules_of(house, None)
    with house.db.read() as con:
        known = lines.as_known(con, casework.ages(house), until=now)
        pulse = health.of(con, now)
        begun = kept.beginning(con, signal_id)
    first = min((d for d in (known.lines["visible_from"].min(), known.counts["visible_from"].min()) if d), default=now)
    assert isinstance(first, datetime)
    evaluation = evaluate(rules, known, now, house.catalogue, since=first, health=pulse)
    found = signal_room.over(evaluation, days_between(london_day(first), london_day(now)), house.catalogue, rules)
    found = [*found, *signal_room.at(evaluation, now, house.catalogue, rules)]  # today has no evening yet
    everything = [s for signal in found for s in (signal, *signal.beneath)]
    matching = {s.id: s for s in [*everything, *begun] if s.id.startswith(signal_id)}
    if len(matching) != 1:
        raise UsageFault(
            f"{'no signal has' if not matching else 'more than one signal has'} an id that begins with '{signal_id}'",
            next_step="Copy the id from 'ewarn detect --dry-run' or 'ewarn backtest'.",
        )
    return next(iter(matching.values()))


def rules_of(house: House, rule: str | None) -> list[RuleDefinition]:
    """The rules switched on, or one rule by its id, switched on or not. Raises: UsageFault."""
    rules = house.catalogue.rules
    if rule is None:
        return [r for r in rules.values() if r.enabled]
    if rule not in rules:
        raise UsageFault(f"there is no rule '{rule}'", next_step=f"Use one of: {', '.join(sorted(rules))}.")
    return [rules[rule]]


def asked(house: House, found: Sequence[Signal], area: str | None, substance: str | None) -> list[Signal]:
    """Signals about an area (itself, possibly it, or inside it) and a substance (itself or of its class)."""

    def in_area(signal: Signal) -> bool:
        inside = {a.code for a in house.catalogue.ancestors(signal.area.code)} | {signal.area.code}
        return area in inside or area in {a.code for a in signal.also_possible}

    def about(signal: Signal) -> bool:
        subjects = {s.subject.id for s in (signal, *signal.beneath)}
        return substance in subjects or substance in {house.catalogue.class_of.get(s) for s in subjects}

    return [s for s in found if (area is None or in_area(s)) and (substance is None or about(s))]
