"""The evaluation as one page that stands alone: no script, no address to load from, readable printed or read aloud.

In: the table of figures and what the run was made with. Out: HTML. Every value of a picture stands in the table too.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import polars as pl

from ewarn.charts import Bar, intervals
from ewarn.review.evaluation import MET, MISSED, NOT_RUN, UNSURE

STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --page: #fff; --soft: #767676; --deep: #1d5b8f; --bad: #a3221b }
@media (prefers-color-scheme: dark) {
  :root { --ink: #eee; --page: #16181a; --soft: #9a9a9a; --deep: #7db8e8; --bad: #ff9a90 } }
body { font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 0 auto; padding: 1rem;
  max-width: 70rem }
.skip { position: absolute; left: -99rem } .skip:focus { position: static }
.wide { overflow-x: auto } :focus-visible { outline: 3px solid var(--deep); outline-offset: 2px }
table { border-collapse: collapse; width: 100%; font-size: .9rem } caption { text-align: left; font-weight: 600 }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--soft) }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.missed { color: var(--bad); font-weight: 600 }
svg { width: 100%; max-width: 50rem; height: auto } svg text { font-size: 12px; fill: var(--ink) }
svg .axis { stroke: var(--soft); stroke-width: .5 } svg .range { stroke: var(--deep); stroke-width: 3 }
svg .wanted { stroke: var(--ink); stroke-width: 2 } svg circle { fill: var(--deep) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem } dd { margin: 0; overflow-wrap: anywhere }
@media print { body { max-width: none } .skip { display: none } .wide { overflow: visible }
  tr, svg { break-inside: avoid } }
""".strip()
HEADS = ("figure", "wanted", "value", "95 % interval", "verdict", "seed", "replicates", "seconds", "note")
NUMBERS = {"value", "95 % interval", "seed", "replicates", "seconds"}


def page(found: pl.DataFrame, made: Mapping[str, Any], command: str) -> str:
    """In: `made` what the run was made with, label -> words; `command` the call that repeats it."""
    rows = found.to_dicts()
    words = summary(found)
    sections = "".join(
        _section(number, study, [row for row in rows if row["study"] == study])
        for number, study in enumerate(dict.fromkeys(row["study"] for row in rows), 1)
    )
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in made.items())
    return (
        '<!DOCTYPE html>\n<html lang="en-GB"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>ewarn: evaluation figures</title>'
        f"<style>{STYLE}</style></head><body>"
        '<a class="skip" href="#figures">To the figures</a><header><h1>Evaluation figures</h1>'
        f"<p>{escape(words)}</p></header>"
        f'<main id="figures">{sections}</main>'
        f"<section aria-labelledby=made><h2 id=made>What this was made with</h2><dl>{facts}</dl>"
        f"<p>To make it again: <code>{escape(command)}</code></p></section>"
        "<footer><p>A floor is met when the lower end of the interval is at most one point under it, a ceiling when "
        "the value is not above it. A figure without a wish has no verdict. What did not run is never met.</p></footer>"
        "</body></html>\n"
    )


def summary(found: pl.DataFrame) -> str:
    """How many figures were met, missed, not run or left undecided."""
    counts = {word: found.filter(verdict=word).height for word in (MET, MISSED, NOT_RUN)}
    undecided = found.filter(verdict=UNSURE).height
    parts = [f"{counts[MET]} met", f"{counts[MISSED]} missed", f"{counts[NOT_RUN]} not run"]
    if undecided:
        parts.append(f"{undecided} undecided: too few replicates")
    return ", ".join(parts) + "."


def wanted(row: Mapping[str, Any]) -> str:
    if row["floor"] is not None:
        return f"≥ {row['floor']:g}"
    return f"≤ {row['ceiling']:g}" if row["ceiling"] is not None else ""


def number(value: float | None) -> str:
    """Three or four digits; small ones by powers of ten."""
    if value is None:
        return ""
    return f"{value:.4f}" if 1e-4 <= abs(value) < 1 else f"{value:.3g}"


def verdict(row: Mapping[str, Any]) -> str:
    """The verdict, and by how much it was missed."""
    if row["verdict"] != MISSED:
        return str(row["verdict"])
    if not row["missed_by"]:
        return "missed: its interval reaches further than one point under"
    return f"missed by {number(row['missed_by'])}"


def _section(number_: int, study: str, rows: list[dict[str, Any]]) -> str:
    name = f"study-{number_}"
    heads = "".join(f'<th scope="col">{head}</th>' for head in HEADS)
    body = "".join(_line(row) for row in rows)
    return (
        f'<section aria-labelledby="{name}"><h2 id="{name}">{escape(study)}</h2>{_picture(study, rows)}'
        f'<div class="wide" role="region" tabindex="0" aria-label="Figures: {escape(study)}"><table>'
        f"<caption>Figures: {escape(study)}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
        "</section>"
    )


def _line(row: Mapping[str, Any]) -> str:
    bounds = f"{number(row['lower'])} to {number(row['upper'])}" if row["lower"] is not None else ""
    seconds = "" if row["seconds"] is None else f"{row['seconds']:.1f}"
    key = f"{row['key']}: " if row["key"] else ""
    cells = [
        wanted(row),
        number(row["value"]),
        bounds,
        verdict(row),
        row["seed"],
        row["replicates"],
        seconds,
        row["note"],
    ]
    made = "".join(
        f"<td{_kind(head, row)}>{escape(str('' if cell is None else cell))}</td>"
        for head, cell in zip(HEADS[1:], cells, strict=True)
    )
    return f'<tr><th scope="row">{escape(key + row["figure"])}</th>{made}</tr>'


def _kind(head: str, row: Mapping[str, Any]) -> str:
    if head in NUMBERS:
        return ' class="number"'
    return ' class="missed"' if head == "verdict" and row["verdict"] == MISSED else ""


def _picture(study: str, rows: list[dict[str, Any]]) -> str:
    """Shares only: what has an interval."""
    bars = [
        Bar(
            row["figure"],
            row["value"],
            row["lower"],
            row["upper"],
            row["floor"] if row["floor"] is not None else row["ceiling"],
            f"{number(row['value'])} {row['verdict']}".strip(),
        )
        for row in rows
        if row["lower"] is not None and row["value"] is not None
    ]
    told = "; ".join(f"{bar.label} {bar.words}" for bar in bars)
    return intervals(bars, title=f"Figures with their intervals: {study}", description=told)
