"""Contact tests at the command line: start one, see who answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ewarn.cli.alert_commands import show_report
from ewarn.cli.options import As, Call, SecretFile, command, group
from ewarn.cli.output import local_time, plain, plural, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from ewarn.pipeline.contacts import ContactReport, Count

PANEL = "People"


def register(app: typer.Typer) -> None:
    contacts = group(app, PANEL, "contacts", "Does the list of recipients work? A TEST to all of it.")
    test = typer.Typer(
        no_args_is_help=True,
        help="Contact tests: a TEST without any drug, by live channels, answered by every recipient.",
    )
    contacts.add_typer(test, name="test")
    command(test, "start")(start)
    command(test, "report")(report)
    command(test, "list")(list_tests)


def start(
    call: Call,
    person: As,
    area: Annotated[
        str | None, typer.Option("--area", metavar="CODE", help="Recipients of this area; else of the home area.")
    ] = None,
    groups: Annotated[
        list[str] | None, typer.Option("--group", help="Only this group of recipients; repeatable.")
    ] = None,
    out_of_hours: Annotated[
        bool, typer.Option("--out-of-hours-contacts", help="Test the out-of-hours contacts instead.")
    ] = False,
    days: Annotated[
        int, typer.Option("--days", metavar="N", help="Answers are asked for within so many days.", min=1)
    ] = 5,
    secret_file: SecretFile = None,
) -> None:
    """Write a contact test. Another person approves it by its hash; then `ewarn send` sends it."""
    from ewarn.pipeline import contacts

    house = call.house()
    report = contacts.start(
        house, call.actor(person, secret_file), call.now(house), area=area, groups=tuple(groups or ()),
        contacts="out of hours" if out_of_hours else "", days=days,
    )  # fmt: skip
    call.out.answer(report, lambda console: show_report(console, report))


def report(
    call: Call,
    reference: Annotated[str, typer.Argument(metavar="TEST", help="Reference, such as LDN-CT-2025-0001.")],
) -> None:
    """Who was reached, who answered, who never did, and which addresses are wrong; by group and by area."""
    from ewarn.pipeline import contacts

    house = call.house()
    found = contacts.report(house, reference, call.now(house))
    call.out.answer(found, lambda console: _show(console, found))


def list_tests(call: Call) -> None:
    """List the contact tests, the newest first."""
    from ewarn.pipeline import contacts

    found = contacts.listed(call.house())

    def human(console: Console) -> None:
        plain(console, f"{plural(len(found), 'contact test')}.")
        for test in found:
            plain(console, f"{test.case_ref} started {local_time(test.bytes_at)} by {test.started_by}")

    call.out.answer({"tests": found}, human)


def _show(console: Console, card: ContactReport) -> None:
    plain(console, f"{card.reference} [{card.standing.upper()}] {card.status}, answers asked for by {card.answer_by}")
    plain(
        console,
        f"{card.asked} asked, {card.delivered} delivered, {card.answered} answered, {card.silent} never answered, "
        f"{card.wrong} wrong addresses, {card.failed} not delivered or waiting",
    )
    rows = [(r.recipient, r.group or "-", r.outcome.upper(), r.answered_at or "-", r.words or "-") for r in card.rows]
    if rows:
        console.print(table(("recipient", "group", "outcome", "answered", "words"), rows))
    _show_counts(console, "group", card.by_group)
    _show_counts(console, "area", card.by_area)


def _show_counts(console: Console, what: str, counts: Sequence[Count]) -> None:
    heads = (what, "asked", "delivered", "answered", "never", "wrong", "failed")
    rows = [(c.name, c.asked, c.delivered, c.answered, c.silent, c.wrong, c.failed) for c in counts]
    if rows:
        console.print(table(heads, rows, right=heads[1:]))
