"""Sends one stored payload to one address.

In: a delivery, its payload as stored, the channel, the recipient, a way to read secrets. Out: an outcome with a masked
error and whether a retry makes sense. It must never send to two addresses at once, change a stored text, or let a token
or an address into a log or an error.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import BoundedSemaphore
from urllib.parse import quote, urlsplit

import apprise

from ewarn.catalogue.definitions import ChannelDefinition
from ewarn.disclosure import inert
from ewarn.dispatch import contact_test, envelope, exact, notify, slackbot, ways
from ewarn.dispatch.deadline import within
from ewarn.dispatch.envelope import Envelope
from ewarn.dispatch.page import CANARY
from ewarn.dispatch.redact import mask, masked_logs
from ewarn.dispatch.replies import ASSET, Heard, heard
from ewarn.dispatch.standings import standing_stops
from ewarn.errors import EwarnError
from ewarn.terms import Delivery, Payload, Recipient

LOG = logging.getLogger(__name__)
PLACEHOLDER = re.compile(r"\{(address|from|secret:([A-Za-z0-9_.-]+))\}")
HEADER_SCHEMAS = ("json", "jsons", "xml", "xmls", "form", "forms")
STATUS = re.compile(r"error=(\d{3})\b")
ANSWERED = re.compile(r"error=\d{3}\b|\b(?:SMTP|HTTP|Slack:) \w+")
GATEWAY = (502, 504)
MOVED = (301, 302, 303, 307, 308)
TOO_MANY = 429
LONGEST_REMOTE = 200
DEADLINE_TIMES = 3
PLACES = BoundedSemaphore(24)
RETRIED_4XX = (408, 409, 421, 423, 425, 429)


@dataclass(frozen=True)
class Outcome:
    """How one attempt ended.

    `silent`: the other side did not answer at all; `unknown`: it may have the message; `blocked`: whatever else goes to
    this server would be answered the same now; `wait_seconds`: it asked not to be asked again before; `remote`: what
    the other side calls the message.
    """

    ok: bool
    error: str = ""
    retry: bool = False
    silent: bool = False
    unknown: bool = False
    blocked: bool = False
    wait_seconds: float = 0.0
    remote: str = ""


@dataclass(frozen=True)
class Address:
    """A channel's address filled in for one recipient, and what in it must never be shown."""

    url: str
    secrets: frozenset[str]
    sign: str = ""

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
    if delivery.page and not channel.internal and not delivery.page.startswith(CANARY):
        return Outcome(False, f"{channel.title} is not a channel for pages")
    around = around or envelope.of(delivery, sender)
    try:
        address = fill(channel, recipient, secret, sender, delivery, around)
    except EwarnError as fault:
        return Outcome(False, f"the channel's address cannot be filled in: {fault}", retry=True)
    address = replace(address, secrets=address.secrets | around.secrets())
    payload = around.filled(payload)
    seconds = channel.timeout_seconds * DEADLINE_TIMES
    late = Outcome(False, f"no answer within {seconds:g} seconds", retry=True, silent=True, unknown=True)
    wait = channel.timeout_seconds
    try:
        outcome = within(seconds, lambda: _attempted(address, delivery, payload, around, wait), PLACES) or late
    except Exception as fault:  # an answer that a library did not expect: the others of the batch must be entered
        LOG.error("an attempt ended in a fault of ours: %s", type(fault).__name__)  # its words may hold an address
        outcome = Outcome(False, f"the attempt failed: {type(fault).__name__}", retry=True, unknown=True)
    # What a server says is kept: without what no store takes, and no longer than a name is.
    return replace(outcome, error=inert.words(outcome.error), remote=inert.words(outcome.remote)[:LONGEST_REMOTE])


def _attempted(address: Address, delivery: Delivery, payload: Payload, around: Envelope, seconds: float) -> Outcome:
    with masked_logs(address.secrets), _listening() as log, heard() as reply:
        outcome = _notify(address, delivery, payload, around, seconds)
        said = " ".join(log)
    if outcome.ok:
        return outcome
    error = mask(" ".join((outcome.error or said or "the other side did not take it").split()), address.secrets)
    if reply.status in MOVED:
        error = f"{error} The server points elsewhere; that is not followed: the channel's address needs correcting."
    retry = outcome.retry and not _refused_for_good(said)
    silent = outcome.silent or (retry and not ANSWERED.search(f"{outcome.error} {said}"))
    return Outcome(
        False,
        error.strip()[:500],
        retry,
        silent=silent,
        unknown=outcome.unknown if outcome.error else _unknown(reply, silent),
        blocked=outcome.blocked or reply.status == TOO_MANY,
        wait_seconds=max(reply.wait_seconds, outcome.wait_seconds),
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


def tells(channel: ChannelDefinition) -> bool:
    """Whether a channel's other side can be asked what became of a message."""
    return channel.url.startswith(f"{notify.SCHEMA}://")


def arrival(
    channel: ChannelDefinition, recipient: Recipient, secret: Callable[[str], str], remote: str
) -> notify.Arrival | None:
    """What became of a message that the other side took; None where it does not say, or not now."""
    if not tells(channel):
        return None
    try:
        address = fill(channel, recipient, secret, "")
    except EwarnError:
        return None
    with masked_logs(address.secrets):
        return notify.arrival(address.url, remote, channel.timeout_seconds)


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


def _notify(address: Address, delivery: Delivery, payload: Payload, around: Envelope, seconds: float) -> Outcome:
    """One Apprise object with one address: our own where the stored bytes need one, else Apprise's."""
    sending = apprise.Apprise(asset=ASSET)
    try:
        ours = ways.of(ways.Way(url=address.url, seconds=seconds, sign=address.sign), payload, delivery, around)
        if not sending.add(ours if ours is not None else address.url):
            return Outcome(False, "Apprise cannot read the channel's address", retry=False)
        ok = sending.notify(body=ways.body(payload, around).decode(), title=around.subject(payload.subject))
    except (TypeError, ValueError) as error:
        return Outcome(False, f"the channel's address is not usable: {error}", retry=False)
    if ours is None:
        return Outcome(bool(ok), retry=True)
    return Outcome(
        bool(ok),
        ours.fault,
        ours.may_retry and not ok,
        silent=ours.silent,
        unknown=ours.unknown and not ok,
        blocked=ours.blocked,
        wait_seconds=ours.seconds_to_wait,
        remote=ours.remote,
    )


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
    sign = PLACEHOLDER.sub(value, channel.sign)
    if url.split("://", 1)[0].lower() not in (*exact.SCHEMAS, slackbot.SCHEMA, notify.SCHEMA):
        url = _with_options(url, channel, delivery, around)
    return Address(url, frozenset(secrets), sign)


def _with_options(
    url: str, channel: ChannelDefinition, delivery: Delivery | None, around: Envelope | None = None
) -> str:
    seconds = f"{channel.timeout_seconds:g}"
    options = [f"{key}={seconds}" for key in ("cto", "rto") if f"{key}=" not in url]
    if delivery is not None and url.split("://", 1)[0].lower() in HEADER_SCHEMAS:
        options += [f"+X-Ewarn-Delivery={delivery.id}", f"+X-Ewarn-Standing={delivery.standing.value}"]
        options += [f"+{name}={quote(value, safe='')}" for name, value in (around.headers() if around else {}).items()]
    return url + ("&" if "?" in url else "?") + "&".join(options) if options else url
