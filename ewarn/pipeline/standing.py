"""The signals that stand now, kept ready for the pages.

In: a house, `now`. Out: the rules' answer with the instant it is of. A home that answers at once is asked anew whenever
something was published or a minute has passed; a slower one in the background. A large one is never asked here: the
schedules ask it and keep the answer, and pages show that one with its time. It writes nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from threading import Lock, Thread

from ewarn.pipeline import held, validate
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import DetectReport
from ewarn.store import standing as kept_answers

AT_ONCE_SECONDS = 0.25
QUIET_SECONDS = 30.0
LARGE = 100_000
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class _Kept:
    number: int
    content: str
    report: DetectReport
    took: float
    made: float


class Standing:
    """One home's newest answer."""

    def __init__(self) -> None:
        self._kept: _Kept | None = None
        self._lock, self._asking = Lock(), False

    def current(self, house: House, now: datetime) -> DetectReport:
        """The newest answer; waits for it where there is none yet, or where asking takes no time."""
        kept = self._kept
        if kept is not None and self._holds(kept, house, now):
            return kept.report
        if kept is None or (kept.took < AT_ONCE_SECONDS and kept.content == house.catalogue.content_hash):
            with self._lock:
                kept = self._kept
                if kept is None or not self._holds(kept, house, now):
                    kept = self._ask(house, now)
            return kept.report
        self._ask_behind(house, now)
        return kept.report

    def _holds(self, kept: _Kept, house: House, now: datetime) -> bool:
        recent = timedelta(0) <= now - kept.report.as_of < timedelta(minutes=1 if kept.took < AT_ONCE_SECONDS else 5)
        return recent and (kept.number, kept.content) == (house.db.number(), house.catalogue.content_hash)

    def _ask(self, house: House, now: datetime) -> _Kept:
        number, began = house.db.number(), time.monotonic()
        report = validate.detect(house, now, dry_run=True)
        ended = time.monotonic()
        self._kept = _Kept(number, house.catalogue.content_hash, report, ended - began, ended)
        return self._kept

    def _ask_behind(self, house: House, now: datetime) -> None:
        """One question at a time, with a rest between two that is as long as asking took."""
        kept = self._kept
        with self._lock:
            rested = kept is None or time.monotonic() - kept.made > max(QUIET_SECONDS, kept.took)
            if self._asking or not rested:
                return
            self._asking = True

        def ask() -> None:
            try:
                self._ask(house, now)
            finally:
                self._asking = False

        Thread(target=ask, name="signals that stand", daemon=True).start()


def _kept(house: House) -> tuple[int, DetectReport | None]:
    """How many records there are, and the answer that the schedules kept."""
    with house.db.read() as con:
        body = kept_answers.load(con)
        size = held.of_records(house, con, "size", lambda: kept_answers.size(con))
        return size, _read(body) if body else None


@lru_cache(maxsize=4)
def _read(body: str) -> DetectReport:
    return DetectReport.model_validate_json(body)


_HOMES: dict[str, Standing] = {}
_HOMES_LOCK = Lock()


def current(house: House, now: datetime) -> DetectReport:
    """The signals that stand in this home, as of the report's `as_of`; NEVER where a large one was not asked yet."""
    size, kept = held.of(house, "standing", lambda: _kept(house))
    if size > LARGE:
        return kept or DetectReport(
            as_of=NEVER, content_hash=house.catalogue.content_hash, signals=(), not_evaluable=(), dry_run=True
        )
    with _HOMES_LOCK:
        standing = _HOMES.setdefault(str(house.settings.home), Standing())
    return standing.current(house, now)
