"""What people do with a signal: dismiss it with a reason, hold it until its evidence changes, take it up, join a case.

In: a house, a signal's id, an actor, `now`. Out: the signal as it then stands. The evidence of that moment is kept
with the act, so that more of it raises the signal again. Nothing here closes a case or lowers a grade.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ewarn.assess import joining
from ewarn.assess import judged as judging
from ewarn.errors import UsageFault
from ewarn.pipeline import assess, casework, standing
from ewarn.pipeline.house import House
from ewarn.pipeline.identity import proved
from ewarn.pipeline.reports import Actor
from ewarn.store import cases, decisions, judgements, lines, looking
from ewarn.store import signals as kept
from ewarn.terms import CaseFile, CaseSignal, Decision, Signal


def find(house: House, con: Any, signal_id: str, now: datetime) -> Signal:
    """A signal as it stands now, or as it was last kept. Raises: UsageFault."""
    report = standing.current(house, now)
    for signal in report.signals:
        for one in (signal, *signal.beneath):
            if one.id == signal_id:
                return one
    found = kept.load(con, signal_id)
    if found is None:
        raise UsageFault(f"there is no signal '{signal_id}'", next_step="Open it from Today, or from its case.")
    return found


def dismiss(house: House, signal_id: str, why: str, actor: Actor, now: datetime) -> Signal:
    """Put a signal aside until there is more evidence than now. Raises: UsageFault, Refused."""
    return _say(house, signal_id, judging.Stand.DISMISSED, judging.reason(why), actor, now)


def hold(house: House, signal_id: str, why: str, days: int, actor: Actor, now: datetime) -> Signal:
    """Put a signal aside for some days, or until there is more evidence. Raises: UsageFault, Refused."""
    until = judging.hold_until(days, now)
    return _say(house, signal_id, judging.Stand.HELD, judging.reason(why), actor, now, until)


def take_up(house: House, signal_id: str, why: str, actor: Actor, now: datetime) -> Signal:
    """Bring back what was dismissed or held. Raises: UsageFault, Refused."""
    return _say(house, signal_id, "taken up", judging.reason(why), actor, now)


def _say(
    house: House, signal_id: str, act: str, why: str, actor: Actor, now: datetime, until: datetime | None = None
) -> Signal:
    with house.db.read() as con:
        signal = find(house, con, signal_id, now)
    with house.db.write("judge") as tx:
        person = proved(tx, actor)
        assess.may(house, person, signal.area.code, "judge this signal")
        judgements.append(tx, signal, str(act), person.id, now, why, until)
        for row in looking.cases_with(tx, signal.id):
            cases.act(tx, row["ref"], now, f"signal {act}", person.id, f"{signal.id[:8]}: {why}", signal.id)
    return signal


def join(house: House, signal_id: str, ref: str, why: str, actor: Actor, now: datetime) -> CaseFile:
    """Join a signal to an open case because a named person says that it belongs there. Raises: UsageFault, Refused."""
    why = judging.reason(why)
    with house.db.read() as con:
        signal = find(house, con, signal_id, now)
    with house.db.write("join") as tx:
        case = assess.case_of(tx, ref)
        person = proved(tx, actor)
        assess.may(house, person, case.lead_area, "join a signal to this case")
        joined = _joined(case, signal, f"joined by {person.id}: {why}", now)
        known = lines.as_known(tx, casework.ages(house), until=now)
        joined = casework.verified(house, joined, known)
        cases.save(tx, joined, now, person.id)
        cases.act(tx, ref, now, "joined", person.id, f"{signal.id[:8]}: {why}", signal.id)
        decisions.append(tx, Decision(act="joined", person=person.id, at=now, case=ref, note=f"{signal.id}: {why}"))
    return joined


def _joined(case: CaseFile, signal: Signal, why: str, now: datetime) -> CaseFile:
    if case.status != "open":
        raise UsageFault(f"{case.ref} is closed", where="case", next_step="Choose an open case.")
    if case.standing is not signal.standing:
        raise UsageFault(f"{case.ref} is {case.standing.value}", where="case", next_step="Choose one of its standing.")
    if any(held.signal.id == signal.id for held in joining.joined(case)):
        raise UsageFault(f"{case.ref} holds this signal already", where="case", next_step="Choose another case.")
    others = tuple(held for held in case.signals if held.signal.id != signal.id)
    return case.model_copy(update={"signals": (*others, CaseSignal(signal=signal, joined_at=now, why=why))})
