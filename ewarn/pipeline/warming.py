"""What every page asks for, looked up as soon as a new copy is published, so that nobody waits for it.

In: a house, a clock. Out: `held` filled: once at the start, then by a thread that looks for a newer copy. A page that
comes first makes what it needs by itself. Writes nothing. A fault here, of whatever kind, ends nothing: the page that
meets it tells it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Event, Thread

from ewarn.pipeline import alertpage, counted, handling, handover, signalpage, today
from ewarn.pipeline.house import House
from ewarn.store import looking
from ewarn.terms import london_day

LOOK_EVERY_SECONDS = 0.5
MOST_SECONDS = 30.0
Clock = Callable[[], datetime]


def soon(house: House, now: datetime) -> None:
    """What most pages show."""
    with suppress(Exception):
        today.of(house, "", today.Filters(), now)
        alertpage.listed(house, now)
        handling.of_cases(house, today.open_of(house))


def later(house: House, now: datetime) -> None:
    """What takes seconds where there are many records, and few ask for."""
    with suppress(Exception):
        handover.of(house, now)
        day = london_day(now)
        counted.counts(house, now, day - timedelta(days=28), day)


def signals(house: House, now: datetime) -> None:
    """The pictures and rows of the signals on Today, the most urgent first, for as long as that may take."""
    until = time.monotonic() + MOST_SECONDS
    with suppress(Exception):
        for card in today.of(house, "", today.Filters(), now).cards:
            if time.monotonic() > until:
                return
            signalpage.of(house, card.signal.id, now)


def keep(house: House, clock: Clock) -> Event:
    """Fill now, and go on in a thread until the event is set."""
    ended = Event()
    soon(house, clock())
    Thread(target=_on, args=(house, clock, ended), name="what pages show", daemon=True).start()
    return ended


def _on(house: House, clock: Clock, ended: Event) -> None:
    filled, of_records = 0, (0, 0, 0)
    while not ended.wait(LOOK_EVERY_SECONDS):
        with suppress(Exception):
            if (number := house.db.number()) != filled:
                soon(house, clock())
                later(house, clock())
                filled = number
                with house.db.read() as con:
                    landed = looking.landed(con)
                if landed != of_records:
                    signals(house, clock())
                    of_records = landed
