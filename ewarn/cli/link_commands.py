"""People twice at the command line: links list, confirm, reject, add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ewarn.cli.options import As, Call, SecretFile, command, group
from ewarn.cli.output import local_time, plain, plural, table

if TYPE_CHECKING:
    from rich.console import Console

LinkId = Annotated[str, typer.Argument(metavar="LINK", help="A link: its id or the first characters of it.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Why you say so.")]
State = Literal["probable", "confirmed", "rejected", "lapsed"]


def register(app: typer.Typer) -> None:
    links = group(app, "Assess", "links", "Records that may tell of the same persons: confirm or reject.", list_links)
    command(links, "list")(list_links)
    command(links, "confirm")(confirm)
    command(links, "reject")(reject)
    command(links, "add")(add)


def list_links(
    call: Call,
    state: Annotated[State | None, typer.Option("--state", help="Only these.")] = None,
    record: Annotated[str | None, typer.Option("--record", metavar="ID", help="Only links of this record.")] = None,
    case: Annotated[str | None, typer.Option("--case", metavar="CASE", help="Only links inside this case.")] = None,
) -> None:
    """List records that may tell of the same persons, with the reason and what was said of them."""
    from ewarn.pipeline import links

    house = call.house()
    found = links.list_links(house, call.now(house), state, record, case)

    def human(console: Console) -> None:
        plain(console, f"{plural(len(found), 'link')}. A probable link lowers the fewest persons, never the most.")
        if found:
            heads = ("link", "state", "area", "why", "records", "said by")
            console.print(table(heads, [_cells(row) for row in found]))

    call.out.answer({"links": found}, human)


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    said = f"{row['who']}, {local_time(row['linked_at'])}" + (f": {row['why']}" if row["why"] else "")
    why = "; ".join(part for part in (row["rule"], row["reason"]) if part)
    return row["id"], row["state"], row["area"], why, f"{row['left'][:8]} {row['right'][:8]}", said


def confirm(call: Call, link: LinkId, why: Why, person: As, secret_file: SecretFile = None) -> None:
    """Say that both records of a link tell of the same persons: the most persons it can be goes down."""
    _judge(call, link, "confirmed", why, person, secret_file)


def reject(call: Call, link: LinkId, why: Why, person: As, secret_file: SecretFile = None) -> None:
    """Say that the two records of a link tell of different persons: the fewest it can be goes up."""
    _judge(call, link, "rejected", why, person, secret_file)


def add(
    call: Call,
    one: Annotated[str, typer.Argument(metavar="RECORD", help="A record: its id or the first characters of it.")],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The other record.")],
    why: Why,
    person: As,
    secret_file: SecretFile = None,
) -> None:
    """Say of two records that no rule links that they tell of the same persons."""
    from ewarn.pipeline import links

    house = call.house()
    row = links.add(house, one, other, why, call.actor(person, secret_file), call.now(house))
    call.out.answer(row, lambda console: plain(console, f"Link {row['id']} is {row['state']}."))


def _judge(call: Call, link: str, state: str, why: str, person: str, secret_file: Any) -> None:
    from ewarn.pipeline import links

    house = call.house()
    row = links.judge(house, link, state, why, call.actor(person, secret_file), call.now(house))
    call.out.answer(row, lambda console: plain(console, f"Link {row['id']} is {row['state']}."))
