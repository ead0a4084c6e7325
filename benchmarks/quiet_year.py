"""`python benchmarks/quiet_year.py`: what a duty officer would have had to read in a quiet year, with today's rules.

Two drawn years (made_year.py) go through the real intake, as history with the days on which each row became known; the
second is walked through evaluation by evaluation: signals join cases and page by the code of the service. Prints pages
and items a week beside the budget, and which rule asked for them. `--live DAYS` takes the last days of the second year
day by day instead: each day's rows are dropped, read, detected on and sent, with a duty rota, and what the store then
says is counted; that is slower and sees what a back-test cannot: operator notices and silence. Asserts nothing.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from made_year import Table, Year, written

from ewarn.pipeline import backtest, notices, read, receive, respond, validate, walk
from ewarn.pipeline.house import House, open_house
from ewarn.pipeline.reports import DutyLoad
from ewarn.terms import LONDON, Recipient

SETTINGS = 'issuer = "LDN"\nissuer_name = "quiet year"\nstanding = "exercise"\n'
FIRST, MEASURED = date(2023, 1, 2), 364
KNOWN_ON = {
    "test_results": "date_reported", "overdose_incidents": "reported_date", "post_mortem": "date_reported",
    "overdose_counts": "reported_date",
}  # fmt: skip


def main() -> None:
    asked = _arguments()
    year = Year(asked.seed, FIRST, asked.history + MEASURED, asked.incidents_a_day)
    tables = {
        "test_results": year.samples(), "overdose_incidents": year.incidents(), "post_mortem": year.deaths(),
        "overdose_counts": year.counts(daily_boroughs=asked.daily_boroughs),
    }  # fmt: skip
    told = year.notices()
    start, end = FIRST + timedelta(days=asked.history), FIRST + timedelta(days=asked.history + MEASURED - 1)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        if asked.live:
            start = end - timedelta(days=asked.live - 1)
            load = live(Path(folder), asked.content, tables, told, start, end)
        else:
            load = walked(Path(folder), asked.content, tables, told, start, end)
    words = {name: len(rows) for name, rows in tables.items()} | {"notices": len(told)}
    print(f"seed {asked.seed}, {words}, {start} to {end}, {time.perf_counter() - began:.0f} s")
    show(load)


def walked(
    folder: Path, content: Path | None, tables: dict[str, Table], told: list[Any], start: date, end: date
) -> DutyLoad:
    house = opened(folder, content, noon(start))
    for day, title, words in told:
        tell(house, day, title, words)
    for source, rows in tables.items():
        drop(house, folder, source, rows, noon(end), backfill=True)
    return backtest.study(house, start, end).load


def live(
    folder: Path, content: Path | None, tables: dict[str, Table], told: list[Any], start: date, end: date
) -> DutyLoad:
    """History first, then day by day with the rota called."""
    (folder / "duty").write_text("127.0.0.1:9/nobody")
    before = start - timedelta(days=1)
    house = opened(folder, content, noon(before))
    for number in (1, 2):
        channel = next(c.id for c in house.catalogue.channels.values() if c.internal and not c.live)
        read.add_recipient(
            house,
            Recipient(
                id=f"duty-{number}", name=f"Duty {number}", group="duty", audience="internal", areas=("E12000007",),
                channel=channel, rota_order=number,
            ),
            noon(before),
        )  # fmt: skip
    for source, rows in tables.items():
        drop(house, folder, source, [r for r in rows if r[KNOWN_ON[source]] < start], noon(before), backfill=True)
    validate.detect(house, noon(before))
    for number in range((end - start).days + 1):
        now = noon(start + timedelta(days=number))
        house = opened(folder, content, now)
        for source, rows in tables.items():
            due = [row for row in rows if row[KNOWN_ON[source]] == now.date()]
            if due:
                drop(house, folder, source, due, now, backfill=False)
        for day, title, words in told:
            if day == now.date():
                tell(house, day, title, words)
        validate.detect(house, now)
        respond.page(house, now)
    return backtest.duty_load(walk.stored(house, start, end), start, end)


def opened(home: Path, content: Path | None, now: datetime) -> House:
    (home / "ewarn.toml").write_text(SETTINGS)
    return open_house(home, content, {}, clock=lambda _: now)


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 18, tzinfo=LONDON).astimezone(UTC)


def drop(house: House, folder: Path, source: str, rows: Table, now: datetime, *, backfill: bool) -> None:
    path = folder / f"{source}-{now:%Y%m%d}.csv"
    path.write_bytes(written(rows))
    (report,) = receive.intake(house, now, source, path, backfill).sources
    if report.error or report.rejects:
        raise SystemExit(f"{source}: {report.error or f'{report.rejects} rejects'}")


def tell(house: House, day: date, title: str, words: str) -> None:
    notices.add(house, noon(day), words.encode(), title=title, publisher="Agency (made)", published=noon(day))


def show(load: DutyLoad) -> None:
    print(f"pages a week {load.pages:.2f} (budget 2, fullest week {load.most_pages})")
    print(f"items a week {load.items:.2f} (budget 6, fullest week {load.most_items})")
    print(f"everything a week {load.everything:.2f} (fullest {load.most_everything}); weeks over {load.weeks_over}")
    print(f"kept: {load.kept}; outside the home area: {load.elsewhere}")
    with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True):
        print(pl.DataFrame(list(load.by_rule)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--incidents-a-day", type=float, default=6.0)
    parser.add_argument("--daily-boroughs", action="store_true", help="counts by day and borough, unsuppressed, too")
    parser.add_argument("--history", type=int, default=364, metavar="DAYS", help="before the year measured")
    parser.add_argument("--live", type=int, default=0, metavar="DAYS", help="the last days, day by day")
    parser.add_argument("--content", type=Path, default=None)
    return parser.parse_args()


if __name__ == "__main__":
    main()
