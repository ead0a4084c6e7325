"""Slowing down whoever guesses, without locking anybody out.

In: who tries, from where, and the instant. Out: how many seconds they have to wait. The wait grows with failures and
never passes half a minute; a browser that signed in before is counted by itself, so that strangers who hammer at an
account cannot keep its owner out. Kept in memory: a restart forgets it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Lock

FORGET = timedelta(hours=1)
MOST_KEYS = 20_000
# Kind of key -> failures that cost nothing, longest wait in seconds.
LIMITS = {"known": (5, 15.0), "both": (4, 30.0), "account": (12, 5.0), "address": (30, 10.0)}


class Slowing:
    """Failures by key: a kind and a value."""

    def __init__(self) -> None:
        self._failures: dict[tuple[str, str], tuple[int, datetime]] = {}
        self._lock = Lock()

    def wait(self, keys: Sequence[tuple[str, str]], now: datetime) -> float:
        """Seconds until the next try is looked at; 0 where it may come now."""
        with self._lock:
            return max((self._left(key, now) for key in keys), default=0.0)

    def failed(self, keys: Sequence[tuple[str, str]], now: datetime) -> int:
        """Count a failure. Returns the most failures in a row under any of the keys."""
        with self._lock:
            self._tidy(now)
            for key in keys:
                self._failures[key] = (self._count(key, now) + 1, now)
            return max((self._failures[key][0] for key in keys), default=0)

    def passed(self, keys: Sequence[tuple[str, str]]) -> None:
        """Forget the failures of somebody who got in, save those of a whole address."""
        with self._lock:
            for key in keys:
                if key[0] != "address":
                    self._failures.pop(key, None)

    def _count(self, key: tuple[str, str], now: datetime) -> int:
        count, at = self._failures.get(key, (0, now))
        return count if now - at < FORGET else 0

    def _left(self, key: tuple[str, str], now: datetime) -> float:
        free, longest = LIMITS[key[0]]
        over = self._count(key, now) - free
        if over < 0:
            return 0.0
        _, at = self._failures[key]
        return float(max(0.0, min(longest, 2.0 ** min(over, 10)) - (now - at).total_seconds()))

    def _tidy(self, now: datetime) -> None:
        if len(self._failures) > MOST_KEYS:
            self._failures = {key: kept for key, kept in self._failures.items() if now - kept[1] < FORGET}
        if len(self._failures) > MOST_KEYS:
            self._failures.clear()


class Pace:
    """How often a holder of a token may ask: so many at once, then so many a second. Kept in memory."""

    def __init__(self, at_once: float = 120.0, per_second: float = 2.0) -> None:
        self.at_once, self.per_second = at_once, per_second
        self._left: dict[str, tuple[float, datetime]] = {}
        self._lock = Lock()

    def wait(self, key: str, now: datetime) -> float:
        """Take one; seconds until there is another where none is left, else 0."""
        with self._lock:
            if len(self._left) > MOST_KEYS:
                self._left.clear()
            left, at = self._left.get(key, (self.at_once, now))
            left = min(self.at_once, left + max(0.0, (now - at).total_seconds()) * self.per_second)
            self._left[key] = (max(0.0, left - 1.0), now)
            return 0.0 if left >= 1.0 else (1.0 - left) / self.per_second
