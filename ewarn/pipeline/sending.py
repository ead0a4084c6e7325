"""RESPOND: one run of the sender. Only stored, approved bytes and internal pages ever leave.

In: a house, `now`. Out: deliveries with their receipts. Every server has a queue of its own and the queues run side by
side, so that one that is dead, slow or hangs holds up nobody else; what they write at the same time shares one
transaction. A claim is on record before anything leaves and a receipt after; whatever comes between, a message is sent
again rather than lost. A second run sends nothing again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from ewarn.dispatch import due, occasion
from ewarn.dispatch import page as paging
from ewarn.dispatch import send as sender
from ewarn.dispatch.deadline import side_by_side
from ewarn.errors import StoreBusy
from ewarn.pipeline import collecting, deadletters, operators, publishing
from ewarn.pipeline.house import House
from ewarn.pipeline.leaving import Leaving, Proven, Ready
from ewarn.pipeline.reports import SendReport
from ewarn.pipeline.together import Together
from ewarn.store import audit, outbox, recipients
from ewarn.terms import Delivery, DeliveryState, Recipient

UNANSWERED_IN_A_ROW = 3
BATCH = 10
LANES = 4
QUEUES = 1000
LOOK_AGAIN_SECONDS = 5.0
# What is sent under one claim, its longest last attempt (six minutes) and the wait for the store to enter it, together
# stay within what a claim is good for (outbox.LOST_AFTER).
HELD_SECONDS = 90.0
ENTER_SECONDS = 100.0
BUSY_PAUSE_SECONDS = 0.5
OPERATOR = 2
SENT, FAILED, DEAD = DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.DEAD


def send(house: House, now: datetime) -> SendReport:
    """Send what is due: pages first, then alerts, then word to the operator, each in the order it fell due."""
    with house.db.read() as con:
        at = audit.not_before(con, now)  # word to the operator must not stop what was approved, whatever the clock says
    deadletters.remind(house, at)
    operators.tell(house, at)
    collecting.publish(house, now)
    done = _Run(house, now).through()
    house.db.publish()
    if any(d.state is SENT and d.alert for d in done):
        publishing.keep_up(house, now)
    collecting.publish(house, now)
    with house.db.read() as con:
        pending = sum(d.state in (DeliveryState.WAITING, FAILED) for d in outbox.all(con))
    failed = [d for d in done if d.state in (FAILED, DEAD)]
    return SendReport(
        deliveries=tuple(done),
        sent=sum(d.state is SENT and urgency(d) < OPERATOR for d in done),
        told=sum(d.state is SENT and urgency(d) == OPERATOR for d in done),
        failed=len(failed),
        waiting=pending,
        exit_status=1 if failed else 0,
    )


def urgency(delivery: Delivery) -> int:
    """Pages first, then alerts, then word to the operator."""
    return OPERATOR if delivery.page.startswith(paging.OPERATOR) else 0 if delivery.page else 1


class Claim(NamedTuple):
    """Deliveries to be taken for sending."""

    batch: Sequence[Delivery]


class Settle(NamedTuple):
    """How attempts ended, and the ids of those claimed with them that were not tried."""

    outcomes: Sequence[tuple[Delivery, sender.Outcome]]
    unsent: Sequence[str]


class Postpone(NamedTuple):
    """Ids of what a server asked not to be sent before an instant."""

    deliveries: Sequence[str]
    until: datetime


class _Run:
    """One run: it looks again while a server hangs, so that a page that falls due meanwhile does not wait for it."""

    def __init__(self, house: House, now: datetime) -> None:
        self.house, self.began = house, now
        self.started = time.monotonic()
        self.seen: set[str] = set()
        self.proven = Proven()
        self.together: Together[Claim | Settle | Postpone] = Together(partial(house.db.write, "send"), self._entered)

    def now(self) -> datetime:
        """The instant of the run, going on as time passes: a claim late in a long run is as fresh as an early one."""
        return self.began + timedelta(seconds=time.monotonic() - self.started)

    def through(self) -> list[Delivery]:
        working: set[Future[list[Delivery]]] = set()
        begun: list[Future[list[Delivery]]] = []
        with ThreadPoolExecutor(QUEUES, thread_name_prefix="ewarn-queue") as crew:
            while True:
                fresh = [crew.submit(self._queue, queue) for queue in self._fresh()]
                begun += fresh
                working |= {*fresh}
                if not working:
                    break
                working = wait(working, timeout=LOOK_AGAIN_SECONDS).not_done
        return [settled for queue in begun for settled in queue.result()]

    def _fresh(self) -> Iterable[list[Delivery]]:
        """What is due and this run has not had in hand yet, by server, pages before alerts."""
        now = self.now()
        with self.house.db.read() as con:
            waiting = outbox.due(con, now)
            known = {recipient.id: recipient for recipient in recipients.all(con)} if waiting else {}
        if any(d.state is DeliveryState.SENDING for d in waiting):
            with self.house.db.write("send") as tx:
                outbox.release_lost(tx, now)
                waiting = outbox.due(tx, now)
        queues: dict[str, list[Delivery]] = {}
        for delivery in sorted(waiting, key=urgency):
            if delivery.id not in self.seen and due.verdict(delivery, now).send:
                self.seen.add(delivery.id)
                queues.setdefault(self._server(delivery, known.get(delivery.destination)), []).append(delivery)
        return queues.values()

    def _server(self, delivery: Delivery, recipient: Recipient | None) -> str:
        channel = self.house.catalogue.channels.get(delivery.channel)
        if channel is None or recipient is None:
            return delivery.channel
        settings, recipient = self.house.settings, occasion.at_contact(recipient, delivery.contact)
        return sender.server_of(channel, recipient, settings.secret, settings.smtp_from)

    def _queue(self, queue: Sequence[Delivery]) -> list[Delivery]:
        """A server's deliveries: one by one until it answers, then by several ways at once."""
        waiting = deque(queue)
        done, open_ = self._lane(waiting, size=1, until_answered=True)
        if open_ and waiting:
            for settled, _ in side_by_side([partial(self._lane, waiting, BATCH)] * min(LANES, len(waiting))):
                done += settled
        return done

    def _lane(self, waiting: deque[Delivery], size: int, until_answered: bool = False) -> tuple[list[Delivery], bool]:
        """Takes from the queue until it is empty, the server is found closed to everybody, or it does not answer so
        often in a row; then the rest waits for the next run. Returns what was settled, and whether it may go on."""
        done: list[Delivery] = []
        unanswered = 0
        while batch := _taken(waiting, 1 if unanswered else size):
            attempted, unsent = self._attempt(batch)
            waiting.extendleft(reversed(unsent))
            for settled, outcome in attempted:
                done.append(settled)
                unanswered = unanswered + 1 if outcome.silent else 0
                if outcome.blocked or unanswered >= UNANSWERED_IN_A_ROW:
                    self._stop(waiting, outcome.wait_seconds)
                    return done, False
            if until_answered and done and not unanswered:
                return done, True
        return done, True

    def _stop(self, waiting: deque[Delivery], wait_seconds: float) -> None:
        """Leave the rest of a queue to the next run, or to the instant that the server named."""
        rest = _taken(waiting, len(waiting))
        until = due.not_before(self.now(), wait_seconds)
        if rest and until:
            self.together(Postpone([d.id for d in rest], until))

    def _attempt(self, batch: Sequence[Delivery]) -> tuple[list[tuple[Delivery, sender.Outcome]], list[Delivery]]:
        """Claim, send, settle. Those another sender has are left out; a batch ends where the server closes or falls
        silent, or is so slow that another sender would take the rest for lost and send it too. Returns what was
        settled, and what was put back for this run to take again."""
        ready: list[Ready] = self.together(Claim(batch))
        outcomes: list[tuple[Delivery, sender.Outcome]] = []
        held_until = time.monotonic() + HELD_SECONDS
        for one in ready:
            outcomes.append((one.delivery, one.sent(self.house)))
            if outcomes[-1][1].blocked or outcomes[-1][1].silent or time.monotonic() > held_until:
                break
        unsent = [one.delivery for one in ready[len(outcomes) :]]
        if not ready:
            return [], []
        settled = self._settled(Settle(outcomes, [delivery.id for delivery in unsent]))
        return [(done, outcome) for done, (_, outcome) in zip(settled, outcomes, strict=True)], unsent

    def _settled(self, ask: Settle) -> list[Delivery]:
        """Enter what was sent, though somebody holds the store for a while: what is not on record is sent again."""
        until = time.monotonic() + ENTER_SECONDS
        while True:
            try:
                entered: list[Delivery] = self.together(ask)
                return entered
            except StoreBusy:
                if time.monotonic() > until:
                    raise
                time.sleep(BUSY_PAUSE_SECONDS)

    def _entered(self, tx: Any, asks: Sequence[Claim | Settle | Postpone]) -> list[Any]:
        """One transaction's asks: all outcomes at once, then all claims; the answers in the order of the asks."""
        leaving, now = Leaving(tx, self.house, self.now(), self.proven), self.now()
        settles = [ask for ask in asks if isinstance(ask, Settle)]
        outbox.put_back(tx, [name for ask in settles for name in ask.unsent], now)
        settled = iter(leaving.settled([one for ask in settles for one in ask.outcomes]))
        ready = {one.delivery.id: one for one in leaving.claimed([d for ask in asks for d in _wanted(ask)])}
        for ask in asks:
            if isinstance(ask, Postpone):
                outbox.postpone(tx, ask.deliveries, now, ask.until)
        return [
            [next(settled) for _ in ask.outcomes] if isinstance(ask, Settle)
            else [ready[d.id] for d in _wanted(ask) if d.id in ready]
            for ask in asks
        ]  # fmt: skip


def _wanted(ask: Claim | Settle | Postpone) -> Sequence[Delivery]:
    return ask.batch if isinstance(ask, Claim) else ()


def _taken(waiting: deque[Delivery], size: int) -> list[Delivery]:
    taken: list[Delivery] = []
    while len(taken) < size:
        try:
            taken.append(waiting.popleft())
        except IndexError:
            break
    return taken
