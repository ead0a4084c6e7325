"""ASSESS at the command line: cases list, show, grade, verify, assign, link, close."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ewarn.cli.options import As, Call, SecretFile, command, group, instant
from ewarn.cli.output import local_time, plain, plural, show_handling, table

if TYPE_CHECKING:
    from rich.console import Console

    from ewarn.pipeline.reports import CaseReport

Ref = Annotated[str, typer.Argument(metavar="CASE", help="Reference, such as LDN-2025-0007.")]
Level = Literal["confirmed", "probable", "unverified", "discounted"]


PANEL = "Assess"


def register(app: typer.Typer) -> None:
    from ewarn.cli import caseload_commands

    cases = group(app, PANEL, "cases", "What the panel works on: signals joined, graded, verified, closed.", list_cases)
    command(cases, "list")(list_cases)
    command(cases, "show")(show)
    command(cases, "grade")(grade)
    command(cases, "verify")(verify)
    command(cases, "assign")(assign)
    command(cases, "link")(link)
    command(cases, "close")(close)
    caseload_commands.register(app, cases)


def list_cases(
    call: Call,
    status: Annotated[Literal["open", "closed"] | None, typer.Option("--status", help="Only these.")] = None,
) -> None:
    """List cases with owner, next action and when it is due."""
    from ewarn.pipeline import assess, handling

    house = call.house()
    found = assess.list_cases(house, status)
    marking, conditions = handling.of_cases(house, found)

    def human(console: Console) -> None:
        plain(console, f"{plural(len(found), 'case')}.")
        if found:
            heads = ("case", "status", "title", "grade", "owner", "next action", "due")
            rows = [
                (c.ref, c.status, c.title, c.grade or "not graded", c.owner, c.next_action, local_time(c.due_at))
                for c in found
            ]
            console.print(table(heads, rows))
        show_handling(console, marking, conditions)

    call.out.answer({"cases": found, "marking": marking, "conditions": conditions}, human)


def show(call: Call, ref: Ref) -> None:
    """Show one case: its signals, why each joined, its verification, its history."""
    from ewarn.pipeline import assess

    report = assess.show_case(call.house(), ref)
    call.out.answer(report, lambda console: show_case(console, report))


def show_case(console: Console, report: CaseReport) -> None:
    case = report.case
    mark = "" if case.standing.value == "actual" else f" [{case.standing.value.upper()}]"
    plain(console, f"{case.ref}{mark} {case.title}: {case.status}")
    for label, value in (
        ("owner", case.owner), ("next action", f"{case.next_action} (due {local_time(case.due_at)})"),
        ("grade", case.grade or "not graded"), ("event", case.verification_event.value),
        ("substance", case.verification_substance.value), ("link", case.verification_link.value),
        ("joins on", "; ".join(case.keys)), ("window", f"{case.window_days} days; {case.neighbour_rule}"),
        ("outcome", case.outcome.value if case.outcome else "not decided"),
        ("merged", f"into {case.merged_into}" if case.merged_into else ", ".join(case.merged_from) or "-"),
        ("closed as", f"{case.closed_as.value}: {case.closed_note}" if case.closed_as else "-"),
    ):  # fmt: skip
        plain(console, f"  {label}: {value}")
    rows = [
        (s.signal.id[:8], s.signal.family.value, s.signal.area.name, "suggested" if s.suggested else "joined", s.why)
        for s in case.signals
    ]
    console.print(table(("signal", "family", "area", "link", "why"), rows, title="Signals"))
    console.print(
        table(("when", "act", "who", "why"), [_act(entry) for entry in report.history], title="What happened")
    )
    for alert in report.alerts:
        plain(console, f"Alert {alert.id} version {alert.version}: {alert.product.value}, {alert.status.value}")
    for test in report.tests:
        said = f"{test.status}: {test.result}" if test.result else f"asked, due {local_time(test.due_at)}"
        plain(console, f"Test {test.id} at {test.laboratory} ({test.urgency}), {test.sample}: {said}")
    for page in report.pages:
        answered = f"acknowledged by {page.acknowledged_by}" if page.acknowledged_by else "NOT acknowledged"
        plain(console, f"Page {page.id} at {local_time(page.at)}: {answered}")
    show_handling(console, report.marking, report.conditions)


def _act(entry: dict[str, object]) -> tuple[object, ...]:
    at = entry.get("at")
    when = local_time(at) if isinstance(at, datetime) else "-"
    return (when, *(entry.get(key) for key in ("act", "who", "why")))


def grade(
    call: Call,
    ref: Ref,
    grade: Annotated[str, typer.Option("--grade", metavar="ID", help="A grade of alerts/grading.toml.")],
    person: As,
    answers: Annotated[
        list[str] | None, typer.Option("--answer", metavar="QUESTION=TEXT", help="Answer to a grading question.")
    ] = None,
    secret_file: SecretFile = None,
) -> None:
    """Grade a case: a named person answers the grading questions, asked for one by one where not given."""
    from ewarn.pipeline import assess

    house = call.house()
    said = pairs(answers or [], "--answer")
    if sys.stdin.isatty() and not call.out.as_json:
        said = {q.id: said.get(q.id) or _asked(call, q.text) for q in house.catalogue.grading.questions} | said
    actor = call.actor(person, secret_file)
    assess.grade_case(house, ref, grade, said, actor, call.now(house))
    _after(call, ref, f"{ref} is graded {grade}.")


def _asked(call: Call, question: str) -> str:
    call.out.say(question)
    return input("> ")


def pairs(words: list[str], option: str) -> dict[str, str]:
    """NAME=TEXT words as a mapping. Raises: UsageFault."""
    from ewarn.errors import UsageFault

    for word in words:
        if "=" not in word:
            raise UsageFault(f"'{word}' has no '='", where=option, next_step=f'Write {option} "name=text".')
    return {name.strip(): text.strip() for name, _, text in (word.partition("=") for word in words)}


def verify(
    call: Call,
    ref: Ref,
    person: As,
    event: Annotated[Level | None, typer.Option("--event", help="Did it happen?")] = None,
    substance: Annotated[Level | None, typer.Option("--of-substance", help="What was it?")] = None,
    link: Annotated[Level | None, typer.Option("--link", help="Was it this that did it?")] = None,
    secret_file: SecretFile = None,
) -> None:
    """Set how sure we are, apart for the event, the substance and the link (our own scale)."""
    from ewarn.errors import UsageFault
    from ewarn.pipeline import assess

    said = {k: v for k, v in (("event", event), ("substance", substance), ("link", link)) if v}
    if not said:
        raise UsageFault("nothing to set", where="cases verify", next_step="Give --event, --of-substance or --link.")
    house = call.house()
    assess.verify_case(house, ref, actor=call.actor(person, secret_file), now=call.now(house), **said)
    _after(call, ref, f"{ref}: {', '.join(f'{k} {v}' for k, v in said.items())}.")


def assign(
    call: Call,
    ref: Ref,
    person: As,
    owner: Annotated[str | None, typer.Option("--owner", metavar="PERSON", help="Who has it now; or 'duty'.")] = None,
    next_action: Annotated[str | None, typer.Option("--next", metavar="TEXT", help="What is to be done next.")] = None,
    due: Annotated[str | None, typer.Option("--due", metavar="TIME", help="By when, Europe/London.")] = None,
    secret_file: SecretFile = None,
) -> None:
    """Hand a case over: its owner, its next action, its due time."""
    from ewarn.pipeline import assess

    house, due_at = call.house(), instant(due, "--due") if due else None
    actor, now = call.actor(person, secret_file), call.now(house)
    kept = assess.assign_case(
        house, ref, actor=actor, now=now, owner=owner, next_action=next_action, due_at=due_at
    )  # fmt: skip
    _after(call, ref, f"{ref}: {kept.owner}: {kept.next_action}, due {local_time(kept.due_at)}.")


def link(
    call: Call,
    ref: Ref,
    signal: Annotated[str, typer.Argument(metavar="SIGNAL", help="Suggested signal: id or its first characters.")],
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Why it belongs to this case.")],
    person: As,
    secret_file: SecretFile = None,
) -> None:
    """Join a signal that was only suggested for linking: a named person says that it is one event."""
    from ewarn.pipeline import assess

    house = call.house()
    assess.link_signal(house, ref, signal, why, call.actor(person, secret_file), call.now(house))
    _after(call, ref, f"{signal} is linked to {ref}.")


def close(
    call: Call,
    ref: Ref,
    closed_as: Annotated[
        Literal["confirmed", "not confirmed", "artefact", "duplicate", "unknown"],
        typer.Option("--closed-as", help="What it turned out to be."),
    ],
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What was done.")],
    person: As,
    secret_file: SecretFile = None,
) -> None:
    """Close a case: what it turned out to be and what was done."""
    from ewarn.pipeline import assess

    house = call.house()
    assess.close_case(house, ref, closed_as, note, call.actor(person, secret_file), call.now(house))
    _after(call, ref, f"{ref} is closed as {closed_as}.")


def _after(call: Call, ref: str, words: str) -> None:
    from ewarn.pipeline import assess

    call.out.answer(assess.show_case(call.house(), ref), lambda console: plain(console, words))
