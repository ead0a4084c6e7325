"""Watch the sources on a schedule: one that fails, is late, silent or drifting is an operator notice."""

from __future__ import annotations

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from ewarn.pipeline.read import status
from ewarn.pipeline.reports import SourceFreshness
from ewarn.pipeline.respond import watch_silence
from flows.showing import Row, show
from flows.turns import STORE_RETRIES, in_turn, reading, worth_retrying


@task(retry_condition_fn=worth_retrying, cache_policy=NO_CACHE, **STORE_RETRIES)
async def look_for_silence() -> None:
    """Open and close the notices about sources as they now stand. Raises: StoreBusy where a retry makes sense."""
    await in_turn(watch_silence)


@flow(name="silence-watch", log_prints=True)
async def watch_sources() -> int:
    """Answers how many sources are late or silent."""
    await look_for_silence()
    report = await reading(status)
    told = [f"- **{source.source}**: {words}" for source in report.sources for words in source.words]
    words = "# Silence watch\n\nAbsence of news is not recovery.\n\n" + ("\n".join(told) or "- every source is in time")
    await show("silence-watch", [_row(source) for source in report.sources], words)
    return sum(source.late for source in report.sources)


def _row(source: SourceFreshness) -> Row:
    """One row per source."""
    return {
        "source": source.source,
        "state": ", ".join(source.states),
        "last received": str(source.last_received_at or "never"),
        "last outcome": source.last_outcome,
        "expected every hours": source.expected_every_hours,
        "measured every hours": source.cadence_hours,
        "lag in days": source.lag_days,
    }
