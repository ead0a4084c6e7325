"""RECEIVE at the command line: notices that no feed brings."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ewarn.cli.options import Call, command, group
from ewarn.cli.output import plain, plural, table
from ewarn.errors import UsageFault

if TYPE_CHECKING:
    from rich.console import Console

    from ewarn.pipeline.reports import NoticeReport

PANEL = "Receive"
MOST_BYTES = 40_000_000


def register(app: typer.Typer) -> None:
    notice = group(app, PANEL, "notice", "Notices without a feed: pasted words, pages and e-mail messages.")
    command(notice, "add")(add)


def add(
    call: Call,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="PATH", help="A .txt, .html or .eml file; without it stdin is read."),
    ] = None,
    text: Annotated[str | None, typer.Option("--text", metavar="WORDS", help="The words themselves.")] = None,
    title: Annotated[
        str, typer.Option("--title", metavar="WORDS", help="Its title, where it has none of its own.")
    ] = "",
    publisher: Annotated[
        str, typer.Option("--publisher", metavar="NAME", help="The organisation that issued it; never a person.")
    ] = "",
    published: Annotated[
        str, typer.Option("--published", metavar="DATE", help="When it was issued: 2025-03-03, or with a time.")
    ] = "",
    link: Annotated[str, typer.Option("--link", metavar="URL", help="Where it can be read.")] = "",
    area: Annotated[
        str, typer.Option("--area", metavar="CODE", help="GSS code of the area it is about, whatever it names.")
    ] = "",
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="ID", help="Source of notices; default: pasted, or email for a message."),
    ] = None,
    update: Annotated[
        str, typer.Option("--update", metavar="REFERENCE", help="It follows the notice with this reference.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be found in it; keep nothing.")] = False,
) -> int:
    """Add a notice that no feed brings: pasted words, a page or an e-mail. Shows what was found, and by which words."""
    from ewarn.pipeline import notices

    content = _content(file, text)
    house = call.house()
    report = notices.add(
        house, call.now(house), content, source=source, title=title, publisher=publisher,
        published=_moment(published), link=link, area=area, update=update, dry_run=dry_run,
    )  # fmt: skip
    call.out.answer(report, lambda console: show(console, report))
    return report.exit_status


def show(console: Console, report: NoticeReport) -> None:
    """What was found in a notice, with the evidence for each."""
    if report.fault:
        plain(console, f"{report.source}: {report.fault}")
    if report.kind:
        said = "would be added" if report.outcome == "preview" else report.outcome
        plain(console, f"{report.reference}  {report.kind}, {said}: {report.title}")
        plain(console, f"From {report.publisher}, dated {report.reference_date}: {report.basis}.")
        rows = [("kind", report.kind, e["words"]) for e in report.evidence if e["what"] == "kind"]
        rows += [("on watch" if s["watched"] else "drug", s["name"], s["as_written"]) for s in report.substances]
        rows += [("area", a["name"], a["as_written"] or a["precision"]) for a in report.areas]
        rows += [(e["what"], e["says"], e["words"]) for e in report.evidence if e["what"] != "kind"]
        console.print(table(("what", "says", "words"), rows))
    for line in (*report.attachments, *report.notes):
        plain(console, line)
    if report.outcome == "preview":
        plain(console, "Nothing was kept. Without --dry-run it is added.")
    elif report.reference:
        plain(console, f"What follows it: `ewarn notice add --update {report.reference}`.")
    if not report.kind:
        plain(console, f"{plural(0, 'notice')} added.")


def _content(file: Path | None, text: str | None) -> bytes:
    """The bytes of the notice. Raises: UsageFault where there are none, or two."""
    if file is not None and text is not None:
        raise UsageFault("both --file and --text were given", next_step="Give one of the two.")
    if text is not None:
        return text.encode()
    if file is None:
        if sys.stdin.isatty():
            typer.echo("Paste the notice, then press Ctrl-D on a line of its own.", err=True)
        content = sys.stdin.buffer.read(MOST_BYTES + 1) if hasattr(sys.stdin, "buffer") else sys.stdin.read().encode()
    else:
        try:
            if file.exists() and not file.is_file():
                raise UsageFault("this is not a file that can be kept", next_step="Name a regular file.")
            with file.open("rb") as opened:
                content = opened.read(MOST_BYTES + 1)
        except OSError as error:
            raise UsageFault(
                f"the file cannot be read: {error.strerror}", where=str(file), next_step="Check the path."
            ) from error
    if len(content) > MOST_BYTES:
        raise UsageFault(f"the notice is larger than {MOST_BYTES:,} bytes", next_step="Paste the words that matter.")
    if not content.strip():
        raise UsageFault("there are no words to add", next_step="Paste them on stdin, or use --text or --file.")
    return content


def _moment(text: str) -> datetime | None:
    """A date, or a date and time, in London where it says nothing else. Raises: UsageFault."""
    from ewarn.terms import LONDON

    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageFault(
            f"'{text[:40]}' is no date", where="--published", next_step="Write it like 2025-03-03 or 2025-03-03T14:30."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=LONDON)
