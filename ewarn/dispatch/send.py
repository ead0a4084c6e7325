"""Sends one stored payload to one address.

In: a delivery, its payload as stored, the channel, the recipient, a way to read secrets. Out: an outcome with a masked
error and whether a retry makes sense. It must never send to two addresses at once, change a stored text, or let a token
or an address into a log or an error.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import quote, urlsplit

import apprise

from ewarn.catalogue.definitions import ChannelDefinition
from ewarn.dispatch import contact_test, envelope
from ewarn.dispatch.deadline import within
from ewarn.dispatch.envelope import Envelope
from ewarn.dispatch.mail import SCHEMAS as MAIL_SCHEMAS
from ewarn.dispatch.mail import TwoPartMail
from ewarn.dispatch.redact import mask, masked_logs
from ewarn.dispatch.replies import ASSET, Heard, heard
from ewarn.dispatch.slack import PREFIXES as SLACK_PREFIXES
from ewarn.dispatch.slack import ExactSlack
from ewarn.dispatch.standings import standing_stops
from ewarn.errors import EwarnError
from ewarn.terms import Delivery, Payload, Recipient

PLACEHOLDER = re.compile(r"\{(address|from|secret:([A-Za-z0-9_.-]+))\}")
HEADER_SCHEMAS = ("json", "jsons", "xml", "xmls", "form", "forms")
STATUS = re.compile(r"error=(\d{3})\b")
ANSWERED = re.compile(r"error=\d{3}\b|\bSMTP \d{3}\b")
GATEWAY = (502, 504)
MOVED = (301, 302, 303, 307, 308)
TOO_MANY = 429
DEADLINE_TIMES = 3
PLACES = BoundedSemaphore(24)
RETRIED_4XX = (408, 409, 421, 423, 425, 429)


@dataclass(frozen=True)
class Outcome:
    """How one attempt ended.

    `silent`: the other side did not answer at all; `unknown`: it may have the message; `blocked`: whatever else goes to
    this server would be answered the same now; `wait_seconds`: it asked not to be asked again before.
    """

    ok: bool
    error: str = ""
    retry: bool = False
    silent: bool = False
    unknown: bool = False
    blocked: bool = False
    wait_seconds: float = 0.0


@dataclass(frozen=True)
class Address:
    """A channel's address filled in for one recipient, and what in it must never be shown."""

    url: str
    secrets: frozenset[str]

    @property
    def schema(self) -> str:
        return self.url.split("://", 1)[0].lower()


def deliver(
    delivery: Delivery,
    payload: Payload,
    channel: ChannelDefinition,
    recipient: Recipient,
    secret: Callable[[str], str],
    sender: str = "ewarn@localhost",
    around: Envelope | None = None,
) -> Outcome:
    """Send, once, as stored. A new Apprise object with one address each time; the answer within a bounded time.

    In: `secret` reads a secret by name; `sender` fills {from}; `around` what stands around the text. Never raises for
    what the other side does.
    """
    stops = standing_stops(delivery.standing, channel, delivery.product)
    if stops := stops or contact_test.payload_stops(delivery, payload):
        return Outcome(False, stops)
    if delivery.page and not channel.internal:
        return Outcome(False, f"{channel.title} is not a channel for pages")
    around = around or envelope.of(delivery, sender)
    try:
        address = fill(channel, recipient, secret, sender, delivery, around)
    except EwarnError as fault:
        return Outcome(False, f"the channel's address cannot be filled in: {fault}", retry=True)
    address = Address(address.url, address.secrets | around.secrets())
    payload = around.filled(payload)
    seconds = channel.timeout_seconds * DEADLINE_TIMES
    late = Outcome(False, f"no answer within {seconds:g} seconds", retry=True, silent=True, unknown=True)
    return within(seconds, lambda: _attempted(address, delivery, payload, around), PLACES) or late


def _attempted(address: Address, delivery: Delivery, payload: Payload, around: Envelope) -> Outcome:
    with masked_logs(address.secrets), _listening() as log, heard() as reply:
        outcome = _notify(address, delivery, payload, around)
        said = " ".join(log)
    if outcome.ok:
        return Outcome(True)
    error = mask(" ".join((outcome.error or said or "the other side did not take it").split()), address.secrets)
    if reply.status in MOVED:
        error = f"{error} The server points elsewhere; that is not followed: the channel's address needs correcting."
    retry = outcome.retry and not _refused_for_good(said)
    silent = retry and not ANSWERED.search(f"{outcome.error} {said}")
    return Outcome(
        False,
        error.strip()[:500],
        retry,
        silent=silent,
        unknown=outcome.unknown if address.schema in MAIL_SCHEMAS else _unknown(reply, silent),
        blocked=outcome.blocked or reply.status == TOO_MANY,
        wait_seconds=reply.wait_seconds,
    )


def _unknown(reply: Heard, silent: bool) -> bool:
    """Whether a message that was not acknowledged may have arrived: it left and nobody answered, or a gateway did."""
    if reply.status:
        return reply.status in GATEWAY or silent
    return silent and (reply.left or not reply.asked)


def server_of(
    channel: ChannelDefinition, recipient: Recipient, secret: Callable[[str], str], sender: str = "ewarn@localhost"
) -> str:
    """What a queue is for: one channel to one server. It is compared and never shown."""
    try:
        return f"{channel.id} {urlsplit(fill(channel, recipient, secret, sender).url).netloc}"
    except (EwarnError, ValueError):
        return channel.id


class _Listener(logging.Handler):
    """What Apprise says, kept apart by thread: several messages go out at once."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.by_thread = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        lines: list[str] | None = getattr(self.by_thread, "lines", None)
        if lines is not None:
            lines.append(record.getMessage())


LISTENER = _Listener()
logging.getLogger("apprise").addHandler(LISTENER)


@contextmanager
def _listening() -> Iterator[list[str]]:
    """The warnings of this thread's attempt."""
    lines: list[str] = []
    LISTENER.by_thread.lines = lines
    try:
        yield lines
    finally:
        LISTENER.by_thread.lines = None


def _notify(address: Address, delivery: Delivery, payload: Payload, around: Envelope) -> Outcome:
    sending = apprise.Apprise(asset=ASSET)
    title = around.subject(payload.subject)
    try:
        if address.schema in MAIL_SCHEMAS:
            mail = TwoPartMail.of(address.url, _parts(payload), delivery, around)
            ok = sending.add(mail) and sending.notify(body=mail.text, title=title)
            return Outcome(bool(ok), mail.fault, mail.may_retry, unknown=mail.unknown, blocked=mail.blocked)
        text = payload.body.decode()
        if around.repeat and payload.format != "json":
            text = f"{around.first_line()}\n{text}"
        target = ExactSlack.of(address.url, text) if address.url.startswith(SLACK_PREFIXES) else address.url
        if not sending.add(target):
            return Outcome(False, "Apprise cannot read the channel's address", retry=False)
        ok = sending.notify(body=text, title=title)
        return Outcome(bool(ok), retry=True)
    except (TypeError, ValueError) as error:
        return Outcome(False, f"the channel's address is not usable: {error}", retry=False)


def _parts(payload: Payload) -> dict[str, str]:
    """Text and HTML of an e-mail as stored; another format goes out as its text alone."""
    if payload.format != "email":
        return {"text": payload.body.decode()}
    parts: dict[str, Any] = json.loads(payload.body)
    return {key: str(value) for key, value in parts.items()}


def _refused_for_good(said: str) -> bool:
    """Whether the answer was a 4xx that another attempt cannot change (a wrong address, token or text)."""
    codes = [int(code) for code in STATUS.findall(said)]
    return any(400 <= code < 500 and code not in RETRIED_4XX for code in codes)


def fill(
    channel: ChannelDefinition,
    recipient: Recipient,
    secret: Callable[[str], str],
    sender: str,
    delivery: Delivery | None = None,
    around: Envelope | None = None,
) -> Address:
    """The channel's address with {address}, {from} and {secret:NAME} filled in and quoted, and time-outs added.

    Before the '?' a value may hold slashes and colons (host and port, a webhook's path); after it everything is
    quoted, so that a value cannot become another part of the address. A secret may also be the whole address.
    """
    secrets: set[str] = set()

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        found = recipient.address if name == "address" else sender if name == "from" else secret(match.group(2))
        if name != "from":
            secrets.add(found)
        if match.group() == match.string:
            return found
        if "?" not in match.string[: match.start()]:
            return quote(found, safe="/:")
        # Apprise decodes users and passwords of the query twice: a percent sign in a secret must survive both.
        return quote(found.replace("%", "%25") if match.group(2) else found, safe="")

    url = PLACEHOLDER.sub(value, channel.url)
    return Address(_with_options(url, channel, delivery, around), frozenset(secrets))


def _with_options(
    url: str, channel: ChannelDefinition, delivery: Delivery | None, around: Envelope | None = None
) -> str:
    seconds = f"{channel.timeout_seconds:g}"
    options = [f"{key}={seconds}" for key in ("cto", "rto") if f"{key}=" not in url]
    if delivery is not None and url.split("://", 1)[0].lower() in HEADER_SCHEMAS:
        options += [f"+X-Ewarn-Delivery={delivery.id}", f"+X-Ewarn-Standing={delivery.standing.value}"]
        options += [f"+{name}={quote(value, safe='')}" for name, value in (around.headers() if around else {}).items()]
    return url + ("&" if "?" in url else "?") + "&".join(options) if options else url
