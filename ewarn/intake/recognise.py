"""Which drop a file is, by its headers alone, when nobody said.

In: the bytes, the drop definitions. Out: the one definition whose columns the file has. Must never guess between two.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ewarn.catalogue.definitions import DropDefinition
from ewarn.errors import UnusableInput, UsageFault
from ewarn.intake.csvfile import read_rows
from ewarn.intake.normalise import lay
from ewarn.intake.tables import headers_of

_HEAD_BYTES = 256 * 1024


def recognise(body: bytes | Path, definitions: Sequence[DropDefinition]) -> DropDefinition:
    """The definition with most of the file's headers whose required columns are all there.

    Raises: UsageFault where none fits or two fit equally well; UnusableInput where there is no header.
    """
    fits: list[tuple[int, DropDefinition]] = []
    head = _head(body)
    for definition in definitions:
        rows = read_rows(head, headers_of(definition))
        try:
            mapped = lay(definition, rows.header)
        except UnusableInput:
            continue
        fits.append((len(rows.header) - len(mapped.unknown), definition))
    fits.sort(key=lambda fit: -fit[0])
    ids = ", ".join(d.id for d in definitions)
    if not fits:
        raise UsageFault(
            "no source has this file's columns",
            where=", ".join(read_rows(head).header)[:300],
            next_step=f"Name the source with --source; the CSV sources are: {ids}.",
        )
    if len(fits) > 1 and fits[0][0] == fits[1][0]:
        raise UsageFault(
            f"the file could be {fits[0][1].id} or {fits[1][1].id}", next_step="Name the source with --source."
        )
    return fits[0][1]


def _head(body: bytes | Path) -> bytes:
    """The first rows: enough to tell, cut at the end of a line; UTF-16 is cut at an even byte."""
    if isinstance(body, Path):
        with body.open("rb") as stream:
            body = stream.read(2 * _HEAD_BYTES)
    if len(body) <= _HEAD_BYTES:
        return body
    cut = body.rfind(b"\n", 0, _HEAD_BYTES)
    return body[: (cut + 2) & ~1] if cut > 0 else body
