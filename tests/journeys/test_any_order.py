"""Whatever the order in which files arrive, what is known at the end is the same, and the past stays as it was shown.

A correction is later when its bytes first arrive later. The same bytes again say nothing; the rows of a file in another
order, or twice, say nothing more. Orders are tried that keep files apart which contradict one another.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ewarn import settings as settings_room
from ewarn.catalogue import Catalogue
from ewarn.catalogue import load as load_catalogue
from ewarn.frames import Lines
from ewarn.pipeline import casework, receive, replay, validate
from ewarn.pipeline.house import House
from ewarn.store import lines
from ewarn.store.database import Database
from ewarn.terms import LONDON, Signal, day_end
from tests.journeys.conftest import table

TOML = 'issuer = "TST"\nstanding = "test"\n'
START = datetime(2025, 3, 28, 12, tzinfo=LONDON).astimezone(UTC)
AREAS = ("E09000007", "E09000019")
Row = dict[str, Any]
File = tuple[Row, ...]


@pytest.fixture(scope="module")
def catalogue(root: Path) -> Catalogue:
    return load_catalogue(root)


@dataclass
class Home:
    """A house of its own, and what was shown in it after every delivery."""

    house: House
    shown: list[tuple[datetime, Lines, list[Signal]]] = field(default_factory=list)

    def take(self, rows: list[Row], now: datetime, backfill: bool = False) -> Any:
        path = self.house.settings.home / "file.csv"
        path.write_bytes(table(rows))
        (source,) = receive.intake(self.house, now, "overdose_incidents", path, backfill).sources
        assert not source.error, source.error
        assert source.records == source.new + source.changed + source.unchanged + source.rejects
        return source

    def known(self, until: datetime | None = None) -> Lines:
        with self.house.db.read() as con:
            return lines.as_known(con, casework.ages(self.house), until=until)

    def signals(self, now: datetime) -> list[Signal]:
        return list(validate.detect(self.house, now, dry_run=True).signals)

    def look(self, now: datetime) -> None:
        self.shown.append((now, self.known(now), self.signals(now)))

    def state(self) -> tuple[list[Row], ...]:
        """What is current: every record with its content, its mentions and its places."""
        known = self.known()
        now = known.lines.filter(pl.col("visible_to").is_null())
        ids = now.select("record_id", "version")
        content = now.drop("version", "visible_from", "visible_to", "known_date")
        children = [f.join(ids, on=["record_id", "version"]).drop("version") for f in (known.mentions, known.places)]
        return tuple(sorted(f.unique().to_dicts(), key=str) for f in (content, *children))

    def rebuilt(self, now: datetime) -> Home:
        """The same home after its database was lost and made again from the bytes that are kept."""
        home = self.house.settings.home
        (home / "ewarn.duckdb").unlink()
        for folder in ("published", "segments"):
            shutil.rmtree(home / folder, ignore_errors=True)
        self.house.db.migrate(now)
        replay.rebuild(self.house, now)
        return self


@contextmanager
def a_home(catalogue: Catalogue) -> Iterator[Home]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        (home / "ewarn.toml").write_text(TOML)
        kept = settings_room.load(home, None, {})
        db = Database(kept)
        db.migrate(START - timedelta(days=1))
        yield Home(House(kept, catalogue, db))


def incident(ref: str, version: int) -> Row:
    """What a service says of one event; every version says something else."""
    hour = (int(ref[1:]) * 5 + version) % 24
    return {
        "organisation": f"Service {ref[0]}", "stream": {"A": "ambulance", "P": "police"}[ref[0]], "incident_ref": ref,
        "report_type": "single", "event_date": "2025-03-27" if version % 2 else "2025-03-26",
        "event_time": "" if version == 3 else f"{hour:02}:15", "reported_date": "2025-03-28",
        "area_code": AREAS[int(ref[1:]) % 2], "setting": "street", "persons": 1 + version % 3, "outcome": "non-fatal",
        "suspected_substances": ("heroin", "metonitazene", "heroin|bromazolam", "")[version % 4],
        "status": "retracted" if version == 4 else "final",
    }  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[File]:
    """Files in one order that is right: the version of an event never goes down; some keys are used for two rows."""
    refs = draw(st.lists(st.sampled_from(["A1", "A2", "A3", "P1", "P2"]), min_size=1, max_size=4, unique=True))
    at, files = dict.fromkeys(refs, 0), []
    twice = {ref for ref in refs if draw(st.integers(0, 4)) == 0}
    for _ in range(draw(st.integers(2, 5))):
        rows: list[Row] = []
        for ref in refs:
            if draw(st.booleans()):
                at[ref] = draw(st.integers(at[ref], min(4, at[ref] + 2)))
                rows.append(incident(ref, at[ref]))
                if ref in twice:
                    rows.append(incident(ref, at[ref]) | {"event_date": "2025-03-20", "status": "final"})
        if rows:
            files.append(tuple(rows))
    return files or [(incident(refs[0], 0),)]


def contradicts(one: File, other: File) -> bool:
    """Whether two files say different things of one key."""
    said: list[dict[str, set[str]]] = []
    for file in (one, other):
        of: dict[str, set[str]] = {}
        for row in file:
            of.setdefault(row["incident_ref"], set()).add(str(sorted(row.items())))
        said.append(of)
    return any(said[0][ref] != said[1][ref] for ref in said[0].keys() & said[1].keys())


def another_order(files: list[File], chance: random.Random) -> list[int]:
    """An order of delivery in which what contradicts an earlier file still comes after it."""
    waiting, order = list(range(len(files))), []
    while waiting:
        free = [i for i in waiting if not any(j < i and contradicts(files[j], files[i]) for j in waiting)]
        order.append(chance.choice(free))
        waiting.remove(order[-1])
    return order


def deliver(home: Home, files: list[File], order: list[int], chance: random.Random, backfill: bool, look: bool) -> None:
    """Every file once in the order, its rows shuffled and some twice, and now and then bytes that were there before."""
    now, sent = START, []
    for i in order:
        rows = [*files[i], *(row for row in files[i] if chance.random() < 0.3)]
        chance.shuffle(rows)
        sent.append(rows)
        now += timedelta(hours=chance.choice([1, 7, 30]))
        home.take(rows, now, backfill and chance.random() < 0.5)
        if look:
            home.look(now)
        if chance.random() < 0.4:
            now += timedelta(minutes=1)
            again = home.take(chance.choice(sent), now)
            assert (again.new, again.changed) == (0, 0)


def in_any_order(catalogue: Catalogue, files: list[File], seed: int) -> None:
    chance = random.Random(seed)
    with a_home(catalogue) as plain, a_home(catalogue) as mixed:
        deliver(plain, files, list(range(len(files))), random.Random(seed + 1), backfill=False, look=False)
        deliver(mixed, files, another_order(files, chance), chance, backfill=True, look=False)
        state = plain.state()
        assert mixed.state() == state
        newest = {
            row["incident_ref"]: str(row["status"])
            for file in files
            for row in file
            if row["event_date"] > "2025-03-21"
        }
        standing = {ref for ref, status in newest.items() if status == "final"}
        assert sum(row["reference_date"] > date(2025, 3, 21) for row in state[0]) == len(standing)
        assert mixed.rebuilt(START + timedelta(days=60)).state() == state


def as_it_was_shown(catalogue: Catalogue, files: list[File], seed: int) -> None:
    """What was shown after each delivery is what is answered about that instant ever after, rebuilt or not."""
    with a_home(catalogue) as home:
        deliver(home, files, list(range(len(files))), random.Random(seed), backfill=False, look=True)
        for again in (home, None):
            asked = again or home.rebuilt(START + timedelta(days=60))
            for now, known, signals in home.shown:
                then = asked.known(now)
                for name in ("lines", "mentions", "places"):
                    shown, told = getattr(known, name), getattr(then, name)
                    assert told.sort(told.columns).equals(shown.sort(shown.columns)), (now, name)
                late = START + timedelta(days=60)
                assert list(validate.detect(asked.house, late, as_of=now, dry_run=True).signals) == signals
        for day in sorted({now.astimezone(LONDON).date() for now, _, _ in home.shown}):
            evening = {s.id: s for s in validate.detect(home.house, late, as_of=day_end(day), dry_run=True).signals}
            for raised in validate.backtest(home.house, day, day).signals:
                assert (raised.observed, raised.records, raised.persons_min, raised.persons_max) == (
                    evening[raised.id].observed,
                    evening[raised.id].records,
                    evening[raised.id].persons_min,
                    evening[raised.id].persons_max,
                )


QUICK = settings(max_examples=1, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
LONG = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@QUICK
@given(histories(), st.integers(0, 10**6))
def test_the_end_is_the_same_in_any_order(catalogue: Catalogue, files: list[File], seed: int) -> None:
    in_any_order(catalogue, files, seed)


@pytest.mark.slow
@QUICK
@given(histories(), st.integers(0, 10**6))
def test_the_past_stays_as_it_was_shown(catalogue: Catalogue, files: list[File], seed: int) -> None:
    as_it_was_shown(catalogue, files, seed)


@pytest.mark.slow
@LONG
@given(histories(), st.integers(0, 10**6))
def test_the_end_is_the_same_in_any_order_for_long(catalogue: Catalogue, files: list[File], seed: int) -> None:
    in_any_order(catalogue, files, seed)


@pytest.mark.slow
@LONG
@given(histories(), st.integers(0, 10**6))
def test_the_past_stays_as_it_was_shown_for_long(catalogue: Catalogue, files: list[File], seed: int) -> None:
    as_it_was_shown(catalogue, files, seed)
