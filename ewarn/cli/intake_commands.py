"""RECEIVE at the command line: intake, rejects, rebuild."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ewarn.cli.options import By, BySecretFile, Call, SourceId, command, group
from ewarn.cli.output import plain, plural, show_handling, table

if TYPE_CHECKING:
    from rich.console import Console

    from ewarn.pipeline.reports import IntakeReport


PANEL = "Receive"


def register(app: typer.Typer) -> None:
    command(app, "intake", rich_help_panel=PANEL)(intake)
    command(app, "rebuild", rich_help_panel=PANEL)(rebuild)
    rejects = group(
        app, PANEL, "rejects", "Rows that could not be used: kept, listed, replayed after a fix.", list_rejects
    )
    command(rejects, "list")(list_rejects)
    command(rejects, "replay")(replay_rejects)


def intake(
    call: Call,
    source: SourceId = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="PATH", help="One file; without --source its columns name it.")
    ] = None,
    backfill: Annotated[
        bool, typer.Option("--backfill", help="History: a row was known on its known date, not today.")
    ] = False,
) -> int:
    """Receive bytes: fetch the feeds and read the drop folders, or one source, or one file."""
    from ewarn.pipeline import receive

    house = call.house()
    with call.out.progress("receiving") as progress:
        report = receive.intake(house, call.now(house), source, file, backfill, progress=progress)
    call.out.answer(report, lambda console: show_intake(console, report))
    return report.exit_status


def show_intake(console: Console, report: IntakeReport) -> None:
    """One row per source and file; then what the operator is told."""
    counts = ("records", "new", "changed", "unchanged", "rejects", "detections", "queued")
    if not report.sources:
        plain(console, "Nothing waiting: no feed is enabled and no complete file lies in the drop folders.")
        return
    heads = ("source", "rows in", "new", "changed", "same", "rejects", "detections", "queued")
    rows = [(s.member or s.source, *(getattr(s, name) for name in counts)) for s in report.sources]
    console.print(table(heads, rows, right=heads[1:]))
    plain(console, "rows in = new + changed + same + rejects")
    for source in report.sources:
        said = [source.error or ("" if source.outcome == "ok" else source.outcome), *source.notes]
        where = f"{source.source} ({source.member})" if source.member else source.source
        for note in filter(None, said):
            plain(console, f"{where}: {note}")
    if any(s.rejects for s in report.sources):
        plain(console, "Rejected rows are kept: see `ewarn rejects list`.")
    if any(s.queued for s in report.sources):
        plain(console, "Names no list has are waiting: see `ewarn names`.")


def rebuild(call: Call) -> int:
    """Make the records again in an empty database from the kept bytes, with the content in force when each arrived."""
    from ewarn.pipeline import replay

    house = call.house()
    with call.out.progress("replaying snapshots") as progress:
        report = replay.rebuild(house, call.now(house), progress=progress)
    call.out.answer(report, lambda console: show_intake(console, report))
    return report.exit_status


def list_rejects(
    call: Call,
    source: SourceId = None,
    raw: Annotated[bool, typer.Option("--raw", help="With the text as it came; who looks is put on record.")] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="As CSV, to open elsewhere; no cell of it is a formula.")
    ] = False,
    acting: By = None,
    acting_secret: BySecretFile = None,
) -> None:
    """List the rows that could not be used, with position and reason."""
    from ewarn.pipeline import exports, handling, rawtext, replay

    house = call.house()
    found = replay.list_rejects(house, source)
    if raw:
        found = rawtext.shown(house, found, call.now(house), call.keeper(acting, acting_secret))
    marking, conditions = handling.of_rows(house, found, "source")
    columns = ("source", "position", "reason", "raw") if raw else ("source", "position", "reason")
    if as_csv and not call.out.as_json:
        call.out.text(exports.csv_of(("snapshot", *columns, "marking", "conditions"), handling.on_rows(house, found)))
        return
    rows = [[r.get(k) for k in columns] for r in found]

    def human(console: Console) -> None:
        plain(console, f"{plural(len(rows), 'rejected row')} waiting.")
        if rows:
            console.print(table(columns, rows))
            plain(console, "After a fix in the definition: `ewarn rejects replay`. The text as it came: add --raw.")
        show_handling(console, marking, conditions)

    call.out.answer({"rejects": found, "marking": marking, "conditions": conditions}, human)


def replay_rejects(call: Call, source: SourceId = None) -> int:
    """Read the rejected rows once more with today's definitions."""
    from ewarn.pipeline import replay

    house = call.house()
    with call.out.progress("replaying rejects") as progress:
        report = replay.replay_rejects(house, call.now(house), source, progress=progress)

    def human(console: Console) -> None:
        if report.sources:
            show_intake(console, report)
        else:
            plain(console, "No rejected row is waiting: there is nothing to replay.")

    call.out.answer(report, human)
    return report.exit_status
