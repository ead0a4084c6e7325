"""Keeping and letting go at the command line: purge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ewarn.cli.options import By, BySecretFile, Call, SourceId, command, day
from ewarn.cli.output import local_time, plain, plural, table

if TYPE_CHECKING:
    from rich.console import Console

PANEL = "The house"


def register(app: typer.Typer) -> None:
    command(app, "purge", rich_help_panel=PANEL)(purge)


def purge(
    call: Call,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; nothing is removed.")] = False,
    source: SourceId = None,
    before: Annotated[
        str | None, typer.Option("--before", metavar="DATE", help="What was last received before that day.")
    ] = None,
    record: Annotated[
        str | None, typer.Option("--record", metavar="ID", help="Erasure: every snapshot in which its row stands.")
    ] = None,
    snapshot: Annotated[
        str | None, typer.Option("--snapshot", metavar="SHA", help="Erasure: one snapshot, by (the start of) its hash.")
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="WORDS", help="Reference of the request; never a name.")
    ] = "",
    acting: By = None,
    acting_secret: BySecretFile = None,
) -> None:
    """Let go of raw bytes: past their source's retention, before a date, or on a request for erasure."""
    from ewarn.pipeline import purge as verb

    house = call.house()
    actor = call.keeper(acting, acting_secret)
    first = day(before, "--before") if before else None
    with call.out.progress("purging"):
        report = verb.purge(
            house, call.now(house), source=source, before=first, record=record, snapshot=snapshot, reason=reason,
            dry_run=dry_run, actor=actor,
        )  # fmt: skip

    def human(console: Console) -> None:
        went = "would go" if report.dry_run else "purged"
        plain(console, f"{plural(len(report.purged), 'snapshot')} {went}; records, signals and decisions stay.")
        if report.purged:
            rows = [
                (p.source, p.sha256[:12], local_time(p.received_at), p.rule, "" if p.removed else "another source")
                for p in report.purged
            ]
            console.print(table(("source", "snapshot", "last received", "rule", "bytes still held by"), rows))
        if report.finished:
            plain(console, f"An earlier purge was ended: {plural(report.finished, 'file')} removed.")
        for words in report.words:
            plain(console, words)

    call.out.answer(report, human)
