"""Receive on a schedule: feeds over the network, and the CSV files that lie in the drop folders.

One source failing is a row in the table, never the end of the run; passing faults are tried again, others are not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from ewarn.errors import TransientSourceError
from ewarn.pipeline.polling import ask, take_answer
from ewarn.pipeline.receive import intake
from ewarn.pipeline.reports import SourceReport
from flows.showing import intake_words, show, source_row
from flows.turns import FEED_RETRIES, STORE_RETRIES, in_turn, reading, worth_retrying

ONE_FEED_AT_A_TIME = asyncio.Lock()


@task(retry_condition_fn=worth_retrying, cache_policy=NO_CACHE, **FEED_RETRIES)
async def receive_feed(source: str) -> SourceReport:
    """One feed: asked without the write slot, so that a slow publisher keeps no detection or page waiting.

    Raises: TransientSourceError where a retry makes sense; other faults are in the report.
    """
    answer = await reading(lambda house, now: ask(house, source, now))
    async with ONE_FEED_AT_A_TIME:
        report = await in_turn(lambda house, now: take_answer(house, answer, now))
    if report.retryable:
        raise TransientSourceError(report.error, where=source)
    return report


@task(retry_condition_fn=worth_retrying, cache_policy=NO_CACHE, **STORE_RETRIES)
async def receive_drops() -> tuple[SourceReport, ...]:
    """Every complete file in the drop folders: one report a file."""
    return await in_turn(lambda house, now: intake(house, now, kinds=("drop",)).sources)


@flow(name="intake-feeds", log_prints=True)
async def intake_feeds() -> State:
    """Ask every enabled feed once, all at the same time."""
    sources = await reading(lambda house, now: [f.id for f in house.catalogue.feeds.values() if f.enabled])
    reports = await asyncio.gather(*(_report_of(source) for source in sources))
    return await _close("intake-feeds", "Intake of feeds", reports)


@flow(name="intake-drops", log_prints=True)
async def intake_drops() -> State:
    """Take in what lies in the drop folders."""
    return await _close("intake-drops", "Intake of drops", await receive_drops())


async def _report_of(source: str) -> SourceReport:
    """What came of one feed, its last error included: one failing feed is a value, never the end of the run."""
    state = await receive_feed(source, return_state=True)
    answer = await state.aresult(raise_on_failure=False)
    if isinstance(answer, SourceReport):
        return answer
    return SourceReport(source=source, outcome="failed", error=str(answer), retryable=True)


async def _close(key: str, title: str, reports: Sequence[SourceReport]) -> State:
    """Both artifacts, and how the run ended: failed only where every source failed."""
    await show(key, [source_row(report) for report in reports], intake_words(title, reports))
    failed = [report.source for report in reports if report.error]
    if failed and len(failed) == len(reports):
        return Failed(message=f"every source failed: {', '.join(failed)}")
    if failed:
        return Completed(name="PartFailed", message=f"failed: {', '.join(failed)}; the others were received")
    return Completed(message=f"{len(reports)} received from")
