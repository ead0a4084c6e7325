"""What every page asks for, looked up as soon as a new copy is published, so that nobody waits for it.

In: a house, a clock. Out: `held` filled: once at the start, then by a thread that looks for a newer copy. A page that
comes first makes what it needs by itself. Writes nothing. A fault here, of whatever kind, ends nothing: the page that
meets it tells it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Event, Thread

from ewarn import review as review_room
from ewarn.pipeline import alertpage, apiview, counted, handover, signalpage, standing, tallied, today, trailed
from ewarn.pipeline.house import House
from ewarn.terms import london_day

LOOK_EVERY_SECONDS = 0.5
MOST_RECORDS, MOST_TEXTS = 5_000, 3
Clock = Callable[[], datetime]


def soon(house: House, now: datetime) -> None:
    """What most pages show."""
    with suppress(Exception):
        today.of(house, "", today.Filters(), now)
        alertpage.listed(house, now)
        apiview.cases(house, now)


def later(house: House, now: datetime) -> None:
    """What takes longer where there are many records, and few ask for: those that landed, rows behind signals."""
    tallied.keep_up(house, now)
    with suppress(Exception):
        day = london_day(now)
        counted.counts(house, now, day - timedelta(days=28), day)
        handover.of(house, now)
        for line in alertpage.listed(house, now)[:MOST_TEXTS]:
            alertpage.of(house, line.id, now)
        signals = review_room.signals_by_urgency(standing.current(house, now).signals)
        behind = (record for signal in signals for record in signal.records[: signalpage.MOST_ROWS])
        wanted = list(dict.fromkeys(behind))
        with house.db.read() as con:
            trailed.of(house, con, wanted[:MOST_RECORDS], now)


def keep(house: House, clock: Clock) -> Event:
    """Fill now, and go on in a thread until the event is set."""
    ended = Event()
    soon(house, clock())
    Thread(target=_on, args=(house, clock, ended), name="what pages show", daemon=True).start()
    return ended


def _on(house: House, clock: Clock, ended: Event) -> None:
    filled = 0
    while not ended.wait(LOOK_EVERY_SECONDS):
        with suppress(Exception):
            if (number := house.db.number()) != filled:
                soon(house, clock())
                later(house, clock())
                filled = number
