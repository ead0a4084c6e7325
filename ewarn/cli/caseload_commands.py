"""ASSESS at the command line: cases merge, split, move, lead, outcome, note; tests ask, answer, list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ewarn.cli.case_commands import Ref
from ewarn.cli.options import As, Call, SecretFile, command, group, instant
from ewarn.cli.output import local_time, plain, plural, table

if TYPE_CHECKING:
    from rich.console import Console

    from ewarn.terms import TestRequest

Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, for those who read it later.")]
PANEL = "Assess"


def register(app: typer.Typer, cases: typer.Typer) -> None:
    command(cases, "merge")(merge)
    command(cases, "split")(split)
    command(cases, "move")(move)
    command(cases, "lead")(lead)
    command(cases, "outcome")(outcome)
    command(cases, "note")(note)
    tests = group(app, PANEL, "tests", "What laboratories were asked to analyse for a case.", list_tests)
    command(tests, "list")(list_tests)
    command(tests, "ask")(ask)
    command(tests, "answer")(answer)


def merge(
    call: Call,
    ref: Ref,
    gone: Annotated[str, typer.Option("--with", metavar="CASE", help="The case that ends in this one.")],
    why: Why,
    person: As,
    secret_file: SecretFile = None,
) -> None:
    """Two cases are one event: the first goes on, the other closes and points to it."""
    from ewarn.pipeline import caseload

    house = call.house()
    caseload.merge(house, ref, gone, why, call.actor(person, secret_file), call.now(house))
    _told(call, ref, f"{gone} goes on as {ref}.")


def split(
    call: Call,
    ref: Ref,
    signals: Annotated[list[str], typer.Option("--signal", metavar="SIGNAL", help="A signal that leaves; repeat.")],
    why: Why,
    person: As,
    secret_file: SecretFile = None,
) -> None:
    """Some signals become a case of their own."""
    from ewarn.pipeline import caseload

    house = call.house()
    fresh = caseload.split(house, ref, signals, why, call.actor(person, secret_file), call.now(house))
    _told(call, fresh.ref, f"{fresh.ref} was split from {ref}.")


def move(
    call: Call,
    ref: Ref,
    signal: Annotated[str, typer.Argument(metavar="SIGNAL", help="Its id or first characters.")],
    to: Annotated[str, typer.Option("--to", metavar="CASE", help="The open case it belongs to.")],
    why: Why,
    person: As,
    secret_file: SecretFile = None,
) -> None:
    """Move a signal to another open case."""
    from ewarn.pipeline import caseload

    house = call.house()
    caseload.move(house, ref, signal, to, why, call.actor(person, secret_file), call.now(house))
    _told(call, to, f"{signal} now belongs to {to}.")


def lead(
    call: Call,
    ref: Ref,
    area: Annotated[str, typer.Option("--area", metavar="AREA", help="A name or GSS code.")],
    why: Why,
    person: As,
    secret_file: SecretFile = None,
) -> None:
    """Give a case another lead area."""
    from ewarn.pipeline import caseload

    house = call.house()
    led = caseload.lead(house, ref, area, why, call.actor(person, secret_file), call.now(house))
    _told(call, ref, f"{ref} is now led by {house.catalogue.area_ref(led.lead_area).name}.")


def outcome(
    call: Call,
    ref: Ref,
    decided: Annotated[
        Literal["no further action", "share for information", "formal alert"],
        typer.Option("--outcome", help="What the panel decided."),
    ],
    why: Why,
    person: As,
    secret_file: SecretFile = None,
) -> None:
    """Put the panel's decision on record: no further action, share for information, or formal alert."""
    from ewarn.pipeline import caseload

    house = call.house()
    caseload.outcome(house, ref, decided, why, call.actor(person, secret_file), call.now(house))
    _told(call, ref, f"{ref}: {decided}.")


def note(
    call: Call,
    ref: Ref,
    text: Annotated[str, typer.Option("--text", metavar="TEXT", help="The remark. No names of people outside.")],
    person: As,
    secret_file: SecretFile = None,
) -> None:
    """Write a remark on a case."""
    from ewarn.pipeline import caseload

    house = call.house()
    caseload.remark(house, ref, text, call.actor(person, secret_file), call.now(house))
    _told(call, ref, f"Noted on {ref}.")


def list_tests(
    call: Call, case: Annotated[str | None, typer.Option("--case", metavar="CASE", help="Of one case only.")] = None
) -> None:
    """List what laboratories were asked, open requests first."""
    from ewarn.pipeline import caseload

    house = call.house()
    found, now = caseload.requests(house, case), call.now(house)

    def human(console: Console) -> None:
        late = sum(t.status == "asked" and t.due_at < now for t in found)
        plain(console, f"{plural(len(found), 'request')}, {late} overdue.")
        if found:
            heads = ("test", "status", "laboratory", "urgency", "sample", "due", "result")
            console.print(table(heads, [_row(test) for test in found]))

    call.out.answer({"tests": found}, human)


def _row(test: TestRequest) -> tuple[object, ...]:
    due = local_time(test.due_at)
    return (test.id, test.status, test.laboratory, test.urgency, test.sample, due, test.result or "-")


def ask(
    call: Call,
    ref: Ref,
    sample: Annotated[str, typer.Option("--sample", metavar="TEXT", help="What is to be analysed.")],
    laboratory: Annotated[str, typer.Option("--laboratory", metavar="NAME", help="Who was asked.")],
    person: As,
    urgency: Annotated[
        Literal["routine", "urgent", "critical"], typer.Option("--urgency", help="14 days, 72 hours, 24 hours.")
    ] = "urgent",
    due: Annotated[str | None, typer.Option("--due", metavar="TIME", help="Another due time, Europe/London.")] = None,
    secret_file: SecretFile = None,
) -> None:
    """Put on record that a laboratory was asked to analyse something for a case."""
    from ewarn.pipeline import caseload

    house, due_at = call.house(), instant(due, "--due") if due else None
    actor, now = call.actor(person, secret_file), call.now(house)
    asked = caseload.ask_laboratory(house, ref, sample, laboratory, urgency, actor, now, due_at)
    call.out.answer(asked, lambda console: plain(console, f"{asked.id}: asked, due {local_time(asked.due_at)}."))


def answer(
    call: Call,
    test: Annotated[str, typer.Argument(metavar="TEST", help="Such as LDN-2025-0007/T1.")],
    result: Annotated[str, typer.Option("--result", metavar="TEXT", help="What was found, or why it is not wanted.")],
    person: As,
    cancelled: Annotated[bool, typer.Option("--cancelled", help="It is not wanted any more.")] = False,
    secret_file: SecretFile = None,
) -> None:
    """Enter what a laboratory answered: the case falls due, and what was issued is to be looked at."""
    from ewarn.pipeline import caseload

    house = call.house()
    actor, now = call.actor(person, secret_file), call.now(house)
    told = caseload.laboratory_answered(house, test, result, actor, now, cancelled=cancelled)
    call.out.answer(told, lambda console: plain(console, f"{told.id} is {told.status}."))


def _told(call: Call, ref: str, words: str) -> None:
    from ewarn.pipeline import assess

    call.out.answer(assess.show_case(call.house(), ref), lambda console: plain(console, words))
