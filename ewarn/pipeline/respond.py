"""RESPOND: what leaves the house, and who answered. Only stored, approved bytes and internal pages are ever sent.

In: a house, `now`. Out: deliveries with their receipts. A second run sends nothing again; what failed is tried again
when it is due, bounded by its channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from threading import Lock
from typing import Any

from ewarn.assess import decide, lifecycle
from ewarn.dispatch import due, envelope, occasion, render, route
from ewarn.dispatch import page as paging
from ewarn.dispatch import send as sender
from ewarn.dispatch.deadline import side_by_side
from ewarn.dispatch.envelope import Envelope
from ewarn.errors import UsageFault
from ewarn.personal.placeholders import Personal
from ewarn.pipeline import answering, casework, operators, texts, validate, versions, vigil
from ewarn.pipeline.house import House
from ewarn.pipeline.identity import proved
from ewarn.pipeline.reports import Actor, DetectReport, PageReport, ReceiptsReport, SendReport
from ewarn.store import alerts, cases, decisions, operator_notices, outbox, pages, recipients
from ewarn.terms import AlertStatus, Decision, Delivery, DeliveryState, Page, Payload, Recipient, digest

UNANSWERED_IN_A_ROW = 3
BATCH = 10
OPERATOR = 2
SENT, FAILED, DEAD = DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.DEAD
SUPERSEDED = DeliveryState.SUPERSEDED


def send(house: House, now: datetime) -> SendReport:
    """Send what is due: pages first, then alerts, then word to the operator, each in the order it fell due."""
    operators.tell(house, now)
    with house.db.read() as con:
        waiting = sorted(outbox.due(con, now), key=_urgency)
    if any(d.state is DeliveryState.SENDING for d in waiting):
        with house.db.write("send") as tx:
            outbox.release_lost(tx, now)
            waiting = sorted(outbox.due(tx, now), key=_urgency)
    done = _attempts(house, [delivery for delivery in waiting if due.verdict(delivery, now).send], now)
    house.db.publish()
    with house.db.read() as con:
        pending = sum(d.state in (DeliveryState.WAITING, DeliveryState.FAILED) for d in outbox.all(con))
    failed = [d for d in done if d.state in (FAILED, DEAD)]
    return SendReport(
        deliveries=tuple(done),
        sent=sum(d.state is SENT and _urgency(d) < OPERATOR for d in done),
        told=sum(d.state is SENT and _urgency(d) == OPERATOR for d in done),
        failed=len(failed),
        waiting=pending,
        exit_status=1 if failed else 0,
    )


def _urgency(delivery: Delivery) -> int:
    """Pages first, then alerts, then word to the operator."""
    return OPERATOR if delivery.page.startswith(paging.OPERATOR) else 0 if delivery.page else 1


def _attempts(house: House, waiting: Sequence[Delivery], now: datetime) -> list[Delivery]:
    """One attempt each. Every server has a queue of its own, pages before alerts; the queues run side by side."""
    with house.db.read() as con:
        known = {recipient.id: recipient for recipient in recipients.all(con)}
    queues: dict[str, list[Delivery]] = {}
    for delivery in waiting:
        queues.setdefault(_server(house, delivery, known.get(delivery.destination)), []).append(delivery)
    store = Lock()  # one thread at a time asks for the store: they would only wait for one another
    acts = [partial(_through, house, queue, now, store) for queue in queues.values()]
    return [settled for done in side_by_side(acts) for settled in done]


def _server(house: House, delivery: Delivery, recipient: Recipient | None) -> str:
    channel = house.catalogue.channels.get(delivery.channel)
    if channel is None or recipient is None:
        return delivery.channel
    recipient = occasion.at_contact(recipient, delivery.contact)
    return sender.server_of(channel, recipient, house.settings.secret, house.settings.smtp_from)


def _through(house: House, queue: Sequence[Delivery], now: datetime, store: Lock) -> list[Delivery]:
    """A server's deliveries, one by one until it answers and in batches then; where it does not answer so often in a
    row, the rest waits for the next run and holds up nobody."""
    done: list[Delivery] = []
    unanswered, size = 0, 1
    while queue and unanswered < UNANSWERED_IN_A_ROW:
        batch, queue = queue[:size], queue[size:]
        tried = _attempt(house, batch, now, store)
        for _, silent in tried:
            unanswered = unanswered + 1 if silent else 0
        size = BATCH if tried and not unanswered else 1
        done += [settled for settled, _ in tried]
    return done


def _attempt(house: House, batch: Sequence[Delivery], now: datetime, store: Lock) -> list[tuple[Delivery, bool]]:
    """Claim, send, settle: the claims are on record before anything leaves. Those another sender has are left out."""
    origin = house.settings.smtp_from
    with store, house.db.write("send") as tx:
        claimed = [d for d in batch if outbox.claim(tx, d.id, now, envelope.message_id(d, origin))]
        claimed = [delivery for delivery in claimed if not _overtaken(tx, house, delivery, now)]
        known = {recipient.id: recipient for recipient in recipients.all(tx)} if claimed else {}
        repeats = outbox.possible_repeats(tx) if claimed else set()
        ready = [
            (d, _payload(tx, house, d), known.get(d.destination), _around(tx, house, d, repeats, now)) for d in claimed
        ]
    outcomes = [(d, _deliver(house, d, payload, whom, around)) for d, payload, whom, around in ready]
    if not outcomes:
        return []
    with store, house.db.write("send") as tx:
        return [(_settled(tx, house, delivery, outcome, now), outcome.silent) for delivery, outcome in outcomes]


def _around(tx: Any, house: House, delivery: Delivery, repeats: set[str], now: datetime) -> Envelope:
    return envelope.of(
        delivery,
        house.settings.smtp_from,
        in_reply_to=outbox.thread(tx, delivery),
        repeat=delivery.id in repeats,
        personal=_personal(tx, house, delivery, now),
    )


def _personal(tx: Any, house: House, delivery: Delivery, now: datetime) -> Personal | None:
    found = answering.personal(tx, house, delivery)
    if isinstance(found, str):
        operator_notices.put(tx, now, "dispatch", found, "answer keys")
        return None
    return found


def _settled(tx: Any, house: House, delivery: Delivery, outcome: sender.Outcome, now: datetime) -> Delivery:
    channel = house.catalogue.channels.get(delivery.channel)
    attempts = delivery.attempts + 1
    jitter = int(digest([delivery.id, attempts], 2), 16) / 255
    again = due.next_attempt(attempts, now, channel.max_attempts, jitter) if channel and outcome.retry else None
    state = SENT if outcome.ok else FAILED if again else DEAD
    outbox.settle(tx, delivery.id, state, now, outcome.error, again, unknown=outcome.unknown)
    if state is DEAD:
        perhaps = " (it may have arrived)" if outcome.unknown or delivery.id in outbox.possible_repeats(tx) else ""
        words = f"{delivery.destination}: given up{perhaps}: {outcome.error}"
        tell = _urgency(delivery) < OPERATOR  # or each failure to tell would be told again
        operator_notices.put(tx, now, "dispatch", words, tell=tell)
    if state is SENT and delivery.alert and delivery.version is not None:
        _issued(tx, delivery, now)
    return outbox.load(tx, delivery.id) or delivery


def _overtaken(tx: Any, house: House, delivery: Delivery, now: datetime) -> bool:
    """A delivery that a later version overtook while its sender was gone is superseded, and that is told."""
    if not delivery.alert:
        return False
    words = lifecycle.overtaken(delivery.version or 0, alerts.versions(tx, delivery.alert))
    alert = alerts.load(tx, delivery.alert, delivery.version)
    if not words or alert is None:
        return False
    outbox.settle(tx, delivery.id, SUPERSEDED, now, words)
    texts.tell_superseded(tx, alert, [f"{delivery.destination} (version {delivery.version})"], words, now)
    return True


def _deliver(
    house: House, delivery: Delivery, payload: Payload | str, recipient: Recipient | None, around: Envelope
) -> sender.Outcome:
    channel = house.catalogue.channels.get(delivery.channel)
    if channel is None or recipient is None:
        missing = "channel" if channel is None else "recipient"
        return sender.Outcome(ok=False, error=f"the {missing} is no longer there", retry=False)
    stops = payload if isinstance(payload, str) else route.changed(delivery, recipient)
    if stops or isinstance(payload, str):
        return sender.Outcome(ok=False, error=stops, retry=False)
    settings, recipient = house.settings, occasion.at_contact(recipient, delivery.contact)
    return sender.deliver(delivery, payload, channel, recipient, settings.secret, settings.smtp_from, around)


def _payload(con: Any, house: House, delivery: Delivery) -> Payload | str:
    """A page's own text, or the stored bytes of an alert; words where those must not go out."""
    if delivery.page:
        page = pages.load(con, delivery.page)
        return render.page_payload(page, delivery.format, house.catalogue) if page else "the page is no longer there"
    version = delivery.version or 0
    alert, stored = alerts.load(con, delivery.alert, version), alerts.payloads(con, delivery.alert, version)
    if alert is None or render.bundle_hash(alert, stored) != alert.hash:
        return "the stored text is not the one that was approved"
    known, decided = alerts.versions(con, alert.id), decisions.of_alert(con, alert.id)
    if stops := decide.leaves(alert, known, decided, delivery.audience, house.catalogue):
        return stops
    wanted = (delivery.audience, delivery.format)
    found = next((p for p in stored if (p.audience, p.format) == wanted), None)
    return found or "the stored text is no longer there"


def _issued(tx: Any, delivery: Delivery, now: datetime) -> None:
    """The first delivery that arrives issues an approved version, and ends the one that people had."""
    alert = alerts.load(tx, delivery.alert, delivery.version)
    if alert is None or alert.status is not AlertStatus.APPROVED:
        return
    status = lifecycle.moved(alert, lifecycle.GOES_OUT_BY[alert.kind])
    alerts.set_status(tx, alert.id, alert.version, status, now)
    cases.act(tx, alert.case, now, status.value, "ewarn", f"{alert.id} v{alert.version} has gone out")
    operator_notices.close(tx, now, "ewarn", source=alert.id, topics=[versions.REVIEW_DUE, versions.EXPIRED])
    for earlier in alerts.versions(tx, alert.id):
        ends = lifecycle.ENDS_THE_ONE_BEFORE_BY[alert.kind]
        if earlier.version < alert.version and (earlier.status, ends) in lifecycle.MOVES:
            alerts.set_status(tx, earlier.id, earlier.version, lifecycle.moved(earlier, ends), now)


def receipts(house: House, alert: str | None = None) -> ReceiptsReport:
    """Deliveries as they stand, every attempt, every answer; of one alert, or all."""
    with house.db.read() as con:
        found = tuple(outbox.all(con, alert))
        ids = {d.id for d in found}
        return ReceiptsReport(
            deliveries=found,
            attempts=tuple(outbox.receipts(con, alert)),
            acknowledgements=tuple(outbox.acknowledgements(con, alert)),
            possible_repeats=tuple(sorted(ids & outbox.possible_repeats(con))),
        )


def page(house: House, now: datetime) -> PageReport:
    """Call the back-up for pages nobody has acknowledged in time."""
    with house.db.write("page") as tx:
        backup_after = house.catalogue.routes.page_backup_after_minutes
        last = max((r.rota_order or 0 for r in recipients.all(tx) if r.active), default=0)
        calls = paging.escalations(pages.open(tx), now, backup_after, last)
        written: list[Delivery] = []
        for called in calls:
            pages.escalated(tx, called.id, called.rota_order, now)
            case = cases.load(tx, called.case)
            area = case.lead_area if case else house.settings.home_area
            written += casework.call(tx, house, called, area, now)
            cases.act(tx, called.case, now, "paged", "ewarn", f"not acknowledged: number {called.rota_order} is called")
        return PageReport(pages=tuple(calls), deliveries=tuple(written))


def acknowledge(house: House, subject: str, actor: Actor, now: datetime, text: str = "") -> Page | Delivery:
    """A person takes a page (the case shows it), or a delivery is answered for. Raises: UsageFault, Refused."""
    with house.db.write("acknowledge") as tx:
        person = proved(tx, actor)
        paged = pages.load(tx, subject)
        if paged is not None:
            taken = pages.acknowledge(tx, subject, person.id, now)
            if not paged.case:
                return taken
            cases.act(tx, paged.case, now, "acknowledged", person.id, f"{person.name} has the page")
            decisions.append(
                tx, Decision(act="acknowledged", person=person.id, at=now, case=paged.case, note=f"page {subject}")
            )
            return taken
        delivery = outbox.load(tx, subject)
        if delivery is None:
            raise UsageFault(f"there is no page or delivery '{subject}'", next_step="See 'ewarn duty'.")
        outbox.acknowledge(tx, subject, person.id, now, text)
        return delivery


def watch_silence(house: House, now: datetime) -> Sequence[DetectReport]:
    """What time alone brings: sources that fail or fall silent, and alerts whose day of review or end has come.

    Absence never reads as recovery, and an old warning never ends by itself: a person is told.
    """
    silent = [r.id for r in house.catalogue.rules.values() if r.method == "silence" and r.enabled]
    found = [validate.detect(house, now, rule=rule) for rule in silent]
    vigil.settle(house, now)
    versions.fall_due(house, now)
    return found
