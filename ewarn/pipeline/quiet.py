"""All quiet: once a day ewarn says that it works, to the co-ordinator and to a monitor outside, and to nobody else.

In: a house, `now`. Out: one message, or a list of what is wrong and no message: its absence is the alarm. It must never
say a word on drugs or supply, nor be sent while something is wrong.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

from ewarn.dispatch import page as paging
from ewarn.pipeline import canary as canaries_verb
from ewarn.pipeline import vigil
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import SourceFreshness
from ewarn.store import audit, canaries, operator_notices, outbox, pages, recipients
from ewarn.terms import LONDON, Delivery, DeliveryState, Frozen, Page, Standing, digest, london_day

GROUPS = ("coordinator", "monitor")
STUCK_AFTER = timedelta(hours=1)
CANARY_WITHIN = timedelta(hours=26)
TOPIC = "all-quiet not sent"
OURS = ("dispatch", "duty")
ABOUT_PARTNERS = r"^(not read|bounced) "  # ewarn works, though a partner does not answer


class QuietReport(Frozen):
    """`wrong` empty: all is quiet; `deliveries` what was written now, none where it was written today already."""

    at: datetime
    wrong: tuple[str, ...]
    text: str
    deliveries: tuple[Delivery, ...] = ()
    exit_status: int = 0


def all_quiet(house: House, now: datetime) -> QuietReport:
    """Look at everything, and write the day's message where nothing is wrong."""
    with house.db.write("all quiet") as tx:
        canaries_verb.look(tx, now)
        wrong, text = _wrong(tx, house, now), _text(tx, house, now)
        if wrong:
            operator_notices.put(tx, now, "ewarn", f"all-quiet was not sent: {'; '.join(wrong)}", TOPIC)
        else:
            operator_notices.close(tx, now, "ewarn", source="ewarn", topics=[TOPIC])
        written = [] if wrong else _write(tx, house, text, now)
    house.db.publish()
    return QuietReport(at=now, wrong=wrong, text=text, deliveries=tuple(written), exit_status=1 if wrong else 0)


def _wrong(con: Any, house: House, now: datetime) -> tuple[str, ...]:
    """Everything that speaks against it, in words that name no drug."""
    found = [f"{s.source} is {' and '.join(bad)}" for s in vigil.standing(con, house, now) if (bad := _bad(s))]
    if (broken := audit.verify(con)) is not None:
        found.append(f"the audit chain is broken at link {broken}")
    waiting = [d for d in outbox.all(con) if d.state in (DeliveryState.WAITING, DeliveryState.FAILED)]
    due = [d for d in waiting if (d.next_attempt_at or now) <= now - STUCK_AFTER]
    sending = [d for d in outbox.due(con, now) if d.state is DeliveryState.SENDING]
    if due or sending:
        found.append(f"{len(due) + len(sending)} messages wait for longer than an hour")
    notices = operator_notices.open(con)
    about_partners = notices["topic"].str.contains(ABOUT_PARTNERS)
    open_ones = notices.filter(notices["source"].is_in(OURS) & ~about_partners).height
    if open_ones:
        found.append(f"{open_ones} notices about sending or the duty rota are open")
    return (*found, *_canary(con, now))


def _bad(source: SourceFreshness) -> list[str]:
    return [state for state in source.states if state in (vigil.FAILING, vigil.SILENT)]


def _canary(con: Any, now: datetime) -> list[str]:
    """Where there is a daily test message, it has to have come back since yesterday."""
    if not any(r.group == canaries_verb.GROUP and r.active for r in recipients.all(con)):
        return []
    newest = canaries.newest(con)
    fresh = newest is not None and newest["back_at"] >= now - CANARY_WITHIN
    return [] if fresh else ["no daily test message came back since yesterday"]


def _text(con: Any, house: House, now: datetime) -> str:
    seq, _, head = audit.last(con)
    newest = canaries.newest(con)
    heard = [f"- {s.source}: {_when(s.last_received_at)}" for s in vigil.standing(con, house, now)]
    lines = [
        f"ewarn of {house.settings.issuer_name} works. As of {_when(now)}:",
        "Sources heard:",
        *(heard or ["- none is enabled"]),
        f"Daily test message: {'back ' + _when(newest['back_at']) if newest else 'none is set up'}",
        f"Audit chain: {seq} links, head {head}",
        f"Version: {version('ewarn')}",
        "This says that ewarn works, and nothing else. When it does not come, find out why.",
    ]
    return "\n".join(lines)


def _when(at: datetime | None) -> str:
    return f"{at.astimezone(LONDON):%Y-%m-%d %H:%M} London time" if at else "never"


def _write(tx: Any, house: House, text: str, now: datetime) -> list[Delivery]:
    day, standing = london_day(now).isoformat(), house.settings.standing
    subject = f"{paging.SHOUTED[standing]}ewarn: all quiet on {day}"
    message = Page(
        id=paging.QUIET + day, case="", at=now, subject=subject, text=text, standing=standing,
        acknowledged_by="ewarn", acknowledged_at=now,
    )  # fmt: skip
    known = {d.destination for d in outbox.of_page(tx, message.id)}
    written = []
    for recipient in recipients.all(tx):
        channel = house.catalogue.channels.get(recipient.channel)
        if not recipient.active or recipient.group not in GROUPS or recipient.id in known or channel is None:
            continue
        if channel.internal and channel.live == (standing is Standing.ACTUAL):
            written.append(
                Delivery(
                    id=digest(["quiet", day, recipient.id], 16),
                    page=message.id,
                    destination=recipient.id,
                    channel=channel.id,
                    audience="internal",
                    format=channel.format,
                    state=DeliveryState.WAITING,
                    standing=standing,
                    why="told daily that ewarn works",
                )
            )
    if written:
        pages.put(tx, message)
        outbox.put(tx, written, now)
    return written
