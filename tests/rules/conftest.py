"""Line lists written down in a few words, over the project's own content."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ewarn import catalogue as catalogues
from ewarn import intake
from ewarn.catalogue import Catalogue
from ewarn.frames import SHAPES, Lines, empty, shaped
from ewarn.rules import evaluate, signals
from ewarn.terms import LONDON, Signal, day_end, day_start

CAMDEN = "E09000007"


@pytest.fixture(scope="session")
def catalogue(root: Path) -> Catalogue:
    return catalogues.load(root)


def _instant(value: str | date | datetime | None) -> datetime | None:
    """'2025-03-03 21:30' is London time; a date alone is its first instant."""
    if value is None or isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return day_start(value)
    if len(value) == 10:
        return day_start(date.fromisoformat(value))
    return datetime.fromisoformat(value).replace(tzinfo=LONDON)


def lines_of(catalogue: Catalogue, rows: list[dict[str, Any]]) -> Lines:
    """Rows: id, on (date or 'date hh:mm'), known, gone, version, area (code or {code: share}), found {name: role}."""
    listed, mentions, places, counts = [], [], [], []
    tiers = dict(catalogue.areas.select("code", "tier").iter_rows())
    for number, row in enumerate(rows):
        row = dict(row)
        on = row.pop("on")
        record, version = str(row.pop("id", f"r{number:05d}")), row.pop("version", 1)
        areas = row.pop("area", CAMDEN)
        shares = areas if isinstance(areas, dict) else {areas: 1.0}
        found = row.pop("found", {})
        found = {found: "major"} if isinstance(found, str) else found
        timed = isinstance(on, datetime) or (isinstance(on, str) and len(on) > 10)
        reference = _instant(on).astimezone(LONDON).date()
        header = {
            "record_id": record,
            "version": version,
            "source": "a-source",
            "kind": "incident" if "outcome" in row else "sample",
            "reference_date": reference,
            "reference_at": _instant(on) if timed else None,
            "known_date": _instant(row.get("known", reference)).astimezone(LONDON).date(),
            "visible_from": _instant(row.pop("known", None) or (on if timed else reference)),
            "visible_to": _instant(row.pop("gone", None)),
            "retracted": False,
            "max_age_days": 180,
        }
        if row.get("kind") == "count":
            area = next(iter(shares))
            counts.append(header | row | {"area": area, "tier": tiers[area]})
            continue
        listed.append(header | {"persons": 1, "cumulative": False} | row)
        at = {"record_id": record, "version": version}
        for name, role in found.items():
            mentions.append(at | _mention(catalogue, name, role))
        places += [
            at | {"area": a, "tier": tiers[a], "share": s, "certain": len(shares) == 1} for a, s in shares.items()
        ]
    return Lines(
        *(
            _frame(name, rows)
            for name, rows in (
                ("lines", listed),
                ("line_mentions", mentions),
                ("line_places", places),
                ("line_counts", counts),
            )
        )
    )


def _mention(catalogue: Catalogue, name: str, role: str) -> dict[str, Any]:
    kind = "substance" if name in catalogue.substances else "class" if name in catalogue.classes else "queued"
    return {
        "ordinal": 0,
        "role": role,
        "mention_kind": kind,
        "subject": None if kind == "queued" else name,
        "class_id": catalogue.class_of.get(name),
        "as_written": name,
    }


def _frame(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([{c: r.get(c) for c in SHAPES[name]} for r in rows], schema=SHAPES[name])


@pytest.fixture(scope="session")
def known(catalogue: Catalogue) -> Callable[..., Lines]:
    return lambda *rows: lines_of(catalogue, list(rows))


@pytest.fixture(scope="session")
def standing(catalogue: Catalogue) -> Callable[..., list[Signal]]:
    """Signals standing at an instant, from rows or Lines, by some rules or all."""

    def ask(lines: Lines | list[dict[str, Any]], instant: str | datetime, *rules: str) -> list[Signal]:
        lines = lines if isinstance(lines, Lines) else lines_of(catalogue, lines)
        when = day_end(date.fromisoformat(instant)) if isinstance(instant, str) and len(instant) == 10 else instant
        when = _instant(when)
        chosen = [catalogue.rules[r] for r in rules] or list(catalogue.rules.values())
        return signals.at(evaluate(chosen, lines, when, catalogue), when)

    return ask


@pytest.fixture(scope="session")
def raised(catalogue: Catalogue) -> Callable[..., list[Signal]]:
    """Signals first raised within a range of days, each once."""

    def ask(lines: Lines | list[dict[str, Any]], first: str, last: str, *rules: str) -> list[Signal]:
        lines = lines if isinstance(lines, Lines) else lines_of(catalogue, lines)
        start, end = date.fromisoformat(first), date.fromisoformat(last)
        chosen = [catalogue.rules[r] for r in rules] or list(catalogue.rules.values())
        evaluation = evaluate(chosen, lines, day_end(end), catalogue, since=day_start(start))
        return signals.over(evaluation, [start + timedelta(days=i) for i in range((end - start).days + 1)])

    return ask


@pytest.fixture(scope="session")
def wedinos(shared: Path, catalogue: Catalogue) -> tuple[Lines, pl.DataFrame]:
    """The development slice of real drug checking as known, and its staged records with the source's references."""
    body = (shared / "data" / "wedinos" / "wedinos_dev.csv").read_bytes()
    staged = intake.read(
        catalogue.drops["wedinos"], body, catalogue, received_at=datetime(2025, 1, 1, tzinfo=UTC), backfill=True
    )
    record = pl.col("row").cast(pl.String).str.zfill(5)
    midnight = pl.col("known_date").cast(pl.Datetime("us")).dt.replace_time_zone("Europe/London")
    listed = staged.records.with_columns(
        record_id=record,
        version=pl.lit(1),
        source=pl.lit("wedinos"),
        kind=pl.lit("sample"),
        visible_from=midnight.dt.convert_time_zone("UTC"),
        max_age_days=pl.lit(180),
    )
    children = [f.with_columns(record_id=record, version=pl.lit(1)) for f in (staged.mentions, staged.places)]
    lines = Lines(
        lines=shaped("lines", listed),
        mentions=shaped("line_mentions", children[0]),
        places=shaped("line_places", children[1]),
        counts=empty("line_counts"),
    )
    return lines, listed.select("record_id", "key")
