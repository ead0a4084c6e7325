"""RESPOND at the command line: a photograph in a text: photo attach, remove, release, purge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ewarn.cli.alert_commands import AlertId, show_report
from ewarn.cli.options import As, Call, SecretFile, bytes_of, command, group
from ewarn.cli.output import plain, plural
from ewarn.errors import UsageFault

if TYPE_CHECKING:
    from rich.console import Console

PANEL = "Respond"


def register(app: typer.Typer) -> None:
    photo = group(app, PANEL, "photo", "A photograph in a text, with its scale.")
    command(photo, "attach")(attach)
    command(photo, "remove")(remove)
    command(photo, "release")(release)
    command(photo, "purge")(purge)


def attach(
    call: Call,
    alert: AlertId,
    alt: Annotated[str, typer.Option("--alt", metavar="TEXT", help="What it shows, for those who do not see it.")],
    person: As,
    scale: Annotated[str, typer.Option("--scale", metavar="TEXT", help="What in it gives the scale.")] = "",
    file: Annotated[Path | None, typer.Option("--file", metavar="PATH", help="A JPEG or PNG.")] = None,
    report: Annotated[
        str, typer.Option("--report", metavar="REPORT", help="A partner's report of this case that was read.")
    ] = "",
    secret_file: SecretFile = None,
) -> None:
    """Put a photograph into a draft, cleaned of what the camera wrote into it. Any approval is void."""
    from ewarn.pipeline import photos

    if bool(file) == bool(report):
        raise UsageFault("one picture: --file or --report", next_step="Name a file, or a report that has one.")
    house, actor = call.house(), call.actor(person, secret_file)
    if file:
        found = photos.attach(house, alert, bytes_of(file), alt, scale, actor, call.now(house))
    else:
        found = photos.from_report(house, alert, report, alt, scale, actor, call.now(house))
    call.out.answer(found, lambda console: show_report(console, found))


def remove(call: Call, alert: AlertId, person: As, secret_file: SecretFile = None) -> None:
    """Take the photograph out of a draft."""
    from ewarn.pipeline import photos

    house = call.house()
    found = photos.remove(house, alert, call.actor(person, secret_file), call.now(house))
    call.out.answer(found, lambda console: show_report(console, found))


def release(
    call: Call,
    alert: AlertId,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why the public may see it.")],
    person: As,
    secret_file: SecretFile = None,
) -> None:
    """Let the public's formats show the photograph; without it they leave it out. Only the panel can."""
    from ewarn.pipeline import photos

    house = call.house()
    found = photos.release(house, alert, reason, call.actor(person, secret_file), call.now(house))
    call.out.answer(found, lambda console: show_report(console, found))


def purge(
    call: Call,
    alert: AlertId,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="A reference, never a name.")],
    person: As,
    secret_file: SecretFile = None,
) -> None:
    """Remove a photograph for good, with every stored sheet that shows it; the hashes stay and approvals verify."""
    from ewarn.pipeline import photos

    house = call.house()
    done = photos.purge(house, alert, reason, call.actor(person, secret_file), call.now(house))

    def human(console: Console) -> None:
        versions = ", ".join(map(str, done.versions))
        plain(console, f"Purged {done.sha256[:12]} and {plural(done.formats, 'stored format')} of version {versions}.")
        if done.in_force:
            plain(console, f"People still have it. Next: `ewarn update {alert}`, then `ewarn photo remove {alert}`.")
        plain(console, "Backups made before still hold it.")

    call.out.answer(done, human)
