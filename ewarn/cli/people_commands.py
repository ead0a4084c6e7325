"""Who acts and who is called: people, duty."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ewarn.cli.options import As, By, BySecretFile, Call, SecretFile, command, group, secret_of
from ewarn.cli.output import local_time, plain, plural, table
from ewarn.errors import UsageFault

if TYPE_CHECKING:
    from rich.console import Console


Noun = TypeVar("Noun")
Areas = Annotated[list[str], typer.Option("--area", metavar="CODE", help="GSS code; repeatable.")]

PANEL = "People"


def register(app: typer.Typer) -> None:
    people = group(
        app, PANEL, "people", "Registered persons: who may draft, grade and approve, and where.", list_people
    )
    command(people, "add")(add_person)
    command(people, "list")(list_people)
    command(people, "deactivate")(deactivate_person)
    command(people, "sign-out")(sign_out_person)
    duty = group(app, PANEL, "duty", "The duty rota and its open pages.", show_duty)
    command(duty, "list")(show_duty)
    command(duty, "ack")(acknowledge)


def add_person(
    call: Call,
    person: Annotated[str, typer.Argument(metavar="ID", help="Lower-case id, such as a.okoro.")],
    name: Annotated[str, typer.Option("--name", help="Full name, as it stands beside decisions.")],
    roles: Annotated[
        list[str], typer.Option("--role", help="duty, panel, coordinator, administrator, partner, reporter.")
    ],
    areas: Areas,
    purpose: Annotated[
        str, typer.Option("--purpose", help="care, or enforcement: sees no reporter or seller detail.")
    ] = "care",
    secret_file: SecretFile = None,
    make_secret: Annotated[bool, typer.Option("--make-secret", help="Make one and show it this once.")] = False,
    by: By = None,
    by_secret_file: BySecretFile = None,
) -> None:
    """Register a person with a secret of their own: asked for twice, read from a file, or made."""
    from ewarn.pipeline import read
    from ewarn.terms import Person

    secret = None if make_secret else _new_secret(call, person, secret_file)
    house = call.house()
    made = noun(Person, id=person, name=name, roles=tuple(roles), areas=tuple(areas), purpose=purpose)
    added = read.add_person(house, made, secret, call.now(house), call.keeper(by, by_secret_file))

    def human(console: Console) -> None:
        plain(console, f"{person} is registered: {', '.join(roles)}.")
        if added.secret:
            plain(console, f"Secret, shown this once: {added.secret}")

    call.out.answer(added, human)


def _new_secret(call: Call, person: str, secret_file: Path | None) -> str:
    secret = secret_of(person, secret_file, call.out)
    if secret_file is None and sys.stdin.isatty() and secret_of(f"{person}, again", None, call.out) != secret:
        raise UsageFault("the two secrets differ", where="people add", next_step="Type the same one twice.")
    return secret


def noun(kind: type[Noun], **fields: object) -> Noun:
    from pydantic import ValidationError

    try:
        return kind(**fields)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UsageFault(said, where=kind.__name__.lower(), next_step="Correct the named fields.") from error


def deactivate_person(
    call: Call,
    person: Annotated[str, typer.Argument(metavar="ID", help="Id of the registered person.")],
    by: By = None,
    by_secret_file: BySecretFile = None,
) -> None:
    """Take a person's part away; what they decided stays on record."""
    from ewarn.pipeline import read

    house = call.house()
    gone = read.deactivate_person(house, person, call.now(house), call.keeper(by, by_secret_file))
    call.out.answer({"person": gone}, lambda console: plain(console, f"{person} is no longer active."))


def sign_out_person(
    call: Call,
    person: Annotated[str, typer.Argument(metavar="ID", help="Id of the registered person.")],
    forget_device: Annotated[
        bool, typer.Option("--forget-device", help="Their one-time codes too: they enrol a device anew.")
    ] = False,
    by: By = None,
    by_secret_file: BySecretFile = None,
) -> None:
    """End every session somebody has at the desk."""
    from ewarn.pipeline import signin

    house = call.house()
    keeper = call.keeper(by, by_secret_file)
    ended = signin.revoke(house, person, call.now(house), keeper, forget_device=forget_device)
    call.out.answer(
        {"person": person, "ended": ended}, lambda console: plain(console, f"{plural(ended, 'session')} ended.")
    )


def list_people(call: Call) -> None:
    """List the registered persons with roles and areas."""
    from ewarn.pipeline import read

    found = read.list_people(call.house())

    def human(console: Console) -> None:
        plain(console, f"{plural(len(found), 'person', 'people')}.")
        rows = [
            (p.id, p.name, ", ".join(r.value for r in p.roles), ", ".join(p.areas), "yes" if p.active else "no")
            for p in found
        ]
        if rows:
            console.print(table(("id", "name", "roles", "areas", "active"), rows))

    call.out.answer({"people": found}, human)


def show_duty(call: Call) -> None:
    """Show who is on call, and the pages nobody has acknowledged."""
    from ewarn.pipeline import read

    report = read.duty(call.house())

    def human(console: Console) -> None:
        plain(console, f"{len(report.rota)} on the rota, {plural(len(report.pages), 'open page')}.")
        if report.rota:
            rows = [(r.rota_order, r.name, r.channel, r.person or "-") for r in report.rota]
            console.print(table(("order", "name", "channel", "person"), rows))
        for page in report.pages:
            plain(
                console, f"{page.id} {local_time(page.at)} [{page.standing.value.upper()}] {page.case}: {page.subject}"
            )
        if report.pages:
            plain(console, "Answer one: `ewarn duty ack PAGE --as PERSON`.")

    call.out.answer(report, human)


def acknowledge(
    call: Call,
    page: Annotated[str, typer.Argument(metavar="PAGE", help="Page id, from `ewarn duty`; or a delivery's id.")],
    person: As,
    text: Annotated[str, typer.Option("--text", help="What the recipient answered, for a delivery.")] = "",
    secret_file: SecretFile = None,
) -> None:
    """Acknowledge a page: it goes no further along the rota, and the case says who has it."""
    from ewarn.pipeline import respond

    house = call.house()
    answer = respond.acknowledge(house, page, call.actor(person, secret_file), call.now(house), text)
    call.out.answer(answer, lambda console: plain(console, f"{page} is acknowledged by {person}."))
