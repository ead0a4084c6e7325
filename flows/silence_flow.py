"""Watch for silence on a schedule: a source later than its definition expects becomes an operator notice."""

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
    """Write a notice for every source that has gone silent. Raises: StoreBusy where a retry makes sense."""
    await in_turn(watch_silence)


@flow(name="silence-watch", log_prints=True)
async def watch_sources() -> int:
    """Answers how many sources are late."""
    await look_for_silence()
    report = await reading(status)
    late = [source.title for source in report.sources if source.late]
    words = "# Silence watch\n\nAbsence of news is not recovery.\n\n" + (
        "\n".join(f"- late: {title}" for title in late) or "- no source is late"
    )
    await show("silence-watch", [_row(source) for source in report.sources], words)
    return len(late)


def _row(source: SourceFreshness) -> Row:
    """One row per source."""
    return {
        "source": source.source,
        "late": source.late,
        "last received": str(source.last_received_at or "never"),
        "last outcome": source.last_outcome,
        "expected every hours": source.expected_every_hours,
    }
