"""Exercises at the command line: which there are, begin one, see how it went."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ewarn.cli.options import As, Call, SecretFile, command, group
from ewarn.cli.output import local_time, plain, plural, table

if TYPE_CHECKING:
    from rich.console import Console

    from ewarn.pipeline.scorecards import Card

PANEL = "People"


def register(app: typer.Typer) -> None:
    exercise = group(
        app, PANEL, "exercise", "Exercises: the whole path by exercise channels, with a scorecard.", listed
    )
    command(exercise, "list")(listed)
    command(exercise, "start")(start)
    command(exercise, "scorecard")(show)


def listed(call: Call) -> None:
    """List the scenarios, and the exercises begun in this home."""
    from ewarn.pipeline import exercising

    house = call.house()
    scenarios, begun = exercising.scenarios(house), exercising.begun(house)

    def human(console: Console) -> None:
        console.print(table(("scenario", "title", "why"), [(s.id, s.title, s.why) for s in scenarios]))
        plain(console, f"{plural(len(begun), 'exercise')} begun.")
        for one in begun:
            plain(console, f"{one.case_ref} {one.scenario} started {local_time(one.bytes_at)} by {one.started_by}")

    call.out.answer({"scenarios": scenarios, "begun": begun}, human)


def start(
    call: Call,
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="A file of alerts/scenarios/, without its ending.")
    ],
    person: As,
    secret_file: SecretFile = None,
) -> None:
    """Begin an exercise: its rows are received now, its case opened, the rota paged by exercise channels."""
    from ewarn.pipeline import exercising

    house = call.house()
    with call.out.progress("exercise"):
        report = exercising.start(house, scenario, call.actor(person, secret_file), lambda: call.now(house))

    def human(console: Console) -> None:
        plain(
            console, f"EXERCISE begun: {report.title}. {', '.join(report.cases)}; its records lie in {report.folder}."
        )
        if report.nobody_paged:
            plain(
                console,
                "NOBODY is paged: no one on the rota has a channel for pages in exercises. Next time: "
                "`ewarn recipients add` with --channel exercise-duty-email. This once: `ewarn duty ack` by hand.",
            )
        plain(console, f"Next: `ewarn send`, then work on it as on any case: `ewarn cases show {report.cases[0]}`.")
        plain(console, f"How it went: `ewarn exercise scorecard {report.cases[0]}`.")

    call.out.answer(report, human)


def show(
    call: Call,
    ref: Annotated[str, typer.Argument(metavar="CASE", help="Reference, such as LDN-EX-2025-0001.")],
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Write the picture as SVG.")] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write picture and table as a page.")
    ] = None,
) -> None:
    """Show how long each step of an exercise took beside its target. What is new is kept."""
    from ewarn.pipeline import scorecards

    house = call.house()
    card = scorecards.of(house, ref, call.now(house))
    for file, text in ((svg, scorecards.svg), (html, scorecards.page)):
        if file is not None:
            file.write_text(text(card), encoding="utf-8")
    call.out.answer(card, lambda console: _show(console, card))


def _show(console: Console, card: Card) -> None:
    from ewarn.pipeline import scorecards

    plain(console, f"EXERCISE {card.case}: {card.title}{f' ({card.scenario})' if card.scenario else ''}")
    plain(console, f"bytes at {local_time(card.bytes_at)}; {card.met} met, {card.missed} missed, {card.open} not yet")
    rows = [
        (s.title, s.at, "-" if s.minutes is None else f"{s.minutes:.1f}", f"{s.target:g}",
         s.outcome.upper() if s.outcome == "missed" else s.outcome)
        for s in card.steps
    ]  # fmt: skip
    console.print(table(("step", "when", "minutes", "target", ""), rows, right=("minutes", "target")))
    plain(console, scorecards.picture(card.steps))
    said = f"{plural(card.delivered, 'recipient')} reached by {card.alert}, {card.answered} acknowledged it."
    plain(console, said if card.alert else "No alert has been drafted yet.")
