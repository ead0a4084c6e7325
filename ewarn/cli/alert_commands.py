"""RESPOND at the command line: draft, edit, submit, approve, update, stand-down, withdraw, alerts, send, receipts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ewarn.cli.case_commands import pairs
from ewarn.cli.export_commands import export_alert
from ewarn.cli.options import As, Call, SecretFile, command, group
from ewarn.cli.output import local_time, plain, plural, table

if TYPE_CHECKING:
    from rich.console import Console

    from ewarn.pipeline.reports import AlertReport
    from ewarn.terms import Delivery

AlertId = Annotated[str, typer.Argument(metavar="ALERT", help="Alert id, such as LDN-2025-0007/A1.")]


PANEL = "Respond"


def register(app: typer.Typer) -> None:
    command(app, "draft", rich_help_panel=PANEL)(draft)
    command(app, "edit", rich_help_panel=PANEL)(edit)
    command(app, "submit", rich_help_panel=PANEL)(submit)
    command(app, "approve", rich_help_panel=PANEL)(approve)
    command(app, "update", rich_help_panel=PANEL)(update)
    command(app, "stand-down", rich_help_panel=PANEL)(stand_down)
    command(app, "withdraw", rich_help_panel=PANEL)(withdraw)
    command(app, "send", rich_help_panel=PANEL)(send)
    command(app, "receipts", rich_help_panel=PANEL)(receipts)
    command(app, "requeue", rich_help_panel=PANEL)(requeue)
    alerts = group(app, PANEL, "alerts", "The texts: what was drafted, submitted, approved and issued.", list_alerts)
    command(alerts, "list")(list_alerts)
    command(alerts, "show")(show_alert)
    command(alerts, "export")(export_alert)


def draft(
    call: Call,
    ref: Annotated[str, typer.Argument(metavar="CASE", help="Reference of the case.")],
    person: As,
    product: Annotated[
        Literal["formal alert", "share for information", "request for corroboration"],
        typer.Option("--product", help="A formal alert takes two approvers, the others one."),
    ] = "formal alert",
    secret_file: SecretFile = None,
) -> None:
    """Draft a text from the case: what is known, how sure, what to do."""
    from ewarn.pipeline import assess

    house = call.house()
    report = assess.draft(house, ref, product, call.actor(person, secret_file), call.now(house))
    call.out.answer(report, lambda console: show_report(console, report))


def edit(
    call: Call,
    alert: AlertId,
    changes: Annotated[list[str], typer.Option("--set", metavar="FIELD=TEXT", help="A field of the text; repeatable.")],
    person: As,
    secret_file: SecretFile = None,
) -> None:
    """Change fields of a draft. Any edit voids approvals."""
    from ewarn.pipeline import assess

    house = call.house()
    said = pairs(changes, "--set")
    report = assess.edit(house, alert, said, call.actor(person, secret_file), call.now(house))
    call.out.answer(report, lambda console: show_report(console, report))


def update(
    call: Call,
    alert: AlertId,
    person: As,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=TEXT", help="A field of the text; repeatable.")
    ] = None,
    from_case: Annotated[
        bool, typer.Option("--from-case", help="Take figures and facts as the case knows them now.")
    ] = False,
    secret_file: SecretFile = None,
) -> None:
    """Write the next version of an alert that people have. It takes all approvals anew."""
    from ewarn.pipeline import versions

    house = call.house()
    said = pairs(changes or [], "--set")
    actor = call.actor(person, secret_file)
    report = versions.update(house, alert, said, actor, call.now(house), from_case=from_case)
    call.out.answer(report, lambda console: show_report(console, report))


def stand_down(
    call: Call,
    alert: AlertId,
    person: As,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Why it is no longer needed, in a sentence.")] = "",
    secret_file: SecretFile = None,
) -> None:
    """Draft the text that stands an alert down, for everybody who received a version of it."""
    from ewarn.pipeline import versions

    house = call.house()
    report = versions.stand_down(house, alert, why, call.actor(person, secret_file), call.now(house))
    call.out.answer(report, lambda console: show_report(console, report))


def withdraw(
    call: Call,
    alert: AlertId,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="What was wrong, in a sentence.")],
    person: As,
    secret_file: SecretFile = None,
) -> None:
    """Draft the text that withdraws an alert, for everybody who received a version of it."""
    from ewarn.pipeline import versions

    house = call.house()
    report = versions.withdraw(house, alert, why, call.actor(person, secret_file), call.now(house))
    call.out.answer(report, lambda console: show_report(console, report))


def submit(call: Call, alert: AlertId, person: As, secret_file: SecretFile = None) -> None:
    """Submit a draft: its bytes are fixed, and its hash is what approvers agree to."""
    from ewarn.pipeline import assess

    house = call.house()
    report = assess.submit(house, alert, call.actor(person, secret_file), call.now(house))
    call.out.answer(report, lambda console: show_report(console, report))


def approve(
    call: Call,
    alert: AlertId,
    digest: Annotated[str, typer.Option("--hash", metavar="H", help="Hash of the exact text that was read.")],
    person: As,
    out_of_hours: Annotated[
        bool, typer.Option("--out-of-hours", help="One person, professional audiences only; second review follows.")
    ] = False,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Why, in a sentence.")] = "",
    secret_file: SecretFile = None,
) -> None:
    """Approve the exact text with that hash. A formal alert needs two people, neither its author."""
    from ewarn.pipeline import assess

    house = call.house()
    actor = call.actor(person, secret_file)
    report = assess.approve(house, alert, digest, actor, call.now(house), out_of_hours, note)
    call.out.answer(report, lambda console: show_report(console, report))


NEXT = {
    "draft": "Next: read it, `ewarn edit` where needed, then `ewarn submit {id} --as PERSON`.",
    "review": "Next: another person reads it and runs `ewarn approve {id} --hash {hash} --as PERSON`.",
    "approved": "Next: `ewarn send`, then `ewarn receipts {id}`.",
}


def show_report(console: Console, report: AlertReport) -> None:
    """The text, what stands against it, who agreed to it, where it goes."""
    mark = "" if report.standing == "actual" else f" [{report.standing.upper()}]"
    kind = "" if report.kind == "alert" else f", {report.kind}"
    plain(console, f"{report.id}{mark} version {report.version}{kind}, {report.product}: {report.status}")
    if report.past:
        plain(console, f"  {report.past.upper()}: reviewed by {report.review_on}, ends after {report.expires_on}")
    plain(console, f"  case {report.case}, author {report.author}")
    plain(console, f"  hash {report.hash or '- (fixed at submission)'}")
    for words in (*report.asks, *report.releases):
        plain(console, f"  {words}")
    plain(console, f"  approvals {len(report.approvals)} of {report.approvals_needed}")
    for approval in report.approvals:
        plain(console, f"    {approval.person} at {local_time(approval.at)}, {approval.act} {approval.note}".rstrip())
    if report.text:
        plain(console, "\n" + report.text.strip() + "\n")
    if report.public_text:
        plain(console, "As the public reads it:\n\n" + report.public_text.strip() + "\n")
    if report.changes:
        plain(console, "Changed since the version that people have:")
        for line in report.changes:
            plain(console, f"  {line}")
    for finding in report.findings:
        passed = f" [overridden by {finding['overridden']}]" if finding["overridden"] else ""
        weight = "error" if finding["blocking"] else "warning"
        plain(console, f"{weight}: {finding['where']}: {finding['what']}. {finding['instead']}{passed}")
    for held in report.withheld:
        plain(console, "not sent: " + "; ".join(str(value) for value in held.values() if value))
    if report.deliveries:
        show_deliveries(console, report.deliveries)
    if report.status in NEXT:
        plain(console, NEXT[report.status].format(id=report.id, hash=report.hash))


def show_deliveries(console: Console, deliveries: Sequence[Delivery]) -> None:
    heads = ("delivery", "alert or page", "destination", "state", "tries", "last error")
    rows = [
        (d.id[:8], f"{d.alert} v{d.version}" if d.alert else f"page {d.page}", d.destination, d.state.value, d.attempts,
         d.last_error or "-")
        for d in deliveries
    ]  # fmt: skip
    console.print(table(heads, rows, right=("tries",)))


def list_alerts(call: Call) -> None:
    """List alerts with their status and approvals."""
    from ewarn.pipeline import assess

    house = call.house()
    found = assess.list_alerts(house, call.now(house))

    def human(console: Console) -> None:
        plain(console, f"{plural(len(found), 'alert')}.")
        heads = ("alert", "v", "product", "standing", "status", "agreed", "review", "ends", "hash")
        rows = [
            (
                a.id,
                a.version,
                a.product,
                a.standing,
                f"{a.status}, {a.past.upper()}" if a.past else a.status,
                f"{len(a.approvals)} of {a.approvals_needed}",
                a.review_on,
                a.expires_on,
                a.hash[:8],
            )
            for a in found
        ]
        if rows:
            console.print(table(heads, rows))

    call.out.answer({"alerts": found}, human)


def show_alert(
    call: Call,
    alert: AlertId,
    version: Annotated[
        int | None, typer.Option("--version-number", metavar="N", help="An earlier version; the newest otherwise.")
    ] = None,
) -> None:
    """Show the exact text with its hash: what an approver reads before approving."""
    from ewarn.pipeline import assess

    house = call.house()
    report = assess.show_alert(house, alert, version, call.now(house))
    call.out.answer(report, lambda console: show_report(console, report))


def send(call: Call) -> int:
    """Send what is due; pages nobody took go to the back-up. A second run sends nothing again."""
    from ewarn.pipeline import arrived, respond

    house = call.house()
    with call.out.progress("sending"):
        now = call.now(house)
        arrived.check(house, now)
        respond.page(house, now)
        report = respond.send(house, now)

    def human(console: Console) -> None:
        plain(console, f"sent {report.sent}, failed {report.failed}, waiting {report.waiting}")
        if report.deliveries:
            show_deliveries(console, report.deliveries)

    call.out.answer(report, human)
    return report.exit_status


def receipts(
    call: Call, alert: Annotated[str | None, typer.Argument(metavar="[ALERT]", help="One alert only.")] = None
) -> None:
    """Show what was sent where, when and with what outcome."""
    from ewarn.pipeline import respond

    report = respond.receipts(call.house(), alert)

    def human(console: Console) -> None:
        plain(console, f"{plural(len(report.deliveries), 'delivery', 'deliveries')}.")
        if report.deliveries:
            show_deliveries(console, report.deliveries)
        if report.possible_repeats:
            plain(console, f"May have arrived more than once: {', '.join(d[:8] for d in report.possible_repeats)}.")
        if known := [f"{row['destination']} ({row['status']})" for row in report.arrivals if row["final"]]:
            plain(console, f"Its service says what became of it: {', '.join(known)}.")
        for row in report.dead_letters:
            plain(
                console,
                f"Given up {local_time(row['died_at'])}: {row['id'][:8]} to {row['destination']}: {row['error']}",
            )
        for row in report.dead_letter_acts:
            words = f"{row['act']} by {row['by']}: {row['reason']}"
            plain(console, f"{local_time(row['at'])} {row['delivery'][:8]} to {row['destination']} {words}")
        if report.dead_letters:
            plain(console, "Mend the address, then: `ewarn requeue DELIVERY --reason TEXT --as PERSON`.")

    call.out.answer(report, human)


def requeue(
    call: Call,
    delivery: Annotated[str, typer.Argument(metavar="DELIVERY", help="A given-up delivery, from `ewarn receipts`.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="What was mended, or why it is let go.")],
    person: As,
    let_go: Annotated[bool, typer.Option("--let-go", help="Do not send it; stop the daily reminder.")] = False,
    secret_file: SecretFile = None,
) -> None:
    """Send a message that was given up once more, to the recipient as registered now; or let it go."""
    from ewarn.pipeline import deadletters

    house = call.house()
    actor = call.actor(person, secret_file)
    found = deadletters.requeue(house, delivery, reason, actor, call.now(house), let_go=let_go)
    said = "is let go" if let_go else f"waits to be sent by {found.channel}. Next: `ewarn send`"
    call.out.answer(found, lambda console: plain(console, f"{found.id[:8]} to {found.destination} {said}."))
