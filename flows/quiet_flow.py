"""Proof of life on a schedule: the daily test message, then once a day word that all is quiet, or what is wrong."""

from __future__ import annotations

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed

from ewarn.pipeline.canary import CanaryReport, canary
from ewarn.pipeline.quiet import QuietReport, all_quiet
from flows.showing import show
from flows.turns import STORE_RETRIES, in_turn, worth_retrying


@task(retry_condition_fn=worth_retrying, cache_policy=NO_CACHE, **STORE_RETRIES)
async def write_canary() -> CanaryReport:
    """Today's test message, once a day however often this runs."""
    return await in_turn(canary)


@task(retry_condition_fn=worth_retrying, cache_policy=NO_CACHE, **STORE_RETRIES)
async def say_all_quiet() -> QuietReport:
    """The day's word, or what is wrong."""
    return await in_turn(all_quiet)


@flow(name="canary", log_prints=True)
async def send_canary() -> int:
    """Answers how many are missing; the dispatch flow sends what is written."""
    report = await write_canary()
    missing = "\n".join(f"- {words}" for words in report.missing) or "- none is missing"
    await show("canary", [], f"# Daily test message\n\n{len(report.deliveries)} written.\n\n{missing}")
    return len(report.missing)


@flow(name="all-quiet", log_prints=True)
async def tell_all_quiet() -> State:
    """Once a day: everything is looked at, and the co-ordinator and the monitor are told, or not."""
    report = await say_all_quiet()
    wrong = "\n".join(f"- {words}" for words in report.wrong)
    await show("all-quiet", [], f"# Not quiet\n\n{wrong}" if wrong else f"# All quiet\n\n{report.text}")
    return Completed(name="NotQuiet" if wrong else "Completed", message=wrong or "all quiet")
