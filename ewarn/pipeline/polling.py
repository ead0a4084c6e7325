"""Feeds: ask the publisher over the network, then keep and land what came. Asking writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ewarn import intake as intake_room
from ewarn.catalogue.definitions import FeedDefinition
from ewarn.errors import EwarnError, UsageFault
from ewarn.pipeline.house import House
from ewarn.pipeline.landing import definition_of, failed, take
from ewarn.pipeline.reports import SourceReport
from ewarn.store import operator_notices, snapshots


@dataclass(frozen=True)
class Answer:
    """What asking a feed gave: what came, or why nothing did."""

    feed: FeedDefinition
    came: intake_room.Fetched | EwarnError
    validators: Mapping[str, str]


def ask(house: House, source: str, now: datetime) -> Answer:
    """Ask a feed over the network. Writes nothing, so that a slow publisher keeps no writer waiting.

    A source that fails is part of the answer. Raises: UsageFault where there is no such feed.
    """
    feed = definition_of(house, source)
    if not isinstance(feed, FeedDefinition):
        raise UsageFault(f"'{source}' is not a feed", next_step="Put its files into its drop folder.")
    validators = snapshots.validators(house.settings, source)
    loopback = house.settings.allow_loopback_sources
    try:
        return Answer(
            feed, intake_room.fetch(feed, validators=validators, allow_loopback=loopback, now=now), validators
        )
    except EwarnError as error:
        return Answer(feed, error, validators)


def take_answer(house: House, answer: Answer, now: datetime, backfill: bool = False) -> SourceReport:
    """Keep and land what a feed answered, or write down that it failed. An answer closes the notices about the feed."""
    came, feed = answer.came, answer.feed
    if isinstance(came, EwarnError):
        return failed(house, feed.id, came, now)
    with house.db.read() as con:
        told = feed.id in operator_notices.open(con)["source"]
    if told:
        with house.db.write("intake") as tx:
            operator_notices.close(tx, now, "ewarn", source=feed.id)
    if came.status == "not modified":
        receipt = snapshots.note(house.settings, feed.id, now, "not modified", validators=answer.validators)
        with house.db.write("intake") as tx:
            snapshots.enter(tx, [receipt])
        return SourceReport(source=feed.id, outcome="not modified")
    return take(house, feed, came.body, now, backfill, validators=came.validators)
