"""Asking at the desk: an area, a drug, some days, as of an instant; the answer in words, and saved to a case.

In: a house, what was asked, `now`. Out: the signals that fit, week by week what was counted, what had no answer, and
one sentence that says it. Asking writes nothing; saving enters the sentence as a note of a named person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

from pydantic import Field

from ewarn.errors import UsageFault
from ewarn.pipeline import asking, assess, freshness, held, signalpage, standing, tallied, validate
from ewarn.pipeline.house import House
from ewarn.pipeline.identity import proved
from ewarn.pipeline.reports import Actor
from ewarn.store import cases, looking, tallies
from ewarn.terms import LONDON, CaseFile, Frozen, NotEvaluable, RecordKind, Signal, day_end, london_day

MOST_DAYS = 1100
KINDS = (RecordKind.SAMPLE, RecordKind.INCIDENT)


class Question(Frozen):
    """What was asked; empty is everything, or now."""

    area: str = Field("", description="GSS code")
    subject: str = Field("", description="substance or class id")
    first: date
    last: date
    as_of: datetime | None = None


class Answer(Frozen):
    question: Question
    area_name: str
    subject_name: str
    sentence: str
    as_of: datetime
    signals: tuple[Signal, ...]
    older: int = Field(description="signals that fit and stand, but became known before these days")
    weeks: tuple[tuple[date, int, int], ...] = Field(description="Monday, samples, incidents")
    not_evaluable: tuple[NotEvaluable, ...]
    strata: int
    late: tuple[str, ...]
    marking: str = ""
    conditions: tuple[str, ...] = ()


def question(house: House, typed: Mapping[str, str], now: datetime) -> Question:
    """What somebody typed, as a question; this week where no days are given. Raises: UsageFault naming the field."""
    today = london_day(now)
    start = _day(typed["first"], "first") or today - timedelta(days=6)
    end = _day(typed["last"], "last") or today
    if end < start or (end - start).days > MOST_DAYS:
        raise UsageFault("these days cannot be asked about", where="last", next_step="Give up to three years.")
    return Question(
        area=_named("area", lambda: asking.area_code(house, typed["area"] or None)),
        subject=_named("subject", lambda: asking.subject_id(house, typed["subject"] or None)),
        first=start, last=end, as_of=_instant(typed["as_of"]),
    )  # fmt: skip


def _named(field: str, look: Callable[[], str | None]) -> str:
    try:
        return look() or ""
    except UsageFault as error:
        raise UsageFault(error.what, where=field, next_step=error.next_step) from error


def _day(text: str, field: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UsageFault(f"'{text}' is not a day", where=field, next_step="Write it as 2025-03-03.") from None


def _instant(text: str) -> datetime | None:
    """A day's end, or a London time."""
    if not text:
        return None
    try:
        if len(text) <= 10:
            return day_end(date.fromisoformat(text))
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageFault(
            f"'{text}' is not a time", where="as_of", next_step="Write 2025-03-03 or 2025-03-03T21:00 (London)."
        ) from None
    return at.replace(tzinfo=LONDON) if at.tzinfo is None else at


def answer(house: House, asked: Question, now: datetime) -> Answer:
    """The answer as of the instant asked about. Raises: UsageFault."""
    if asked.as_of is None:
        return _answer(house, asked, now)
    made = held.of(house, "ask", lambda: _answer(house, asked, now), asked)
    return made.model_copy(update={"as_of": asked.as_of})


def _answer(house: House, asked: Question, now: datetime) -> Answer:
    at = asked.as_of or now
    if asked.as_of is None:
        report = standing.current(house, now)
    else:
        report = validate.detect(house, now, as_of=at, dry_run=True)
    fitting = validate.asked(house, report.signals, asked.area or None, asked.subject or None)
    inside = tuple(s for s in fitting if asked.first <= s.known_on <= asked.last)
    weeks = _weeks(house, asked, at, now)
    area_name = house.catalogue.area_ref(asked.area).name if asked.area else "every area"
    subject_name = house.catalogue.name_of(asked.subject) if asked.subject else ""
    return Answer(
        question=asked, area_name=area_name, subject_name=subject_name, as_of=report.as_of, signals=inside,
        sentence=_sentence(asked, area_name, subject_name, inside, len(fitting) - len(inside), weeks),
        older=len(fitting) - len(inside), weeks=weeks, not_evaluable=report.not_evaluable,
        strata=sum(n.strata for n in report.not_evaluable), late=freshness.line(house, now).late,
        marking=report.marking, conditions=report.conditions,
    )  # fmt: skip


def _weeks(house: House, asked: Question, at: datetime, now: datetime) -> tuple[tuple[date, int, int], ...]:
    """Week by week what was counted, zeros present."""
    monday = asked.first - timedelta(days=asked.first.weekday())
    areas = signalpage.inside(house, asked.area or house.settings.home_area)
    subjects = (asked.subject,) if asked.subject else ()
    with house.db.read() as con:
        if asked.as_of is None:
            known = tallied.of(house, con, now)
            sample, incident = (tallies.weekly(known, (kind.value,), subjects, areas, monday) for kind in KINDS)
        else:
            sample, incident = (looking.weekly(con, (kind.value,), subjects, areas, monday, at) for kind in KINDS)
    weeks = range((asked.last - monday).days // 7 + 1)
    starts = [monday + timedelta(weeks=n) for n in weeks]
    return tuple((start, sample.get(start, 0), incident.get(start, 0)) for start in starts)


def _sentence(
    asked: Question, area: str, subject: str, signals: tuple[Signal, ...], older: int,
    weeks: tuple[tuple[date, int, int], ...],
) -> str:  # fmt: skip
    """The answer as one would say it."""
    about = f" about {subject}" if subject else ""
    days = f"from {asked.first:%-d %B %Y} to {asked.last:%-d %B %Y}"
    if signals:
        new = f"{len(signals)} signal{'' if len(signals) == 1 else 's'}{about} in {area} became known {days}"
    else:
        new = f"No signal{about} in {area} became known {days}"
    more = f"; {older} more stand from before" if older else ""
    samples, incidents = sum(w[1] for w in weeks), sum(w[2] for w in weeks)
    counted = f"In these weeks {samples} sample{'' if samples == 1 else 's'} and {incidents} incident"
    named = f" with {subject}" if subject else ""
    return f"{new}{more}. {counted}{'' if incidents == 1 else 's'}{named} are on record."


def save(house: House, ref: str, asked: Question, remark: str, actor: Actor, now: datetime) -> CaseFile:
    """Enter the answer as a note on a case. Raises: UsageFault, Refused."""
    found = answer(house, asked, now)
    known = f"as known at {found.as_of.astimezone(LONDON):%-d %B %Y %H:%M} London time"
    words = f"Asked: {found.sentence} ({known}.) {found.strata} strata not evaluable. {remark.strip()}".strip()
    with house.db.write("note") as tx:
        case = assess.case_of(tx, ref)
        person = proved(tx, actor)
        assess.may(house, person, case.lead_area, "write on this case")
        cases.note(tx, ref, now, person.id, words)
    return case
