"""One format of an alert as a file: a flyer to print, a text to paste."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ewarn.cli.options import Call
from ewarn.cli.output import plain

if TYPE_CHECKING:
    from rich.console import Console


def export_alert(
    call: Call,
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="Alert id, such as LDN-2025-0007/A1.")],
    form: Annotated[str, typer.Option("--format", metavar="FORMAT", help="flyer, poster, clinical, text, email, ...")],
    audience: Annotated[
        Literal["professional", "public"], typer.Option("--audience", help="Whose version of it.")
    ] = "professional",
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="PATH", help="File or folder; a telling name here otherwise.")
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version-number", metavar="N", help="An earlier version; the newest otherwise.")
    ] = None,
    as_submitted: Annotated[
        bool, typer.Option("--as-submitted", help="For approvers: the exact bytes to be approved, without DRAFT.")
    ] = False,
) -> None:
    """Write one format of an alert to a file: the approved bytes, or a draft that says so on every page."""
    from ewarn.pipeline import printing

    told, body = printing.export(call.house(), alert, form, audience, version, as_submitted=as_submitted)
    done = printing.saved(told, body, out)

    def human(console: Console) -> None:
        plain(console, f"{done.file}: {done.alert} version {done.version}, {done.format}, {done.audience}")
        plain(console, f"  {'approved' if done.approved else 'NOT APPROVED'}, {done.size} bytes, sha256 {done.sha256}")
        if done.note:
            plain(console, f"  note: {done.note}")

    call.out.answer(done, human)
