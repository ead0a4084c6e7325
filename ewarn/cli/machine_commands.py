"""For programs at the command line: keys, verify, feeds, export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ewarn.cli.options import By, BySecretFile, Call, bytes_of, command, day, group
from ewarn.cli.output import local_time, plain, plural, table
from ewarn.errors import UsageFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from ewarn.pipeline.signing import KeyReport

PANEL = "For programs"
STATUS_OF = {"genuine": 0, "superseded": 1}
REFUSED = 6
Secret = Annotated[
    str,
    typer.Option(
        "--secret", metavar="REFERENCE", help="env:NAME, file:PATH or a name under [secrets]; else HOME/keys."
    ),
]
Days = Annotated[int, typer.Option("--days", metavar="N", help="How many days the key may sign.")]


def register(app: typer.Typer) -> None:
    keys = group(app, PANEL, "keys", "Keys that published alerts are signed with.", list_keys)
    command(keys, "list")(list_keys)
    command(keys, "make")(make_key)
    command(keys, "rotate")(rotate_keys)
    command(keys, "retire")(retire_key)
    command(keys, "publish")(publish_keys)
    command(app, "verify", rich_help_panel=PANEL)(verify)
    feeds = group(app, PANEL, "feeds", "Files of what each audience may see: Atom, JSON Feed, signed CAP.")
    command(feeds, "write")(write_feeds)
    export = group(app, PANEL, "export", "Tables and reports for others to work with.")
    command(export, "regional")(export_regional)


def list_keys(call: Call) -> None:
    """List the signing keys: what each is good for. The private halves are never shown."""
    from ewarn.pipeline import signing

    house = call.house()
    found = signing.list_keys(house, call.now(house))
    call.out.answer({"keys": found}, lambda console: _show_keys(console, found))


def _show_keys(console: Console, found: Sequence[KeyReport]) -> None:
    plain(console, f"{plural(len(found), 'signing key')}.")
    rows = [
        (k.id, k.state, local_time(k.not_before), local_time(k.retired_at or k.not_after), k.secret, k.why or "-")
        for k in found
    ]
    if rows:
        console.print(table(("key", "state", "from", "until", "private half", "why"), rows))
    else:
        plain(console, "Alerts are published without a signature. Make a key: ewarn keys make")


def make_key(
    call: Call, secret: Secret = "", days: Days = 730, by: By = None, by_secret_file: BySecretFile = None
) -> None:
    """Make a signing key, or take the one that a reference names. Keep a copy of it apart from the backups."""
    from ewarn.pipeline import keywatch, publishing, signing

    house = call.house()
    now = call.now(house)
    made = signing.make(house, now, call.keeper(by, by_secret_file), secret=secret, days=days)
    publishing.write(house, now)
    keywatch.settle(house, now)
    call.out.answer({"key": made}, lambda console: _show_keys(console, [made]))


def rotate_keys(
    call: Call,
    secret: Secret = "",
    days: Days = 730,
    overlap: Annotated[
        int, typer.Option("--overlap", metavar="DAYS", help="How long the old key stays good for what is on its way.")
    ] = 30,
    by: By = None,
    by_secret_file: BySecretFile = None,
) -> None:
    """Make a new key that signs from now on; the old one stays good for the overlap and then ends."""
    from ewarn.pipeline import keywatch, publishing, signing

    house = call.house()
    now = call.now(house)
    actor = call.keeper(by, by_secret_file)
    found = signing.rotate(house, now, actor, secret=secret, days=days, overlap_days=overlap)
    publishing.write(house, now)
    keywatch.settle(house, now)
    call.out.answer({"keys": found}, lambda console: _show_keys(console, found))


def retire_key(
    call: Call,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Id of the key.")],
    leaked: Annotated[
        bool, typer.Option("--leaked", help="Somebody else may have it: nothing it ever signed is genuine any more.")
    ] = False,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Why, in a sentence.")] = "",
    by: By = None,
    by_secret_file: BySecretFile = None,
) -> None:
    """Let a key sign no more. What it signed before stays genuine, unless it leaked."""
    from ewarn.pipeline import keywatch, publishing, signing

    house = call.house()
    now = call.now(house)
    actor = call.keeper(by, by_secret_file)
    gone = signing.retire(house, key, now, actor, leaked=leaked, why=why)
    publishing.write(house, now)
    keywatch.settle(house, now)
    call.out.answer({"key": gone}, lambda console: _show_keys(console, [gone]))


def publish_keys(call: Call) -> None:
    """Write the public halves where the public service serves them: .well-known/ewarn-keys.json."""
    from ewarn.pipeline import publishing

    house = call.house()
    publishing.write(house, call.now(house))
    path = publishing.folder_of(house, "public") / publishing.KEY_FILE
    if not path.is_file():
        raise UsageFault("there is no signing key to publish", next_step="Make one: ewarn keys make")
    call.out.answer({"file": str(path)}, lambda console: plain(console, f"Published: {path}"))


def verify(
    call: Call,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A signed CAP message; here also a sheet (PDF).")],
    keys: Annotated[
        Path | None, typer.Option("--keys", metavar="FILE", help="The issuer's key file; else this home's own keys.")
    ] = None,
    feed: Annotated[
        Path | None,
        typer.Option("--feed", metavar="FILE", help="With --keys: the issuer's alerts.json or .atom."),
    ] = None,
) -> int:
    """Say whether a CAP message is genuine and still stands: 0 genuine, 1 genuine but ended or replaced, 6 the rest.

    In this home it also tells a sheet or photograph by its hash.
    """
    from ewarn.pipeline import verifying

    body = bytes_of(file)
    if keys:
        beside = keys.absolute().parent.parent / "alerts.json"  # as published: .well-known/ewarn-keys.json below it
        listing = feed or (beside if keys.parent.name == ".well-known" and beside.is_file() else None)
        checked = verifying.by_keys(bytes_of(keys), body, bytes_of(listing) if listing else None)
    else:
        house = call.house()
        checked = verifying.by_store(house, body, call.now(house))

    def human(console: Console) -> None:
        now = f" (now: {checked.now})" if checked.now else ""
        plain(console, f"{checked.state.upper()}{now}. {checked.words}")
        for name in ("identifier", "status", "kind", "headline", "sent", "expires", "key", "superseded_by"):
            if value := getattr(checked, name):
                plain(console, f"  {name.replace('_', ' ')}: {value}")

    status = STATUS_OF.get(checked.state, REFUSED)
    if status == REFUSED and call.out.as_json:
        refused = {"what": checked.state, "where": str(file), "next": checked.words, "exit_status": status}
        call.out.document(checked.model_dump() | {"error": refused})
        return status
    call.out.answer(checked, human)
    return status


def write_feeds(call: Call) -> int:
    """Write feeds, signed CAP messages and keys under HOME/published-alerts. It also happens after every sending."""
    from ewarn.pipeline import publishing

    house = call.house()
    found = publishing.write(house, call.now(house))

    def human(console: Console) -> None:
        for one in found:
            changed = plural(len(one.files), "file")
            plain(
                console, f"{one.audience}: {plural(one.entries, 'entry', 'entries')}, {changed} written, {one.folder}"
            )
            for words in one.unsigned:
                plain(console, f"  not published: {words}")

    call.out.answer({"published": found}, human)
    return 1 if any(one.unsigned for one in found) else 0


def export_regional(
    call: Call,
    since: Annotated[str, typer.Option("--since", metavar="DATE", help="First day, Europe/London.")],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder for the files; made where absent.")],
    until: Annotated[str | None, typer.Option("--until", metavar="DATE", help="Last day; today otherwise.")] = None,
    marking: Annotated[
        str, typer.Option("--marking", help="The export's own marking: what is marked beyond it is only counted.")
    ] = "TLP:AMBER",
) -> None:
    """Report upward to the region: alerts issued, cases by area and class, verification, times. CSV, Markdown, HTML."""
    from ewarn.pipeline import regional
    from ewarn.terms import london_day

    house = call.house()
    now = call.now(house)
    last = day(until, "--until") if until else london_day(now)
    report = regional.write(house, day(since, "--since"), last, marking, out, now)

    def human(console: Console) -> None:
        plain(console, f"{plural(report.alerts, 'alert')}, {plural(report.cases, 'case')}; marked {report.marking}.")
        if report.withheld:
            plain(console, f"Counted and not shown, marked beyond that: {report.withheld}.")
        for path in report.files:
            plain(console, f"  {path}")

    call.out.answer(report, human)
