"""Who gets what at the command line: the list of routes, and one alert explained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ewarn.cli.options import Call, command, group, instant
from ewarn.cli.output import local_time, plain, plural, table

if TYPE_CHECKING:
    from rich.console import Console

    from ewarn.pipeline.explain import Explained, ExplainReport

PANEL = "Respond"
SHOWN_IDS = 12


def register(app: typer.Typer) -> None:
    routes = group(app, PANEL, "routes", "Who gets what, when, and why.", list_routes)
    command(routes, "list")(list_routes)
    command(routes, "explain")(explain)


def list_routes(call: Call) -> None:
    """List the routes of alerts/routes.toml in the order in which they are tried."""
    found = call.house().catalogue.routes

    def human(console: Console) -> None:
        heads = ("no.", "title", "products", "audience", "severity", "hours", "groups", "also to", "files")
        rows = [
            (n, r.title or "-", ", ".join(p.value for p in r.product), r.audience,
             f"{r.least_severity} and above" if r.least_severity else ", ".join(r.severities) or "any",
             f"{r.hours}, waits" if r.waits else r.hours, ", ".join(r.groups) or "all",
             ", ".join(w for w, on in (("next door", r.neighbours), ("region", r.upward)) if on) or "-",
             ", ".join(r.attachments) or "-")
            for n, r in enumerate(found.routes, start=1)
        ]  # fmt: skip
        console.print(table(heads, rows))
        if found.out_of_hours_from:
            plain(console, f"Out-of-hours contacts are used from {found.out_of_hours_from} on.")

    call.out.answer(found, human)


def explain(
    call: Call,
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="Alert id, such as LDN-2025-0007/A1.")],
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="Ask for another time, such as 2025-11-22T03:00.")
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version-number", metavar="N", help="An earlier version; the newest otherwise.")
    ] = None,
) -> None:
    """Say who gets an alert, by which channel, in which format and why; who does not, and why not. Sends nothing."""
    from ewarn.pipeline import explain as explaining

    house = call.house()
    asked = instant(at, "--at") if at else None
    report = explaining.explain(house, alert, call.now(house), version, asked)
    call.out.answer(report, lambda console: show_explained(console, report))


def show_explained(console: Console, report: ExplainReport) -> None:
    """The occasion, who gets it, who does not, counts, and areas nobody covers."""
    mark = "" if report.standing == "actual" else f" [{report.standing.upper()}]"
    plain(console, f"{report.alert}{mark} version {report.version}, {report.product}, {report.status}: {report.area}")
    plain(console, f"  at {local_time(report.at)} London time ({report.hour}); {report.severity}; {report.approvals}")
    plain(console, f"  marked {report.marking}. {' '.join(report.conditions)}".rstrip())
    gets = report.of("delivered")
    plain(console, f"\n{plural(len(gets), 'recipient gets', 'recipients get')} it:")
    if gets:
        rows = [
            (g.recipient, g.group or "-", f"{g.channel}{' (out of hours)' if g.contact else ''}",
             ", ".join([g.format, *g.attachments]), g.state or "-", f"{g.why}{f'; {g.route}' if g.route else ''}")
            for g in gets
        ]  # fmt: skip
        console.print(table(("recipient", "group", "channel", "format", "state", "why"), rows))
    held = report.of("withheld")
    if held:
        plain(console, f"{plural(len(held), 'recipient does', 'recipients do')} not get it:")
        console.print(table(("recipient", "group", "why not"), [(h.recipient, h.group or "-", h.why) for h in held]))
    _show_not_concerned(console, report.of("not concerned"))
    _show_counts(console, "group", report.by_group)
    _show_counts(console, "area", report.by_area)
    for area in report.bare_areas:
        where = "in the area" if area.relation == "own" else "next door"
        plain(console, f"NO RECIPIENT of its own: {area.name} ({where}): {area.words}")
    for note in report.notes:
        plain(console, f"note: {note}")


def _show_not_concerned(console: Console, apart: Sequence[Explained]) -> None:
    by_reason: dict[str, list[str]] = {}
    for line in apart:
        by_reason.setdefault(line.why, []).append(line.recipient)
    for why, ids in by_reason.items():
        more = f" and {len(ids) - SHOWN_IDS} more" if len(ids) > SHOWN_IDS else ""
        plain(console, f"Not concerned, {why}: {', '.join(ids[:SHOWN_IDS])}{more}")


def _show_counts(console: Console, what: str, rows: Sequence[dict[str, Any]]) -> None:
    shown = [(r["name"], r["delivered"], r["withheld"], r["not concerned"]) for r in rows]
    if shown:
        heads = (what, "get it", "do not", "not concerned")
        console.print(table(heads, shown, right=heads[1:]))
