"""The ad-hoc check: a question about an area, a substance and an instant. It writes nothing, so it needs no slot."""

from __future__ import annotations

from datetime import datetime

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from ewarn.pipeline.reports import DetectReport
from ewarn.pipeline.validate import detect as detect_verb
from flows.showing import detect_words, show, signal_row
from flows.turns import STORE_RETRIES, reading, worth_retrying


@task(retry_condition_fn=worth_retrying, cache_policy=NO_CACHE, **STORE_RETRIES)
async def ask(area: str | None, substance: str | None, as_of: datetime | None) -> DetectReport:
    """Raises: UsageFault for an area or a substance nobody knows; StoreBusy where a retry makes sense."""
    return await reading(
        lambda house, now: detect_verb(house, now, as_of=as_of, area=area, substance=substance, dry_run=True)
    )


@flow(name="adhoc-check", log_prints=True)
async def adhoc_check(area: str | None = None, substance: str | None = None, as_of: datetime | None = None) -> int:
    """Area by GSS code, substance or class by id, instant with its time zone; each may be left out.

    Answers how many signals stood there then.
    """
    report = await ask(area, substance, as_of)
    asked = ", ".join(f"{k} {v}" for k, v in {"area": area, "substance": substance}.items() if v) or "everything"
    await show(
        "adhoc-check", [signal_row(signal) for signal in report.signals], detect_words(f"Ad-hoc check: {asked}", report)
    )
    return len(report.signals)
