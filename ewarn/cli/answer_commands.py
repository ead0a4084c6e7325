"""Who read it, at the command line: answers, nudge, matrix, bounces, canary, all-quiet."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ewarn.cli.options import Call, command, group, instant
from ewarn.cli.output import local_time, plain, plural, table
from ewarn.errors import UsageFault

if TYPE_CHECKING:
    from rich.console import Console

    from ewarn.pipeline.bounces import BouncesReport
    from ewarn.pipeline.house import House

PANEL = "Respond"


def register(app: typer.Typer) -> None:
    answers = group(app, PANEL, "answers", "What recipients answer: the pages they see, and the way in.")
    command(answers, "serve")(serve)
    command(answers, "collect")(collect)
    command(app, "nudge", rich_help_panel=PANEL)(nudge)
    command(app, "matrix", rich_help_panel=PANEL)(matrix)
    bounces = group(app, PANEL, "bounces", "Mail that came back.", list_bounces)
    command(bounces, "list")(list_bounces)
    command(bounces, "read")(read_bounces)
    command(bounces, "mailbox")(read_mailbox)
    command(app, "canary", rich_help_panel=PANEL)(canary)
    command(app, "all-quiet", rich_help_panel=PANEL)(all_quiet)


def serve(
    call: Call,
    port: Annotated[int, typer.Option("--port", help="Port on this machine.", min=1, max=65535)] = 8090,
    host: Annotated[str, typer.Option("--host", help="Address to listen on, behind a reverse proxy.")] = "127.0.0.1",
    proxy: Annotated[
        str, typer.Option("--proxy", metavar="ADDRESSES", help="Reverse proxies that may name the client.")
    ] = "127.0.0.1",
) -> None:
    """Run the public pages in a process of their own, until Ctrl-C. It never opens the database."""
    from ewarn.pipeline import answering, collecting, publishing

    house = call.house()
    if not house.settings.public_url:
        raise UsageFault(
            "no text asks for an answer: 'public_url' is not set",
            where=str(house.settings.home / "ewarn.toml"),
            next_step='Write public_url = "https://…", the address under which these pages are reached.',
        )
    answering.of_house(house)  # makes the home's own key, or says what is wrong with those that are named
    collecting.publish(house, call.now(house))
    folder = collecting.folder(house)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    words = ["-m", "ewarn.answers", "--folder", str(folder), "--public", str(publishing.folder_of(house, "public"))]
    words += [word for key in _keys(house) for word in ("--key", key)]
    words += ["--host", host, "--port", str(port), "--proxy", proxy]
    call.out.stderr.write(f"Answer pages on http://{host}:{port} (Ctrl-C ends them).\n")
    call.out.stderr.flush()
    os.execv(sys.executable, [sys.executable, *words])


def _keys(house: House) -> list[str]:
    """References that another process resolves alike: names looked up, files by their whole path."""
    settings = house.settings
    found = [settings.secrets.get(key, key) for key in settings.answer_keys] or ["file:keys/answer.key"]
    whole = [key.removeprefix("file:") for key in found]
    return [
        key if not key.startswith("file:") else f"file:{path if Path(path).is_absolute() else settings.home / path}"
        for key, path in zip(found, whole, strict=True)
    ]


def collect(call: Call) -> int:
    """Take in the answers and reports that the public pages spooled. Each counts once, however often this runs."""
    from ewarn.pipeline import collecting

    house = call.house()
    report = collecting.collect(house, call.now(house))

    def human(console: Console) -> None:
        plain(console, f"{plural(report.taken, 'answer')} taken in, {report.known} known already.")
        if report.reports or report.reports_known:
            refs = ", ".join(report.reports) or "none"
            plain(console, f"Reports of partners: {refs}; {report.reports_known} known already.")
        for fault in report.refused:
            plain(console, f"put aside: {fault}")

    call.out.answer(report, human)
    return report.exit_status


def nudge(call: Call) -> None:
    """Send unread formal alerts once more where their time has come, and take unread ones further."""
    from ewarn.pipeline import nudging

    house = call.house()
    report = nudging.nudge(house, call.now(house))

    def human(console: Console) -> None:
        plain(console, f"{plural(len(report.nudges), 'nudge')} written, {len(report.escalated)} taken further.")
        for delivery in report.nudges:
            plain(console, f"  {delivery.alert} v{delivery.version}: {delivery.why}")

    call.out.answer(report, human)


def matrix(
    call: Call,
    alert: Annotated[str | None, typer.Option("--alert", metavar="ALERT", help="One alert, by its id.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="WHEN", help="Alerts written since then.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a sheet: one row per partner and alert.")] = False,
    as_html: Annotated[bool, typer.Option("--html", help="Print a page: partners down, alerts across.")] = False,
) -> None:
    """Who was sent what, and who read it or acted: counts of every alert, and with --alert every partner."""
    from ewarn.pipeline import matrix as verbs

    house = call.house()
    now, begin = call.now(house), instant(since, "--since") if since else None
    if as_csv or as_html:
        words = verbs.sheet(house, alert, begin) if as_csv else verbs.page(house, now, alert, begin)
        return call.out.text(words)
    report = verbs.matrix(house, now, alert, begin)

    def human(console: Console) -> None:
        heads = ("alert", "partners", "heard", "acted", "sent", "open", "failed", "bounced", "withheld")
        rows = [
            (c["alert"], c["partners"], c["heard"], c["acted"], c["sent"] + c["delivered"], c["waiting"] + c["sending"],
             c["failed"] + c["dead"], c["bounced"], c["withheld"])
            for c in report.alerts
        ]  # fmt: skip
        console.print(table(heads, rows, right=heads[1:]))
        if alert:
            cells = [
                (c["destination"], c["version"], c["state"], _when(c["sent_at"]), _when(c["read_at"]),
                 _when(c["acted_at"]), _when(c["nudged_at"]), _when(c["escalated_at"]), c["reason"] or "-")
                for c in report.cells
            ]  # fmt: skip
            names = ("partner", "v", "state", "sent", "read", "acted", "nudged", "escalated", "reason")
            console.print(table(names, cells))
        plain(console, "No answer does not mean not read. Every partner: --alert ALERT, --csv or --html.")

    call.out.answer(report, human)


def _when(at: datetime | None) -> str:
    return local_time(at) if at else "-"


def read_bounces(
    call: Call,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A message (.eml), a folder of them, or a Maildir.")],
    remove: Annotated[bool, typer.Option("--remove", help="Remove the files once they are read.")] = False,
) -> None:
    """Read returned mail: what bounced for good is marked and told. Every message counts once."""
    from ewarn.pipeline import bounces

    house = call.house()
    _answer_bounces(call, bounces.read(house, path, call.now(house), remove=remove))


def read_mailbox(call: Call) -> None:
    """Read the mailbox that returned mail goes to (bounces_mailbox) now. What is read stays there, marked."""
    from ewarn.pipeline import bounces

    house = call.house()
    _answer_bounces(call, bounces.read_mailbox(house, call.now(house)))


def _answer_bounces(call: Call, report: BouncesReport) -> None:
    def human(console: Console) -> None:
        said = ", ".join(f"{count} {kind}" for kind, count in sorted(report.found.items())) or "nothing new"
        plain(console, f"{said}; {report.known} known already.")
        for words in report.unknown:
            plain(console, f"about no delivery of ours, {words}")

    call.out.answer(report, human)


def list_bounces(call: Call) -> None:
    """List the recipients whose mail comes back, until they answer again."""
    from ewarn.pipeline import bounces

    found = bounces.flagged(call.house())

    def human(console: Console) -> None:
        plain(console, f"Mail of {plural(len(found), 'recipient')} comes back.")
        console.print(table(("recipient", "as the mail system says"), [(k, v or "-") for k, v in found.items()]))

    call.out.answer({"recipients": found}, human)


def canary(call: Call) -> int:
    """Write the daily test message to the recipients of the group 'canary', and look for one that is missing."""
    from ewarn.pipeline import canary as verbs

    house = call.house()
    report = verbs.canary(house, call.now(house))

    def human(console: Console) -> None:
        plain(console, f"{plural(len(report.deliveries), 'test message')} written; {len(report.missing)} missing.")
        for words in report.missing:
            plain(console, f"  {words}")

    call.out.answer(report, human)
    return report.exit_status


def all_quiet(call: Call) -> int:
    """Tell the co-ordinator and the outside monitor that ewarn works, once a day; or say what is wrong."""
    from ewarn.pipeline import quiet

    house = call.house()
    report = quiet.all_quiet(house, call.now(house))

    def human(console: Console) -> None:
        for words in report.wrong:
            plain(console, f"wrong: {words}")
        if report.wrong:
            plain(console, "All-quiet is not sent.")
        else:
            plain(console, f"{report.text}\n\n{plural(len(report.deliveries), 'message')} written: `ewarn send`.")

    call.out.answer(report, human)
    return report.exit_status
