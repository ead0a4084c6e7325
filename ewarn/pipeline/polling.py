"""Feeds: ask the publisher over the network, then keep and land what came. Asking writes nothing.

A publisher that asks us to wait is not asked again before its time, also after a restart; one that has moved for good
is asked at its new address until the definition says so too. What an answer looked like is kept beside the answers
before it, and a changed shape is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from ewarn import intake as intake_room
from ewarn.catalogue.definitions import FeedDefinition
from ewarn.errors import EwarnError, SourceBusy, TerminalSourceError, UsageFault
from ewarn.intake import feedreader, feedshape
from ewarn.pipeline import vigil
from ewarn.pipeline.house import House
from ewarn.pipeline.landing import definition_of, failed, take
from ewarn.pipeline.reports import SourceReport
from ewarn.store import feed_states, operator_notices, snapshots
from ewarn.store.feed_states import FeedState
from ewarn.terms import LONDON

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=15), timedelta(hours=6)
MOVED = "moved"


@dataclass(frozen=True)
class Wait:
    """The feed was not asked: its publisher asked us to wait."""

    until: datetime


@dataclass(frozen=True)
class Answer:
    """What asking a feed gave: what came, or why nothing did."""

    feed: FeedDefinition
    came: intake_room.Fetched | EwarnError | Wait
    validators: Mapping[str, str]
    state: FeedState


def ask(house: House, source: str, now: datetime, *, anyway: bool = False) -> Answer:
    """Ask a feed over the network. Writes nothing, so that a slow publisher keeps no writer waiting.

    In: `anyway`, where a person asks, goes ahead although the publisher asked us to wait.
    A source that fails is part of the answer. Raises: UsageFault where there is no such feed.
    """
    feed = definition_of(house, source)
    if not isinstance(feed, FeedDefinition):
        raise UsageFault(f"'{source}' is not a feed", next_step="Put its files into its drop folder.")
    with house.db.read() as con:
        state = feed_states.load(con, source, feed.url)
    if state.not_before is not None and now < state.not_before and not anyway:
        return Answer(feed, Wait(state.not_before), {}, state)
    validators = snapshots.validators(house.settings, source)
    try:
        return Answer(feed, _fetched(house, feed, validators, state, now), validators, state)
    except EwarnError as error:
        return Answer(feed, error, validators, state)


def _fetched(
    house: House, feed: FeedDefinition, validators: Mapping[str, str], state: FeedState, now: datetime
) -> intake_room.Fetched:
    """From where the feed moved to, where that is known and still will do; else from its definition's address."""

    def fetch(url: str) -> intake_room.Fetched:
        fit = {} if validators.get("url", url) != url else validators
        return intake_room.fetch(
            feed, validators=fit, allow_loopback=house.settings.allow_loopback_sources, now=now, url=url
        )

    if state.moved_to:
        try:
            came = fetch(state.moved_to)
            return replace(came, moved_to=feedreader.safe_link(came.moved_to) or state.moved_to)
        except TerminalSourceError:
            pass  # refused, gone or no longer a feed there: the definition's address says what is right
    came = fetch(feed.url)
    return replace(came, moved_to=feedreader.safe_link(came.moved_to))


def take_answer(house: House, answer: Answer, now: datetime, backfill: bool = False) -> SourceReport:
    """Keep and land what a feed answered, or write down that it failed; notices open and close with it."""
    if isinstance(answer.came, Wait):
        until = f"{answer.came.until.astimezone(LONDON):%Y-%m-%d %H:%M}"
        return SourceReport(source=answer.feed.id, outcome=f"not asked: its publisher asks us to wait until {until}")
    report = _kept(house, answer, answer.came, now, backfill)
    vigil.settle(house, now)
    return report


def _kept(
    house: House, answer: Answer, came: intake_room.Fetched | EwarnError, now: datetime, backfill: bool
) -> SourceReport:
    feed = answer.feed
    if isinstance(came, EwarnError):
        return _failed(house, answer, came, now)
    if came.status == "not modified":
        receipt = snapshots.note(house.settings, feed.id, now, "not modified", validators=answer.validators)
        with house.db.write("intake") as tx:
            snapshots.enter(tx, [receipt])
            _learnt(tx, answer, came, now)
        return SourceReport(source=feed.id, outcome="not modified")
    validators = came.validators | ({"url": came.moved_to or feed.url} if came.validators else {})
    report = take(house, feed, came.body, now, backfill, validators=validators)
    if report.error and not report.records:
        _forget_move(house, answer.state)
        return report
    shape = None if report.outcome == "same bytes" else feedshape.of(feed, came.body)
    with house.db.write("intake") as tx:
        _learnt(tx, answer, came, now)
        drift = _looked_at(tx, feed, shape, report.notes, now) if shape else ()
    if shape and not shape.entries:
        report = report.model_copy(update={"outcome": "no entries"})
    return report.model_copy(update={"notes": (*report.notes, *drift)})


def _failed(house: House, answer: Answer, error: EwarnError, now: datetime) -> SourceReport:
    """A failure; where the publisher asks us to wait, until when: what it said, else twice as long each time."""
    report = failed(house, answer.feed.id, error, now)
    if not isinstance(error, SourceBusy):
        return report
    refusals = answer.state.refusals + 1
    said = error.retry_after_seconds
    wait = timedelta(seconds=said) if said is not None else min(FIRST_WAIT * 2 ** min(refusals - 1, 10), LONGEST_WAIT)
    update = {"refusals": refusals, "not_before": now + wait}
    with house.db.write("intake") as tx:
        feed_states.save(tx, answer.state.model_copy(update=update))
    return report.model_copy(update={"retryable": False})


def _forget_move(house: House, state: FeedState) -> None:
    """What came from the new address is no feed: the next time the definition's address is asked."""
    if state.moved_to:
        with house.db.write("intake") as tx:
            feed_states.save(tx, state.model_copy(update={"moved_to": "", "moved_at": None}))


def _learnt(tx: Any, answer: Answer, came: intake_room.Fetched, now: datetime) -> None:
    """An answer ends the waiting; a permanent redirect is remembered and told once, its end closes what was told."""
    feed, before = answer.feed, answer.state
    same = came.moved_to == before.moved_to
    state = FeedState(
        source=feed.id, url=feed.url, moved_to=came.moved_to,
        moved_at=None if not came.moved_to else before.moved_at if same else now,
    )  # fmt: skip
    if state != before:
        feed_states.save(tx, state)
    if came.moved_to:
        words = f'{feed.title} has moved for good: put url = "{came.moved_to}" into sources/feeds/{feed.id}.toml'
        operator_notices.put(tx, now, feed.id, f"{words}. Until then it is asked there.", MOVED)
    else:
        operator_notices.close(tx, now, "ewarn", source=feed.id, topics=[MOVED])


def _looked_at(
    tx: Any, feed: FeedDefinition, shape: intake_room.Shape, notes: Sequence[str], now: datetime
) -> tuple[str, ...]:
    """How an answer differs from those before it, told; what no longer does is closed by itself."""
    before = [intake_room.Shape(**row) for row in feed_states.shapes(tx, feed.id, feedshape.REMEMBERED)]
    drift = feedshape.drift(shape, before)
    feed_states.put_shape(tx, feed.id, now, shape._asdict())
    for topic, words in drift.items():
        operator_notices.put(tx, now, feed.id, words, topic)
    over = [topic for topic in feedshape.TOPICS if topic not in drift]
    operator_notices.close(tx, now, "ewarn", source=feed.id, topics=over)
    remarks = operator_notices.open(tx).filter((pl.col("source") == feed.id) & (pl.col("topic") == ""))
    for notice in remarks.filter(~pl.col("text").is_in(list(notes)))["id"]:
        operator_notices.close(tx, now, "ewarn", notice=notice)
    return tuple(drift.values())
