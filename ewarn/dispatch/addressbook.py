"""The distribution list as a CSV file: read row by row with every fault in words, written so that it reads back.

In: bytes and the recipients as they stand, or recipients. Out: recipients with what became of each row, or text. Pure.
It must never put a contact detail into the words of a fault, nor write a cell that a spreadsheet runs as a formula.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import ValidationError

from ewarn.catalogue import Catalogue, hours
from ewarn.disclosure.cells import sheet, worded
from ewarn.errors import UnusableInput
from ewarn.terms import Frozen, Recipient

COLUMNS = {
    "id": "id", "name": "name", "organisation": "organisation", "group": "group", "audience": "audience",
    "areas": "areas", "channel": "channel", "address": "address", "hours": "hours",
    "out_of_hours_channel": "night_channel", "out_of_hours_address": "night_address", "rota_order": "rota_order",
    "person": "person", "active": "active", "confirmed_on": "confirmed_on",
}  # fmt: skip
NEEDED = ("id", "name", "areas", "channel")
AUDIENCES = ("professional", "public", "internal")
ID = re.compile(r"^[a-z0-9][a-z0-9._-]{0,63}$")
YES, NO = ("yes", "true", "1", "y"), ("no", "false", "0", "n")
MOST_BYTES = 20_000_000


class Row(Frozen):
    """What one line of a file comes to."""

    line: int
    id: str
    outcome: str = "rejected"
    recipient: Recipient | None = None
    changed: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    text: str = ""


def read(body: bytes, known: Mapping[str, Recipient], catalogue: Catalogue) -> list[Row]:
    """Every row of a file against the list as it stands: added, changed, unchanged or rejected.

    A column that the file lacks leaves what is on the list. Raises: UnusableInput for a file that is no such list.
    """
    rows, seen = [], dict[str, int]()
    for line, cells in _table(body):
        found = _row(line, cells, known, catalogue)
        if found.recipient is not None and found.id in seen:
            said = f"id: '{found.id}' stands in line {seen[found.id]} already"
            found = found.model_copy(update={"outcome": "rejected", "recipient": None, "faults": (said,)})
        seen.setdefault(found.id, line)
        rows.append(found)
    return rows


def write(recipients: Sequence[Recipient]) -> str:
    """The list as CSV text; what a spreadsheet would take for a formula stands behind an apostrophe."""
    rows = ([_cell(getattr(recipient, field)) for field in COLUMNS.values()] for recipient in recipients)
    return sheet(list(COLUMNS), rows, worded)


def faults(recipient: Recipient, catalogue: Catalogue) -> list[str]:
    """What is wrong with a recipient beyond its own shape, each with its column."""
    found = []
    if not ID.match(recipient.id):
        found.append("id: use lower-case letters, digits, dots and dashes; it is shown in logs, so no address")
    if not recipient.name.strip():
        found.append("name: missing")
    if not recipient.areas:
        found.append("areas: missing; give GSS codes such as E09000007")
    codes = set(catalogue.areas["code"])
    found += [f"areas: no area has the code '{code}'" for code in recipient.areas if code not in codes]
    if recipient.audience not in AUDIENCES:
        found.append(f"audience: write one of {', '.join(AUDIENCES)}")
    found += _channel_faults(recipient, catalogue)
    if wrong := hours.fault(recipient.hours):
        found.append(f"hours: {wrong}")
    return found


def _channel_faults(recipient: Recipient, catalogue: Catalogue) -> list[str]:
    found = []
    for column, name, address in (
        ("channel", recipient.channel, recipient.address),
        ("out_of_hours_channel", recipient.night_channel, recipient.night_address),
    ):
        if not name and column != "channel":
            continue
        channel = catalogue.channels.get(name)
        where = "address" if column == "channel" else "out_of_hours_address"
        if channel is None:
            found.append(f"{column}: there is no channel '{name}'; use {', '.join(sorted(catalogue.channels))}")
        elif "{address}" in channel.url and not address:
            found.append(f"{where}: missing; the channel {name} needs one")
    if recipient.night_channel and not recipient.night_address and not found:
        channel = catalogue.channels[recipient.night_channel]
        if recipient.night_channel == recipient.channel:
            found.append(f"out_of_hours_address: missing; without it {channel.title} is the ordinary contact")
    return found


def _table(body: bytes) -> list[tuple[int, dict[str, str]]]:
    """Line number and cells by column. Raises: UnusableInput."""
    try:
        text = body.decode("utf-8-sig")
        head = text.split("\n", 1)[0]
        reader = csv.DictReader(
            io.StringIO(text, newline=""), delimiter=";" if ";" in head and "," not in head else ","
        )
        rows = [(reader.line_num, {(k or "").strip(): v for k, v in row.items()}) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnusableInput(f"the list cannot be read: {error}", next_step="Save it as CSV in UTF-8.") from error
    heads = {(name or "").strip() for name in reader.fieldnames or ()}
    unknown, missing = sorted(heads - set(COLUMNS)), [name for name in NEEDED if name not in heads]
    if unknown or missing or not rows:
        said = f"unknown columns {unknown}, missing columns {missing}, {len(rows)} rows"
        raise UnusableInput(said, next_step=f"Use the columns {', '.join(COLUMNS)}.")
    return [(line, _texts(cells)) for line, cells in rows]


def _texts(cells: Mapping[str, Any]) -> dict[str, str]:
    """Cells without blanks around them and without the apostrophe before a formula; too many are said under ''."""
    more = {"": "more"} if cells.get("") else {}
    return {key: _bare((value or "").strip()) for key, value in cells.items() if key in COLUMNS} | more


def _row(line: int, cells: dict[str, str], known: Mapping[str, Recipient], catalogue: Catalogue) -> Row:
    text, name = " | ".join(f"{key}={value}" for key, value in cells.items()), cells.get("id", "")
    before = known.get(name)
    said: list[str] = ["the row has more cells than there are columns"] if cells.get("") else []
    values = {} if before is None else before.model_dump()
    for column, written in cells.items():
        if column:
            said += _taken(values, column, written, before)
    made = None
    if not said:
        try:
            made = Recipient.model_validate(values)
        except ValidationError as error:
            said = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    if made is not None:
        said = faults(made, catalogue)
    if made is None or said:
        return Row(line=line, id=name, faults=tuple(said), text=text)
    if before is None:
        return Row(line=line, id=name, outcome="added", recipient=made)
    differ = tuple(c for c, field in COLUMNS.items() if getattr(made, field) != getattr(before, field))
    return Row(line=line, id=name, outcome="changed" if differ else "unchanged", recipient=made, changed=differ)


def _taken(values: dict[str, Any], column: str, written: str, before: Recipient | None) -> list[str]:
    """One cell taken into the values; a fault in words where it cannot be read."""
    field = COLUMNS[column]
    if column == "areas":
        values[field] = tuple(written.replace("|", " ").replace(",", " ").split())
    elif column == "active":
        if written and written.lower() not in (*YES, *NO):
            return ["active: write yes or no"]
        values[field] = written.lower() in YES if written else before is None or before.active
    elif column == "rota_order":
        if written and not written.isdigit():
            return ["rota_order: write a whole number"]
        values[field] = int(written) if written else None
    elif column == "confirmed_on":
        return _day(values, field, written)
    elif column in ("audience", "hours"):
        values[field] = written or Recipient.model_fields[field].default
    else:
        values[field] = written
    return []


def _day(values: dict[str, Any], field: str, written: str) -> list[str]:
    if written:
        try:
            values[field] = date.fromisoformat(written)
        except ValueError:
            return ["confirmed_on: write a date as 2025-11-30"]
    return []


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "|".join(value)
    return "" if value is None else str(value)


def _bare(cell: str) -> str:
    """What stood in a cell before it was written: only an apostrophe that `write` would put there is taken away."""
    return cell[1:] if cell.startswith("'") and worded(cell[1:]) == cell else cell
