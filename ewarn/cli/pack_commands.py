"""The offline pack as a file: cases, contacts, texts and how to go on without the server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ewarn.cli.options import By, BySecretFile, Call, command
from ewarn.cli.output import plain

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    command(app, "pack", rich_help_panel="The house")(pack)


def pack(
    call: Call,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="The archive to write, such as pack.zip.")],
    by: By = None,
    by_secret_file: BySecretFile = None,
) -> None:
    """Write the offline pack: what to work with when the server is gone. It holds contact details."""
    from ewarn.errors import UsageFault
    from ewarn.pipeline import packing

    house = call.house()
    told, body = packing.pack(house, call.now(house), call.keeper(by, by_secret_file))
    try:
        with open(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(body)
    except OSError as error:
        raise UsageFault(
            f"cannot be written: {error.strerror}", where=str(out), next_step="Name a file in a folder that is there."
        ) from error
    told = told.model_copy(update={"file": str(out)})

    def human(console: Console) -> None:
        plain(console, f"{told.file}: {len(told.pages)} files, {told.size} bytes, {told.marking}.")
        plain(console, "Unpack it and open index.html. It holds contact details: keep it as its marking says.")

    call.out.answer(told, human)
