"""Who read it, at the command line: answers serve and collect, and what comes after."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ewarn.cli.options import Call, command, group
from ewarn.cli.output import plain, plural

if TYPE_CHECKING:
    from rich.console import Console

    from ewarn.pipeline.house import House

PANEL = "Respond"


def register(app: typer.Typer) -> None:
    answers = group(app, PANEL, "answers", "What recipients answer: the pages they see, and the way in.")
    command(answers, "serve")(serve)
    command(answers, "collect")(collect)


def serve(
    call: Call,
    port: Annotated[int, typer.Option("--port", help="Port on this machine.", min=1, max=65535)] = 8090,
    host: Annotated[str, typer.Option("--host", help="Address to listen on, behind a reverse proxy.")] = "127.0.0.1",
    proxy: Annotated[
        str, typer.Option("--proxy", metavar="ADDRESSES", help="Reverse proxies that may name the client.")
    ] = "127.0.0.1",
) -> None:
    """Run the public pages in a process of their own, until Ctrl-C. It never opens the database."""
    from ewarn.pipeline import answering, collecting

    house = call.house()
    answering.of_house(house)  # makes the home's own key, or says what is wrong with those that are named
    collecting.publish(house, call.now(house))
    folder = collecting.folder(house)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    words = ["-m", "ewarn.answers", "--folder", str(folder), "--public", str(house.settings.home / "public")]
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
    """Take in what the answer pages spooled. Every answer counts once, however often this runs."""
    from ewarn.pipeline import collecting

    house = call.house()
    report = collecting.collect(house, call.now(house))

    def human(console: Console) -> None:
        plain(console, f"{plural(report.taken, 'answer')} taken in, {report.known} known already.")
        for fault in report.refused:
            plain(console, f"put aside: {fault}")

    call.out.answer(report, human)
    return report.exit_status
