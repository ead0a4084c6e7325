"""The naming queue at the command line: list, suggest, set, dismiss, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ewarn.cli.options import Call, command, group
from ewarn.cli.output import clean, local_time, plain, plural, show_handling, table

if TYPE_CHECKING:
    from rich.console import Console

    from ewarn.pipeline.reports import NamedReport

PANEL = "Receive"
AsWritten = Annotated[str, typer.Argument(metavar="AS_WRITTEN", help="The name as the source wrote it.")]


def register(app: typer.Typer) -> None:
    names = group(app, PANEL, "names", "Names no list has, and saying what they are.", list_names)
    command(names, "list")(list_names)
    command(names, "suggest")(suggest_names)
    command(names, "set")(set_name)
    command(names, "dismiss")(dismiss_name)
    command(names, "undo")(undo_name)


def list_names(call: Call) -> None:
    """List the names as written that no list has, the likeliest new opioid first."""
    from ewarn.pipeline import handling, naming

    house = call.house()
    queue = naming.naming_queue(house)
    marking, conditions = handling.of_rows(house, queue, "first_source", "last_source")

    def human(console: Console) -> None:
        plain(console, f"{plural(len(queue), 'name')} waiting.")
        if queue:
            heads = ("as written", "records", "class", "last seen", "most like")
            rows = [_row(row) for row in queue]
            console.print(table(heads, rows, right=("records",)))
            plain(console, 'Say what one is: `ewarn names set "AS WRITTEN" SUBSTANCE`.')
            plain(console, 'Say that it names no substance: `ewarn names dismiss "AS WRITTEN"`.')
        show_handling(console, marking, conditions)

    call.out.answer({"names": queue, "marking": marking, "conditions": conditions}, human)


def _row(row: dict[str, Any]) -> list[object]:
    offers = row["suggestions"]
    nearest = f"{offers[0]['substance']} ({offers[0]['confidence']}, {offers[0]['likeness']:.0f})" if offers else None
    return [row["as_written"], row["records"], row["suggested_class"], local_time(row["last_seen"])[:10], nearest]


def suggest_names(call: Call, as_written: AsWritten) -> None:
    """Show the listed names most like a written one, with the likeness of each."""
    from ewarn.pipeline import naming

    offers = naming.suggest(call.house(), as_written)

    def human(console: Console) -> None:
        if not offers:
            plain(console, f"No listed name is like '{clean(as_written)}'.")
            return
        rows = [[one["substance"], one["class"], one["name"], one["likeness"], one["confidence"]] for one in offers]
        heads = ("substance", "class", "listed as", "likeness", "confidence")
        console.print(table(heads, rows, right=("likeness",)))
        plain(console, "Likeness is of spelling alone (100 is the same): it says nothing about chemistry.")

    call.out.answer({"as_written": as_written, "suggestions": offers}, human)


def set_name(
    call: Call,
    as_written: AsWritten,
    substance: Annotated[
        str, typer.Argument(metavar="SUBSTANCE", help="Id of a substance, such as metonitazene, or of a class.")
    ],
) -> None:
    """Say which substance (or class) a written name is. It is kept as a synonym in the class's file."""
    from ewarn.pipeline import naming

    house = call.house()
    answer = naming.name(house, as_written, substance, call.now(house))
    _say(call, answer, f"'{clean(as_written)}' is now read as {substance}: see {answer.file}.")


def dismiss_name(call: Call, as_written: AsWritten) -> None:
    """Say that words in the queue name no substance. They wait no longer; the record keeps them as written."""
    from ewarn.pipeline import naming

    house = call.house()
    answer = naming.dismiss(house, as_written, call.now(house))
    _say(call, answer, f"'{clean(as_written)}' names no substance: see {answer.file}.")


def undo_name(call: Call, as_written: AsWritten) -> None:
    """Take back what set or dismiss said of a name. It waits in the queue again."""
    from ewarn.pipeline import naming

    house = call.house()
    answer = naming.undo(house, as_written, call.now(house))
    _say(call, answer, f"What was said of '{clean(as_written)}' is taken back: see {answer.file}.")


def _say(call: Call, answer: NamedReport, words: str) -> None:
    def human(console: Console) -> None:
        plain(console, words)
        plain(console, f"Records read anew: {answer.changed}.")

    call.out.answer(answer, human)
