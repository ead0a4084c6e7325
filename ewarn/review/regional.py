"""The report upward to the region: what was warned of, what was worked on, how sure, and how long it took.

In: rows of alerts and of cases, those withheld counted. Out: Markdown and HTML. It must never hold a row that is marked
beyond the report's own marking, nor leave unsaid that there are such.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from html import escape

from markdown_it import MarkdownIt

from ewarn.terms import LONDON, Frozen, Standing

LEVELS = ("confirmed", "probable", "unverified", "discounted")
ALERT_COLUMNS = (
    *("alert", "product", "standing", "headline", "area_code", "area", "drug", "state", "versions"),
    *("event", "substance", "link", "received", "assessed", "issued", "hours_to_assess", "hours_to_issue"),
    *("marking", "conditions"),
)
NOT_PUBLIC = ("received", "assessed", "hours_to_assess", "hours_to_issue")
PUBLIC_COLUMNS = tuple(name for name in ALERT_COLUMNS if name not in NOT_PUBLIC)
CASE_COLUMNS = (
    "area_code",
    "area",
    "drug",
    "cases",
    "open",
    *(f"substance_{level}" for level in LEVELS),
    "marking",
    "conditions",
)


class AlertRow(Frozen):
    """One alert that people first had within the days asked for."""

    alert: str
    product: str
    standing: str
    headline: str
    area_code: str
    area: str
    drug: str
    state: str
    versions: int
    event: str
    substance: str
    link: str
    received: datetime | None
    assessed: datetime | None
    issued: datetime
    marking: str
    conditions: tuple[str, ...] = ()

    @property
    def hours_to_assess(self) -> float | None:
        return _hours(self.received, self.assessed)

    @property
    def hours_to_issue(self) -> float | None:
        return _hours(self.received, self.issued)

    def cells(self) -> dict[str, object]:
        """As the table shows it; times are Europe/London."""
        times = {name: _time(getattr(self, name)) for name in ("received", "assessed", "issued")}
        hours = {"hours_to_assess": self.hours_to_assess, "hours_to_issue": self.hours_to_issue}
        return self.model_dump() | times | hours


class CaseRow(Frozen):
    """One case that was opened within the days asked for."""

    area_code: str
    area: str
    drug: str
    open: bool
    substance: str
    marking: str = ""
    conditions: tuple[str, ...] = ()


class Asked(Frozen):
    """What the report is about, and what it leaves out."""

    issuer_name: str
    standing: Standing
    origin: str = ""
    since: date
    until: date
    marking: str
    public: bool = False
    made_at: datetime
    alerts_withheld: int = 0
    cases_withheld: int = 0


def by_area_and_drug(cases: Iterable[CaseRow]) -> list[dict[str, object]]:
    """One row per area and drug, with every condition of its cases once."""
    groups: dict[tuple[str, str, str], list[CaseRow]] = {}
    for case in cases:
        groups.setdefault((case.area, case.area_code, case.drug), []).append(case)
    rows = []
    for (area, code, drug), held in sorted(groups.items()):
        levels = Counter(case.substance for case in held)
        rows.append(
            {"area_code": code, "area": area, "drug": drug, "cases": len(held), "open": sum(c.open for c in held)}
            | {f"substance_{level}": levels[level] for level in LEVELS}
            | {"marking": " | ".join(sorted({c.marking for c in held} - {""}))}
            | {"conditions": list(dict.fromkeys(words for c in held for words in c.conditions))}
        )
    return rows


def markdown(asked: Asked, alerts: Sequence[AlertRow], cases: Sequence[CaseRow]) -> str:
    """Short enough to read: the handling first, then the two tables, then how long it took."""
    said = [*(row.conditions for row in alerts), *(row.conditions for row in cases)]
    conditions = dict.fromkeys(words for each in said for words in each)
    actual = asked.standing is Standing.ACTUAL
    parts = [
        f"# Regional report: {_text(asked.issuer_name)}",
        "" if actual else f"**{asked.standing.value.upper()} {asked.standing.value.upper()}: nothing below is real.**",
        _text(asked.origin),
        f"{asked.since:%-d %B %Y} to {asked.until:%-d %B %Y}. Made {_time(asked.made_at)} (Europe/London).",
        f"**{asked.marking}.** {' '.join(map(_text, conditions))}".rstrip(),
        _withheld(asked),
        f"## Alerts issued: {len(alerts)}",
        _table(
            ("Alert", "Area", "What", "State", "How sure (event, substance, link)", "Issued"),
            [
                (a.alert, a.area, a.headline, a.state, f"{a.event}, {a.substance}, {a.link}", _time(a.issued))
                for a in alerts
            ],
        )
        or "No alert was issued.",
        *([] if asked.public else _inside(alerts, cases)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _inside(alerts: Sequence[AlertRow], cases: Sequence[CaseRow]) -> list[str]:
    """What the public is not told: counts of cases, and when what became known."""
    return [
        f"## Cases opened: {len(cases)}",
        _table(
            ("Area", "Drug", "Cases", "Still open", *(f"Substance {level}" for level in LEVELS)),
            [
                (r["area"], r["drug"], r["cases"], r["open"], *(r[f"substance_{level}"] for level in LEVELS))
                for r in by_area_and_drug(cases)
            ],
        )
        or "No case was opened.",
        "## How long it took",
        _spans(alerts),
    ]


def html(text: str, title: str) -> str:
    """The Markdown as one page without script, image or address."""
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    style = "body{font-family:Verdana,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}"
    style += "table{border-collapse:collapse}td,th{border:1px solid #767676;padding:.3rem .5rem;text-align:left}"
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{style}</style>'
    return f'<!DOCTYPE html>\n<html lang="en-GB"><head>{head}</head><body>\n{body}</body></html>\n'


def _withheld(asked: Asked) -> str:
    if asked.public:
        return "Made of the public alerts alone: cases, times and what is marked otherwise are not counted here."
    left_out = [
        f"{count} {what}{'' if count == 1 else 's'}"
        for count, what in ((asked.alerts_withheld, "alert"), (asked.cases_withheld, "case"))
        if count
    ]
    if not left_out:
        return "Nothing of these days is left out for its marking."
    return f"Counted here and not shown, because marked beyond {asked.marking}: {' and '.join(left_out)}."


def _spans(alerts: Sequence[AlertRow]) -> str:
    lines = []
    for words, hours in (
        ("From the first record received to the panel's grade", [a.hours_to_assess for a in alerts]),
        ("From the first record received to the alert issued", [a.hours_to_issue for a in alerts]),
    ):
        known = sorted(h for h in hours if h is not None)
        unknown = f" ({len(hours) - len(known)} not known)" if len(known) < len(hours) else ""
        if known:
            middle = known[len(known) // 2] if len(known) % 2 else sum(known[len(known) // 2 - 1 :][:2]) / 2
            lines.append(f"- {words}: median {middle:.1f} hours, longest {known[-1]:.1f}{unknown}.")
        else:
            lines.append(f"- {words}: not known.")
    return "\n".join(lines)


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    if not rows:
        return ""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(value: object) -> str:
    return str(value) if value == "---" else _text(str(value)).replace("|", "/")


def _text(words: str) -> str:
    """Words of others on one line, with what Markdown or HTML would act on taken away."""
    return re.sub(r"[<>`*_#\[\]\\!]", "", " ".join(words.split()))


def _hours(start: datetime | None, end: datetime | None) -> float | None:
    return round((end - start).total_seconds() / 3600, 1) if start and end else None


def _time(instant: datetime | None) -> str:
    return f"{instant.astimezone(LONDON):%Y-%m-%d %H:%M}" if instant else ""
