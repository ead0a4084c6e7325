"""RECEIVE at the command line, from people: reports add, list, show, redact, hoax, join, answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ewarn.cli.options import As, Call, SecretFile, bytes_of, command, day, group
from ewarn.cli.output import clean, local_time, plain, plural, table

if TYPE_CHECKING:
    from rich.console import Console

    from ewarn.report import Report

Ref = Annotated[str, typer.Argument(metavar="REPORT", help="Reference, such as R-7KQ4-M2XD.")]
PANEL = "Receive"


def register(app: typer.Typer) -> None:
    reports = group(app, PANEL, "reports", "What partners tell through the reporting form.", list_reports)
    command(reports, "list")(list_reports)
    command(reports, "add")(add)
    command(reports, "show")(show)
    command(reports, "redact")(redact)
    command(reports, "hoax")(hoax)
    command(reports, "join")(join)
    command(reports, "answer")(answer)


def list_reports(
    call: Call, waiting: Annotated[bool, typer.Option("--waiting", help="Only those nobody has answered.")] = False
) -> None:
    """List reports, those longest without an answer first."""
    from ewarn.pipeline import reporting

    house = call.house()
    found, now = reporting.listed(house, waiting=waiting), call.now(house)

    def human(console: Console) -> None:
        late = sum(r.answered_at is None and r.state != "hoax" and r.answer_by < now for r in found)
        plain(console, f"{plural(len(found), 'report')}, {late} past the time to answer.")
        if found:
            heads = ("report", "received", "harm", "told", "area", "state", "case", "answer by")
            console.print(table(heads, [_row(call, report) for report in found]))

    call.out.answer({"reports": found}, human)


def _row(call: Call, report: Report) -> tuple[object, ...]:
    area = call.house().catalogue.area_ref(report.area).name if report.area else "not placed"
    answered = "answered" if report.answered_at else local_time(report.answer_by)
    return (
        report.ref, local_time(report.received_at), report.harm.value, report.origin.value, area, report.state.value,
        report.case or "-", answered,
    )  # fmt: skip


def add(
    call: Call,
    what: Annotated[str, typer.Option("--what", metavar="TEXT", help="What happened, as told.")],
    origin: Annotated[
        Literal["first-hand", "second-hand", "social media"], typer.Option("--origin", help="Who saw it.")
    ],
    harm: Annotated[
        Literal["death", "overdose", "unwell", "none", "not known"], typer.Option("--harm", help="What came of it.")
    ] = "not known",
    area: Annotated[str, typer.Option("--area", metavar="AREA", help="A name or GSS code.")] = "",
    on: Annotated[str | None, typer.Option("--on", metavar="DATE", help="The day it happened.")] = None,
    persons: Annotated[int | None, typer.Option("--persons", min=0, max=1000, help="How many people.")] = None,
    sold_as: Annotated[str, typer.Option("--sold-as", metavar="TEXT", help="What it was sold as.")] = "",
    looks_like: Annotated[str, typer.Option("--looks-like", metavar="TEXT", help="Form, colour, marks.")] = "",
    organisation: Annotated[str, typer.Option("--organisation", metavar="TEXT", help="Who reports; kept apart.")] = "",
    contact: Annotated[str, typer.Option("--contact", metavar="TEXT", help="How to reach them; kept apart.")] = "",
    photo: Annotated[Path | None, typer.Option("--photo", metavar="PATH", help="Of the packaging.")] = None,
) -> None:
    """Enter a report that came by telephone or e-mail; its reference is given at once."""
    from ewarn.pipeline import reporting
    from ewarn.report import Harm, Origin, Told

    house = call.house()
    told = Told(
        area=area, happened_on=day(on, "--on") if on else None, origin=Origin(origin), harm=Harm(harm), persons=persons,
        sold_as=sold_as, looks_like=looks_like, what=what, organisation=organisation, contact=contact,
    )  # fmt: skip
    report = reporting.receive(house, told, call.now(house), bytes_of(photo) if photo else b"")
    words = f"{report.ref}: to be answered by {local_time(report.answer_by)}. In an emergency ring 999 first."
    call.out.answer(report, lambda console: plain(console, words))


def show(
    call: Call,
    ref: Ref,
    words: Annotated[bool, typer.Option("--words", help="What was typed; that you looked is put on record.")] = False,
    contact: Annotated[bool, typer.Option("--contact", help="How to reach the reporter; put on record too.")] = False,
    person: Annotated[str | None, typer.Option("--as", metavar="PERSON", help="Who looks.")] = None,
    secret_file: SecretFile = None,
) -> None:
    """Show one report; what was typed, or how to reach the reporter, to somebody of the desk."""
    from ewarn.errors import UsageFault
    from ewarn.pipeline import reporting

    house = call.house()
    report = reporting.found(house, ref)
    if (words or contact) and not person:
        raise UsageFault("who looks is put on record", where=ref, next_step="Say who you are: --as PERSON.")
    said = {}
    for part in [name for name, asked in (("words", words), ("contact", contact)) if asked]:
        actor = call.actor(person or "", secret_file)
        raw = reporting.words_of(house, ref, "words" if part == "words" else "contact", actor, call.now(house))
        said[part] = json.loads(raw) if raw else None

    def human(console: Console) -> None:
        plain(console, f"{report.ref}: {report.harm.value}, {report.origin.value}, {report.state.value}")
        plain(console, f"  received {local_time(report.received_at)}; answer by {local_time(report.answer_by)}")
        plain(console, f"  case: {report.case or 'none yet'}")
        plain(console, f"  for others: {clean(report.redacted) or 'nothing yet: redact it first'}")
        for part, found in said.items():
            for key, value in (found or {"": "removed or never given"}).items():
                plain(console, f"  {part} {key}: {clean(value)}")

    call.out.answer({"report": report, **said}, human)


def redact(
    call: Call,
    ref: Ref,
    text: Annotated[str, typer.Option("--text", metavar="TEXT", help="What others may read, without any person.")],
    person: As,
    secret_file: SecretFile = None,
) -> None:
    """Write the words that others may read."""
    from ewarn.pipeline import reporting

    house = call.house()
    told = reporting.redact(house, ref, text, call.actor(person, secret_file), call.now(house))
    call.out.answer(told, lambda console: plain(console, f"{ref} is redacted."))


def hoax(
    call: Call,
    ref: Ref,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="How it is known.")],
    person: As,
    secret_file: SecretFile = None,
) -> None:
    """Mark a report as made up; it stays on record."""
    from ewarn.pipeline import reporting

    house = call.house()
    told = reporting.hoax(house, ref, why, call.actor(person, secret_file), call.now(house))
    call.out.answer(told, lambda console: plain(console, f"{ref} is marked as a hoax."))


def join(
    call: Call,
    ref: Ref,
    case: Annotated[str, typer.Option("--case", metavar="CASE", help="An open case, or 'new'.")],
    person: As,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Why they are one event.")] = "",
    secret_file: SecretFile = None,
) -> None:
    """Join a report to a case, or open one for it."""
    from ewarn.pipeline import reporting

    house = call.house()
    told = reporting.join(house, ref, case, why, call.actor(person, secret_file), call.now(house))
    call.out.answer(told, lambda console: plain(console, f"{ref} belongs to {told.case}."))


def answer(
    call: Call,
    ref: Ref,
    words: Annotated[str, typer.Option("--told", metavar="TEXT", help="What the reporter was told.")],
    person: As,
    secret_file: SecretFile = None,
) -> None:
    """Put on record that the reporter was told, and what."""
    from ewarn.pipeline import reporting

    house = call.house()
    told = reporting.answered(house, ref, words, call.actor(person, secret_file), call.now(house))
    call.out.answer(told, lambda console: plain(console, f"{ref} is answered."))
