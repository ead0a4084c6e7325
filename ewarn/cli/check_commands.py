"""RESPOND, what stands against a text: lint, override, release, publish-count, advice status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ewarn.cli.alert_commands import AlertId, show_report
from ewarn.cli.options import As, Call, SecretFile, command, group
from ewarn.cli.output import plain, plural, table

if TYPE_CHECKING:
    from rich.console import Console

PANEL = "Respond"
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, in a sentence.")]


def register(app: typer.Typer) -> None:
    command(app, "lint", rich_help_panel=PANEL)(lint)
    command(app, "override", rich_help_panel=PANEL)(override)
    command(app, "release", rich_help_panel=PANEL)(release)
    command(app, "publish-count", rich_help_panel=PANEL)(publish_count)
    advice = group(app, PANEL, "advice", "The advice texts: in force, past their review, in alerts that stand.", status)
    command(advice, "status")(status)


def lint(
    call: Call,
    alert: AlertId,
    version: Annotated[
        int | None, typer.Option("--version-number", metavar="N", help="An earlier version; the newest otherwise.")
    ] = None,
) -> int:
    """Check a text: each finding with where it stands and what to write instead. Exit status 1 where errors stand."""
    from ewarn.pipeline import assess

    house = call.house()
    report = assess.show_alert(house, alert, version, call.now(house))
    open_errors = [f for f in report.findings if f["blocking"] and not f["overridden"]]

    def human(console: Console) -> None:
        errors = sum(bool(f["blocking"]) for f in report.findings)
        warnings = plural(len(report.findings) - errors, "warning")
        plain(console, f"{report.id} version {report.version}: {plural(errors, 'error')}, {warnings}.")
        for finding in report.findings:
            plain(console, said(finding))

    answer = {"alert": report.id, "version": report.version, "hash": report.hash, "findings": report.findings}
    call.out.answer(answer, human)
    return 1 if open_errors else 0


def said(finding: dict[str, Any]) -> str:
    """One finding on one line."""
    weight = "ERROR  " if finding["blocking"] else "warning"
    passed = f" [overridden by {finding['overridden']}]" if finding["overridden"] else ""
    return f"{weight} {finding['id']} {finding['where']}: {finding['what']}. {finding['instead']}{passed}"


def override(
    call: Call,
    alert: AlertId,
    reason: Reason,
    person: As,
    findings: Annotated[
        list[str] | None, typer.Option("--finding", metavar="ID", help="A finding's id; repeatable. Otherwise: all.")
    ] = None,
    secret_file: SecretFile = None,
) -> None:
    """Let errors pass for the exact text that was submitted, with a reason. Never personal data or handling."""
    from ewarn.pipeline import checking

    house = call.house()
    actor = call.actor(person, secret_file)
    report = checking.let_pass(house, alert, findings or ["all"], reason, actor, call.now(house))
    call.out.answer(report, lambda console: show_report(console, report))


def release(
    call: Call,
    about: Annotated[str, typer.Argument(metavar="CASE-or-ALERT", help="A case, or one of its texts alone.")],
    source: Annotated[str, typer.Option("--source", metavar="ID", help="The source whose originator released it.")],
    to: Annotated[str, typer.Option("--to", metavar="MARKING", help="The marking it may have: TLP:GREEN, ...")],
    reason: Reason,
    originator: Annotated[
        str, typer.Option("--by-originator", metavar="TEXT", help="Who released it there, when and how you know.")
    ],
    person: As,
    conditions: Annotated[
        str | None, typer.Option("--conditions", metavar="TEXT", help="In place of the source's own; '' for none.")
    ] = None,
    secret_file: SecretFile = None,
) -> None:
    """Record that an originator allows a wider marking for this case. Texts take it with their next edit."""
    from ewarn.pipeline import checking

    house = call.house()
    actor = call.actor(person, secret_file)
    made = checking.release(house, about, source, to, reason, originator, actor, call.now(house), conditions)
    call.out.answer(made, lambda console: plain(console, f"{made.alert or made.case}: {made.words}"))


def publish_count(
    call: Call,
    alert: AlertId,
    figure: Annotated[str, typer.Option("--figure", metavar="LABEL", help="Such as 'People who died'.")],
    reason: Reason,
    person: As,
    secret_file: SecretFile = None,
) -> None:
    """Release a count to the public: the next version of the text says it. Voids approvals, as any edit does."""
    from ewarn.pipeline import checking

    house = call.house()
    report = checking.publish_count(house, alert, figure, reason, call.actor(person, secret_file), call.now(house))
    call.out.answer(report, lambda console: show_report(console, report))


def status(call: Call) -> None:
    """Show each advice text, its review, and the alerts in force that carry another version of it."""
    from ewarn.pipeline import checking

    house = call.house()
    found = checking.advice_status(house, call.now(house))

    def human(console: Console) -> None:
        late = sum(a.past_review for a in found)
        plain(console, f"{plural(len(found), 'advice text')}, {late} past review.")
        heads = ("advice", "v", "review by", "owner", "superseded in")
        rows = [
            (a.id, a.version, f"{a.review_by}{' PAST' if a.past_review else ''}", a.owner, "; ".join(a.superseded_in))
            for a in found
        ]
        console.print(table(heads, rows))

    call.out.answer({"advice": found}, human)
