"""The house itself: init, check, demo, status, doctor, backup, restore, desk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ewarn.cli.options import As, Call, SecretFile, command
from ewarn.cli.output import ago, local_time, number, plain, span, table

if TYPE_CHECKING:
    from rich.console import Console

    from ewarn.pipeline.reports import StatusReport


PANEL = "The house"
STATUS_RIGHT = ("heard", "news", "every", "expected", "lag")


def register(app: typer.Typer) -> None:
    for name, function in (
        ("init", init), ("check", check), ("demo", demo), ("status", status), ("dealt-with", dealt_with),
        ("doctor", doctor), ("backup", backup), ("restore", restore), ("desk", desk),
    ):  # fmt: skip
        command(app, name, rich_help_panel=PANEL)(function)


def init(call: Call) -> None:
    """Make a home: folders for every drop, the database, a commented ewarn.toml."""
    from ewarn.pipeline import read

    house = call.house()
    report = read.initialise(house, call.now(house))

    def human(console: Console) -> None:
        plain(console, f"Ready: {report.home}")
        for words in report.words:
            plain(console, f"- {words}")
        plain(console, "Next: `ewarn people add`, `ewarn recipients add`, `ewarn intake`.")

    call.out.answer(report, human)


def check(call: Call) -> int:
    """Read every definition under sources/ and alerts/ and name all faults at once."""
    from ewarn.pipeline import read
    from ewarn.settings import load

    settings = load(call.home, call.content, call.environ)
    report = read.check(settings.content, settings.overlay)

    def human(console: Console) -> None:
        plain(
            console, f"{report.content}: {sum(report.definitions.values())} definitions, {len(report.faults)} faults."
        )
        rows = [(kind.replace("_", " "), count) for kind, count in report.definitions.items()]
        console.print(table(("kind", "number"), rows, right=("number",)))
        for fault in report.faults:
            place = ": ".join(filter(None, (fault["file"], fault["key"])))
            plain(console, f"- {place}: {fault['problem']}; {fault['remedy']}")

    call.out.answer(report, human)
    return 3 if report.faults else 0


def demo(call: Call) -> int:
    """Run the whole corridor on a reconstructed scenario: bytes in, e-mail and receipts out. An exercise."""
    from ewarn.cli.demo.run import run

    return run(call)


def status(call: Call) -> None:
    """Say what is new, late, open, waiting and failed."""
    from ewarn.pipeline import read

    house = call.house()
    report = read.status(house, call.now(house))
    call.out.answer(report, lambda console: _show_status(console, report))


def dealt_with(
    call: Call,
    notice: Annotated[str, typer.Argument(metavar="NOTICE", help="Its id in `ewarn status`, or the first of it.")],
    person: As,
    secret_file: SecretFile = None,
) -> None:
    """Close a notice to the operator that somebody has dealt with."""
    from ewarn.pipeline import operators

    house = call.house()
    closed = operators.dealt_with(house, notice, call.actor(person, secret_file), call.now(house))
    call.out.answer(
        closed, lambda console: plain(console, f"Closed by {closed['by']}: {closed['source']}: {closed['text']}")
    )


def _show_status(console: Console, report: StatusReport) -> None:
    plain(console, f"{report.home}, {report.standing}, at {local_time(report.at)} Europe/London")
    rows = [
        (
            s.source, ", ".join(map(str.upper, s.states) if s.words else s.states),
            ago(report.at, s.last_received_at), ago(report.at, s.last_new_at), span(s.cadence_hours),
            span(s.expected_every_hours), f"{number(s.lag_days)}/{s.expected_lag_days}",
        )
        for s in report.sources
    ]  # fmt: skip
    console.print(table(("source", "state", "heard", "news", "every", "expected", "lag"), rows, right=STATUS_RIGHT))
    plain(console, "  heard, news: how long ago; every: between news; lag: in days, of expected")
    for source in report.sources:
        for words in source.words:
            plain(console, f"{source.source}: {words}")
        if source.asked_again_at:
            plain(console, f"{source.source}: its publisher asks us to wait until {local_time(source.asked_again_at)}")
    records = ", ".join(f"{count} {kind}" for kind, count in report.records.items()) or "none"
    for label, value in (
        ("records", records), ("rejects waiting", report.open_rejects), ("names waiting", report.naming_queue),
        ("open cases", len(report.open_cases)), ("open pages", len(report.open_pages)),
        ("deliveries waiting", report.waiting_deliveries), ("deliveries failed", len(report.failed_deliveries)),
    ):  # fmt: skip
        plain(console, f"  {label}: {value}")
    for case in report.open_cases:
        plain(console, f"{case.ref} {case.title}: {case.next_action} (due {local_time(case.due_at)}, {case.owner})")
    for page in report.open_pages:
        plain(console, f"page {page.id} not acknowledged: {page.subject}")
    for delivery in report.failed_deliveries:
        plain(console, f"failed: {delivery.destination} ({delivery.alert or delivery.page}): {delivery.last_error}")
    if report.signing_key:
        plain(console, f"signing key: {report.signing_key}")
    said = {report.signing_key} | {words for source in report.sources for words in source.words}
    for notice in report.operator_notices:
        if notice.get("text") in said:
            continue
        shown = f"{str(notice.get('id'))[:8]} {local_time(notice.get('noticed_at'))} {notice.get('source')}"
        plain(console, f"notice: {shown}: {notice.get('text')}")


def doctor(call: Call) -> int:
    """Look at everything that can be wrong: folders, database, snapshots, audit chain, clock, disk, channels."""
    from ewarn.pipeline import read

    house = call.house()
    with call.out.progress("looking"):
        report = read.doctor(house, call.now(house))

    def human(console: Console) -> None:
        for looked in report.checks:
            rest = [str(v) for k, v in looked.items() if k not in ("ok", "check", "name") and v]
            name = looked.get("check") or looked.get("name")
            plain(console, f"{'ok   ' if looked.get('ok') else 'FAULT'}  {name}: {'; '.join(rest)}")

    call.out.answer(report, human)
    return report.exit_status


def backup(
    call: Call,
    archive: Annotated[Path, typer.Argument(metavar="ARCHIVE", help="File to write; a .zip.")],
    without_raw: Annotated[bool, typer.Option("--without-raw", help="Leave the raw bytes out.")] = False,
) -> None:
    """Write one archive: the database, the overlay and, unless left out, the raw bytes."""
    from ewarn.pipeline import read

    house = call.house()
    with call.out.progress("backing up"):
        report = read.backup(house, archive, call.now(house), include_raw=not without_raw)
    call.out.answer(report, lambda console: plain(console, f"Written: {report.archive}. Try it in a home of its own."))


def restore(
    call: Call,
    archive: Annotated[Path, typer.Argument(metavar="ARCHIVE", help="A file `ewarn backup` wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Over a database that is there.")] = False,
) -> None:
    """Bring an archive back into a home without a database."""
    from ewarn.pipeline import read
    from ewarn.settings import load

    settings = load(call.home, call.content, call.environ)
    with call.out.progress("restoring"):
        report = read.restore(settings, archive, force=force)
    call.out.answer(report, lambda console: plain(console, f"Restored from {archive}. Check it with `ewarn doctor`."))


def desk(
    call: Call,
    port: Annotated[int, typer.Option("--port", help="Port on this machine.", min=1, max=65535)] = 8765,
) -> None:
    """Serve the web page on this machine until stopped with Ctrl-C."""
    from ewarn.desk.serve import serve

    house = call.house()
    call.now(house)
    call.out.say(f"http://127.0.0.1:{port}/ (Ctrl-C stops it)")
    serve(house, port=port)
