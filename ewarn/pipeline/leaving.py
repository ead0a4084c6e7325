"""RESPOND: what is looked at before a delivery leaves, and what is entered once it is known how it went.

In: one transaction of the store, a house, the instant. Out: claimed deliveries with their stored bytes, and settled
ones with their receipts. It must never hand out a text whose hash is not the approved one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from ewarn.assess import contact_test, decide, lifecycle
from ewarn.dispatch import attach, due, envelope, occasion, render, route
from ewarn.dispatch import page as paging
from ewarn.dispatch import send as sender
from ewarn.dispatch.envelope import Envelope
from ewarn.personal.placeholders import Personal
from ewarn.pipeline import answering, corrections, handling, signing, texts, versions
from ewarn.pipeline.house import House
from ewarn.store import alerts, arrivals, audit, cases, decisions, operator_notices, outbox, pages, recipients
from ewarn.terms import Alert, AlertStatus, Delivery, DeliveryState, Payload, Product, Recipient, digest

SENT, FAILED, DEAD = DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.DEAD
SUPERSEDED = DeliveryState.SUPERSEDED
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Ready:
    """A claimed delivery with all that sending it takes; `payload` is words where it must not leave."""

    delivery: Delivery
    payload: Payload | str
    recipient: Recipient | None
    around: Envelope

    def sent(self, house: House) -> sender.Outcome:
        """One attempt, outside every transaction."""
        channel = house.catalogue.channels.get(self.delivery.channel)
        if channel is None or self.recipient is None:
            missing = "channel" if channel is None else "recipient"
            return sender.Outcome(ok=False, error=f"the {missing} is no longer there", retry=False)
        stops = self.payload if isinstance(self.payload, str) else route.changed(self.delivery, self.recipient)
        if stops or isinstance(self.payload, str):
            return sender.Outcome(ok=False, error=stops, retry=False)
        settings, recipient = house.settings, occasion.at_contact(self.recipient, self.delivery.contact)
        return sender.deliver(
            self.delivery, self.payload, channel, recipient, settings.secret, settings.smtp_from, self.around
        )


@dataclass
class Proven:
    """What one run looks at once: bytes whose hash was found right, by version and hash; what is out."""

    bundles: dict[tuple[str, int, str], list[Payload]] = field(default_factory=dict)
    out: set[tuple[str, int]] = field(default_factory=set)


@dataclass(frozen=True)
class _Text:
    """One stored version: `stops` says why none of it may leave."""

    alert: Alert | None
    versions: list[Alert]
    payloads: list[Payload]
    decided: list[Any]
    stops: str


class Leaving:
    """One transaction's look at what leaves; what many deliveries share is read once."""

    def __init__(self, tx: Any, house: House, now: datetime, proven: Proven) -> None:
        self.tx, self.house, self.now, self.proven = tx, house, now, proven
        self.at = audit.not_before(tx, now)  # acts are entered in order even where the machine's clock went back
        self._texts: dict[tuple[str, int], _Text] = {}
        self._once: dict[tuple[Any, ...], Any] = {}

    def claimed(self, batch: Sequence[Delivery]) -> list[Ready]:
        """Those of a batch that are still due and now ours, save those a later version overtook."""
        origin = self.house.settings.smtp_from
        ids = {delivery.id: envelope.message_id(delivery, origin) for delivery in batch}
        repeats = outbox.claim_all(self.tx, ids, self.now)
        ours = [d for d in batch if d.id in repeats and not self._overtaken(d)]
        known = {r.id: r for r in recipients.of(self.tx, [d.destination for d in ours])}
        return [Ready(d, self._payload(d), known.get(d.destination), self._around(d, repeats[d.id])) for d in ours]

    def settled(self, attempted: Sequence[tuple[Delivery, sender.Outcome]]) -> list[Delivery]:
        """Enter how attempts went; what is given up is told to the operator."""
        ended = [self._ended(delivery, outcome) for delivery, outcome in attempted]
        repeats = outbox.settle_all(self.tx, ended, self.now)
        for (delivery, outcome), end in zip(attempted, ended, strict=True):
            self._told(delivery, outcome, end.state, repeats[delivery.id])
        return [
            delivery.model_copy(
                update={
                    "state": end.state,
                    "attempts": delivery.attempts + 1,
                    "last_error": end.error,
                    "next_attempt_at": end.next_attempt_at,
                }
            )
            for (delivery, _), end in zip(attempted, ended, strict=True)
        ]

    def _ended(self, delivery: Delivery, outcome: sender.Outcome) -> outbox.Ended:
        channel = self.house.catalogue.channels.get(delivery.channel)
        attempts = delivery.attempts + 1
        jitter = int(digest([delivery.id, attempts], 2), 16) / 255
        again = (
            due.next_attempt(attempts, self.now, channel.max_attempts, jitter) if channel and outcome.retry else None
        )
        if again:
            again = max(again, due.not_before(self.now, outcome.wait_seconds) or again)
        state = SENT if outcome.ok else FAILED if again else DEAD
        return outbox.Ended(delivery.id, state, outcome.error, again, outcome.unknown)

    def _told(self, delivery: Delivery, outcome: sender.Outcome, state: DeliveryState, repeat: bool) -> None:
        if state is SENT and outcome.remote:
            arrivals.taken(self.tx, delivery.id, outcome.remote, self.at)
        if state is DEAD:
            perhaps = " (it may have arrived)" if outcome.unknown or repeat else ""
            words = f"{delivery.destination}: given up{perhaps}: {outcome.error}"
            tell = not delivery.page.startswith(paging.OPERATOR)  # or each failure to tell would be told again
            operator_notices.put(self.tx, self.at, "dispatch", words, tell=tell)
        if state is SENT and delivery.alert and delivery.version is not None:
            self._issued(delivery)

    def _same(self, key: tuple[Any, ...], look: Callable[[], Answer]) -> Answer:
        """What is the same for many deliveries of this transaction, looked up once."""
        if key not in self._once:
            self._once[key] = look()
        found: Answer = self._once[key]
        return found

    def _around(self, delivery: Delivery, repeat: bool) -> Envelope:
        alert, thread, follows = delivery.alert, "", ""
        if alert and ((delivery.version or 0) > 1 or delivery.nudge):
            thread = outbox.thread(self._same(("threads", alert), lambda: outbox.threads(self.tx, alert)), delivery)
        if alert and delivery.format == "slack":
            follows = arrivals.first(self._same(("case", alert), lambda: arrivals.of_case(self.tx, alert)), delivery)
        files = (alert, delivery.version, delivery.audience, delivery.format, delivery.attachments)
        return envelope.of(
            delivery,
            self.house.settings.smtp_from,
            in_reply_to=thread,
            repeat=repeat,
            personal=self._personal(delivery),
            attached=self._same(("attached", *files), lambda: self._attached(delivery)),
            inline=self._same(("inline", *files), lambda: self._inline(delivery)),
            follows=follows,
        )

    def _attached(self, delivery: Delivery) -> tuple[attach.Attachment, ...]:
        """The stored sheets that go along: of the same bundle whose hash is looked at for the text."""
        text = self._text(delivery.alert, delivery.version or 0) if delivery.attachments else None
        return attach.of(delivery, text.alert, text.payloads) if text and text.alert else ()

    def _inline(self, delivery: Delivery) -> tuple[attach.Inline, ...]:
        text = self._text(delivery.alert, delivery.version or 0) if delivery.alert else None
        return attach.inline(delivery, text.alert, text.payloads) if text and text.alert else ()

    def _personal(self, delivery: Delivery) -> Personal | None:
        alert = self._text(delivery.alert, delivery.version or 0).alert if delivery.alert else None
        if alert is None or not alert.content.get("answer"):
            return None
        keys = self._same(("keys",), lambda: answering.held(self.house))
        found = answering.of_alert(self.tx, delivery, alert, keys)
        if isinstance(found, str):
            operator_notices.put(self.tx, self.at, "dispatch", found, "answer keys")
            return None
        return found

    def _text(self, alert_id: str, version: int) -> _Text:
        if (alert_id, version) not in self._texts:
            known = alerts.versions(self.tx, alert_id)
            alert = next((a for a in known if a.version == version), None)
            stored = self._proven(alert)
            stops = "the stored text is not the one that was approved" if stored is None else ""
            decided = decisions.of_alert(self.tx, alert_id)
            self._texts[alert_id, version] = _Text(alert, known, stored or [], decided, stops)
        return self._texts[alert_id, version]

    def _no_contact_test(self, alert: Alert | None, stored: list[Payload]) -> str:
        """Why what calls itself a contact test is none, in words; '' for every other text."""
        if alert is None or alert.product is not Product.CONTACT_TEST:
            return ""
        wrong = contact_test.faults(alert, self.house.catalogue, stored)
        return f"this is no contact test: {wrong[0].where}: {wrong[0].what}" if wrong else ""

    def _proven(self, alert: Alert | None) -> list[Payload] | None:
        """The stored bytes, where their hash is the one that was approved."""
        if alert is None:
            return None
        key = (alert.id, alert.version, alert.hash)
        if key not in self.proven.bundles:
            stored = alerts.payloads(self.tx, alert.id, alert.version)
            if render.bundle_hash(alert, stored) != alert.hash:
                return None
            self.proven.bundles[key] = stored
        return self.proven.bundles[key]

    def _payload(self, delivery: Delivery) -> Payload | str:
        """A page's own text, or the stored bytes of an alert; words where those must not go out."""
        if delivery.page:
            page, catalogue = pages.load(self.tx, delivery.page), self.house.catalogue
            return render.page_payload(page, delivery.format, catalogue) if page else "the page is no longer there"
        name = ("payload", delivery.alert, delivery.version, delivery.audience, delivery.format)
        return self._same(name, lambda: self._stored(delivery))

    def _stored(self, delivery: Delivery) -> Payload | str:
        text = self._text(delivery.alert, delivery.version or 0)
        if text.stops or text.alert is None:
            return text.stops
        stops = decide.leaves(text.alert, text.versions, text.decided, delivery.audience, self.house.catalogue)
        if stops := stops or handling.release_withdrawn(self.tx, self.house, text.alert):
            return stops
        if any(p.gone for p in text.payloads):
            return "its photograph was purged: an update goes out in its place"
        wanted = (delivery.audience, delivery.format)
        found = next((p for p in text.payloads if (p.audience, p.format) == wanted), None)
        if found and found.format == "cap":
            return signing.leaving(self.tx, self.house, text.alert, found, self.at)
        return found or "the stored text is no longer there"

    def _overtaken(self, delivery: Delivery) -> bool:
        """A delivery that a later version overtook while its sender was gone is superseded, and that is told."""
        if not delivery.alert:
            return False
        text = self._text(delivery.alert, delivery.version or 0)
        words = lifecycle.overtaken(delivery.version or 0, text.versions)
        if not words or text.alert is None:
            return False
        outbox.settle(self.tx, delivery.id, SUPERSEDED, self.now, words)
        stopped = [f"{delivery.destination} (version {delivery.version})"]
        texts.tell_superseded(self.tx, text.alert, stopped, words, self.at)
        return True

    def _issued(self, delivery: Delivery) -> None:
        """The first delivery that arrives issues an approved version, and ends the one that people had."""
        name = (delivery.alert, delivery.version or 0)
        alert = None if name in self.proven.out else alerts.load(self.tx, *name)
        if alert is None or alert.status is not AlertStatus.APPROVED:
            self.proven.out |= {name} if alert is not None and alert.status is AlertStatus.ISSUED else set()
            return
        status = lifecycle.moved(alert, lifecycle.GOES_OUT_BY[alert.kind])
        alerts.set_status(self.tx, alert.id, alert.version, status, self.at)
        cases.act(self.tx, alert.case, self.at, status.value, "ewarn", f"{alert.id} v{alert.version} has gone out")
        topics = [versions.REVIEW_DUE, versions.EXPIRED, corrections.CORRECTED]
        operator_notices.close(self.tx, self.at, "ewarn", source=alert.id, topics=topics)
        ends = lifecycle.ENDS_THE_ONE_BEFORE_BY[alert.kind]
        for earlier in alerts.versions(self.tx, alert.id):
            if earlier.version < alert.version and (earlier.status, ends) in lifecycle.MOVES:
                alerts.set_status(self.tx, earlier.id, earlier.version, lifecycle.moved(earlier, ends), self.at)
        self._texts.clear()
        self._once.clear()
