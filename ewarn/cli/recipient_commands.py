"""The distribution list at the command line: who is on it, from and to a file, confirmed once a year."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ewarn.cli.options import By, BySecretFile, Call, bytes_of, command, group
from ewarn.cli.output import local_time, plain, plural, table
from ewarn.cli.people_commands import PANEL, Areas, noun

if TYPE_CHECKING:
    from rich.console import Console

    from ewarn.pipeline.distribution import Confirmation, ImportReport
    from ewarn.terms import Recipient

RecipientId = Annotated[str, typer.Argument(metavar="ID", help="Id of the destination.")]


def register(app: typer.Typer) -> None:
    words = "Where messages go: partners, and places on the duty rota."
    recipients = group(app, PANEL, "recipients", words, list_recipients)
    for name, function in (
        ("add", add_recipient), ("list", list_recipients), ("import", import_recipients), ("export", export_recipients),
        ("rejects", show_rejects), ("history", show_history), ("confirm", confirm), ("due", show_due),
        ("request", show_request), ("stop", stop), ("resume", resume),
    ):  # fmt: skip
        command(recipients, name)(function)


def add_recipient(
    call: Call,
    recipient: RecipientId,
    name: Annotated[str, typer.Option("--name", help="Who it is, in words.")],
    channel: Annotated[str, typer.Option("--channel", metavar="ID", help="A channel of alerts/channels/.")],
    areas: Areas,
    address: Annotated[str, typer.Option("--address", help="Fills {address} of the channel.")] = "",
    organisation: Annotated[str, typer.Option("--organisation", help="Organisation.")] = "",
    kind: Annotated[
        str, typer.Option("--group", help="health, council, outreach, police, ...; duty, panel, operator.")
    ] = "",
    audience: Annotated[
        Literal["professional", "public", "internal"], typer.Option("--audience", help="What it may read.")
    ] = "professional",
    rota_order: Annotated[
        int | None, typer.Option("--rota-order", help="Duty rota: 1 first on call, 2 back-up.", min=1)
    ] = None,
    person: Annotated[str, typer.Option("--person", metavar="ID", help="The registered person behind it.")] = "",
    hours: Annotated[
        str, typer.Option("--hours", help="When it is read: always, working, '08:00-20:00 daily'.")
    ] = "always",
    night_channel: Annotated[
        str, typer.Option("--out-of-hours-channel", metavar="ID", help="Channel outside its hours.")
    ] = "",
    night_address: Annotated[str, typer.Option("--out-of-hours-address", help="Address outside its hours.")] = "",
    by: By = None,
    by_secret_file: BySecretFile = None,
) -> None:
    """Add a destination, or replace the one with that id."""
    from ewarn.pipeline import distribution
    from ewarn.terms import Recipient

    made = noun(
        Recipient, id=recipient, name=name, organisation=organisation, group=kind, audience=audience,
        areas=tuple(areas), channel=channel, address=address, rota_order=rota_order, person=person, hours=hours,
        night_channel=night_channel, night_address=night_address,
    )  # fmt: skip
    actor, house = call.keeper(by, by_secret_file), call.house()
    distribution.add(house, [made], call.now(house), actor)
    call.out.answer({"recipients": [made]}, lambda console: plain(console, "1 destination saved."))


def list_recipients(call: Call) -> None:
    """List the destinations and what reaches them."""
    from ewarn.pipeline import read

    found = read.list_recipients(call.house())
    call.out.answer({"recipients": found}, lambda console: _show_recipients(console, found))


def _show_recipients(console: Console, found: list[Recipient]) -> None:
    plain(console, f"{plural(len(found), 'destination')}.")
    rows = [
        (r.id, r.name, r.group or "-", r.audience, ", ".join(r.areas), r.channel, r.hours,
         "yes" if r.night_channel or r.night_address else "no", r.confirmed_on or "never",
         "" if r.active else "STOPPED")
        for r in found
    ]  # fmt: skip
    if rows:
        heads = ("id", "name", "group", "audience", "areas", "channel", "hours", "night", "confirmed", "state")
        console.print(table(heads, rows))


def import_recipients(
    call: Call,
    file: Annotated[Path, typer.Argument(metavar="CSV", help="Columns as in docs/how-to/recipients-and-routes.md.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would change; write nothing.")] = False,
    by: By = None,
    by_secret_file: BySecretFile = None,
) -> int:
    """Take a CSV list: good rows are taken, faulty ones kept with their faults; the same file twice changes nothing."""
    from ewarn.pipeline import distribution

    body = bytes_of(file)
    actor, house = call.keeper(by, by_secret_file), call.house()
    report = distribution.take(house, body, call.now(house), actor, dry_run=dry_run)
    call.out.answer(report, lambda console: _show_import(console, report))
    return report.exit_status


def _show_import(console: Console, report: ImportReport) -> None:
    done = "would be" if report.dry_run else "were"
    plain(console, f"{len(report.added)} {done} added, {len(report.changed)} changed, {len(report.unchanged)} stay.")
    for name in report.added:
        plain(console, f"  + {name}")
    for row in report.changed:
        plain(console, f"  ~ {row['id']}: {', '.join(row['columns'])}")
    for row in report.rejected:
        plain(console, f"  line {row['line']} ({row['id'] or 'no id'}) not taken: {'; '.join(row['faults'])}")
    if report.rejected and not report.dry_run:
        plain(
            console,
            "Rows not taken are kept: `ewarn recipients rejects`. Correct them in the file and import it again.",
        )
    if report.missing:
        plain(console, f"On the list and not in the file, left as they are: {', '.join(report.missing)}")


def export_recipients(
    call: Call,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write here; else to stdout.")] = None,
) -> None:
    """Write the whole list as CSV, safe to open in a spreadsheet; `ewarn recipients import` reads it back."""
    from ewarn.pipeline import distribution, read

    house = call.house()
    text = distribution.export(house)
    if out is not None:
        out.touch(mode=0o600)
        out.write_text(text, encoding="utf-8", newline="")
        call.out.answer(
            {"file": str(out)}, lambda console: plain(console, f"Written: {out}. It holds contact details.")
        )
    elif call.out.as_json:
        call.out.document({"recipients": read.list_recipients(house)})
    else:
        call.out.text(text)


def show_rejects(
    call: Call,
    clear: Annotated[bool, typer.Option("--clear", help="Let go of the kept rows.")] = False,
    by: By = None,
    by_secret_file: BySecretFile = None,
) -> None:
    """Show the rows of imports that could not be used, with their faults."""
    from ewarn.pipeline import distribution

    house = call.house()
    if clear:
        gone = distribution.clear_rejects(house, call.now(house), call.keeper(by, by_secret_file))
        call.out.answer({"cleared": gone}, lambda console: plain(console, f"{plural(gone, 'row')} let go."))
        return
    found = distribution.rejects(house)

    def human(console: Console) -> None:
        plain(console, f"{plural(len(found), 'row')} not taken.")
        for row in found:
            plain(
                console, f"{local_time(row['at'])} line {row['line']} ({row['recipient'] or 'no id'}): {row['faults']}"
            )

    call.out.answer({"rejects": found}, human)


def show_history(call: Call, recipient: RecipientId) -> None:
    """Show every version of a destination: when, by whom, and which columns changed."""
    from ewarn.pipeline import distribution

    found = distribution.history(call.house(), recipient)

    def human(console: Console) -> None:
        rows = [(v["version"], v["at"], v["by"] or "-", v["what"], ", ".join(v["columns"])) for v in found]
        console.print(table(("version", "when", "by", "what", "columns"), rows))

    call.out.answer({"recipient": recipient, "versions": found}, human)


def confirm(
    call: Call,
    recipients: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of the destinations.")],
    by: By = None,
    by_secret_file: BySecretFile = None,
) -> None:
    """Say that destinations are right as they stand; they are due again in a year."""
    from ewarn.pipeline import distribution

    house = call.house()
    found = distribution.confirm(house, recipients, call.now(house), call.keeper(by, by_secret_file))
    call.out.answer({"confirmed": found}, lambda console: _show_due(console, found))


def show_due(
    call: Call,
    within: Annotated[
        int, typer.Option("--within", metavar="DAYS", help="Also those due within so many days.", min=0)
    ] = 30,
) -> None:
    """List who is to be confirmed, the longest overdue first. They are still served."""
    from ewarn.pipeline import distribution

    house = call.house()
    found = distribution.confirmations(house, call.now(house), within)
    call.out.answer({"due": found}, lambda console: _show_due(console, found))


def _show_due(console: Console, found: tuple[Confirmation, ...]) -> None:
    plain(console, f"{plural(len(found), 'destination')}.")
    rows = [
        (c.id, c.name, c.group or "-", c.confirmed_on or "never", c.due_on or "now",
         f"{c.overdue_days} d OVERDUE" if c.overdue else "")
        for c in found
    ]  # fmt: skip
    if rows:
        console.print(table(("id", "name", "group", "confirmed", "due", "state"), rows))


def show_request(call: Call, recipient: RecipientId) -> None:
    """Print the letter that asks a destination whether its entry is right; a person sends it."""
    from ewarn.pipeline import distribution

    house = call.house()
    subject, text = distribution.request(house, recipient, call.now(house))
    call.out.answer({"subject": subject, "text": text}, lambda console: plain(console, f"{subject}\n\n{text}"))


def stop(call: Call, recipient: RecipientId, by: By = None, by_secret_file: BySecretFile = None) -> None:
    """Serve a destination no more; what was sent stays on record."""
    _serve(call, recipient, False, by, by_secret_file)


def resume(call: Call, recipient: RecipientId, by: By = None, by_secret_file: BySecretFile = None) -> None:
    """Serve a stopped destination again."""
    _serve(call, recipient, True, by, by_secret_file)


def _serve(call: Call, recipient: str, active: bool, by: str | None, by_secret_file: Path | None) -> None:
    from ewarn.pipeline import distribution

    house = call.house()
    distribution.set_active(house, recipient, active, call.now(house), call.keeper(by, by_secret_file))
    words = f"{recipient} is {'served again' if active else 'no longer served'}."
    call.out.answer({"recipient": recipient, "active": active}, lambda console: plain(console, words))
