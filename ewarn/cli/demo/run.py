"""`ewarn demo`: the whole corridor once, on this machine alone, ending with what happened, where to look, what to type.

In: a call. Out: exit status 0 when every alert was approved by two people, sent and receipted; else 1.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ewarn.cli.demo import servers, stage
from ewarn.cli.demo.scenario import LABEL, london
from ewarn.cli.options import Call
from ewarn.cli.output import local_time, plain, table

if TYPE_CHECKING:
    from rich.console import Console

    from ewarn.cli.demo.play import Play


@dataclass(frozen=True)
class Ending:
    """What the demo leaves behind."""

    home: Path
    seconds: float
    mails: int
    webhooks: int
    delivered: int
    undelivered: int


def run(call: Call) -> int:
    """Play the scenario in its own home. Raises: Refused where --home names a folder no demo made."""
    from ewarn.settings import PACKAGE_CHECKOUT

    began = time.monotonic()
    home = (call.home or PACKAGE_CHECKOUT / "var" / "demo").expanduser().absolute()
    if not call.out.as_json:
        call.out.say(f"EXERCISE. {LABEL}. Nothing leaves this machine.")
    stage.prepare(home)
    with call.out.progress("demo") as say, servers.running(home) as served:
        play = _play(call, home, served, say)
    ending = _ending(play, home, time.monotonic() - began)
    report = _write_report(play, ending)
    call.out.answer(_document(play, ending, report), lambda console: _show(console, play, ending, report))
    return 0 if play.issued and not ending.undelivered and ending.delivered else 1


def _play(call: Call, home: Path, served: servers.Servers, say: Any) -> Play:
    from ewarn.cli.demo.play import Play
    from ewarn.cli.demo.scenario import HISTORY_END
    from ewarn.pipeline import read
    from ewarn.pipeline.house import open_house
    from ewarn.settings import find_content

    stage.connect(home, served)
    start = london(HISTORY_END, 9)
    house = open_house(home, find_content(call.content, call.environ), {}, clock=lambda settings: start)
    read.initialise(house, start)
    play = Play(house, served, stage.people(house, start), say)
    stage.destinations(house, start)
    play.run()
    return play


def _ending(play: Play, home: Path, seconds: float) -> Ending:
    from ewarn.pipeline import respond

    deliveries = respond.receipts(play.house).deliveries
    delivered = sum(d.state.value == "sent" for d in deliveries)
    return Ending(
        home, seconds, len(list(play.served.mail.glob("*.eml"))), len(list(play.served.webhook.glob("*.json"))),
        delivered, len(deliveries) - delivered,
    )  # fmt: skip


def _look(ending: Ending, report: Path) -> dict[str, str]:
    home = ending.home
    return {
        "e-mails": f"{home / 'mail'} ({ending.mails})",
        "webhook calls": f"{home / 'webhook'} ({ending.webhooks})",
        "report": str(report),
        "database": str(home / "ewarn.duckdb"),
        "secrets of the demo people": str(home / "secrets"),
    }


def _next(play: Play, ending: Ending) -> list[str]:
    at = f"--home {shlex.quote(_short(ending.home))}"
    alert = play.issued[-1] if play.issued else None
    commands = [
        "status",
        *([f"cases show {alert.case}", f"alerts show {alert.id}"] if alert else []),
        *([f"explain {next(iter(play.signals))}"] if play.signals else []),
        "detect --as-of 2025-03-03 --area E09000007 --dry-run",
        "backtest --from 2025-03-01 --to 2025-12-31",
    ]
    return [f"{_program()} {command} {at}" for command in commands]


def _program() -> str:
    """What calls this program from here: its name where the shell finds it, else the way to it."""
    beside = Path(sys.executable).with_name("ewarn")
    if not beside.is_file():
        return f"{shlex.quote(sys.executable)} -m ewarn.cli"
    found = shutil.which("ewarn")
    return "ewarn" if found and Path(found).samefile(beside) else shlex.quote(_short(beside))


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _document(play: Play, ending: Ending, report: Path) -> dict[str, Any]:
    return {
        "standing": "exercise",
        "label": LABEL,
        "happened": [{"at": h.at, "what": h.what.strip(), "numbers": h.numbers} for h in play.happened],
        "alerts": [alert.model_dump(mode="json") for alert in play.issued],
        "mails": ending.mails,
        "webhook_calls": ending.webhooks,
        "deliveries": {"sent": ending.delivered, "not_sent": ending.undelivered},
        "seconds": round(ending.seconds, 1),
        "look": _look(ending, report),
        "next": _next(play, ending),
    }


def _show(console: Console, play: Play, ending: Ending, report: Path) -> None:
    rows = [(local_time(h.at), h.what, h.numbers) for h in play.happened]
    console.print(table(("when (London)", "what happened", "numbers"), rows, title=f"EXERCISE. {LABEL}."))
    plain(console, f"{len(play.issued)} alerts issued, {ending.delivered} deliveries, {ending.seconds:.1f} s.")
    plain(console, "\nWhere to look:")
    for what, where in _look(ending, report).items():
        plain(console, f"  {what}: {where}")
    plain(console, "\nWhat to type next:")
    for line in _next(play, ending):
        plain(console, f"  {line}")


def _write_report(play: Play, ending: Ending) -> Path:
    """HOME/report.md: the table, then each issued text with who approved it and where it went."""
    lines = [f"# EXERCISE. {LABEL}.", "", "| when (London) | what happened | numbers |", "|---|---|---|"]
    lines += [f"| {local_time(h.at)} | {h.what.strip()} | {h.numbers} |" for h in play.happened]
    for alert in play.issued:
        lines += [
            "",
            f"## EXERCISE: {alert.id} version {alert.version}, {alert.status}",
            "",
            f"Hash `{alert.hash}`.",
            "",
        ]
        lines += [f"- approved by {a.person} at {local_time(a.at)}" for a in alert.approvals]
        lines += [f"- to {d.destination}: {d.state.value} ({d.why})" for d in alert.deliveries]
        lines += ["", "```", alert.text.strip(), "```"]
    path = ending.home / "report.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
