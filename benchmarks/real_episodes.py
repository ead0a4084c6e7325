"""`python benchmarks/real_episodes.py --shared FOLDER`: how soon known episodes were named, and at what cost.

In: a folder with `data/wedinos/wedinos_dev.csv` (UK drug checking, December 2023 to 4 December 2024) and
`data/incidents/connecticut_deaths_2012-2022.csv` (accidental drug deaths). Neither is part of ewarn nor may be passed
on; only sums and first days are printed, never a row. Each is read by its definition into a home of its own and
back-tested with today's rules, as `ewarn backtest --episodes` does. Asserts nothing.

The deaths are read with the definition of the tests, except that what the medical examiner wrote as cause counts as
found, not as suspected. The file does not say when a cause was known: every death counts as known on its own day. Add
the laboratory's weeks to every lead time.

A nitazene cluster in drug checking is a local authority with three nitazene samples within 28 days, each sample placed
once; its date is the day on which the third became known, and one is over after 28 days without.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from quiet_year import SETTINGS, show

from ewarn.pipeline import backtest, casework, receive
from ewarn.pipeline.house import House, open_house
from ewarn.pipeline.reports import BacktestStudy
from ewarn.store import lines
from ewarn.terms import Signal, day_end, london_day

DEFINITION = Path(__file__).parent.parent / "tests" / "journeys" / "definitions" / "connecticut_deaths.toml"
# Dates are of the data: the first month with such a sample or death.
EPISODES = {
    "connecticut_deaths": """
[[episode]]
name = "acetyl fentanyl"
date = 2015-07-01
substance = "acetylfentanyl"
[[episode]]
name = "xylazine"
date = 2019-03-01
substance = "xylazine"
[[episode]]
name = "para-fluorofentanyl"
date = 2020-01-01
substance = "para-fluorofentanyl"
""",
    "wedinos": """
[[episode]]
name = "a nitazene in London"
date = 2024-01-01
area = "E12000007"
class = "nitazene"
days_before = 0
[[episode]]
name = "an orphine in the UK"
date = 2024-01-01
class = "orphine"
days_before = 0
""",
}
MOST_SHOWN = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--only", choices=list(EPISODES), default=None)
    asked = parser.parse_args()
    runs = {
        "wedinos": (asked.shared / "data/wedinos/wedinos_dev.csv", date(2024, 1, 1), date(2024, 12, 4)),
        "connecticut_deaths": (
            asked.shared / "data/incidents/connecticut_deaths_2012-2022.csv", date(2013, 7, 1), date(2022, 12, 31),
        ),
    }  # fmt: skip
    for source, (file, start, end) in runs.items():
        if asked.only in (None, source):
            with tempfile.TemporaryDirectory() as folder:
                began = time.perf_counter()
                found = study(Path(folder), source, file, start, end)
                print(f"\n{source}, {start} to {end}, content {found.content_hash[:12]}, ", end="")
                print(f"{time.perf_counter() - began:.0f} s")
                told(found)


def study(home: Path, source: str, file: Path, start: date, end: date) -> BacktestStudy:
    now = datetime(2025, 6, 1, 9, tzinfo=UTC)
    (home / "ewarn.toml").write_text(SETTINGS)
    if source == "connecticut_deaths":
        drops = home / "content" / "sources" / "drops"
        drops.mkdir(parents=True)
        text = DEFINITION.read_text().replace("[columns.suspected]", "[columns.confirmed]")
        (drops / DEFINITION.name).write_text(text)
    house: House = open_house(home, None, {}, clock=lambda _: now)
    (report,) = receive.intake(house, now, source, file, True).sources
    if report.error:
        raise SystemExit(report.error)
    episodes = home / "episodes.toml"
    text = EPISODES[source]
    if source == "wedinos":
        text += "".join(clusters(house, start, end))
    episodes.write_text(text)
    return backtest.study(house, start, end, episodes=episodes)


def clusters(house: House, start: date, end: date) -> Iterator[str]:
    """An episode for each nitazene cluster."""
    with house.db.read() as con:
        known = lines.as_known(con, casework.ages(house), until=day_end(end))
    key = ["record_id", "version"]
    held = known.mentions.filter(class_id="nitazene").select(key).unique()
    placed = known.places.filter(tier="borough").sort("share", "area", descending=[True, False])
    rows = known.lines.join(held, on=key).join(placed.unique(key, keep="first", maintain_order=True), on=key)
    days: dict[str, list[date]] = {}
    for area, at in rows.select("area", "visible_from").sort("area", "visible_from").iter_rows():
        days.setdefault(area, []).append(london_day(at))
    for area, seen in days.items():
        last = date.min
        for first, third in zip(seen, seen[2:], strict=False):
            if (third - first).days <= 28 and (third - last).days > 28 and start <= third <= end:
                yield f'[[episode]]\nname = "cluster {area}"\ndate = {third}\narea = "{area}"\n'
                yield 'class = "nitazene"\ndays_before = 28\n'
            if (third - first).days <= 28:
                last = third


def summed(found: BacktestStudy) -> None:
    """The clusters as one line: no area is named."""
    days = [one.days for one in found.lead_times if one.episode.startswith("cluster")]
    named = sorted(day for day in days if day is not None)
    if days:
        middle = named[len(named) // 2] if named else None
        early = sum(day < 0 for day in named)
        print(f"nitazene clusters: {len(days)}, named {len(named)}, before the third sample {early}; ", end="")
        print(f"days after the third: median {middle}, latest {max(named, default=None)}")


def told(found: BacktestStudy) -> None:
    print(f"{len(found.signals)} signals, {found.signals_per_week:.2f} a week in all areas")
    show(found.load)
    summed(found)
    for one in (each for each in found.lead_times if not each.episode.startswith("cluster")):
        print(f"{one.episode}: first named {one.raised_on} ({one.days} days after {one.on}) by {one.rule}")
        for rule, day in firsts(found, one.episode):
            print(f"    {day} {rule}")
    print(f"borne out: {found.confirmed}, share {found.confirmed_share}")
    silent = Counter(f"{n.rule}: {n.reason}" for n in found.not_evaluable)
    print(f"not evaluable: {len(silent)} reasons, such as {'; '.join(list(silent)[:4])}")


def firsts(found: BacktestStudy, episode: str) -> Iterator[tuple[str, date]]:
    """Per rule the first day in the year after on which it named the episode's substance or class, soonest first."""
    first = next(one for one in found.lead_times if one.episode == episode)
    named = next((s for s in every(found) if s.id == first.signal), None)
    if named is None or first.raised_on is None:
        return
    days: dict[str, date] = {}
    for signal in every(found):
        late = (signal.first_raised_on - first.raised_on).days
        if 0 <= late <= 365 and named.subject.id in signal.subject.id:
            rule = f"{signal.rule} ({signal.area.tier.value})"
            days[rule] = min(days.get(rule, signal.first_raised_on), signal.first_raised_on)
    yield from sorted(days.items(), key=lambda item: (item[1], item[0]))[:MOST_SHOWN]


def every(found: BacktestStudy) -> list[Signal]:
    return [one for signal in found.signals for one in (signal, *signal.beneath)]


if __name__ == "__main__":
    main()
