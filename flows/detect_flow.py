"""Validate on a schedule: evaluate every rule at this instant, let signals join cases, write the pages."""

from __future__ import annotations

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from ewarn.pipeline.reports import DetectReport
from ewarn.pipeline.validate import detect as detect_verb
from flows.showing import detect_words, show, signal_row
from flows.turns import STORE_RETRIES, in_turn, worth_retrying


@task(retry_condition_fn=worth_retrying, cache_policy=NO_CACHE, **STORE_RETRIES)
async def evaluate() -> DetectReport:
    """All rules, now. Raises: StoreBusy where a retry makes sense."""
    return await in_turn(detect_verb)


@flow(name="detect", log_prints=True)
async def detect() -> int:
    """Answers how many signals stand."""
    report = await evaluate()
    await show("detect", [signal_row(signal) for signal in report.signals], detect_words("Detection", report))
    return len(report.signals)
