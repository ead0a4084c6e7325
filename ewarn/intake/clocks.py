"""When it happened: date and time cells to days and instants, as Polars expressions over all rows at once.

In: text columns and a definition. Out: a field's day, and the instant where a time of day is told: in a column of its
own, or beside the day in the cell of the reference date, where the definition asks for a time. Clock readings are
London's unless they state their offset. Must never turn an unreadable cell into a value, nor a day alone into midnight.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

import polars as pl

from ewarn.frames import INSTANT
from ewarn.intake.normalise import Field, Mapped

LONDON = "Europe/London"
OFFSET = "%+"  # ISO 8601 with Z or an offset
DAY_NUMBER = r"^[345]\d{4}(?:\.\d+)?$"  # days since 1900 or since 1904: nobody can tell, so it is never read
TIME_FORMATS = (
    "%H:%M",
    "%H:%M:%S",
    "%H%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
    OFFSET,
)
_LETTERS = {"%Y": "YYYY", "%m": "MM", "%d": "DD", "%b": "Mon", "%B": "Month", "%H": "HH", "%M": "MM", "%S": "SS"}
_HOURS = ("%H", "%I", "%T", OFFSET)


def day(mapped: Mapped, field: str) -> Field:
    """A date, by the column's formats or the definition's. Years before 1900 and after 2100 are unreadable."""
    text, formats = mapped.text(field), _formats(mapped, field)
    value = pl.coalesce(dated(text, form) for form in formats)
    value = pl.when(value.dt.year().is_between(1900, 2100)).then(value)
    wrong = text.is_not_null() & value.is_null()
    counted = wrong & text.str.contains(DAY_NUMBER)
    fault = pl.coalesce(
        mapped.fault(field, counted, "a number for a date", "in the spreadsheet, give the column a date format"),
        mapped.fault(field, wrong, "unreadable date", f"write it as {_shown(formats)}"),
    )
    return Field(value, fault)


def dated(text: pl.Expr, form: str) -> pl.Expr:
    """The day a text names in one format; London's day where the text states its offset."""
    return _clock(text, form).dt.date() if _timed(form) else text.str.to_date(form, strict=False)


def instant(mapped: Mapped, day_of: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """(UTC instant or null, remark or null) from `reference_time`, a London clock time on the reference date; else from
    the reference date's own cell where it holds a time. Midnight there is how programs write a day alone.

    A time that occurs twice (clocks going back) is the earlier one; one that never occurs is read as GMT.
    """
    text = mapped.text("reference_time")
    forms = mapped.definition.columns["reference_time"].formats if mapped.has("reference_time") else ()
    own = [
        _clock(text, form) if _dates(form) else day_of.dt.combine(text.str.to_time(form, strict=False), "us")
        for form in forms or TIME_FORMATS
    ]
    local, stated = pl.coalesce(own), _stated(text)
    if "reference_time" in mapped.definition.columns:
        beside, offset = _beside(mapped)
        local, stated = (
            pl.coalesce(one, pl.when(text.is_null()).then(other)) for one, other in ((local, beside), (stated, offset))
        )
    early = local.dt.replace_time_zone(LONDON, ambiguous="earliest", non_existent="null")
    late = local.dt.replace_time_zone(LONDON, ambiguous="latest", non_existent="null")
    value = pl.coalesce(stated, early.dt.convert_time_zone("UTC"), local.dt.replace_time_zone("UTC")).cast(INSTANT)
    remark = (
        pl.when(stated.is_not_null())
        .then(pl.lit("; time by its offset"))
        .when(local.is_null())
        .then(_unreadable(mapped, text))
        .when(early.is_null())
        .then(pl.lit("; clock time does not exist on that day, read as GMT"))
        .when(early != late)
        .then(pl.lit("; clock time occurs twice on that day, the earlier taken"))
        .otherwise(pl.lit("; time is Europe/London"))
    )
    return value, remark


def _beside(mapped: Mapped) -> tuple[pl.Expr, pl.Expr]:
    """The clock reading and, where it states its offset, the instant in the reference date's own cell."""
    cell, none = mapped.text("reference_date"), pl.lit(None, pl.Datetime("us"))
    timed = [_clock(cell, form) for form in _formats(mapped, "reference_date") if _timed(form)]
    local, stated, midnight = pl.coalesce(none, *timed), _stated(cell), time(0)
    told = (local.dt.time() != midnight) & (stated.dt.time() != midnight).fill_null(True)
    return pl.when(told).then(local), pl.when(told).then(stated)


def _formats(mapped: Mapped, field: str) -> tuple[str, ...]:
    own = mapped.definition.columns[field].formats if mapped.has(field) else ()
    return own or mapped.definition.date_formats


def _dates(form: str) -> bool:
    return "%Y" in form or form == OFFSET


def _timed(form: str) -> bool:
    return any(code in form for code in _HOURS)


def _clock(text: pl.Expr, form: str) -> pl.Expr:
    """London's clock reading of a text with day and time."""
    if form == OFFSET:
        return _stated(text).dt.convert_time_zone(LONDON).dt.replace_time_zone(None)
    return text.str.to_datetime(form, strict=False, time_unit="us")


def _stated(text: pl.Expr) -> pl.Expr:
    """The instant of a text that states its offset."""
    return text.str.to_datetime(OFFSET, strict=False, time_unit="us", time_zone="UTC")


def _shown(formats: Sequence[str]) -> str:
    """The first formats as people write them: YYYY-MM-DD."""
    shown = " or ".join(formats[:3])
    for code, word_of in _LETTERS.items():
        shown = shown.replace(code, word_of)
    return shown


def _unreadable(mapped: Mapped, text: pl.Expr) -> pl.Expr:
    words = pl.format("; time '{}' unreadable, date only", text)
    if mapped.definition.personal:
        words = pl.lit("; time unreadable, date only")
    return pl.when(text.is_not_null()).then(words)
