"""Who acts and who is told: people, recipients, duty."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from ewarn.cli.options import As, By, BySecretFile, Call, SecretFile, command, group, secret_of
from ewarn.cli.output import local_time, plain, plural, table
from ewarn.errors import UnusableInput, UsageFault

if TYPE_CHECKING:
    from rich.console import Console

    from ewarn.pipeline.reports import Actor
    from ewarn.terms import Recipient

Noun = TypeVar("Noun")
Areas = Annotated[list[str], typer.Option("--area", metavar="CODE", help="GSS code; repeatable.")]
RECIPIENT_COLUMNS = (
    "id", "name", "organisation", "group", "audience", "areas", "channel", "address", "rota_order", "person",
)  # fmt: skip


PANEL = "People"


def register(app: typer.Typer) -> None:
    people = group(
        app, PANEL, "people", "Registered persons: who may draft, grade and approve, and where.", list_people
    )
    command(people, "add")(add_person)
    command(people, "list")(list_people)
    command(people, "deactivate")(deactivate_person)
    command(people, "sign-out")(sign_out_person)
    recipients = group(
        app, PANEL, "recipients", "Where messages go: partners, and places on the duty rota.", list_recipients
    )
    command(recipients, "add")(add_recipient)
    command(recipients, "list")(list_recipients)
    command(recipients, "import")(import_recipients)
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
    made = _noun(Person, id=person, name=name, roles=tuple(roles), areas=tuple(areas))
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


def _noun(kind: type[Noun], **fields: object) -> Noun:
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


def add_recipient(
    call: Call,
    recipient: Annotated[str, typer.Argument(metavar="ID", help="Id of the destination.")],
    name: Annotated[str, typer.Option("--name", help="Who it is, in words.")],
    channel: Annotated[str, typer.Option("--channel", metavar="ID", help="A channel of alerts/channels/.")],
    areas: Areas,
    address: Annotated[str, typer.Option("--address", help="Fills {address} of the channel.")] = "",
    organisation: Annotated[str, typer.Option("--organisation", help="Organisation.")] = "",
    kind: Annotated[
        str, typer.Option("--group", help="health, council, outreach, police, ...; duty, panel, operator.")
    ] = "",
    audience: Annotated[
        Literal["professional", "public", "internal"], typer.Option("--audience", help="What it may read.")
    ] = "professional",
    rota_order: Annotated[
        int | None, typer.Option("--rota-order", help="Duty rota: 1 first on call, 2 back-up.", min=1)
    ] = None,
    person: Annotated[str, typer.Option("--person", metavar="ID", help="The registered person behind it.")] = "",
    by: By = None,
    by_secret_file: BySecretFile = None,
) -> None:
    """Add a destination, or replace the one with that id."""
    _save(call, call.keeper(by, by_secret_file), [
        {
            "id": recipient, "name": name, "organisation": organisation, "group": kind, "audience": audience,
            "areas": tuple(areas), "channel": channel, "address": address, "rota_order": rota_order, "person": person,
        }
    ])  # fmt: skip


def import_recipients(
    call: Call,
    file: Annotated[Path, typer.Argument(metavar="CSV", help="Columns as in docs/how-to/commands.md.")],
    by: By = None,
    by_secret_file: BySecretFile = None,
) -> None:
    """Add many destinations from a CSV file; all of them or none."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnusableInput(
            f"the file cannot be read: {error}", where=str(file), next_step="Save it as UTF-8."
        ) from error
    unknown = set(reader.fieldnames or ()) - set(RECIPIENT_COLUMNS)
    missing = {"id", "name", "areas", "channel"} - set(reader.fieldnames or ())
    if unknown or missing or not rows:
        said = f"unknown columns {sorted(unknown)}, missing columns {sorted(missing)}, {len(rows)} rows"
        raise UnusableInput(said, where=str(file), next_step=f"Use the columns {', '.join(RECIPIENT_COLUMNS)}.")
    _save(call, call.keeper(by, by_secret_file), [_from_row(row) for row in rows])


def _from_row(row: dict[str, str | None]) -> dict[str, object]:
    said: dict[str, object] = {
        key: (value or "").strip() for key, value in row.items() if key and (value or "").strip()
    }
    said["areas"] = tuple(str(said.get("areas", "")).replace("|", " ").split())
    return said


def _save(call: Call, actor: Actor | None, rows: list[dict[str, object]]) -> None:
    from ewarn.pipeline import read
    from ewarn.terms import Recipient

    made = [_noun(Recipient, **row) for row in rows]
    house = call.house()
    read.add_recipients(house, made, call.now(house), actor)
    call.out.answer({"recipients": made}, lambda console: plain(console, f"{plural(len(made), 'destination')} saved."))


def list_recipients(call: Call) -> None:
    """List the destinations and what reaches them."""
    from ewarn.pipeline import read

    found = read.list_recipients(call.house())
    call.out.answer({"recipients": found}, lambda console: _show_recipients(console, found))


def _show_recipients(console: Console, found: list[Recipient] | tuple[Recipient, ...]) -> None:
    plain(console, f"{plural(len(found), 'destination')}.")
    rows = [(r.id, r.name, r.group or "-", r.audience, ", ".join(r.areas), r.channel, r.rota_order) for r in found]
    if rows:
        console.print(table(("id", "name", "group", "audience", "areas", "channel", "rota"), rows))


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
