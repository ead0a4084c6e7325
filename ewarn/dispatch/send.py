"""Sends one stored payload to one address.

In: a delivery, its payload as stored, the channel, the recipient, a way to read secrets. Out: an outcome with a masked
error and whether a retry makes sense. It must never send to two addresses at once, change a stored text, or let a token
or an address into a log or an error.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import apprise

from ewarn.catalogue.definitions import ChannelDefinition
from ewarn.dispatch.mail import SCHEMAS as MAIL_SCHEMAS
from ewarn.dispatch.mail import TwoPartMail
from ewarn.dispatch.redact import mask, masked_logs
from ewarn.dispatch.route import standing_stops
from ewarn.dispatch.slack import PREFIXES as SLACK_PREFIXES
from ewarn.dispatch.slack import ExactSlack
from ewarn.errors import EwarnError
from ewarn.terms import Delivery, Payload, Recipient

PLACEHOLDER = re.compile(r"\{(address|from|secret:([A-Za-z0-9_.-]+))\}")
HEADER_SCHEMAS = ("json", "jsons", "xml", "xmls", "form", "forms")
STATUS = re.compile(r"error=(\d{3})\b")
ANSWERED = re.compile(r"error=\d{3}\b|\bSMTP \d{3}\b")
RETRIED_4XX = (408, 409, 421, 423, 425, 429)


@dataclass(frozen=True)
class Outcome:
    """How one attempt ended. `silent`: the other side did not answer at all."""

    ok: bool
    error: str = ""
    retry: bool = False
    silent: bool = False


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
) -> Outcome:
    """Send, once, as stored. A new Apprise object with one address each time; the answer within the channel's time-out.

    In: `secret` reads a secret by name; `sender` fills {from}. Never raises for what the other side does.
    """
    if stops := standing_stops(delivery.standing, channel):
        return Outcome(False, stops)
    if delivery.page and not channel.internal:
        return Outcome(False, f"{channel.title} is not a channel for pages")
    try:
        address = fill(channel, recipient, secret, sender, delivery)
    except EwarnError as fault:
        return Outcome(False, f"the channel's address cannot be filled in: {fault}", retry=True)
    capture = apprise.LogCapture(level=logging.WARNING, fmt="%(message)s")  # type: ignore[no-untyped-call]
    with masked_logs(address.secrets), capture as log:
        outcome = _notify(address, delivery, payload)
        said = log.getvalue()
    if outcome.ok:
        return Outcome(True)
    error = mask(" ".join((outcome.error or said or "the other side did not take it").split()), address.secrets)
    retry = outcome.retry and not _refused_for_good(said)
    return Outcome(False, error[:500], retry, silent=retry and not ANSWERED.search(f"{outcome.error} {said}"))


def _notify(address: Address, delivery: Delivery, payload: Payload) -> Outcome:
    sending = apprise.Apprise()
    try:
        if address.schema in MAIL_SCHEMAS:
            mail = TwoPartMail.of(address.url, _parts(payload), delivery)
            ok = sending.add(mail) and sending.notify(body=mail.text, title=payload.subject)
            return Outcome(bool(ok), mail.fault, mail.may_retry)
        text = payload.body.decode()
        target = ExactSlack.of(address.url, text) if address.url.startswith(SLACK_PREFIXES) else address.url
        if not sending.add(target):
            return Outcome(False, "Apprise cannot read the channel's address", retry=False)
        ok = sending.notify(body=text, title=payload.subject)
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
    return Address(_with_options(url, channel, delivery), frozenset(secrets))


def _with_options(url: str, channel: ChannelDefinition, delivery: Delivery | None) -> str:
    seconds = f"{channel.timeout_seconds:g}"
    options = [f"{key}={seconds}" for key in ("cto", "rto") if f"{key}=" not in url]
    if delivery is not None and url.split("://", 1)[0].lower() in HEADER_SCHEMAS:
        options += [f"+X-Ewarn-Delivery={delivery.id}", f"+X-Ewarn-Standing={delivery.standing.value}"]
    return url + ("&" if "?" in url else "?") + "&".join(options) if options else url
