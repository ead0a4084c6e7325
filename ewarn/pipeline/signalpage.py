"""One signal as the desk shows it: why, the series it stands in, its rows down to file and line, what came before.

In: a house, a signal's id, `now`. Out: one frozen report with its pictures. Writes nothing; the text of a row as it
came is another question (`rawtext.shown`), which puts on record who looked.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from ewarn.assess.judged import Judged, judged
from ewarn.charts import Week, banded, chart
from ewarn.methods.predictive import Windows, bayes
from ewarn.pipeline import caseshelf, held, judging, tallied, today, trailed
from ewarn.pipeline.house import House
from ewarn.store import judgements, looking, tallies
from ewarn.terms import UK, CaseFile, Frozen, RecordKind, Signal, SubjectKind, london_day

WEEKS_SHOWN, WEEKS_BEHIND = 52, 26
MOST_ROWS = 200
MOST_SIMILAR = 10
ALPHA = 0.05


class WeekRow(Frozen):
    start: date
    observed: int
    expected: float | None
    upper: float | None


class SignalPage(Frozen):
    signal: Signal
    judged: Judged
    said: tuple[dict[str, Any], ...]
    rule_title: str
    rule_why: str
    false_alarms: tuple[str, ...]
    cases: tuple[dict[str, Any], ...]
    open_cases: tuple[CaseFile, ...]
    history: tuple[dict[str, Any], ...]
    series_svg: str
    weeks: tuple[WeekRow, ...]
    counted: str
    map_svg: str
    map_rows: tuple[today.AreaRow, ...]
    rows: tuple[dict[str, Any], ...]
    rows_left_out: int
    neighbours: tuple[today.AreaRow, ...]
    similar: tuple[Signal, ...]


def of(house: House, signal_id: str, now: datetime) -> SignalPage:
    """Everything about one signal. Raises: UsageFault."""
    with house.db.read() as con:
        signal = judging.find(house, con, signal_id, now)
        said = judgements.of_signal(con, signal.id)
        found = trailed.of(house, con, signal.records[:MOST_ROWS], now)
        cases, history = caseshelf.of(house).with_signal(signal.id), looking.history(con, signal.id)
        near = bordering(house, signal.area.code)
        similar = looking.similar(con, signal, [signal.area.code, *near], MOST_SIMILAR)
        weeks, map_rows, map_svg = _pictured(house, con, signal, now)
    rule = house.catalogue.rules.get(signal.rule)
    names = today.area_names(house)
    counts = {row.code: row.signals for row in map_rows}
    return SignalPage(
        signal=signal,
        judged=judged(signal, said[-1] if said else None, now),
        said=tuple(said),
        rule_title=rule.title if rule else signal.rule,
        rule_why=rule.why if rule else "",
        false_alarms=rule.known_false_alarms if rule else (),
        cases=tuple(cases),
        open_cases=tuple(case for case in today.open_of(house) if case.ref not in {row["ref"] for row in cases}),
        history=tuple(history),
        series_svg=banded(weeks, **_said_of(signal, weeks)),
        weeks=tuple(WeekRow(start=w.start, observed=w.observed, expected=w.expected, upper=w.upper) for w in weeks),
        counted=_counted(house, signal),
        map_svg=map_svg,
        map_rows=map_rows,
        rows=tuple(row for row in found if row["current"]),
        rows_left_out=max(0, len(signal.records) - MOST_ROWS),
        neighbours=tuple(
            today.AreaRow(code=code, name=names.get(code, code), signals=counts.get(code, 0)) for code in near
        ),
        similar=tuple(similar),
    )


def bordering(house: House, code: str) -> list[str]:
    """The areas that border one, by name."""
    return list(house.catalogue.bordering.get(code, ()))


def inside(house: House, code: str) -> list[str]:
    """The area and every area within it."""
    if code == UK:
        return list(house.catalogue.area_names)
    return [code, *house.catalogue.within.get(code, ())]


def _kinds(house: House, signal: Signal) -> tuple[str, ...]:
    rule = house.catalogue.rules.get(signal.rule)
    kinds = tuple(k.value for k in rule.kinds if k is not RecordKind.COUNT) if rule else ()
    return kinds or (RecordKind.SAMPLE.value, RecordKind.INCIDENT.value)


def _subjects(signal: Signal) -> tuple[str, ...]:
    named = signal.subject.kind in (SubjectKind.SUBSTANCE, SubjectKind.CLASS)
    return (signal.subject.id,) if named else ()


def _counted(house: House, signal: Signal) -> str:
    what = " and ".join(f"{kind}s" for kind in _kinds(house, signal))
    about = f" in which {signal.subject.name} was found" if _subjects(signal) else ""
    return f"{what.capitalize()}{about} that could be in {signal.area.name}, by the week of their reference date"


def _pictured(
    house: House, con: Any, signal: Signal, now: datetime
) -> tuple[tuple[Week, ...], tuple[today.AreaRow, ...], str]:
    """The pictures of a signal, kept while its numbers are the same."""
    last = london_day(now) - timedelta(days=london_day(now).weekday())
    first = last - timedelta(weeks=WEEKS_SHOWN + WEEKS_BEHIND)
    kinds, subjects, known = _kinds(house, signal), _subjects(signal), tallied.of(house, con, now)

    def counted() -> tuple[dict[date, int], dict[str, int]]:
        counts = tallies.weekly(known, kinds, subjects, inside(house, signal.area.code), first)
        return counts, tallies.by_area(known, kinds, subjects, signal.period.start, signal.period.end)

    key = (signal.id, first, signal.period)
    counts, areas = held.while_same(house, "numbers", known.mark, counted, key)
    mark = (last, signal.period, tuple(counts.items()), tuple(sorted(areas.items())))
    return held.while_same(house, "pictures", mark, lambda: _pictures(house, signal, last, counts, areas), signal.id)


def _pictures(
    house: House, signal: Signal, last: date, counts: dict[date, int], areas: dict[str, int]
) -> tuple[tuple[Week, ...], tuple[today.AreaRow, ...], str]:
    """The weekly series as known now, with the band its own past makes likely; and the map of the signal's window."""
    first = last - timedelta(weeks=WEEKS_SHOWN + WEEKS_BEHIND)
    starts = [first + timedelta(weeks=n) for n in range(WEEKS_SHOWN + WEEKS_BEHIND + 1)]
    observed = np.array([[float(counts.get(start, 0)) for start in starts]])
    shown = range(WEEKS_BEHIND, len(starts))
    verdicts = bayes(observed, Windows(years=0, half_width=WEEKS_BEHIND, recent=True), ALPHA, at=shown)
    weeks = tuple(
        Week(
            start=starts[at],
            observed=int(observed[0, at]),
            expected=_number(verdicts.expected[0, n]),
            upper=_number(verdicts.upper[0, n]),
            marked=starts[at] <= signal.period.end and starts[at] + timedelta(days=6) >= signal.period.start,
        )
        for n, at in enumerate(shown)
    )
    rows, svg = today.map_of(house, areas, "Records of the signal's days by borough")
    return weeks, rows, svg


def _number(value: float) -> float | None:
    return round(float(value), 2) if np.isfinite(value) else None


def chart_of(house: House, signal_id: str, now: datetime) -> dict[str, Any]:
    """The same series as a chart for whoever has script. Raises: UsageFault."""
    with house.db.read() as con:
        signal = judging.find(house, con, signal_id, now)
        weeks, _, _ = _pictured(house, con, signal, now)
    return chart(weeks, **_said_of(signal, weeks))


def _said_of(signal: Signal, weeks: tuple[Week, ...]) -> dict[str, str]:
    above = [f"week of {week.start:%-d %B}: {week.observed}" for week in weeks if week.above]
    words = f"{len(weeks)} weeks. Above the bound: {'; '.join(above) or 'none'}. Every value stands in the table."
    return {"title": f"{signal.subject.name or signal.family.value} in {signal.area.name}", "description": words}
