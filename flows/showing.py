"""What a flow run leaves to be looked at: one table and one markdown artifact, without raw rows or personal data.

In: the reports of the pipeline's verbs. Out: rows and markdown, and the two artifacts stored under a flow's key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact

from ewarn.pipeline.reports import DetectReport, SourceReport
from ewarn.terms import Delivery, Page, Signal

Row = dict[str, Any]


async def show(key: str, rows: Sequence[Row], markdown: str) -> None:
    """Store both artifacts; `key` is lower-case letters, digits and hyphens. An empty table says so in a row."""
    await acreate_table_artifact(key=f"{key}-table", table=list(rows) or [{"result": "nothing"}])
    await acreate_markdown_artifact(key=key, markdown=markdown)


def source_row(report: SourceReport) -> Row:
    """One row per source or file."""
    counts = ("records", "new", "changed", "unchanged", "rejects", "detections", "queued")
    return {
        "source": report.source,
        "file": report.file,
        "outcome": report.outcome,
        **{name: getattr(report, name) for name in counts},
        "error": report.error,
    }


def intake_words(title: str, reports: Sequence[SourceReport]) -> str:
    failed = [report for report in reports if report.error]
    lines = [
        f"# {title}",
        f"{len(reports)} received from, {len(failed)} failed; "
        f"{sum(r.new for r in reports)} new, {sum(r.changed for r in reports)} changed, "
        f"{sum(r.rejects for r in reports)} rejects.",
    ]
    lines += [f"- **{report.source}** failed: {report.error}" for report in failed]
    lines += [f"- {report.source}: {note}" for report in reports for note in report.notes]
    return "\n\n".join(lines[:2]) + "\n\n" + "\n".join(lines[2:])


def signal_row(signal: Signal) -> Row:
    """One row per signal."""
    return {
        "signal": signal.id,
        "family": signal.family.value,
        "subject": signal.subject.name,
        "area": signal.area.name,
        "observed": signal.observed,
        "records": signal.record_count,
        "from": signal.period.start.isoformat(),
        "to": signal.period.end.isoformat(),
        "why": signal.why,
    }


def detect_words(title: str, report: DetectReport) -> str:
    """What stood at the instant, and what had no answer: never the first without the second."""
    lines = [
        f"# {title}",
        f"As of {report.as_of.isoformat()}, content {report.content_hash[:12]}: "
        f"{len(report.signals)} signals stand, {len(report.new)} of them new; {len(report.pages)} pages written.",
        "**Not evaluable** is not *no signal*: "
        + (
            "; ".join(f"{n.rule} ({n.strata} strata): {n.reason}" for n in report.not_evaluable)
            or "every rule had an answer"
        )
        + ".",
    ]
    lines += [f"- {signal.area.name}: {signal.why}" for signal in report.signals]
    return "\n\n".join(lines[:3]) + "\n\n" + "\n".join(lines[3:])


def delivery_row(delivery: Delivery) -> Row:
    """One row per delivery; the destination is a recipient's id, never an address."""
    return {
        "delivery": delivery.id,
        "of": delivery.alert or delivery.page,
        "destination": delivery.destination,
        "channel": delivery.channel,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "standing": delivery.standing.value,
        "last error": delivery.last_error,
    }


def page_words(pages: Sequence[Page]) -> str:
    return (
        "\n".join(f"- {page.case}: {page.subject} ({page.standing.value}), rota {page.rota_order}" for page in pages)
        or "- no page"
    )
