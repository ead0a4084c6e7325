"""The matrix of partners and alerts as people read it: a page, a sheet, and the counts of every alert.

In: cells as the store gives them, names of partners. Out: counts, HTML, CSV. It must never show what an answer says,
nor take silence for having read.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl

from ewarn.disclosure import cells as sheets
from ewarn.terms import LONDON

STATES = (
    *("acted", "read", "delivered", "sent", "sending", "waiting", "failed", "dead", "bounced"),
    *("superseded", "withheld"),
)
COLUMNS = (
    *("destination", "name", "alert", "version", "state", "sent_at", "delivered_at", "read_at", "acted_at"),
    *("forwarded", "bounced_at", "nudged_at", "escalated_at", "escalated_to", "reason"),
)
GOOD, BAD = ("acted", "read"), ("dead", "bounced", "failed")
STYLE = """
body{font:16px/1.4 Verdana,Geneva,sans-serif;color:#1a1a1a;margin:1rem}table{border-collapse:collapse}
th,td{border:1px solid #767676;padding:.25rem .5rem;text-align:left;vertical-align:top}thead th{background:#f2f2f2}
.good{background:#e3f1e6}.bad{background:#fbe1e1;font-weight:bold}small{display:block;color:#404040}
"""


def counts(cells: pl.DataFrame) -> list[dict[str, Any]]:
    """How many partners stand where, for every alert: alert, partners, and one number for each state."""
    per = cells.group_by("alert", "state").len()
    found: dict[str, dict[str, Any]] = {}
    for alert, state, number in per.sort("alert").iter_rows():
        row = found.setdefault(alert, {"alert": alert, "partners": 0, **dict.fromkeys(STATES, 0)})
        row[state] = row.get(state, 0) + number
        row["partners"] += number
    for row in found.values():
        row["heard"] = row["read"] + row["acted"]
    return list(found.values())


def sheet(cells: pl.DataFrame, names: Mapping[str, str]) -> str:
    """One row per partner and alert, for a spreadsheet program."""
    rows = (
        [names.get(row["destination"], "") if key == "name" else _said(row[key]) for key in COLUMNS]
        for row in cells.iter_rows(named=True)
    )
    return sheets.sheet(COLUMNS, rows)


def page(cells: pl.DataFrame, names: Mapping[str, str], title: str, at: datetime) -> str:
    """A page with a row for every partner and a column for every alert; it needs nothing but itself."""
    alerts = cells["alert"].unique(maintain_order=True).to_list()
    grid: dict[str, dict[str, str]] = {}
    for row in cells.iter_rows(named=True):
        grid.setdefault(row["destination"], {})[row["alert"]] = _cell(row)
    head = "".join(f'<th scope="col">{html.escape(alert)}</th>' for alert in alerts)
    lines = [
        f'<tr><th scope="row">{html.escape(names.get(who) or who)}</th>'
        + "".join(found.get(alert, "<td>-</td>") for alert in alerts)
        + "</tr>"
        for who, found in sorted(grid.items(), key=lambda item: (names.get(item[0]) or item[0]).lower())
    ]
    said = f"As it stood at {at.astimezone(LONDON):%-d %B %Y %H:%M} London time. No answer does not mean not read."
    return (
        f'<!DOCTYPE html>\n<html lang="en-GB"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><h1>{html.escape(title)}</h1><p>{said}</p>\n<table>"
        f'<thead><tr><th scope="col">Partner</th>{head}</tr></thead>\n<tbody>' + "\n".join(lines) + "</tbody></table>"
        "</body></html>\n"
    )


def _cell(row: Mapping[str, Any]) -> str:
    tone = "good" if row["state"] in GOOD else "bad" if row["state"] in BAD else ""
    when = row["acted_at"] or row["read_at"] or row["bounced_at"] or row["sent_at"]
    notes = [f"v{row['version']}", _said(when)]
    notes += ["forwarded"] if row["forwarded"] else []
    notes += [f"nudged {_said(row['nudged_at'])}"] if row["nudged_at"] else []
    notes += [f"escalated {_said(row['escalated_at'])}"] if row["escalated_at"] else []
    notes += [str(row["reason"])] if row["reason"] and row["state"] not in GOOD else []
    said = html.escape("; ".join(note for note in notes if note))
    return f'<td class="{tone}">{html.escape(row["state"])}<small>{said}</small></td>'


def _said(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value.astimezone(LONDON):%Y-%m-%d %H:%M}"
    return {True: "yes", False: ""}.get(value, value) if isinstance(value, bool) else "" if value is None else value
